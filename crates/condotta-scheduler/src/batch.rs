//! Batches: which ready tasks may run as one, and which tasks run in which batch.
//!
//! A worker says for a family which parameters may differ within a batch. For each such saying the
//! ready tasks of the family are kept by what has to be equal, so that a batch is filled without a
//! look at any other task.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::hash::{BuildHasher as _, Hash as _, Hasher as _};

use crate::{
    names::Name,
    resource::NeedId,
    task::{Rank, Slot, Task},
};

/// What a worker said of a family.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Batcher {
    /// The parameters that may differ, as sent.
    pub(crate) args: Box<[Name]>,
    /// The most members; `None` is no limit.
    pub(crate) max_size: Option<u64>,
}

/// What is equal within a batch: the need, and (as a hash, to be checked) the other parameters.
pub(crate) type Alike = (NeedId, u64);

/// Ready tasks by what has to be equal.
type ByAlike = BTreeMap<Alike, BTreeSet<Rank>>;

#[derive(Default)]
pub(crate) struct Batches {
    batchers: BTreeMap<(Box<str>, Name), Batcher>,
    /// Ready batchable tasks by family.
    ready: BTreeMap<Name, BTreeSet<Rank>>,
    /// The same by what has to be equal, for each family and set of parameters that may differ.
    alike: BTreeMap<Name, BTreeMap<Box<[Name]>, ByAlike>>,
    /// BATCH_RUNNING tasks of each batch, oldest first.
    members: BTreeMap<Box<str>, BTreeSet<(u64, Slot)>>,
}

impl Batches {
    /// Keeps a batcher. The tasks of its family that are ready and not yet kept by these
    /// parameters are to be passed to [`Self::insert_alike`].
    pub(crate) fn set(&mut self, worker: &str, family: Name, batcher: Batcher) -> Vec<Rank> {
        let args = batcher.args.clone();
        self.batchers.insert((worker.into(), family), batcher);
        let kept = self.alike.entry(family).or_default();
        if args.is_empty() || kept.contains_key(&args) {
            return Vec::new();
        }
        kept.insert(args, BTreeMap::new());
        self.ready
            .get(&family)
            .map(|ranks| ranks.iter().copied().collect())
            .unwrap_or_default()
    }

    pub(crate) fn insert_alike(&mut self, task: &Task, args: &[Name], rank: Rank) {
        if let Some(by_args) = self.alike.get_mut(&task.family)
            && let Some(by_key) = by_args.get_mut(args)
        {
            by_key.entry(alike(task, args)).or_default().insert(rank);
        }
    }

    pub(crate) fn batcher(&self, worker: &str, family: Name) -> Option<&Batcher> {
        self.batchers.get(&(Box::from(worker), family))
    }

    /// The worker and the family of each batcher.
    pub(crate) fn batchers(&self) -> impl Iterator<Item = (&str, Name)> {
        let keys = self.batchers.keys();
        keys.map(|(worker, family)| (&**worker, *family))
    }

    /// Drops what a worker said; whether it said anything.
    pub(crate) fn forget(&mut self, worker: &str) -> bool {
        let before = self.batchers.len();
        self.batchers.retain(|(known, _), _| &**known != worker);
        self.batchers.len() < before
    }

    /// A batchable task became ready, or stops being so.
    pub(crate) fn set_ready(&mut self, task: &Task, rank: Rank, ready: bool) {
        let ranks = self.ready.entry(task.family).or_default();
        if ready {
            ranks.insert(rank);
        } else {
            ranks.remove(&rank);
            if ranks.is_empty() {
                self.ready.remove(&task.family);
            }
        }
        let Some(by_args) = self.alike.get_mut(&task.family) else {
            return;
        };
        for (args, by_key) in by_args {
            let key = alike(task, args);
            let ranks = by_key.entry(key).or_default();
            if ready {
                ranks.insert(rank);
            } else {
                ranks.remove(&rank);
                if ranks.is_empty() {
                    by_key.remove(&key);
                }
            }
        }
    }

    /// Ready tasks after `rank` that may be like `task`, in rank order. The caller checks with
    /// [`is_alike`], since hashes can agree by chance.
    pub(crate) fn after(
        &self,
        task: &Task,
        args: &[Name],
        rank: Rank,
    ) -> impl Iterator<Item = Rank> {
        self.alike
            .get(&task.family)
            .and_then(|by_args| by_args.get(args))
            .and_then(|by_key| by_key.get(&alike(task, args)))
            .into_iter()
            .flat_map(move |ranks| ranks.range(rank..).skip(1).copied())
    }

    pub(crate) fn set_member(&mut self, batch_id: &str, age: u64, slot: Slot, member: bool) {
        if member {
            match self.members.get_mut(batch_id) {
                Some(members) => {
                    members.insert((age, slot));
                }
                None => {
                    self.members
                        .insert(batch_id.into(), BTreeSet::from([(age, slot)]));
                }
            }
        } else if let Some(members) = self.members.get_mut(batch_id) {
            members.remove(&(age, slot));
            if members.is_empty() {
                self.members.remove(batch_id);
            }
        }
    }

    /// The BATCH_RUNNING tasks of a batch, oldest first.
    pub(crate) fn members(&self, batch_id: &str) -> Vec<Slot> {
        self.members
            .get(batch_id)
            .map(|members| members.iter().map(|&(_, slot)| slot).collect())
            .unwrap_or_default()
    }
}

fn alike(task: &Task, args: &[Name]) -> Alike {
    let mut hasher = foldhash::fast::FixedState::with_seed(0xa11ce).build_hasher();
    for (name, value) in rest(task, args) {
        name.hash(&mut hasher);
        value.hash(&mut hasher);
    }
    (task.need, hasher.finish())
}

/// Whether two tasks are equal in all parameters but `args`.
pub(crate) fn is_alike(one: &Task, other: &Task, args: &[Name]) -> bool {
    rest(one, args).eq(rest(other, args))
}

/// The parameters but `args`, in name order.
fn rest<'a>(task: &'a Task, args: &[Name]) -> impl Iterator<Item = (Name, &'a str)> {
    task.params
        .iter()
        .filter(|param| !args.contains(&param.0))
        .map(|(name, value, _)| (name, value))
}
