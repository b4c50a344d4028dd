//! What the requests of operators and of the views take, and what they say of the rest.

mod rpc;

use condotta_protocol::methods;
use rpc::{Rpc, assert_refused};
use serde_json::{Value, json};

#[test]
fn requests_that_name_a_task() {
    let methods = [
        "re_enable_task",
        "fetch_error",
        "dep_graph",
        "inverse_dep_graph",
        "get_task_status_message",
        "get_task_progress_percentage",
        "get_running_task_resources",
    ];
    for method in methods {
        assert_refused(
            method,
            &[
                ("{}", &format!("{method} needs the argument `task_id`")),
                (
                    r#"{"task_id": 7}"#,
                    &format!("{method}: `task_id` is 7, expected a text"),
                ),
            ],
        );
    }
    for method in ["forgive_failures", "mark_as_done"] {
        assert_refused(
            method,
            &[(
                r#"{"task_id": 7}"#,
                &format!("{method}: `task_id` is 7, expected a text"),
            )],
        );
    }
}

#[test]
fn workers_and_messages() {
    assert_refused(
        "disable_worker",
        &[("{}", "disable_worker needs the argument `worker`")],
    );
    let amount = "expected a whole number of zero or more";
    assert_refused(
        "set_worker_processes",
        &[
            (
                r#"{"n": 2}"#,
                "set_worker_processes needs the argument `worker`",
            ),
            (
                r#"{"worker": "x"}"#,
                "set_worker_processes needs the argument `n`",
            ),
            (
                r#"{"worker": "x", "n": "many"}"#,
                &format!("set_worker_processes: `n` is \"many\", {amount}"),
            ),
            (
                r#"{"worker": "x", "n": -1}"#,
                &format!("set_worker_processes: `n` is -1, {amount}"),
            ),
        ],
    );
    assert_refused(
        "send_scheduler_message",
        &[
            (
                r#"{"worker": "x", "task": "A"}"#,
                "send_scheduler_message needs the argument `content`",
            ),
            (
                r#"{"worker": "x", "content": "hi"}"#,
                "send_scheduler_message needs the argument `task`",
            ),
            (
                r#"{"worker": "x", "task": "A", "content": []}"#,
                "send_scheduler_message: `content` is [], expected a text",
            ),
        ],
    );
    for method in [
        "add_scheduler_message_response",
        "get_scheduler_message_response",
    ] {
        assert_refused(
            method,
            &[(
                r#"{"task_id": "A"}"#,
                &format!("{method} needs the argument `message_id`"),
            )],
        );
    }
}

#[test]
fn limits_are_taken_all_or_none() {
    assert_refused(
        "update_resources",
        &[
            (
                r#"{"r": 1, "s": "many"}"#,
                "update_resources: `s` is \"many\", expected a whole number of zero or more",
            ),
            (
                r#"{"r": -1}"#,
                "update_resources: `r` is -1, expected a whole number of zero or more",
            ),
        ],
    );
    assert_refused(
        "update_resource",
        &[(
            r#"{"amount": 1}"#,
            "update_resource needs the argument `resource`",
        )],
    );
    let mut rpc = Rpc::new();
    for (amount, accepted) in [("2", true), ("true", true), ("-1", false), ("1.5", false)] {
        let arguments = format!(r#"{{"resource": "r", "amount": {amount}}}"#);
        let reply = rpc.ok(0.0, "update_resource", &arguments);
        assert_eq!(reply, Value::Bool(accepted), "{amount}");
    }
    assert_eq!(rpc.ok(0.0, "resource_list", "{}")[0]["num_total"], json!(1));
}

#[test]
fn lists_and_searches() {
    assert_refused(
        "task_list",
        &[
            (
                r#"{"status": 7}"#,
                "task_list: `status` is 7, expected a text",
            ),
            (
                r#"{"status": "SLEEPING"}"#,
                "task_list: `status` is \"SLEEPING\", expected a status such as \"PENDING\"",
            ),
            (
                r#"{"upstream_status": "UPSTREAM_TIRED"}"#,
                "task_list: `upstream_status` is \"UPSTREAM_TIRED\", expected an upstream status such as \"UPSTREAM_FAILED\"",
            ),
            (
                r#"{"limit": "no"}"#,
                "task_list: `limit` is \"no\", expected true or false",
            ),
            (
                r#"{"search": 7}"#,
                "task_list: `search` is 7, expected a text",
            ),
            (
                r#"{"max_shown_tasks": -1}"#,
                "task_list: `max_shown_tasks` is -1, expected a whole number of zero or more",
            ),
        ],
    );
    assert_refused(
        "task_search",
        &[("{}", "task_search needs the argument `task_str`")],
    );
    assert_refused(
        "dep_graph",
        &[(
            r#"{"task_id": "A", "include_done": []}"#,
            "dep_graph: `include_done` is [], expected true or false",
        )],
    );
    assert_refused(
        "worker_list",
        &[(
            r#"{"include_running": "no"}"#,
            "worker_list: `include_running` is \"no\", expected true or false",
        )],
    );
}

#[test]
fn there_are_luigis_39_methods_and_no_others() {
    assert_eq!(methods().count(), 39);
    let mut rpc = Rpc::new();
    for method in ["", "dump", "add_tas", "add_taskk", "__init__", "PING"] {
        let reply = rpc.call(0.0, method, "{}");
        assert_eq!(reply, Err(format!("there is no method `{method}`")));
    }
}

#[test]
fn every_method_ignores_keywords_that_it_does_not_know() {
    let enough = r#""worker": "x", "task_id": "A", "task_family": "F", "batched_args": [], "info": {},
        "task_name": "F()", "family": "F", "params": {}, "expl": "", "owners": [], "task_str": "A",
        "decrease_resources": {}, "message_id": "m", "task": "A", "content": "hi", "n": 1,
        "resource": "r", "amount": 1, "statistics": {}"#;
    for method in methods().filter(|method| *method != "update_resources") {
        let mut rpc = Rpc::new();
        let arguments = format!(r#"{{{enough}, "unheard_of": {{"deep": [1]}}}}"#);
        let reply = rpc.call(0.0, method, &arguments);
        assert!(reply.is_ok(), "{method}: {reply:?}");
    }
}
