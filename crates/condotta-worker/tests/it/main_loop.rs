//! Asking for work, waiting, staying and leaving.

use std::{
    sync::{Arc, Barrier, mpsc::channel},
    time::{Duration, Instant},
};

use condotta_scheduler::{
    Assignment, PendingCounts, Recipe, RunningTask, WorkerMessage, WorkerState,
};
use condotta_worker::{
    Category, ConfigError, RunOutcome, StopLevel, TaskHandle, Worker, WorkerConfig, WorkerError,
    WorkerOptions,
};

use crate::{
    any,
    fake::{Fake, no_counts},
    quick,
    tasks::{Builders, Memory},
    worker, worker_with,
};

/// How often a worker without tasks asks for work before it leaves, if `counts` is the answer.
fn asks(config: WorkerConfig, assistant: bool, counts: PendingCounts) -> usize {
    const ENOUGH: usize = 4;
    let scheduler = Arc::new(Fake::default());
    scheduler.state().counts = Some(counts);
    let options = WorkerOptions {
        assistant,
        ..WorkerOptions::default()
    };
    let stop = options.stop.clone();
    let config = WorkerConfig {
        wait_interval: 0.001,
        ..config
    };
    let mut worker = worker_with(&scheduler, config, options);
    let watcher = std::thread::spawn({
        let scheduler = Arc::clone(&scheduler);
        move || {
            let asked = || {
                scheduler
                    .log()
                    .iter()
                    .filter(|line| *line == "get_work")
                    .count()
            };
            while asked() < ENOUGH && stop.level() == StopLevel::Run {
                std::thread::yield_now();
            }
            stop.phase_out();
        }
    });
    let stop = worker.stop_signal();
    worker.run().unwrap();
    let asked = scheduler
        .log()
        .iter()
        .filter(|line| *line == "get_work")
        .count();
    stop.phase_out();
    watcher.join().unwrap();
    asked.min(ENOUGH)
}

#[test]
fn who_stays_and_who_leaves() {
    let counts = |pending, unique, last| PendingCounts {
        n_pending_tasks: pending,
        n_unique_pending: unique,
        n_pending_last_scheduled: last,
        ..no_counts()
    };
    let keep = WorkerConfig {
        keep_alive: true,
        ..quick()
    };
    let uniques = WorkerConfig {
        count_uniques: true,
        ..keep.clone()
    };
    let last_scheduled = WorkerConfig {
        count_last_scheduled: true,
        ..keep.clone()
    };
    let impatient = WorkerConfig {
        max_keep_alive_idle_duration: Duration::from_nanos(1),
        ..keep.clone()
    };
    let stays = 4;
    let leaves = 1;
    for (name, config, assistant, counts, expected) in [
        ("no keep-alive", quick(), false, counts(5, 5, 5), leaves),
        ("pending", keep.clone(), false, counts(5, 0, 0), stays),
        (
            "nothing pending",
            keep.clone(),
            false,
            counts(0, 0, 0),
            leaves,
        ),
        ("assistant", keep.clone(), true, counts(0, 0, 0), stays),
        ("assistant without", quick(), true, counts(5, 5, 5), leaves),
        ("unique", uniques.clone(), false, counts(5, 1, 0), stays),
        ("none unique", uniques, false, counts(5, 0, 5), leaves),
        (
            "last scheduled",
            last_scheduled.clone(),
            false,
            counts(5, 0, 1),
            stays,
        ),
        (
            "none last scheduled",
            last_scheduled,
            false,
            counts(5, 5, 0),
            leaves,
        ),
        ("idle too long", impatient, false, counts(5, 5, 5), leaves),
    ] {
        assert_eq!(asks(config, assistant, counts), expected, "{name}");
    }
}

#[test]
fn a_worker_that_was_disabled_leaves() {
    let scheduler = Arc::new(Fake::default());
    scheduler.state().counts = Some(PendingCounts {
        n_pending_tasks: 9,
        worker_state: WorkerState::Disabled,
        ..no_counts()
    });
    scheduler.state().answers = vec![Assignment::Nothing];
    let config = WorkerConfig {
        keep_alive: true,
        ..quick()
    };
    let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
    assert!(worker.run().unwrap());
}

#[test]
fn a_worker_without_processes_only_watches() {
    let scheduler = Arc::new(Fake::default());
    let options = WorkerOptions {
        processes: 0,
        ..WorkerOptions::default()
    };
    let mut worker = worker_with(&scheduler, quick(), options);
    let task = Memory::new("Task").share();
    worker.add(any(&task)).unwrap();
    assert!(worker.run().unwrap());
    assert_eq!(task.run_count(), 0);
    assert!(scheduler.log().contains(&"count_pending".to_owned()));
}

#[test]
fn a_worker_says_who_it_is() {
    let scheduler = Arc::new(Fake::default());
    let mut worker = worker(&scheduler);
    worker.add(Memory::new("Task").share()).unwrap();
    worker.run().unwrap();
    let log = scheduler.log();
    let info = log
        .iter()
        .find(|line| line.starts_with("add_worker"))
        .unwrap();
    assert!(
        info.starts_with("add_worker salt,workers,host,username,pid"),
        "{info}"
    );
    assert!(info.ends_with("first_task"), "{info}");
    assert_eq!(worker.id(), "this");
}

#[test]
fn impossible_settings_are_refused() {
    let scheduler = Arc::new(Fake::default());
    let config = WorkerConfig {
        wait_interval: 0.0,
        ..quick()
    };
    let error = Worker::new(scheduler.clone(), config, WorkerOptions::default()).err();
    assert!(matches!(
        error,
        Some(WorkerError::Config(ConfigError::WaitInterval(_)))
    ));
    let config = WorkerConfig {
        wait_jitter: -1.0,
        ..quick()
    };
    let error = Worker::new(scheduler, config, WorkerOptions::default()).err();
    assert!(matches!(
        error,
        Some(WorkerError::Config(ConfigError::WaitJitter(_)))
    ));
}

/// A task that says that it runs and goes on when it is told.
fn held(family: &str, started: &Arc<Barrier>, go_on: &Arc<Barrier>) -> TaskHandle {
    let (started, go_on) = (Arc::clone(started), Arc::clone(go_on));
    Memory::new(family)
        .runs(move |task, _| {
            started.wait();
            go_on.wait();
            task.finish();
            Ok(RunOutcome::Done)
        })
        .share()
}

#[test]
fn the_first_stop_finishes_what_runs_and_asks_for_no_more() {
    for processes in [1, 2] {
        let scheduler = Arc::new(Fake::default());
        let (started, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let first = held("First", &started, &go_on);
        let second = Memory::new("Second").needs(&[first]).share();
        let options = WorkerOptions {
            processes,
            ..WorkerOptions::default()
        };
        let stop = options.stop.clone();
        let mut worker = worker_with(&scheduler, quick(), options);
        worker.add(any(&second)).unwrap();
        let operator = std::thread::spawn(move || {
            started.wait();
            assert_eq!(stop.interrupt(), StopLevel::Finish);
            go_on.wait();
        });
        assert!(worker.run().unwrap());
        operator.join().unwrap();
        assert_eq!(second.run_count(), 0);
        let summary = worker.summary();
        assert!(summary.contains(Category::Completed, "First__99914b932b"));
        assert!(summary.contains(Category::NotRun, "Second__99914b932b"));
    }
}

/// The scheduler after a worker was told twice to stop while a task runs on a thread.
fn stopped_twice(takes_back: bool) -> Arc<Fake> {
    let scheduler = Arc::new(Fake::default());
    scheduler.state().takes_back = takes_back;
    let (started, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let stuck = held("Stuck", &started, &go_on);
    let options = WorkerOptions {
        processes: 2,
        ..WorkerOptions::default()
    };
    let stop = options.stop.clone();
    let config = WorkerConfig {
        wait_interval: 600.0,
        ..quick()
    };
    let mut worker = worker_with(&scheduler, config, options);
    worker.add(stuck).unwrap();
    let operator = std::thread::spawn({
        let stop = stop.clone();
        move || {
            started.wait();
            stop.interrupt();
            stop.interrupt();
        }
    });
    assert!(!worker.run().unwrap());
    assert!(stop.wait_until_idle(Duration::ZERO));
    operator.join().unwrap();
    go_on.wait();
    assert!(
        worker
            .summary()
            .contains(Category::Failed, "Stuck__99914b932b")
    );
    scheduler
}

const STUCK_FAILED: &str = "Stuck__99914b932b FAILED report";

#[test]
fn the_second_stop_does_not_wait_for_threads() {
    let scheduler = stopped_twice(false);
    let log = scheduler.log();
    assert!(log.contains(&STUCK_FAILED.to_owned()), "{log:?}");
}

#[test]
fn what_a_scheduler_takes_back_has_not_failed() {
    let scheduler = stopped_twice(true);
    let log = scheduler.log();
    assert!(!log.contains(&STUCK_FAILED.to_owned()), "{log:?}");
    assert_eq!(scheduler.state().released, 1);
}

#[test]
fn an_assistant_that_planned_nothing_gives_back_what_was_stopped() {
    let scheduler = Arc::new(Fake::default());
    scheduler.state().takes_back = true;
    let (started, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let builders = Builders::default();
    builders.family("Stuck", {
        let (started, go_on) = (Arc::clone(&started), Arc::clone(&go_on));
        move |_| Ok(held("Stuck", &started, &go_on))
    });
    scheduler.state().answers = vec![Assignment::Task {
        task_id: "Stuck__99914b932b".to_owned(),
        recipe: Recipe {
            family: "Stuck".to_owned(),
            module: None,
            params: Vec::new(),
        },
        attempt: 1,
    }];
    let options = WorkerOptions {
        processes: 2,
        assistant: true,
        loader: Some(Arc::new(builders)),
        ..WorkerOptions::default()
    };
    let stop = options.stop.clone();
    let mut worker = worker_with(&scheduler, quick(), options);
    let operator = std::thread::spawn(move || {
        started.wait();
        stop.raise(StopLevel::Now);
    });
    assert!(!worker.run().unwrap());
    operator.join().unwrap();
    go_on.wait();
    let log = scheduler.log();
    assert!(!log.contains(&STUCK_FAILED.to_owned()), "{log:?}");
    assert_eq!(scheduler.state().released, 1);
}

#[test]
fn a_waiting_worker_is_stopped_at_once() {
    let scheduler = Arc::new(Fake::default());
    scheduler.state().counts = Some(PendingCounts {
        n_pending_tasks: 1,
        ..no_counts()
    });
    let config = WorkerConfig {
        keep_alive: true,
        wait_interval: 600.0,
        ..quick()
    };
    let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
    let stop = worker.stop_signal();
    let operator = std::thread::spawn({
        let scheduler = Arc::clone(&scheduler);
        move || {
            while !scheduler.log().contains(&"get_work".to_owned()) {
                std::thread::yield_now();
            }
            stop.phase_out();
        }
    });
    let start = Instant::now();
    worker.run().unwrap();
    assert!(start.elapsed() < Duration::from_secs(300));
    operator.join().unwrap();
}

#[test]
fn the_keep_alive_thread_survives_a_scheduler_that_does_not_answer() {
    let scheduler = Arc::new(Fake::default());
    let (pinged, wait_for_ping) = channel::<()>();
    let task = Memory::new("Patient").runs({
        let scheduler = Arc::clone(&scheduler);
        let wait_for_ping = std::sync::Mutex::new(wait_for_ping);
        move |task, _| {
            scheduler.state().unreachable = true;
            wait_for_ping.lock().unwrap().recv().unwrap();
            scheduler.state().unreachable = false;
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let config = WorkerConfig {
        ping_interval: 0.002,
        ..quick()
    };
    let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
    worker.add(task.share()).unwrap();
    let watcher = std::thread::spawn({
        let scheduler = Arc::clone(&scheduler);
        move || {
            while !scheduler.state().unreachable {
                std::thread::yield_now();
            }
            let before = scheduler.state().pings;
            while scheduler.state().pings < before + 3 {
                std::thread::yield_now();
            }
            pinged.send(()).unwrap();
        }
    });
    assert!(worker.run().unwrap());
    watcher.join().unwrap();
}

#[test]
fn an_operator_changes_the_number_of_processes() {
    let scheduler = Arc::new(Fake::default());
    // The first run goes on only when a second one has started.
    let both = Arc::new(Barrier::new(2));
    let task = |family: &str| -> TaskHandle {
        let both = Arc::clone(&both);
        Memory::new(family)
            .runs(move |task, _| {
                both.wait();
                task.finish();
                Ok(RunOutcome::Done)
            })
            .share()
    };
    let root = Memory::new("Root").needs(&[task("A"), task("B")]).share();
    scheduler.state().messages = vec![WorkerMessage::SetWorkerProcesses { n: 2 }];
    let options = WorkerOptions {
        processes: 1,
        ..WorkerOptions::default()
    };
    let config = WorkerConfig {
        ping_interval: 0.002,
        ..quick()
    };
    let mut worker = worker_with(&scheduler, config, options);
    worker.add(root).unwrap();
    // A run on the worker's own thread would keep it from starting another one.
    while worker.processes() < 2 {
        std::thread::yield_now();
    }
    assert!(worker.run().unwrap());
    assert!(scheduler.log().contains(&"add_worker workers".to_owned()));
}

#[test]
fn what_others_run_is_in_the_summary() {
    let scheduler = Arc::new(Fake::default());
    let theirs = Memory::new("Theirs").share();
    let root = Memory::new("Root").needs(&[any(&theirs)]).share();
    let mut worker = worker(&scheduler);
    worker.add(root).unwrap();
    scheduler.state().answers = vec![Assignment::Nothing];
    scheduler.state().counts = Some(PendingCounts {
        running_tasks: vec![RunningTask {
            task_id: "Theirs__99914b932b".to_owned(),
            worker: "Other".to_owned(),
            worker_info: std::sync::Arc::default(),
        }],
        ..no_counts()
    });
    worker.run().unwrap();
    let summary = worker.summary();
    assert!(summary.contains(Category::RunByOtherWorker, "Theirs__99914b932b"));
    assert!(summary.contains(Category::UpstreamRunByOtherWorker, "Root__99914b932b"));
    assert!(
        summary.to_string().contains("    - Other ran 1 tasks\n"),
        "{summary}"
    );
}
