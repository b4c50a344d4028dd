//! Malformed requests: each is answered, none with a server's error, and one that is refused changes
//! nothing. On luigid 25 of 126 such requests left something behind that broke later ones.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    corpus::{HONEST, NO_ARGUMENTS, ODD_VALUES, POISON, TRANSPORT},
    processes::{Kind, Place, Server},
    wire::{Answer, Wire},
};

/// A server in the middle of its work, and a connection to it.
struct Stage {
    place: Place,
    server: Server,
    wire: Wire,
}

impl Stage {
    fn new() -> Self {
        let place = Place::new();
        // However long a busy machine takes: workers are not what is given up here.
        let text = "[resources]\ngpu = 2\n[scheduler]\nworker_disconnect_delay = 3600\n";
        place.write("luigi.cfg", text);
        let server = Server::start(&place, Kind::Ours);
        let add = |task: Value| server.rpc.call("add_task", &task);
        let gpu = json!({"gpu": 1});
        add(json!({"worker": "w", "task_id": "A", "resources": gpu, "family": "F"}));
        assert_eq!(
            server.rpc.call("get_work", &json!({"worker": "w"}))["task_id"],
            "A"
        );
        add(json!({"worker": "w", "task_id": "B", "deps": ["A"], "priority": 3}));
        add(json!({"worker": "w", "task_id": "C", "status": "FAILED", "expl": "why"}));
        add(json!({"worker": "w", "task_id": "D", "status": "DONE"}));
        let wire = Wire::new(&server);
        Self {
            place,
            server,
            wire,
        }
    }

    /// Sends a request over a connection that stays open.
    #[track_caller]
    fn ask(&mut self, method: &str, data: &str) -> Answer {
        let answer = self.wire.call(method, data);
        let Some(answer) = answer else {
            panic!("no answer to {method} {data}")
        };
        assert!(answer.status < 500, "{method} {data}: {answer:?}");
        let body: Value = serde_json::from_str(&answer.body)
            .unwrap_or_else(|error| panic!("{method} {data}: {error}: {answer:?}"));
        if answer.status != 200 {
            let message = body["error"]["message"].as_str();
            assert!(message.is_some_and(|text| text.len() > 10), "{answer:?}");
        }
        answer
    }

    /// All that can be seen, byte by byte.
    fn seen(&mut self) -> String {
        let views = ["graph", "worker_list", "resource_list", "is_paused"];
        views.map(|view| self.ask(view, "{}").body).join("\n")
    }

    /// Sends a request and asks what changed, if that was refused. Whether it was.
    fn try_out(&mut self, before: &str, method: &str, data: &str) -> bool {
        let is_refused = self.ask(method, data).status != 200;
        if is_refused {
            assert_eq!(self.seen(), before, "{method} {data}");
        }
        is_refused
    }

    /// Workers that say nothing odd get their tasks.
    fn assert_works(&mut self) {
        let rpc = &self.server.rpc;
        rpc.call("unpause", &json!({}));
        let tasks = [("honest", "H", 1000), ("honest", "I", 999)];
        for (worker, task_id, priority) in tasks {
            let task = json!({
                "worker": worker, "task_id": task_id, "priority": priority, "resources": {"gpu": 1},
            });
            rpc.call("add_task", &task);
        }
        assert_eq!(
            rpc.call("get_work", &json!({"worker": "honest"}))["task_id"],
            "H"
        );
        for status in ["FAILED", "DONE"] {
            let report = json!({"worker": "honest", "task_id": "H", "status": status});
            rpc.call("add_task", &report);
        }
        rpc.call(
            "add_task",
            &json!({"worker": "w", "task_id": "A", "status": "DONE"}),
        );
        let ask = json!({"worker": "w", "current_tasks": []});
        assert_eq!(rpc.call("get_work", &ask)["task_id"], "B");
        for view in ["task_list", "graph", "worker_list", "resource_list"] {
            rpc.call(view, &json!({}));
        }
    }
}

/// `data` with one argument (or `argument.key`) replaced by a JSON text of Python's kind.
fn with(data: &str, argument: &str, value: &str) -> String {
    const MARK: &str = "\u{1}";
    let mut data: Value = serde_json::from_str(data).unwrap();
    let mut place = &mut data;
    for name in argument.split('.') {
        place = &mut place[name];
    }
    *place = MARK.into();
    data.to_string().replace("\"\\u0001\"", value)
}

#[test]
fn what_poisons_luigid_is_refused_and_changes_nothing() {
    let mut stage = Stage::new();
    let before = stage.seen();
    for (method, data) in POISON {
        assert!(stage.try_out(&before, method, data), "{method} {data}");
    }
    stage.assert_works();
}

#[test]
fn what_is_no_object_of_arguments_is_refused() {
    let mut stage = Stage::new();
    let before = stage.seen();
    let deep = [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        format!("{{\"worker\": {}1{}}}", "[".repeat(5000), "]".repeat(5000)),
    ];
    for data in NO_ARGUMENTS
        .iter()
        .copied()
        .chain(deep.iter().map(String::as_str))
    {
        for method in ["ping", "add_task", "update_resources"] {
            let is_refused = stage.try_out(&before, method, data);
            assert!(is_refused, "{method} {}", &data[..data.len().min(100)]);
        }
    }
    stage.assert_works();
}

/// Every argument of every method is replaced by every odd value: hundreds of requests. Some are
/// taken, and none of these hurts either: not now, and not after a restart.
#[test]
fn odd_values_hurt_nobody() {
    let mut stage = Stage::new();
    let mut before = stage.seen();
    let (mut sent, mut refused) = (0, 0);
    for honest in HONEST {
        for argument in honest.arguments {
            for value in ODD_VALUES {
                let data = with(honest.data, argument, value);
                sent += 1;
                if stage.try_out(&before, honest.method, &data) {
                    refused += 1;
                } else {
                    before = stage.seen();
                }
            }
        }
    }
    assert!(sent > 1000 && refused > sent / 3, "{refused} of {sent}");
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        stage
            .server
            .stop_and_start(&stage.place, Kind::Ours, signal, || {});
        stage.wire = Wire::new(&stage.server);
        let after = stage.seen();
        let tasks = |seen: &str| seen.lines().next().unwrap().to_owned();
        assert_eq!(tasks(&after), tasks(&before));
    }
    stage.assert_works();
}

#[test]
fn what_breaks_http_is_refused_and_hurts_nobody() {
    let mut stage = Stage::new();
    let before = stage.seen();
    for (request, status) in TRANSPORT {
        let shown = String::from_utf8_lossy(request);
        let mut wire = Wire::new(&stage.server);
        // The server may refuse it before it was sent whole.
        let _ = wire.send(request);
        if status.is_none() {
            wire.finish();
        }
        let answer = wire.answer();
        let answered = answer.as_ref().map(|answer| answer.status);
        match status {
            Some(_) => assert_eq!(answered, *status, "{shown:?}: {answer:?}"),
            None => assert!(answered.is_none_or(|status| status < 500), "{shown:?}"),
        }
        assert_eq!(stage.seen(), before, "{shown:?}");
    }
    stage.assert_works();
}
