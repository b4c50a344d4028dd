//! The parameters of a class: what the derive macros say of each field, and how values are found.

mod field;

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use condotta_scheduler::Visibility;

pub use field::Field;

use crate::{
    class::{Origin, ParamError, ParamSource, ParamSpec},
    settings::Installed,
};

/// A struct whose fields are parameters. `#[derive(Task)]` and `#[derive(Config)]` implement it.
#[diagnostic::on_unimplemented(
    message = "the fields of `{Self}` are not known as parameters",
    label = "`#[derive(Task)]` is missing on `{Self}`"
)]
pub trait Parameters: Sized + Send + Sync + 'static {
    /// The type's own name.
    const NAME: &'static str;
    /// The doc comment.
    const DESCRIPTION: &'static str;

    /// The family of a task, or the section of a config.
    fn family() -> String;

    /// All parameters in declaration order.
    fn specs() -> Vec<ParamSpec>;

    /// What is the same for all values of this type.
    fn class() -> &'static Class;

    /// Builds a value from texts, and from defaults for what has none.
    ///
    /// # Errors
    /// A parameter has neither, or its text is no value of its type.
    fn from_source(source: &dyn ParamSource) -> Result<Self, ParamError>;

    /// The serialised values in declaration order.
    fn values(&self) -> Vec<String>;

    /// Puts values on their grid and checks ranges and choices, for values that Rust code gave.
    ///
    /// # Errors
    /// A value is not permitted.
    fn normalize(&mut self) -> Result<(), ParamError>;

    /// The serialised value that follows `value` in this parameter's natural order.
    fn next_in_enumeration(param: &str, value: &str) -> Option<String>;
}

/// What is the same for all tasks of a class, looked up once.
#[derive(Debug)]
pub struct Class {
    /// The family with its namespace.
    pub family: String,
    /// All parameters in declaration order.
    pub specs: Vec<ParamSpec>,
    /// Where in `specs` those are that make up the task id, by name.
    pub(crate) identity: Vec<usize>,
}

impl Class {
    /// Asks the type.
    #[must_use]
    pub fn of<T: Parameters>() -> Self {
        let specs = T::specs();
        let mut identity: Vec<usize> = (0..specs.len())
            .filter(|&index| {
                specs[index].significant && specs[index].visibility == Visibility::Public
            })
            .collect();
        identity.sort_by_key(|&index| specs[index].name);
        Self {
            family: T::family(),
            specs,
            identity,
        }
    }

    /// As [`of`](Self::of), once for each type: the memory of a generic class.
    #[must_use]
    pub fn of_generic<T: Parameters>() -> &'static Self {
        static CLASSES: RwLock<Option<HashMap<TypeId, &'static Class>>> = RwLock::new(None);
        let id = TypeId::of::<T>();
        let known = CLASSES.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(class) = known.as_ref().and_then(|classes| classes.get(&id)) {
            return class;
        }
        drop(known);
        let class = Self::of::<T>();
        let mut classes = CLASSES.write().unwrap_or_else(PoisonError::into_inner);
        classes
            .get_or_insert_default()
            .entry(id)
            .or_insert_with(|| Box::leak(Box::new(class)))
    }
}

/// Texts that builders start from: those of another task, then the settings of the process.
#[derive(Debug, Default)]
pub struct Inherited(Vec<(&'static str, String)>);

impl Inherited {
    /// Takes over all parameters of `other`.
    pub fn take<T: Parameters>(&mut self, other: &T) {
        let names = T::class().specs.iter().map(|spec| spec.name);
        self.0.extend(names.zip(other.values()));
    }
}

impl ParamSource for Inherited {
    fn given(&self, family: &str, param: &ParamSpec) -> Option<(Vec<String>, Origin)> {
        let inherited = self.0.iter().rfind(|(name, _)| *name == param.name);
        match inherited {
            Some((_, text)) => Some((vec![text.clone()], Origin::Given)),
            None => Installed.given(family, param),
        }
    }
}
