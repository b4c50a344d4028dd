//! A task's id: its family, a glimpse of its parameters, and a hash of them. To the letter Luigi's,
//! so that equal tasks are one task wherever they were built.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};

/// How much of what goes into an id.
#[derive(Clone, Copy, Debug)]
pub struct Lengths {
    /// So many parameters are shown …
    pub shown_params: usize,
    /// … each cut to this many characters.
    pub shown_chars: usize,
    /// The id ends in this many hexadecimal digits of the hash, at most all 32.
    pub hash_digits: usize,
}

impl Lengths {
    /// Those of Luigi.
    pub const STANDARD: Self = Self {
        shown_params: 3,
        shown_chars: 16,
        hash_digits: 10,
    };
}

/// The id of a task by its family and its parameters: those that are significant and public, with
/// their serialised values, in any order.
///
/// ```
/// use condotta_worker::task_id::task_id;
///
/// assert_eq!(task_id("ns.MyTask", &mut [("b", "2"), ("a", "1")]), "ns.MyTask_1_2_8018d630c3");
/// assert_eq!(task_id("MyTask", &mut []), "MyTask__99914b932b");
/// ```
pub fn task_id(family: &str, params: &mut [(&str, &str)]) -> String {
    task_id_with(family, params, Lengths::STANDARD)
}

/// The same with other lengths: Python programs can set them.
pub fn task_id_with(family: &str, params: &mut [(&str, &str)], lengths: Lengths) -> String {
    params.sort_unstable_by_key(|(name, _)| *name);
    let mut id = String::with_capacity(family.len() + 64);
    id.push_str(family);
    id.push('_');
    for (index, (_, value)) in params.iter().take(lengths.shown_params).enumerate() {
        if index > 0 {
            id.push('_');
        }
        let shown = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        id.extend(value.chars().take(lengths.shown_chars).map(shown));
    }
    id.push('_');
    let mut digits = String::with_capacity(32);
    for byte in &Md5::digest(canonical(params)) {
        write!(digits, "{byte:02x}").expect("writing to a string does not fail");
    }
    digits.truncate(lengths.hash_digits);
    id + &digits
}

/// JSON without spaces and without anything but ASCII, in the order of names.
fn canonical(params: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(params.len() * 32 + 2);
    text.push('{');
    for (index, (name, value)) in params.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_json_string(name, &mut text);
        text.push(':');
        write_json_string(value, &mut text);
    }
    text.push('}');
    text
}

/// Appends a text as Python's `json.dumps` writes it, with everything that is not ASCII escaped.
pub fn write_json_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").expect("writing to a string does not fail");
                }
            }
        }
    }
    out.push('"');
}
