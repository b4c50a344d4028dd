//! Values that identify a task, and how they are written down.
//!
//! A task's fields are its parameters. What counts is the text: on the command line, in the
//! configuration, in task ids and on the way to a scheduler a value is what [`Parameter`] makes of
//! it, and those texts are Luigi's.
//!
//! ```
//! use std::time::Duration;
//!
//! use condotta::{parameter::comma_list, prelude::*};
//!
//! /// How much is said.
//! #[derive(ParameterEnum)]
//! enum Detail {
//!     Brief,
//!     #[param(name = "in-full")]
//!     InFull,
//! }
//!
//! #[derive(Task)]
//! struct Report {
//!     /// The days of the report, as in `--days 2013-W05`.
//!     days: DateInterval,
//!     /// `--detail in-full`.
//!     #[param(default = Detail::Brief)]
//!     detail: Detail,
//!     /// `--regions north,south`.
//!     #[param(with = comma_list, default = "")]
//!     regions: Vec<String>,
//!     /// `--weights '[1, 2.5]'`.
//!     #[param(default)]
//!     weights: Vec<f64>,
//!     /// From 1 to 9.
//!     #[param(min = 1, max = 10, default = 5)]
//!     importance: u8,
//!     /// `--age '1 week 2 days'`.
//!     #[param(default = Duration::from_secs(3600), significant = false)]
//!     age: Duration,
//! }
//!
//! #[task]
//! impl Task for Report {}
//! ```
//!
//! | Luigi | here |
//! | --- | --- |
//! | `Parameter`, `StrParameter` | `String` |
//! | `IntParameter`, `FloatParameter` | any of Rust's numbers |
//! | `BoolParameter` | `bool`; `parsing = explicit` |
//! | `DateParameter`, `MonthParameter`, `YearParameter` | [`Date`], [`Month`], [`Year`] |
//! | `DateHourParameter`, `…Minute…`, `…Second…` | [`DateHour`], [`DateMinute`], [`DateSecond`] |
//! | `DateIntervalParameter` | [`DateInterval`] |
//! | `TimeDeltaParameter` | [`std::time::Duration`] |
//! | `EnumParameter` | `#[derive(ParameterEnum)]` |
//! | `EnumListParameter`, `ChoiceListParameter` | a `Vec` `with` [`comma_list`] |
//! | `DictParameter` | [`IndexMap`], `BTreeMap` or [`serde_json::Value`] |
//! | `ListParameter`, `TupleParameter` | `Vec`, array, tuple or [`serde_json::Value`] |
//! | `NumericalParameter` | a number with `min`, `max`, `left_op`, `right_op` |
//! | `ChoiceParameter` | any type with `choices` |
//! | `PathParameter` | `PathBuf` |
//! | `Optional…Parameter` | `Option` |
//! | `TaskParameter` | a `String` with the family |

mod batch;
mod collection;
pub mod comma_list;
mod date;
mod date_interval;
mod duration;
pub(crate) mod json;
mod period;
mod scalar;

pub use batch::{Concat, concat, max, min};
pub use date::{DateHour, DateMinute, DateSecond, Month, Year};
pub use date_interval::{DateInterval, Week};
/// A map that keeps the order in which its entries came, as Luigi's `DictParameter` does.
pub use indexmap::IndexMap;
pub use jiff::civil::Date;
pub use period::Periodic;

use crate::class::FlagKind;

/// A text is no value of a type. Says what would be right, not which parameter it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(String);

impl ParseError {
    /// An error of this text.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl From<String> for ParseError {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

impl From<&str> for ParseError {
    fn from(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

/// A type that a task's parameter can have.
///
/// It is there for strings, numbers, `bool`, dates, intervals, durations, paths, lists, maps,
/// tuples and `Option`s of them; `#[derive(ParameterEnum)]` adds an enum, and for a type of
/// somebody else's `#[param(with = module)]` names a module with `parse` and `serialize`.
///
/// ```
/// use condotta::parameter::{Parameter, ParseError};
///
/// #[derive(Debug, PartialEq)]
/// struct Version(u32, u32);
///
/// impl Parameter for Version {
///     fn parse(text: &str) -> Result<Self, ParseError> {
///         let (major, minor) = text.split_once('.').ok_or("expected MAJOR.MINOR")?;
///         Ok(Self(u32::parse(major)?, u32::parse(minor)?))
///     }
///
///     fn serialize(&self) -> String {
///         format!("{}.{}", self.0, self.1)
///     }
/// }
///
/// assert_eq!(Version::parse("3.8"), Ok(Version(3, 8)));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a parameter type",
    label = "a task's field has to be a parameter",
    note = "implement `condotta::parameter::Parameter` for `{Self}`, derive `ParameterEnum` on it if it is an enum,",
    note = "name a module that parses and serializes it with `#[param(with = module)]`,",
    note = "or keep the field out of the parameters with `#[param(skip)]`"
)]
pub trait Parameter: Sized + Send + Sync + 'static {
    /// How the parameter is given on the command line.
    const FLAG: FlagKind = FlagKind::Value;

    /// The form of a value for the help, such as `YYYY-MM-DD`; where it is empty, the help shows
    /// the parameter's name.
    const FORM: &'static str = "";

    /// Reads a value from the command line, the configuration or a scheduler.
    ///
    /// # Errors
    /// The text is no value of the type.
    fn parse(text: &str) -> Result<Self, ParseError>;

    /// Writes the value so that [`parse`](Self::parse) reads it back.
    fn serialize(&self) -> String;

    /// The value where none is given and the field has no `default`: `false` for a `bool`, `None`
    /// for an `Option`.
    fn default_value() -> Option<Self> {
        None
    }

    /// The value that follows, for types whose values are listed as ranges in the execution
    /// summary.
    fn next_in_enumeration(&self) -> Option<Self> {
        None
    }

    /// All values, for types that have few.
    fn choices() -> Vec<String> {
        Vec::new()
    }

    /// Writes the value as an element of a JSON list or map: as a string, unless JSON has a
    /// better form.
    fn write_json(&self, out: &mut String) {
        json::write_string(&self.serialize(), out);
    }

    /// Reads an element of a JSON list or map.
    ///
    /// # Errors
    /// The element is no value of the type.
    fn from_json(value: &serde_json::Value) -> Result<Self, ParseError> {
        match value {
            serde_json::Value::String(text) => Self::parse(text),
            other => Err(ParseError::new(format_args!(
                "expected a string, found {other}"
            ))),
        }
    }
}
