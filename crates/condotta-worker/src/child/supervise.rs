//! The parent's side: start a child, pass its words on, and stop it when its time is over.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Write as _},
    net::Shutdown,
    os::{
        fd::OwnedFd,
        unix::{
            net::UnixStream,
            process::{CommandExt as _, ExitStatusExt as _},
        },
    },
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use condotta_scheduler::Status;
use nix::{
    errno::Errno,
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use super::{
    CHILD_VARIABLE, HOOKED,
    wire::{FromChild, ToChild, line, outcome},
};
use crate::{
    BoxError, ChildCommand, EventDetail, RunLog, StopLevel, TaskHandle,
    execute::Host,
    host::WorkerHost,
    logs::Tee,
    running::{End, Outcome},
    shared::Shared,
    task::Reporter as _,
};

/// How often a process group that was asked to end is looked at.
const GROUP_POLL: Duration = Duration::from_millis(5);
/// What a child printed is read until it closes its outputs, or so long after its end.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// A task cannot run in a child process.
#[derive(Debug, thiserror::Error)]
enum ChildError {
    #[error(
        "a task with a time-out runs in a child process, but this program does not call \
         condotta_worker::child::maybe_run"
    )]
    NotHooked,
    #[error("cannot start a child process for the task")]
    Start(#[source] std::io::Error),
}

/// Runs the task in a child process, for at most `timeout_secs` (0 is without limit).
pub(crate) fn supervise(
    shared: &Arc<Shared>,
    task: &TaskHandle,
    host: &WorkerHost<'_>,
    log: Option<&RunLog>,
    timeout_secs: f64,
) -> Outcome {
    let deadline = Duration::try_from_secs_f64(timeout_secs)
        .ok()
        .filter(|timeout| !timeout.is_zero())
        .and_then(|timeout| Instant::now().checked_add(timeout));
    let started = start(shared, task, log.is_some());
    let started = started.and_then(|(mut child, socket)| {
        let tee = log.map(|log| Tee::start(&mut child, log)).transpose();
        Ok((child, socket, tee.map_err(ChildError::Start)?))
    });
    let (mut child, socket, tee) = match started {
        Ok(started) => started,
        Err(error) => return not_started(error.into(), task, host),
    };
    let _on_stop = close_on(&shared.stop, &socket);
    let _on_leave = close_on(&shared.gone, &socket);
    if let Ok(socket) = socket.try_clone() {
        host.cancel
            .end_with(move || _ = socket.shutdown(Shutdown::Read));
    }
    let heard = listen(&socket, task, host, deadline);
    let outcome = settle(shared, task, host, &mut child, &socket, heard, timeout_secs);
    if let Some(tee) = tee {
        tee.finish(LAST_OUTPUT);
    }
    outcome
}

/// What comes of a run that could not even begin.
pub(crate) fn not_started(error: BoxError, task: &TaskHandle, host: &WorkerHost<'_>) -> Outcome {
    tracing::error!(target: "luigi-interface", "{error}");
    host.event(&**task, EventDetail::Failure { error: &error });
    Outcome::failed(task.on_failure(&error), End::Normal)
}

/// How listening to a child ended.
enum Heard {
    Result(Outcome),
    Deadline,
    /// It said no more, or is not listened to any longer.
    End,
}

fn settle(
    shared: &Shared,
    task: &TaskHandle,
    host: &WorkerHost<'_>,
    child: &mut Child,
    socket: &UnixStream,
    heard: Heard,
    timeout_secs: f64,
) -> Outcome {
    let task_id = task.task_id();
    match heard {
        Heard::Result(outcome) => {
            if !said_goodbye(socket, shared.kill_grace) {
                end(child, host, shared.kill_grace);
            }
            let _ = child.wait();
            if outcome.status == Status::Done {
                host.remember_complete(task_id);
            }
            outcome
        }
        Heard::Deadline => {
            end(child, host, shared.kill_grace);
            Outcome::timed_out(task_id, timeout_secs)
        }
        Heard::End if shared.is_to_stop() => {
            end(child, host, shared.kill_grace);
            Outcome::stopped(task_id)
        }
        Heard::End if host.cancel.is_asked() => {
            end(child, host, shared.kill_grace);
            let by = host.cancel.by().unwrap_or_default();
            Outcome::cancelled(task_id, &by)
        }
        Heard::End => {
            let status = wait_or_end(child, host, shared.kill_grace);
            let code = status.map_or(-1, exit_code);
            let text = format!("Task {task_id} died unexpectedly with exit code {code}");
            Outcome::failed(text, End::Died)
        }
    }
}

/// As Python counts it: a signal is negative.
fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| status.signal().map(|signal| -signal))
        .unwrap_or(-1)
}

fn start(
    shared: &Arc<Shared>,
    task: &TaskHandle,
    with_pipes: bool,
) -> Result<(Child, UnixStream), ChildError> {
    let mut command = match &shared.child_command {
        ChildCommand::Program { program, args } => {
            let mut command = Command::new(program);
            command.args(args);
            command
        }
        ChildCommand::ThisProgram if !HOOKED.load(Ordering::Relaxed) => {
            // A child would do again all that this program does.
            return Err(ChildError::NotHooked);
        }
        ChildCommand::ThisProgram => {
            let mut command = Command::new(std::env::current_exe().map_err(ChildError::Start)?);
            command.args(std::env::args_os().skip(1));
            command
        }
    };
    let (mut ours, theirs) = UnixStream::pair().map_err(ChildError::Start)?;
    if with_pipes {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    let child = command
        .env(CHILD_VARIABLE, std::process::id().to_string())
        .stdin(OwnedFd::from(theirs))
        .process_group(0)
        .spawn()
        .map_err(ChildError::Start)?;
    // A child that does not read it is dead, which is noticed when it is listened to.
    let _ = ours.write_all(&line(&ToChild::run(&**task, shared)));
    if task.accepts_messages() {
        deliver_by(shared, task, &ours).map_err(ChildError::Start)?;
    }
    Ok((child, ours))
}

/// Messages to the task go through the socket.
fn deliver_by(shared: &Shared, task: &TaskHandle, socket: &UnixStream) -> std::io::Result<()> {
    let socket = Mutex::new(socket.try_clone()?);
    let deliver = Arc::new(move |message: crate::messages::RawMessage| {
        let line = line(&ToChild::Message {
            id: message.id,
            content: message.content,
        });
        let mut socket = socket.lock().expect("nobody panics with this lock");
        // The run may be over.
        let _ = socket.write_all(&line);
    });
    shared.routes.open(task.task_id(), deliver);
    Ok(())
}

/// Ends listening when the program is to stop. The child hears nothing of it: it gets a signal.
fn close_on(signal: &crate::StopSignal, socket: &UnixStream) -> Option<crate::stop::Registration> {
    let socket = socket.try_clone().ok()?;
    Some(signal.register(Arc::new(move |level| {
        if level == StopLevel::Now {
            let _ = socket.shutdown(Shutdown::Read);
        }
    })))
}

fn listen(
    socket: &UnixStream,
    task: &TaskHandle,
    host: &WorkerHost<'_>,
    deadline: Option<Instant>,
) -> Heard {
    let mut reader = BufReader::new(socket);
    let mut line = Vec::new();
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Heard::Deadline;
        }
        if socket.set_read_timeout(left).is_err() {
            return Heard::End;
        }
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => return Heard::End,
            Ok(_) => {
                if let Ok(word) = serde_json::from_slice(&line)
                    && let Some(outcome) = pass_on(word, task, host)
                {
                    return Heard::Result(outcome);
                }
                line.clear();
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            Err(_) => return Heard::End,
        }
    }
}

/// Does in this process what the child would have done. The last word is the outcome.
pub(crate) fn pass_on(
    word: FromChild,
    task: &TaskHandle,
    host: &WorkerHost<'_>,
) -> Option<Outcome> {
    match word {
        FromChild::Start => host.event(&**task, EventDetail::Start),
        FromChild::ProcessingTime { secs } => {
            host.event(&**task, EventDetail::ProcessingTime { secs });
        }
        FromChild::Success => host.event(&**task, EventDetail::Success),
        FromChild::Failure { text } => {
            let error: BoxError = text.into();
            host.event(&**task, EventDetail::Failure { error: &error });
        }
        FromChild::Progress { message } => host.progress_event(&message),
        FromChild::TrackingUrl { url } => host.set_tracking_url(&url),
        FromChild::StatusMessage { message } => host.set_status_message(&message),
        FromChild::ProgressPercentage { percentage } => host.set_progress_percentage(percentage),
        FromChild::DecreaseResources { decrease } => host.decrease_running_resources(&decrease),
        FromChild::Respond {
            message_id,
            response,
        } => host.respond(&message_id, &response),
        FromChild::GroupStarted { group } => host.group_started(group),
        FromChild::GroupEnded { group } => host.group_ended(group),
        FromChild::Result {
            status,
            expl,
            missing,
            requirements,
        } => return Some(outcome(&status, expl, missing, requirements)),
    }
    None
}

/// A child that has said its last word closes the socket by ending.
fn said_goodbye(socket: &UnixStream, patience: Duration) -> bool {
    let patience = patience.max(GROUP_POLL);
    let mut rest = [0_u8; 64];
    let mut socket = socket;
    socket.set_read_timeout(Some(patience)).is_ok()
        && std::io::Read::read(&mut socket, &mut rest).is_ok_and(|read| read == 0)
}

/// A child that closed the socket has ended, or is about to.
fn wait_or_end(child: &mut Child, host: &WorkerHost<'_>, grace: Duration) -> Option<ExitStatus> {
    let patience = Instant::now() + grace;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            let _ = killpg(group_of(child), Signal::SIGKILL);
            let no_grace = host.groups().is_empty();
            end(child, host, if no_grace { Duration::ZERO } else { grace });
            return Some(status);
        }
        if Instant::now() >= patience {
            end(child, host, grace);
            return child.wait().ok();
        }
        thread::sleep(GROUP_POLL);
    }
}

fn group_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("process ids are positive"))
}

/// Asks the child and all that it started to end, and makes them when they do not. Programs in groups
/// of their own hear of the child's end from those who watch over them: that is waited for.
fn end(child: &mut Child, host: &WorkerHost<'_>, grace: Duration) {
    let groups = host.groups().into_iter();
    let groups = groups.filter_map(|group| i32::try_from(group).ok());
    let mut groups: Vec<Pid> = groups.map(Pid::from_raw).collect();
    groups.push(group_of(child));
    let patience = Instant::now() + grace;
    let _ = killpg(group_of(child), Signal::SIGTERM);
    // A group is there until its leader was waited for, and everybody else has gone.
    let mut is_over = || {
        let _ = child.try_wait();
        groups.retain(|group| killpg(*group, None) != Err(Errno::ESRCH));
        groups.is_empty()
    };
    while !is_over() && Instant::now() < patience {
        thread::sleep(GROUP_POLL);
    }
    for group in groups {
        let _ = killpg(group, Signal::SIGKILL);
    }
    let _ = child.wait();
}
