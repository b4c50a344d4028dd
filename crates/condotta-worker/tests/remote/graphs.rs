//! Whole graphs: they end on a server as they end with a scheduler in the worker's own process.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use condotta_scheduler::{Config, TaskList, TaskListQuery};
use condotta_worker::{
    Category, LocalScheduler, RunOutcome, Scheduler, TaskHandle, WorkerConfig, WorkerOptions,
};

use crate::{
    Test, any,
    server::{Server, Which},
    tasks::{Builders, Memory, quick},
};

pub const TESTS: &[(&str, Test)] = &[
    ("a_chain_is_done", a_chain_is_done),
    ("many_tasks_run_at_once", many_tasks_run_at_once),
    (
        "requirements_found_while_running",
        requirements_found_while_running,
    ),
    ("batches_run_as_one", batches_run_as_one),
    (
        "failures_hold_up_what_needs_them",
        failures_hold_up_what_needs_them,
    ),
    ("what_failed_is_tried_again", what_failed_is_tried_again),
    ("resources_are_kept", resources_are_kept),
    (
        "external_tasks_are_waited_for",
        external_tasks_are_waited_for,
    ),
    ("two_workers_share_a_graph", two_workers_share_a_graph),
];

/// A graph, with what builds tasks anew.
struct Graph {
    root: TaskHandle,
    loader: Option<Arc<Builders>>,
}

impl From<Arc<Memory>> for Graph {
    fn from(root: Arc<Memory>) -> Self {
        Self { root, loader: None }
    }
}

/// Runs a graph on the server and in process, and compares how all tasks ended.
fn same(which: Which, processes: usize, graph: impl Fn() -> Graph) -> BTreeMap<String, String> {
    let server = Server::start(which);
    run(&server.client(), processes, graph());
    let local = Arc::new(LocalScheduler::new(Config::default(), BTreeMap::new()));
    run(&local, processes, graph());
    let statuses = server.statuses();
    assert_eq!(statuses, local_statuses(&local));
    statuses
}

fn run(scheduler: &Arc<impl Scheduler + 'static>, processes: usize, graph: Graph) {
    let options = WorkerOptions {
        processes,
        loader: graph.loader.map(|loader| loader as _),
        ..WorkerOptions::default()
    };
    let mut worker = crate::tasks::worker_with(scheduler, quick(), options);
    worker.add(graph.root).unwrap();
    worker.run().unwrap();
}

fn local_statuses(local: &LocalScheduler) -> BTreeMap<String, String> {
    let list = local.with(|core, _| core.task_list(&TaskListQuery::default()));
    let TaskList::Tasks(tasks) = list else {
        panic!("too many tasks");
    };
    let tasks = tasks.into_iter();
    tasks
        .map(|(id, task)| (id, task.status.name().to_owned()))
        .collect()
}

fn count(statuses: &BTreeMap<String, String>, status: &str) -> usize {
    statuses.values().filter(|own| *own == status).count()
}

fn a_chain_is_done(which: Which) {
    let statuses = same(which, 1, || {
        let first = Memory::new("First").share();
        let second = Memory::new("Second").needs(&[any(&first)]).share();
        Memory::new("Root").needs(&[any(&second)]).share().into()
    });
    assert_eq!(count(&statuses, "DONE"), 3);
}

fn many_tasks_run_at_once(which: Which) {
    let statuses = same(which, 4, || {
        let leaves: Vec<TaskHandle> = (0..40)
            .map(|n| any(&Memory::new("Leaf").param("n", &n.to_string(), None).share()))
            .collect();
        Memory::new("Root").needs(&leaves).share().into()
    });
    assert_eq!(count(&statuses, "DONE"), 41);
}

fn requirements_found_while_running(which: Which) {
    let statuses = same(which, 2, || {
        let late = Memory::new("Late").share();
        let asks = Memory::new("Asks").runs(move |task, _| {
            if late.run_count() == 0 {
                return Ok(RunOutcome::Requires(vec![any(&late)]));
            }
            task.finish();
            Ok(RunOutcome::Done)
        });
        let asks = asks.share();
        Memory::new("Root").needs(&[any(&asks)]).share().into()
    });
    assert_eq!(count(&statuses, "DONE"), 3);
}

fn batches_run_as_one(which: Which) {
    let runs = Arc::new(AtomicUsize::new(0));
    let statuses = same(which, 1, || {
        let days: Vec<Arc<Memory>> = ["1", "2", "3"]
            .map(|day| {
                let task = Memory::new("Day").param("day", day, None);
                task.with(|task| task.batch_params = vec!["day".to_owned()])
                    .share()
            })
            .to_vec();
        let builders = Builders::default();
        let (members, runs) = (days.clone(), Arc::clone(&runs));
        builders.family("Day", move |params| {
            let (members, runs) = (members.clone(), Arc::clone(&runs));
            // Luigi's server hands members out in any order.
            let mut together = params["day"].clone();
            together.sort();
            let combined = Memory::new("Day").param("day", &together.join(","), None);
            Ok(combined
                .runs(move |_, _| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    members.iter().for_each(|day| day.finish());
                    Ok(RunOutcome::Done)
                })
                .share())
        });
        let days: Vec<TaskHandle> = days.iter().map(any).collect();
        Graph {
            root: Memory::new("Root").needs(&days).share(),
            loader: Some(Arc::new(builders)),
        }
    });
    assert_eq!(count(&statuses, "DONE"), 5, "{statuses:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 2, "once with each scheduler");
}

fn failures_hold_up_what_needs_them(which: Which) {
    let statuses = same(which, 2, || {
        let bad = Memory::new("Bad").fails().share();
        let good = Memory::new("Good").share();
        let deps = [any(&bad), any(&good)];
        Memory::new("Root").needs(&deps).share().into()
    });
    assert_eq!(statuses["Bad__99914b932b"], "FAILED");
    assert_eq!(statuses["Good__99914b932b"], "DONE");
    assert_eq!(statuses["Root__99914b932b"], "PENDING");
}

fn what_failed_is_tried_again(which: Which) {
    let server = Server::start_with(which, "retry_delay=0.2\nretry_count=5");
    let moody = Memory::new("Moody").runs(|task, _| {
        if task.run_count() < 3 {
            return Err("not yet".into());
        }
        task.finish();
        Ok(RunOutcome::Done)
    });
    let moody = moody.share();
    let config = WorkerConfig {
        keep_alive: true,
        wait_interval: 0.1,
        ..quick()
    };
    let mut worker = crate::tasks::worker_with(&server.client(), config, WorkerOptions::default());
    worker.add(any(&moody)).unwrap();
    worker.run().unwrap();
    assert_eq!(moody.run_count(), 3);
    assert_eq!(server.statuses()["Moody__99914b932b"], "DONE");
}

fn resources_are_kept(which: Which) {
    let server = Server::start_with(which, "[resources]\nseat=2");
    let seated = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let guests: Vec<TaskHandle> = (0..8)
        .map(|n| {
            let (seated, most) = (Arc::clone(&seated), Arc::clone(&most));
            let guest = Memory::new("Guest").param("n", &n.to_string(), None);
            let guest = guest.with(|task| {
                task.resources.insert("seat".to_owned(), 1);
            });
            any(&guest
                .runs(move |task, _| {
                    let now = seated.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(30));
                    seated.fetch_sub(1, Ordering::SeqCst);
                    task.finish();
                    Ok(RunOutcome::Done)
                })
                .share())
        })
        .collect();
    let root = Memory::new("Root").needs(&guests).share();
    run(&server.client(), 4, root.into());
    assert_eq!(count(&server.statuses(), "DONE"), 9);
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

fn external_tasks_are_waited_for(which: Which) {
    let statuses = same(which, 1, || {
        let outside = Memory::new("Outside").with(|task| task.external = true);
        let outside = outside.share();
        Memory::new("Root").needs(&[any(&outside)]).share().into()
    });
    assert_eq!(count(&statuses, "PENDING"), 2);
}

fn two_workers_share_a_graph(which: Which) {
    let server = Server::start(which);
    let leaves: Vec<Arc<Memory>> = (0..30)
        .map(|n| Memory::new("Leaf").param("n", &n.to_string(), None).share())
        .collect();
    let handles: Vec<TaskHandle> = leaves.iter().map(any).collect();
    let root = Memory::new("Root").needs(&handles).share();
    std::thread::scope(|scope| {
        for id in ["one", "two"] {
            let (server, root) = (&server, any(&root));
            scope.spawn(move || {
                let config = WorkerConfig {
                    id: id.to_owned(),
                    keep_alive: true,
                    wait_interval: 0.05,
                    ..quick()
                };
                let options = WorkerOptions {
                    processes: 2,
                    ..WorkerOptions::default()
                };
                let mut worker = crate::tasks::worker_with(&server.client(), config, options);
                worker.add(root).unwrap();
                assert!(worker.run().unwrap());
                let left = worker.summary();
                assert!(left.tasks(Category::Failed).is_empty());
            });
        }
    });
    assert_eq!(count(&server.statuses(), "DONE"), 31);
    assert!(leaves.iter().all(|leaf| leaf.run_count() == 1));
    assert_eq!(root.run_count(), 1);
}
