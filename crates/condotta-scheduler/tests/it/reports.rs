//! Reports that come late, twice, or from a worker that lost its task; and what can never run.

use condotta_scheduler::{
    AddTask, AddTaskBatcher, AddWorker, Assignment, Config, DeadEnd, Event, GetWork, Now, Param,
    Scheduler, Status, Visibility,
};

fn scheduler() -> Scheduler {
    let config = Config {
        worker_disconnect_delay: 10.0,
        retry_delay: 5.0,
        retry_count: 2,
        keep_events: true,
        ..Config::default()
    };
    Scheduler::new(config, [("gpu".to_owned(), 1)].into(), 0)
}

fn announce(scheduler: &mut Scheduler, secs: f64, worker: &str, task: &str, deps: &[&str]) {
    let mut request = AddTask::new(worker, task);
    request.deps = Some(deps.iter().map(|&dep| dep.to_owned()).collect());
    scheduler.add_task(Now::at(secs), request).unwrap();
}

/// Asks for work, and says what came and as which attempt.
fn get_work(scheduler: &mut Scheduler, secs: f64, worker: &str) -> Option<(String, u64)> {
    let request = GetWork {
        worker: worker.to_owned(),
        ..GetWork::default()
    };
    match scheduler
        .get_work(Now::at(secs), request)
        .unwrap()
        .assignment
    {
        Assignment::Task {
            task_id, attempt, ..
        } => Some((task_id, attempt)),
        _ => None,
    }
}

fn report(
    scheduler: &mut Scheduler,
    secs: f64,
    worker: &str,
    status: Status,
    attempt: Option<u64>,
) {
    let mut report = AddTask::new(worker, "A");
    report.status = status;
    report.runnable = None;
    report.new_deps = Some(Vec::new());
    report.attempt = attempt;
    scheduler.add_task(Now::at(secs), report).unwrap();
}

fn status(scheduler: &Scheduler) -> Status {
    scheduler.task("A").expect("it was announced").status
}

fn dead_ends(scheduler: &mut Scheduler) -> Vec<(String, DeadEnd)> {
    let events = core::iter::from_fn(|| scheduler.poll_event());
    let dead_ends = events.filter_map(|event| match event {
        Event::DeadEnd {
            task_id, reason, ..
        } => Some((task_id.to_string(), reason)),
        _ => None,
    });
    dead_ends.collect()
}

#[test]
fn a_failure_that_is_reported_twice_counts_once() {
    for attempt in [None, Some(1)] {
        let mut scheduler = scheduler();
        announce(&mut scheduler, 0.0, "x", "A", &[]);
        get_work(&mut scheduler, 1.0, "x");
        report(&mut scheduler, 2.0, "x", Status::Failed, attempt);
        report(&mut scheduler, 3.0, "x", Status::Failed, attempt);
        assert_eq!(
            status(&scheduler),
            Status::Failed,
            "two failures would disable it"
        );
        scheduler.handle_timeout(Now::at(8.0));
        assert_eq!(
            get_work(&mut scheduler, 8.0, "x"),
            Some(("A".to_owned(), 2))
        );
        report(
            &mut scheduler,
            9.0,
            "x",
            Status::Failed,
            attempt.map(|it| it + 1),
        );
        assert_eq!(
            status(&scheduler),
            Status::Disabled,
            "this was the second one"
        );
    }
}

#[test]
fn the_failure_of_a_lost_run_is_not_counted_again_when_its_worker_comes_back() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &[]);
    get_work(&mut scheduler, 1.0, "x");
    scheduler.handle_timeout(Now::at(12.0));
    assert_eq!(status(&scheduler), Status::Failed);
    report(&mut scheduler, 13.0, "x", Status::Failed, Some(1));
    assert_eq!(status(&scheduler), Status::Failed);
}

#[test]
fn a_late_done_counts_while_nobody_runs_the_task() {
    for attempt in [None, Some(1)] {
        let mut scheduler = scheduler();
        announce(&mut scheduler, 0.0, "x", "A", &[]);
        get_work(&mut scheduler, 1.0, "x");
        scheduler.handle_timeout(Now::at(12.0));
        report(&mut scheduler, 13.0, "x", Status::Done, attempt);
        assert_eq!(status(&scheduler), Status::Done);
    }
}

/// A worker that plans finds complete what another one runs.
fn find_complete(scheduler: &mut Scheduler, secs: f64, worker: &str) {
    let mut request = AddTask::new(worker, "A");
    request.status = Status::Done;
    request.runnable = Some(false);
    scheduler.add_task(Now::at(secs), request).unwrap();
}

#[test]
fn what_was_found_complete_is_done_when_its_worker_is_lost_or_goes() {
    for goes in [false, true] {
        let mut scheduler = scheduler();
        announce(&mut scheduler, 0.0, "x", "A", &[]);
        get_work(&mut scheduler, 1.0, "x");
        announce(&mut scheduler, 2.0, "y", "B", &["A"]);
        find_complete(&mut scheduler, 3.0, "y");
        assert_eq!(status(&scheduler), Status::Running, "its worker may live");
        scheduler.ping(Now::at(9.0), "y").unwrap();
        if goes {
            scheduler.release_worker(Now::at(12.0), "x");
        } else {
            scheduler.handle_timeout(Now::at(12.0));
        }
        assert_eq!(status(&scheduler), Status::Done);
        let work = get_work(&mut scheduler, 13.0, "y");
        assert_eq!(work, Some(("B".to_owned(), 1)));
        scheduler.check_invariants().unwrap();
    }
}

/// The worker that runs the task knows better, and what was seen counts for this run only.
#[test]
fn what_was_found_complete_is_failed_when_its_worker_says_so() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &[]);
    get_work(&mut scheduler, 1.0, "x");
    find_complete(&mut scheduler, 2.0, "y");
    report(&mut scheduler, 3.0, "x", Status::Failed, None);
    assert_eq!(status(&scheduler), Status::Failed);
    scheduler.handle_timeout(Now::at(9.0));
    assert!(get_work(&mut scheduler, 9.0, "x").is_some());
    scheduler.handle_timeout(Now::at(20.0));
    assert_eq!(
        status(&scheduler),
        Status::Disabled,
        "the second failure, with which it is over"
    );
}

#[test]
fn a_worker_that_has_the_task_again_is_fenced_by_the_attempt() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &[]);
    get_work(&mut scheduler, 1.0, "x");
    scheduler.handle_timeout(Now::at(12.0));
    scheduler.handle_timeout(Now::at(18.0));
    assert_eq!(
        get_work(&mut scheduler, 19.0, "x"),
        Some(("A".to_owned(), 2))
    );
    for old in [Status::Failed, Status::Done] {
        report(&mut scheduler, 20.0, "x", old, Some(1));
        assert_eq!(
            status(&scheduler),
            Status::Running,
            "{old:?} of the first attempt"
        );
    }
    report(&mut scheduler, 21.0, "x", Status::Done, Some(2));
    assert_eq!(status(&scheduler), Status::Done);
}

#[test]
fn the_lease_of_a_lost_worker_ends_by_the_timeout_that_is_asked_for() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &[]);
    get_work(&mut scheduler, 1.0, "x");
    // Only the timeouts drive time here: the run fails, and is pending again after its delay.
    let mut last = (Status::Running, 0.0);
    let mut changes = Vec::new();
    while let Some(at) = scheduler.poll_timeout().filter(|at| at.0 < 100.0) {
        assert!(at.0 > last.1, "time stands still at {at:?}");
        scheduler.handle_timeout(Now::at(at.0));
        let before = core::mem::replace(&mut last, (status(&scheduler), at.0));
        if before.0 != last.0 {
            changes.push((last.0, at.0.round()));
        }
    }
    assert_eq!(changes, [(Status::Failed, 11.0), (Status::Pending, 16.0)]);
}

#[test]
fn a_cycle_is_told_once_with_its_path() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &["B"]);
    announce(&mut scheduler, 1.0, "x", "B", &["C"]);
    announce(&mut scheduler, 2.0, "x", "C", &["A"]);
    get_work(&mut scheduler, 3.0, "x");
    scheduler.handle_timeout(Now::at(4.0));
    let told = dead_ends(&mut scheduler);
    let path = |ids: [&str; 4]| DeadEnd::Cycle(ids.map(str::to_owned).into());
    let expected = [
        ("A".to_owned(), path(["A", "B", "C", "A"])),
        ("B".to_owned(), path(["B", "C", "A", "B"])),
        ("C".to_owned(), path(["C", "A", "B", "C"])),
    ];
    assert_eq!(told, expected);
    scheduler.handle_timeout(Now::at(5.0));
    assert_eq!(dead_ends(&mut scheduler), []);
}

#[test]
fn a_missing_dependency_and_a_need_above_the_limit_are_told() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &["nobody announces this"]);
    let mut needy = AddTask::new("x", "B");
    needy.resources = Some([("gpu".to_owned(), 2)].into());
    scheduler.add_task(Now::at(1.0), needy).unwrap();
    scheduler.handle_timeout(Now::at(2.0));
    assert_eq!(
        dead_ends(&mut scheduler).len(),
        1,
        "it may still be announced"
    );
    get_work(&mut scheduler, 3.0, "x");
    scheduler.handle_timeout(Now::at(12.0));
    let told = dead_ends(&mut scheduler);
    let above = DeadEnd::NeedAboveLimit {
        resource: "gpu".to_owned(),
        amount: 2,
        limit: 1,
    };
    let missing = ("nobody announces this".to_owned(), DeadEnd::NeverAnnounced);
    assert_eq!(told, [missing]);
    assert_eq!(scheduler.dead_ends().get("B"), Some(&above));
    scheduler.update_resource(Now::at(13.0), "gpu", 2).unwrap();
    announce(&mut scheduler, 13.0, "x", "nobody announces this", &[]);
    scheduler.handle_timeout(Now::at(14.0));
    assert!(scheduler.dead_ends().is_empty());
}

#[test]
fn a_deep_chain_is_raised_and_held_up_without_recursion() {
    let mut scheduler = scheduler();
    let id = |at: usize| format!("T{at}");
    for at in 0..100_000 {
        announce(&mut scheduler, 0.0, "x", &id(at), &[&id(at + 1)]);
    }
    let mut last = AddTask::new("x", &id(100_000));
    last.status = Status::Disabled;
    scheduler.add_task(Now::at(0.0), last).unwrap();
    let mut first = AddTask::new("x", &id(0));
    first.priority = 7.0;
    scheduler.add_task(Now::at(1.0), first).unwrap();
    let deepest = scheduler.task(&id(100_000)).unwrap();
    assert_eq!(deepest.priority.to_bits(), 7.0_f64.to_bits());
    assert_eq!(scheduler.upstream_status(&id(0)), "UPSTREAM_DISABLED");
    let counts = scheduler.count_pending(Now::at(2.0), "x").unwrap();
    assert_eq!(counts.n_pending_tasks, 0);
    scheduler.handle_timeout(Now::at(3.0));
}

fn day(worker: &str, date: u32) -> AddTask {
    let mut task = AddTask::new(worker, &format!("D{date}"));
    "Day".clone_into(&mut task.family);
    task.batchable = Some(true);
    task.params = Some(vec![Param {
        name: "date".to_owned(),
        value: date.to_string(),
        visibility: Visibility::Public,
    }]);
    task
}

/// The worker x runs the tasks D1 and D2 as one, A, and gives them back.
fn with_batch_given_back() -> Scheduler {
    let mut scheduler = scheduler();
    let batcher = AddTaskBatcher {
        worker: "x".to_owned(),
        task_family: "Day".to_owned(),
        batched_args: vec!["date".to_owned()],
        max_batch_size: None,
    };
    scheduler.add_task_batcher(Now::at(0.0), batcher).unwrap();
    for date in 1..3 {
        scheduler
            .add_task(Now::at(1.0), day("x", date))
            .expect("the request makes sense");
    }
    let request = GetWork {
        worker: "x".to_owned(),
        ..GetWork::default()
    };
    let work = scheduler.get_work(Now::at(2.0), request).unwrap();
    let Assignment::Batch { batch_id, .. } = work.assignment else {
        panic!("{work:?} is no batch");
    };
    let mut claim = AddTask::new("x", "A");
    claim.status = Status::Running;
    claim.batch_id = Some(batch_id);
    scheduler.add_task(Now::at(3.0), claim).unwrap();
    assert_eq!(status(&scheduler), Status::Running);
    scheduler.release_worker(Now::at(4.0), "x");
    assert!(scheduler.task("A").is_none());
    scheduler
}

#[test]
fn a_combined_task_that_was_given_back_is_not_brought_back_by_its_late_failure() {
    let mut scheduler = with_batch_given_back();
    scheduler.ping(Now::at(5.0), "x").unwrap();
    report(&mut scheduler, 6.0, "x", Status::Failed, None);
    assert!(scheduler.task("A").is_none());
    assert_eq!(scheduler.task("D1").unwrap().status, Status::Pending);
    report(&mut scheduler, 7.0, "x", Status::Done, None);
    assert_eq!(status(&scheduler), Status::Done, "good news");
    scheduler.check_invariants().unwrap();
}

/// Only what was given back is over: whoever comes back speaks of new runs.
#[test]
fn a_worker_that_comes_back_is_heard_as_ever() {
    let announces = |scheduler: &mut Scheduler| announce(scheduler, 5.0, "x", "B", &[]);
    let asks = |scheduler: &mut Scheduler| {
        get_work(scheduler, 5.0, "x");
    };
    let says_who_it_is = |scheduler: &mut Scheduler| {
        let request = AddWorker {
            worker: "x".to_owned(),
            info: Vec::new(),
        };
        scheduler.add_worker(Now::at(5.0), request).unwrap();
    };
    let ways: [&dyn Fn(&mut Scheduler); 3] = [&announces, &asks, &says_who_it_is];
    for (n, come_back) in ways.into_iter().enumerate() {
        let mut scheduler = with_batch_given_back();
        come_back(&mut scheduler);
        report(&mut scheduler, 6.0, "x", Status::Failed, None);
        assert_eq!(status(&scheduler), Status::Failed, "way {n}");
        scheduler.check_invariants().unwrap();
    }
    // Others did not leave.
    let mut scheduler = with_batch_given_back();
    report(&mut scheduler, 6.0, "y", Status::Failed, None);
    assert_eq!(status(&scheduler), Status::Failed);
}
