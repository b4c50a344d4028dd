//! What the requests of workers other than `add_task` take, and what they say of the rest.

mod rpc;

use rpc::{Rpc, assert_accepted, assert_refused};
use serde_json::{Value, json};

#[test]
fn get_work() {
    assert_refused(
        "get_work",
        &[
            ("{}", "get_work needs the argument `worker`"),
            (
                r#"{"worker": null}"#,
                "get_work needs the argument `worker`",
            ),
            (
                r#"{"worker": 7}"#,
                "get_work: `worker` is 7, expected a text",
            ),
            (
                r#"{"worker": "x", "host": 7}"#,
                "get_work: `host` is 7, expected a text",
            ),
            (
                r#"{"worker": "x", "assistant": "yes"}"#,
                "get_work: `assistant` is \"yes\", expected true or false",
            ),
            (
                r#"{"worker": "x", "current_tasks": "A"}"#,
                "get_work: `current_tasks` is \"A\", expected a list of texts",
            ),
            (
                r#"{"worker": "x", "current_tasks": [null]}"#,
                "get_work: `current_tasks.0` is null, expected a text",
            ),
        ],
    );
}

#[test]
fn attempts_are_numbered_for_workers_that_ask() {
    let mut rpc = Rpc::new();
    rpc.ok(0.0, "add_task", r#"{"worker": "x", "task_id": "A"}"#);
    rpc.ok(0.0, "add_task", r#"{"worker": "x", "task_id": "B"}"#);
    let plain = rpc.ok(1.0, "get_work", r#"{"worker": "x"}"#);
    assert_eq!(plain.get("attempt"), None);
    let work = rpc.ok(2.0, "get_work", r#"{"worker": "x", "attempts": true}"#);
    let task_id = work["task_id"].as_str().expect("a task").to_owned();
    let attempt = work["attempt"].as_u64().expect("a number");

    let report = |attempt: u64| {
        format!(
            r#"{{"worker": "x", "task_id": "{task_id}", "status": "DONE", "attempt": {attempt}}}"#
        )
    };
    rpc.ok(3.0, "add_task", &report(attempt + 1));
    let tasks = rpc.ok(3.0, "task_list", r#"{"status": "RUNNING"}"#);
    assert!(
        tasks.get(&task_id).is_some(),
        "a report on another attempt changed the task"
    );
    rpc.ok(4.0, "add_task", &report(attempt));
    let tasks = rpc.ok(4.0, "task_list", r#"{"status": "DONE"}"#);
    assert!(tasks.get(&task_id).is_some());
}

#[test]
fn add_worker() {
    assert_refused(
        "add_worker",
        &[
            (r#"{"info": {}}"#, "add_worker needs the argument `worker`"),
            (r#"{"worker": "x"}"#, "add_worker needs the argument `info`"),
            (
                r#"{"worker": "x", "info": "fast"}"#,
                "add_worker: `info` is \"fast\", expected an object or a list of pairs",
            ),
            (
                r#"{"worker": "x", "info": ["fast"]}"#,
                "add_worker: `info.0` is \"fast\", expected a pair",
            ),
            (
                r#"{"worker": "x", "info": [["host", "h"], ["a", 1, 2]]}"#,
                "add_worker: `info.1` is [\"a\", 1, 2], expected a pair",
            ),
            (
                r#"{"worker": "x", "info": [[7, 1]]}"#,
                "add_worker: `info.0` is 7, expected a text as key",
            ),
            (
                r#"{"worker": "x", "info": {"workers": "many"}}"#,
                "add_worker: `info.workers` is \"many\", expected a whole number of zero or more",
            ),
            (
                r#"{"worker": "x", "info": {"load": NaN}}"#,
                "add_worker: `info.load` is NaN, expected a number that JSON has",
            ),
        ],
    );
}

#[test]
fn what_a_worker_says_of_itself_is_shown_as_it_came() {
    let mut rpc = Rpc::new();
    rpc.ok(
        0.0,
        "add_worker",
        r#"{"worker": "x", "info": {"host": "h", "workers": 2, "load": 0.5, "fast": true, "site": null, "tags": ["a", {"b": 1}]}}"#,
    );
    let workers = rpc.ok(0.0, "worker_list", r#"{"include_running": false}"#);
    assert_eq!(
        workers,
        json!([{
            "name": "x", "last_active": 1000.0, "started": 1000.0, "state": "active",
            "first_task_display_name": "", "num_unread_rpc_messages": 0,
            "host": "h", "workers": 2, "load": 0.5, "fast": true, "site": null, "tags": ["a", {"b": 1}],
        }])
    );
}

#[test]
fn requests_that_only_name_a_worker() {
    for method in ["ping", "count_pending"] {
        assert_refused(
            method,
            &[
                ("{}", &format!("{method} needs the argument `worker`")),
                (
                    r#"{"worker": {}}"#,
                    &format!("{method}: `worker` is {{}}, expected a text"),
                ),
            ],
        );
    }
}

#[test]
fn reports_while_running() {
    assert_refused(
        "set_task_status_message",
        &[("{}", "set_task_status_message needs the argument `task_id`")],
    );
    assert_refused(
        "set_task_progress_percentage",
        &[
            (
                "{}",
                "set_task_progress_percentage needs the argument `task_id`",
            ),
            (
                r#"{"task_id": "A", "progress_percentage": "half"}"#,
                "set_task_progress_percentage: `progress_percentage` is \"half\", expected a number",
            ),
        ],
    );
    assert_refused(
        "decrease_running_task_resources",
        &[
            (
                r#"{"decrease_resources": {}}"#,
                "decrease_running_task_resources needs the argument `task_id`",
            ),
            (
                r#"{"task_id": "A"}"#,
                "decrease_running_task_resources needs the argument `decrease_resources`",
            ),
            (
                r#"{"task_id": "A", "decrease_resources": {"r": "1"}}"#,
                "decrease_running_task_resources: `decrease_resources.r` is \"1\", expected a whole number of zero or more",
            ),
        ],
    );
}

#[test]
fn a_status_message_is_shown_whatever_it_is() {
    let mut rpc = Rpc::new();
    rpc.ok(0.0, "add_task", r#"{"worker": "x", "task_id": "A"}"#);
    for (sent, shown) in [
        (r#""half""#, json!("half")),
        (r#"{"n": [1, 2.5]}"#, json!("{\"n\": [1, 2.5]}")),
        ("null", Value::Null),
    ] {
        let arguments = format!(r#"{{"task_id": "A", "status_message": {sent}}}"#);
        rpc.ok(1.0, "set_task_status_message", &arguments);
        let reply = rpc.ok(1.0, "get_task_status_message", r#"{"task_id": "A"}"#);
        assert_eq!(reply, json!({"taskId": "A", "statusMessage": shown}));
    }
}

#[test]
fn what_feeds_mail_and_metrics_is_looked_at_too() {
    assert_refused(
        "announce_scheduling_failure",
        &[
            (
                r#"{"worker": "x", "family": "F", "params": {}, "expl": "", "owners": []}"#,
                "announce_scheduling_failure needs the argument `task_name`",
            ),
            (
                r#"{"worker": "x", "task_name": "F()", "family": "F", "params": [], "expl": "", "owners": []}"#,
                "announce_scheduling_failure: `params` is [], expected an object",
            ),
        ],
    );
    assert_refused(
        "report_task_statistics",
        &[(
            r#"{"task_id": "A"}"#,
            "report_task_statistics needs the argument `statistics`",
        )],
    );
    assert_refused(
        "update_metrics_task_started",
        &[(
            "{}",
            "update_metrics_task_started needs the argument `task`",
        )],
    );
    assert_accepted("update_metrics_task_started", &[r#"{"task": "A"}"#]);
}
