//! How a job in Slurm fails its run.

use std::{fmt, io, path::PathBuf};

use condotta_targets::TargetError;

/// A job did not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlurmError {
    /// A command of Slurm could not be started.
    #[error("cannot start {command}: are Slurm's client programs installed here?")]
    NoSlurm {
        /// Its name.
        command: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The job was not taken.
    #[error("Slurm does not take {program}: {reason}")]
    NotTaken {
        /// The program.
        program: String,
        /// What `sbatch` says.
        reason: String,
    },
    /// The folder with what is known of the job cannot be used.
    #[error("cannot use {}, which has what is known of the job", path.display())]
    Folder {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The job has ended, but not well. Secrets are hidden in it.
    #[error("{}", failed(program, job, elements, last_lines))]
    Failed {
        /// The program.
        program: String,
        /// The job's number.
        job: String,
        /// What did not end well: one for a job, and for an array as many as there are.
        elements: Vec<SlurmElement>,
        /// The last lines of the first one's standard error, or, if there are none, of its output.
        last_lines: Vec<String>,
    },
    /// The run was to stop, so the job was cancelled.
    #[error("Slurm job {job} was cancelled, since the run was to stop")]
    Stopped {
        /// The job's number.
        job: String,
    },
    /// What it made could not be stored.
    #[error("the output of Slurm job {job} cannot be stored")]
    Output {
        /// The job's number.
        job: String,
        /// Why not.
        source: TargetError,
    },
}

/// The state of what Slurm knows nothing of any more.
pub(super) const NO_WORD: &str = "no word of its end";

/// A job, or one element of an array, that did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlurmElement {
    /// Its place in the array.
    pub index: Option<usize>,
    /// The program's exit code, if it came to one.
    pub code: Option<i32>,
    /// What Slurm says of its end, such as `TIMEOUT` or `OUT_OF_MEMORY`.
    pub state: String,
}

impl fmt::Display for SlurmElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.index {
            write!(f, "element {index} ")?;
        }
        match self.code {
            // Whom Slurm ends, of time or memory, may still say a code.
            Some(code) if ["FAILED", "COMPLETED", NO_WORD].contains(&self.state.as_str()) => {
                write!(f, "failed with exit code {code}")
            }
            _ => write!(f, "ended with {}", self.state),
        }
    }
}

fn failed(program: &str, job: &str, elements: &[SlurmElement], last_lines: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = elements.iter().take(SHOWN).map(SlurmElement::to_string);
    let mut text = format!("{program} in Slurm job {job}: ");
    text += &shown.collect::<Vec<_>>().join(", ");
    if elements.len() > SHOWN {
        text += &format!(" and {} more", elements.len() - SHOWN);
    }
    if !last_lines.is_empty() {
        text += "\n  the last lines that it printed:";
        for line in last_lines {
            text += &format!("\n    {line}");
        }
    }
    text
}
