//! How a job in Kubernetes fails its run.

/// A job did not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KubernetesError {
    /// There is no way to a cluster.
    #[error("no Kubernetes cluster can be used: {0}")]
    NoCluster(String),
    /// The cluster refuses something, or cannot be asked.
    #[error("Kubernetes cannot {action}: {reason}")]
    Refused {
        /// What was asked for.
        action: &'static str,
        /// What it says.
        reason: String,
    },
    /// The pod cannot begin, and will not.
    #[error("Kubernetes job {job} cannot begin: {reason}")]
    CannotBegin {
        /// Its name.
        job: String,
        /// Why.
        reason: String,
    },
    /// The job has ended, but not well. Secrets are hidden in it.
    #[error("Kubernetes job {job} {reason}{}", last(last_lines))]
    Failed {
        /// Its name.
        job: String,
        /// How it ended.
        reason: String,
        /// The last lines that it printed.
        last_lines: Vec<String>,
    },
    /// Somebody removed it.
    #[error("Kubernetes job {job} was deleted by somebody else")]
    Deleted {
        /// Its name.
        job: String,
    },
    /// The run was to stop, so the job was deleted.
    #[error("Kubernetes job {job} was deleted, since the run was to stop")]
    Stopped {
        /// Its name.
        job: String,
    },
}

impl KubernetesError {
    pub(super) fn refused(action: &'static str) -> impl FnOnce(kube::Error) -> Self {
        move |error| Self::Refused {
            action,
            reason: match error {
                kube::Error::Api(status) => status.message,
                other => with_causes(&other),
            },
        }
    }
}

fn last(lines: &[String]) -> String {
    let lines: String = lines.iter().map(|line| format!("\n    {line}")).collect();
    match lines.is_empty() {
        true => String::new(),
        false => format!("\n  the last lines that it printed:{lines}"),
    }
}

pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some errors say what caused them, too.
        if !text.contains(&cause_text) {
            text += &format!(": {cause_text}");
        }
        source = cause.source();
    }
    text
}
