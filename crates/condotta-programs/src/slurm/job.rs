//! A job for Slurm, described step by step.

use std::{ffi::OsString, fmt, fs, path::PathBuf, process::Command, time::Duration};

use condotta_targets::{LocalTarget, ReadWrite, TargetError, Writer};

use super::{SlurmError, commands, follow::Follow, record::Record, script::Script};
use crate::{Argument, Attempt, secrets::Secrets};

/// What all jobs of a program have in common: section `[slurm]` of the configuration.
#[derive(Clone, Debug)]
pub struct SlurmSettings {
    /// The folder with what is known of jobs. All nodes have to see it at the same path.
    pub folder: PathBuf,
    /// How often Slurm is asked how the jobs of this process stand, in one question.
    pub interval: Duration,
    /// Options of `sbatch` for all jobs, such as `--partition=long`.
    pub options: Vec<String>,
}

impl Default for SlurmSettings {
    fn default() -> Self {
        Self {
            folder: "slurm-jobs".into(),
            interval: Duration::from_secs(5),
            options: Vec::new(),
        }
    }
}

/// A program as a job of Slurm, or as many as an array has. Nothing happens before [`run`](Self::run).
///
/// The program runs on a node of the cluster, in the folder of this process, which has to be shared, as the
/// paths of its input. What it prints is the run's output, as it comes.
///
/// A worker that is killed leaves the job alone; the next run of the task finds it again, by the task's
/// id, and goes on with it. A run that is cancelled or stopped, or whose time is over, cancels the job.
#[must_use = "nothing happens before `run`"]
pub struct SlurmJob<'a> {
    attempt: &'a dyn Attempt,
    settings: SlurmSettings,
    program: OsString,
    arguments: Vec<OsString>,
    elements: Vec<Vec<OsString>>,
    at_once: Option<usize>,
    environment: Vec<(String, OsString)>,
    folder: Option<PathBuf>,
    options: Vec<OsString>,
    input: Option<PathBuf>,
    output: Option<Result<Writer, TargetError>>,
    secrets: Secrets,
}

impl<'a> SlurmJob<'a> {
    /// A program in a run.
    pub fn new(program: impl Argument, attempt: &'a dyn Attempt, settings: SlurmSettings) -> Self {
        Self {
            attempt,
            settings,
            program: program.to_argument(),
            arguments: Vec::new(),
            elements: Vec::new(),
            at_once: None,
            environment: Vec::new(),
            folder: None,
            options: Vec::new(),
            input: None,
            output: None,
            secrets: Secrets::of(attempt),
        }
    }

    /// Adds an argument. It is in the job's script, which Slurm keeps: hand passwords over by
    /// [`env`](Self::env).
    pub fn arg(mut self, argument: impl Argument) -> Self {
        self.arguments.push(argument.to_argument());
        self
    }

    /// Adds several arguments.
    pub fn args<A: Argument>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter();
        self.arguments
            .extend(arguments.map(|argument| argument.to_argument()));
        self
    }

    /// Adds an element to an array: the program once more, with these arguments after the common ones.
    /// One submission for many small calls.
    pub fn element<A: Argument>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter();
        let element = arguments.map(|argument| argument.to_argument());
        self.elements.push(element.collect());
        self
    }

    /// How many elements of the array may run at a time.
    pub fn at_once(mut self, most: usize) -> Self {
        self.at_once = Some(most);
        self
    }

    /// Sets an environment variable of the job, beside those of this process.
    pub fn env(mut self, name: &str, value: impl Argument) -> Self {
        self.environment
            .push((name.to_owned(), value.to_argument()));
        self
    }

    /// The folder in which the program works; by default that of this process.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Hands the program a file to read, as it is stored. The nodes have to see it.
    pub fn stdin(mut self, target: &LocalTarget) -> Self {
        self.input = Some(target.path().to_owned());
        self
    }

    /// Writes what the program prints to its standard output into a target when it has ended well, all or
    /// nothing; of an array, one element after the other.
    pub fn stdout(mut self, target: &impl ReadWrite) -> Self {
        self.output = Some(target.writer());
        self
    }

    /// The partition.
    pub fn partition(self, name: &str) -> Self {
        self.option(format!("--partition={name}"))
    }

    /// The longest time that Slurm lets the job take.
    pub fn time(self, limit: Duration) -> Self {
        self.option(format!("--time={}", commands::time_limit(limit)))
    }

    /// The memory of a node that the job may take, such as `2G`.
    pub fn memory(self, memory: &str) -> Self {
        self.option(format!("--mem={memory}"))
    }

    /// The number of CPUs that it gets.
    pub fn cpus(self, cpus: u32) -> Self {
        self.option(format!("--cpus-per-task={cpus}"))
    }

    /// Any option of `sbatch`, as in `--gres=gpu:1`.
    pub fn option(mut self, option: impl Argument) -> Self {
        self.options.push(option.to_argument());
        self
    }

    /// Hides a text in what is shown. Private parameters are hidden without that.
    pub fn secret(mut self, secret: impl AsRef<str>) -> Self {
        self.secrets.add(secret.as_ref());
        self
    }

    /// Submits the job, or goes on with the one that an earlier run of the task submitted, and waits for
    /// its end.
    ///
    /// # Errors
    /// Slurm is not there or does not take the job; it failed, or was cancelled; or its output cannot be
    /// stored.
    pub fn run(mut self) -> Result<(), SlurmError> {
        let record = Record::open(&self.settings.folder, &self.attempt.job_id())?;
        let script = self.script(&record).bytes();
        let job = match self.found(&record, &script)? {
            Some(job) => {
                tracing::info!(target: "luigi-interface", "Going on with Slurm job {job}");
                job
            }
            None => self.submit(&record, &script)?,
        };
        self.attempt.set_status_message(&format!("Slurm job {job}"));
        let output = self.output.take();
        let program = self.secrets.hide(&self.program.to_string_lossy());
        Follow {
            attempt: self.attempt,
            secrets: &self.secrets,
            program,
            record: &record,
            job: job.clone(),
            elements: Some(self.elements.len()).filter(|&count| count > 0),
            shows_output: output.is_none(),
            interval: self.settings.interval,
        }
        .run()?;
        if let Some(writer) = output {
            let stored = writer.and_then(|writer| self.store(&record, writer));
            stored.map_err(|source| SlurmError::Output { job, source })?;
        }
        record.forget();
        Ok(())
    }

    fn script<'s>(&'s self, record: &'s Record) -> Script<'s> {
        Script {
            program: &self.program,
            arguments: &self.arguments,
            elements: &self.elements,
            input: self.input.as_deref(),
            folder: record.folder(),
        }
    }

    /// The job that does the same. One that does something else is cancelled.
    fn found(&self, record: &Record, script: &[u8]) -> Result<Option<String>, SlurmError> {
        if let Some(job) = record.job(script) {
            return Ok(Some(job));
        }
        // Slurm may have taken a job whose number nobody could write down any more.
        let unnoted = || commands::find(&self.name(), &record.script());
        match record.any_job().map_or_else(unnoted, |job| Ok(Some(job)))? {
            Some(job) if record.has(script) => {
                record.submitted(&job)?;
                Ok(Some(job))
            }
            Some(job) => {
                tracing::info!(
                    target: "luigi-interface",
                    "Cancelling Slurm job {job}, which ran the task with another command",
                );
                commands::cancel(&job)?;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// By which Slurm knows the job, also when its number was not written down.
    fn name(&self) -> String {
        format!("condotta-{}", self.attempt.job_id())
    }

    fn submit(&self, record: &Record, script: &[u8]) -> Result<String, SlurmError> {
        record.begin(script)?;
        let mut sbatch = Command::new("sbatch");
        sbatch
            .args(["--parsable", "--job-name", &self.name()])
            .args(&self.settings.options)
            .args(&self.options);
        let index = match self.elements.len() {
            0 => "0",
            count => {
                let most = self.at_once.map(|most| format!("%{most}"));
                sbatch.arg(format!(
                    "--array=0-{}{}",
                    count - 1,
                    most.unwrap_or_default()
                ));
                "%a"
            }
        };
        for (option, name) in [("--output", "out"), ("--error", "err")] {
            let file = format!("{name}.{index}");
            sbatch.arg(option).arg(record.folder().join(file));
        }
        if let Some(folder) = &self.folder {
            sbatch.arg("--chdir").arg(folder);
        }
        sbatch.arg(record.script());
        for (name, value) in &self.environment {
            sbatch.env(name, value);
        }
        let program = self.secrets.hide(&self.program.to_string_lossy());
        let job = commands::submit(sbatch, &program)?;
        record.submitted(&job)?;
        tracing::info!(target: "luigi-interface", "Submitted {program} as Slurm job {job}");
        Ok(job)
    }

    fn store(&self, record: &Record, mut writer: Writer) -> Result<(), TargetError> {
        for index in 0..self.elements.len().max(1) {
            let path = record.output(index);
            let copy =
                fs::File::open(&path).and_then(|mut file| std::io::copy(&mut file, &mut writer));
            copy.map_err(|source| TargetError::Io {
                action: "read",
                target: path.display().to_string(),
                source,
            })?;
        }
        writer.commit()
    }
}

impl fmt::Debug for SlurmJob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.secrets.hide(&self.program.to_string_lossy());
        f.debug_tuple("SlurmJob").field(&program).finish()
    }
}
