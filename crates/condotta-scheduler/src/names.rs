//! Interned texts: families, modules, parameter and resource names are kept once each.
//!
//! Knows nothing of what a text means. Entries are never dropped: a program has a bounded number
//! of families and names. Task ids and values are not kept here.

use alloc::{boxed::Box, vec::Vec};
use core::hash::BuildHasher as _;

use hashbrown::HashTable;

/// Hashes with a fixed seed, so that equal requests take equal paths.
pub(crate) fn hash_of(text: &str) -> u64 {
    foldhash::fast::FixedState::with_seed(0x5eed).hash_one(text)
}

/// An interned text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name(u32);

impl Name {
    /// The empty text.
    pub(crate) const EMPTY: Self = Self(0);

    /// Equal to no text's name.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

pub(crate) struct Names {
    texts: Vec<Box<str>>,
    table: HashTable<u32>,
}

impl Names {
    pub(crate) fn new() -> Self {
        let mut names = Self {
            texts: Vec::new(),
            table: HashTable::new(),
        };
        names.intern("");
        names
    }

    pub(crate) fn intern(&mut self, text: &str) -> Name {
        if let Some(name) = self.find(text) {
            return name;
        }
        let index = u32::try_from(self.texts.len()).expect("fewer than 2^32 distinct names");
        self.texts.push(text.into());
        let texts = &self.texts;
        self.table.insert_unique(hash_of(text), index, |&index| {
            hash_of(&texts[index as usize])
        });
        Name(index)
    }

    pub(crate) fn find(&self, text: &str) -> Option<Name> {
        self.table
            .find(hash_of(text), |&index| &*self.texts[index as usize] == text)
            .map(|&index| Name(index))
    }

    pub(crate) fn text(&self, name: Name) -> &str {
        &self.texts[name.0 as usize]
    }
}
