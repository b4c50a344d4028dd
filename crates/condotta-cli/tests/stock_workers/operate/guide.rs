//! The page about operating a scheduler: its commands are run in their order, on a server with very
//! many tasks and real workers.
//!
//! The port is all that is changed in them. A command that the page has and the test has not is an error.

use std::{collections::VecDeque, process::Command};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    processes::{Ended, Kind, Process, wait_until},
    stage::Stage,
};

const PAGE: &str = include_str!("../../../../../docs/how-to/operate.md");

/// So many tasks are there beside those of the page.
const OTHERS: usize = 100_000;

/// Somebody who follows the page.
struct Reader {
    stage: Stage,
    /// The commands that are left.
    blocks: VecDeque<String>,
}

pub(super) fn follow() {
    let mut reader = Reader::new();
    reader.add_others();
    let words = "nightly Report --day 2026-11-24 --worker-keep-alive";
    let loader = reader.stage.worker("loader", words);
    reader.wait_for_one("FAILED");
    reader.run("condotta tasks").says("1 FAILED, ");
    let why = reader.run("condotta why").stdout;
    let start =
        "Report(day=2026-11-24) waits for its only dependency. Load(day=2026-11-24) failed at ";
    assert!(why.starts_with(start), "{why}");
    reader.run("condotta task ").says("no such table: sales");
    let graph = reader.run("condotta graph").stdout;
    assert!(graph.contains("└─ PENDING Report_2026_11_24_"), "{graph}");
    reader.stage.place.write("mended", "");
    reader.run("condotta forgive").says(" is PENDING now");
    loader.end().with_code(0);
    let limits = reader.run("condotta resources");
    limits.says("there is 4 of database now");
    let watch = reader.start("condotta watch");
    wait_until("the numbers are told", || {
        reader.stage.place.read("reader.out").contains("2 DONE")
    });
    watch.send(Signal::SIGTERM);
    watch.end();
    assert_eq!(reader.blocks, VecDeque::<String>::new());
}

impl Reader {
    fn new() -> Self {
        let stage = Stage::new(Kind::Ours, "[resources]\ndatabase = 1\n");
        let config = stage.place.read("luigi.cfg");
        let port = stage.server.port;
        let config = config.replace("[core]\n", &format!("[core]\nscheduler_port = {port}\n"));
        stage.place.write("luigi.cfg", &config);
        let blocks = PAGE.split("```sh\n").skip(1);
        let text = |block: &str| block.split("```").next().unwrap_or_default().to_owned();
        Self {
            stage,
            blocks: blocks.map(text).collect(),
        }
    }

    /// Another team's tasks, whose worker is busy.
    fn add_others(&self) {
        for first in (0..OTHERS).step_by(1000) {
            let tasks = (first..first + 1000).map(|number| {
                json!({
                    "task_id": format!("Archive_{number}_0123456789"),
                    "family": "Archive",
                    "params": {"number": number.to_string()},
                })
            });
            let tasks: Vec<Value> = tasks.collect();
            let arguments = json!({"worker": "archivist", "tasks": tasks});
            self.stage.rpc().call("add_tasks", &arguments);
        }
    }

    /// Waits until there is a task of this status.
    fn wait_for_one(&self, status: &str) {
        wait_until(&format!("a task is {status}"), || {
            let tasks = self
                .stage
                .rpc()
                .call("task_list", &json!({"status": status}));
            tasks.as_object().is_some_and(|tasks| !tasks.is_empty())
        });
    }

    /// Starts the next commands, which begin like this, as a shell can run them here.
    fn start(&mut self, begins: &str) -> Process {
        let block = self.blocks.pop_front().expect("the page has more commands");
        assert!(block.starts_with(begins), "not {begins:?}: {block}");
        let script = block.replace("8082", &self.stage.server.port.to_string());
        // A signal is for the program, not for the shell before it.
        let script = match script.trim_end().lines().count() {
            1 => format!("exec {script}"),
            _ => script,
        };
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_condotta"));
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", program.parent().unwrap().display());
        let mut command: Command = self.stage.place.command("sh");
        command.args(["-ec", &script]).env("PATH", path);
        self.stage.place.start("reader", &mut command)
    }

    /// Runs the next commands to a good end.
    fn run(&mut self, begins: &str) -> Ended {
        self.start(begins).end().with_code(0)
    }
}
