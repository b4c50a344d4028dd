//! The worker's side: write the request, pass the run's words on, and end it when its time is over.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use condotta_protocol::LogSource;
use condotta_scheduler::{Resources, Status, Visibility};

use super::{
    Call, Engine, FLAG,
    folder::{Lines, Request, RunFolder, TaskFolder},
};
use crate::{
    BoxError, Runnable, TaskHandle,
    child::{
        run::is_hooked,
        supervise::{not_started, pass_on},
        wire::{FromChild, ToChild, line},
    },
    execute::Host as _,
    host::WorkerHost,
    messages::RawMessage,
    panic::guard,
    running::{End, Outcome},
    shared::Shared,
    task::{Reporter, RunContext, error_chain},
};

/// A result may come from another machine so long after the end of what wrote it.
const LATE_WORDS: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);

/// A task cannot be sent elsewhere.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(
        "a task can run elsewhere only in a program that begins with condotta::run or App::main"
    )]
    NotHooked,
    #[error("cannot use {}, the folder that is shared with the other machine", folder.display())]
    Folder {
        folder: std::path::PathBuf,
        source: std::io::Error,
    },
}

/// Runs the task on the engine, for at most `timeout_secs` from its start there (0 is without limit).
pub(crate) fn supervise(
    shared: &Arc<Shared>,
    task: &TaskHandle,
    host: &WorkerHost<'_>,
    engine: &dyn Engine,
    timeout_secs: f64,
) -> Outcome {
    let (folder, run) = match prepare(shared, task, engine) {
        Ok(prepared) => prepared,
        Err(error) => return not_started(error.into(), task, host),
    };
    let call = Call {
        task_id: task.task_id(),
        family: task.family(),
        arguments: [FLAG.to_owned(), run.request_path().display().to_string()],
        folder: folder.path().to_owned(),
        secrets: secrets(&**task),
    };
    let listener = Listener {
        shared,
        task,
        host,
        timeout: Duration::try_from_secs_f64(timeout_secs).unwrap_or_default(),
        heard: Mutex::new(Heard {
            words: run.words(),
            deadline: None,
            result: None,
            late: false,
            says_how_it_goes: false,
        }),
    };
    let context = RunContext {
        reporter: &listener,
        messages: None,
    };
    let ended = guard(|| engine.run(&call, &context));
    let ended = ended.unwrap_or_else(|panic| Err(panic.into()));
    let outcome = listener.settle(ended, timeout_secs);
    run.forget();
    if outcome.status != Status::Failed {
        folder.forget();
    }
    outcome
}

fn prepare(
    shared: &Arc<Shared>,
    task: &TaskHandle,
    engine: &dyn Engine,
) -> Result<(TaskFolder, RunFolder), SendError> {
    if !is_hooked() {
        return Err(SendError::NotHooked);
    }
    let arguments = shared.engines.as_ref().map(|engines| engines.arguments());
    let request = Request {
        arguments: arguments.unwrap_or_default().to_vec(),
        run: ToChild::run(&**task, shared),
    };
    let make = || {
        let folder = TaskFolder::open(engine.folder(), task.task_id())?;
        let run = folder.run(&request)?;
        Ok((folder, run))
    };
    let (folder, run) = make().map_err(|source| SendError::Folder {
        folder: engine.folder().to_owned(),
        source,
    })?;
    if task.accepts_messages() {
        let messages = run.messages();
        let deliver = Arc::new(move |message: RawMessage| {
            let line = line(&ToChild::Message {
                id: message.id,
                content: message.content,
            });
            // The run may be over.
            let _ = messages.append(&line);
        });
        shared.routes.open(task.task_id(), deliver);
    }
    Ok((folder, run))
}

fn secrets(task: &dyn Runnable) -> Vec<String> {
    let params = task.params().into_iter();
    let private = params.filter(|param| param.visibility == Visibility::Private);
    private.map(|param| param.value).collect()
}

/// What an engine's run says, as this process's own run would.
struct Listener<'a> {
    shared: &'a Shared,
    task: &'a TaskHandle,
    host: &'a WorkerHost<'a>,
    /// From the start of the task on; zero is without limit.
    timeout: Duration,
    heard: Mutex<Heard>,
}

struct Heard {
    words: Lines,
    deadline: Option<Instant>,
    result: Option<Outcome>,
    /// The time was over, and the run was to stop for that.
    late: bool,
    /// The run has a status message of its own.
    says_how_it_goes: bool,
}

impl Listener<'_> {
    /// Passes on what the run has said since it was looked last.
    fn hear(&self) -> MutexGuard<'_, Heard> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        for line in heard.words.next() {
            match serde_json::from_slice(&line) {
                // Process groups of another machine are that machine's business.
                Ok(FromChild::GroupStarted { .. } | FromChild::GroupEnded { .. }) | Err(_) => {}
                Ok(word) => {
                    if word == FromChild::Start && !self.timeout.is_zero() {
                        heard.deadline = Instant::now().checked_add(self.timeout);
                    }
                    heard.says_how_it_goes |= matches!(word, FromChild::StatusMessage { .. });
                    if let Some(outcome) = pass_on(word, self.task, self.host) {
                        heard.result = Some(outcome);
                    }
                }
            }
        }
        heard
    }

    fn settle(self, ended: Result<(), BoxError>, timeout_secs: f64) -> Outcome {
        let task_id = self.task.task_id();
        let by_now = Instant::now() + LATE_WORDS;
        let mut heard = self.hear();
        while ended.is_ok() && heard.result.is_none() && Instant::now() < by_now {
            drop(heard);
            thread::sleep(LOOK);
            heard = self.hear();
        }
        if let Some(outcome) = heard.result.take() {
            if outcome.status == Status::Done {
                self.host.remember_complete(task_id);
            }
            return outcome;
        }
        let text = match ended {
            _ if heard.late => return Outcome::timed_out(task_id, timeout_secs),
            _ if self.shared.is_to_stop() => return Outcome::stopped(task_id),
            _ if self.host.cancel.is_asked() => {
                let by = self.host.cancel.by().unwrap_or_default();
                return Outcome::cancelled(task_id, &by);
            }
            Ok(()) => format!("Task {task_id} ended on the other machine without a result"),
            Err(error) => format!("Task {task_id} died unexpectedly: {}", error_chain(&error)),
        };
        Outcome::failed(text, End::Died)
    }
}

impl Reporter for Listener<'_> {
    fn set_tracking_url(&self, url: &str) {
        self.host.set_tracking_url(url);
    }

    /// How the engine's job stands, which is of no interest once the run has said how it goes.
    fn set_status_message(&self, message: &str) {
        let heard = self.hear();
        if !heard.says_how_it_goes {
            self.host.set_status_message(message);
        }
    }

    fn set_progress_percentage(&self, percentage: f64) {
        self.host.set_progress_percentage(percentage);
    }

    fn decrease_running_resources(&self, decrease: &Resources) {
        self.host.decrease_running_resources(decrease);
    }

    fn progress_event(&self, message: &str) {
        self.host.progress_event(message);
    }

    fn respond(&self, message_id: &str, response: &str) {
        self.host.respond(message_id, response);
    }

    /// The engine asks this all the time, so it is here that the run is listened to.
    fn stop_requested(&self) -> bool {
        let mut heard = self.hear();
        if heard.result.is_some() {
            // What is said is said: it ends by itself.
            return false;
        }
        let is_over = |deadline: Instant| Instant::now() >= deadline;
        heard.late = heard.late || heard.deadline.is_some_and(is_over);
        heard.late || self.host.stop_requested()
    }

    fn printed(&self, source: &LogSource, text: &[u8]) {
        self.host.printed(source, text);
    }

    fn group_started(&self, group: u32) {
        self.host.group_started(group);
    }

    fn group_ended(&self, group: u32) {
        self.host.group_ended(group);
    }

    fn is_ended_by_signal(&self) -> bool {
        false
    }
}
