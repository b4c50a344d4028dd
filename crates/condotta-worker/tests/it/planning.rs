//! What is announced, in what order, and what comes of tasks that cannot be planned.

use std::{
    sync::{Arc, Mutex},
    thread::ThreadId,
};

use condotta_scheduler::Status;
use condotta_worker::{TaskHandle, WorkerConfig, WorkerError, WorkerOptions};

use crate::{
    any,
    fake::Fake,
    quick,
    tasks::{Memory, upgrade},
    worker, worker_with,
};

fn leaf(family: &str) -> TaskHandle {
    Memory::new(family).share()
}

#[test]
fn a_parent_is_announced_before_its_children_and_the_last_child_first() {
    let scheduler = Arc::new(Fake::default());
    let deep = Memory::new("B").needs(&[leaf("C")]).share();
    let root = Memory::new("Root").needs(&[leaf("A"), any(&deep)]).share();
    assert!(worker(&scheduler).add(root).unwrap());
    assert_eq!(
        scheduler.log(),
        [
            "Root__99914b932b PENDING runnable deps=A__99914b932b,B__99914b932b",
            "B__99914b932b PENDING runnable deps=C__99914b932b",
            "C__99914b932b PENDING runnable deps=",
            "A__99914b932b PENDING runnable deps=",
        ]
    );
}

#[test]
fn a_task_is_asked_once_however_often_it_is_needed() {
    let scheduler = Arc::new(Fake::default());
    let asked = Arc::new(Mutex::new(0));
    let shared = Memory::new("Shared")
        .complete_if({
            let asked = Arc::clone(&asked);
            move |_| {
                *asked.lock().unwrap() += 1;
                Ok(false)
            }
        })
        .share();
    let (a, b) = (
        Memory::new("A").needs(&[any(&shared)]),
        Memory::new("B").needs(&[any(&shared)]),
    );
    let root = Memory::new("Root")
        .needs(&[a.share() as TaskHandle, b.share()])
        .share();
    worker(&scheduler).add(root).unwrap();
    assert_eq!(*asked.lock().unwrap(), 1);
    assert_eq!(scheduler.log().len(), 4);
}

/// The table of outcomes: status, runnable, dependencies.
#[test]
fn each_condition_has_its_outcome() {
    let broken_deps = Memory::new("BrokenDeps").dependencies(|| Err("deps".into()));
    let panicking_deps = Memory::new("PanickingDeps").dependencies(|| panic!("at deps"));
    let table: [(Memory, WorkerConfig, bool, &[&str]); 8] = [
        (
            Memory::new("Complete")
                .with(|task| *task.done.get_mut() = true)
                .needs(&[leaf("X")]),
            quick(),
            true,
            &["Complete__99914b932b DONE not-runnable"],
        ),
        (
            Memory::new("External").with(|task| task.external = true),
            quick(),
            true,
            &["External__99914b932b PENDING not-runnable"],
        ),
        (
            Memory::new("External").with(|task| task.external = true),
            WorkerConfig {
                retry_external_tasks: true,
                ..quick()
            },
            true,
            &["External__99914b932b PENDING runnable"],
        ),
        (
            Memory::new("BrokenComplete").complete_if(|_| Err("complete".into())),
            quick(),
            false,
            &[
                "scheduling-failure BrokenComplete(): complete",
                "BrokenComplete__99914b932b UNKNOWN not-runnable",
            ],
        ),
        (
            broken_deps,
            quick(),
            false,
            &[
                "scheduling-failure BrokenDeps(): deps",
                "BrokenDeps__99914b932b UNKNOWN not-runnable",
            ],
        ),
        (
            Memory::new("Off")
                .with(|task| task.disabled = true)
                .needs(&[leaf("X")]),
            quick(),
            true,
            &[
                "Off__99914b932b DISABLED runnable deps=X__99914b932b",
                "X__99914b932b PENDING runnable deps=",
            ],
        ),
        (
            Memory::new("Limited").needs(&[leaf("X")]),
            WorkerConfig {
                task_limit: Some(1),
                ..quick()
            },
            true,
            &[
                "Limited__99914b932b PENDING runnable deps=X__99914b932b",
                "X__99914b932b UNKNOWN not-runnable",
            ],
        ),
        (panicking_deps, quick(), false, &[]),
    ];
    for (task, config, succeeded, expected) in table {
        let scheduler = Arc::new(Fake::default());
        let family = condotta_worker::Runnable::family(&task).to_owned();
        let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
        assert_eq!(worker.add(task.share()).unwrap(), succeeded, "{family}");
        assert_eq!(worker.add_succeeded(), succeeded, "{family}");
        let log = scheduler.log();
        if expected.is_empty() {
            assert!(log[0].contains("panicked: at deps (at "), "{log:?}");
        } else {
            assert_eq!(log, expected, "{family}");
        }
    }
}

#[test]
fn a_task_that_panics_when_it_is_described_is_not_run() {
    let scheduler = Arc::new(Fake::default());
    let task = Memory::new("Task").with(|task| task.priority = f64::NAN);
    let root = Memory::new("Root").needs(&[task.share()]).share();
    assert!(!worker(&scheduler).add(root).unwrap());
    let log = scheduler.log();
    assert_eq!(log[2], "Task__99914b932b UNKNOWN not-runnable");
    assert!(log[0].contains("not a number"), "{log:?}");
}

#[test]
fn families_that_can_be_batched_are_said_once() {
    let scheduler = Arc::new(Fake::default());
    let batched = |n: &str| -> TaskHandle {
        Memory::new("Bat")
            .param("n", n, None)
            .with(|task| task.batch_params = vec!["n".to_owned()])
            .share()
    };
    let root = Memory::new("Root")
        .needs(&[batched("1"), batched("2")])
        .share();
    worker(&scheduler).add(root).unwrap();
    let log = scheduler.log();
    assert_eq!(
        log.iter().filter(|line| *line == "batcher Bat n").count(),
        1
    );
    let state = scheduler.state();
    let batchable = state.requests.iter().map(|request| request.batchable);
    assert_eq!(
        batchable.collect::<Vec<_>>(),
        [Some(false), Some(true), Some(true)]
    );
}

#[test]
fn private_parameters_stay_in_the_worker() {
    let scheduler = Arc::new(Fake::default());
    let task = Memory::new("Task")
        .param("shown", "1", None)
        .private("secret", "2")
        .share();
    worker(&scheduler).add(task).unwrap();
    let params = scheduler.state().requests[0].params.clone().unwrap();
    let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
    assert_eq!(names, ["shown"]);
}

#[test]
fn a_cycle_is_an_error_with_its_path_and_nothing_is_announced() {
    let scheduler = Arc::new(Fake::default());
    let root = Arc::new_cyclic(|root| {
        let root = root.clone();
        let c = Memory::new("C").dependencies(move || {
            let root: Arc<Memory> = upgrade(&root);
            Ok(vec![root as TaskHandle])
        });
        let b = Memory::new("B").needs(&[leaf("Leaf"), c.share()]);
        Memory::new("A").needs(&[b.share()])
    });
    let mut worker = worker(&scheduler);
    let error = worker.add(root).unwrap_err();
    assert!(matches!(&error, WorkerError::Cycle { path } if path.len() == 4));
    assert_eq!(
        error.to_string(),
        "tasks depend on one another in a cycle: A() -> B() -> C() -> A()"
    );
    assert!(!worker.add_succeeded());
    assert_eq!(scheduler.log(), Vec::<String>::new());
}

#[test]
fn a_cycle_across_several_roots_is_found() {
    let scheduler = Arc::new(Fake::default());
    let late: Arc<Mutex<Vec<TaskHandle>>> = Arc::default();
    let first = Memory::new("First")
        .dependencies({
            let late = Arc::clone(&late);
            move || Ok(late.lock().unwrap().clone())
        })
        .share();
    let second = Memory::new("Second").needs(&[any(&first)]).share();
    let mut worker = worker(&scheduler);
    worker.add(any(&first)).unwrap();
    late.lock().unwrap().push(any(&second));
    let error = worker.add(second).unwrap_err().to_string();
    assert!(
        error.ends_with("Second() -> First() -> Second()"),
        "{error}"
    );
    late.lock().unwrap().clear();
}

#[test]
fn completeness_can_be_asked_on_many_threads() {
    let scheduler = Arc::new(Fake::default());
    // Each check waits for the other: one thread alone would hang here.
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let threads: Arc<Mutex<Vec<ThreadId>>> = Arc::default();
    let child = |family: &str| -> TaskHandle {
        let (barrier, threads) = (Arc::clone(&barrier), Arc::clone(&threads));
        Memory::new(family)
            .complete_if(move |_| {
                threads.lock().unwrap().push(std::thread::current().id());
                barrier.wait();
                Ok(false)
            })
            .share()
    };
    let root = Memory::new("Root").needs(&[child("A"), child("B")]).share();
    let options = WorkerOptions {
        parallel_scheduling: true,
        parallel_scheduling_processes: 2,
        ..WorkerOptions::default()
    };
    assert!(worker_with(&scheduler, quick(), options).add(root).unwrap());
    let threads = threads.lock().unwrap();
    assert_ne!(threads[0], threads[1]);
    assert_eq!(scheduler.state().tasks.len(), 3);
}

#[test]
fn a_graph_may_be_deep() {
    const DEPTH: usize = 100_000;
    let scheduler = Arc::new(Fake::default());
    let mut task: TaskHandle = Memory::new("T").param("n", "0", None).share();
    let mut all = vec![task.clone()];
    for n in 1..DEPTH {
        task = Memory::new("T")
            .param("n", &n.to_string(), None)
            .needs(&[task])
            .share();
        all.push(task.clone());
    }
    let mut worker = worker(&scheduler);
    assert!(worker.add(task.clone()).unwrap());
    assert_eq!(scheduler.state().tasks.len(), DEPTH);
    let summary = worker.summary().to_string();
    assert!(summary.contains("* 100000 were left pending"), "{summary}");
    // The test's own tasks hold one another: they go from the top down.
    drop((worker, task));
    while all.pop().is_some() {}
}

#[test]
fn planning_stops_when_it_is_told_to() {
    let scheduler = Arc::new(Fake::default());
    let options = WorkerOptions::default();
    let stop = options.stop.clone();
    let root = Memory::new("Root")
        .dependencies(move || {
            stop.interrupt();
            Ok(vec![leaf("Never")])
        })
        .share();
    let mut worker = worker_with(&scheduler, quick(), options);
    assert!(matches!(worker.add(root), Err(WorkerError::Stopped)));
    assert!(scheduler.log().is_empty());
}

#[test]
fn a_scheduler_that_is_gone_is_an_error() {
    let scheduler = Arc::new(Fake::default());
    scheduler.state().unreachable = true;
    let error = worker(&scheduler).add(leaf("Any")).unwrap_err();
    assert!(matches!(error, WorkerError::Scheduler(_)), "{error}");
}

#[test]
fn what_was_complete_once_is_not_asked_again_when_that_is_cached() {
    let scheduler = Arc::new(Fake::default());
    let asked = Arc::new(Mutex::new(0));
    let dep = Memory::new("Dep")
        .complete_if({
            let asked = Arc::clone(&asked);
            move |_| {
                *asked.lock().unwrap() += 1;
                Ok(true)
            }
        })
        .share();
    let root = Memory::new("Root").needs(&[any(&dep)]).share();
    let config = WorkerConfig {
        cache_task_completion: true,
        ..quick()
    };
    let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
    worker.add(root).unwrap();
    assert!(worker.run().unwrap());
    assert_eq!(*asked.lock().unwrap(), 1);
    assert_eq!(scheduler.state().tasks["Root__99914b932b"].1, Status::Done);
}
