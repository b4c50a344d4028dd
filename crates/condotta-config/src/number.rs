//! Numbers and truth values in text, as Python's `int`, `float` and `configparser` read them.

use crate::ini::is_space;

/// `configparser`'s words, in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Some(true),
        "0" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// Python's `int(text)`: white space around, a sign, single underscores between digits.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let text = without_underscores(text)?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Python's `float(text)`.
pub(crate) fn float(text: &str) -> Option<f64> {
    // Rust reads the same words (`inf`, `infinity`, `nan`, in any case) and forms (`.5`, `5.`).
    without_underscores(text)?.parse().ok()
}

/// The trimmed text; `None` when an underscore does not stand between two digits.
fn without_underscores(text: &str) -> Option<String> {
    let text = text.trim_matches(is_space);
    let bytes = text.as_bytes();
    let digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    let misplaced = (0..bytes.len())
        .any(|index| bytes[index] == b'_' && !(index > 0 && digit(index - 1) && digit(index + 1)));
    (!misplaced).then(|| text.replace('_', ""))
}
