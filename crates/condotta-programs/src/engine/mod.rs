//! Where the runs of a program's tasks take place, as a configuration says it.
//!
//! A [`Plan`] is read from the section `[engine]` and those whose names begin with `engine:`. What it has for
//! a family starts a program for one task, and follows it to its end. What is said in between is not its
//! business: it knows nothing of tasks.

mod error;
mod plan;
mod settings;

use std::{ffi::OsString, path::PathBuf, time::Duration};

pub use error::{EngineError, PlanError};
pub use plan::{Entry, Plan, Section};
pub use settings::{Kind, Settings};

#[cfg(feature = "kubernetes")]
use crate::kubernetes::{KubernetesJob, KubernetesSettings};
use crate::{
    Attempt, Stream,
    slurm::{SlurmJob, SlurmSettings},
};

/// What is started for one task.
#[derive(Clone, Debug)]
pub struct Start {
    /// Where it is, unless the settings say that it is elsewhere.
    pub program: PathBuf,
    /// What it is given. Nothing in it may be secret.
    pub arguments: Vec<OsString>,
    /// The folder in which it works, unless the settings say another one.
    pub working_folder: PathBuf,
    /// A folder for what is to be remembered of the task.
    pub folder: PathBuf,
}

impl Settings {
    /// Starts a program, or goes on with what runs for the same call already, and follows it to its end.
    ///
    /// # Errors
    /// It could not be started, or did not end well.
    pub fn run(&self, start: &Start, attempt: &dyn Attempt) -> Result<(), EngineError> {
        match self.kind() {
            Kind::Slurm => self.run_on_slurm(start, &Whole(attempt)),
            #[cfg(feature = "kubernetes")]
            Kind::Kubernetes => self.run_on_kubernetes(start, &Whole(attempt)),
            // Whoever read the settings was told so.
            #[cfg(not(feature = "kubernetes"))]
            Kind::Kubernetes => unreachable!("the plan refuses it"),
        }
    }

    fn run_on_slurm(&self, start: &Start, attempt: &dyn Attempt) -> Result<(), EngineError> {
        let words = self.text("options").unwrap_or_default().split_whitespace();
        let mut options: Vec<String> = Vec::new();
        for (key, option) in [
            ("partition", "--partition"),
            ("time", "--time"),
            ("memory", "--mem"),
            ("cpus", "--cpus-per-task"),
        ] {
            options.extend(self.text(key).map(|value| format!("{option}={value}")));
        }
        options.extend(words.map(str::to_owned));
        let settings = SlurmSettings {
            folder: start.folder.clone(),
            interval: self.duration("interval").unwrap_or(Duration::from_secs(5)),
            options,
        };
        let program = self.program().unwrap_or(&start.program);
        let folder = self.working_folder().unwrap_or(&start.working_folder);
        let job = SlurmJob::new(program, attempt, settings)
            .args(&start.arguments)
            .current_dir(folder);
        Ok(job.run()?)
    }

    #[cfg(feature = "kubernetes")]
    fn run_on_kubernetes(&self, start: &Start, attempt: &dyn Attempt) -> Result<(), EngineError> {
        let text = |key: &str| self.text(key).map(str::to_owned);
        let volume_path = text("volume_path").map_or_else(|| self.folder().to_owned(), Into::into);
        let selector = self.text("node_selector").unwrap_or_default();
        let labels = selector
            .split_whitespace()
            .filter_map(|word| word.split_once('='));
        let settings = KubernetesSettings {
            kubeconfig: text("kubeconfig").map(Into::into),
            context: text("context"),
            namespace: text("namespace"),
            image: text("image").unwrap_or_default(),
            image_pull_policy: text("image_pull_policy"),
            cpus: text("cpus"),
            memory: text("memory"),
            service_account: text("service_account"),
            volume: text("volume_claim").map(|claim| (claim, volume_path)),
            node_selector: labels
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            patience: self.duration("patience"),
        };
        let program = self.program().unwrap_or(&start.program);
        let folder = self.working_folder().unwrap_or(&start.working_folder);
        let mut job = KubernetesJob::new(program, attempt, settings)
            .args(&start.arguments)
            .current_dir(folder);
        for name in self
            .text("environment")
            .unwrap_or_default()
            .split_whitespace()
        {
            if let Ok(value) = std::env::var(name) {
                job = job.env(name, &value);
            }
        }
        Ok(job.run()?)
    }
}

/// The run of a whole task. The task may have jobs of its own, under its own name.
struct Whole<'a>(&'a dyn Attempt);

impl Attempt for Whole<'_> {
    fn task_id(&self) -> &str {
        self.0.task_id()
    }

    fn job_id(&self) -> String {
        format!("run-{}", self.0.task_id())
    }

    fn printed(&self, stream: Stream, text: &[u8]) {
        self.0.printed(stream, text);
    }

    fn stop_requested(&self) -> bool {
        self.0.stop_requested()
    }

    fn set_tracking_url(&self, url: &str) {
        self.0.set_tracking_url(url);
    }

    fn set_status_message(&self, message: &str) {
        self.0.set_status_message(message);
    }

    fn set_progress_percentage(&self, percentage: f64) {
        self.0.set_progress_percentage(percentage);
    }

    fn secrets(&self) -> Vec<String> {
        self.0.secrets()
    }
}
