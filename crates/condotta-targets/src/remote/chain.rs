//! One line of an error and what is behind it.

use std::error::Error;

/// `message` and the sources of `error`, each said once.
pub(crate) fn of(message: &str, error: &dyn Error) -> String {
    let mut text = message.trim().to_owned();
    let mut source = error.source();
    while let Some(error) = source {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = error.source();
    }
    text
}
