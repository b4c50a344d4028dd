//! Lists written with commas, as Luigi's `EnumListParameter` and `ChoiceListParameter` do:
//! `#[param(with = condotta::parameter::comma_list)]`.

use super::{Parameter, ParseError};

/// Reads `a,b`; the empty text is the empty list.
///
/// # Errors
/// An element is no value of its type.
pub fn parse<T: Parameter>(text: &str) -> Result<Vec<T>, ParseError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(T::parse).collect()
}

/// Writes `a,b`.
pub fn serialize<T: Parameter>(values: &[T]) -> String {
    let texts: Vec<String> = values.iter().map(T::serialize).collect();
    texts.join(",")
}
