//! JSON texts as Python's `json.dumps` writes them: `", "` and `": "`, and everything that is not
//! ASCII escaped. Task ids depend on each byte.

pub(crate) use condotta_worker::task_id::write_json_string as write_string;
use serde_json::Value;

use super::{ParseError, scalar};

pub(crate) fn write_list<T>(
    items: impl IntoIterator<Item = T>,
    out: &mut String,
    mut write_item: impl FnMut(T, &mut String),
) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_item(item, out);
    }
    out.push(']');
}

pub(crate) fn write_map<K: AsRef<str>, V>(
    entries: impl IntoIterator<Item = (K, V)>,
    out: &mut String,
    mut write_item: impl FnMut(V, &mut String),
) {
    out.push('{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_string(key.as_ref(), out);
        out.push_str(": ");
        write_item(value, out);
    }
    out.push('}');
}

pub(crate) fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => out.push_str(&scalar::python_float(float)),
            _ => out.push_str(&number.to_string()),
        },
        Value::String(text) => write_string(text, out),
        Value::Array(items) => write_list(items, out, write_value),
        Value::Object(entries) => write_map(entries, out, write_value),
    }
}

/// Reads a JSON text whose form is known.
pub(crate) fn parse(text: &str) -> Result<Value, ParseError> {
    serde_json::from_str(text).map_err(|error| {
        // What a shell leaves of quotes, or a list as one would write it by hand.
        let bare = text
            .trim_start()
            .trim_start_matches(['[', '{', '(', '\'', ' ']);
        let hint = if bare.starts_with(char::is_alphabetic) {
            "; texts in JSON stand in double quotes, as in '[\"a\", \"b\"]'"
        } else {
            ""
        };
        ParseError::new(format_args!("not JSON: {error}{hint}"))
    })
}

/// Reads what Python would take for a tuple, such as `(1, 'a', None)`; Luigi's `TupleParameter` takes
/// both this and JSON.
pub(crate) fn parse_or_literal(text: &str) -> Result<Value, ParseError> {
    parse(text).or_else(|error| {
        let literal = text
            .trim_start()
            .starts_with('(')
            .then(|| json_of_literal(text));
        literal.and_then(|json| parse(&json).ok()).ok_or(error)
    })
}

/// Brackets for parentheses, JSON's words and quotes for Python's, and no comma at the end.
fn json_of_literal(text: &str) -> String {
    let mut json = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '(' | '[' => json.push('['),
            ')' | ']' => {
                json.truncate(json.trim_end().trim_end_matches(',').len());
                json.push(']');
            }
            quote @ ('\'' | '"') => {
                let (string, after) = quoted(rest, quote);
                write_string(&string, &mut json);
                rest = after;
            }
            c if c.is_alphabetic() => {
                let end = rest
                    .find(|c: char| !c.is_alphabetic())
                    .unwrap_or(rest.len());
                let word = format!("{c}{}", &rest[..end]);
                json.push_str(match word.as_str() {
                    "True" => "true",
                    "False" => "false",
                    "None" => "null",
                    other => other,
                });
                rest = &rest[end..];
            }
            c => json.push(c),
        }
    }
    json
}

/// The string up to the closing quote, and what follows it.
fn quoted(text: &str, quote: char) -> (String, &str) {
    let mut string = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, 'n')) => string.push('\n'),
                Some((_, 't')) => string.push('\t'),
                Some((_, escaped)) => string.push(escaped),
                None => {}
            },
            c if c == quote => return (string, &text[at + 1..]),
            c => string.push(c),
        }
    }
    (string, "")
}
