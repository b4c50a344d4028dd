//! Resources: named countable limits, what runs take of them, and what a run would take.
//!
//! A need (several amounts of several resources) is kept once for all tasks that have it: most
//! tasks need nothing, and the rest share a few needs, which is what groups them in the ready
//! queues. Needs, and the names in them, go with their last task.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    vec::Vec,
};

use crate::{Resources, pool::Pool, task::Slot};

/// The greatest amount of a resource that a task may need.
pub(crate) const GREATEST_AMOUNT: u64 = i64::MAX as u64 / 2;

/// A need that tasks share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NeedId(u32);

impl NeedId {
    /// The need of a task that needs nothing.
    pub(crate) const NOTHING: Self = Self(0);
}

/// A resource that some task needs, or that has a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Resource(u32);

/// Amounts by resource, in no particular but a fixed order.
pub(crate) type Amounts = [(Resource, u64)];

/// What is known of a need.
#[derive(Default)]
pub(crate) struct About {
    /// PENDING tasks that have it; not kept for those that need nothing.
    pub(crate) pending: BTreeSet<Slot>,
    /// It was told that it is above a limit.
    pub(crate) is_told: bool,
}

pub(crate) struct Needs {
    pool: Pool<Box<Amounts>, About>,
    /// Names of resources, with the needs that they are in.
    resources: Pool<Box<str>, BTreeSet<NeedId>>,
}

impl Needs {
    pub(crate) fn new() -> Self {
        let mut pool = Pool::new();
        let nothing: &Amounts = &[];
        pool.acquire(nothing, || nothing.into());
        Self {
            pool,
            resources: Pool::new(),
        }
    }

    /// The need of these amounts, for one more user.
    pub(crate) fn acquire(&mut self, resources: &Resources) -> NeedId {
        if resources.is_empty() {
            return NeedId::NOTHING;
        }
        let mut amounts: Vec<(Resource, u64)> = resources
            .iter()
            .map(|(name, &amount)| (self.acquire_resource(name), amount))
            .collect();
        amounts.sort_unstable();
        let need = self.acquire_amounts(&amounts);
        for (resource, _) in amounts {
            self.resources.release(resource.0);
        }
        need
    }

    /// The need of these amounts, for one more user.
    pub(crate) fn acquire_amounts(&mut self, amounts: &Amounts) -> NeedId {
        if amounts.is_empty() {
            return NeedId::NOTHING;
        }
        let (key, is_new) = self.pool.acquire(amounts, || amounts.into());
        if is_new {
            for &(resource, _) in amounts {
                self.resources.retain(resource.0);
                self.resources.data_mut(resource.0).insert(NeedId(key));
            }
        }
        NeedId(key)
    }

    /// The same need for one more user.
    pub(crate) fn retain(&mut self, id: NeedId) -> NeedId {
        if id != NeedId::NOTHING {
            self.pool.retain(id.0);
        }
        id
    }

    /// One user less.
    pub(crate) fn release(&mut self, id: NeedId) {
        if id == NeedId::NOTHING {
            return;
        }
        if let Some(amounts) = self.pool.release(id.0) {
            for &(resource, _) in &amounts {
                self.resources.data_mut(resource.0).remove(&id);
                self.resources.release(resource.0);
            }
        }
    }

    /// The resource of this name, for one more user.
    fn acquire_resource(&mut self, name: &str) -> Resource {
        Resource(self.resources.acquire(name, || name.into()).0)
    }

    pub(crate) fn amounts(&self, id: NeedId) -> &Amounts {
        self.pool.value(id.0)
    }

    pub(crate) fn about(&self, id: NeedId) -> &About {
        self.pool.data(id.0)
    }

    pub(crate) fn about_mut(&mut self, id: NeedId) -> &mut About {
        self.pool.data_mut(id.0)
    }

    /// The needs that a resource is in.
    pub(crate) fn with(&self, resource: Resource) -> impl Iterator<Item = NeedId> {
        self.resources.data(resource.0).iter().copied()
    }

    /// The resource of this name, if it has a limit or somebody needs it.
    pub(crate) fn find_resource(&self, name: &str) -> Option<Resource> {
        self.resources.find(name).map(Resource)
    }

    pub(crate) fn name(&self, resource: Resource) -> &str {
        self.resources.value(resource.0)
    }

    pub(crate) fn resources(&self, id: NeedId) -> Resources {
        self.amounts(id)
            .iter()
            .map(|&(resource, amount)| (self.name(resource).to_string(), amount))
            .collect()
    }

    /// The names of all resources that have a limit or that somebody needs, in the order in which they came.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let users = self.resources.users();
        users.map(|(key, _)| &**self.resources.value(key))
    }

    /// Every need but that of nothing, with the number of its users.
    pub(crate) fn users(&self) -> impl Iterator<Item = (NeedId, usize)> {
        let users = self.pool.users().map(|(key, users)| (NeedId(key), users));
        users.filter(|&(id, _)| id != NeedId::NOTHING)
    }
}

/// The configured limits. A resource without one has a limit of 1.
pub(crate) struct Limits {
    by_resource: BTreeMap<Resource, u64>,
    /// Those that are not as configured, or were set to what they were.
    changed: BTreeSet<Resource>,
}

impl Limits {
    pub(crate) fn new(needs: &mut Needs, limits: BTreeMap<String, u64>) -> Self {
        Self {
            by_resource: limits
                .into_iter()
                .map(|(name, limit)| (needs.acquire_resource(&name), limit))
                .collect(),
            changed: BTreeSet::new(),
        }
    }

    /// Sets a limit; whether that changed it. A resource that has one stays known.
    pub(crate) fn set(&mut self, needs: &mut Needs, name: &str, limit: u64) -> (Resource, bool) {
        let resource = needs.acquire_resource(name);
        let before = self.by_resource.insert(resource, limit);
        if before.is_some() {
            needs.resources.release(resource.0);
        }
        let is_first = self.changed.insert(resource);
        (resource, is_first || before != Some(limit))
    }

    /// The resources whose limits were set after the start.
    pub(crate) fn changed(&self) -> impl Iterator<Item = Resource> {
        self.changed.iter().copied()
    }

    pub(crate) fn limit(&self, resource: Resource) -> u64 {
        self.by_resource.get(&resource).copied().unwrap_or(1)
    }

    pub(crate) fn is_said(&self, resource: Resource) -> bool {
        self.by_resource.contains_key(&resource)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Resource, u64)> {
        let limits = self.by_resource.iter();
        limits.map(|(&resource, &limit)| (resource, limit))
    }

    /// Whether a run that takes `amounts` fits beside what is taken.
    pub(crate) fn fits(&self, amounts: &Amounts, taken: &Taken) -> bool {
        amounts.iter().all(|&(resource, amount)| {
            u128::from(amount) + taken.exactly(resource) <= u128::from(self.limit(resource))
        })
    }
}

/// What is taken of each resource. The sums are wide enough for as many runs as there can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    by_resource: BTreeMap<Resource, u128>,
}

impl Taken {
    fn exactly(&self, resource: Resource) -> u128 {
        self.by_resource.get(&resource).copied().unwrap_or(0)
    }

    /// What is taken, or the greatest number that can be shown.
    pub(crate) fn of(&self, resource: Resource) -> u64 {
        let greatest = i64::MAX.unsigned_abs();
        u64::try_from(self.exactly(resource)).map_or(greatest, |taken| taken.min(greatest))
    }

    pub(crate) fn take(&mut self, amounts: &Amounts) {
        for &(resource, amount) in amounts.iter().filter(|&&(_, amount)| amount > 0) {
            *self.by_resource.entry(resource).or_default() += u128::from(amount);
        }
    }

    pub(crate) fn release(&mut self, amounts: &Amounts) {
        for &(resource, amount) in amounts.iter().filter(|&&(_, amount)| amount > 0) {
            let taken = self.by_resource.get_mut(&resource);
            let taken = taken.expect("released once per take");
            *taken -= u128::from(amount);
            if *taken == 0 {
                self.by_resource.remove(&resource);
            }
        }
    }
}
