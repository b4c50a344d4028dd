//! A task's record.
//!
//! A record is small, since there may be millions: texts that repeat are interned, and what most
//! tasks never have lives in [`Rare`], allocated when needed. This file knows nothing of what the
//! fields mean to the scheduler.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    string::String,
};
use core::cmp::Reverse;

use crate::{
    CancelAsk, Status, Timestamp,
    links::Links,
    names::Name,
    params::Params,
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
    /// Parts that changed since records of it were taken; see `changes.rs`.
    pub(crate) changed: u8,
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
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// That was an operator's wish, and holds until somebody enables it.
    pub(crate) operator_disabled: bool,
    /// When FAILED becomes PENDING (monotonic).
    pub(crate) retry: Option<Timestamp>,
    /// When it is dropped (monotonic).
    pub(crate) remove: Option<Timestamp>,
    /// Nobody has a stake, and its removal does not follow from its stakeholders' end.
    pub(crate) orphan: bool,
    /// A worker that looked found it complete while another one runs it.
    pub(crate) seen_done: bool,
    /// An operator wants the current run ended.
    pub(crate) cancel: Option<Box<CancelAsk>>,
    /// Who had its last run ended. It is disabled for that, until somebody enables it.
    pub(crate) cancelled: Option<Box<str>>,
    /// The worker that fell silent over its last run, which failed for that.
    pub(crate) lost_with: Option<Box<str>>,
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
            changed: 0,
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

    pub(crate) fn seen_done(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.seen_done)
    }

    pub(crate) fn tracking_url(&self) -> Option<&str> {
        self.rare.as_ref()?.tracking_url.as_deref()
    }

    pub(crate) fn scheduler_disabled(&self) -> Option<Timestamp> {
        self.rare.as_ref()?.scheduler_disabled
    }

    pub(crate) fn operator_disabled(&self) -> bool {
        let rare = self.rare.as_ref();
        rare.is_some_and(|rare| rare.operator_disabled)
    }

    /// Who had its last run ended.
    pub(crate) fn cancelled(&self) -> Option<&str> {
        self.rare.as_ref()?.cancelled.as_deref()
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
