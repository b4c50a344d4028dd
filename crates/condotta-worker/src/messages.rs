//! Messages that a person sends to a running task, and the task's answers.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::Duration,
};

use crate::task::Reporter;

/// A message to a running task.
pub struct TaskMessage<'a> {
    pub(crate) raw: RawMessage,
    pub(crate) reporter: &'a dyn Reporter,
}

impl TaskMessage<'_> {
    /// The text.
    #[must_use]
    pub fn content(&self) -> &str {
        &self.raw.content
    }

    /// Sends an answer to whoever sent the message.
    pub fn respond(&self, response: &str) {
        self.reporter.respond(&self.raw.id, response);
    }
}

impl fmt::Display for TaskMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.content())
    }
}

impl fmt::Debug for TaskMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskMessage")
            .field(&self.raw.content)
            .finish()
    }
}

impl PartialEq<str> for TaskMessage<'_> {
    fn eq(&self, content: &str) -> bool {
        self.content() == content
    }
}

/// The messages of a running task. Empty for ever when the task
/// [accepts none](crate::Runnable::accepts_messages).
#[derive(Clone, Copy)]
pub struct Messages<'a> {
    pub(crate) queue: Option<&'a MessageQueue>,
    pub(crate) reporter: &'a dyn Reporter,
}

impl<'a> Messages<'a> {
    /// The next message, if one is there.
    #[must_use]
    pub fn try_recv(&self) -> Option<TaskMessage<'a>> {
        self.recv_timeout(Duration::ZERO)
    }

    /// Waits for the next message, at most `patience`.
    #[must_use]
    pub fn recv_timeout(&self, patience: Duration) -> Option<TaskMessage<'a>> {
        let raw = self.queue?.recv_timeout(patience)?;
        Some(TaskMessage {
            raw,
            reporter: self.reporter,
        })
    }
}

/// A message as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawMessage {
    pub(crate) id: String,
    pub(crate) content: String,
}

/// The messages that a run has not read.
#[derive(Debug, Default)]
pub(crate) struct MessageQueue {
    waiting: Mutex<VecDeque<RawMessage>>,
    arrived: Condvar,
}

impl MessageQueue {
    pub(crate) fn send(&self, message: RawMessage) {
        self.lock().push_back(message);
        self.arrived.notify_one();
    }

    fn recv_timeout(&self, patience: Duration) -> Option<RawMessage> {
        let (mut waiting, _) = self
            .arrived
            .wait_timeout_while(self.lock(), patience, |waiting| waiting.is_empty())
            .expect("nobody panics with this lock");
        waiting.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<RawMessage>> {
        self.waiting.lock().expect("nobody panics with this lock")
    }
}

/// Where a message to a run is delivered.
pub(crate) type Deliver = Arc<dyn Fn(RawMessage) + Send + Sync>;

/// The running tasks that read messages, by task id.
#[derive(Default)]
pub(crate) struct MessageRoutes {
    routes: Mutex<HashMap<String, Deliver>>,
}

impl MessageRoutes {
    pub(crate) fn open(&self, task_id: &str, deliver: Deliver) {
        self.lock().insert(task_id.to_owned(), deliver);
    }

    pub(crate) fn close(&self, task_id: &str) {
        self.lock().remove(task_id);
    }

    /// Delivers to a running task; a message to any other one is lost, as in Luigi.
    pub(crate) fn dispatch(&self, task_id: &str, message: RawMessage) {
        let deliver = self.lock().get(task_id).cloned();
        if let Some(deliver) = deliver {
            deliver(message);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Deliver>> {
        self.routes.lock().expect("nobody panics with this lock")
    }
}
