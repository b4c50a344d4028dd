//! How the values of tasks that run as one become one value: `#[param(batch_method = max)]`.
//!
//! A batch has at least one member, so there is always a value.

/// The greatest value.
///
/// # Panics
/// There are no values.
#[must_use]
pub fn max<T: PartialOrd>(values: Vec<T>) -> T {
    let greater = |best, value| if value > best { value } else { best };
    values
        .into_iter()
        .reduce(greater)
        .expect("a batch has members")
}

/// The least value.
///
/// # Panics
/// There are no values.
#[must_use]
pub fn min<T: PartialOrd>(values: Vec<T>) -> T {
    let less = |best, value| if value < best { value } else { best };
    values
        .into_iter()
        .reduce(less)
        .expect("a batch has members")
}

/// All values one after the other: lists as one list, texts with commas between.
#[must_use]
pub fn concat<T: Concat>(values: Vec<T>) -> T {
    T::concat(values)
}

/// Values that can be put one after the other.
pub trait Concat: Sized {
    /// Joins them.
    #[must_use]
    fn concat(values: Vec<Self>) -> Self;
}

impl<T> Concat for Vec<T> {
    fn concat(values: Vec<Self>) -> Self {
        values.into_iter().flatten().collect()
    }
}

impl Concat for String {
    fn concat(values: Vec<Self>) -> Self {
        values.join(",")
    }
}
