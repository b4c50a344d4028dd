//! A task's id: its family, a glimpse of its parameters, and a hash of them. To the letter Luigi's,
//! so that equal tasks are one task wherever they were built.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};

/// The summary shows this many parameters …
const SUMMARY_PARAMS: usize = 3;
/// … each cut to this many characters.
const SUMMARY_CHARS: usize = 16;
/// The id ends in this many hexadecimal digits of the hash.
const HASH_DIGITS: usize = 10;

/// The id of a task by its family and its parameters: those that are significant and public, with
/// their serialised values, in any order.
///
/// ```
/// use condotta::task_id::task_id;
///
/// assert_eq!(task_id("ns.MyTask", &mut [("b", "2"), ("a", "1")]), "ns.MyTask_1_2_8018d630c3");
/// assert_eq!(task_id("MyTask", &mut []), "MyTask__99914b932b");
/// ```
pub fn task_id(family: &str, params: &mut [(&str, &str)]) -> String {
    params.sort_unstable_by_key(|(name, _)| *name);
    let mut id = String::with_capacity(family.len() + 64);
    id.push_str(family);
    id.push('_');
    for (index, (_, value)) in params.iter().take(SUMMARY_PARAMS).enumerate() {
        if index > 0 {
            id.push('_');
        }
        let shown = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        id.extend(value.chars().take(SUMMARY_CHARS).map(shown));
    }
    id.push('_');
    for byte in &Md5::digest(canonical(params))[..HASH_DIGITS / 2] {
        write!(id, "{byte:02x}").expect("writing to a string does not fail");
    }
    id
}

/// JSON without spaces and without anything but ASCII, in the order of names.
fn canonical(params: &[(&str, &str)]) -> String {
    use crate::parameter::json::write_string;
    let mut text = String::with_capacity(params.len() * 32 + 2);
    text.push('{');
    for (index, (name, value)) in params.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_string(name, &mut text);
        text.push(':');
        write_string(value, &mut text);
    }
    text.push('}');
    text
}
