//! A job from its submission to its end: what it prints is passed on, its state told, and it is cancelled
//! when the run is to stop.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    SlurmElement, SlurmError,
    canceller::Canceller,
    commands::{self, Known},
    error::NO_WORD,
    logs::Log,
    queue::Followed,
    record::Record,
};
use crate::{Attempt, Stream, secrets::Secrets};

/// How often files are looked at, and whether the run is to stop.
const LOOK: Duration = Duration::from_millis(200);
/// So long after a job's end its files may come from another machine.
const LATE_FILES: Duration = Duration::from_secs(10);
/// So long a job that was cancelled is waited for.
const CANCELLED: Duration = Duration::from_secs(60);
/// So long the accounts may take to hear of a job's end.
const ACCOUNTS: Duration = Duration::from_secs(3);

/// A job that was submitted.
pub(super) struct Follow<'a> {
    pub(super) attempt: &'a dyn Attempt,
    pub(super) secrets: &'a Secrets,
    pub(super) program: String,
    pub(super) record: &'a Record,
    pub(super) job: String,
    /// How many elements an array has; none for a job alone.
    pub(super) elements: Option<usize>,
    /// Whether the output goes to the log.
    pub(super) shows_output: bool,
    /// How old an answer of Slurm may be.
    pub(super) interval: Duration,
}

impl Follow<'_> {
    /// Follows the job to its end.
    pub(super) fn run(self) -> Result<(), SlurmError> {
        let _canceller = self
            .attempt
            .is_ended_by_signal()
            .then(|| Canceller::start(&self.job));
        let followed = Followed::new(&self.job);
        let mut logs = self.logs();
        let mut told = String::new();
        let mut over_since: Option<Instant> = None;
        let known = loop {
            for log in &mut logs {
                log.follow(self.attempt, self.secrets, false);
            }
            if self.attempt.stop_requested() {
                return self.cancel(&followed);
            }
            let known = followed.look(self.interval)?;
            let codes = self.codes();
            if codes.iter().all(|code| *code == Some(0)) {
                break known.unwrap_or_default();
            }
            if let Some(known) = known {
                self.tell(&known, &mut told);
                if !known.iter().all(Known::is_over) {
                    over_since = None;
                } else if over_since.get_or_insert_with(Instant::now).elapsed() > LATE_FILES
                    || codes.iter().all(Option::is_some)
                    || !known.iter().any(Known::ended_by_itself) && !known.is_empty()
                {
                    break known;
                }
            }
            thread::sleep(LOOK);
        };
        for log in &mut logs {
            log.follow(self.attempt, self.secrets, true);
        }
        self.tell_account();
        self.conclude(&known, logs)
    }

    fn count(&self) -> usize {
        self.elements.unwrap_or(1)
    }

    fn codes(&self) -> Vec<Option<i32>> {
        (0..self.count())
            .map(|index| self.record.code(index))
            .collect()
    }

    /// Two files for each element, its errors first.
    fn logs(&self) -> Vec<Log> {
        let mut logs = Vec::new();
        for index in 0..self.count() {
            let prefix = match self.elements {
                Some(_) => format!("[{index}] "),
                None => String::new(),
            };
            let errors = self.record.errors(index);
            logs.push(Log::new(errors, Stream::Stderr, prefix.clone()));
            if self.shows_output {
                logs.push(Log::new(self.record.output(index), Stream::Stdout, prefix));
            }
        }
        logs
    }

    /// Says how the job stands, when that has changed.
    fn tell(&self, known: &[Known], told: &mut String) {
        let mut states: Vec<(String, usize)> = Vec::new();
        for one in known {
            let state = match one.state.as_str() {
                "PENDING" => format!("pending ({})", one.reason),
                state => state.to_lowercase(),
            };
            match states.iter_mut().find(|(named, _)| *named == state) {
                Some((_, count)) => *count += 1,
                None => states.push((state, 1)),
            }
        }
        let states = states
            .into_iter()
            .map(|(state, count)| match self.elements {
                Some(_) => format!("{count} {state}"),
                None => state,
            });
        let states: Vec<String> = states.collect();
        let text = format!("Slurm job {}: {}", self.job, states.join(", "));
        if states.is_empty() || text == *told {
            return;
        }
        self.attempt.set_status_message(&text);
        if self.elements.is_some() {
            let done = self.codes().iter().filter(|code| code.is_some()).count();
            let percentage = done as f64 * 100.0 / self.count() as f64;
            self.attempt.set_progress_percentage(percentage);
        }
        *told = text;
    }

    /// Says what the job took, where somebody keeps accounts.
    fn tell_account(&self) {
        let begun = Instant::now();
        let account = loop {
            match commands::account(&self.job) {
                None => break "no accounting".to_owned(),
                // Memory is known when the node has told of it.
                Some(account) if !account.ends_with("unknown") => break account,
                Some(account) if begun.elapsed() > ACCOUNTS => break account,
                Some(_) => thread::sleep(LOOK),
            }
        };
        let text = format!("Slurm job {}: ended; {account}", self.job);
        tracing::info!(target: "luigi-interface", "{text}");
        self.attempt.set_status_message(&text);
    }

    fn cancel(&self, followed: &Followed) -> Result<(), SlurmError> {
        let begun = Instant::now();
        let mut heard = false;
        while begun.elapsed() < CANCELLED {
            heard = heard || commands::cancel(&self.job)?;
            let known = followed.look(LOOK)?;
            if heard && known.is_some_and(|known| known.iter().all(Known::is_over)) {
                break;
            }
            thread::sleep(LOOK);
        }
        self.record.close();
        Err(SlurmError::Stopped {
            job: self.job.clone(),
        })
    }

    fn conclude(&self, known: &[Known], logs: Vec<Log>) -> Result<(), SlurmError> {
        let state = |index: usize| {
            let of = known.iter().find(|known| match self.elements {
                Some(_) => known.index == Some(index),
                None => true,
            });
            of.map_or_else(|| NO_WORD.to_owned(), |known| known.state.clone())
        };
        let codes = self.codes().into_iter().enumerate();
        let failed = codes.filter(|(_, code)| *code != Some(0));
        let elements: Vec<SlurmElement> = failed
            .map(|(index, code)| SlurmElement {
                index: self.elements.map(|_| index),
                code,
                state: state(index),
            })
            .collect();
        let Some(first) = elements.first() else {
            return Ok(());
        };
        self.record.close();
        let wanted = self.record.errors(first.index.unwrap_or_default());
        let of_first = logs.into_iter().filter(|log| log.is_of(&wanted));
        Err(SlurmError::Failed {
            program: self.program.clone(),
            job: self.job.clone(),
            elements,
            last_lines: of_first.flat_map(Log::into_last_lines).collect(),
        })
    }
}
