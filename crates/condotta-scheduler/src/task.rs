//! A task's record, and the arena that holds all of them.
//!
//! A record is small, since there may be millions: texts that repeat are interned, and what most
//! tasks never have lives in [`Rare`], allocated when needed. This file knows nothing of what the
//! fields mean to the scheduler.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet, VecDeque},
    string::String,
    vec::Vec,
};
use core::cmp::Reverse;

use hashbrown::HashTable;

use crate::{
    Status, Timestamp, Visibility,
    names::{Name, hash_of},
    resource::NeedId,
    worker::{StakeId, TeamId, WorkerIndex},
};

/// A place in the arena.
pub(crate) type Slot = u32;

/// No slot: the end of a list.
pub(crate) const NO_SLOT: Slot = Slot::MAX;

/// The order in which tasks are handed out: the highest priority first, then the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    priority: Reverse<u64>,
    age: u64,
    pub(crate) slot: Slot,
}

/// One task, or (when [`ghost`](Self::ghost)) only an id that others depend on.
pub(crate) struct Task {
    pub(crate) id: Box<str>,
    pub(crate) params: Params,
    pub(crate) family: Name,
    /// `Name::EMPTY` when not known.
    pub(crate) module: Name,
    pub(crate) status: Status,
    /// Not known to the scheduler, but mentioned as a dependency.
    pub(crate) ghost: bool,
    /// Announced by itself, not just mentioned by what depends on it.
    pub(crate) announced: bool,
    pub(crate) runnable: bool,
    pub(crate) batchable: bool,
    pub(crate) accepts_messages: bool,
    pub(crate) priority: f64,
    /// When the record was made, as a running number: wall-clock time must not decide.
    pub(crate) age: u64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// The same moment on the monotonic clock.
    pub(crate) updated_monotonic: Timestamp,
    pub(crate) time_running: Option<Timestamp>,
    /// Slots, ascending.
    pub(crate) deps: Box<[Slot]>,
    pub(crate) dependants: Links,
    /// Dependencies that are not done.
    pub(crate) unmet: u32,
    /// Dependencies that are disabled, or wait for a disabled one.
    pub(crate) blocked: u32,
    pub(crate) team: TeamId,
    pub(crate) stake: StakeId,
    pub(crate) need: NeedId,
    /// What the current or last run takes; `None` before the first.
    pub(crate) need_running: Option<NeedId>,
    pub(crate) worker_running: Option<WorkerIndex>,
    pub(crate) attempt: u32,
    /// Key of its retry policy.
    pub(crate) policy: u32,
    pub(crate) expl: Option<Box<str>>,
    pub(crate) rare: Option<Box<Rare>>,
    pub(crate) in_status: Link,
    pub(crate) in_stake: Link,
}

/// What most tasks never have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rare {
    pub(crate) tracking_url: Option<Box<str>>,
    pub(crate) status_message: Option<Box<str>>,
    pub(crate) progress_percentage: Option<f64>,
    pub(crate) batch_id: Option<Box<str>>,
    pub(crate) responses: BTreeMap<String, String>,
    /// Monotonic times of failures within the window.
    pub(crate) failures: VecDeque<Timestamp>,
    pub(crate) first_failure: Option<Timestamp>,
    /// When the scheduler disabled it (monotonic).
    pub(crate) scheduler_disabled: Option<Timestamp>,
    /// When FAILED becomes PENDING (monotonic).
    pub(crate) retry: Option<Timestamp>,
    /// When it is dropped (monotonic).
    pub(crate) remove: Option<Timestamp>,
    /// Nobody has a stake, and its removal does not follow from its stakeholders' end.
    pub(crate) orphan: bool,
}

/// Neighbours in a list through the arena.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) before: Slot,
    pub(crate) after: Slot,
}

impl Link {
    pub(crate) const ALONE: Self = Self {
        before: NO_SLOT,
        after: NO_SLOT,
    };
}

impl Task {
    pub(crate) fn new(id: &str, age: u64, ghost: bool) -> Self {
        Self {
            id: id.into(),
            params: Params::default(),
            family: Name::EMPTY,
            module: Name::EMPTY,
            status: Status::Unknown,
            ghost,
            announced: false,
            runnable: false,
            batchable: false,
            accepts_messages: false,
            priority: 0.0,
            age,
            created: Timestamp::default(),
            updated: Timestamp::default(),
            updated_monotonic: Timestamp::default(),
            time_running: None,
            deps: Box::default(),
            dependants: Links::default(),
            unmet: 0,
            blocked: 0,
            team: TeamId::NOBODY,
            stake: StakeId::NOBODY,
            need: NeedId::NOTHING,
            need_running: None,
            worker_running: None,
            attempt: 0,
            policy: 0,
            expl: None,
            rare: None,
            in_status: Link::ALONE,
            in_stake: Link::ALONE,
        }
    }

    pub(crate) fn rank(&self, slot: Slot) -> Rank {
        Rank {
            priority: Reverse(ordered_bits(self.priority)),
            age: self.age,
            slot,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.status == Status::Pending && self.unmet == 0
    }

    /// Whether it, or something that it waits for, is disabled.
    pub(crate) fn is_blocked(&self) -> bool {
        self.status == Status::Disabled || (self.status == Status::Pending && self.blocked > 0)
    }

    /// Whether something depends on it that nobody announced.
    pub(crate) fn is_missing(&self) -> bool {
        self.ghost || (self.status == Status::Unknown && !self.announced)
    }

    pub(crate) fn is_satisfied(&self) -> bool {
        !self.ghost && self.status == Status::Done
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.status, Status::Running | Status::BatchRunning)
    }

    /// What the current run takes. A run that nobody was handed takes what the task declares.
    pub(crate) fn running_need(&self) -> NeedId {
        self.need_running.unwrap_or(self.need)
    }

    pub(crate) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    pub(crate) fn batch_id(&self) -> Option<&str> {
        self.rare.as_ref()?.batch_id.as_deref()
    }

    pub(crate) fn scheduler_disabled(&self) -> Option<Timestamp> {
        self.rare.as_ref()?.scheduler_disabled
    }

    pub(crate) fn clear_batch_id(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.batch_id = None;
        }
    }

    pub(crate) fn clear_failures(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.failures.clear();
            rare.first_failure = None;
        }
    }
}

/// A number that sorts as `value` does; both zeros are one.
fn ordered_bits(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    }
}

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
    /// `params` come in name order.
    pub(crate) fn new<'a>(
        params: impl ExactSizeIterator<Item = (Name, &'a str, Visibility)>,
    ) -> Self {
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

/// A set of slots that is mostly small and sometimes huge.
#[derive(Debug)]
pub(crate) enum Links {
    Few(Vec<Slot>),
    Many(BTreeSet<Slot>),
}

impl Default for Links {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Links {
    const FEW: usize = 16;

    /// The caller knows that `slot` is not in.
    pub(crate) fn insert(&mut self, slot: Slot) {
        match self {
            Self::Few(slots) if slots.len() < Self::FEW => slots.push(slot),
            Self::Few(slots) => {
                let mut many: BTreeSet<Slot> = slots.drain(..).collect();
                many.insert(slot);
                *self = Self::Many(many);
            }
            Self::Many(slots) => {
                slots.insert(slot);
            }
        }
    }

    pub(crate) fn remove(&mut self, slot: Slot) {
        match self {
            Self::Few(slots) => {
                if let Some(index) = slots.iter().position(|&other| other == slot) {
                    slots.remove(index);
                }
            }
            Self::Many(slots) => {
                slots.remove(&slot);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(slots) => slots.len(),
            Self::Many(slots) => slots.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn any(&self, test: impl FnMut(Slot) -> bool) -> bool {
        match self {
            Self::Few(slots) => slots.iter().copied().any(test),
            Self::Many(slots) => slots.iter().copied().any(test),
        }
    }

    pub(crate) fn to_vec(&self) -> Vec<Slot> {
        match self {
            Self::Few(slots) => slots.clone(),
            Self::Many(slots) => slots.iter().copied().collect(),
        }
    }
}

/// All tasks, by slot and by id, and in one list per status.
pub(crate) struct Tasks {
    slots: Slots,
    free: Vec<Slot>,
    by_id: HashTable<Slot>,
    /// First and last of each status, in the order in which tasks got there.
    lists: [StatusList; Status::ALL.len()],
    next_age: u64,
}

#[derive(Clone, Copy)]
struct StatusList {
    first: Slot,
    last: Slot,
    len: usize,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self {
            slots: Slots::default(),
            free: Vec::new(),
            by_id: HashTable::new(),
            lists: [StatusList {
                first: NO_SLOT,
                last: NO_SLOT,
                len: 0,
            }; Status::ALL.len()],
            next_age: 0,
        }
    }

    /// The slot of this id, be it a task or a ghost.
    pub(crate) fn find(&self, id: &str) -> Option<Slot> {
        self.by_id
            .find(hash_of(id), |&slot| &*self[slot].id == id)
            .copied()
    }

    /// The slot of this id, when it is a task.
    pub(crate) fn find_task(&self, id: &str) -> Option<Slot> {
        self.find(id).filter(|&slot| !self[slot].ghost)
    }

    /// A new record. The caller knows that the id is not in.
    pub(crate) fn insert(&mut self, id: &str, ghost: bool) -> Slot {
        let task = Task::new(id, self.take_age(), ghost);
        let slot = match self.free.pop() {
            Some(slot) => {
                *self.slots.get_mut(slot) = Some(task);
                slot
            }
            None => self.slots.push(task),
        };
        let slots = &self.slots;
        let id_hash = |&slot: &Slot| hash_of(&slots.get(slot).expect("is in use").id);
        self.by_id.insert_unique(hash_of(id), slot, id_hash);
        slot
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&Task> {
        self.slots.get(slot)
    }

    pub(crate) fn take_age(&mut self) -> u64 {
        self.next_age += 1;
        self.next_age
    }

    /// Drops a record. Nothing refers to it any more.
    pub(crate) fn remove(&mut self, slot: Slot) -> Task {
        let task = self.slots.get_mut(slot).take().expect("is in use");
        if let Ok(entry) = self
            .by_id
            .find_entry(hash_of(&task.id), |&other| other == slot)
        {
            entry.remove();
        }
        self.free.push(slot);
        if self.free.len() == self.slots.len() {
            self.free = Vec::new();
            self.slots = Slots::default();
            self.by_id = HashTable::new();
        }
        task
    }

    /// Appends to the list of the task's status.
    pub(crate) fn enlist(&mut self, slot: Slot) {
        let status = self[slot].status as usize;
        let last = self.lists[status].last;
        self[slot].in_status = Link {
            before: last,
            after: NO_SLOT,
        };
        if last == NO_SLOT {
            self.lists[status].first = slot;
        } else {
            self[last].in_status.after = slot;
        }
        self.lists[status].last = slot;
        self.lists[status].len += 1;
    }

    /// Takes it off the list of its status.
    pub(crate) fn delist(&mut self, slot: Slot) {
        let status = self[slot].status as usize;
        let Link { before, after } = self[slot].in_status;
        if before == NO_SLOT {
            self.lists[status].first = after;
        } else {
            self[before].in_status.after = after;
        }
        if after == NO_SLOT {
            self.lists[status].last = before;
        } else {
            self[after].in_status.before = before;
        }
        self[slot].in_status = Link::ALONE;
        self.lists[status].len -= 1;
    }

    pub(crate) fn count(&self, status: Status) -> usize {
        self.lists[status as usize].len
    }

    /// All tasks, without ghosts.
    pub(crate) fn len(&self) -> usize {
        self.lists.iter().map(|list| list.len).sum()
    }

    pub(crate) fn with_status(&self, status: Status) -> impl Iterator<Item = Slot> {
        let first = self.lists[status as usize].first;
        core::iter::successors(Some(first).filter(|&slot| slot != NO_SLOT), |&slot| {
            Some(self[slot].in_status.after).filter(|&after| after != NO_SLOT)
        })
    }

    /// Every record in use, ghosts included, in slot order.
    pub(crate) fn records(&self) -> impl Iterator<Item = (Slot, &Task)> {
        (0..)
            .zip(self.slots.chunks.iter().flatten())
            .filter_map(|(slot, task)| Some((slot, task.as_ref()?)))
    }

    /// Every task, without ghosts, in slot order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &Task)> {
        self.records().filter(|(_, task)| !task.ghost)
    }
}

/// The records' places, in pieces, so that growing neither copies records nor doubles their memory.
#[derive(Default)]
struct Slots {
    chunks: Vec<Vec<Option<Task>>>,
}

/// Records in a piece.
const CHUNK: usize = 1024;

impl Slots {
    fn len(&self) -> usize {
        let last = self.chunks.last().map_or(0, Vec::len);
        self.chunks.len().saturating_sub(1) * CHUNK + last
    }

    fn push(&mut self, task: Task) -> Slot {
        let slot = self.len();
        if slot.is_multiple_of(CHUNK) {
            // A scheduler of few tasks grows its only piece as it needs.
            let capacity = if slot == 0 { 0 } else { CHUNK };
            self.chunks.push(Vec::with_capacity(capacity));
        }
        let chunk = self.chunks.last_mut().expect("a full one has a successor");
        chunk.push(Some(task));
        Slot::try_from(slot).expect("fewer than 2^32 tasks")
    }

    fn get(&self, slot: Slot) -> Option<&Task> {
        let slot = slot as usize;
        self.chunks.get(slot / CHUNK)?.get(slot % CHUNK)?.as_ref()
    }

    fn get_mut(&mut self, slot: Slot) -> &mut Option<Task> {
        let slot = slot as usize;
        &mut self.chunks[slot / CHUNK][slot % CHUNK]
    }
}

impl core::ops::Index<Slot> for Tasks {
    type Output = Task;

    fn index(&self, slot: Slot) -> &Task {
        self.slots.get(slot).expect("slots in use are kept exactly")
    }
}

impl core::ops::IndexMut<Slot> for Tasks {
    fn index_mut(&mut self, slot: Slot) -> &mut Task {
        self.slots
            .get_mut(slot)
            .as_mut()
            .expect("slots in use are kept exactly")
    }
}
