//! SIGINT, SIGTERM and SIGUSR1.

use std::time::{Duration, Instant};

use condotta_test_servers::wait_until;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::program::{Ended, Place, Process};

const WAIT: &str = "GreetAfterWait --local-scheduler --started started --until go";

fn send(process: &Process, signal: Signal) {
    kill(Pid::from_raw(process.id()), signal).unwrap();
}

/// Starts a task that waits, sends it a signal and lets it go when the program has answered.
fn interrupted(signal: Signal) -> (Place, Ended) {
    let place = Place::new();
    let log = place.path("log");
    let mut command = place.command(WAIT);
    command.stderr(std::fs::File::create(&log).unwrap());
    let process = Process::start(&mut command);
    place.wait_for("started");
    send(&process, signal);
    let said = |text: &str| std::fs::read_to_string(&log).unwrap().contains(text);
    wait_until("the signal is answered", || said(signal.as_str()));
    place.write("go", "");
    let mut ended = process.end();
    ended.stderr = std::fs::read_to_string(&log).unwrap();
    (place, ended)
}

#[test]
fn the_first_interrupt_lets_running_tasks_finish() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let (place, ended) = interrupted(signal);
        assert_eq!(ended.code, code, "{ended:#?}");
        assert_eq!(place.output("waited"), "waited");
        assert!(!place.path("cli-pipeline/greeted-after-wait").exists());
        ended.says(&format!(
            "WARNING: {signal}: finishing what runs, then leaving; once more to stop it now\n"
        ));
        ended.says("* 1 ran successfully:\n    - 1 Wait(");
        ended.says("WARNING: 1 tasks were not started because the worker was told to stop\n");
    }
}

#[test]
fn sigusr1_asks_for_no_more_work() {
    let (place, ended) = interrupted(Signal::SIGUSR1);
    assert_eq!(ended.code, 0, "{ended:#?}");
    assert_eq!(place.output("waited"), "waited");
    assert!(!place.path("cli-pipeline/greeted-after-wait").exists());
}

#[test]
fn the_second_interrupt_stops_running_tasks() {
    let place = Place::new();
    let process = place.start(WAIT);
    place.wait_for("started");
    send(&process, Signal::SIGINT);
    send(&process, Signal::SIGTERM);
    let begin = Instant::now();
    let ended = process.end();
    assert!(begin.elapsed() < Duration::from_secs(30), "{ended:#?}");
    // The two may come in either order.
    assert!([130, 143].contains(&ended.code), "{ended:#?}");
    ended.says(" again: stopping what runs; once more to leave at once\n");
    assert!(!place.path("cli-pipeline/waited").exists());
}

#[test]
fn a_run_that_was_finished_anyway_is_a_success() {
    let place = Place::new();
    let process = place.start("Wait --local-scheduler --started started --until go");
    place.wait_for("started");
    send(&process, Signal::SIGINT);
    place.write("go", "");
    process.end().succeeded();
    assert_eq!(place.output("waited"), "waited");
}
