//! Somebody who follows a page step by step, on a real server with real workers.
//!
//! Ports, paths and names that are made at run time are all that is changed in the page's commands. Whoever
//! follows a page to its end has run each of them.

use std::{collections::VecDeque, process::Command};

use serde_json::{Value, json};

use crate::{
    processes::{Ended, Kind, Process, wait_until},
    stage::Stage,
};

/// Somebody who follows a page.
pub(super) struct Reader {
    pub(super) stage: Stage,
    /// The commands that are left.
    blocks: VecDeque<String>,
    /// What stands on the page, and what is meant here.
    replaced: Vec<(String, String)>,
}

impl Reader {
    /// Of a page, with a server that has these sections in its configuration.
    pub(super) fn of(page: &str, config: &str) -> Self {
        let stage = Stage::new(Kind::Ours, config);
        let config = stage.place.read("luigi.cfg");
        let port = stage.server.port.to_string();
        let core = format!("[core]\nscheduler_port = {port}\n");
        let config = config.replace("[core]\n", &core);
        stage.place.write("luigi.cfg", &config);
        let blocks = page.split("```sh\n").skip(1);
        let text = |block: &str| block.split("```").next().unwrap_or_default().to_owned();
        let state = stage.place.path("state").display().to_string();
        Self {
            blocks: blocks.map(text).collect(),
            replaced: vec![
                ("8082".to_owned(), port),
                ("/var/lib/condotta".to_owned(), state),
            ],
            stage,
        }
    }

    /// From here on the page's `name` is `meant`.
    pub(super) fn replace(&mut self, name: &str, meant: &str) {
        self.replaced.push((name.to_owned(), meant.to_owned()));
    }

    /// Each command was run.
    pub(super) fn is_through(&self) {
        assert_eq!(self.blocks, VecDeque::<String>::new());
    }

    /// What the last commands have said so far.
    pub(super) fn said(&self) -> String {
        self.stage.place.read("reader.out")
    }

    /// Waits until there is a task of this status.
    pub(super) fn wait_for_one(&self, status: &str) {
        wait_until(&format!("a task is {status}"), || {
            let tasks = self
                .stage
                .rpc()
                .call("task_list", &json!({"status": status}));
            tasks.as_object().is_some_and(|tasks| !tasks.is_empty())
        });
    }

    /// Starts the next commands, which begin like this, as a shell can run them here.
    pub(super) fn start(&mut self, begins: &str) -> Process {
        let block = self.blocks.pop_front().expect("the page has more commands");
        assert!(block.starts_with(begins), "not {begins:?}: {block}");
        let replace =
            |script: String, (name, meant): &(String, String)| script.replace(name, meant);
        let script = self.replaced.iter().fold(block, replace);
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
    pub(super) fn json(&mut self, begins: &str) -> Value {
        let answer = self.run(begins).stdout;
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// Runs the next commands to a good end.
    pub(super) fn run(&mut self, begins: &str) -> Ended {
        self.start(begins).end().with_code(0)
    }
}
