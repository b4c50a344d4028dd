//! One field of a class, described by functions: what the derive macros write, and what they ask.

use condotta_scheduler::Visibility;

use super::Class;
use crate::{
    class::{FlagKind, Origin, ParamError, ParamSource, ParamSpec},
    parameter::{Parameter, ParseError},
};

/// One field of a class: how its values are read, written, checked and found.
///
/// The derive macros make a constant of it.
pub struct Field<T> {
    name: &'static str,
    description: &'static str,
    flag: FlagKind,
    form: &'static str,
    significant: bool,
    visibility: Visibility,
    positional: bool,
    always_in_help: bool,
    config: Option<(&'static str, &'static str)>,
    parse: fn(&str) -> Result<T, ParseError>,
    serialize: fn(&T) -> String,
    default: fn() -> Option<Result<T, ParseError>>,
    next: fn(&T) -> Option<T>,
    choices: fn() -> Vec<String>,
    permitted: Option<fn() -> String>,
    check: Option<Check<T>>,
    batch: Option<fn(Vec<T>) -> T>,
}

type Check<T> = fn(&mut T) -> Result<(), ParseError>;

/// What the derive macros found on the field; see there.
impl<T> Field<T> {
    /// A field of a parameter type.
    #[must_use]
    pub const fn new(name: &'static str, description: &'static str) -> Self
    where
        T: Parameter,
    {
        Self {
            flag: T::FLAG,
            form: T::FORM,
            default: || T::default_value().map(Ok),
            next: T::next_in_enumeration,
            choices: T::choices,
            ..Self::with(name, description, T::parse, T::serialize)
        }
    }

    /// A field of any type with a parser and a serializer.
    #[must_use]
    pub const fn with(
        name: &'static str,
        description: &'static str,
        parse: fn(&str) -> Result<T, ParseError>,
        serialize: fn(&T) -> String,
    ) -> Self {
        Self {
            name,
            description,
            flag: FlagKind::Value,
            form: "",
            significant: true,
            visibility: Visibility::Public,
            positional: true,
            always_in_help: false,
            config: None,
            parse,
            serialize,
            default: || None,
            next: |_| None,
            choices: Vec::new,
            permitted: None,
            check: None,
            batch: None,
        }
    }

    /// `default`.
    #[must_use]
    pub const fn default(mut self, default: fn() -> Option<Result<T, ParseError>>) -> Self {
        self.default = default;
        self
    }

    /// `parsing = explicit`.
    #[must_use]
    pub const fn flag(mut self, flag: FlagKind) -> Self {
        self.flag = flag;
        self
    }

    /// `significant = false`.
    #[must_use]
    pub const fn insignificant(mut self) -> Self {
        self.significant = false;
        self
    }

    /// `visibility`.
    #[must_use]
    pub const fn visibility(mut self, visibility: Visibility) -> Self {
        self.visibility = visibility;
        self
    }

    /// `positional = false`.
    #[must_use]
    pub const fn named_only(mut self) -> Self {
        self.positional = false;
        self
    }

    /// `always_in_help`.
    #[must_use]
    pub const fn always_in_help(mut self) -> Self {
        self.always_in_help = true;
        self
    }

    /// `config`.
    #[must_use]
    pub const fn config(mut self, section: &'static str, name: &'static str) -> Self {
        self.config = Some((section, name));
        self
    }

    /// `interval`.
    #[must_use]
    pub const fn next(mut self, next: fn(&T) -> Option<T>) -> Self {
        self.next = next;
        self
    }

    /// `choices`.
    #[must_use]
    pub const fn choices(mut self, choices: fn() -> Vec<String>) -> Self {
        self.choices = choices;
        self
    }

    /// `min` and `max`, in words.
    #[must_use]
    pub const fn permitted(mut self, permitted: fn() -> String) -> Self {
        self.permitted = Some(permitted);
        self
    }

    /// `interval`, `choices`, `min` and `max`, in deed.
    #[must_use]
    pub const fn check(mut self, check: Check<T>) -> Self {
        self.check = Some(check);
        self
    }

    /// `batch_method`.
    #[must_use]
    pub const fn batch(mut self, batch: fn(Vec<T>) -> T) -> Self {
        self.batch = Some(batch);
        self
    }
}

/// What the derived code asks.
impl<T> Field<T> {
    /// What the command line needs to know.
    #[must_use]
    pub fn spec(&self) -> ParamSpec {
        let choices = (self.choices)();
        let mut description = self.description.to_owned();
        let mut add = |text: String| {
            let space = match description.trim_end().chars().last() {
                None => "",
                Some('.' | '!' | '?' | ':' | ';') => " ",
                Some(_) => ". ",
            };
            description.push_str(&format!("{space}{text}"));
        };
        if let Some(permitted) = self.permitted {
            add(format!("permitted values: {}", permitted()));
        }
        if !choices.is_empty() {
            add(format!("Choices: {{{}}}", choices.join(", ")));
        }
        ParamSpec {
            name: self.name,
            description,
            flag: self.flag,
            form: self.form,
            default: (self.default)().map(|default| {
                default.map_or_else(|error| error.to_string(), |value| (self.serialize)(&value))
            }),
            significant: self.significant,
            visibility: self.visibility,
            positional: self.positional,
            batchable: self.batch.is_some(),
            always_in_help: self.always_in_help,
            choices,
            config: self.config,
        }
    }

    /// The value's text.
    pub fn serialize(&self, value: &T) -> String {
        (self.serialize)(value)
    }

    /// The text of the value after the one of this text.
    #[must_use]
    pub fn next_text(&self, text: &str) -> Option<String> {
        (self.next)(&(self.parse)(text).ok()?).map(|next| (self.serialize)(&next))
    }

    /// Puts a value on its grid and checks it.
    ///
    /// # Errors
    /// It is not permitted.
    pub fn normalize(
        &self,
        class: fn() -> &'static Class,
        value: &mut T,
    ) -> Result<(), ParamError> {
        let Some(check) = self.check else {
            return Ok(());
        };
        check(value).map_err(|error| {
            self.invalid(
                &class().family,
                (self.serialize)(value),
                &error,
                Origin::Given,
            )
        })
    }

    /// For [`check`](Self::check): the value is out of its range.
    ///
    /// # Errors
    /// Always.
    pub fn not_permitted(&self) -> Result<(), ParseError> {
        let permitted = self
            .permitted
            .map(|permitted| permitted())
            .unwrap_or_default();
        Err(ParseError::new(format_args!(
            "it is not in the range {permitted}"
        )))
    }

    /// For [`check`](Self::check): whether a text is one of the choices.
    ///
    /// # Errors
    /// It is not.
    pub fn check_choice(&self, text: &str) -> Result<(), ParseError> {
        let choices = (self.choices)();
        if choices.iter().any(|choice| choice == text) {
            return Ok(());
        }
        Err(ParseError::new(format_args!(
            "expected one of {}",
            choices.join(", ")
        )))
    }

    /// Finds a value: `given` by Rust code, a text of `source`, or the default.
    ///
    /// # Errors
    /// There is none, or it is not permitted.
    pub fn resolve(
        &self,
        class: &'static Class,
        source: &dyn ParamSource,
        given: Option<T>,
    ) -> Result<T, ParamError> {
        let mut value = match given {
            Some(value) => value,
            None => match self.given(class, source)? {
                Some(value) => value,
                None => self.default_value(&class.family)?,
            },
        };
        if let Some(check) = self.check {
            check(&mut value).map_err(|error| {
                self.invalid(
                    &class.family,
                    (self.serialize)(&value),
                    &error,
                    Origin::Given,
                )
            })?;
        }
        Ok(value)
    }

    fn given(&self, class: &Class, source: &dyn ParamSource) -> Result<Option<T>, ParamError> {
        let spec = class.specs.iter().find(|spec| spec.name == self.name);
        let spec = spec.expect("a class lists each of its fields");
        let Some((texts, origin)) = source.given(&class.family, spec) else {
            return Ok(None);
        };
        let mut values = Vec::with_capacity(texts.len());
        for text in &texts {
            let mut value = (self.parse)(text).map_err(|error| {
                self.invalid(&class.family, text.clone(), &error, origin.clone())
            })?;
            if let Some(check) = self.check {
                check(&mut value).map_err(|error| {
                    self.invalid(&class.family, text.clone(), &error, origin.clone())
                })?;
            }
            values.push(value);
        }
        match (self.batch, values.len()) {
            (_, 0 | 1) => Ok(values.pop()),
            (Some(batch), _) => Ok(Some(batch(values))),
            (None, _) if texts.iter().all(|text| *text == texts[0]) => Ok(values.pop()),
            (None, _) => {
                let error = ParseError::new("it differs within a batch and has no batch_method");
                Err(self.invalid(&class.family, texts.join(", "), &error, origin))
            }
        }
    }

    fn default_value(&self, family: &str) -> Result<T, ParamError> {
        let missing = || ParamError::Missing {
            family: family.to_owned(),
            param: self.name.to_owned(),
        };
        (self.default)().ok_or_else(missing)?.map_err(|error| {
            let reason = ParseError::new(format_args!("{error} (in its default)"));
            self.invalid(family, String::new(), &reason, Origin::Given)
        })
    }

    fn invalid(
        &self,
        family: &str,
        value: String,
        error: &ParseError,
        origin: Origin,
    ) -> ParamError {
        ParamError::Invalid {
            family: family.to_owned(),
            param: self.name.to_owned(),
            value,
            reason: error.to_string(),
            origin,
        }
    }
}
