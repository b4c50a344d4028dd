//! A task's parameters, kept small: names are interned, and all values stand in one text.

use alloc::{boxed::Box, string::String, vec::Vec};

use crate::{
    Param, Visibility,
    names::{Name, Names},
};

/// A task's parameters in name order, their values in one text.
#[derive(Default)]
pub(crate) struct Params {
    entries: Box<[ParamEntry]>,
    values: Box<str>,
}

#[derive(Clone, Copy)]
struct ParamEntry {
    name: Name,
    end: u32,
    visibility: Visibility,
}

impl Params {
    /// Parameters in any order.
    pub(crate) fn of(names: &mut Names, params: &[Param]) -> Self {
        let mut sorted: Vec<&Param> = params.iter().collect();
        sorted.sort_by(|one, other| one.name.cmp(&other.name));
        Self::new(sorted.into_iter().map(|param| {
            let name = names.intern(&param.name);
            (name, param.value.as_str(), param.visibility)
        }))
    }

    /// `params` come in name order.
    fn new<'a>(params: impl ExactSizeIterator<Item = (Name, &'a str, Visibility)>) -> Self {
        let mut entries = Vec::with_capacity(params.len());
        let mut values = String::new();
        for (name, value, visibility) in params {
            values.push_str(value);
            let end = u32::try_from(values.len()).expect("checked: parameters are short");
            entries.push(ParamEntry {
                name,
                end,
                visibility,
            });
        }
        Self {
            entries: entries.into(),
            values: values.into(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Name, &str, Visibility)> {
        self.entries.iter().enumerate().map(|(index, entry)| {
            let start = index
                .checked_sub(1)
                .map_or(0, |before| self.entries[before].end);
            (
                entry.name,
                &self.values[start as usize..entry.end as usize],
                entry.visibility,
            )
        })
    }

    pub(crate) fn value(&self, name: Name) -> Option<&str> {
        self.iter()
            .find(|param| param.0 == name)
            .map(|param| param.1)
    }
}
