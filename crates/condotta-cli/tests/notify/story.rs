//! What happens in these tests: a server, and stock workers whose tasks fail.

use crate::processes::{Ended, Kind, Place, Process, Server, stock_python};

/// Tasks that fail, with what must be told of them and what must not.
const PIPELINE: &str = r#"
import luigi
from luigi.parameter import ParameterVisibility


class Load(luigi.Task):
    """Fails when it runs."""

    day = luigi.IntParameter()
    note = luigi.Parameter(default="hidden-value", visibility=ParameterVisibility.HIDDEN)
    secret = luigi.Parameter(default="private-value", visibility=ParameterVisibility.PRIVATE)
    owner_email = "owner@example.com"

    def run(self):
        raise ValueError(f"day {self.day} <broke>")


class Unclear(luigi.Task):
    """Nobody knows whether it is complete."""

    def complete(self):
        raise ValueError("who knows")


class All(luigi.WrapperTask):
    """Requires all of them."""

    days = luigi.IntParameter(default=2)

    def requires(self):
        return [Load(day=day) for day in range(self.days)] + [Unclear()]


class Good(luigi.Task):
    """Is done."""

    def output(self):
        return luigi.LocalTarget("good")

    def run(self):
        self.output().open("w").close()
"#;

/// Settings of workers with which nothing takes long, and which send no mail themselves.
const WORKER: &str = "\n[core]\nrpc_retry_wait = 1\n[worker]\nwait_interval = 0.1\nwait_jitter = 0.05\n\
                      send_failure_email = false\n";

pub(crate) struct Story {
    pub(crate) place: Place,
    pub(crate) server: Server,
    kind: Kind,
}

impl Story {
    /// A server whose luigi.cfg has keys of `[scheduler]`, and then other sections.
    pub(crate) fn new(place: Place, kind: Kind, config: &str) -> Self {
        place.write("luigi.cfg", &format!("[scheduler]\n{config}\n{WORKER}"));
        place.write("pipeline.py", PIPELINE);
        let server = Server::start(&place, kind);
        Self {
            place,
            server,
            kind,
        }
    }

    /// Runs a task, and all that it requires, on a stock worker.
    pub(crate) fn run(&self, words: &str) -> Ended {
        self.worker(words).end()
    }

    pub(crate) fn worker(&self, words: &str) -> Process {
        let python = stock_python().expect("cargo xtask test makes it");
        let mut command = self.place.command(python);
        command
            .args(["-m", "luigi", "--module", "pipeline"])
            .args(words.split_whitespace())
            .args(["--scheduler-host", "127.0.0.1", "--no-lock"])
            .args(["--scheduler-port", &self.server.port.to_string()])
            .env("PYTHONPATH", self.place.path("."));
        self.place.start("worker", &mut command)
    }

    /// Stops the server in good order, and starts it again.
    pub(crate) fn restart(&mut self) -> Ended {
        let signal = nix::sys::signal::Signal::SIGTERM;
        self.server.restart(&self.place, self.kind, signal)
    }

    /// Kills the server, and starts it again.
    pub(crate) fn kill(&mut self) {
        let signal = nix::sys::signal::Signal::SIGKILL;
        self.server.restart(&self.place, self.kind, signal);
    }

    /// What the server has said.
    pub(crate) fn log(&self) -> String {
        self.server.stderr()
    }
}
