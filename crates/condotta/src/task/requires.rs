//! Shapes of tasks: one, none, or tuples, arrays, lists, maps, options and structs of them.

use std::collections::BTreeMap;

use condotta_targets::Outputs as _;
use condotta_worker::TaskHandle;

use super::{Task, erased};
use crate::{Error, Result};

/// What `requires` may return, and what [`Run::require`](super::Run::require) takes.
///
/// For a struct of one's own, `#[derive(Requires)]` makes a second one for the targets, with the
/// same fields:
///
/// ```
/// use condotta::prelude::*;
/// # #[derive(Task)] struct Weather;
/// # #[task] impl Task for Weather { fn output(&self) -> LocalTarget { LocalTarget::new("w") } }
/// # #[derive(Task)] struct Month { month: u8 }
/// # #[task] impl Task for Month { fn output(&self) -> LocalTarget { LocalTarget::new("m") } }
///
/// #[derive(Requires)]
/// struct Sources {
///     weather: Weather,
///     months: Vec<Month>,
/// }
///
/// #[derive(Task)]
/// struct Report;
///
/// #[task]
/// impl Task for Report {
///     fn requires(&self) -> Sources {
///         Sources { weather: Weather, months: (1..=12).map(|month| Month { month }).collect() }
///     }
///
///     fn run(&self, run: &Run<Self>) -> Result<()> {
///         let sources: SourcesTargets = run.input();
///         let weather: LocalTarget = sources.weather;
///         let months: Vec<LocalTarget> = sources.months;
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a task nor a shape of tasks",
    label = "can't be required",
    note = "what is required is a task, `()`, `AnyTask`, or a tuple, array, `Vec`, `Option`, map or `Result` of these,",
    note = "or a struct of them with `#[derive(Requires)]`",
    note = "a task has `#[derive(Task)]` on its struct and `#[task] impl Task for …`"
)]
pub trait Requires: Sized {
    /// The outputs of the tasks in the same shape.
    type Input;
    /// There may be an error in place of a task or of a target.
    const FALLIBLE: bool;

    /// Hands over each task.
    ///
    /// # Errors
    /// There is an error in place of a task, or a parameter of a task has a value that is not
    /// permitted.
    fn into_tasks(self, tasks: &mut Vec<TaskHandle>) -> Result<()>;

    /// Takes the outputs of all tasks, and hands over the tasks too where asked to.
    ///
    /// # Errors
    /// As [`into_tasks`](Self::into_tasks), or there is an error in place of a target.
    fn into_input(self, tasks: Option<&mut Vec<TaskHandle>>) -> Result<Self::Input>;
}

impl<T: Task> Requires for T {
    type Input = super::Output<T>;
    const FALLIBLE: bool = T::Output::FALLIBLE;

    fn into_tasks(self, tasks: &mut Vec<TaskHandle>) -> Result<()> {
        tasks.push(erased::handle(self)?);
        Ok(())
    }

    fn into_input(mut self, tasks: Option<&mut Vec<TaskHandle>>) -> Result<Self::Input> {
        self.normalize()?;
        let targets = self.output().into_targets()?;
        if let Some(tasks) = tasks {
            self.into_tasks(tasks)?;
        }
        Ok(targets)
    }
}

impl<R: Requires, E: Into<Error>> Requires for Result<R, E> {
    type Input = R::Input;
    const FALLIBLE: bool = true;

    fn into_tasks(self, tasks: &mut Vec<TaskHandle>) -> Result<()> {
        self.map_err(Into::into)?.into_tasks(tasks)
    }

    fn into_input(self, tasks: Option<&mut Vec<TaskHandle>>) -> Result<Self::Input> {
        self.map_err(Into::into)?.into_input(tasks)
    }
}

impl<R: Requires, const N: usize> Requires for [R; N] {
    type Input = [R::Input; N];
    const FALLIBLE: bool = R::FALLIBLE;

    fn into_tasks(self, tasks: &mut Vec<TaskHandle>) -> Result<()> {
        self.into_iter()
            .try_for_each(|required| required.into_tasks(tasks))
    }

    fn into_input(self, mut tasks: Option<&mut Vec<TaskHandle>>) -> Result<Self::Input> {
        let input: Vec<_> = self
            .into_iter()
            .map(|required| required.into_input(tasks.as_deref_mut()))
            .collect::<Result<_>>()?;
        let Ok(input) = input.try_into() else {
            unreachable!("one for each of {N}")
        };
        Ok(input)
    }
}

impl<R: Requires> Requires for Vec<R> {
    type Input = Vec<R::Input>;
    const FALLIBLE: bool = R::FALLIBLE;

    fn into_tasks(self, tasks: &mut Vec<TaskHandle>) -> Result<()> {
        tasks.reserve(self.len());
        self.into_iter()
            .try_for_each(|required| required.into_tasks(tasks))
    }

    fn into_input(self, mut tasks: Option<&mut Vec<TaskHandle>>) -> Result<Self::Input> {
        self.into_iter()
            .map(|required| required.into_input(tasks.as_deref_mut()))
            .collect()
    }
}

impl<R: Requires> Requires for Option<R> {
    type Input = Option<R::Input>;
    const FALLIBLE: bool = R::FALLIBLE;

    fn into_tasks(self, tasks: &mut Vec<TaskHandle>) -> Result<()> {
        self.into_iter()
            .try_for_each(|required| required.into_tasks(tasks))
    }

    fn into_input(self, tasks: Option<&mut Vec<TaskHandle>>) -> Result<Self::Input> {
        self.map(|required| required.into_input(tasks)).transpose()
    }
}

impl<K: Ord, R: Requires> Requires for BTreeMap<K, R> {
    type Input = BTreeMap<K, R::Input>;
    const FALLIBLE: bool = R::FALLIBLE;

    fn into_tasks(self, tasks: &mut Vec<TaskHandle>) -> Result<()> {
        self.into_values()
            .try_for_each(|required| required.into_tasks(tasks))
    }

    fn into_input(self, mut tasks: Option<&mut Vec<TaskHandle>>) -> Result<Self::Input> {
        self.into_iter()
            .map(|(key, required)| Ok((key, required.into_input(tasks.as_deref_mut())?)))
            .collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),*))*) => {$(
        impl<$($name: Requires),*> Requires for ($($name,)*) {
            type Input = ($($name::Input,)*);
            const FALLIBLE: bool = false $(|| $name::FALLIBLE)*;

            fn into_tasks(self, _tasks: &mut Vec<TaskHandle>) -> Result<()> {
                $(self.$index.into_tasks(_tasks)?;)*
                Ok(())
            }

            fn into_input(self, mut _tasks: Option<&mut Vec<TaskHandle>>) -> Result<Self::Input> {
                Ok(($(self.$index.into_input(_tasks.as_deref_mut())?,)*))
            }
        }
    )*};
}
tuples! {
    ()
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}
