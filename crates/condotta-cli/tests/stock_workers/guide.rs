//! The page about replacing luigid: its commands are run, in their order.
//!
//! Paths, the port and `sudo` are what is changed in them, so that a test can do it; what takes long
//! (cargo's build) is left out. A command that the page has and the test has not is an error.

use std::{collections::VecDeque, fs, process::Command};

use libtest_mimic::Trial;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    processes::{Ended, Place, Rpc, Server, free_port, stock_python, wait_until},
    stage::pipelines,
    trial,
};

const PAGE: &str = include_str!("../../../../docs/how-to/replace-luigid.md");

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("the_page_about_replacing_luigid", follow)]
}

fn follow() {
    let mut reader = Reader::of(PAGE);
    reader.build();
    let server = reader.server("condotta scheduler");
    reader.run("python -m luigi").says("4 ran successfully");
    assert_eq!(server.stop(Signal::SIGTERM).code, Some(0));
    reader.move_over();
    for (words, host) in [
        ("condotta scheduler --address", "scheduler.example.com"),
        ("condotta scheduler --allowed-host", "luigi.example.com"),
    ] {
        let server = reader.server(words);
        let answer = server.rpc.post_to_host("is_paused", host);
        assert_eq!(answer.status, 200, "{answer:?}");
        server.stop(Signal::SIGTERM).with_code(0);
    }
    reader.socket();
    reader.run("condotta scheduler --background");
    let rpc = Rpc::new(&format!("http://127.0.0.1:{}", reader.port));
    assert!(rpc.is_ready());
    reader.run("kill");
    wait_until("the pid file is gone", || {
        !reader.place.path("run/condotta.pid").exists()
    });
    reader.run("condotta state check").says("no damage");
    assert_eq!(reader.blocks, VecDeque::<String>::new());
}

/// Somebody who follows the page.
pub(crate) struct Reader {
    pub(crate) place: Place,
    pub(crate) port: u16,
    /// The commands that are left.
    pub(crate) blocks: VecDeque<String>,
}

impl Reader {
    pub(crate) fn of(page: &str) -> Self {
        let place = Place::new();
        let port = free_port();
        for folder in ["bin", "lib", "run", "log", "target/release"] {
            fs::create_dir_all(place.path(folder)).unwrap();
        }
        let config = format!(
            "[scheduler]\nstate_dir = {}\n[core]\nscheduler_host = 127.0.0.1\nscheduler_port = {port}\n\
             no_lock = true\nrpc_retry_attempts = 100\nrpc_retry_wait = 1\n\
             [worker]\nping_interval = 0.1\nwait_interval = 0.1\nwait_jitter = 0.05\n",
            place.path("started").display()
        );
        place.write("luigi.cfg", &config);
        place.write(
            "my_pipelines.py",
            "from plain import Root\n\n\nclass Report(Root):\n    pass\n",
        );
        let blocks = page.split("```sh\n").skip(1);
        let text = |block: &str| block.split("```").next().unwrap_or_default().to_owned();
        let blocks = blocks.map(text).collect();
        Self {
            place,
            port,
            blocks,
        }
    }

    /// The next commands, which begin like this, as a shell can run them here.
    pub(crate) fn next(&mut self, begins: &str) -> Command {
        let block = self.blocks.pop_front().expect("the page has more commands");
        assert!(block.starts_with(begins), "not {begins:?}: {block}");
        let root = self.place.path("");
        let root = root.to_str().unwrap().trim_end_matches('/');
        let script = block
            .replace("/var/", &format!("{root}/"))
            .replace("/run/", &format!("{root}/run/"))
            .replace("/usr/local/bin", &format!("{root}/bin"))
            .replace("8082", &self.port.to_string())
            .replace("sudo ", "")
            .replace(
                "condotta scheduler",
                &format!("condotta scheduler --port {}", self.port),
            );
        let lines = script.lines().filter(|line| !line.starts_with("cargo "));
        let script = lines.collect::<Vec<_>>().join("\n");
        let python = stock_python().expect("tests that need it look for it before");
        let path = std::env::var("PATH").unwrap();
        let path = format!("{root}/bin:{}:{path}", python.parent().unwrap().display());
        let mut command = self.place.command("sh");
        command.args(["-ec", &script]).env("PATH", path);
        command
            .env("PYTHONPATH", pipelines())
            .env("WORKER_NAME", "w");
        command
    }

    /// Runs the next commands to a good end.
    pub(crate) fn run(&mut self, begins: &str) -> Ended {
        let mut command = self.next(begins);
        let ended = self.place.start("reader", &mut command).end();
        ended.with_code(0)
    }

    /// Starts the server of the next command, in the place of the shell.
    fn server(&mut self, begins: &str) -> Server {
        let mut command = exec(&self.next(begins), &self.place);
        Server::of_command(&self.place, &mut command, self.port)
    }

    /// The program that cargo has built is there.
    fn build(&mut self) {
        assert!(self.blocks[0].contains("--package condotta-cli"));
        let built = self.place.path("target/release/condotta");
        fs::copy(env!("CARGO_BIN_EXE_condotta"), built).unwrap();
        self.run("cargo build --release");
    }

    /// A worker runs its tasks on luigid first, and then on ours.
    fn move_over(&mut self) {
        let old = Place::new();
        let port = self.port;
        let python = stock_python().expect("tests that need it look for it before");
        let mut luigid = old.command(python.with_file_name("luigid"));
        luigid.args(["--address", "127.0.0.1", "--port", &port.to_string()]);
        luigid.arg("--state-path").arg(old.path("state.pickle"));
        let luigid = Server::of_command(&old, &mut luigid, port);
        let pid = luigid.id().to_string();
        self.place.write("run/luigid.pid", &pid);
        let mut worker = self.place.command(python);
        worker.args(["-m", "luigi", "--module", "waiting", "Root"]);
        worker
            .env("PYTHONPATH", pipelines())
            .env("WORKER_NAME", "w");
        let worker = self.place.start("worker", &mut worker);
        let is_running = || {
            let tasks = luigid.rpc.call("task_list", &json!({"status": "RUNNING"}));
            tasks.as_object().is_some_and(|tasks| !tasks.is_empty())
        };
        wait_until("a task runs", is_running);
        self.run("condotta state import")
            .says("5 tasks are in")
            .says("1 tasks are running");
        self.run("kill");
        luigid.end().with_code(0);
        let server = self.server("condotta scheduler --state-dir");
        self.place.write("go", "");
        worker.end().with_code(0).says("5 ran successfully");
        server.stop(Signal::SIGTERM).with_code(0);
    }

    fn socket(&mut self) {
        let mut command = exec(&self.next("condotta scheduler --unix-socket"), &self.place);
        let process = self.place.start("server", &mut command);
        let path = self.place.path("run/condotta.sock");
        wait_until("the socket is there", || path.exists());
        wait_until("it is ready", || process.stderr().contains("State in "));
        process.send(Signal::SIGTERM);
        process.end().with_code(0);
    }
}

/// The same command with the shell's process becoming the program's, which gets the signals.
pub(crate) fn exec(command: &Command, place: &Place) -> Command {
    let script = command.get_args().last().unwrap().to_str().unwrap();
    let mut same = place.command("sh");
    same.args(["-ec", &format!("exec {script}")]);
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            same.env(name, value);
        }
    }
    same
}
