//! Takes the answers of a luigid apart. Knows nothing of what they are about.

use condotta_protocol::Json;
use condotta_scheduler::Timestamp;

/// An answer that no luigid gives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer to {method} is not one of luigid: {reason}")]
pub struct BadAnswer {
    /// What was asked.
    pub method: String,
    /// What is wrong with the answer.
    pub reason: String,
}

impl BadAnswer {
    pub(super) fn new(method: &str, reason: String) -> Self {
        Self {
            method: method.to_owned(),
            reason,
        }
    }
}

/// The fields of an object in an answer.
#[derive(Default)]
pub(super) struct Fields {
    method: &'static str,
    entries: Vec<(String, Json)>,
}

impl Fields {
    /// The fields of `answer`, which is to be an object.
    pub(super) fn of(method: &'static str, answer: Json) -> Result<Self, BadAnswer> {
        match answer {
            Json::Object(object) => Ok(Self {
                method,
                entries: object.into_entries(),
            }),
            other => Err(BadAnswer::new(
                method,
                format!("expected an object, not {other}"),
            )),
        }
    }

    /// The objects in `answer`, which is to be a list.
    pub(super) fn list(
        method: &'static str,
        answer: Json,
    ) -> Result<impl Iterator<Item = Result<Self, BadAnswer>>, BadAnswer> {
        match answer {
            Json::List(items) => Ok(items.into_iter().map(move |item| Self::of(method, item))),
            other => Err(BadAnswer::new(
                method,
                format!("expected a list, not {other}"),
            )),
        }
    }

    pub(super) fn into_entries(self) -> Vec<(String, Json)> {
        self.entries
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        let found = self.entries.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    /// Takes a field out.
    pub(super) fn take(&mut self, name: &str) -> Option<Json> {
        let index = self.entries.iter().position(|(known, _)| known == name)?;
        Some(self.entries.remove(index).1)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, BadAnswer> {
        match self.take(name) {
            Some(Json::Text(text)) => Ok(text),
            other => Err(self.wrong(name, "a text", other)),
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, BadAnswer> {
        match self.take(name) {
            Some(Json::Bool(flag)) => Ok(flag),
            other => Err(self.wrong(name, "a flag", other)),
        }
    }

    /// A whole number that is not negative. Luigi keeps fractions; the next whole number is as safe.
    pub(super) fn amount(&mut self, name: &str) -> Result<u64, BadAnswer> {
        match self.take(name) {
            Some(Json::Int(number)) if number >= 0 => Ok(number.unsigned_abs()),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be a whole number in range"
            )]
            Some(Json::Float(number)) if (0.0..1e15).contains(&number) => Ok(number.ceil() as u64),
            other => Err(self.wrong(name, "an amount", other)),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<f64, BadAnswer> {
        let value = self.take(name);
        let number = value
            .as_ref()
            .and_then(number_of)
            .filter(|number| !number.is_nan());
        number.ok_or_else(|| self.wrong(name, "a number", value))
    }

    pub(super) fn time(&mut self, name: &str) -> Result<Timestamp, BadAnswer> {
        self.number(name).map(Timestamp)
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, BadAnswer> {
        let items = match self.take(name) {
            Some(Json::List(items)) => items,
            other => return Err(self.wrong(name, "a list", other)),
        };
        let texts = items.into_iter().map(|item| match item {
            Json::Text(text) => Ok(text),
            other => Err(self.wrong(name, "texts", Some(other))),
        });
        texts.collect()
    }

    pub(super) fn maybe_text(&mut self, name: &str) -> Option<String> {
        self.take(name)
            .filter(|value| *value != Json::Null)
            .map(text_of)
    }

    pub(super) fn maybe_number(&mut self, name: &str) -> Option<f64> {
        self.take(name).as_ref().and_then(number_of)
    }

    pub(super) fn maybe_time(&mut self, name: &str) -> Option<Timestamp> {
        self.maybe_number(name).map(Timestamp)
    }

    fn wrong(&self, name: &str, expected: &str, found: Option<Json>) -> BadAnswer {
        let found = found.map_or("nothing".to_owned(), |value| value.to_string());
        BadAnswer::new(
            self.method,
            format!("expected {expected} as {name:?}, not {found}"),
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "times and priorities are small")]
fn number_of(value: &Json) -> Option<f64> {
    match value {
        Json::Int(number) => Some(*number as f64),
        Json::Float(number) => Some(*number),
        _ => None,
    }
}

/// A value as a text: one that is none becomes its JSON.
pub(super) fn text_of(value: Json) -> String {
    match value {
        Json::Text(text) => text,
        other => other.to_string(),
    }
}

/// What Python takes for true.
pub(super) fn is_true(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(flag) => *flag,
        Json::Int(number) => *number != 0,
        Json::Float(number) => *number != 0.0,
        Json::Text(text) => !text.is_empty(),
        Json::List(items) => !items.is_empty(),
        Json::Object(object) => !object.clone().into_entries().is_empty(),
    }
}
