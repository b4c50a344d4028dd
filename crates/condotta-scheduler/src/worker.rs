//! Workers, and the two kinds of sets of workers that tasks share.
//!
//! The workers that can run a task are its *team*, in the order in which they said so; those with a
//! stake in it are its *stakeholders*. Many tasks have the same team, so teams are kept once each
//! and carry the counters that belong to all of their tasks. A worker that is disconnected stays a
//! member: when it comes back, it has its place again.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    string::String,
    sync::Arc,
    vec::Vec,
};

use crate::{
    InfoValue, Now, Timestamp, WorkerMessage, WorkerState,
    names::Name,
    queue::QueueIndex,
    resource::NeedId,
    task::{NO_SLOT, Slot},
};

/// A place in the table of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkerIndex(pub(crate) u32);

/// A place in the table of teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TeamId(pub(crate) u32);

impl TeamId {
    /// The team without members.
    pub(crate) const NOBODY: Self = Self(0);
}

/// A place in the table of stakeholder sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StakeId(pub(crate) u32);

impl StakeId {
    /// The set without members.
    pub(crate) const NOBODY: Self = Self(0);
}

/// A worker's record.
pub(crate) struct Worker {
    pub(crate) id: Box<str>,
    /// Never given twice.
    pub(crate) serial: u64,
    /// As which records of tasks name it in teams; see `WorkerRecord`.
    pub(crate) team_serial: u64,
    pub(crate) host: Option<String>,
    /// Last contact, on both clocks.
    pub(crate) last_active: Timestamp,
    pub(crate) last_active_wall: Timestamp,
    /// When it was last found to be gone (monotonic).
    pub(crate) lost_at: Timestamp,
    /// Last request for work (monotonic).
    pub(crate) last_get_work: Option<Timestamp>,
    pub(crate) started_wall: Timestamp,
    pub(crate) info: Arc<Vec<(String, InfoValue)>>,
    pub(crate) assistant: bool,
    /// Processes, as far as it said so.
    pub(crate) processes: i64,
    pub(crate) disabled: bool,
    /// It announced tasks since it last asked for work, so more may follow.
    pub(crate) planning: bool,
    /// It went in good order and did not come back to announce or to ask: it runs nothing.
    pub(crate) left: bool,
    /// Not silent for too long.
    pub(crate) connected: bool,
    /// Out of all sets. The record is kept for the tasks that name it as their last worker.
    pub(crate) forgotten: bool,
    /// How many tasks name it as their current or last worker.
    pub(crate) ran: usize,
    pub(crate) messages: Vec<WorkerMessage>,
    pub(crate) teams: BTreeSet<TeamId>,
    pub(crate) stakes: BTreeSet<StakeId>,
    /// Tasks, RUNNING or BATCH_RUNNING, that it runs, oldest first.
    pub(crate) owned: BTreeSet<(u64, Slot)>,
}

impl Worker {
    /// A worker that comes for the first time, as of now. It is in no set.
    pub(crate) fn new(id: &str, serial: u64, now: Now) -> Self {
        Self {
            id: id.into(),
            serial,
            team_serial: serial,
            host: None,
            last_active: now.monotonic,
            last_active_wall: now.wall,
            lost_at: now.monotonic,
            last_get_work: None,
            started_wall: now.wall,
            info: Arc::default(),
            assistant: false,
            processes: 1,
            disabled: false,
            planning: false,
            left: false,
            connected: true,
            forgotten: false,
            ran: 0,
            messages: Vec::new(),
            teams: BTreeSet::new(),
            stakes: BTreeSet::new(),
            owned: BTreeSet::new(),
        }
    }

    pub(crate) fn state(&self) -> WorkerState {
        if self.disabled {
            WorkerState::Disabled
        } else {
            WorkerState::Active
        }
    }

    /// Keeps what it says of itself; whether any of that is new.
    pub(crate) fn add_info(&mut self, info: Vec<(String, InfoValue)>) -> bool {
        let mut is_new = false;
        let known = Arc::make_mut(&mut self.info);
        for (name, value) in info {
            match name.as_str() {
                "assistant" => self.assistant = is_true(&value),
                "workers" => {
                    if let InfoValue::Int(processes) = value {
                        self.processes = processes;
                    }
                }
                _ => {}
            }
            match known.iter_mut().find(|known| known.0 == name) {
                Some(known) if known.1 == value => {}
                Some(known) => {
                    known.1 = value;
                    is_new = true;
                }
                None => {
                    known.push((name, value));
                    is_new = true;
                }
            }
        }
        is_new
    }
}

fn is_true(value: &InfoValue) -> bool {
    match value {
        InfoValue::Null => false,
        InfoValue::Bool(flag) => *flag,
        InfoValue::Int(number) => *number != 0,
        InfoValue::Float(number) => *number != 0.0,
        InfoValue::Text(text) => !text.is_empty(),
        InfoValue::Json(text) => text != "[]" && text != "{}",
    }
}

/// The workers that can run some tasks, with what is counted over these tasks.
#[derive(Default)]
pub(crate) struct Team {
    pub(crate) members: Vec<WorkerIndex>,
    /// How many tasks have this team.
    pub(crate) tasks: usize,
    /// PENDING tasks.
    pub(crate) pending: u64,
    /// PENDING tasks that need resources.
    pub(crate) needing: u64,
    /// PENDING and FAILED tasks that no disabled one holds up.
    pub(crate) open: u64,
    /// RUNNING tasks, oldest first.
    pub(crate) running: BTreeSet<(u64, Slot)>,
    /// The ready queues of these tasks, by need and by whether an assistant may run them.
    pub(crate) queues: BTreeMap<(NeedId, Option<Name>), QueueIndex>,
}

/// The workers with a stake in some tasks.
pub(crate) struct Stake {
    /// Ascending.
    pub(crate) members: Vec<WorkerIndex>,
    pub(crate) tasks: usize,
    /// The list of these tasks.
    pub(crate) first: Slot,
    /// When the last connected member went (monotonic). The set of nobody has none.
    pub(crate) abandoned: Option<Timestamp>,
}

impl Default for Stake {
    fn default() -> Self {
        Self {
            members: Vec::new(),
            tasks: 0,
            first: NO_SLOT,
            abandoned: None,
        }
    }
}

pub(crate) struct Workers {
    /// The serial number that was given last.
    last_serial: u64,
    pub(crate) list: Vec<Option<Worker>>,
    free: Vec<u32>,
    by_id: BTreeMap<Box<str>, WorkerIndex>,
    pub(crate) teams: Vec<Team>,
    free_teams: Vec<u32>,
    team_ids: BTreeMap<Vec<WorkerIndex>, TeamId>,
    pub(crate) stakes: Vec<Stake>,
    free_stakes: Vec<u32>,
    stake_ids: BTreeMap<Vec<WorkerIndex>, StakeId>,
}

impl Workers {
    pub(crate) fn new() -> Self {
        Self {
            last_serial: 0,
            list: Vec::new(),
            free: Vec::new(),
            by_id: BTreeMap::new(),
            teams: alloc::vec![Team::default()],
            free_teams: Vec::new(),
            team_ids: BTreeMap::from([(Vec::new(), TeamId::NOBODY)]),
            stakes: alloc::vec![Stake::default()],
            free_stakes: Vec::new(),
            stake_ids: BTreeMap::from([(Vec::new(), StakeId::NOBODY)]),
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<WorkerIndex> {
        self.by_id.get(id).copied()
    }

    /// A serial number that nobody had.
    pub(crate) fn take_serial(&mut self) -> u64 {
        self.last_serial += 1;
        self.last_serial
    }

    /// Numbers up to this one were given to somebody.
    pub(crate) fn skip_serials(&mut self, last: u64) {
        self.last_serial = self.last_serial.max(last);
    }

    /// A worker of the same id comes anew. Tasks that name the forgotten one name it then.
    pub(crate) fn replace_forgotten(&mut self, index: WorkerIndex, new: Worker) {
        let ran = self[index].ran;
        self[index] = Worker { ran, ..new };
    }

    pub(crate) fn insert(&mut self, worker: Worker) -> WorkerIndex {
        let id = worker.id.clone();
        let index = match self.free.pop() {
            Some(index) => {
                self.list[index as usize] = Some(worker);
                index
            }
            None => {
                self.list.push(Some(worker));
                u32::try_from(self.list.len() - 1).expect("fewer than 2^32 workers")
            }
        };
        self.by_id.insert(id, WorkerIndex(index));
        WorkerIndex(index)
    }

    pub(crate) fn get(&self, index: WorkerIndex) -> Option<&Worker> {
        self.list.get(index.0 as usize)?.as_ref()
    }

    /// Drops the record of a forgotten worker that no task names any more.
    pub(crate) fn remove_if_unused(&mut self, index: WorkerIndex) {
        let worker = &self[index];
        if worker.forgotten && worker.ran == 0 {
            self.by_id.remove(&worker.id.clone());
            self.list[index.0 as usize] = None;
            self.free.push(index.0);
        }
    }

    /// Every record, also of disconnected workers, in the order of the table.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (WorkerIndex, &Worker)> {
        (0..)
            .map(WorkerIndex)
            .zip(&self.list)
            .filter_map(|(index, worker)| Some((index, worker.as_ref()?)))
    }

    pub(crate) fn team(&self, id: TeamId) -> &Team {
        &self.teams[id.0 as usize]
    }

    pub(crate) fn team_mut(&mut self, id: TeamId) -> &mut Team {
        &mut self.teams[id.0 as usize]
    }

    pub(crate) fn stake(&self, id: StakeId) -> &Stake {
        &self.stakes[id.0 as usize]
    }

    pub(crate) fn stake_mut(&mut self, id: StakeId) -> &mut Stake {
        &mut self.stakes[id.0 as usize]
    }

    /// The members of a team that are connected, in their order.
    pub(crate) fn connected_team(
        &self,
        id: TeamId,
    ) -> impl DoubleEndedIterator<Item = WorkerIndex> {
        self.team(id)
            .members
            .iter()
            .copied()
            .filter(|&member| self[member].connected)
    }

    /// Whether a connected worker has this stake.
    pub(crate) fn is_alive(&self, id: StakeId) -> bool {
        self.stake(id)
            .members
            .iter()
            .any(|&member| self[member].connected)
    }

    /// The team `id` with `worker` at its end, unless it is in.
    pub(crate) fn team_with(&mut self, id: TeamId, worker: WorkerIndex) -> TeamId {
        if self.team(id).members.contains(&worker) {
            return id;
        }
        let mut members = self.team(id).members.clone();
        members.push(worker);
        self.team_of(members)
    }

    /// The team of these members, in this order.
    pub(crate) fn team_of(&mut self, members: Vec<WorkerIndex>) -> TeamId {
        if let Some(&known) = self.team_ids.get(&members) {
            return known;
        }
        let team = Team {
            members: members.clone(),
            ..Team::default()
        };
        let new = TeamId(place(&mut self.teams, &mut self.free_teams, team));
        for &member in &members {
            self[member].teams.insert(new);
        }
        self.team_ids.insert(members, new);
        new
    }

    /// The stakeholders `id` with `worker`, unless it is in.
    pub(crate) fn stake_with(&mut self, id: StakeId, worker: WorkerIndex) -> StakeId {
        let Err(position) = self.stake(id).members.binary_search(&worker) else {
            return id;
        };
        let mut members = self.stake(id).members.clone();
        members.insert(position, worker);
        self.stake_of(members)
    }

    /// The stakeholders that are these, ascending.
    pub(crate) fn stake_of(&mut self, members: Vec<WorkerIndex>) -> StakeId {
        if let Some(&known) = self.stake_ids.get(&members) {
            return known;
        }
        let stake = Stake {
            members: members.clone(),
            ..Stake::default()
        };
        let new = StakeId(place(&mut self.stakes, &mut self.free_stakes, stake));
        for &member in &members {
            self[member].stakes.insert(new);
        }
        self.stake_ids.insert(members, new);
        new
    }

    /// Drops a team that no task has, and so no queue.
    pub(crate) fn drop_team(&mut self, id: TeamId) {
        let team = core::mem::take(self.team_mut(id));
        for &member in &team.members {
            self[member].teams.remove(&id);
        }
        if self.team_ids.get(&team.members) == Some(&id) {
            self.team_ids.remove(&team.members);
        }
        self.free_teams.push(id.0);
    }

    /// Drops a stakeholder set that no task has.
    pub(crate) fn drop_stake(&mut self, id: StakeId) {
        let stake = core::mem::take(self.stake_mut(id));
        for &member in &stake.members {
            self[member].stakes.remove(&id);
        }
        if self.stake_ids.get(&stake.members) == Some(&id) {
            self.stake_ids.remove(&stake.members);
        }
        self.free_stakes.push(id.0);
    }

    /// Takes a worker out of all of its teams, for good. The teams stay where they are, so no task
    /// changes.
    pub(crate) fn leave_teams(&mut self, worker: WorkerIndex) {
        for id in core::mem::take(&mut self[worker].teams) {
            let before = self.team(id).members.clone();
            self.team_mut(id).members.retain(|&member| member != worker);
            if self.team_ids.get(&before) == Some(&id) {
                self.team_ids.remove(&before);
            }
            let after = self.team(id).members.clone();
            self.team_ids.entry(after).or_insert(id);
        }
    }

    /// The same for its stakes.
    pub(crate) fn leave_stakes(&mut self, worker: WorkerIndex) {
        for id in core::mem::take(&mut self[worker].stakes) {
            let before = self.stake(id).members.clone();
            self.stake_mut(id)
                .members
                .retain(|&member| member != worker);
            if self.stake_ids.get(&before) == Some(&id) {
                self.stake_ids.remove(&before);
            }
            let after = self.stake(id).members.clone();
            self.stake_ids.entry(after).or_insert(id);
        }
    }
}

fn place<T>(list: &mut Vec<T>, free: &mut Vec<u32>, item: T) -> u32 {
    match free.pop() {
        Some(index) => {
            list[index as usize] = item;
            index
        }
        None => {
            list.push(item);
            u32::try_from(list.len() - 1).expect("fewer than 2^32 sets of workers")
        }
    }
}

impl core::ops::Index<WorkerIndex> for Workers {
    type Output = Worker;

    fn index(&self, index: WorkerIndex) -> &Worker {
        self.list[index.0 as usize]
            .as_ref()
            .expect("workers in use are kept")
    }
}

impl core::ops::IndexMut<WorkerIndex> for Workers {
    fn index_mut(&mut self, index: WorkerIndex) -> &mut Worker {
        self.list[index.0 as usize]
            .as_mut()
            .expect("workers in use are kept")
    }
}
