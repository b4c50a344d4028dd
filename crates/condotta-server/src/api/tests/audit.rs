//! The audit trail: what is in it of what operators do, by both APIs, and how it is read.

use serde_json::{Value, json};

use super::Live;

/// A server whose worker `w` runs `Load_0`, with two tasks that wait.
fn live() -> Live {
    let live = Live::start();
    let task = |day: u32| json!({"task_id": format!("Load_{day}"), "family": "Load", "accepts_messages": true});
    live.add_tasks((0..3).map(task));
    let work = live.rpc("get_work", &json!({"worker": "w", "host": "h"}));
    assert_eq!(work["task_id"], "Load_0");
    live
}

/// What was done, oldest first: the operation, on what, and details.
fn trail(live: &Live) -> Vec<(String, Value, Value)> {
    let page = live.got("/audit?limit=1000");
    let items = page["items"].as_array().expect("items").iter().rev();
    let deeds = items.map(|entry| {
        assert!(entry["at"].as_f64().is_some_and(|at| at > 1e9), "{entry}");
        let address = entry["address"].as_str();
        assert_eq!(
            (&entry["by"], &entry["let_in_by"], address),
            (&json!("anybody"), &json!("nothing"), Some("127.0.0.1"))
        );
        (
            entry["operation"].as_str().expect("a name").to_owned(),
            entry["on"].clone(),
            entry["details"].clone(),
        )
    });
    deeds.collect()
}

fn expected(deeds: &[(&str, Value, Value)]) -> Vec<(String, Value, Value)> {
    let deeds = deeds.iter().cloned();
    deeds
        .map(|(operation, on, details)| (operation.to_owned(), on, details))
        .collect()
}

#[test]
fn what_the_rest_api_changes_is_written_down() {
    let live = live();
    let none = json!({});
    live.posted("/tasks/Load_1/disable", &none);
    live.posted("/tasks/Load_1/re-enable", &none);
    live.posted("/tasks/Load_1/forgive", &none);
    live.posted("/tasks/Load_0/messages", &json!({"content": "a secret"}));
    live.posted("/tasks/Load_0/done", &none);
    live.posted(
        "/tasks/actions",
        &json!({"action": "disable", "filter": "family=Load"}),
    );
    live.posted(
        "/tasks/actions",
        &json!({"action": "done", "tasks": ["Load_1", "No"]}),
    );
    live.posted(
        "/tasks/actions",
        &json!({"action": "forgive", "tasks": ["Load_2"]}),
    );
    live.posted("/workers/w/processes", &json!({"n": 4}));
    live.posted("/workers/w/disable", &none);
    live.posted("/resources/gpu", &json!({"limit": 3}));
    live.posted("/resources/gpu", &json!({"limit": 2}));
    live.posted("/pause", &none);
    live.posted("/unpause", &none);
    live.posted("/prune", &none);
    let changed = |before: &str, after: &str| json!({"before": before, "after": after});
    let unchanged = |status: &str, note: &str| json!({"before": status, "after": status, "outcome": "unchanged", "note": note});
    let not_failed = "only failed tasks can be forgiven";
    let deeds = [
        ("disable", json!("Load_1"), changed("PENDING", "DISABLED")),
        ("re_enable", json!("Load_1"), changed("DISABLED", "PENDING")),
        (
            "forgive",
            json!("Load_1"),
            unchanged("PENDING", &format!("it is PENDING: {not_failed}")),
        ),
        ("send_message", json!("Load_0"), json!({"worker": "w"})),
        ("done", json!("Load_0"), changed("RUNNING", "DONE")),
        (
            "disable",
            Value::Null,
            json!({
                "matched": 3, "changed": 2, "filter": "family=Load",
                "tasks": ["Load_0", "Load_1", "Load_2"],
            }),
        ),
        (
            "done",
            Value::Null,
            json!({"matched": 2, "changed": 1, "filter": null, "tasks": ["Load_1", "No"]}),
        ),
        (
            "forgive",
            json!("Load_2"),
            unchanged("DISABLED", &format!("it is DISABLED: {not_failed}")),
        ),
        ("set_processes", json!("w"), json!({"n": 4})),
        ("disable_worker", json!("w"), json!({})),
        (
            "set_limit",
            json!("gpu"),
            json!({"before": null, "limit": 3}),
        ),
        ("set_limit", json!("gpu"), json!({"before": 3, "limit": 2})),
        ("pause", Value::Null, json!({})),
        ("unpause", Value::Null, json!({})),
        ("prune", Value::Null, json!({})),
    ];
    assert_eq!(trail(&live), expected(&deeds));
    // What was done to many is found by the name of one of them.
    let of_one = live.got("/audit?on=Load_2");
    assert_eq!(
        of_one["items"].as_array().map(Vec::len),
        Some(2),
        "{of_one}"
    );
}

#[test]
fn what_luigis_methods_change_is_written_down_and_what_they_refuse_is_not() {
    let live = live();
    live.rpc("task_list", &json!({}));
    live.rpc("disable_task", &json!({"task_id": "Load_1"}));
    live.rpc("re_enable_task", &json!({"task_id": "Load_1"}));
    live.rpc("forgive_failures", &json!({"task_id": "Nobody"}));
    live.rpc("update_resource", &json!({"resource": "gpu", "amount": -1}));
    live.rpc("update_resource", &json!({"resource": "gpu", "amount": 2}));
    live.rpc("update_resources", &json!({"gpu": 3}));
    live.rpc("set_worker_processes", &json!({"worker": "w", "n": 2}));
    let message = json!({"worker": "w", "task": "Load_0", "content": "a secret"});
    live.rpc("send_scheduler_message", &message);
    live.rpc("pause", &json!({}));
    let deeds = [
        ("disable", json!("Load_1"), json!({})),
        ("re_enable", json!("Load_1"), json!({})),
        ("set_limit", json!("gpu"), json!({"limit": 2})),
        ("set_limit", Value::Null, json!({"limits": {"gpu": 3}})),
        ("set_processes", json!("w"), json!({"n": 2})),
        ("send_message", json!("Load_0"), json!({"worker": "w"})),
        ("pause", Value::Null, json!({})),
    ];
    assert_eq!(trail(&live), expected(&deeds));
}

#[test]
fn what_changed_nothing_says_so_by_both_apis() {
    let live = live();
    let none = json!({});
    let many = |action: &str, tasks: &[&str]| {
        live.posted("/tasks/actions", &json!({"action": action, "tasks": tasks}));
    };
    let rpc = |method: &str, arguments: Value| drop(live.rpc(method, &arguments));
    many("done", &["Load_1"]);
    many("forgive", &["Nobody"]);
    many("done", &["Load_1", "Load_2"]);
    live.posted("/tasks/Load_0/disable", &none);
    live.posted("/resources/gpu", &json!({"limit": 3}));
    live.posted("/resources/gpu", &json!({"limit": 3}));
    live.posted("/unpause", &none);
    rpc("mark_as_done", json!({"task_id": "Load_1"}));
    rpc("forgive_failures", json!({"task_id": "Load_1"}));
    rpc("re_enable_task", json!({"task_id": "Nobody"}));
    rpc("disable_task", json!({"task_id": "Load_0"}));
    rpc("update_resource", json!({"resource": "gpu", "amount": 3}));
    rpc("update_resources", json!({"gpu": 3}));
    rpc("update_resources", json!({"gpu": 3, "cpu": 1}));
    rpc("unpause", none.clone());
    rpc("disable_worker", json!({"worker": "w"}));
    rpc("disable_worker", json!({"worker": "w"}));
    live.posted("/workers/w/disable", &none);
    // A task that is disabled stays so: nothing else changed.
    live.posted("/tasks/Load_1/disable", &none);
    live.posted("/tasks/Load_1/disable", &none);
    let expected = [
        ("done", "it is PENDING: only running"),
        ("forgive", "there is no such task"),
        ("done", "it is PENDING: only running"),
        ("disable", "it is RUNNING: only tasks that neither run"),
        ("set_limit", ""),
        ("set_limit", "that is its limit already"),
        ("unpause", "it is not paused"),
        ("done", "it is PENDING"),
        ("forgive", "it is PENDING"),
        ("re_enable", "there is no such task"),
        ("disable", "it is RUNNING"),
        ("set_limit", "that is the limit already"),
        ("set_limit", "that is the limit already"),
        ("set_limit", ""),
        ("unpause", "it is not paused"),
        ("disable_worker", ""),
        ("disable_worker", "it is disabled already"),
        ("disable_worker", "it is disabled already"),
        ("disable", ""),
        ("disable", "it is DISABLED already, and stays so"),
    ];
    let found = trail(&live);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((operation, _, details), (wanted, note)) in found.iter().zip(expected) {
        assert_eq!(operation, wanted, "{details}");
        if note.is_empty() {
            assert_eq!(details.get("outcome"), None, "{operation} {details}");
            continue;
        }
        assert_eq!(details["outcome"], "unchanged", "{operation} {details}");
        let said = details["note"].as_str().expect("a reason");
        assert!(said.starts_with(note), "{operation} {details}");
    }
}

#[test]
fn a_run_is_cancelled_once_however_often_that_is_asked() {
    let live = Live::start();
    live.refuse_to_cancel();
    for _ in 0..2 {
        live.posted("/tasks/Load_1/cancel", &json!({}));
    }
    let first = json!({"attempt": 1});
    let again =
        json!({"attempt": 1, "outcome": "unchanged", "note": "an operator asked for it already"});
    let found = trail(&live);
    let details: Vec<&Value> = found.iter().map(|(_, _, details)| details).collect();
    assert_eq!(details, [&first, &first, &again], "the first was refused");
}

#[test]
fn refused_requests_leave_no_trace() {
    let live = live();
    for (path, status) in [
        ("/tasks/Nobody/done", 404),
        ("/workers/nobody/disable", 404),
        ("/tasks/Load_1/cancel", 409),
        ("/tasks/Load_0/cancel", 409),
        ("/webhooks/none/test", 404),
        ("/tokens/nobody/revoke", 404),
    ] {
        assert_eq!(live.post(path, &json!({})).0, status, "{path}");
    }
    assert_eq!(live.post("/resources/gpu", &json!({"limit": -1})).0, 400);
    assert_eq!(trail(&live), []);
}

#[test]
fn the_trail_is_read_in_pages_by_what_it_says_and_outlives_a_restart() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let start = || {
        Live::start_with(|config| {
            config.state_dir = home.path().to_owned();
            config.http.access.state_dir = Some(home.path().to_owned());
        })
    };
    let live = start();
    for limit in 1..=5 {
        live.posted("/resources/gpu", &json!({"limit": limit}));
    }
    live.posted("/pause", &json!({}));
    drop(live);
    let live = start();
    let first = live.got("/audit?limit=2");
    assert_eq!(first["items"][0]["operation"], "pause");
    let next = first["next"].as_u64().expect("there is more");
    let second = live.got(&format!("/audit?limit=2&after={next}"));
    assert_eq!(second["items"][0]["details"]["limit"], 4);
    let all = live.got("/audit?operation=set_limit&on=gpu&by=anybody&since=0");
    assert_eq!(all["items"].as_array().map(Vec::len), Some(5));
    assert_eq!(all["next"], Value::Null);
    for none in ["on=cpu", "by=anna", "since=1e11", "operation=cancel"] {
        assert_eq!(
            live.got(&format!("/audit?{none}"))["items"],
            json!([]),
            "{none}"
        );
    }
    let (status, error) = live.get("/audit?operation=nothing");
    assert_eq!(status, 400);
    let message = error["error"]["message"].as_str().expect("a reason");
    assert!(message.contains("set_limit"), "{message}");
}
