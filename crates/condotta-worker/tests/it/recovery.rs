//! Schedulers that forget, and workers that take leave.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use condotta_scheduler::Status;
use condotta_worker::{RunOutcome, WorkerConfig, WorkerOptions};

use crate::{any, fake::Fake, quick, tasks::Memory, worker, worker_with};

/// Pings at once after the server is back.
fn pinging() -> WorkerConfig {
    WorkerConfig {
        ping_interval: 0.01,
        ..quick()
    }
}

#[test]
fn what_a_scheduler_forgot_is_planned_again() {
    let scheduler = Arc::new(Fake::default());
    let first = Memory::new("First").runs({
        let scheduler = Arc::clone(&scheduler);
        move |task, _| {
            scheduler.state().forget();
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let first = first.share();
    let made_elsewhere = Memory::new("Made").share();
    let second = Memory::new("Second").needs(&[any(&first)]).runs({
        let made = Arc::clone(&made_elsewhere);
        move |task, _| {
            made.finish();
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let second = second.share();
    let deps = [any(&made_elsewhere), any(&second)];
    let root = Memory::new("Root").needs(&deps).share();
    let mut worker = worker(&scheduler);
    worker.add(any(&root)).unwrap();
    assert!(worker.run().unwrap());
    let runs = [&first, &second, &root].map(|task| task.run_count());
    assert_eq!(runs, [1, 1, 1]);
    let state = scheduler.state();
    let statuses = state.tasks.values().map(|task| task.1);
    assert!(statuses.into_iter().all(|status| status == Status::Done));
    let workers = state
        .log
        .iter()
        .filter(|line| line.starts_with("add_worker"));
    assert_eq!(workers.count(), 2);
    assert_eq!(state.released, 1);
}

#[test]
fn what_runs_is_claimed_before_anything_is_announced_and_reported_without_its_number() {
    let scheduler = Arc::new(Fake::default());
    let log_while_it_ran = Arc::new(Mutex::new(Vec::new()));
    let long = Memory::new("Long").runs({
        let (scheduler, log) = (Arc::clone(&scheduler), Arc::clone(&log_while_it_ran));
        move |task, _| {
            scheduler.state().forget();
            let before = scheduler.log().len();
            let is_claimed = || scheduler.state().tasks.contains_key("Long__99914b932b");
            for _ in 0..1000 {
                if is_claimed() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            log.lock()
                .unwrap()
                .extend_from_slice(&scheduler.log()[before..]);
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let root = Memory::new("Root").needs(&[any(&long.share())]).share();
    let mut worker = worker_with(&scheduler, pinging(), WorkerOptions::default());
    worker.add(any(&root)).unwrap();
    assert!(worker.run().unwrap());
    assert_eq!(
        *log_while_it_ran.lock().unwrap(),
        [
            "knows Long__99914b932b",
            "Long__99914b932b RUNNING runnable"
        ]
    );
    let state = scheduler.state();
    let report = state
        .requests
        .iter()
        .find(|request| request.runnable.is_none());
    assert_eq!(report.unwrap().attempt, None);
}

#[test]
fn a_claim_never_comes_after_the_report_of_its_run() {
    let scheduler = Arc::new(Fake::default());
    scheduler.state().slow_claims = true;
    let task = Memory::new("Fails").runs({
        let scheduler = Arc::clone(&scheduler);
        move |_, _| {
            scheduler.state().forget();
            let end = Instant::now() + Duration::from_secs(20);
            while scheduler.state().claims_on_their_way == 0 {
                assert!(Instant::now() < end, "nobody claims the run");
                std::thread::sleep(Duration::from_millis(2));
            }
            Err("no luck".into())
        }
    });
    let mut worker = worker_with(&scheduler, pinging(), WorkerOptions::default());
    worker.add(task.share()).unwrap();
    assert!(!worker.run().unwrap());
    let log = scheduler.log();
    let place = |what: &str| {
        let line = format!("Fails__99914b932b {what}");
        let place = log.iter().position(|seen| *seen == line);
        place.unwrap_or_else(|| panic!("{line}: {log:#?}"))
    };
    assert!(
        place("RUNNING runnable") < place("FAILED report"),
        "{log:#?}"
    );
    assert_eq!(
        scheduler.state().tasks["Fails__99914b932b"].1,
        Status::Failed
    );
}

#[test]
fn a_scheduler_that_was_away_and_knows_everything_is_told_nothing() {
    let scheduler = Arc::new(Fake::default());
    let first = Memory::new("First").runs({
        let scheduler = Arc::clone(&scheduler);
        move |task, _| {
            scheduler.state().outages += 1;
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let root = Memory::new("Root").needs(&[any(&first.share())]).share();
    let mut worker = worker(&scheduler);
    worker.add(any(&root)).unwrap();
    assert!(worker.run().unwrap());
    let log = scheduler.log();
    let announced = log.iter().filter(|line| line.ends_with("deps="));
    assert_eq!(announced.count(), 1, "{log:#?}");
    assert!(log.contains(&"knows Root__99914b932b".to_owned()));
}
