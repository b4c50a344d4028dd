//! What is told of runs: each begins once and ends once, whatever is asked of the scheduler.

use std::collections::BTreeMap;

use condotta_scheduler::{
    AddTask, AttemptEnd, Config, Event, GetWork, Now, Scheduler, Status, Timestamp,
};

use crate::model::all_tasks;

/// The runs that were told to have begun, and not to have ended.
#[derive(Default)]
pub(crate) struct Attempts {
    open: BTreeMap<String, (u64, Timestamp)>,
}

impl Attempts {
    /// Takes all events, and compares what they tell with the tasks that run.
    pub(crate) fn follow(&mut self, scheduler: &mut Scheduler) {
        while let Some(event) = scheduler.poll_event() {
            self.hear(event);
        }
        let running = all_tasks(scheduler).into_iter().filter_map(|(id, task)| {
            let runs = matches!(task.status, Status::Running | Status::BatchRunning);
            runs.then(|| (id, task.time_running.expect("what runs began")))
        });
        let running: BTreeMap<String, Timestamp> = running.collect();
        let open = self.open.iter();
        let open = open.map(|(id, &(_, began))| (id.clone(), began)).collect();
        assert_eq!(running, open, "what runs, and what was told to run");
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::AttemptBegan {
                at,
                task_id,
                attempt,
                ..
            } => {
                let before = self.open.insert(task_id.clone(), (attempt, at));
                assert_eq!(before, None, "{task_id} began while it ran");
            }
            Event::AttemptToldAgain {
                at,
                task_id,
                attempt,
                began,
            } => {
                let before = self.open.insert(task_id.clone(), (attempt, at));
                assert_eq!(before, Some((attempt, began)), "{task_id}: the same run");
            }
            Event::AttemptEnded {
                task_id,
                attempt,
                began,
                ..
            } => {
                let before = self.open.remove(&task_id);
                assert_eq!(
                    before,
                    Some((attempt, began)),
                    "{task_id}: the run that ended"
                );
            }
            _ => {}
        }
    }
}

fn scheduler() -> Scheduler {
    let config = Config {
        worker_disconnect_delay: 10.0,
        keep_events: true,
        ..Config::default()
    };
    Scheduler::new(config, BTreeMap::new(), 0)
}

/// A task that depends on another one, which was done at 3; it was handed out at 5.
fn running() -> Scheduler {
    let mut scheduler = scheduler();
    let mut task = AddTask::new("x", "A");
    task.deps = Some(vec!["B".to_owned()]);
    scheduler.add_task(Now::at(1.0), task).unwrap();
    let mut done = AddTask::new("x", "B");
    done.status = Status::Done;
    scheduler.add_task(Now::at(3.0), done).unwrap();
    let request = GetWork {
        worker: "x".to_owned(),
        host: Some("host".to_owned()),
        ..GetWork::default()
    };
    scheduler.get_work(Now::at(5.0), request).unwrap();
    scheduler
}

fn report(status: Status, new_deps: &[&str]) -> AddTask {
    let mut report = AddTask::new("x", "A");
    report.status = status;
    report.runnable = None;
    report.expl = Some("\"why\"".to_owned());
    report.new_deps = Some(new_deps.iter().map(|&dep| dep.to_owned()).collect());
    report
}

fn attempts(scheduler: &mut Scheduler) -> Vec<Event> {
    let events = std::iter::from_fn(|| scheduler.poll_event());
    let of_attempts = |event: &Event| {
        matches!(
            event,
            Event::AttemptBegan { .. } | Event::AttemptEnded { .. }
        )
    };
    events.filter(of_attempts).collect()
}

#[test]
fn a_run_begins_with_who_runs_it_and_since_when_it_could() {
    let began = Event::AttemptBegan {
        at: Timestamp(5.0),
        task_id: "A".to_owned(),
        attempt: 1,
        worker: Some("x".to_owned()),
        host: Some("host".to_owned()),
        batch_id: None,
        ready: Some(Timestamp(3.0)),
    };
    assert_eq!(attempts(&mut running()), [began]);
}

#[test]
fn a_run_ends_as_it_was_ended() {
    type Act = fn(&mut Scheduler);
    let cases: [(AttemptEnd, Option<&str>, Act); 6] = [
        (AttemptEnd::Done, None, |scheduler| {
            scheduler
                .add_task(Now::at(8.0), report(Status::Done, &[]))
                .unwrap();
        }),
        (AttemptEnd::Failed, Some("\"why\""), |scheduler| {
            scheduler
                .add_task(Now::at(8.0), report(Status::Failed, &[]))
                .unwrap();
        }),
        (AttemptEnd::Suspended, None, |scheduler| {
            scheduler
                .add_task(Now::at(8.0), report(Status::Pending, &["C"]))
                .unwrap();
        }),
        (AttemptEnd::Returned, None, |scheduler| {
            scheduler.release_worker(Now::at(8.0), "x");
        }),
        (AttemptEnd::MarkedDone, None, |scheduler| {
            scheduler.mark_as_done(Now::at(8.0), "A").unwrap();
        }),
        (AttemptEnd::Lost, None, |scheduler| {
            scheduler.handle_timeout(Now::at(100.0));
        }),
    ];
    for (end, expl, act) in cases {
        let mut scheduler = running();
        attempts(&mut scheduler);
        act(&mut scheduler);
        let events = attempts(&mut scheduler);
        let [
            Event::AttemptEnded {
                end: told,
                expl: said,
                began,
                attempt: 1,
                ..
            },
        ] = &events[..]
        else {
            panic!("{end:?}: {events:?}");
        };
        assert_eq!((*told, said.as_deref()), (end, expl));
        assert_eq!(*began, Timestamp(5.0), "{end:?}");
    }
}
