//! A state put together from what requests changed, next to the scheduler that changed.

use std::collections::BTreeMap;

use condotta_scheduler::{Now, Record, RecordCursor, SavedState, Scheduler, WorkerMessage};
use proptest::prelude::*;

use crate::{
    model::all_tasks,
    random::{Request, cases, requests},
    step::Play,
};

pub(crate) fn fold(records: impl IntoIterator<Item = Record>) -> SavedState {
    let mut state = SavedState::default();
    for record in records {
        state.apply(record);
    }
    state
}

/// Everything that the scheduler keeps, read in steps of so many tasks.
pub(crate) fn read(scheduler: &Scheduler, tasks: usize) -> SavedState {
    let mut state = SavedState::default();
    let mut cursor = Some(RecordCursor::default());
    while let Some(at) = cursor {
        let (records, next) = scheduler.read_records(at, tasks);
        for record in records {
            state.apply(record);
        }
        cursor = next;
    }
    state
}

/// What is read of a scheduler, restored.
pub(crate) fn restored(scheduler: &Scheduler, limits: &[(&str, u64)], now: Now) -> Scheduler {
    let limits = limits
        .iter()
        .map(|&(name, limit)| (name.to_owned(), limit))
        .collect();
    let state = read(scheduler, 5);
    Scheduler::restore(scheduler.config().clone(), limits, 1, now, state)
}

/// A state put together from changes, compared with what is read after each request.
#[derive(Default)]
pub(crate) struct Kept {
    folded: SavedState,
    snapshot: Option<Snapshot>,
}

/// A state that is read in steps while requests go on, with the changes since the first step.
#[derive(Default)]
struct Snapshot {
    state: SavedState,
    cursor: Option<RecordCursor>,
    changes: Vec<Record>,
}

impl Kept {
    /// After a request.
    pub(crate) fn follow(&mut self, scheduler: &mut Scheduler) {
        let changes = scheduler.take_changes();
        assert_eq!(scheduler.take_changes(), [], "changes are told once");
        for change in changes.clone() {
            self.folded.apply(change);
        }
        let read = read(scheduler, 3);
        assert_eq!(self.folded, read, "after {changes:?}");
        let mut snapshot = self.snapshot.take().unwrap_or_else(|| Snapshot {
            cursor: Some(RecordCursor::default()),
            ..Snapshot::default()
        });
        // What changed before the first step is in the snapshot.
        if snapshot.cursor != Some(RecordCursor::default()) {
            snapshot.changes.extend(changes);
        }
        match snapshot.cursor {
            Some(cursor) => {
                let (records, next) = scheduler.read_records(cursor, 2);
                for record in records {
                    snapshot.state.apply(record);
                }
                snapshot.cursor = next;
                self.snapshot = Some(snapshot);
            }
            None => {
                for change in snapshot.changes {
                    snapshot.state.apply(change);
                }
                assert_eq!(snapshot.state, read, "a snapshot that took a while");
            }
        }
    }

    /// The scheduler, restored: the same, again and again.
    pub(crate) fn restart(&mut self, scheduler: &mut Scheduler, now: Now) {
        let limits = [("r0", 2)];
        let mut next = restored(scheduler, &limits, now);
        next.check_invariants().expect("all indexes agree");
        assert_eq!(next.take_changes(), []);
        assert_eq!(next.poll_event(), None);
        let state = read(scheduler, 7);
        assert_eq!(read(&next, 7), state);
        assert_eq!(next.task_count(), state.task_count());
        assert_eq!(all_tasks(&next), all_tasks(scheduler));
        assert_eq!(next.is_paused(), scheduler.is_paused());
        assert_eq!(next.resource_list(), scheduler.resource_list());
        for id in all_tasks(&next).keys() {
            assert_eq!(next.upstream_status(id), scheduler.upstream_status(id));
        }
        let again = restored(&next, &limits, now);
        assert_eq!(read(&again, 7), state);
        self.snapshot = None;
        self.folded = state;
        *scheduler = next;
    }
}

/// The state without numbers that mean nothing but their order.
pub(crate) fn normal(state: &SavedState) -> Vec<Record> {
    let mut records: Vec<Record> = state.records().collect();
    let mut serials = BTreeMap::new();
    for record in &mut records {
        if let Record::Worker(worker) = record {
            let number = worker.id.bytes().map(u64::from).sum();
            serials.insert(worker.serial, number);
            serials.insert(worker.team_serial, number);
            (worker.serial, worker.team_serial) = (number, number);
            for message in &mut worker.messages {
                if let WorkerMessage::DispatchSchedulerMessage { message_id, .. } = message {
                    message_id.clear();
                }
            }
        }
    }
    let mut age = 0;
    for record in &mut records {
        if let Record::Task(task) = record {
            age += 1;
            task.identity.as_mut().unwrap().age = age;
            // Whether a task goes by a mark of its own or with all that its stakeholders wanted.
            let state = task.state.as_mut().unwrap();
            state.remove = state.remove.filter(|_| !state.orphan);
            state.orphan = false;
            let links = task.links.as_mut().unwrap();
            let mut numbers = links.workers.iter_mut().chain(&mut links.stakeholders);
            numbers.by_ref().for_each(|it| *it = serials[it]);
            links.stakeholders.sort_unstable();
        }
    }
    records.sort_by_key(|record| match record {
        Record::Worker(worker) => worker.id.clone(),
        _ => "~".to_owned(),
    });
    records
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn a_restored_scheduler_goes_on_as_the_one_that_lives(requests in requests()) {
        let mut lives = Play::new(false);
        let mut restarts = Play::new(true);
        for (pause, request) in &requests {
            lives.play(*pause, request);
            restarts.play(*pause, request);
            let (one, other) = (read(&lives.scheduler, 9), read(&restarts.scheduler, 9));
            prop_assert_eq!(normal(&one), normal(&other));
        }
        // Nobody plans any more, so that everything that can be told is.
        for play in [&mut lives, &mut restarts] {
            play.play(1, &Request::Restart);
            play.play(1, &Request::Prune);
        }
        // What was told and still holds is found again, and what was not looked at may be, too.
        let again = restarts.scheduler.dead_ends();
        let told = lives.scheduler.dead_ends();
        prop_assert!(told.keys().all(|id| again.contains_key(id)), "{told:?} {again:?}");
    }
}
