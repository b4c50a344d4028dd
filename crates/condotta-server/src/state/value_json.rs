//! The values inside of records as JSON: numbers that JSON has no word for, times, statuses,
//! parameters, messages. Knows nothing of records.

use std::fmt;

use condotta_scheduler::{InfoValue, Param, Status, Timestamp, Visibility, WorkerMessage};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};

/// Declares a module for serde's `with` that deals with an `Option` of a type by the shape of it.
macro_rules! maybe {
    ($vis:vis $module:ident, $type:ty, $shape:literal) => {
        $vis mod $module {
            use super::*;

            #[derive(Serialize)]
            #[serde(transparent)]
            struct Ref<'a>(#[serde(with = $shape)] &'a $type);

            #[derive(Deserialize)]
            #[serde(transparent)]
            struct Owned(#[serde(with = $shape)] $type);

            pub(in crate::state) fn serialize<S: Serializer>(
                value: &Option<$type>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                value.as_ref().map(Ref).serialize(serializer)
            }

            pub(in crate::state) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<$type>, D::Error> {
                Ok(Option::<Owned>::deserialize(deserializer)?.map(|owned| owned.0))
            }
        }
    };
}

/// The same for a list of them.
macro_rules! each {
    ($vis:vis $module:ident, $type:ty, $shape:literal) => {
        $vis mod $module {
            use super::*;

            #[derive(Serialize)]
            #[serde(transparent)]
            struct Ref<'a>(#[serde(with = $shape)] &'a $type);

            #[derive(Deserialize)]
            #[serde(transparent)]
            struct Owned(#[serde(with = $shape)] $type);

            pub(in crate::state) fn serialize<S: Serializer>(
                values: &[$type],
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(values.iter().map(Ref))
            }

            pub(in crate::state) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Vec<$type>, D::Error> {
                let values = Vec::<Owned>::deserialize(deserializer)?;
                Ok(values.into_iter().map(|owned| owned.0).collect())
            }
        }
    };
}

pub(super) use {each, maybe};

/// Whether a value is what its absence means.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A moment, as a number.
pub(super) struct TimestampJson;

impl TimestampJson {
    pub(super) fn serialize<S: Serializer>(
        value: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        number::serialize(&value.0, serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        number::deserialize(deserializer).map(Timestamp)
    }
}

/// A number that may be infinite, which JSON has no word for: it is then a text.
pub(super) mod number {
    use super::{Deserializer, NumberVisitor, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(in crate::state) fn serialize<S: Serializer>(
        value: &f64,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            serializer.serialize_f64(*value)
        } else {
            serializer.collect_str(value)
        }
    }

    pub(in crate::state) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<f64, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, \"inf\", \"-inf\" or \"NaN\"")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a number without a point is still a number"
    )]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a number without a point is still a number"
    )]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<f64, E> {
        match text {
            "inf" => Ok(f64::INFINITY),
            "-inf" => Ok(f64::NEG_INFINITY),
            "NaN" => Ok(f64::NAN),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

maybe!(pub(super) maybe_number, f64, "number");

/// A status, by its name on the wire.
pub(super) mod status {
    use super::{Deserialize as _, Deserializer, Serializer, Status, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(in crate::state) fn serialize<S: Serializer>(
        status: &Status,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(status.name())
    }

    pub(in crate::state) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Status, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Status::ALL.into_iter().find(|status| status.name() == name);
        known.ok_or_else(|| de::Error::custom(format_args!("unknown status {name:?}")))
    }
}

/// A parameter: `[name, value]`, with a third member when not everybody may see it.
pub(super) struct ParamJson;

impl ParamJson {
    pub(super) fn serialize<S: Serializer>(
        param: &Param,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let (name, value) = (&param.name, &param.value);
        match param.visibility {
            Visibility::Public => (name, value).serialize(serializer),
            Visibility::Hidden => (name, value, "hidden").serialize(serializer),
            Visibility::Private => (name, value, "private").serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Param, D::Error> {
        deserializer.deserialize_seq(ParamVisitor)
    }
}

struct ParamVisitor;

impl<'de> Visitor<'de> for ParamVisitor {
    type Value = Param;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a parameter's name and value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Param, A::Error> {
        let name = seq.next_element()?;
        let value = seq.next_element()?;
        let visibility = match seq.next_element::<String>()?.as_deref() {
            None => Visibility::Public,
            Some("hidden") => Visibility::Hidden,
            Some("private") => Visibility::Private,
            Some(other) => {
                let unexpected = de::Unexpected::Str(other);
                return Err(de::Error::invalid_value(unexpected, &"a visibility"));
            }
        };
        Ok(Param {
            name: name.ok_or_else(|| de::Error::invalid_length(0, &self))?,
            value: value.ok_or_else(|| de::Error::invalid_length(1, &self))?,
            visibility,
        })
    }
}

/// A message that a worker has not fetched.
#[derive(Serialize, Deserialize)]
#[serde(remote = "WorkerMessage", rename_all = "snake_case")]
pub(super) enum MessageJson {
    SetWorkerProcesses {
        n: u64,
    },
    DispatchSchedulerMessage {
        task_id: String,
        message_id: String,
        content: String,
    },
    CancelTask {
        task_id: String,
        attempt: u64,
        by: String,
    },
}

/// A value that a worker said of itself: as it is where JSON has such values, else an object.
pub(super) struct InfoValueJson;

impl InfoValueJson {
    pub(super) fn serialize<S: Serializer>(
        value: &InfoValue,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            InfoValue::Null => serializer.serialize_unit(),
            InfoValue::Bool(flag) => serializer.serialize_bool(*flag),
            InfoValue::Int(number) => serializer.serialize_i64(*number),
            InfoValue::Float(number) if number.is_finite() => serializer.serialize_f64(*number),
            InfoValue::Float(number) => OtherRef::Float(*number).serialize(serializer),
            InfoValue::Text(text) => serializer.serialize_str(text),
            InfoValue::Json(text) => OtherRef::Json(text).serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<InfoValue, D::Error> {
        deserializer.deserialize_any(InfoVisitor)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum OtherRef<'a> {
    Float(#[serde(with = "number")] f64),
    Json(&'a str),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Other {
    Float(#[serde(with = "number")] f64),
    Json(String),
}

struct InfoVisitor;

impl<'de> Visitor<'de> for InfoVisitor {
    type Value = InfoValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value, or an object with `float` or `json`")
    }

    fn visit_unit<E: de::Error>(self) -> Result<InfoValue, E> {
        Ok(InfoValue::Null)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<InfoValue, E> {
        Ok(InfoValue::Bool(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<InfoValue, E> {
        Ok(InfoValue::Int(number))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "what no Int can hold was written as a Float"
    )]
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<InfoValue, E> {
        Ok(i64::try_from(number).map_or(InfoValue::Float(number as f64), InfoValue::Int))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<InfoValue, E> {
        Ok(InfoValue::Float(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<InfoValue, E> {
        Ok(InfoValue::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<InfoValue, A::Error> {
        let other = Other::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(match other {
            Other::Float(number) => InfoValue::Float(number),
            Other::Json(text) => InfoValue::Json(text),
        })
    }
}
