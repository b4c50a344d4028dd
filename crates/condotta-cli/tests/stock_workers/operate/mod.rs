//! The operators' commands, each on stock luigid and on our server: what they print and what they change.

mod changing;
mod guide;
mod history_page;
mod looking;
pub(crate) mod pipeline;
mod reader;
mod receiver;
mod talking;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    processes::{Ended, Kind, Place, Process, Server},
    trial,
};

/// What a test does on a server of one kind.
type Play = fn(&Operator);

pub(crate) fn trials() -> Vec<Trial> {
    let all = [looking::PLAYS, changing::PLAYS, talking::PLAYS];
    let all = all.into_iter().flatten();
    let on_both = all.flat_map(|&(name, config, play)| {
        [Kind::Ours, Kind::Stock].map(|kind| {
            trial(
                &format!("operate_{name}_{kind:?}").to_lowercase(),
                move || {
                    play(&Operator::new(kind, config));
                },
            )
        })
    });
    let restarts = [Kind::Ours, Kind::Stock].map(|kind| {
        trial(
            &format!("operate_watch_through_a_restart_{kind:?}").to_lowercase(),
            move || talking::watch_through_a_restart(kind),
        )
    });
    let pages = [
        trial("the_page_about_operating", guide::follow),
        trial("the_page_about_the_history", history_page::follow),
    ];
    on_both.chain(restarts).chain(pages).collect()
}

/// Somebody with a terminal, and a scheduler.
struct Operator {
    kind: Kind,
    place: Place,
    server: Server,
}

impl Operator {
    fn new(kind: Kind, config: &str) -> Self {
        let place = Place::new();
        place.write("luigi.cfg", config);
        let server = Server::start(&place, kind);
        // The commands find the address as workers do.
        let core = format!("[core]\nscheduler_port = {}\n", server.port);
        place.write("luigi.cfg", &core);
        Self {
            kind,
            place,
            server,
        }
    }

    /// Runs a command to its end.
    fn run(&self, words: &[&str]) -> Ended {
        self.start(words).end()
    }

    fn start(&self, words: &[&str]) -> Process {
        let mut command = self.place.command(env!("CARGO_BIN_EXE_condotta"));
        self.place.start("condotta", command.args(words))
    }

    /// What a command prints that does what it should.
    #[track_caller]
    fn prints(&self, words: &[&str]) -> String {
        let ended = self.run(words).with_code(0);
        assert_eq!(ended.stderr, "", "{words:?}");
        ended.stdout
    }

    /// What it answers to a program.
    #[track_caller]
    fn json(&self, words: &[&str]) -> Value {
        let words = [words, &["--json"]].concat();
        serde_json::from_str(&self.prints(&words)).expect("it is JSON")
    }

    /// The command ends with this code and says this.
    #[track_caller]
    fn fails(&self, words: &[&str], code: i32, text: &str) {
        self.run(words).with_code(code).says(text);
    }

    /// A worker announces a task of a family with one parameter.
    fn task(&self, family: &str, day: &str, more: &Value) -> String {
        let task_id = format!("{family}_{day}_0123456789");
        let mut arguments = json!({
            "worker": "worker-a",
            "task_id": task_id,
            "family": family,
            "module": "pipeline",
            "params": {"day": day},
        });
        for (name, value) in more.as_object().expect("they are arguments") {
            arguments[name] = value.clone();
        }
        self.server.rpc.call("add_task", &arguments);
        task_id
    }

    /// A worker is given a task.
    fn get_work(&self, worker: &str) -> Value {
        let work = self
            .server
            .rpc
            .call("get_work", &json!({"worker": worker, "host": "here"}));
        work["task_id"].clone()
    }

    /// A worker's run fails.
    fn fail(&self, task_id: &str, expl: &str) {
        let report = json!({
            "worker": "worker-a",
            "task_id": task_id,
            "status": "FAILED",
            "runnable": null,
            "expl": json!(expl).to_string(),
        });
        self.server.rpc.call("add_task", &report);
    }

    fn status(&self, task_id: &str) -> String {
        let tasks = self.server.rpc.call("task_list", &json!({}));
        tasks[task_id]["status"]
            .as_str()
            .unwrap_or("none")
            .to_owned()
    }
}
