//! A server, and stock workers on it, in a folder of their own.

use std::path::PathBuf;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    outcome,
    processes::{Ended, Kind, Place, Process, Rpc, Server, stock_python, wait_until},
};

/// Settings of workers with which nothing takes long.
const WORKER: &str = "\
[core]
rpc_retry_attempts = 100
rpc_retry_wait = 1

[worker]
ping_interval = 0.1
wait_interval = 0.1
wait_jitter = 0.05
";

/// Where a case is played.
pub(crate) struct Stage {
    pub(crate) place: Place,
    pub(crate) server: Server,
    kind: Kind,
}

/// A stock worker that runs.
pub(crate) struct Worker {
    process: Process,
}

impl Stage {
    /// Starts a server of that kind. In luigi.cfg it has more keys of section `[scheduler]`, then
    /// more sections.
    pub(crate) fn new(kind: Kind, config: &str) -> Self {
        let place = Place::new();
        place.write("luigi.cfg", &format!("[scheduler]\n{config}\n{WORKER}"));
        let server = Server::start(&place, kind);
        Self {
            place,
            server,
            kind,
        }
    }

    /// Starts ours with more arguments.
    pub(crate) fn with_arguments(arguments: &[&str]) -> Self {
        let place = Place::new();
        place.write("luigi.cfg", WORKER);
        let server = Server::start_with(&place, arguments);
        Self {
            place,
            server,
            kind: Kind::Ours,
        }
    }

    /// Stops the server and starts another one on the same port.
    pub(crate) fn replace_server(&mut self, kind: Kind) {
        self.kind = kind;
        self.restart(Signal::SIGTERM);
    }

    /// Ends the server with a signal and starts it again on the same port.
    pub(crate) fn restart(&mut self, signal: Signal) {
        self.server.restart(&self.place, self.kind, signal);
    }

    pub(crate) fn rpc(&self) -> &Rpc {
        &self.server.rpc
    }

    /// Starts a worker with the words of Luigi's command line: module, task and flags.
    pub(crate) fn worker(&self, name: &str, words: &str) -> Worker {
        self.worker_with(name, words, &[])
    }

    /// The same, and Python looks for modules in these folders first.
    pub(crate) fn worker_with(&self, name: &str, words: &str, folders: &[PathBuf]) -> Worker {
        let python = stock_python().expect("tests that need it look for it before");
        let path = folders.iter().cloned().chain([pipelines()]);
        let mut command = self.place.command(python);
        command
            .args(["-m", "luigi", "--module"])
            .args(words.split(' '))
            .args(["--scheduler-host", "127.0.0.1", "--scheduler-port"])
            .arg(self.server.port.to_string())
            .arg("--no-lock")
            .env("PYTHONPATH", std::env::join_paths(path).unwrap())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // The order of Python's sets decides in which order tasks become known.
            .env("PYTHONHASHSEED", "0")
            .env("WORKER_NAME", name);
        Worker {
            process: self.place.start(name, &mut command),
        }
    }

    /// Runs a worker to its end.
    pub(crate) fn run(&self, name: &str, words: &str) -> Ended {
        self.worker(name, words).end()
    }

    /// The file in which tasks note their runs.
    pub(crate) fn runs(&self) -> String {
        self.place.read("runs")
    }

    /// All tasks.
    pub(crate) fn tasks(&self) -> Value {
        self.rpc().call("task_list", &json!({}))
    }

    /// How many tasks have this status.
    pub(crate) fn count(&self, status: &str) -> usize {
        let statuses = outcome::statuses(&self.tasks());
        statuses.values().filter(|found| *found == status).count()
    }

    /// The id of the one task of this family.
    pub(crate) fn task_of(&self, family: &str) -> String {
        self.find(|task| task["name"] == family)
    }

    /// The id of the one task of this family with these parameters.
    pub(crate) fn task_of_params(&self, family: &str, params: &Value) -> String {
        self.find(|task| task["name"] == family && task["params"] == *params)
    }

    fn find(&self, is_it: impl Fn(&Value) -> bool) -> String {
        let tasks = self.tasks();
        let tasks = tasks.as_object().expect("a list of tasks");
        let mut found = tasks.iter().filter(|(_, task)| is_it(task));
        let (task_id, _) = found.next().expect("the task is known");
        task_id.clone()
    }

    /// Waits until so many tasks have this status.
    pub(crate) fn wait_for(&self, count: usize, status: &str) {
        wait_until(&format!("{count} tasks are {status}"), || {
            self.count(status) == count
        });
    }

    /// The id of the only worker.
    pub(crate) fn worker_id(&self) -> Value {
        let workers = self.rpc().call("worker_list", &json!({}));
        workers[0]["name"].clone()
    }
}

impl Worker {
    pub(crate) fn send(&self, signal: Signal) {
        self.process.send(signal);
    }

    /// Ends it at once; it says nothing to anybody.
    pub(crate) fn kill(self) {
        drop(self.process);
    }

    pub(crate) fn end(self) -> Ended {
        self.process.end()
    }

    /// Waits until it has said this so often.
    pub(crate) fn says(&mut self, text: &str, times: usize) {
        wait_until(&format!("the worker says {text:?}"), || {
            let said = self.process.stderr();
            assert!(self.process.runs(), "it has ended without {text:?}: {said}");
            said.matches(text).count() >= times
        });
    }
}

/// The folder of the pipelines.
pub(crate) fn pipelines() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stock_workers/pipelines")
}
