//! A scheduler server on a free port of this machine: Luigi's, or ours.

use std::{net::TcpListener, path::PathBuf, process::Command};

use nix::sys::signal::Signal;

use super::{Ended, Place, Process, Rpc, stock_python, wait_until};

/// Whose server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `luigid` of the stock package.
    Stock,
    /// `condotta scheduler`.
    Ours,
}

/// A server that runs, but not for longer than the test.
pub(crate) struct Server {
    process: Process,
    pub(crate) port: u16,
    pub(crate) rpc: Rpc,
}

impl Server {
    /// Starts a server that uses the place's luigi.cfg, and waits until it answers.
    pub(crate) fn start(place: &Place, kind: Kind) -> Self {
        // Another process may take the port between its choice and its use.
        (0..5)
            .find_map(|_| Self::try_start(place, kind, free_port()))
            .expect("one of five free ports stays free")
    }

    /// Sends a signal, waits for the end and starts it again on the same port.
    pub(crate) fn restart(&mut self, place: &Place, kind: Kind, signal: Signal) -> Ended {
        self.process.send(signal);
        let ended = self.process.wait();
        let again = Self::try_start(place, kind, self.port);
        *self = again.expect("nobody else has taken the port");
        ended
    }

    /// The same, and something happens between the end and the start.
    pub(crate) fn stop_and_start(
        &mut self,
        place: &Place,
        kind: Kind,
        signal: Signal,
        meanwhile: impl FnOnce(),
    ) -> Ended {
        self.process.send(signal);
        let ended = self.process.wait();
        meanwhile();
        let again = Self::try_start(place, kind, self.port);
        *self = again.expect("nobody else has taken the port");
        ended
    }

    /// Starts ours with more arguments.
    pub(crate) fn start_with(place: &Place, arguments: &[&str]) -> Self {
        (0..5)
            .find_map(|_| {
                let port = free_port();
                let mut command = command(place, Kind::Ours, port);
                Self::try_command(place, command.args(arguments), port)
            })
            .expect("one of five free ports stays free")
    }

    /// Starts a server of this command, which listens on this port.
    pub(crate) fn of_command(place: &Place, command: &mut Command, port: u16) -> Self {
        Self::try_command(place, command, port).expect("nobody else has taken the port")
    }

    /// A server that answers on this port by now.
    pub(crate) fn attach(process: Process, port: u16) -> Self {
        let rpc = Rpc::new(&format!("http://127.0.0.1:{port}"));
        Self { process, port, rpc }
    }

    fn try_start(place: &Place, kind: Kind, port: u16) -> Option<Self> {
        Self::try_command(place, &mut command(place, kind, port), port)
    }

    fn try_command(place: &Place, command: &mut Command, port: u16) -> Option<Self> {
        let mut process = place.start("server", command);
        let rpc = Rpc::new(&format!("http://127.0.0.1:{port}"));
        let mut has_ended = false;
        wait_until("the server answers", || {
            has_ended = !process.runs();
            has_ended || rpc.is_ready()
        });
        if has_ended {
            let said = process.stderr();
            assert!(said.contains("in use"), "the server ended: {said}");
            return None;
        }
        Some(Self { process, port, rpc })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it has said this; gives all that it has said. It answers before it has said its first lines.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> String {
        wait_until(words, || self.stderr().contains(words));
        self.stderr()
    }

    /// What it has said so far.
    pub(crate) fn stderr(&self) -> String {
        self.process.stderr()
    }

    /// Sends a signal; whoever wants to know what comes of it waits.
    pub(crate) fn send(&self, signal: Signal) {
        self.process.send(signal);
    }

    /// Kills it at once.
    pub(crate) fn kill(&self) {
        self.process.send(Signal::SIGKILL);
    }

    /// Waits for the end, which somebody else brings about.
    pub(crate) fn end(self) -> Ended {
        self.process.end()
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn stop(self, signal: Signal) -> Ended {
        self.process.send(signal);
        self.process.end()
    }
}

/// The server's program with its arguments.
fn command(place: &Place, kind: Kind, port: u16) -> Command {
    let port = port.to_string();
    match kind {
        Kind::Stock => {
            let python = stock_python().expect("tests that need it look for it before");
            let luigid: PathBuf = python.with_file_name("luigid");
            let mut command = place.command(luigid);
            let state = place.path("state.pickle");
            command.args(["--address", "127.0.0.1", "--port", &port, "--state-path"]);
            command.arg(state);
            command
        }
        Kind::Ours => {
            let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
            command.args(["scheduler", "--address", "127.0.0.1", "--port", &port]);
            command.arg("--state-dir").arg(place.path("state"));
            command
        }
    }
}

/// A port that nobody uses just now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
