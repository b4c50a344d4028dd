//! Workers with the scheduler in their own process.

use std::{
    sync::{Arc, Barrier, atomic::Ordering, mpsc::channel},
    time::{Duration, Instant},
};

use condotta_scheduler::{Config, Status};
use condotta_worker::{
    Category, LocalScheduler, RunOutcome, StatusCode, TaskHandle, WorkerConfig, WorkerOptions,
};

use crate::{
    any, quick,
    tasks::{Builders, Memory},
    worker, worker_with,
};

fn scheduler() -> Arc<LocalScheduler> {
    Arc::new(LocalScheduler::new(Config::default(), Default::default()))
}

#[test]
fn what_is_more_urgent_runs_first() {
    let scheduler = scheduler();
    let (ran, order) = channel();
    let task = |family: &'static str, priority: f64| -> TaskHandle {
        let ran = ran.clone();
        Memory::new(family)
            .with(|task| task.priority = priority)
            .runs(move |task, _| {
                ran.send(family)?;
                task.finish();
                Ok(RunOutcome::Done)
            })
            .share()
    };
    let deps = [task("Later", 0.0), task("First", 9.0), task("Second", 5.0)];
    let mut worker = worker(&scheduler);
    worker
        .add(Memory::new("Root").needs(&deps).share())
        .unwrap();
    assert!(worker.run().unwrap());
    let order: Vec<&str> = order.try_iter().collect();
    assert_eq!(order, ["First", "Second", "Later"]);
}

#[test]
fn a_waiting_worker_is_woken_by_another_one() {
    let scheduler = scheduler();
    let (started, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let shared = Memory::new("Shared").runs({
        let (started, go_on) = (Arc::clone(&started), Arc::clone(&go_on));
        move |task, _| {
            started.wait();
            go_on.wait();
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let shared = shared.share();
    let after = Memory::new("After").needs(&[any(&shared)]).share();
    let other = std::thread::spawn({
        let (scheduler, shared) = (Arc::clone(&scheduler), any(&shared));
        move || {
            let config = WorkerConfig {
                id: "other".to_owned(),
                ..quick()
            };
            let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
            worker.add(shared).unwrap();
            assert!(worker.run().unwrap());
        }
    });
    started.wait();
    // It polls so rarely that only the other worker's report can make it go on.
    let config = WorkerConfig {
        keep_alive: true,
        wait_interval: 600.0,
        ..quick()
    };
    let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
    worker.add(any(&after)).unwrap();
    let start = Instant::now();
    let helper = std::thread::spawn(move || go_on.wait());
    assert!(worker.run().unwrap());
    assert!(start.elapsed() < Duration::from_secs(300));
    helper.join().unwrap();
    other.join().unwrap();
    assert!(after.done.load(Ordering::SeqCst));
    assert_eq!(shared.run_count(), 1);
}

#[test]
fn what_another_worker_did_meanwhile_is_complete() {
    let scheduler = scheduler();
    let shared = Memory::new("Shared").share();
    let root = Memory::new("Root").needs(&[any(&shared)]).share();
    let mut slow = worker(&scheduler);
    slow.add(any(&root)).unwrap();
    let config = WorkerConfig {
        id: "other".to_owned(),
        ..quick()
    };
    let mut other = worker_with(&scheduler, config, WorkerOptions::default());
    other.add(any(&shared)).unwrap();
    assert!(other.run().unwrap());
    assert!(slow.run().unwrap());
    let summary = slow.summary();
    assert!(summary.contains(Category::AlreadyDone, "Shared__99914b932b"));
    assert!(!summary.contains(Category::NotRun, "Shared__99914b932b"));
    assert!(summary.contains(Category::Completed, "Root__99914b932b"));
    assert_eq!(summary.status(), StatusCode::Success);
}

#[test]
fn a_failure_is_retried_when_its_delay_is_over() {
    let config = Config {
        retry_delay: 0.02,
        ..Config::default()
    };
    let scheduler = Arc::new(LocalScheduler::new(config, Default::default()));
    let shaky = Memory::new("Shaky")
        .runs(|task, _| {
            if task.run_count() < 3 {
                return Err("not yet".into());
            }
            task.finish();
            Ok(RunOutcome::Done)
        })
        .share();
    // The worker waits until then, not for its interval.
    let config = WorkerConfig {
        keep_alive: true,
        wait_interval: 600.0,
        ..quick()
    };
    let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
    worker.add(any(&shaky)).unwrap();
    assert!(
        !worker.run().unwrap(),
        "a run failed, though a later one did not"
    );
    assert_eq!(shaky.run_count(), 3);
    assert_eq!(worker.summary().status(), StatusCode::SuccessWithRetry);
}

#[test]
fn an_assistant_runs_what_others_announced() {
    let scheduler = scheduler();
    let task = Memory::new("Task").param("n", "1", None).share();
    let mut absent = worker(&scheduler);
    absent.add(any(&task)).unwrap();
    let builders = Arc::new(Builders::default());
    builders.family("Task", |params| {
        Ok(Memory::new("Task")
            .param("n", &params["n"][0], None)
            .share() as TaskHandle)
    });
    let options = WorkerOptions {
        assistant: true,
        loader: Some(builders),
        ..WorkerOptions::default()
    };
    let config = WorkerConfig {
        id: "assistant".to_owned(),
        ..quick()
    };
    let mut assistant = worker_with(&scheduler, config, options);
    assert!(assistant.run().unwrap());
    assert!(
        assistant
            .summary()
            .contains(Category::AlreadyDone, "Task_1")
    );
    let status = scheduler.with(|core, _| core.task("Task_1").unwrap().status);
    assert_eq!(status, Status::Done);
}

#[test]
fn a_wide_graph_runs_on_several_threads() {
    const WIDTH: usize = 5_000;
    let scheduler = scheduler();
    let leaves: Vec<TaskHandle> = (0..WIDTH)
        .map(|n| Memory::new("Leaf").param("n", &n.to_string(), None).share() as TaskHandle)
        .collect();
    let root = Memory::new("Root").needs(&leaves).share();
    let options = WorkerOptions {
        processes: 4,
        ..WorkerOptions::default()
    };
    let mut worker = worker_with(&scheduler, quick(), options);
    worker.add(any(&root)).unwrap();
    assert!(worker.run().unwrap());
    assert_eq!(worker.counts().done, WIDTH as u64 + 1);
    assert!(
        worker
            .summary()
            .to_string()
            .contains("* 5001 ran successfully:")
    );
}
