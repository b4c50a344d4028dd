//! Which waiting workers may have got something to do, or a reason to go.
//!
//! What changes is only noted: teams whose tasks became ready or fewer, and whether the choice among
//! tasks that need resources may come out otherwise. Who that concerns is worked out when it is
//! asked for. Noting too much costs a request for work; noting too little leaves a worker waiting.

use alloc::{
    collections::BTreeSet,
    string::{String, ToString as _},
    vec::Vec,
};

use crate::{
    Now, Scheduler, Status, Timestamp,
    names::Name,
    resource::NeedId,
    task::Slot,
    worker::{TeamId, WorkerIndex},
};

/// The workers to wake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wakeups {
    /// All of them.
    pub everybody: bool,
    /// These, each once.
    pub workers: Vec<String>,
}

/// What was noted since it was asked for last.
#[derive(Default)]
pub(crate) struct Noted {
    everybody: bool,
    /// Teams with a task that became ready, or without an open task since.
    teams: BTreeSet<TeamId>,
    /// The choice among tasks that need resources may come out otherwise.
    contended: bool,
    workers: BTreeSet<WorkerIndex>,
}

impl Scheduler {
    /// Who may have got something to do, or nothing to wait for, since this was asked for last.
    /// Empty unless [`Config::keep_wakeups`](crate::Config::keep_wakeups) is set.
    ///
    /// A connected worker that would have been given nothing and is given a task now is among these.
    /// So is one whose counts of pending tasks fell to zero, and one that was disabled. What time
    /// alone changes is not told before it is [handled](Self::handle_timeout); and when a worker
    /// has not asked for work for so long that no resources are kept for it any more, that is not
    /// told at all.
    pub fn take_wakeups(&mut self) -> Wakeups {
        let noted = core::mem::take(&mut self.noted);
        if noted.everybody {
            return Wakeups {
                everybody: true,
                workers: Vec::new(),
            };
        }
        let mut workers = noted.workers;
        let mut for_assistants = false;
        for id in noted.teams {
            let team = self.workers.team(id);
            let is_ready = |is_for_all: bool| {
                let mut kinds = team.queues.keys();
                let is_alike = |(need, assistants): &(NeedId, Option<Name>)| {
                    *need == NeedId::NOTHING && assistants.is_some() == is_for_all
                };
                !self.paused && kinds.any(is_alike)
            };
            let (for_all, for_team) = (is_ready(true), is_ready(false));
            for_assistants |= for_all;
            if for_all || for_team || team.open == 0 {
                workers.extend(&team.members);
            }
        }
        if noted.contended && !self.paused {
            let fits = |need| self.limits.fits(self.needs.amounts(need), &self.taken);
            for (_, kinds) in self.queues.needy().filter(|&(need, _)| fits(need)) {
                for kind in kinds {
                    for_assistants |= kind.assistants.is_some();
                    workers.extend(&self.workers.team(kind.team).members);
                }
            }
        }
        if for_assistants {
            let all = self.workers.iter();
            workers.extend(all.filter(|(_, it)| it.assistant).map(|(index, _)| index));
        }
        let records = workers.iter().filter_map(|&index| self.workers.get(index));
        let connected = records.filter(|worker| worker.connected);
        Wakeups {
            everybody: false,
            workers: connected.map(|worker| worker.id.to_string()).collect(),
        }
    }

    /// Work is handed out again.
    pub(crate) fn note_everybody(&mut self) {
        self.noted.everybody |= self.config.keep_wakeups;
    }

    /// Something changed that decides on who gets resources.
    pub(crate) fn note_contention(&mut self) {
        self.noted.contended |= self.config.keep_wakeups;
    }

    /// The worker itself has something to hear.
    pub(crate) fn note_worker(&mut self, worker: WorkerIndex) {
        if self.config.keep_wakeups {
            self.noted.workers.insert(worker);
        }
    }

    /// A task was put into the indexes, or taken out.
    pub(crate) fn note_task(&mut self, slot: Slot, added: bool) {
        if !self.config.keep_wakeups {
            return;
        }
        let task = &self.tasks[slot];
        let is_ready = task.is_ready();
        self.noted.contended |= is_ready || task.status == Status::Running;
        let is_open = matches!(task.status, Status::Pending | Status::Failed);
        let is_last = is_open && self.workers.team(task.team).open == 0;
        if if added { is_ready } else { is_last } {
            self.noted.teams.insert(task.team);
        }
    }

    /// The team is about to be dropped, since its last task is gone.
    pub(crate) fn note_end_of_team(&mut self, id: TeamId) {
        if self.noted.teams.remove(&id) {
            self.noted.workers.extend(&self.workers.team(id).members);
        }
    }

    /// The worker asks for work. Resources are kept for one that did so of late, and an assistant
    /// may have more to do than what it was before.
    pub(crate) fn note_request(&mut self, now: Now, worker: WorkerIndex, assistant: bool) {
        if assistant && !self.workers[worker].assistant {
            self.note_worker(worker);
        }
        let asked = self.workers[worker].last_get_work;
        let delay = self.config.worker_disconnect_delay;
        let is_active = |asked: Timestamp| asked.0 > now.monotonic.0 - delay;
        if !asked.is_some_and(is_active) {
            self.note_contention();
        }
    }

    /// A worker is back: it may have work, and where it shares tasks with others, these tasks are
    /// no longer theirs alone, or theirs as the last.
    pub(crate) fn note_return(&mut self, worker: WorkerIndex) {
        if !self.config.keep_wakeups {
            return;
        }
        self.noted.contended = true;
        self.noted.workers.insert(worker);
        for &team in &self.workers[worker].teams {
            let mut connected = self.workers.connected_team(team);
            let other = connected.rfind(|&member| member != worker);
            self.noted.workers.extend(other);
        }
    }
}
