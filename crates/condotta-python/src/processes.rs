//! Ends a process with all that it started, whatever groups and sessions they made of themselves.

use std::{
    collections::HashMap,
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    },
    unistd::Pid,
};
use pyo3::prelude::*;

/// How often it is looked whether they have gone.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process, told from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    pid: i32,
    started: String,
}

/// Ends a process and all that it started: asks them, and kills those that are there after `grace`
/// seconds.
#[pyfunction]
pub(crate) fn end_processes(py: Python<'_>, pid: i32, grace: f64) {
    let grace = Duration::try_from_secs_f64(grace).unwrap_or_default();
    py.detach(|| end(pid, grace));
}

/// What there is to know of a process that was started here. It stays to be waited for.
fn look(pid: i32) -> nix::Result<WaitStatus> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    waitid(Id::Pid(Pid::from_raw(pid)), flags)
}

/// Whether a process that was started here has not ended.
pub(crate) fn runs(pid: i32) -> bool {
    look(pid) == Ok(WaitStatus::StillAlive)
}

/// The exit code of a process that was started here and has left by itself. Nobody can wait for it any more
/// then.
pub(crate) fn left(pid: i32) -> Option<i32> {
    let Ok(WaitStatus::Exited(pid, code)) = look(pid) else {
        return None;
    };
    waitpid(pid, Some(WaitPidFlag::WNOHANG)).ok().map(|_| code)
}

fn end(pid: i32, grace: Duration) {
    if pid <= 1 {
        return;
    }
    let mut family = Vec::new();
    gather(pid, &mut family);
    let patience = Instant::now() + grace;
    for process in &family {
        send(process, Signal::SIGTERM);
    }
    loop {
        // What is started meanwhile belongs to it, too, also after whoever started it has gone.
        let before = family.len();
        for process in family.clone() {
            gather(process.pid, &mut family);
        }
        let table = table();
        family.retain(|process| is_there(&table, process));
        if family.is_empty() {
            return;
        }
        if Instant::now() >= patience {
            for process in &family {
                send(process, Signal::SIGKILL);
            }
            if Instant::now() >= patience + grace + Duration::from_secs(1) {
                return;
            }
        } else if family.len() > before {
            for process in &family {
                send(process, Signal::SIGTERM);
            }
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn send(process: &Process, signal: Signal) {
    let _ = kill(Pid::from_raw(process.pid), signal);
}

fn is_there(table: &HashMap<i32, (i32, String)>, process: &Process) -> bool {
    table
        .get(&process.pid)
        .is_some_and(|(_, started)| *started == process.started)
}

/// Adds a process and its descendants, each after its parent. In this order they are sent a signal, so that
/// none takes the end of its child for the end of its work.
fn gather(pid: i32, family: &mut Vec<Process>) {
    let table = table();
    let mut waiting = vec![pid];
    while let Some(pid) = waiting.pop() {
        if let Some((_, started)) = table.get(&pid) {
            let process = Process {
                pid,
                started: started.clone(),
            };
            if !family.contains(&process) {
                family.push(process);
            }
        }
        let children = table.iter().filter(|(_, (parent, _))| *parent == pid);
        waiting.extend(children.map(|(child, _)| *child));
    }
}

/// All processes that have not ended: their parents, and when they were started.
fn table() -> HashMap<i32, (i32, String)> {
    match fs::read_dir("/proc") {
        Ok(entries) => entries
            .filter_map(|entry| {
                let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
                let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
                // The name stands in brackets and may have anything in it.
                let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
                let state = rest.next()?;
                let parent = rest.next()?.parse().ok()?;
                let started = rest.nth(17)?.to_owned();
                (!matches!(state, "Z" | "X")).then_some((pid, (parent, started)))
            })
            .collect(),
        // Where there is no such folder, as on macOS.
        Err(_) => listed(),
    }
}

fn listed() -> HashMap<i32, (i32, String)> {
    let output = Command::new("ps")
        .args(["-axo", "pid=,ppid=,stat=,lstart="])
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let read = |line: &str| {
        let mut parts = line.split_whitespace();
        let pid = parts.next()?.parse().ok()?;
        let parent = parts.next()?.parse().ok()?;
        let state = parts.next()?;
        let started: Vec<&str> = parts.collect();
        (!state.starts_with('Z')).then_some((pid, (parent, started.join(" "))))
    };
    let text = text.unwrap_or_default();
    text.lines().filter_map(read).collect()
}
