//! Tasks and targets whose types are known only at run time.

use std::{any::Any, fmt, sync::Arc};

use condotta_targets::{AnyTarget, Target};
use condotta_worker::TaskHandle;

use super::{
    Requires, Task,
    erased::{Erased, ErasedTask},
};
use crate::{Error, Result};

/// A task of any type, for lists that are mixed at run time. Cheap to clone.
///
/// ```
/// use condotta::prelude::*;
/// # #[derive(Task)] struct Weather;
/// # #[task] impl Task for Weather { fn output(&self) -> LocalTarget { LocalTarget::new("w") } }
/// # #[derive(Task)] struct Month { month: u8 }
/// # #[task] impl Task for Month { fn output(&self) -> LocalTarget { LocalTarget::new("m") } }
///
/// #[derive(Task)]
/// struct Report {
///     with_weather: bool,
/// }
///
/// #[task]
/// impl Task for Report {
///     fn requires(&self) -> Vec<AnyTask> {
///         let mut tasks = vec![AnyTask::new(Month { month: 2 })];
///         if self.with_weather {
///             tasks.push(Weather.into());
///         }
///         tasks
///     }
///
///     fn run(&self, run: &Run<Self>) -> Result<()> {
///         for targets in run.input() {
///             let file: &LocalTarget = targets.one()?;
///         }
///         Ok(())
///     }
/// }
/// ```
#[derive(Clone)]
pub struct AnyTask(Arc<dyn ErasedTask>);

impl AnyTask {
    /// Forgets a task's type.
    #[must_use]
    pub fn new<T: Task>(task: T) -> Self {
        Self(Arc::new(Erased::new(task)))
    }

    /// The task, if it is of this type.
    #[must_use]
    pub fn downcast_ref<T: Task>(&self) -> Option<&T> {
        let any: &dyn Any = &*self.0;
        any.downcast_ref::<Erased<T>>().map(Erased::task)
    }

    /// The task's id.
    #[must_use]
    pub fn task_id(&self) -> &str {
        self.0.task_id()
    }

    /// The task's family.
    #[must_use]
    pub fn family(&self) -> &str {
        self.0.family()
    }

    /// `Family(name=value, …)`, as log lines and the summary have it: with `***` for what private parameters hold.
    #[must_use]
    pub fn display_name(&self) -> String {
        self.0.display_name()
    }

    /// The task's outputs.
    ///
    /// # Errors
    /// Its `output` says so.
    pub fn output(&self) -> Result<AnyTargets> {
        self.0.targets()
    }

    /// Whether there is nothing to do.
    ///
    /// # Errors
    /// It can't be found out.
    pub fn complete(&self) -> Result<bool> {
        self.0.complete()
    }
}

impl fmt::Debug for AnyTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.repr())
    }
}

impl<T: Task> From<T> for AnyTask {
    fn from(task: T) -> Self {
        Self::new(task)
    }
}

/// Equal are tasks of equal id, as in Luigi.
impl PartialEq for AnyTask {
    fn eq(&self, other: &Self) -> bool {
        self.task_id() == other.task_id()
    }
}

impl Eq for AnyTask {}

impl From<AnyTask> for TaskHandle {
    fn from(task: AnyTask) -> Self {
        task.0
    }
}

impl Requires for AnyTask {
    type Input = AnyTargets;
    const FALLIBLE: bool = true;

    fn into_tasks(self, tasks: &mut Vec<TaskHandle>) -> Result<()> {
        self.0.check()?;
        tasks.push(self.0);
        Ok(())
    }

    fn into_input(self, tasks: Option<&mut Vec<TaskHandle>>) -> Result<AnyTargets> {
        self.0.check()?;
        let targets = self.0.targets()?;
        if let Some(tasks) = tasks {
            tasks.push(self.0);
        }
        Ok(targets)
    }
}

/// All outputs of a task whose type is not known, in the order of their shape.
#[derive(Clone, Debug, Default)]
pub struct AnyTargets(Vec<AnyTarget>);

impl AnyTargets {
    /// The only target, which has to be of this type.
    ///
    /// # Errors
    /// There is none, there are several, or it is of another type.
    pub fn one<T: Target>(&self) -> Result<&T> {
        let [target] = &self.0[..] else {
            return Err(Error::from(format!(
                "expected one target, found {}",
                self.0.len()
            )));
        };
        target
            .downcast_ref()
            .ok_or_else(|| format!("{target} is not a {}", std::any::type_name::<T>()).into())
    }

    /// All targets of this type.
    pub fn of<T: Target>(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(AnyTarget::downcast_ref)
    }

    /// All targets.
    pub fn iter(&self) -> std::slice::Iter<'_, AnyTarget> {
        self.0.iter()
    }

    pub(super) fn push(&mut self, target: AnyTarget) {
        self.0.push(target);
    }
}

impl IntoIterator for AnyTargets {
    type Item = AnyTarget;
    type IntoIter = std::vec::IntoIter<AnyTarget>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a AnyTargets {
    type Item = &'a AnyTarget;
    type IntoIter = std::slice::Iter<'a, AnyTarget>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
