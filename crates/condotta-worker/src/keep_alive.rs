//! The thread that tells the scheduler that the worker lives, and fetches its messages.

use std::{
    sync::{Arc, Condvar, Mutex, atomic::Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

use condotta_scheduler::{AddWorker, InfoValue, WorkerMessage};

use crate::{WorkerError, messages::RawMessage, panic::guard, shared::Shared};

/// The shortest time between two pings.
const PING_INTERVAL_MIN: Duration = Duration::from_millis(1);

pub(crate) struct KeepAlive {
    stopped: Arc<(Mutex<bool>, Condvar)>,
    thread: JoinHandle<()>,
}

impl KeepAlive {
    pub(crate) fn start(shared: Arc<Shared>) -> Result<Self, WorkerError> {
        let stopped = Arc::new((Mutex::new(false), Condvar::new()));
        let thread = thread::Builder::new()
            .name("keep-alive".to_owned())
            .spawn({
                let stopped = Arc::clone(&stopped);
                move || ping_until(&stopped, &shared)
            })
            .map_err(WorkerError::Thread)?;
        Ok(Self { stopped, thread })
    }

    pub(crate) fn stop(self) {
        let (flag, changed) = &*self.stopped;
        *flag.lock().expect("nobody panics with this lock") = true;
        changed.notify_one();
        // What goes wrong in there was logged there.
        let _ = self.thread.join();
    }
}

fn ping_until(stopped: &(Mutex<bool>, Condvar), shared: &Shared) {
    let interval = Duration::from_secs_f64(shared.config.ping_interval).max(PING_INTERVAL_MIN);
    let mut answered = true;
    loop {
        let (flag, changed) = stopped;
        let guard = flag.lock().expect("nobody panics with this lock");
        let (guard, _) = changed
            .wait_timeout_while(guard, interval, |stopped| !*stopped)
            .expect("nobody panics with this lock");
        if *guard {
            tracing::info!(
                target: "luigi-interface",
                "Worker {} was stopped. Shutting down Keep-Alive thread",
                shared.id,
            );
            return;
        }
        drop(guard);
        answered = ping(shared, answered);
    }
}

/// A scheduler that does not answer is no reason to die, nor to say so each second. Returns whether it
/// answered, given whether it did the last time.
fn ping(shared: &Shared, answered: bool) -> bool {
    match guard(|| shared.scheduler.ping(&shared.id)) {
        Ok(Ok(messages)) => {
            if let Err(error) = shared.claim_after_outage() {
                failed(&error.to_string(), true);
            }
            for message in messages {
                if let Err(panic) = guard(|| handle(shared, message)) {
                    tracing::error!(target: "luigi-interface", "a message's handler {panic}");
                }
            }
        }
        Ok(Err(error)) => {
            failed(&error.to_string(), answered);
            return false;
        }
        Err(panic) => {
            failed(&panic.to_string(), answered);
            return false;
        }
    }
    true
}

fn failed(why: &str, is_news: bool) {
    if is_news {
        tracing::warn!(target: "luigi-interface", "Failed pinging scheduler");
    }
    tracing::debug!(target: "luigi-interface", "{why}");
}

/// A message is `{name, kwargs}` on the wire; the log shows it in Python's form, as Luigi's does.
fn handle(shared: &Shared, message: WorkerMessage) {
    match message {
        WorkerMessage::SetWorkerProcesses { n } => {
            got(shared, "set_worker_processes", &format!("'n': {n}"));
            set_worker_processes(shared, n);
        }
        WorkerMessage::DispatchSchedulerMessage {
            task_id,
            message_id,
            content,
        } => {
            got(
                shared,
                "dispatch_scheduler_message",
                &format!(
                    "'task_id': '{task_id}', 'message_id': '{message_id}', 'content': '{content}'"
                ),
            );
            let message = RawMessage {
                id: message_id,
                content,
            };
            shared.routes.dispatch(&task_id, message);
        }
        WorkerMessage::CancelTask {
            task_id,
            attempt,
            by,
        } => cancel(shared, &task_id, attempt, &by),
    }
}

fn got(shared: &Shared, name: &str, kwargs: &str) {
    let id = &shared.id;
    tracing::info!(
        target: "luigi-interface",
        "Worker {id} got message {{'name': '{name}', 'kwargs': {{{kwargs}}}}}",
    );
    tracing::info!(
        target: "luigi-interface",
        "Worker {id} successfully dispatched rpc message to function '{name}'",
    );
}

fn cancel(shared: &Shared, task_id: &str, attempt: u64, by: &str) {
    let kwargs = format!("'task_id': '{task_id}', 'attempt': {attempt}, 'by': '{by}'");
    got(shared, "cancel_task", &kwargs);
    let answer = shared.cancels.ask(task_id, attempt, by);
    let scheduler = &shared.scheduler;
    if let Err(error) = scheduler.answer_cancel(&shared.id, task_id, attempt, answer) {
        tracing::warn!(target: "luigi-interface", "{error}");
    }
}

fn set_worker_processes(shared: &Shared, n: u64) {
    let processes = usize::try_from(n).unwrap_or(usize::MAX).max(1);
    shared.processes.store(processes, Ordering::Relaxed);
    let told = shared.scheduler.add_worker(AddWorker {
        worker: shared.id.clone(),
        info: vec![(
            "workers".to_owned(),
            InfoValue::Int(i64::try_from(processes).unwrap_or(i64::MAX)),
        )],
    });
    if let Err(error) = told {
        tracing::warn!(target: "luigi-interface", "{error}");
    }
    shared.wake();
}
