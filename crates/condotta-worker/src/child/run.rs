//! The child's side: find out that one is a child, run the task, say how it went.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    os::{
        fd::AsFd as _,
        unix::{fs::FileTypeExt as _, net::UnixStream},
    },
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use condotta_protocol::LogSource;
use condotta_scheduler::Resources;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::{Pid, dup2_stdin, getpgrp, getppid},
};

use super::{
    CHILD_VARIABLE, HOOKED,
    wire::{FromChild, TaskRecipe, ToChild, line},
};
use crate::{
    BoxError, EventDetail, Runnable, TaskHandle, TaskLoader,
    execute::{Deps, Host, Settings, execute},
    logs::print,
    messages::{MessageQueue, RawMessage},
    panic::guard,
    running::{End, Outcome},
    task::{Reporter, error_chain},
};

/// Runs a task if this process was started for that, and then says with what code to exit.
///
/// A program whose tasks may have a time-out calls this before it does anything else, as soon as
/// its configuration is read and its log is set up. In any other process it returns at once.
pub fn maybe_run(loader: &dyn TaskLoader) -> Option<ExitCode> {
    hook();
    let parent: i32 = std::env::var(CHILD_VARIABLE).ok()?.parse().ok()?;
    let socket = take_socket()?;
    if !die_with(Pid::from_raw(parent)) {
        return Some(ExitCode::FAILURE);
    }
    Some(match serve(loader, socket) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(target: "luigi-interface", "the parent process cannot be understood: {error}");
            ExitCode::FAILURE
        }
    })
}

/// This program looks what it was started for, so it can be started for one task.
pub(crate) fn hook() {
    HOOKED.store(true, Ordering::Relaxed);
}

/// Whether that is so.
pub(crate) fn is_hooked() -> bool {
    HOOKED.load(Ordering::Relaxed)
}

/// The socket that is standard input, which then is empty for the task's own code. Programs that
/// the task starts inherit the variable, but have no such socket.
fn take_socket() -> Option<UnixStream> {
    let input = std::io::stdin().as_fd().try_clone_to_owned().ok()?;
    let input = File::from(input);
    if !input.metadata().ok()?.file_type().is_socket() {
        return None;
    }
    let nothing = File::open("/dev/null").ok()?;
    dup2_stdin(&nothing).ok()?;
    Some(UnixStream::from(std::os::fd::OwnedFd::from(input)))
}

/// The kernel ends this process when the parent dies, unless it is dead already. As soon as
/// [`listen`] watches the parent this is over: the kernel would leave alive what the task started.
fn die_with(parent: Pid) -> bool {
    set_death_signal(Some(Signal::SIGKILL)) && getppid() == parent
}

#[cfg(target_os = "linux")]
fn set_death_signal(signal: Option<Signal>) -> bool {
    nix::sys::prctl::set_pdeathsig(signal).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn set_death_signal(_: Option<Signal>) -> bool {
    true
}

fn serve(loader: &dyn TaskLoader, socket: UnixStream) -> Result<(), BoxError> {
    let mut reader = BufReader::new(socket.try_clone()?);
    let mut first = Vec::new();
    reader.read_until(b'\n', &mut first)?;
    let request = serde_json::from_slice(&first)?;
    let socket = Mutex::new(socket);
    let host = ChildHost::new(move |line: &[u8]| {
        let mut socket = socket.lock().expect("nobody panics with this lock");
        // A parent that does not listen has gone, and this process with it.
        let _ = socket.write_all(line);
    });
    let queue = Arc::new(MessageQueue::default());
    let finished = Arc::new(AtomicBool::new(false));
    thread::Builder::new().name("parent".to_owned()).spawn({
        let (queue, finished) = (Arc::clone(&queue), Arc::clone(&finished));
        move || listen(reader, &queue, &finished)
    })?;
    set_death_signal(None);
    let result = carry_out(loader, request, &host, &queue)?;
    finished.store(true, Ordering::SeqCst);
    host.say(&result);
    Ok(())
}

/// Builds the task and runs it. Returns the last word, which is not said yet.
pub(crate) fn carry_out(
    loader: &dyn TaskLoader,
    request: ToChild,
    host: &ChildHost,
    queue: &MessageQueue,
) -> Result<FromChild, BoxError> {
    let ToChild::Run {
        task,
        worker_id,
        check_unfulfilled_deps,
        check_complete_on_run,
    } = request
    else {
        return Err("a message came before the request".into());
    };
    let settings = Settings {
        worker_id: &worker_id,
        check_unfulfilled_deps,
        check_complete_on_run,
    };
    let outcome = match load(loader, task) {
        Ok(task) => execute(&*task, Deps::Ask, host, Some(queue), &settings),
        Err(error) => {
            let text = error_chain(&error);
            host.say(&FromChild::Failure { text: text.clone() });
            Outcome::failed(text, End::Normal)
        }
    };
    Ok(FromChild::result(outcome))
}

fn load(loader: &dyn TaskLoader, recipe: TaskRecipe) -> Result<TaskHandle, BoxError> {
    let task_id = recipe.task_id.clone();
    let task = guard(|| loader.load(&recipe.into_recipe()))??;
    if task.task_id() == task_id {
        return Ok(task);
    }
    Err(format!(
        "the process of the run was asked for {task_id}, but its parameters make {}; \
         a task that runs in a process of its own must be the same when it is built again",
        task.task_id()
    )
    .into())
}

/// Hears messages. When the parent is gone, this process and what it started go, too.
fn listen(mut reader: BufReader<UnixStream>, queue: &MessageQueue, finished: &AtomicBool) {
    let mut line = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        if let Ok(ToChild::Message { id, content }) = serde_json::from_slice(&line) {
            queue.send(RawMessage { id, content });
        }
        line.clear();
    }
    if !finished.load(Ordering::SeqCst) {
        // The process was started as the leader of its group.
        let _ = killpg(getpgrp(), Signal::SIGKILL);
    }
}

/// Takes one line.
type TakeLine = dyn Fn(&[u8]) + Send + Sync;

/// Passes everything on to the parent.
pub(crate) struct ChildHost {
    send: Box<TakeLine>,
}

impl ChildHost {
    pub(crate) fn new(send: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self {
            send: Box::new(send),
        }
    }

    pub(crate) fn say(&self, word: &FromChild) {
        (self.send)(&line(word));
    }
}

impl Reporter for ChildHost {
    fn set_tracking_url(&self, url: &str) {
        self.say(&FromChild::TrackingUrl {
            url: url.to_owned(),
        });
    }

    fn set_status_message(&self, message: &str) {
        self.say(&FromChild::StatusMessage {
            message: message.to_owned(),
        });
    }

    fn set_progress_percentage(&self, percentage: f64) {
        if percentage.is_finite() {
            self.say(&FromChild::ProgressPercentage { percentage });
        }
    }

    fn decrease_running_resources(&self, decrease: &Resources) {
        self.say(&FromChild::DecreaseResources {
            decrease: decrease.clone(),
        });
    }

    fn progress_event(&self, message: &str) {
        self.say(&FromChild::Progress {
            message: message.to_owned(),
        });
    }

    fn respond(&self, message_id: &str, response: &str) {
        self.say(&FromChild::Respond {
            message_id: message_id.to_owned(),
            response: response.to_owned(),
        });
    }

    fn stop_requested(&self) -> bool {
        // A child that is to stop is stopped.
        false
    }

    fn printed(&self, source: &LogSource, text: &[u8]) {
        // The parent reads what this process prints.
        print(source, text);
    }

    fn group_started(&self, group: u32) {
        self.say(&FromChild::GroupStarted { group });
    }

    fn group_ended(&self, group: u32) {
        self.say(&FromChild::GroupEnded { group });
    }

    fn is_ended_by_signal(&self) -> bool {
        true
    }
}

impl Host for ChildHost {
    fn event(&self, _task: &dyn Runnable, event: EventDetail<'_>) {
        self.say(&match event {
            EventDetail::Start => FromChild::Start,
            EventDetail::ProcessingTime { secs } => FromChild::ProcessingTime { secs },
            EventDetail::Success => FromChild::Success,
            EventDetail::Failure { error } => FromChild::Failure {
                text: error_chain(error),
            },
            // The others belong to planning, or are made by the parent.
            _ => return,
        });
    }

    fn check_complete(&self, task: &dyn Runnable) -> Result<bool, BoxError> {
        guard(|| task.complete())?
    }

    fn remember_complete(&self, _task_id: &str) {}
}
