//! The task classes and config sections of this program.
//!
//! What is not generic and is linked in is there by itself; generic tasks, and tasks of other
//! crates that the linker would leave out, are [`register`]ed.

use std::sync::{PoisonError, RwLock};

use crate::{class::TaskClass, task::Task};

static REGISTERED: RwLock<Vec<&'static TaskClass>> = RwLock::new(Vec::new());

/// Adds a task class. To add one twice, or one that is there by itself, changes nothing.
///
/// ```
/// use condotta::{prelude::*, registry};
///
/// #[derive(Task)]
/// struct Count<T: Task + Default> {
///     of: std::marker::PhantomData<T>,
/// }
///
/// #[task]
/// impl<T: Task + Default> Task for Count<T> {
///     fn requires(&self) -> T {
///         T::default()
///     }
/// }
///
/// #[derive(Task, Default)]
/// struct Weather;
///
/// #[task]
/// impl Task for Weather {}
///
/// registry::register::<Count<Weather>>();
/// assert!(registry::find("Count_Weather").is_ok());
/// ```
pub fn register<T: Task>() {
    let class: &'static TaskClass = const { &TaskClass::of_task::<T>() };
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    registered.push(class);
}

/// All classes, ordered by family.
#[must_use]
pub fn all() -> Vec<&'static TaskClass> {
    let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
    let mut classes: Vec<&'static TaskClass> = inventory::iter::<TaskClass>
        .into_iter()
        .chain(registered.iter().copied())
        .collect();
    classes.sort_by_cached_key(|class| ((class.family)(), (class.type_name)()));
    classes.dedup_by_key(|class| (class.type_name)());
    classes
}

/// The task class of this family. Config sections are not found.
///
/// # Errors
/// There is none, or there are several.
pub fn find(family: &str) -> Result<&'static TaskClass, RegistryError> {
    let tasks: Vec<_> = all()
        .into_iter()
        .filter(|class| class.build.is_some())
        .collect();
    let mut found = tasks.iter().filter(|class| (class.family)() == family);
    match (found.next(), found.next()) {
        (Some(class), None) => Ok(class),
        (Some(first), Some(second)) => Err(clash(family, first, second)),
        (None, _) => Err(RegistryError::Unknown {
            family: family.to_owned(),
            known: tasks.iter().map(|class| (class.family)()).collect(),
        }),
    }
}

/// Looks for two classes of one family.
///
/// # Errors
/// There are such two.
pub fn check() -> Result<(), RegistryError> {
    let classes = all();
    let families: Vec<String> = classes.iter().map(|class| (class.family)()).collect();
    match families.windows(2).position(|pair| pair[0] == pair[1]) {
        Some(at) => Err(clash(&families[at], classes[at], classes[at + 1])),
        None => Ok(()),
    }
}

fn clash(family: &str, first: &TaskClass, second: &TaskClass) -> RegistryError {
    RegistryError::Clash {
        family: family.to_owned(),
        first: (first.type_name)(),
        second: (second.type_name)(),
    }
}

/// A family does not name one task class.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Nothing has this family.
    #[error("no task {family}")]
    Unknown {
        /// The family that was looked for.
        family: String,
        /// All families there are, in their order.
        known: Vec<String>,
    },
    /// Two types have it.
    #[error(
        "{first} and {second} are both tasks of the family {family}: give one of them another \
         `family` or `namespace`"
    )]
    Clash {
        /// The family.
        family: String,
        /// The path of the one type.
        first: &'static str,
        /// The path of the other.
        second: &'static str,
    },
}
