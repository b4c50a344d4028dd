//! What people and programs do from outside while workers run.

use serde_json::{Value, json};

use super::{Case, all_are, all_once, runs_of};
use crate::{
    processes::wait_until,
    stage::{Stage, Worker},
};

/// The cases.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "messages",
        config: "",
        is_steady: true,
        play: |stage| {
            let worker = stage.worker("worker", "messages Listener");
            stage.wait_for(1, "RUNNING");
            let task = stage.task_of("Listener");
            let answers = ["hello", "end"].map(|content| ask(stage, &task, content));
            let accepts = worker.end();
            (vec![accepts], json!(answers))
        },
        check: |outcome, _| {
            all_once(outcome, 1);
            assert_eq!(outcome.seen, json!(["heard hello", "heard end"]));
        },
    },
    Case {
        name: "progress",
        config: "",
        is_steady: true,
        play: |stage| {
            let worker = stage.worker("worker", "waiting Watched");
            wait_until("half of it is done", || {
                progress(stage) == json!([50, "half-way, é😀 </b>", "http://example.com/run"])
            });
            stage.place.write("go", "");
            let ended = worker.end();
            (vec![ended], progress(stage))
        },
        check: |outcome, _| {
            all_once(outcome, 1);
            assert_eq!(outcome.seen[0], 100);
        },
    },
    Case {
        name: "set_worker_processes",
        config: "",
        is_steady: true,
        play: |stage| {
            let worker = stage.worker("worker", "waiting Root --worker-force-multiprocessing");
            stage.wait_for(1, "RUNNING");
            let arguments = json!({"worker": stage.worker_id(), "n": 3});
            stage.rpc().call("set_worker_processes", &arguments);
            stage.wait_for(3, "RUNNING");
            stage.place.write("go", "");
            let ended = worker.end();
            let workers = stage.rpc().call("worker_list", &json!({}));
            (vec![ended], workers[0]["workers"].clone())
        },
        check: |outcome, _| {
            all_once(outcome, 5);
            assert_eq!(outcome.seen, 3);
        },
    },
    Case {
        name: "disabled_worker",
        config: "",
        is_steady: true,
        play: |stage| {
            let worker = stage.worker("worker", "waiting Root --worker-keep-alive");
            stage.wait_for(1, "RUNNING");
            let arguments = json!({"worker": stage.worker_id()});
            stage.rpc().call("disable_worker", &arguments);
            stage.place.write("go", "");
            let ended = worker.end();
            let workers = stage.rpc().call("worker_list", &json!({}));
            (vec![ended], workers[0]["state"].clone())
        },
        check: |outcome, _| {
            let done = outcome.statuses.values().filter(|status| *status == "DONE");
            assert_eq!((done.count(), outcome.statuses.len()), (1, 5));
            assert_eq!(outcome.seen, "disabled");
        },
    },
    Case {
        name: "pause",
        config: "",
        is_steady: true,
        play: |stage| {
            stage.rpc().call("pause", &json!({}));
            let mut worker = stage.worker("worker", "plain Root --worker-keep-alive");
            worker.says("There are 4 pending tasks", 3);
            let paused = json!([stage.rpc().call("is_paused", &json!({})), stage.runs()]);
            stage.rpc().call("unpause", &json!({}));
            (vec![worker.end()], paused)
        },
        check: |outcome, _| {
            all_once(outcome, 4);
            assert_eq!(outcome.seen, json!([{"paused": true}, ""]));
        },
    },
    Case {
        name: "forgiven_failures",
        config: "",
        is_steady: true,
        play: |stage| {
            let worker = fail_first(stage, "operated NeedsBroken", "FAILED");
            stage.place.write("mended", "");
            let task = json!({"task_id": stage.task_of("Broken")});
            let answer = stage.rpc().call("forgive_failures", &task);
            (vec![worker.end()], answer)
        },
        check: |outcome, _| {
            all_are(outcome, "DONE", 2);
            assert_eq!(runs_of(outcome, "Broken"), 2);
        },
    },
    Case {
        name: "marked_as_done",
        config: "",
        is_steady: true,
        play: |stage| {
            let worker = fail_first(stage, "operated NeedsBroken", "FAILED");
            let task_id = stage.task_of("Broken");
            std::fs::create_dir_all(stage.place.path("out")).unwrap();
            stage.place.write(&format!("out/{task_id}"), "by hand");
            let task = json!({"task_id": task_id});
            let answer = stage.rpc().call("mark_as_done", &task);
            (vec![worker.end()], answer)
        },
        check: |outcome, _| {
            all_are(outcome, "DONE", 2);
            assert_eq!(runs_of(outcome, "Broken"), 1);
        },
    },
    Case {
        name: "re_enabled_task",
        config: "retry_delay = 0.3\n",
        is_steady: true,
        play: |stage| {
            let words = "operated NeedsFragile --worker-keep-alive";
            let first = stage.run("first", words);
            assert_eq!(stage.count("DISABLED"), 1);
            stage.place.write("mended", "");
            let task = json!({"task_id": stage.task_of("Fragile")});
            let answer = stage.rpc().call("re_enable_task", &task);
            let seen = json!([answer["status"], answer["display_name"]]);
            (vec![first, stage.run("second", words)], seen)
        },
        check: |outcome, _| {
            all_are(outcome, "DONE", 2);
            assert_eq!(outcome.seen[0], "FAILED");
        },
    },
];

/// A worker that stays while its task has this status.
fn fail_first(stage: &Stage, words: &str, status: &str) -> Worker {
    let worker = stage.worker("worker", &format!("{words} --worker-keep-alive"));
    stage.wait_for(1, status);
    worker
}

/// Sends a message to a running task and waits for its answer.
fn ask(stage: &Stage, task: &str, content: &str) -> Value {
    let message = json!({"worker": stage.worker_id(), "task": task, "content": content});
    let sent = stage.rpc().call("send_scheduler_message", &message);
    let question = json!({"task_id": task, "message_id": sent["message_id"]});
    let mut answer = Value::Null;
    wait_until("the task answers", || {
        let reply = stage
            .rpc()
            .call("get_scheduler_message_response", &question);
        answer = reply["response"].clone();
        !answer.is_null()
    });
    answer
}

/// What task `Watched` says of itself.
fn progress(stage: &Stage) -> Value {
    let tasks = stage.tasks();
    let Some(task) = tasks.as_object().and_then(|tasks| tasks.values().next()) else {
        return Value::Null;
    };
    let task_id = json!({"task_id": stage.task_of("Watched")});
    let percentage = stage.rpc().call("get_task_progress_percentage", &task_id);
    let message = stage.rpc().call("get_task_status_message", &task_id);
    json!([
        percentage["progressPercentage"],
        message["statusMessage"],
        task["tracking_url"]
    ])
}
