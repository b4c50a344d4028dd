//! What others hold of the driver.

use std::sync::{Arc, OnceLock};

use condotta_protocol::{Object, RpcError};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

/// What a call answers.
#[derive(Debug)]
pub enum Reply {
    /// A value, to be written in Luigi's JSON.
    Value(Value),
    /// JSON that is already written, in Luigi's dialect.
    Text(Vec<u8>),
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The request makes no sense. Nothing has changed.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// Not now; the same request may succeed in a moment.
    #[error("the scheduler cannot answer now: {0}; try again in a moment")]
    Unavailable(&'static str),
    /// The scheduler failed over this request. It was not stored, and the state is as before.
    #[error("the scheduler failed over this request, which was not stored: {0}")]
    Failed(String),
}

/// One request on its way.
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) arguments: Object,
    pub(crate) answer: oneshot::Sender<Result<Reply, CallError>>,
}

/// A way to put requests to the scheduler, also while it is not there yet. Cheap to clone.
#[derive(Clone, Default)]
pub struct Handle {
    calls: Arc<OnceLock<mpsc::UnboundedSender<Call>>>,
}

impl Handle {
    /// A handle whose calls a test answers itself.
    #[cfg(test)]
    pub(crate) fn for_tests(calls: mpsc::UnboundedSender<Call>) -> Self {
        Self {
            calls: Arc::new(OnceLock::from(calls)),
        }
    }

    /// Puts a request and waits for its answer; what the request changed is durable then.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub async fn call(&self, method: &str, arguments: Object) -> Result<Reply, CallError> {
        let calls = self
            .calls
            .get()
            .ok_or(CallError::Unavailable("it is reading its stored state"))?;
        let (answer, answered) = oneshot::channel();
        let call = Call {
            method: method.to_owned(),
            arguments,
            answer,
        };
        let stopping = CallError::Unavailable("it is stopping");
        if calls.send(call).is_err() {
            return Err(stopping);
        }
        answered.await.unwrap_or(Err(stopping))
    }
}
