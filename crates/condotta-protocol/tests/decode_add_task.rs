//! What `add_task` and `add_task_batcher` take, and what they say of the rest.

mod rpc;

use rpc::{Rpc, assert_accepted, assert_refused};
use serde_json::json;

#[test]
fn the_task_and_the_worker_have_to_be_named() {
    assert_refused(
        "add_task",
        &[
            (
                r#"{"worker": "x"}"#,
                "add_task needs the argument `task_id`",
            ),
            (
                r#"{"worker": "x", "task_id": null}"#,
                "add_task needs the argument `task_id`",
            ),
            (
                r#"{"worker": "x", "task_id": 7}"#,
                "add_task: `task_id` is 7, expected a text",
            ),
            (
                r#"{"task_id": "A"}"#,
                "add_task needs the argument `worker`",
            ),
            (
                r#"{"task_id": "A", "worker": ["x"]}"#,
                "add_task: `worker` is [\"x\"], expected a text",
            ),
        ],
    );
}

#[test]
fn values_of_the_wrong_kind_are_named() {
    let cases = [
        (
            r#""status": "SLEEPING""#,
            "`status` is \"SLEEPING\", expected a status such as \"PENDING\"",
        ),
        (r#""status": null"#, "`status` is null, expected a text"),
        (
            r#""runnable": "yes""#,
            "`runnable` is \"yes\", expected true or false",
        ),
        (
            r#""deps": "BC""#,
            "`deps` is \"BC\", expected a list of texts",
        ),
        (r#""deps": ["B", 7]"#, "`deps.1` is 7, expected a text"),
        (
            r#""new_deps": {"B": 1}"#,
            "`new_deps` is {\"B\": 1}, expected a list of texts",
        ),
        (
            r#""resources": ["r"]"#,
            "`resources` is [\"r\"], expected an object",
        ),
        (
            r#""resources": {"gpu": -1}"#,
            "`resources.gpu` is -1, expected a whole number of zero or more",
        ),
        (
            r#""resources": {"gpu": 0.5}"#,
            "`resources.gpu` is 0.5, expected a whole number: count in smaller units, multiplying all amounts of this resource and its limit alike",
        ),
        (
            r#""resources": {"gpu": Infinity}"#,
            "`resources.gpu` is Infinity, expected a whole number of zero or more",
        ),
        (
            r#""resources": {"gpu": "1"}"#,
            "`resources.gpu` is \"1\", expected a whole number of zero or more",
        ),
        (
            r#""priority": "high""#,
            "`priority` is \"high\", expected a number",
        ),
        (r#""priority": NaN"#, "`priority` is NaN, expected a number"),
        (
            r#""priority": null"#,
            "`priority` is null, expected a number",
        ),
        (
            r#""priority": "1""#,
            "`priority` is \"1\", expected a number",
        ),
        (r#""family": 7"#, "`family` is 7, expected a text"),
        (r#""module": {}"#, "`module` is {}, expected a text"),
        (
            r#""params": ["n"]"#,
            "`params` is [\"n\"], expected an object",
        ),
        (
            r#""params": {"n": null}"#,
            "`params.n` is null, expected a text",
        ),
        (
            r#""params": {"n": [1]}"#,
            "`params.n` is [1], expected a text",
        ),
        (
            r#""param_visibilities": 1"#,
            "`param_visibilities` is 1, expected an object",
        ),
        (
            r#""param_visibilities": {"n": 3}"#,
            "`param_visibilities.n` is 3, expected 0, 1 or 2",
        ),
        (
            r#""accepts_messages": "1""#,
            "`accepts_messages` is \"1\", expected true or false",
        ),
        (
            r#""assistant": "x""#,
            "`assistant` is \"x\", expected true or false",
        ),
        (
            r#""tracking_url": 7"#,
            "`tracking_url` is 7, expected a text",
        ),
        (
            r#""batchable": "yes""#,
            "`batchable` is \"yes\", expected true or false",
        ),
        (r#""batch_id": 7"#, "`batch_id` is 7, expected a text"),
        (
            r#""retry_policy_dict": 3"#,
            "`retry_policy_dict` is 3, expected an object",
        ),
        (
            r#""retry_policy_dict": {"retry_count": "3"}"#,
            "`retry_policy_dict.retry_count` is \"3\", expected a number",
        ),
        (
            r#""retry_policy_dict": {"disable_window": NaN}"#,
            "`retry_policy_dict.disable_window` is NaN, expected a number",
        ),
        (
            r#""retry_policy_dict": {"disable_hard_timeout": []}"#,
            "`retry_policy_dict.disable_hard_timeout` is [], expected a number",
        ),
        (
            r#""owners": "me""#,
            "`owners` is \"me\", expected a list of texts",
        ),
        (
            r#""attempt": -1"#,
            "`attempt` is -1, expected a whole number of zero or more",
        ),
    ];
    for (argument, message) in cases {
        let arguments = format!(r#"{{"worker": "x", "task_id": "A", {argument}}}"#);
        assert_refused("add_task", &[(&arguments, &format!("add_task: {message}"))]);
    }
}

#[test]
fn what_was_given_is_shown_shortened() {
    let arguments = format!(
        r#"{{"worker": "x", "task_id": "A", "deps": "{}"}}"#,
        "é".repeat(500)
    );
    let message = Rpc::new()
        .call(0.0, "add_task", &arguments)
        .expect_err("a text is no list");
    assert!(
        message.contains(&("\"".to_owned() + &"é".repeat(59) + "…")),
        "{message}"
    );
}

#[test]
fn what_stock_workers_may_send_is_taken() {
    let cases = [
        r#""priority": 1.5"#,
        r#""priority": Infinity"#,
        r#""priority": -Infinity"#,
        r#""resources": {"gpu": 2.0}"#,
        r#""resources": {"gpu": true}"#,
        r#""resources": null"#,
        r#""runnable": null"#,
        r#""accepts_messages": null"#,
        r#""assistant": null"#,
        r#""params": {"n": 1, "f": 1.5, "t": true}"#,
        r#""expl": {"not": "a text"}"#,
        r#""retry_policy_dict": {"retry_count": null, "disable_window": 2.5, "other": "x"}"#,
        r#""retry_policy_dict": {"retry_count": Infinity}"#,
        r#""retry_policy_dict": {"retry_count": -1}"#,
        r#""unheard_of": [1]"#,
        r#""priority": "high", "priority": 1"#,
    ];
    for argument in cases {
        let arguments = format!(r#"{{"worker": "x", "task_id": "A", {argument}}}"#);
        assert_accepted("add_task", &[&arguments]);
    }
}

#[test]
fn infinite_priorities_are_shown_as_numbers_that_json_has() {
    let mut rpc = Rpc::new();
    rpc.ok(
        0.0,
        "add_task",
        r#"{"worker": "x", "task_id": "A", "priority": Infinity}"#,
    );
    rpc.ok(
        1.0,
        "add_task",
        r#"{"worker": "x", "task_id": "B", "priority": -Infinity}"#,
    );
    let tasks = rpc.ok(2.0, "task_list", "{}");
    assert_eq!(tasks["A"]["priority"], json!(f64::MAX));
    assert_eq!(tasks["B"]["priority"], json!(f64::MIN));
}

#[test]
fn text_values_come_back_as_they_were_sent() {
    let mut rpc = Rpc::new();
    rpc.ok(
        0.0,
        "add_task",
        r#"{"worker": "x", "task_id": "Ä", "family": "F", "params": {"\u00e4": "</script>\u2028\ud83d\ude00"}}"#,
    );
    let work = rpc.ok(1.0, "get_work", r#"{"worker": "x"}"#);
    assert_eq!(work["task_id"], "Ä");
    assert_eq!(work["task_params"]["ä"], "</script>\u{2028}😀");
}

#[test]
fn a_batcher_needs_its_worker_family_and_parameters() {
    assert_refused(
        "add_task_batcher",
        &[
            (r"{}", "add_task_batcher needs the argument `worker`"),
            (
                r#"{"worker": "x"}"#,
                "add_task_batcher needs the argument `task_family`",
            ),
            (
                r#"{"worker": "x", "task_family": "F"}"#,
                "add_task_batcher needs the argument `batched_args`",
            ),
            (
                r#"{"worker": "x", "task_family": "F", "batched_args": "d"}"#,
                "add_task_batcher: `batched_args` is \"d\", expected a list of texts",
            ),
            (
                r#"{"worker": "x", "task_family": "F", "batched_args": ["d"], "max_batch_size": "9"}"#,
                "add_task_batcher: `max_batch_size` is \"9\", expected a whole number of zero or more",
            ),
            (
                r#"{"worker": "x", "task_family": "F", "batched_args": ["d"], "max_batch_size": -Infinity}"#,
                "add_task_batcher: `max_batch_size` is -Infinity, expected a whole number of zero or more",
            ),
        ],
    );
    assert_accepted(
        "add_task_batcher",
        &[
            r#"{"worker": "x", "task_family": "F", "batched_args": []}"#,
            r#"{"worker": "x", "task_family": "F", "batched_args": ["d"], "max_batch_size": Infinity}"#,
            r#"{"worker": "x", "task_family": "F", "batched_args": ["d"], "max_batch_size": 3}"#,
        ],
    );
}
