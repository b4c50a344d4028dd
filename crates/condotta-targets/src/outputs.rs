//! Shapes of targets: one, none, or tuples, arrays, lists, maps and options of them.

use std::{any::Any, collections::BTreeMap, fmt, sync::Arc};

use crate::{BoxError, Target};

/// A target or a shape of targets: what a task may name as its output.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a target nor a shape of targets",
    label = "not a target",
    note = "an output is a type with `Target`, `()`, or a tuple, array, `Vec`, `Option`, map or `Result` of these"
)]
pub trait Outputs: Sized {
    /// The same shape without `Result`s.
    type Targets;
    /// There may be an error in place of a target.
    const FALLIBLE: bool;

    /// Takes the targets out.
    ///
    /// # Errors
    /// There is an error in place of a target.
    fn into_targets(self) -> Result<Self::Targets, BoxError>;

    /// Visits each target, in the order of the shape.
    fn visit(targets: &Self::Targets, visit: &mut dyn FnMut(&dyn Target));

    /// Hands over each target, in the order of the shape.
    fn erase(targets: Self::Targets, take: &mut dyn FnMut(AnyTarget));
}

type Visit<'a> = &'a mut dyn FnMut(&dyn Target);
type Take<'a> = &'a mut dyn FnMut(AnyTarget);

impl<T: Target> Outputs for T {
    type Targets = T;
    const FALLIBLE: bool = false;

    fn into_targets(self) -> Result<T, BoxError> {
        Ok(self)
    }

    fn visit(targets: &T, visit: Visit<'_>) {
        visit(targets);
    }

    fn erase(targets: T, take: Take<'_>) {
        take(AnyTarget::new(targets));
    }
}

impl<O: Outputs, E: Into<BoxError>> Outputs for Result<O, E> {
    type Targets = O::Targets;
    const FALLIBLE: bool = true;

    fn into_targets(self) -> Result<O::Targets, BoxError> {
        self.map_err(Into::into)?.into_targets()
    }

    fn visit(targets: &O::Targets, visit: Visit<'_>) {
        O::visit(targets, visit);
    }

    fn erase(targets: O::Targets, take: Take<'_>) {
        O::erase(targets, take);
    }
}

impl<O: Outputs, const N: usize> Outputs for [O; N] {
    type Targets = [O::Targets; N];
    const FALLIBLE: bool = O::FALLIBLE;

    fn into_targets(self) -> Result<Self::Targets, BoxError> {
        let targets: Vec<_> = self
            .into_iter()
            .map(O::into_targets)
            .collect::<Result<_, _>>()?;
        let Ok(targets) = targets.try_into() else {
            unreachable!("one for each of {N}")
        };
        Ok(targets)
    }

    fn visit(targets: &Self::Targets, visit: Visit<'_>) {
        targets.iter().for_each(|target| O::visit(target, visit));
    }

    fn erase(targets: Self::Targets, take: Take<'_>) {
        targets
            .into_iter()
            .for_each(|target| O::erase(target, take));
    }
}

impl<O: Outputs> Outputs for Vec<O> {
    type Targets = Vec<O::Targets>;
    const FALLIBLE: bool = O::FALLIBLE;

    fn into_targets(self) -> Result<Self::Targets, BoxError> {
        self.into_iter().map(O::into_targets).collect()
    }

    fn visit(targets: &Self::Targets, visit: Visit<'_>) {
        targets.iter().for_each(|target| O::visit(target, visit));
    }

    fn erase(targets: Self::Targets, take: Take<'_>) {
        targets
            .into_iter()
            .for_each(|target| O::erase(target, take));
    }
}

impl<O: Outputs> Outputs for Option<O> {
    type Targets = Option<O::Targets>;
    const FALLIBLE: bool = O::FALLIBLE;

    fn into_targets(self) -> Result<Self::Targets, BoxError> {
        self.map(O::into_targets).transpose()
    }

    fn visit(targets: &Self::Targets, visit: Visit<'_>) {
        targets.iter().for_each(|target| O::visit(target, visit));
    }

    fn erase(targets: Self::Targets, take: Take<'_>) {
        targets
            .into_iter()
            .for_each(|target| O::erase(target, take));
    }
}

impl<K: Ord, O: Outputs> Outputs for BTreeMap<K, O> {
    type Targets = BTreeMap<K, O::Targets>;
    const FALLIBLE: bool = O::FALLIBLE;

    fn into_targets(self) -> Result<Self::Targets, BoxError> {
        self.into_iter()
            .map(|(key, output)| Ok((key, output.into_targets()?)))
            .collect()
    }

    fn visit(targets: &Self::Targets, visit: Visit<'_>) {
        targets.values().for_each(|target| O::visit(target, visit));
    }

    fn erase(targets: Self::Targets, take: Take<'_>) {
        targets
            .into_values()
            .for_each(|target| O::erase(target, take));
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),*))*) => {$(
        impl<$($name: Outputs),*> Outputs for ($($name,)*) {
            type Targets = ($($name::Targets,)*);
            const FALLIBLE: bool = false $(|| $name::FALLIBLE)*;

            fn into_targets(self) -> Result<Self::Targets, BoxError> {
                Ok(($(self.$index.into_targets()?,)*))
            }

            fn visit(_targets: &Self::Targets, _visit: Visit<'_>) {
                $($name::visit(&_targets.$index, _visit);)*
            }

            fn erase(_targets: Self::Targets, _take: Take<'_>) {
                $($name::erase(_targets.$index, _take);)*
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

/// A target of any type. Cheap to clone.
#[derive(Clone)]
pub struct AnyTarget(Arc<dyn ErasedTarget>);

impl AnyTarget {
    /// Forgets a target's type.
    #[must_use]
    pub fn new(target: impl Target) -> Self {
        Self(Arc::new(target))
    }

    /// The target, if it is of this type.
    #[must_use]
    pub fn downcast_ref<T: Target>(&self) -> Option<&T> {
        let any: &dyn Any = &*self.0;
        any.downcast_ref()
    }
}

/// A target that knows what type it was.
trait ErasedTarget: Target + Any {}

impl<T: Target> ErasedTarget for T {}

impl fmt::Display for AnyTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for AnyTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
