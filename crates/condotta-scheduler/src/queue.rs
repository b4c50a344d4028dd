//! Ready queues: the tasks that could be handed out now, ready to be compared by their heads.
//!
//! Tasks of one team, one need and one answer to "which assistants can run it" are alike for a choice, so
//! the choice looks at the head of each queue and never at each task.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use crate::{names::Name, resource::NeedId, task::Rank, worker::TeamId};

/// A place in the table of queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct QueueIndex(u32);

/// What the tasks of a queue have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) team: TeamId,
    pub(crate) need: NeedId,
    /// The program whose assistants may run the task; `None` as long as no worker said that it can.
    pub(crate) assistants: Option<Name>,
}

pub(crate) struct Queue {
    pub(crate) kind: Kind,
    pub(crate) ready: BTreeSet<Rank>,
}

#[derive(Default)]
pub(crate) struct Queues {
    list: Vec<Queue>,
    free: Vec<u32>,
    /// The head of each queue that has one, best first.
    heads: BTreeSet<(Rank, QueueIndex)>,
    /// The queues of tasks that need resources, by need.
    needy: BTreeMap<NeedId, BTreeSet<QueueIndex>>,
}

impl Queues {
    pub(crate) fn add(&mut self, kind: Kind) -> QueueIndex {
        let queue = Queue {
            kind,
            ready: BTreeSet::new(),
        };
        let index = match self.free.pop() {
            Some(index) => {
                self.list[index as usize] = queue;
                QueueIndex(index)
            }
            None => {
                self.list.push(queue);
                QueueIndex(u32::try_from(self.list.len() - 1).expect("fewer than 2^32 queues"))
            }
        };
        if kind.need != NeedId::NOTHING {
            self.needy.entry(kind.need).or_default().insert(index);
        }
        index
    }

    /// Drops an empty queue.
    pub(crate) fn drop(&mut self, index: QueueIndex) {
        debug_assert!(self.get(index).ready.is_empty());
        let need = self.get(index).kind.need;
        if let Some(queues) = self.needy.get_mut(&need) {
            queues.remove(&index);
            if queues.is_empty() {
                self.needy.remove(&need);
            }
        }
        self.free.push(index.0);
        if self.free.len() == self.list.len() {
            self.free = Vec::new();
            self.list = Vec::new();
        }
    }

    pub(crate) fn get(&self, index: QueueIndex) -> &Queue {
        &self.list[index.0 as usize]
    }

    pub(crate) fn insert(&mut self, index: QueueIndex, rank: Rank) {
        let ready = &mut self.list[index.0 as usize].ready;
        let head = ready.first().copied();
        ready.insert(rank);
        if head.is_none_or(|head| rank < head) {
            if let Some(head) = head {
                self.heads.remove(&(head, index));
            }
            self.heads.insert((rank, index));
        }
    }

    pub(crate) fn remove(&mut self, index: QueueIndex, rank: Rank) {
        let ready = &mut self.list[index.0 as usize].ready;
        let was_head = ready.first() == Some(&rank);
        ready.remove(&rank);
        if was_head {
            let next = ready.first().copied();
            self.heads.remove(&(rank, index));
            if let Some(next) = next {
                self.heads.insert((next, index));
            }
        }
    }

    /// The heads of all queues, best first.
    pub(crate) fn heads(&self) -> impl Iterator<Item = (Rank, QueueIndex)> {
        self.heads.iter().copied()
    }

    /// The resources that ready tasks need, and what else the tasks of each queue have in common.
    pub(crate) fn needy(&self) -> impl Iterator<Item = (NeedId, impl Iterator<Item = Kind>)> {
        self.needy.iter().map(|(&need, queues)| {
            let kinds = queues.iter().map(|&index| self.get(index).kind);
            (need, kinds)
        })
    }

    /// How many tasks are ready.
    pub(crate) fn ready(&self) -> usize {
        self.heads
            .iter()
            .map(|&(_, index)| self.get(index).ready.len())
            .sum()
    }
}
