//! What others hold of the scheduler's thread.

use std::{
    fmt,
    sync::{Arc, OnceLock, mpsc::Sender},
};

use condotta_protocol::{LongRead, Object, RpcError, write_json};
use condotta_scheduler::{Now, Scheduler};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    message::{Act, Call, Message},
    reading::{Reader, Steps},
};

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
    /// Not until the disk takes something again, which may need somebody who mends it.
    #[error("the scheduler cannot answer now: {0}; try again when that is mended")]
    NotStored(Arc<str>),
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
        let (answer, answered) = oneshot::channel();
        self.send(Message::Call(Call {
            method: method.to_owned(),
            arguments,
            answer,
        }))?;
        answered.await.unwrap_or_else(|_| Err(CallError::dropped()))
    }

    /// Has a short look at the scheduler, on its thread: nothing that grows with the number of tasks.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Scheduler, Now) -> T + Send + 'static,
    ) -> Result<T, CallError> {
        let (answer, answered) = oneshot::channel();
        self.send(Message::Look(Box::new(move |scheduler, now| {
            let _ = answer.send(look(scheduler, now));
        })))?;
        answered.await.map_err(|_| CallError::dropped())
    }

    /// Has a long look, in steps between the requests of workers; `read` comes back when it has seen
    /// all that it wants to see.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub(crate) async fn read<R: Steps>(&self, read: R) -> Result<R, CallError> {
        let (answer, answered) = oneshot::channel();
        self.send(Message::Read(Box::new(Reader { read, answer })))?;
        answered.await.map_err(|_| CallError::dropped())
    }

    /// Has something done with the scheduler, which may be refused; what it changed is durable when
    /// this returns. `name` is for the log.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub(crate) async fn act(
        &self,
        name: &'static str,
        act: impl FnOnce(&mut Scheduler, Now) -> Result<Value, RpcError> + Send + 'static,
    ) -> Result<Value, CallError> {
        let (answer, answered) = oneshot::channel();
        let work = Box::new(act);
        self.send(Message::Act(Act { name, work, answer }))?;
        match answered.await {
            Ok(Ok(Reply::Value(value))) => Ok(value),
            Ok(Ok(Reply::Read(_))) | Err(_) => Err(CallError::dropped()),
            Ok(Err(error)) => Err(error),
        }
    }

    fn send(&self, message: Message) -> Result<(), CallError> {
        let Some(messages) = self.messages.get() else {
            return Err(CallError::Unavailable(
                "it is reading its stored state".into(),
            ));
        };
        messages.send(message).map_err(|_| CallError::stopping())
    }

    /// From now on, calls go here.
    pub(crate) fn open(&self, messages: Sender<Message>) {
        self.messages
            .set(messages)
            .expect("a handle is opened once, by the thread that it leads to");
    }
}
