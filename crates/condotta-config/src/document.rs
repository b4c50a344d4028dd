//! Sections of raw values in file order, however they were written.

use std::collections::HashMap;

use crate::value::{Origin, Value};

/// The section whose keys all other sections of an INI file have, too.
pub(crate) const DEFAULT_SECTION: &str = "DEFAULT";

/// What files say, before interpolation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    names: Vec<String>,
    sections: HashMap<String, Section>,
}

/// A raw value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// Keys in the order of their first appearance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    keys: Vec<String>,
    values: HashMap<String, Raw>,
}

impl Section {
    pub(crate) fn get(&self, key: &str) -> Option<&Raw> {
        self.values.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Raw> {
        self.values.get_mut(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// A key that is known keeps its place.
    pub(crate) fn insert(&mut self, key: &str, raw: Raw) {
        if self.values.insert(key.to_owned(), raw).is_none() {
            self.keys.push(key.to_owned());
        }
    }
}

impl Document {
    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.get(name)
    }

    /// The section, made when it is not there.
    pub(crate) fn section_mut(&mut self, name: &str) -> &mut Section {
        if !self.sections.contains_key(name) {
            self.names.push(name.to_owned());
        }
        self.sections.entry(name.to_owned()).or_default()
    }

    pub(crate) fn section_names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Takes over everything of `later`, which wins.
    pub(crate) fn merge(&mut self, later: Document) {
        for name in &later.names {
            let section = self.section_mut(name);
            let said = &later.sections[name];
            for key in &said.keys {
                section.insert(key, said.values[key].clone());
            }
        }
    }
}
