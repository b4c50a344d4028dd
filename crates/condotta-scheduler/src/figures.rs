//! A few numbers that say how things stand, for metrics. Nothing here looks at tasks one by one.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};

use crate::{Scheduler, Status};

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// How many tasks have each status.
    pub tasks: Vec<(Status, u64)>,
    /// How many workers are connected.
    pub workers: u64,
    /// How many of them an operator gives no more work.
    pub disabled_workers: u64,
    /// The resources that have a limit, by name.
    pub resources: Vec<ResourceFigures>,
    /// Whether nothing is handed out.
    pub paused: bool,
}

/// How it stands with a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceFigures {
    /// Its name.
    pub name: String,
    /// Its limit.
    pub limit: u64,
    /// What runs take of it.
    pub used: u64,
}

impl Scheduler {
    /// How things stand.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let workers = self.workers.iter().map(|(_, worker)| worker);
        let connected = workers.filter(|worker| worker.connected);
        let (mut workers, mut disabled_workers) = (0, 0);
        for worker in connected {
            workers += 1;
            disabled_workers += u64::from(worker.disabled);
        }
        let count = |status| (status, self.tasks.count(status) as u64);
        let mut resources: Vec<ResourceFigures> = self
            .limits
            .iter()
            .map(|(resource, limit)| ResourceFigures {
                name: self.needs.name(resource).to_string(),
                limit,
                used: self.taken.of(resource),
            })
            .collect();
        resources.sort_by(|one, other| one.name.cmp(&other.name));
        Figures {
            tasks: Status::ALL.into_iter().map(count).collect(),
            workers,
            disabled_workers,
            resources,
            paused: self.paused,
        }
    }
}
