//! An operator has a run ended.

use condotta_scheduler::{
    AddTask, AddTaskBatcher, AddWorker, Assignment, AttemptEnd, CancelAnswer, Config, Event,
    GetWork, InfoValue, Now, Refusal, Scheduler, Status, WorkerMessage,
};

use crate::kept::restored;

fn scheduler() -> Scheduler {
    let config = Config {
        retry_delay: 5.0,
        worker_disconnect_delay: 20.0,
        disable_persist: 15.0,
        keep_events: true,
        keep_changes: true,
        ..Config::default()
    };
    Scheduler::new(config, [].into(), 0)
}

fn can_cancel(scheduler: &mut Scheduler, worker: &str) {
    let info = vec![("cancels".to_owned(), InfoValue::Bool(true))];
    let worker = worker.to_owned();
    scheduler
        .add_worker(Now::at(0.0), AddWorker { worker, info })
        .unwrap();
}

fn get_work(scheduler: &mut Scheduler, secs: f64, worker: &str) -> Assignment {
    let request = GetWork {
        worker: worker.to_owned(),
        ..GetWork::default()
    };
    let work = scheduler.get_work(Now::at(secs), request).unwrap();
    work.assignment
}

/// A task that `x` runs.
fn running() -> Scheduler {
    let mut scheduler = scheduler();
    can_cancel(&mut scheduler, "x");
    scheduler
        .add_task(Now::at(0.0), AddTask::new("x", "A"))
        .unwrap();
    get_work(&mut scheduler, 1.0, "x");
    scheduler
}

fn said(text: &str) -> CancelAnswer {
    CancelAnswer {
        text: text.to_owned(),
        refused: false,
    }
}

fn report(scheduler: &mut Scheduler, secs: f64, status: Status) {
    let report = AddTask {
        status,
        runnable: None,
        attempt: Some(1),
        expl: Some("\"it ended\"".to_owned()),
        // What was found to be missing while it ran.
        new_deps: (status == Status::Pending).then(|| vec!["B".to_owned()]),
        ..AddTask::new("x", "A")
    };
    scheduler.add_task(Now::at(secs), report).unwrap();
    scheduler.check_invariants().unwrap();
}

fn status(scheduler: &Scheduler, task_id: &str) -> Status {
    scheduler.task(task_id).expect("it is there").status
}

fn ends(scheduler: &mut Scheduler) -> Vec<AttemptEnd> {
    let events = std::iter::from_fn(|| scheduler.poll_event());
    let ends = events.filter_map(|event| match event {
        Event::AttemptEnded { end, .. } => Some(end),
        _ => None,
    });
    ends.collect()
}

#[test]
fn the_worker_is_told_once_and_the_task_is_disabled_until_an_operator_enables_it() {
    let mut scheduler = running();
    let asked = scheduler
        .cancel_task(Now::at(2.0), "A", None, "anna")
        .unwrap();
    assert_eq!(asked.worker.as_deref(), Some("x"));
    let again = scheduler
        .cancel_task(Now::at(3.0), "A", Some(1), "ben")
        .unwrap();
    assert_eq!(again, asked, "the first one counts");
    let message = WorkerMessage::CancelTask {
        task_id: "A".to_owned(),
        attempt: 1,
        by: "anna".to_owned(),
    };
    assert_eq!(scheduler.ping(Now::at(3.0), "x").unwrap(), [message]);
    scheduler
        .answer_cancel(Now::at(3.0), "x", "A", Some(1), said("yes"))
        .unwrap();
    let ask = scheduler.cancelling("A").unwrap().ask.unwrap();
    assert_eq!(ask.answer.as_deref(), Some("yes"));
    report(&mut scheduler, 4.0, Status::Failed);
    assert_eq!(ends(&mut scheduler), [AttemptEnd::Cancelled]);
    for secs in [10.0, 100.0] {
        scheduler = restored(&scheduler, &[], Now::at(secs));
        scheduler.ping(Now::at(secs), "x").unwrap();
        scheduler.prune(Now::at(secs));
        // The worker plans again.
        scheduler
            .add_task(Now::at(secs), AddTask::new("x", "A"))
            .unwrap();
        assert_eq!(status(&scheduler, "A"), Status::Disabled);
        let state = scheduler.cancelling("A").unwrap();
        assert_eq!(
            (state.ask, state.cancelled_by.as_deref()),
            (None, Some("anna"))
        );
        assert_eq!(get_work(&mut scheduler, secs, "x"), Assignment::Nothing);
    }
    scheduler.re_enable_task(Now::at(101.0), "A").unwrap();
    assert_eq!(scheduler.cancelling("A").unwrap().cancelled_by, None);
    assert!(matches!(
        get_work(&mut scheduler, 120.0, "x"),
        Assignment::Task { attempt: 2, .. }
    ));
    scheduler.check_invariants().unwrap();
}

#[test]
fn however_the_run_ends_it_is_cancelled_unless_it_is_done() {
    let mut done = running();
    done.cancel_task(Now::at(2.0), "A", None, "anna").unwrap();
    report(&mut done, 3.0, Status::Done);
    assert_eq!(status(&done, "A"), Status::Done);
    assert_eq!(done.cancelling("A").unwrap().ask, None);
    assert_eq!(ends(&mut done), [AttemptEnd::Done]);

    let mut lost = running();
    lost.cancel_task(Now::at(2.0), "A", None, "anna").unwrap();
    lost.prune(Now::at(50.0));
    assert_eq!(status(&lost, "A"), Status::Disabled);

    let mut released = running();
    released
        .cancel_task(Now::at(2.0), "A", None, "anna")
        .unwrap();
    released.release_worker(Now::at(3.0), "x");
    assert_eq!(status(&released, "A"), Status::Disabled);

    let mut suspended = running();
    suspended
        .cancel_task(Now::at(2.0), "A", None, "anna")
        .unwrap();
    report(&mut suspended, 3.0, Status::Pending);
    assert_eq!(status(&suspended, "A"), Status::Disabled);
    assert_eq!(ends(&mut suspended), [AttemptEnd::Cancelled]);
}

#[test]
fn what_cannot_be_ended_is_refused_with_the_reason() {
    let mut scheduler = running();
    let mut cancel = |task_id: &str, attempt| {
        let refused = scheduler.cancel_task(Now::at(2.0), task_id, attempt, "anna");
        refused.expect_err("it is refused")
    };
    assert!(matches!(
        cancel("B", None),
        Refusal::NotRunning { status: None, .. }
    ));
    assert!(matches!(
        cancel("A", Some(2)),
        Refusal::OtherAttempt { current: 1, .. }
    ));
    report(&mut scheduler, 3.0, Status::Done);
    let refused = scheduler.cancel_task(Now::at(4.0), "A", None, "anna");
    let text = refused.unwrap_err().to_string();
    assert_eq!(text, "task A is DONE, so there is no run to cancel");

    // One that says nothing of it, as Luigi's do.
    scheduler
        .add_task(Now::at(5.0), AddTask::new("stock", "B"))
        .unwrap();
    get_work(&mut scheduler, 6.0, "stock");
    let refused = scheduler.cancel_task(Now::at(7.0), "B", None, "anna");
    assert!(matches!(refused, Err(Refusal::CannotCancel { .. })));
    assert_eq!(scheduler.ping(Now::at(8.0), "stock").unwrap(), []);
    assert_eq!(status(&scheduler, "B"), Status::Running);
}

#[test]
fn a_run_that_its_worker_cannot_end_goes_on_and_is_not_cancelled() {
    let mut scheduler = running();
    let ask = |scheduler: &mut Scheduler, secs| {
        let asked = scheduler.cancel_task(Now::at(secs), "A", None, "anna");
        asked.unwrap().ask.unwrap()
    };
    let refuse = CancelAnswer {
        text: "it cannot be ended".to_owned(),
        refused: true,
    };
    ask(&mut scheduler, 2.0);
    scheduler.ping(Now::at(3.0), "x").unwrap();
    scheduler
        .answer_cancel(Now::at(3.0), "x", "A", Some(1), refuse.clone())
        .unwrap();
    while let Some(event) = scheduler.poll_event() {
        if let Event::CancelRefused { answer, .. } = &event {
            assert_eq!(answer, "it cannot be ended");
        }
    }
    scheduler = restored(&scheduler, &[], Now::at(4.0));
    let told = scheduler.cancelling("A").unwrap().ask.unwrap();
    assert!(told.refused, "{told:?}");
    // To ask again is a new question, and the worker is told again.
    let again = ask(&mut scheduler, 5.0);
    assert_eq!((again.refused, again.answer), (false, None));
    assert_eq!(scheduler.ping(Now::at(5.0), "x").unwrap().len(), 1);
    scheduler
        .answer_cancel(Now::at(5.0), "x", "A", Some(1), refuse)
        .unwrap();
    report(&mut scheduler, 6.0, Status::Failed);
    assert_eq!(status(&scheduler, "A"), Status::Failed);
    assert_eq!(ends(&mut scheduler), [AttemptEnd::Failed]);
    assert_eq!(scheduler.cancelling("A").unwrap().ask, None);
    scheduler.check_invariants().unwrap();
}

#[test]
fn a_later_attempt_is_another_run() {
    let mut scheduler = running();
    report(&mut scheduler, 2.0, Status::Failed);
    scheduler.prune(Now::at(20.0));
    get_work(&mut scheduler, 21.0, "x");
    assert!(
        scheduler
            .cancel_task(Now::at(22.0), "A", Some(1), "anna")
            .is_err()
    );
    scheduler
        .cancel_task(Now::at(22.0), "A", Some(2), "anna")
        .unwrap();
    // A late word about the first one.
    report(&mut scheduler, 23.0, Status::Failed);
    assert_eq!(status(&scheduler, "A"), Status::Running);
    scheduler
        .answer_cancel(Now::at(23.0), "x", "A", Some(1), said("late"))
        .unwrap();
    assert_eq!(scheduler.cancelling("A").unwrap().ask.unwrap().answer, None);
}

#[test]
fn who_cancels_a_member_of_a_batch_cancels_the_batch() {
    let mut scheduler = scheduler();
    can_cancel(&mut scheduler, "x");
    scheduler
        .add_task_batcher(
            Now::at(0.0),
            AddTaskBatcher {
                worker: "x".to_owned(),
                task_family: "F".to_owned(),
                batched_args: vec!["p".to_owned()],
                max_batch_size: None,
            },
        )
        .unwrap();
    for id in ["F_1", "F_2"] {
        let param = condotta_scheduler::Param {
            name: "p".to_owned(),
            value: id.to_owned(),
            visibility: condotta_scheduler::Visibility::Public,
        };
        let task = AddTask {
            family: "F".to_owned(),
            params: Some(vec![param]),
            batchable: Some(true),
            ..AddTask::new("x", id)
        };
        scheduler.add_task(Now::at(0.0), task).unwrap();
    }
    let Assignment::Batch { batch_id, .. } = get_work(&mut scheduler, 1.0, "x") else {
        panic!("both run together");
    };
    let combined = AddTask {
        status: Status::Running,
        batch_id: Some(batch_id.clone()),
        family: "F".to_owned(),
        ..AddTask::new("x", "F_1_2")
    };
    scheduler.add_task(Now::at(1.0), combined).unwrap();
    let asked = scheduler
        .cancel_task(Now::at(2.0), "F_1", None, "anna")
        .unwrap();
    assert_eq!(asked.task_id, "F_1_2");
    let report = AddTask {
        status: Status::Failed,
        runnable: None,
        ..AddTask::new("x", "F_1_2")
    };
    scheduler.add_task(Now::at(3.0), report).unwrap();
    scheduler.check_invariants().unwrap();
    for id in ["F_1", "F_2"] {
        assert_eq!(status(&scheduler, id), Status::Disabled, "{id}");
        let by = scheduler.cancelling(id).unwrap().cancelled_by;
        assert_eq!(by.as_deref(), Some("anna"));
    }
}
