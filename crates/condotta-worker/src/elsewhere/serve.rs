//! The other side: find out that one was started for a task, run it, write down how it went.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use super::{
    FLAG,
    folder::{Request, RunFolder},
};
use crate::{
    BoxError, TaskLoader,
    child::{
        run::{ChildHost, carry_out, hook},
        wire::{FromChild, ToChild},
    },
    messages::{MessageQueue, RawMessage},
};

/// How often it is looked for messages.
const LOOK: Duration = Duration::from_millis(500);

/// What this process is to do for a worker on another machine.
pub struct Sent {
    folder: RunFolder,
    request: Request,
}

/// What this process was started for, if an engine started it for a task.
///
/// A program whose tasks may run elsewhere calls this before it does anything else. It then behaves as
/// if it had been given [the arguments](Sent::arguments) that its worker has, until its configuration is
/// read, and calls [`run`](Sent::run).
///
/// # Errors
/// The request cannot be read.
pub fn sent() -> Result<Option<Sent>, BoxError> {
    hook();
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != FLAG) {
        return Ok(None);
    }
    let path = PathBuf::from(arguments.next().unwrap_or_default());
    let folder = RunFolder::of(&path).ok_or("the request is no file")?;
    let request = folder.request().map_err(|error| {
        format!(
            "cannot read {}: {error}; the folder of the engine has to be the worker's, at the same path",
            path.display()
        )
    })?;
    Ok(Some(Sent { folder, request }))
}

impl Sent {
    /// The arguments of the worker, of which the first is the program's name.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.request.arguments
    }

    /// Runs the task. The code says whether it ended well, for whoever looks at the engine.
    pub fn run(self, loader: &dyn TaskLoader) -> ExitCode {
        let words = self.folder.words();
        let begun = words.begin();
        let words = Mutex::new(words);
        let host = ChildHost::new(move |line: &[u8]| {
            let words = words.lock().expect("nobody panics with this lock");
            if let Err(error) = words.append(line) {
                tracing::error!(target: "luigi-interface", "the worker cannot be told of the run: {error}");
            }
        });
        let queue = Arc::new(MessageQueue::default());
        let result = begun.map_err(BoxError::from).and_then(|()| {
            self.hear(&queue)?;
            carry_out(loader, self.request.run, &host, &queue)
        });
        match result {
            Ok(result) => {
                host.say(&result);
                ExitCode::from(u8::from(is_failure(&result)))
            }
            Err(error) => {
                tracing::error!(target: "luigi-interface", "the run cannot begin: {error}");
                ExitCode::FAILURE
            }
        }
    }

    /// Takes messages as long as this process lives.
    fn hear(&self, queue: &Arc<MessageQueue>) -> std::io::Result<()> {
        let (queue, mut messages) = (Arc::clone(queue), self.folder.messages());
        let hear = move || {
            loop {
                for line in messages.next() {
                    if let Ok(ToChild::Message { id, content }) = serde_json::from_slice(&line) {
                        queue.send(RawMessage { id, content });
                    }
                }
                thread::sleep(LOOK);
            }
        };
        let thread = thread::Builder::new().name("messages".to_owned());
        thread.spawn(hear).map(drop)
    }
}

fn is_failure(word: &FromChild) -> bool {
    matches!(word, FromChild::Result { status, .. } if status == "FAILED")
}
