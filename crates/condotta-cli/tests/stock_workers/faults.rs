//! What stops a fleet of stock workers on luigid, and does not on our server.

use libtest_mimic::Trial;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    outcome,
    processes::{Kind, wait_until},
    stage::Stage,
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("workers_ride_through_kills_of_the_server", kills),
        trial("workers_ride_through_restarts_of_the_server", restarts),
        trial(
            "the_task_of_a_killed_worker_is_run_by_another",
            killed_worker,
        ),
        trial("a_worker_that_was_away_finds_its_tasks_again", away),
        trial("a_late_failure_does_not_undo_anothers_run", late_failure),
    ]
}

/// Two workers run a graph while the server is ended three times: each task runs once.
///
/// On luigid, a kill loses all tasks, and the workers quit.
fn ride_through(signal: Signal) {
    let mut stage = Stage::new(Kind::Ours, "");
    let workers = ["one", "two"].map(|name| stage.worker(name, "wide Root --workers 2"));
    for starts in [5, 15, 25] {
        wait_until("more tasks have started", || {
            stage.runs().matches("start").count() >= starts
        });
        stage.restart(signal);
    }
    for worker in workers {
        let ended = worker.end().with_code(0);
        let summary = outcome::summary(&ended);
        assert!(!summary.contains("failed"), "{summary}");
    }
    let runs = outcome::runs(&stage.runs());
    assert_eq!(runs.len(), 46);
    assert!(runs.values().all(|runs| *runs == 1), "{runs:?}");
    assert_eq!(stage.count("DONE"), 46);
}

fn kills() {
    ride_through(Signal::SIGKILL);
}

fn restarts() {
    ride_through(Signal::SIGTERM);
}

/// Nobody looks at the server meanwhile. Luigid notices when somebody does, or once a minute.
fn killed_worker() {
    let config = "retry_delay = 0.5\nworker_disconnect_delay = 2\n";
    let stage = Stage::new(Kind::Ours, config);
    let first = stage.worker("first", "waiting Root --count 1");
    wait_until("the task runs", || stage.runs().contains("start Waiting"));
    let second = stage.worker("second", "waiting Root --count 1 --worker-keep-alive");
    first.kill();
    wait_until("it runs again", || {
        stage.runs().matches("start Waiting").count() == 2
    });
    stage.place.write("go", "");
    second.end().with_code(0);
    let by_worker = outcome::runs_by_worker(&stage.runs());
    assert_eq!(
        by_worker,
        [("first".into(), 1), ("second".into(), 2)].into()
    );
    assert_eq!(stage.count("DONE"), 2);
}

/// A worker is silent for longer than the server waits, while its task waits for a retry.
///
/// On luigid it never gets another task: its place at its tasks is gone.
fn away() {
    let config = "retry_delay = 0.2\nworker_disconnect_delay = 1\n";
    let stage = Stage::new(Kind::Ours, config);
    stage.rpc().call("pause", &json!({}));
    let mut worker = stage.worker("worker", "plain Root --worker-keep-alive");
    worker.says("There are 4 pending tasks", 1);
    worker.send(Signal::SIGSTOP);
    wait_until("the worker is missed", || {
        let workers = stage.rpc().call("worker_list", &json!({}));
        workers.as_array().unwrap().is_empty()
    });
    stage.rpc().call("unpause", &json!({}));
    worker.send(Signal::SIGCONT);
    worker.end().with_code(0);
    assert_eq!(stage.count("DONE"), 4);
}

/// A worker is stopped while it runs a task, another one takes the task and does it, and then the
/// first one wakes and fails.
///
/// On luigid the late report undoes what the other one did.
fn late_failure() {
    let config = "retry_delay = 0.2\nworker_disconnect_delay = 1\n";
    let stage = Stage::new(Kind::Ours, config);
    let first = stage.worker("first", "failing NeedsLate");
    wait_until("the task runs", || stage.runs().contains("start FailsLate"));
    first.send(Signal::SIGSTOP);
    stage.place.write("first-is-away", "");
    stage
        .run("second", "failing NeedsLate --worker-keep-alive")
        .with_code(0);
    assert_eq!(stage.count("DONE"), 2);
    stage.place.write("go", "");
    first.send(Signal::SIGCONT);
    let ended = first.end();
    ended.says("has status   FAILED");
    assert_eq!(stage.count("DONE"), 2, "{:#}", stage.tasks());
}
