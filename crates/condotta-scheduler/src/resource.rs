//! Resources: named countable limits, what runs take of them, and what a run would take.
//!
//! A need (several amounts of several resources) is interned: most tasks need nothing, and the rest
//! share a few needs, which is what groups them in the ready queues.

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    Resources,
    names::{Name, Names},
};

/// An interned need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NeedId(u32);

impl NeedId {
    /// The need of a task that needs nothing.
    pub(crate) const NOTHING: Self = Self(0);
}

/// Amounts by resource, in no particular but a fixed order.
pub(crate) type Amounts = [(Name, u64)];

pub(crate) struct Needs {
    list: Vec<Box<Amounts>>,
    ids: BTreeMap<Box<Amounts>, NeedId>,
}

impl Needs {
    pub(crate) fn new() -> Self {
        let mut needs = Self {
            list: Vec::new(),
            ids: BTreeMap::new(),
        };
        needs.intern_amounts(Box::new([]));
        needs
    }

    pub(crate) fn intern(&mut self, names: &mut Names, resources: &Resources) -> NeedId {
        if resources.is_empty() {
            return NeedId::NOTHING;
        }
        let mut amounts: Vec<(Name, u64)> = resources
            .iter()
            .map(|(name, &amount)| (names.intern(name), amount))
            .collect();
        amounts.sort_unstable();
        self.intern_amounts(amounts.into())
    }

    pub(crate) fn intern_amounts(&mut self, amounts: Box<Amounts>) -> NeedId {
        if let Some(&id) = self.ids.get(&amounts) {
            return id;
        }
        let id = NeedId(u32::try_from(self.list.len()).expect("fewer than 2^32 distinct needs"));
        self.list.push(amounts.clone());
        self.ids.insert(amounts, id);
        id
    }

    pub(crate) fn amounts(&self, id: NeedId) -> &Amounts {
        &self.list[id.0 as usize]
    }

    pub(crate) fn resources(&self, names: &Names, id: NeedId) -> Resources {
        self.amounts(id)
            .iter()
            .map(|&(name, amount)| (names.text(name).to_string(), amount))
            .collect()
    }

    /// Every need with its id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NeedId, &Amounts)> {
        (0..)
            .map(NeedId)
            .zip(self.list.iter().map(|amounts| &**amounts))
    }
}

/// The configured limits. A resource without one has a limit of 1.
pub(crate) struct Limits {
    by_name: BTreeMap<Name, u64>,
}

impl Limits {
    pub(crate) fn new(names: &mut Names, limits: BTreeMap<String, u64>) -> Self {
        Self {
            by_name: limits
                .into_iter()
                .map(|(name, limit)| (names.intern(&name), limit))
                .collect(),
        }
    }

    pub(crate) fn set(&mut self, name: Name, limit: u64) {
        self.by_name.insert(name, limit);
    }

    pub(crate) fn limit(&self, name: Name) -> u64 {
        self.by_name.get(&name).copied().unwrap_or(1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Name, u64)> {
        self.by_name.iter().map(|(&name, &limit)| (name, limit))
    }

    /// Whether a run that takes `amounts` fits beside what is taken.
    pub(crate) fn fits(&self, amounts: &Amounts, taken: &Taken) -> bool {
        amounts
            .iter()
            .all(|&(name, amount)| amount.saturating_add(taken.of(name)) <= self.limit(name))
    }
}

/// What is taken of each resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    by_name: BTreeMap<Name, u64>,
}

impl Taken {
    pub(crate) fn of(&self, name: Name) -> u64 {
        self.by_name.get(&name).copied().unwrap_or(0)
    }

    pub(crate) fn take(&mut self, amounts: &Amounts) {
        for &(name, amount) in amounts.iter().filter(|&&(_, amount)| amount > 0) {
            let taken = self.by_name.entry(name).or_default();
            *taken = taken.saturating_add(amount);
        }
    }

    pub(crate) fn release(&mut self, amounts: &Amounts) {
        for &(name, amount) in amounts.iter().filter(|&&(_, amount)| amount > 0) {
            let taken = self.by_name.get_mut(&name).expect("released once per take");
            *taken -= amount;
            if *taken == 0 {
                self.by_name.remove(&name);
            }
        }
    }
}
