//! What others hold of the scheduler's thread.

use std::{
    fmt,
    sync::{Arc, OnceLock, mpsc::Sender},
};

use condotta_protocol::{LongRead, Object, RpcError, write_json};
use serde_json::Value;
use tokio::sync::oneshot;

use super::message::{Call, Message};

/// What a call answers.
pub enum Reply {
    /// A value, to be written in Luigi's JSON.
    Value(Value),
    /// What was read, still to be put into words: that may take long, so not on a thread that others
    /// wait for.
    Read(Box<dyn LongRead>),
}

impl Reply {
    /// As JSON in Luigi's dialect, at the end of `out`.
    pub fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Value(value) => write_json(out, &value),
            Self::Read(read) => read.write(out),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => f.debug_tuple("Value").field(value).finish(),
            Self::Read(_) => f.write_str("Read"),
        }
    }
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The request makes no sense. Nothing has changed.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// Not now; the same request may succeed in a moment.
    #[error("the scheduler cannot answer now: {0}; try again in a moment")]
    Unavailable(Arc<str>),
    /// The scheduler failed over this request. It was not stored, and the state is as before.
    #[error("the scheduler failed over this request, which was not stored: {0}")]
    Failed(String),
}

impl CallError {
    pub(crate) fn stopping() -> Self {
        Self::Unavailable("it is stopping".into())
    }

    /// Nobody answered. What was asked is not stored, or nobody can say so.
    fn dropped() -> Self {
        Self::Unavailable("it stopped, or had to read its state anew".into())
    }
}

/// A way to put requests to the scheduler, also while it is not there yet. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Handle {
    messages: Arc<OnceLock<Sender<Message>>>,
}

impl Handle {
    /// A handle whose calls a test answers itself.
    #[cfg(test)]
    pub(crate) fn for_tests(messages: Sender<Message>) -> Self {
        Self {
            messages: Arc::new(OnceLock::from(messages)),
        }
    }

    /// Puts a request and waits for its answer; what the request changed is durable then.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub async fn call(&self, method: &str, arguments: Object) -> Result<Reply, CallError> {
        let Some(messages) = self.messages.get() else {
            return Err(CallError::Unavailable(
                "it is reading its stored state".into(),
            ));
        };
        let (answer, answered) = oneshot::channel();
        let call = Call {
            method: method.to_owned(),
            arguments,
            answer,
        };
        if messages.send(Message::Call(call)).is_err() {
            return Err(CallError::stopping());
        }
        answered.await.unwrap_or_else(|_| Err(CallError::dropped()))
    }

    /// From now on, calls go here.
    pub(crate) fn open(&self, messages: Sender<Message>) {
        self.messages
            .set(messages)
            .expect("a handle is opened once, by the thread that it leads to");
    }
}
