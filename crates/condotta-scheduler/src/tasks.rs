//! The arena of all tasks. Knows how they are found and listed, and nothing of what they mean.

use alloc::vec::Vec;

use hashbrown::HashTable;

use crate::{
    Status,
    names::hash_of,
    task::{Link, NO_SLOT, Slot, Task},
};

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

    /// The next age is greater than this one.
    pub(crate) fn set_last_age(&mut self, age: u64) {
        self.next_age = age;
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

    /// Slots from here on were never used.
    pub(crate) fn places(&self) -> Slot {
        Slot::try_from(self.slots.len()).expect("fewer than 2^32 tasks")
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
