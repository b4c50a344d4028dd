//! What our server knows beyond Luigi's.

use std::{
    sync::{Arc, Barrier},
    time::{Duration, Instant},
};

use condotta_worker::{ChildCommand, RunOutcome, TaskHandle, WorkerConfig, WorkerOptions};
use serde_json::json;

use crate::{
    Test, any,
    relay::Relay,
    server::{Server, Which, client},
    tasks::{Memory, quick, worker_with},
};

pub const TESTS: &[(&str, Test)] = &[
    (
        "a_waiting_worker_is_woken_by_another_one",
        woken_by_another_one,
    ),
    (
        "a_waiting_worker_ends_when_nothing_is_left",
        ends_when_nothing_is_left,
    ),
    ("a_worker_that_ends_takes_leave", takes_leave),
    (
        "a_worker_that_is_stopped_gives_its_runs_back_at_once",
        gives_runs_back,
    ),
    (
        "a_run_that_heeds_the_word_to_stop_is_given_back",
        heeds_the_word,
    ),
    (
        "a_farewell_whose_answer_is_lost_is_said_again",
        farewell_is_said_again,
    ),
    (
        "what_is_said_after_a_farewell_that_was_heard_changes_nothing",
        farewell_is_never_answered,
    ),
    ("many_tasks_travel_together", many_tasks_travel_together),
    (
        "a_waiting_worker_leaves_when_its_time_is_over",
        leaves_when_its_time_is_over,
    ),
    (
        "a_free_thread_is_woken_while_others_run",
        woken_while_others_run,
    ),
];

/// Longer than a test may take.
const LONG: f64 = 600.0;
/// The server is asked by itself this often; who is woken is earlier.
const FALLBACK: Duration = Duration::from_secs(25);

/// A worker that waits for others, and hardly ever asks by itself.
fn patient(id: &str) -> WorkerConfig {
    WorkerConfig {
        id: id.to_owned(),
        keep_alive: true,
        wait_interval: LONG,
        ..quick()
    }
}

/// A task that says when it has started, and waits for the word to go on.
fn held(family: &str) -> (Arc<Memory>, Arc<Barrier>, Arc<Barrier>) {
    let (started, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let task = Memory::new(family).runs({
        let (started, go_on) = (Arc::clone(&started), Arc::clone(&go_on));
        move |task, _| {
            started.wait();
            go_on.wait();
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    (task.share(), started, go_on)
}

/// While another worker runs `Shared`, a patient one waits for it to run `After`. Returns how long it
/// took to end after `act`, which is given the barrier that lets `Shared` go on.
fn waits_until(which: Which, act: impl Fn(&Server, &Barrier)) -> Duration {
    let server = Server::start(which);
    let relay = Relay::start(server.port(), |_, _| false);
    let asked = || {
        let passed = relay.passed().into_iter();
        passed.filter(|passed| passed.method == "get_work").count()
    };
    let (shared, started, go_on) = held("Shared");
    let after = Memory::new("After").needs(&[any(&shared)]).share();
    std::thread::scope(|scope| {
        let server = &server;
        scope.spawn(move || {
            let config = WorkerConfig {
                id: "other".to_owned(),
                ..quick()
            };
            let mut worker = worker_with(&server.client(), config, WorkerOptions::default());
            worker.add(any(&shared)).unwrap();
            assert!(worker.run().unwrap());
        });
        started.wait();
        let scheduler = client(&relay.url());
        let waits = scope.spawn(move || {
            let mut worker = worker_with(&scheduler, patient("this"), WorkerOptions::default());
            worker.add(any(&after)).unwrap();
            assert!(worker.run().unwrap());
        });
        server.until("the second worker", |server| {
            let workers = server.ask("worker_list", json!({}));
            workers.as_array().unwrap().len() == 2
        });
        // So that it waits at the server by now; it would also be told of what it missed.
        std::thread::sleep(Duration::from_millis(300));
        assert!(asked() <= 3, "it asks without a pause: {}", asked());
        let word = Instant::now();
        act(server, &go_on);
        waits.join().unwrap();
        let took = word.elapsed();
        if server.task("Shared__99914b932b")["status"] == "RUNNING" {
            go_on.wait();
        }
        took
    })
}

fn woken_by_another_one(which: Which) {
    let took = waits_until(which, |_, go_on| {
        go_on.wait();
    });
    assert!(took < FALLBACK, "{took:?}");
}

fn ends_when_nothing_is_left(which: Which) {
    let took = waits_until(which, |server, _| {
        let done = json!({"task_id": "After__99914b932b", "status": "DONE", "worker": "third"});
        server.ask("add_task", done);
    });
    assert!(took < FALLBACK, "{took:?}");
}

fn leaves_when_its_time_is_over(which: Which) {
    let server = Server::start(which);
    let outside = Memory::new("Outside").with(|task| task.external = true);
    let root = Memory::new("Root").needs(&[any(&outside.share())]).share();
    let config = WorkerConfig {
        wait_interval: 0.1,
        max_keep_alive_idle_duration: Duration::from_secs(1),
        ..patient("this")
    };
    let mut worker = worker_with(&server.client(), config, WorkerOptions::default());
    worker.add(any(&root)).unwrap();
    let started = Instant::now();
    worker.run().unwrap();
    let took = started.elapsed();
    assert!(
        (Duration::from_secs(1)..FALLBACK).contains(&took),
        "{took:?}"
    );
}

fn takes_leave(which: Which) {
    let server = Server::start(which);
    let root = Memory::new("Root").needs(&[any(&Memory::new("Bad").fails().share())]);
    let mut worker = worker_with(&server.client(), quick(), WorkerOptions::default());
    worker.add(root.share()).unwrap();
    assert!(!worker.run().unwrap());
    assert_eq!(server.ask("worker_list", json!({})), json!([]));
    let statuses = server.statuses();
    assert_eq!(statuses["Bad__99914b932b"], "FAILED");
    assert_eq!(statuses["Root__99914b932b"], "PENDING");
}

/// One failure would disable the task, and a retry would wait for a quarter of an hour.
fn gives_runs_back(which: Which) {
    let server = Server::start_with(which, "retry_count=1\nretry_delay=900");
    let (stuck, started, go_on) = held("Stuck");
    let in_child = Memory::new("InChild").with(|task| task.timeout = Some(LONG));
    let both = Memory::new("Both").needs(&[any(&stuck), any(&in_child.share())]);
    let options = WorkerOptions {
        processes: 2,
        child_command: ChildCommand::Program {
            program: "sleep".into(),
            args: vec![LONG.to_string()],
        },
        ..WorkerOptions::default()
    };
    let stop = options.stop.clone();
    let mut stopped = worker_with(&server.client(), patient("stopped"), options);
    stopped.add(both.share()).unwrap();
    let ids = ["Stuck__99914b932b", "InChild__99914b932b"];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            started.wait();
            server.until("both runs", |server| {
                let statuses = server.statuses();
                ids.iter().all(|id| statuses[*id] == "RUNNING")
            });
            stop.interrupt();
            stop.interrupt();
        });
        assert!(!stopped.run().unwrap());
    });
    let statuses = server.statuses();
    assert_eq!(ids.map(|id| statuses[id].as_str()), ["PENDING"; 2]);

    let again = ["Stuck", "InChild"].map(|family| Memory::new(family).share());
    let both = Memory::new("Both").needs(&again.each_ref().map(any));
    let mut other = worker_with(&server.client(), patient("other"), WorkerOptions::default());
    other.add(both.share()).unwrap();
    assert!(other.run().unwrap());
    assert!(again.iter().all(|task| task.run_count() == 1));
    assert!(server.statuses().values().all(|status| status == "DONE"));
    go_on.wait();
}

/// A worker runs two tasks through `relay`, of which one ends when it is told to and the other one
/// never, and is stopped. Returns the statuses of its reports.
fn stopped_behind(server: &Server, relay: &Relay) -> Vec<String> {
    let (stuck, started, go_on) = held("Stuck");
    let heeds = Memory::new("Heeds").runs(|_, run| {
        while !run.stop_requested() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Err("told to stop".into())
    });
    let both = Memory::new("Both").needs(&[any(&stuck), any(&heeds.share())]);
    let options = WorkerOptions {
        processes: 2,
        ..WorkerOptions::default()
    };
    let stop = options.stop.clone();
    let config = WorkerConfig {
        id: "stopped".to_owned(),
        ping_interval: LONG,
        ..quick()
    };
    let mut stopped = worker_with(&client(&relay.url()), config, options);
    stopped.add(both.share()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            started.wait();
            server.until("both runs", |server| {
                let statuses = server.statuses();
                statuses.values().filter(|it| *it == "RUNNING").count() == 2
            });
            stop.interrupt();
            stop.interrupt();
        });
        assert!(!stopped.run().unwrap());
    });
    drop(stopped);
    go_on.wait();
    let passed = relay.passed().into_iter();
    let reports = passed.filter(|passed| passed.method == "add_task");
    reports
        .map(|report| report.keywords["status"].as_str().unwrap().to_owned())
        .collect()
}

/// What both ended runs are, one failure of which would disable the task.
fn are_given_back(server: &Server) {
    let statuses = server.statuses();
    let ids = ["Stuck__99914b932b", "Heeds__99914b932b"];
    assert_eq!(ids.map(|id| statuses[id].as_str()), ["PENDING"; 2]);
    let tasks = ["Stuck", "Heeds"].map(|family| Memory::new(family).share());
    for task in &tasks {
        let mut other = worker_with(&server.client(), patient("other"), WorkerOptions::default());
        other.add(any(task)).unwrap();
        assert!(other.run().unwrap());
        assert_eq!(task.run_count(), 1);
    }
}

fn farewells(relay: &Relay) -> usize {
    let passed = relay.passed().into_iter();
    let farewells = passed.filter(|passed| passed.method == "release_worker");
    farewells.count()
}

fn farewell_is_said_again(which: Which) {
    let server = Server::start_with(which, "retry_count=1\nretry_delay=900");
    let relay = Relay::start(server.port(), |method, before| {
        method == "release_worker" && before == 0
    });
    let reports = stopped_behind(&server, &relay);
    assert!(!reports.contains(&"FAILED".to_owned()), "{reports:?}");
    assert_eq!(farewells(&relay), 2);
    assert_eq!(server.ask("worker_list", json!({})), json!([]));
    are_given_back(&server);
}

/// The worker finds that it does not know what server this is, and says what Luigi's has to be told.
fn farewell_is_never_answered(which: Which) {
    let server = Server::start_with(which, "retry_count=1\nretry_delay=900");
    let relay = Relay::start(server.port(), |method, _| {
        ["release_worker", "await_work"].contains(&method)
    });
    let reports = stopped_behind(&server, &relay);
    let failed = reports.iter().filter(|status| *status == "FAILED").count();
    assert!([0, 2].contains(&failed), "{reports:?}");
    assert_eq!(farewells(&relay), 2);
    are_given_back(&server);
}

/// One process, whose task runs on the worker's own thread.
fn heeds_the_word(which: Which) {
    let server = Server::start_with(which, "retry_count=1\nretry_delay=900");
    let options = WorkerOptions::default();
    let stop = options.stop.clone();
    let heeds = Memory::new("Heeds").runs(move |_, run| {
        stop.interrupt();
        assert!(!run.stop_requested(), "it may finish");
        stop.interrupt();
        assert!(run.stop_requested());
        Err("told to stop".into())
    });
    let mut stopped = worker_with(&server.client(), patient("stopped"), options);
    stopped.add(any(&heeds.share())).unwrap();
    assert!(!stopped.run().unwrap());
    assert_eq!(server.task("Heeds__99914b932b")["status"], "PENDING");
    let again = Memory::new("Heeds").share();
    let mut other = worker_with(&server.client(), patient("other"), WorkerOptions::default());
    other.add(any(&again)).unwrap();
    assert!(other.run().unwrap());
    assert_eq!(again.run_count(), 1);
}

fn many_tasks_travel_together(which: Which) {
    let server = Server::start(which);
    let relay = Relay::start(server.port(), |_, _| false);
    let leaves: Vec<TaskHandle> = (0..1200)
        .map(|n| any(&Memory::new("Leaf").param("n", &n.to_string(), None).share()))
        .collect();
    let root = Memory::new("Root").needs(&leaves).share();
    let mut worker = worker_with(&client(&relay.url()), quick(), WorkerOptions::default());
    worker.add(root).unwrap();
    let passed = relay.passed();
    let counts = passed.iter().map(|passed| {
        assert_eq!(passed.method, "add_tasks");
        passed.keywords["tasks"].as_array().unwrap().len()
    });
    let counts: Vec<usize> = counts.collect();
    assert_eq!(counts.iter().sum::<usize>(), 1201);
    assert!(counts.iter().all(|count| *count <= 500), "{counts:?}");
    assert_eq!(server.statuses().len(), 1201);
}

fn woken_while_others_run(which: Which) {
    let server = Server::start(which);
    let (held, started, go_on) = held("Held");
    let (shared, other_started, other_goes_on) = self::held("Shared");
    let after = Memory::new("After")
        .needs(&[any(&shared)])
        .runs(move |task, _| {
            go_on.wait();
            task.finish();
            Ok(RunOutcome::Done)
        });
    let root = Memory::new("Root")
        .needs(&[any(&held), any(&after.share())])
        .share();
    std::thread::scope(|scope| {
        let other = scope.spawn({
            let (scheduler, shared) = (server.client(), any(&shared));
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
        other_started.wait();
        // Only the second task can let the first one go on.
        let waits = scope.spawn(|| {
            let options = WorkerOptions {
                processes: 2,
                ..WorkerOptions::default()
            };
            let mut worker = worker_with(&server.client(), patient("this"), options);
            worker.add(any(&root)).unwrap();
            assert!(worker.run().unwrap());
        });
        started.wait();
        std::thread::sleep(Duration::from_millis(300));
        let word = Instant::now();
        other_goes_on.wait();
        other.join().unwrap();
        waits.join().unwrap();
        assert!(word.elapsed() < FALLBACK, "{:?}", word.elapsed());
    });
}
