//! Servers that are away for longer than a worker waits, and workers that vanish.

use libtest_mimic::Trial;
use nix::sys::signal::Signal;

use crate::{
    outcome,
    processes::{Kind, wait_until},
    stage::Stage,
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("an_outage_costs_no_more_than_the_worker", long_outage),
        trial(
            "a_killed_worker_that_starts_anew_has_its_task_at_once",
            same_id,
        ),
        trial(
            "a_worker_whose_only_task_runs_elsewhere_leaves_as_on_luigid",
            nothing_left,
        ),
    ]
}

/// The worker gives up before the server is back. The next one goes on where the first one stopped:
/// what that did and could not report is found complete, and is done as soon as it is missed.
///
/// On luigid, such a task can be run by nobody, and the next worker waits for ever.
fn long_outage() {
    let config = "retry_delay = 0.5\nworker_disconnect_delay = 2\n";
    let mut stage = Stage::new(Kind::Ours, config);
    let config = stage.place.read("luigi.cfg");
    let hasty = config.replace("rpc_retry_attempts = 100", "rpc_retry_attempts = 2");
    assert_ne!(hasty, config);
    stage.place.write("luigi.cfg", &hasty);
    let worker = stage.worker("first", "wide Root");
    wait_until("some tasks have started", || {
        stage.runs().matches("start").count() >= 10
    });
    let mut ended = None;
    let place = &stage.place;
    stage
        .server
        .stop_and_start(place, Kind::Ours, Signal::SIGKILL, || {
            ended = Some(worker.end());
        });
    let ended = ended.expect("the worker was waited for");
    assert_ne!(ended.code, Some(0), "{ended:#?}");
    assert!(stage.count("DONE") >= 9, "{:#}", stage.tasks());
    stage
        .run("second", "wide Root --worker-keep-alive")
        .with_code(0);
    assert_eq!(stage.count("DONE"), 46);
    let runs = outcome::runs(&stage.runs());
    assert_eq!(runs.len(), 46);
    assert!(runs.values().all(|runs| *runs == 1), "{runs:?}");
}

/// Nobody waits until the first worker would be missed, which takes a minute.
fn same_id() {
    let stage = Stage::new(Kind::Ours, "");
    let words = "waiting Root --count 1 --worker-id only";
    let first = stage.worker("first", words);
    wait_until("the task runs", || stage.runs().contains("start Waiting"));
    first.kill();
    stage.place.write("go", "");
    stage.run("second", words).with_code(0);
    assert_eq!(stage.count("DONE"), 2);
}

/// Of what the worker is told it stays only for what is pending. If the other one dies, it is not
/// there to help; whoever comes next is.
fn nothing_left() {
    for kind in [Kind::Stock, Kind::Ours] {
        let stage = Stage::new(kind, "");
        let first = stage.worker("first", "waiting Waiting --number 0");
        wait_until("the task runs", || stage.runs().contains("start Waiting"));
        let second = stage.run("second", "waiting Waiting --number 0 --worker-keep-alive");
        second.says("being run by another worker");
        stage.place.write("go", "");
        first.end().with_code(0);
        assert_eq!(stage.count("DONE"), 1);
    }
}
