//! The API as clients see it, on a real server.

mod about;
mod attempts;
mod audit;
mod control;
mod document;
mod events;
mod many;
mod series;
mod tasks;
mod tokens;
mod webhooks;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    serve::ServerConfig,
    testing::{Answer, TestServer, percent, start_whole},
};

/// A server with its state in a folder of its own.
struct Live {
    server: TestServer,
    home: TempDir,
}

impl Live {
    fn start() -> Self {
        Self::start_with(|_| {})
    }

    fn start_with(configure: impl FnOnce(&mut ServerConfig)) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let mut config = ServerConfig::new(home.path().to_owned(), 0);
        configure(&mut config);
        Self {
            server: start_whole(config),
            home,
        }
    }

    /// What a GET answers, with its status.
    fn get(&self, path: &str) -> (u16, Value) {
        read(&self.server.get(&format!("/api/v1{path}")))
    }

    /// What a GET answers that succeeds.
    fn got(&self, path: &str) -> Value {
        let (status, value) = self.get(path);
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    /// What a POST answers, with its status.
    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let kind = ("content-type", "application/json");
        let path = format!("/api/v1{path}");
        read(&self.server.ask("POST", &path, &[kind], &body.to_string()))
    }

    /// What a POST answers that succeeds.
    fn posted(&self, path: &str, body: &Value) -> Value {
        let (status, value) = self.post(path, body);
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    /// A request of a worker.
    fn rpc(&self, method: &str, arguments: &Value) -> Value {
        let answer = self.server.call(method, &arguments.to_string());
        assert_eq!(answer.status, 200, "{method}: {}", answer.text());
        let mut reply: Value = serde_json::from_slice(&answer.body).expect("JSON");
        reply["response"].take()
    }

    /// Runs task `Load_1`, whose worker `w` cannot end it though an operator wants that.
    fn refuse_to_cancel(&self) {
        self.rpc(
            "add_worker",
            &json!({"worker": "w", "info": {"cancels": true}}),
        );
        let task = json!({"worker": "w", "task_id": "Load_1", "family": "Load"});
        self.rpc("add_task", &task);
        self.rpc("get_work", &json!({"worker": "w", "host": "h"}));
        self.posted("/tasks/Load_1/cancel", &json!({}));
        let answer = json!({
            "worker": "w", "task_id": "Load_1", "attempt": 1, "answer": "it runs in my own process", "refused": true,
        });
        self.rpc("answer_cancel", &answer);
    }

    /// Announces tasks, many in a request.
    fn add_tasks(&self, tasks: impl Iterator<Item = Value>) {
        let tasks: Vec<Value> = tasks.collect();
        for portion in tasks.chunks(500) {
            let reply = self.rpc("add_tasks", &json!({"worker": "w", "tasks": portion}));
            assert_eq!(reply["refused"], json!([]));
        }
    }
}

fn read(answer: &Answer) -> (u16, Value) {
    let value = serde_json::from_slice(&answer.body);
    let value = value.unwrap_or_else(|_| panic!("no JSON: {}", answer.text()));
    (answer.status, value)
}

/// A name as it stands in a path.
fn named(name: &str) -> String {
    percent(name).replace('+', "%20")
}
