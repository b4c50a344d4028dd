//! Texts as they are stored: whatever a task says fits into any database, and none is too long.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Serialize, Serializer as _};
use serde_json::{Map, Value as Json};

use crate::{attempt::Began, database::Value, keys, store::Row};

/// The longest value of a parameter, in bytes.
const LONGEST_VALUE: usize = 4096;
/// The most that the public parameters of an attempt take, in bytes, and the hidden ones.
const LONGEST_PARAMS: usize = 65_536;

/// How many columns a row has, which are those that are written.
pub(crate) const ROW_COLUMNS: usize = 18;

/// How texts are stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts {
    /// The longest error or statistics, in bytes.
    pub(crate) longest: usize,
}

impl Texts {
    /// An error or statistics; what is cut off is said.
    pub(crate) fn long(self, text: &str) -> Cow<'_, str> {
        match clean(text) {
            Cow::Borrowed(text) => cut(text, self.longest),
            Cow::Owned(text) => cut(&text, self.longest).into_owned().into(),
        }
    }

    /// The columns of an attempt, from `began` on.
    pub(crate) fn row(self, row: &Row) -> [Value<'_>; ROW_COLUMNS] {
        let Row {
            id,
            keys,
            began,
            ended,
            statistics,
        } = row;
        let [millis, hash] = keys::attempt(id);
        let end = ended.as_ref();
        let resources = (!began.resources.is_empty()).then(|| resources(began).into());
        let hidden = &began.hidden_params;
        let hidden = (!hidden.is_empty()).then(|| params(hidden).into());
        let time = |time: Option<_>| Value::Whole(time.map(keys::millis));
        [
            millis.into(),
            hash.into(),
            keys.task.into(),
            keys.family.into(),
            Value::Whole(keys.worker),
            i64::try_from(began.attempt).unwrap_or(i64::MAX).into(),
            time(end.and_then(|end| end.ended)),
            end.map_or(0, |end| end.outcome.code()).into(),
            time(began.scheduled),
            time(began.ready),
            Value::Fraction(began.priority.clamp(f64::MIN, f64::MAX)),
            Value::Text(resources),
            Value::Text(began.batch_id.as_ref().map(|text| clean(text))),
            Value::Text(
                end.and_then(|end| end.error.as_ref())
                    .map(|text| self.long(text)),
            ),
            Value::Text(statistics.as_ref().map(|text| self.long(text))),
            clean(&began.task_id).into(),
            params(&began.params).into(),
            Value::Text(hidden),
        ]
    }
}

/// A parameter as it stands in the stored JSON, to be looked for there.
pub(crate) fn param(name: &str, value: &str) -> String {
    format!("{}:{}", Json::from(name), Json::from(self::value(value)))
}

/// A parameter's value as it is kept.
pub(crate) fn value(value: &str) -> Cow<'_, str> {
    cut(value, LONGEST_VALUE)
}

fn params(params: &[(String, String)]) -> String {
    let mut room = LONGEST_PARAMS;
    let mut kept = Vec::with_capacity(params.len());
    for (name, value) in params {
        let value = self::value(value);
        let Some(rest) = room.checked_sub(name.len() + value.len()) else {
            let left_out = params.len() - kept.len();
            let text = format!("{left_out} parameters were too long for the history");
            kept.push(("…", text.into()));
            break;
        };
        room = rest;
        kept.push((name, value));
    }
    object(kept)
}

/// What a run takes, as JSON.
pub(crate) fn resources(began: &Began) -> String {
    object(&began.resources)
}

/// A JSON object.
fn object<K: Serialize, V: Serialize>(pairs: impl IntoIterator<Item = (K, V)>) -> String {
    let mut text = Vec::new();
    let mut json = serde_json::Serializer::new(&mut text);
    json.collect_map(pairs).expect("keys are text");
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// What [`resources`] made.
pub(crate) fn amounts(text: Option<&str>) -> BTreeMap<String, u64> {
    let read = text.and_then(|text| serde_json::from_str(text).ok());
    let map: Map<String, Json> = read.unwrap_or_default();
    map.into_iter()
        .map(|(name, value)| (name, value.as_u64().unwrap_or_default()))
        .collect()
}

/// Not every database takes a zero byte in a text.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        text.replace('\0', "\u{2400}").into()
    } else {
        text.into()
    }
}

pub(crate) fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    if text.len() <= longest {
        return text.into();
    }
    let end = text.floor_char_boundary(longest);
    let all = text.len();
    format!("{}… [{end} of {all} bytes are kept]", &text[..end]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_said() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("ääää", 5), "ää… [4 of 8 bytes are kept]");
    }

    #[test]
    fn a_parameter_is_found_where_it_is_stored_and_nowhere_else() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let stored = params(&[pair("a", "1"), pair("text", r#"x","b":"2"#)]);
        assert!(stored.contains(&param("a", "1")), "{stored}");
        assert!(stored.contains(&param("text", r#"x","b":"2"#)), "{stored}");
        assert!(!stored.contains(&param("b", "2")), "{stored}");
        let long = "x".repeat(5000);
        assert!(params(&[pair("long", &long)]).contains(&param("long", &long)));
    }

    #[test]
    fn too_many_parameters_are_said() {
        let many: Vec<_> = (0..30)
            .map(|it| (it.to_string(), "x".repeat(4000)))
            .collect();
        let stored = params(&many);
        assert!(
            stored.len() < 70_000 && stored.contains("14 parameters were too long"),
            "{stored}"
        );
    }
}
