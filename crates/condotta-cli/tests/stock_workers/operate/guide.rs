//! The page about operating a scheduler: its commands are run in their order, on a server with very
//! many tasks and real workers.
//!
//! Ports and the state's directory are all that is changed in them. A command that the page has and the
//! test has not is an error.

use std::{collections::VecDeque, process::Command};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{pipeline, receiver::Receiver};
use crate::{
    processes::{Ended, Kind, Process, wait_until},
    stage::Stage,
};

const PAGE: &str = include_str!("../../../../../docs/how-to/operate.md");

/// So many tasks are there beside those of the page.
const OTHERS: usize = 100_000;

const LOAD: &str = "Load_2026_11_24_028f22a9ec";

/// Somebody who follows the page.
struct Reader {
    stage: Stage,
    /// The commands that are left.
    blocks: VecDeque<String>,
}

pub(super) fn follow() {
    let mut reader = Reader::new();
    reader.add_others();
    let loader = reader.stage.worker(
        "loader",
        "nightly Report --day 2026-11-24 --worker-keep-alive",
    );
    reader.wait_for_one("FAILED");
    reader.looks();
    reader.stage.place.write("mended", "");
    reader.run("condotta forgive").says(" is PENDING now");
    loader.end().with_code(0);
    let forgiven = reader.json("curl");
    assert_eq!(
        (&forgiven["after"], &forgiven["changed"]),
        (&json!("DONE"), &json!(false))
    );
    let limits = reader.run("condotta resources");
    limits.says("there is 4 of database now");
    let limit = reader.json("curl");
    assert_eq!((&limit["before"], &limit["limit"]), (&json!(4), &json!(5)));
    reader.watches();
    reader.sees_attempts();
    reader.cancels();
    reader.is_told();
    reader.has_a_role();
    assert_eq!(reader.blocks, VecDeque::<String>::new());
}

impl Reader {
    /// What is wrong, and why.
    fn looks(&mut self) {
        self.run("condotta tasks").says("1 FAILED, ");
        let failed = self.json("curl");
        assert_eq!(failed["items"][0]["id"], LOAD);
        assert_eq!(
            (&failed["total"], &failed["counts"]["PENDING"]),
            (&json!(1), &json!(OTHERS + 1))
        );
        let why = self.run("condotta why").stdout;
        let start =
            "Report(day=2026-11-24) waits for its only dependency. Load(day=2026-11-24) failed at ";
        assert!(why.starts_with(start), "{why}");
        let why = self.json("curl");
        assert_eq!(why["hold"]["causes"][0]["hold"]["kind"], "failed");
        self.run("condotta task ").says("no such table: sales");
        let graph = self.run("condotta graph").stdout;
        assert!(graph.contains("└─ PENDING Report_2026_11_24_"), "{graph}");
        let answers = self.run("curl").stdout;
        assert!(
            answers.contains(LOAD) && answers.contains("\"edges\":[[1,0]]"),
            "{answers}"
        );
    }

    /// What is told while it happens.
    fn watches(&mut self) {
        for (begins, begun, day, said) in [
            (
                "condotta watch",
                "PENDING",
                "2026-11-24",
                "RUNNING Train_2026_11_24_",
            ),
            (
                "curl",
                "hello",
                "2026-11-25",
                "\"task_id\":\"Train_2026_11_25_",
            ),
        ] {
            let watch = self.start(begins);
            wait_until("it has begun", || self.said().contains(begun));
            let trainer = self.trainer(day);
            wait_until("the run is told", || self.said().contains(said));
            self.stage.place.write("go", "");
            trainer.end().with_code(0);
            wait_until("its end is told", || self.said().contains("DONE"));
            watch.send(Signal::SIGTERM);
            watch.end();
        }
    }

    /// A worker of ours that trains until the file `go` is there.
    fn trainer(&self, day: &str) -> Process {
        let _ = std::fs::remove_file(self.stage.place.path("go"));
        let program = std::env::current_exe().unwrap();
        let mut command = self.stage.place.command(program);
        command.args([
            "Train",
            "--day",
            day,
            "--no-lock",
            "--worker-force-multiprocessing",
        ]);
        command.env(pipeline::VARIABLE, "1");
        self.stage.place.start("trainer", &mut command)
    }

    /// What the last commands have said so far.
    fn said(&self) -> String {
        self.stage.place.read("reader.out")
    }

    /// What attempts printed, and how long they take.
    fn sees_attempts(&mut self) {
        self.run("condotta log").says("epoch 1 of 2026-11-24");
        self.run("curl").says("epoch 1 of 2026-11-24");
        // The history is written a moment after the runs.
        let durations = "/api/v1/families/Train/durations";
        wait_until("both runs are in the history", || {
            let answer = self.stage.rpc().get(durations).unwrap();
            answer.body.contains("\"count\":2")
        });
        let attempts = self.run("condotta history").stdout;
        assert!(attempts.contains("Train_2026_11_25_"), "{attempts}");
        assert_eq!(self.json("curl")["count"], 2);
    }

    /// Runs that are ended.
    fn cancels(&mut self) {
        for (begins, day) in [("condotta cancel", "2026-11-26"), ("curl", "2026-11-27")] {
            let trainer = self.trainer(day);
            self.wait_for_one("RUNNING");
            self.run(begins);
            trainer.end();
            let disabled = json!({"status": "DISABLED", "search": day});
            wait_until("the task is disabled", || {
                let tasks = self.stage.rpc().call("task_list", &disabled);
                tasks.as_object().is_some_and(|tasks| tasks.len() == 1)
            });
        }
    }

    /// What is told when nobody watches.
    fn is_told(&mut self) {
        let receiver = Receiver::start();
        let (_, section) = PAGE.split_once("```ini\n").expect("the page has a section");
        let (section, _) = section.split_once("```").expect("it has an end");
        let section = section.replace("9000", &receiver.port.to_string());
        let config = self.stage.place.read("luigi.cfg");
        self.stage
            .place
            .write("luigi.cfg", &format!("{config}\n{section}"));
        self.stage.restart(Signal::SIGTERM);
        std::fs::remove_file(self.stage.place.path("mended")).unwrap();
        let loader = self.stage.worker("loader", "nightly Load --day 2026-11-25");
        wait_until("the receiver is told", || {
            receiver.body().contains("Load(day=2026-11-25) failed")
        });
        drop(loader);
    }

    /// Who may do what.
    fn has_a_role(&mut self) {
        self.run("condotta token create");
        let refused = self.stage.rpc().post("is_paused", "{}").unwrap();
        assert_eq!(refused.status, 401, "{refused:?}");
        let answers = self.run("CONDOTTA_TOKEN").stdout;
        assert!(
            answers.contains("{\"name\":\"anna\",\"role\":\"operator\"}"),
            "{answers}"
        );
    }

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
        let state = self.stage.place.path("state").display().to_string();
        let script = block
            .replace("8082", &self.stage.server.port.to_string())
            .replace("/var/lib/condotta", &state);
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

    /// What the next command, which begins like this, answers as JSON.
    fn json(&mut self, begins: &str) -> Value {
        let answer = self.run(begins).stdout;
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// Runs the next commands to a good end.
    fn run(&mut self, begins: &str) -> Ended {
        self.start(begins).end().with_code(0)
    }
}
