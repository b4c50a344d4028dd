//! What can go wrong with a target: what was tried, with which, and why it failed.

use std::io;

/// Any error of the code that fills a target.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An action on a target that failed. The reason is its source.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The store refused.
    #[error("cannot {action} {target}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which target.
        target: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The place is taken.
    #[error("cannot {action} {target}, which exists already; remove it first")]
    Exists {
        /// What was tried.
        action: &'static str,
        /// Which one exists.
        target: String,
    },
    /// The content is not what the reader asked for.
    #[error("cannot read {target} as {expected}, its content is {content:?}")]
    Content {
        /// Which target.
        target: String,
        /// The type asked for.
        expected: &'static str,
        /// How the content begins.
        content: String,
        /// Why it is none.
        source: BoxError,
    },
    /// The code that was to fill the target failed. The target is as it was.
    #[error("cannot fill {target}")]
    Fill {
        /// Which target.
        target: String,
        /// The code's own error.
        source: BoxError,
    },
}

impl TargetError {
    /// For `map_err`: names what was tried and on what, once: a writer may have said the same before.
    pub(crate) fn io(
        action: &'static str,
        target: impl ToString,
    ) -> impl FnOnce(io::Error) -> Self {
        move |error| {
            let target = target.to_string();
            let source = match error.downcast::<Self>() {
                Ok(Self::Io {
                    action: same,
                    target: also,
                    source,
                }) if same == action && also == target => source,
                Ok(other) => other.into(),
                Err(source) => source,
            };
            Self::Io {
                action,
                target,
                source,
            }
        }
    }

    /// The same, when `AlreadyExists` means that the destination is taken.
    pub(crate) fn taken(
        action: &'static str,
        target: impl ToString,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists {
                action,
                target: target.to_string(),
            },
            _ => Self::io(action, target)(source),
        }
    }

    /// The kind of the reason, to tell a missing file from a broken one.
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Io { source, .. } => source.kind(),
            Self::Exists { .. } => io::ErrorKind::AlreadyExists,
            Self::Content { .. } => io::ErrorKind::InvalidData,
            Self::Fill { .. } => io::ErrorKind::Other,
        }
    }
}

/// For functions that speak of I/O only; nothing of the error is lost.
impl From<TargetError> for io::Error {
    fn from(error: TargetError) -> Self {
        Self::new(error.kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_tried_is_named_once_and_other_reasons_stay() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        let write = |error| TargetError::io("write", "memory://a")(error);
        let twice = write(write(broken()).into());
        assert_eq!(format!("{twice:?}"), format!("{:?}", write(broken())));
        let read = TargetError::io("read", "memory://b")(broken());
        let reason = std::error::Error::source(&write(read.into())).map(ToString::to_string);
        assert_eq!(reason.as_deref(), Some("cannot read memory://b"));
    }
}
