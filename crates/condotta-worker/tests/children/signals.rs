//! Real signals to a real program.

use std::{
    fs::File,
    path::Path,
    process::{Child, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{command, lives, pids, wait_for};

fn start(pipeline: &str, dir: &Path) -> Child {
    let child = command(pipeline, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the task runs", || !pids(dir).is_empty());
    child
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

fn output(child: Child) -> String {
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn the_first_signal_finishes_what_runs() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGUSR1] {
        for place in ["1 thread", "2 thread", "1 child"] {
            let dir = tempfile::tempdir().unwrap();
            let child = start(&format!("AfterGate {place}"), dir.path());
            send(&child, signal);
            // More of the gentle one changes nothing.
            if signal == Signal::SIGUSR1 {
                send(&child, signal);
            }
            let heard = dir.path().join("heard");
            wait_for("the signal is heard", || heard.exists());
            File::create(dir.path().join("open")).unwrap();
            let output = output(child);
            let gate = format!("Gate_{} DONE report", dir.path().display());
            assert!(output.contains(&gate), "{signal} {place}: {output}");
            assert!(
                output.contains("succeeded: true"),
                "{signal} {place}: {output}"
            );
            assert!(!dir.path().join("AfterGate").exists(), "{signal} {place}");
        }
    }
}

#[test]
fn the_second_signal_stops_what_runs() {
    for place in ["1 child", "2 child"] {
        let dir = tempfile::tempdir().unwrap();
        let child = start(&format!("Hangs {place}"), dir.path());
        send(&child, Signal::SIGINT);
        send(&child, Signal::SIGTERM);
        let output = output(child);
        let hangs = format!("Hangs_{} FAILED report", dir.path().display());
        assert!(output.contains(&hangs), "{place}: {output}");
        assert!(!pids(dir.path()).iter().any(|pid| lives(pid)), "{place}");
    }
}

#[test]
fn children_die_with_a_program_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = start("Hangs 1 child", dir.path());
    wait_for("both processes", || pids(dir.path()).len() == 2);
    send(&child, Signal::SIGKILL);
    child.wait().unwrap();
    wait_for("the task's processes die", || {
        !pids(dir.path()).iter().any(|pid| lives(pid))
    });
}
