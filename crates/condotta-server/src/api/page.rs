//! Pages of lists: how long they are, and where they begin.

use crate::http::error::HttpError;

/// The items of a page, if nobody says how many.
const USUAL: u64 = 100;
/// The most items of a page.
const MOST: u64 = 1000;
/// The farthest that a page may begin.
const FARTHEST: u64 = 10_000_000;

/// How many items a page has at most.
///
/// # Errors
///
/// When that is too many, or none.
pub(crate) fn limit(asked: Option<u64>) -> Result<usize, HttpError> {
    match asked.unwrap_or(USUAL) {
        limit @ 1..=MOST => Ok(usize::try_from(limit).expect("at most 1000")),
        other => Err(wrong("limit", other, 1, MOST)),
    }
}

/// How many items come before a page.
///
/// # Errors
///
/// When that is too many.
pub(crate) fn offset(asked: Option<u64>) -> Result<usize, HttpError> {
    match asked.unwrap_or_default() {
        offset @ 0..=FARTHEST => Ok(usize::try_from(offset).expect("a few millions")),
        other => Err(wrong("offset", other, 0, FARTHEST)),
    }
}

fn wrong(name: &str, given: u64, least: u64, most: u64) -> HttpError {
    let message =
        format!("the parameter `{name}` is {given}: give a whole number from {least} to {most}");
    HttpError::bad_request("bad_parameter", message)
}
