//! What Slurm knows of the jobs of this process, in one question for all of them.
//!
//! A cluster's controller serves many, so whoever wants to know of a job asks here: the first to ask
//! after a while asks for everybody.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    SlurmError,
    commands::{self, Known},
};

/// The jobs that are followed in this process.
static QUEUE: LazyLock<Mutex<Queue>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Queue {
    /// None until it was asked for.
    jobs: BTreeMap<String, Option<Vec<Known>>>,
    asked: Option<Instant>,
    /// It did not answer the last time.
    silent: bool,
    questions: u64,
}

/// How often this process has asked Slurm how its jobs stand.
pub fn questions() -> u64 {
    queue().questions
}

/// A job that is followed as long as this lives.
pub(super) struct Followed {
    job: String,
}

impl Followed {
    pub(super) fn new(job: &str) -> Self {
        queue().jobs.insert(job.to_owned(), None);
        Self {
            job: job.to_owned(),
        }
    }

    /// What is known of the job, from a question that is not older than `interval`. `None` if there was
    /// none since the job is followed, or Slurm does not answer now.
    pub(super) fn look(&self, interval: Duration) -> Result<Option<Vec<Known>>, SlurmError> {
        let mut queue = queue();
        if queue.asked.is_none_or(|asked| asked.elapsed() >= interval) {
            queue.ask()?;
        }
        let known = queue.jobs.get(&self.job).filter(|_| !queue.silent);
        Ok(known.and_then(Clone::clone))
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        queue().jobs.remove(&self.job);
    }
}

impl Queue {
    fn ask(&mut self) -> Result<(), SlurmError> {
        let jobs: Vec<String> = self.jobs.keys().cloned().collect();
        self.questions += 1;
        let answer = commands::squeue(&jobs)?;
        tracing::debug!(
            target: "luigi-interface",
            "Question {} to Slurm, for {} jobs",
            self.questions,
            jobs.len(),
        );
        self.asked = Some(Instant::now());
        self.silent = answer.is_none();
        let Some(answer) = answer else {
            return Ok(());
        };
        for (job, known) in &mut self.jobs {
            let of_job = answer.iter().filter(|known| known.job == *job);
            *known = Some(of_job.cloned().collect());
        }
        Ok(())
    }
}

fn queue() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}
