//! What a program needs of the run that it is called in.

use std::sync::{Mutex, PoisonError};

/// Which of a program's two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// What it makes.
    Stdout,
    /// What it says about that.
    Stderr,
}

/// The run that calls a program.
pub trait Attempt {
    /// The id of the task that runs.
    fn task_id(&self) -> &str;

    /// The name by which a job of the run is found again.
    fn job_id(&self) -> String {
        self.task_id().to_owned()
    }

    /// Takes what the program printed, in whole lines.
    fn printed(&self, stream: Stream, text: &[u8]);

    /// Whether the run is to stop now. It is asked about ten times a second.
    fn stop_requested(&self) -> bool;

    /// Says where the run can be watched.
    fn set_tracking_url(&self, url: &str);

    /// Says what the run does.
    fn set_status_message(&self, message: &str);

    /// Says how far the run is, in percent.
    fn set_progress_percentage(&self, percentage: f64);

    /// Texts that nobody may see: private parameters.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    /// The run has processes in this process group from now on. Whoever ends the run from outside ends
    /// them, too.
    fn group_started(&self, _group: u32) {}

    /// Whether the run has a process of its own, which gets SIGTERM when the run is to end.
    fn is_ended_by_signal(&self) -> bool {
        false
    }

    /// The process group is empty again.
    fn group_ended(&self, _group: u32) {}
}

/// A run that nobody follows: it keeps what is said to it. For tests, and for programs without tasks.
#[derive(Debug, Default)]
pub struct Detached {
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    tracking_url: Option<String>,
    status_message: Option<String>,
    progress_percentage: Option<f64>,
    stop: bool,
}

impl Detached {
    /// What the program printed to its standard output, if that went nowhere else.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.with(|said| String::from_utf8_lossy(&said.stdout).into_owned())
    }

    /// What the program printed to its standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.with(|said| String::from_utf8_lossy(&said.stderr).into_owned())
    }

    /// The tracking URL that was set last.
    #[must_use]
    pub fn tracking_url(&self) -> Option<String> {
        self.with(|said| said.tracking_url.clone())
    }

    /// The status message that was set last.
    #[must_use]
    pub fn status_message(&self) -> Option<String> {
        self.with(|said| said.status_message.clone())
    }

    /// The progress that was set last, in percent.
    #[must_use]
    pub fn progress_percentage(&self) -> Option<f64> {
        self.with(|said| said.progress_percentage)
    }

    /// Asks the run to stop.
    pub fn stop(&self) {
        self.with(|said| said.stop = true);
    }

    fn with<T>(&self, look: impl FnOnce(&mut Said) -> T) -> T {
        look(&mut self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Attempt for Detached {
    fn task_id(&self) -> &str {
        "detached"
    }

    fn printed(&self, stream: Stream, text: &[u8]) {
        self.with(|said| match stream {
            Stream::Stdout => said.stdout.extend_from_slice(text),
            Stream::Stderr => said.stderr.extend_from_slice(text),
        });
    }

    fn stop_requested(&self) -> bool {
        self.with(|said| said.stop)
    }

    fn set_tracking_url(&self, url: &str) {
        self.with(|said| said.tracking_url = Some(url.to_owned()));
    }

    fn set_status_message(&self, message: &str) {
        self.with(|said| said.status_message = Some(message.to_owned()));
    }

    fn set_progress_percentage(&self, percentage: f64) {
        self.with(|said| said.progress_percentage = Some(percentage));
    }
}
