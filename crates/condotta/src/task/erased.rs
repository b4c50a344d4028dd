//! What a worker sees of a task.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
};

use condotta_scheduler::{Resources, RetryPolicy};
use condotta_targets::Outputs;
use condotta_worker::{BoxError, ParamInfo, RunContext, RunOutcome, Runnable, TaskHandle};

use super::{AnyTargets, Requires, Run, Task};
use crate::{
    Error, Result,
    class::{ParamError, ParamSpec},
    params::{Class, Parameters},
    program,
    task_id::task_id,
};

/// A task with its id, which is asked for far more often than it can change.
pub(crate) struct Erased<T> {
    task: T,
    id: String,
    /// Why the task can't be: a parameter has a value that is not permitted.
    invalid: Option<ParamError>,
}

/// Of a worker's view, what [`AnyTask`](super::AnyTask) needs besides.
pub(crate) trait ErasedTask: Runnable + Any {
    /// Whether the parameters are permitted.
    fn check(&self) -> Result<()>;

    fn targets(&self) -> Result<AnyTargets>;

    /// Its name with all values, as Luigi has it.
    fn repr(&self) -> String;
}

impl<T: Task> Erased<T> {
    pub(super) fn new(mut task: T) -> Self {
        let invalid = task.normalize().err();
        let id = task_id_of(T::class(), &task.values());
        Self { task, id, invalid }
    }

    pub(super) fn task(&self) -> &T {
        &self.task
    }
}

/// A task as a worker takes it.
///
/// # Errors
/// A parameter has a value that is not permitted.
pub(crate) fn handle<T: Task>(task: T) -> Result<TaskHandle, ParamError> {
    let erased = Erased::new(task);
    match erased.invalid {
        Some(invalid) => Err(invalid),
        None => Ok(Arc::new(erased)),
    }
}

/// The id of a task of this class with these values.
pub(super) fn task_id_of(class: &Class, values: &[String]) -> String {
    let mut params: Vec<(&str, &str)> = class
        .identity
        .iter()
        .map(|&index| (class.specs[index].name, values[index].as_str()))
        .collect();
    task_id(&class.family, &mut params)
}

/// Whether all outputs exist. Without outputs a task is never complete, and Luigi's warning says
/// so.
///
/// # Errors
/// It can't be found out.
pub fn outputs_exist<T: Task>(task: &T) -> Result<bool> {
    let targets = task.output().into_targets()?;
    let (mut count, mut all) = (0, Ok(true));
    T::Output::visit(&targets, &mut |target| {
        count += 1;
        if let Ok(true) = all {
            all = target.exists();
        }
    });
    if count == 0 {
        let name = named::<T>(&params_of(task), ParamInfo::shown);
        tracing::warn!(target: "luigi-interface", "Task {name} without outputs has no custom complete() method");
    }
    Ok(count > 0 && all?)
}

/// Whether all tasks are complete that this one requires.
///
/// # Errors
/// It can't be found out.
pub fn requires_complete<T: Task>(task: &T) -> Result<bool> {
    let mut tasks = Vec::new();
    task.requires().into_tasks(&mut tasks)?;
    for task in tasks {
        if !task.complete()? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The error and what caused it, one a line.
pub(super) fn error_chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str("\n  caused by: ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn params_of<T: Parameters>(task: &T) -> Vec<ParamInfo> {
    let info = |(spec, value): (&ParamSpec, String)| ParamInfo {
        name: spec.name.to_owned(),
        value,
        significant: spec.significant,
        visibility: spec.visibility,
    };
    let specs = T::class().specs.iter();
    specs.zip(task.values()).map(info).collect()
}

/// `Family(name=value, …)` over significant parameters.
fn named<T: Parameters>(params: &[ParamInfo], value: impl Fn(&ParamInfo) -> &str) -> String {
    let shown: Vec<String> = params
        .iter()
        .filter(|param| param.significant)
        .map(|param| format!("{}={}", param.name, value(param)))
        .collect();
    format!("{}({})", T::class().family, shown.join(", "))
}

impl<T: Task> ErasedTask for Erased<T> {
    fn check(&self) -> Result<()> {
        // Asked again rather than cloned: the error is the rare case.
        match &self.invalid {
            Some(invalid) => Err(invalid.to_string().into()),
            None => Ok(()),
        }
    }

    fn targets(&self) -> Result<AnyTargets> {
        let mut targets = AnyTargets::default();
        T::Output::erase(self.task.output().into_targets()?, &mut |target| {
            targets.push(target)
        });
        Ok(targets)
    }

    fn repr(&self) -> String {
        named::<T>(&params_of(&self.task), |param| &param.value)
    }
}

impl<T: Task> Runnable for Erased<T> {
    fn task_id(&self) -> &str {
        &self.id
    }

    fn family(&self) -> &str {
        &T::class().family
    }

    fn module(&self) -> Option<&str> {
        Some(program::module())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(&self.task)
    }

    fn params(&self) -> Vec<ParamInfo> {
        params_of(&self.task)
    }

    fn next_in_enumeration(&self, param: &str, value: &str) -> Option<String> {
        T::next_in_enumeration(param, value)
    }

    fn complete(&self) -> Result<bool, BoxError> {
        self.check()?;
        self.task.complete()
    }

    fn dependencies(&self) -> Result<Vec<TaskHandle>, BoxError> {
        let mut tasks = Vec::new();
        self.task.requires().into_tasks(&mut tasks)?;
        Ok(tasks)
    }

    fn missing_outputs(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if let Ok(targets) = self.task.output().into_targets() {
            // An output that can't be looked for is missing as far as anybody knows.
            T::Output::visit(&targets, &mut |target| {
                if !target.exists().unwrap_or(false) {
                    missing.push(target.to_string());
                }
            });
        }
        missing
    }

    fn run(&self, context: &RunContext<'_>) -> Result<RunOutcome, BoxError> {
        self.check()?;
        let run = Run::new(&self.task, &self.id, context)?;
        let result = catch_unwind(AssertUnwindSafe(|| self.task.run(&run)));
        match (run.into_required(), result) {
            // Whatever the code made of the error of `require`, even a panic.
            (required, _) if !required.is_empty() => Ok(RunOutcome::Requires(required)),
            (_, Ok(result)) => result.map(|()| RunOutcome::Done),
            (_, Err(panic)) => resume_unwind(panic),
        }
    }

    fn is_external(&self) -> bool {
        T::EXTERNAL
    }

    fn priority(&self) -> f64 {
        let priority = self.task.priority();
        // The scheduler orders by it.
        if priority.is_nan() { 0.0 } else { priority }
    }

    fn resources(&self) -> Resources {
        self.task.resources()
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.task.retry_policy()
    }

    fn worker_timeout(&self) -> Option<f64> {
        self.task
            .worker_timeout()
            .map(|timeout| timeout.as_secs_f64())
    }

    fn disabled(&self) -> bool {
        self.task.disabled()
    }

    fn batch_params(&self) -> Vec<String> {
        let specs = T::class().specs.iter();
        specs
            .filter(|spec| spec.batchable)
            .map(|spec| spec.name.to_owned())
            .collect()
    }

    fn max_batch_size(&self) -> Option<u64> {
        self.task.max_batch_size()
    }

    fn accepts_messages(&self) -> bool {
        self.task.accepts_messages()
    }

    fn owners(&self) -> Vec<String> {
        self.task.owners()
    }

    fn on_success(&self) -> Result<Option<String>, BoxError> {
        self.task.on_success()
    }

    fn on_failure(&self, error: &BoxError) -> String {
        self.task.on_failure(error)
    }
}
