//! One run of one task, wherever it takes place: on a thread of the worker or in a child process.

use std::time::Instant;

use condotta_scheduler::Status;

use crate::{
    BoxError, EventDetail, RunContext, RunOutcome, Runnable, TaskHandle,
    messages::MessageQueue,
    panic::guard,
    running::{End, Outcome, Requirements},
    shared::Shared,
    task::{Reporter, error_chain},
    task_table::{TaskIndex, TaskTable},
};

/// Where a run takes place.
pub(crate) trait Host: Reporter {
    fn event(&self, task: &dyn Runnable, event: EventDetail<'_>);
    fn check_complete(&self, task: &dyn Runnable) -> Result<bool, BoxError>;
    fn remember_complete(&self, task_id: &str);
}

/// How a run is done.
pub(crate) struct Settings<'a> {
    pub(crate) worker_id: &'a str,
    pub(crate) check_unfulfilled_deps: bool,
    pub(crate) check_complete_on_run: bool,
}

impl<'a> Settings<'a> {
    pub(crate) fn of(shared: &'a Shared) -> Self {
        Self {
            worker_id: &shared.id,
            check_unfulfilled_deps: shared.config.check_unfulfilled_deps,
            check_complete_on_run: shared.config.check_complete_on_run,
        }
    }
}

/// The task's dependencies.
pub(crate) enum Deps<'a> {
    /// As planned, so that they need not be built anew.
    Planned(&'a TaskTable, &'a [TaskIndex]),
    Listed(&'a [TaskHandle]),
    /// Nobody planned this task here: it is asked.
    Ask,
}

/// Why a run failed.
struct Failure {
    error: BoxError,
    missing: Vec<String>,
}

impl<E: Into<BoxError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            missing: Vec::new(),
        }
    }
}

/// A task returned, but its outputs say otherwise.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("Task finished running, but complete() is still returning false.")]
    StillIncomplete,
}

/// Runs `task`. Every end of it is an outcome: errors and panics are, too.
pub(crate) fn execute(
    task: &dyn Runnable,
    deps: Deps<'_>,
    host: &dyn Host,
    messages: Option<&MessageQueue>,
    settings: &Settings<'_>,
) -> Outcome {
    log("running  ", task, settings);
    match run(task, deps, host, messages, settings) {
        Ok(outcome) => outcome,
        Err(failure) => fail(task, failure, host, settings),
    }
}

fn run(
    task: &dyn Runnable,
    deps: Deps<'_>,
    host: &dyn Host,
    messages: Option<&MessageQueue>,
    settings: &Settings<'_>,
) -> Result<Outcome, Failure> {
    if settings.check_unfulfilled_deps && !task.is_external() {
        check_deps(task, deps, host)?;
    }
    host.event(task, EventDetail::Start);
    let started = Instant::now();
    if task.is_external() {
        if !host.check_complete(task)? {
            let text = "Task is an external data dependency and data does not exist (yet?).";
            return Ok(Outcome::failed(text.to_owned(), End::Normal));
        }
    } else if let Some(tasks) = run_code(task, host, messages, settings)? {
        log("new requirements     ", task, settings);
        return Ok(Outcome {
            status: Status::Pending,
            expl: Some(String::new()),
            missing: Vec::new(),
            requirements: Requirements::Tasks(tasks),
            end: End::Normal,
        });
    }
    let secs = started.elapsed().as_secs_f64();
    host.event(task, EventDetail::ProcessingTime { secs });
    let expl = guard(|| task.on_success())??;
    log("done     ", task, settings);
    host.event(task, EventDetail::Success);
    Ok(Outcome {
        status: Status::Done,
        expl,
        missing: Vec::new(),
        requirements: Requirements::none(),
        end: End::Normal,
    })
}

/// Runs the task's own code. Returns what it needs first, if it does.
fn run_code(
    task: &dyn Runnable,
    host: &dyn Host,
    messages: Option<&MessageQueue>,
    settings: &Settings<'_>,
) -> Result<Option<Vec<TaskHandle>>, Failure> {
    let context = RunContext {
        reporter: host,
        messages,
    };
    match guard(|| task.run(&context))?? {
        RunOutcome::Requires(tasks) if !tasks.is_empty() => return Ok(Some(tasks)),
        RunOutcome::Requires(_) | RunOutcome::Done => {}
    }
    if !settings.check_complete_on_run {
        host.remember_complete(task.task_id());
    } else if !host.check_complete(task)? {
        return Err(RunError::StillIncomplete.into());
    }
    Ok(None)
}

/// A run finds its inputs, or it does not start.
fn check_deps(task: &dyn Runnable, deps: Deps<'_>, host: &dyn Host) -> Result<(), Failure> {
    let mut missing = Vec::new();
    let mut check = |dep: &dyn Runnable| -> Result<(), BoxError> {
        if !host.check_complete(dep)? {
            let outputs = guard(|| dep.missing_outputs())?;
            missing.push(if outputs.is_empty() {
                dep.task_id().to_owned()
            } else {
                format!("{} ({})", dep.task_id(), outputs.join(", "))
            });
        }
        Ok(())
    };
    match deps {
        Deps::Planned(table, indices) => {
            for index in indices {
                check(&**table.task(*index))?;
            }
        }
        Deps::Listed(tasks) => {
            for dep in tasks {
                check(&**dep)?;
            }
        }
        Deps::Ask => {
            for dep in guard(|| task.dependencies())?? {
                check(&*dep)?;
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let noun = if missing.len() == 1 {
        "dependency"
    } else {
        "dependencies"
    };
    Err(Failure {
        error: format!("Unfulfilled {noun} at run time: {}", missing.join(", ")).into(),
        missing,
    })
}

fn fail(
    task: &dyn Runnable,
    failure: Failure,
    host: &dyn Host,
    settings: &Settings<'_>,
) -> Outcome {
    let Failure { error, missing } = failure;
    tracing::error!(
        target: "luigi-interface",
        "[pid {}] Worker {} failed    {}\n{}",
        std::process::id(),
        settings.worker_id,
        task.display_name(),
        error_chain(&error),
    );
    host.event(task, EventDetail::Failure { error: &error });
    let expl = guard(|| task.on_failure(&error))
        .unwrap_or_else(|panic| format!("{}\n  and on_failure {panic}", error_chain(&error)));
    Outcome {
        missing,
        ..Outcome::failed(expl, End::Normal)
    }
}

fn log(what: &str, task: &dyn Runnable, settings: &Settings<'_>) {
    tracing::info!(
        target: "luigi-interface",
        "[pid {}] Worker {} {what} {}",
        std::process::id(),
        settings.worker_id,
        task.display_name(),
    );
}
