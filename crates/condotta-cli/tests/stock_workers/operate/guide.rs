//! The page about operating a scheduler: its commands are run in their order, on a server with very
//! many tasks and real workers.
//!
//! A command that the page has and the test has not is an error.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{pipeline, reader::Reader, receiver::Receiver};
use crate::processes::{Process, wait_until};

const PAGE: &str = include_str!("../../../../../docs/how-to/operate.md");

/// So many tasks are there beside those of the page.
const OTHERS: usize = 100_000;

const LOAD: &str = "Load_2026_11_24_028f22a9ec";

pub(super) fn follow() {
    let mut reader = Reader::of(PAGE, "[resources]\ndatabase = 1\n");
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
    reader.audits();
    reader.is_through();
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
        self.run("condotta webhook test")
            .says("the receiver of webhook ops took the message")
            .says("failed, disabled, worker_lost");
        self.run("curl").says("\"taken\":true").says("\"sent\":");
        let tests = receiver.body().matches("\"event\":\"test\"").count();
        assert_eq!(tests, 2, "{}", receiver.body());
    }

    /// Who may do what.
    fn has_a_role(&mut self) {
        self.run("condotta token create");
        let refused = self.stage.rpc().post("is_paused", "{}").unwrap();
        assert_eq!(refused.status, 401, "{refused:?}");
        let answers = self.run("export CONDOTTA_TOKEN").stdout;
        assert!(
            answers.contains("{\"name\":\"anna\",\"role\":\"operator\"}"),
            "{answers}"
        );
        let tokens = self.run("export CONDOTTA_TOKEN");
        tokens.says("The token `bob` has the role viewer and is good until 2");
        tokens.says("bob   viewer").says("Revoked the token `bob`");
        let bob = self.stage.place.read("bob.token");
        assert!(bob.starts_with("condotta_"), "{tokens:?}");
        let made = self.json("curl");
        assert_eq!(
            (&made["name"], &made["role"], &made["is_first"]),
            (&json!("dashboard"), &json!("viewer"), &json!(false))
        );
        assert_eq!(self.json("curl"), json!({"revoked": "dashboard"}));
    }

    /// What this reader did is all written down.
    fn audits(&mut self) {
        let trail = self.run("export CONDOTTA_TOKEN").stdout;
        for said in ["anna", "(command)", "anybody", "create_token", "set_limit"] {
            assert!(trail.contains(said), "no {said} in {trail}");
        }
        let cancelled = self.json("curl");
        let runs = cancelled["items"].as_array().unwrap().iter();
        let runs: Vec<&str> = runs.filter_map(|run| run["on"].as_str()).collect();
        assert_eq!(runs.len(), 2, "{cancelled}");
        assert!(runs[0].starts_with("Train_2026_11_27_"), "{runs:?}");
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
}
