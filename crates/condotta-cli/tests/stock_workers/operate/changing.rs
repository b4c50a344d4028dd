//! Commands that change something: `forgive`, `done`, `enable`, `disable`, `pause`, `workers …`,
//! `resources set`; and what the scheduler refuses.

use serde_json::json;

use super::{Operator, Play};
use crate::processes::Kind;

/// One failure disables a task.
const STRICT: &str = "[scheduler]\nretry_count = 1\n";

pub(super) const PLAYS: &[(&str, &str, Play)] = &[
    ("forgive", "", forgive),
    ("forgive_many", "", forgive_many),
    ("done", "", done),
    ("enable", STRICT, enable),
    ("disable", "", disable),
    ("pause", "", pause),
    (
        "pause_switched_off",
        "[scheduler]\npause_enabled = false\n",
        pause_switched_off,
    ),
    ("workers_change", "", workers_change),
    ("resources_set", "[resources]\ngpu = 2\n", resources_set),
];

fn failed(operator: &Operator, family: &str) -> String {
    let task = operator.task(family, "1", &json!({}));
    assert_eq!(operator.get_work("worker-a"), json!(task));
    operator.fail(&task, "no");
    task
}

fn forgive(operator: &Operator) {
    let [one, other] = ["One", "Other"].map(|family| failed(operator, family));
    let text = operator.prints(&["forgive", "One", "Other(day=1)"]);
    assert_eq!(
        text,
        format!("{one} is PENDING now\n{other} is PENDING now\n")
    );
    assert_eq!(operator.status(&one), "PENDING");
    let pending = operator.task("Pending", "1", &json!({"status": "DONE"}));
    let text = format!("{pending} is DONE: only failed tasks can be forgiven");
    operator.fails(&["forgive", &pending], 6, &text);
    // Nothing is changed when one is not known.
    operator.get_work("worker-a");
    operator.fail(&one, "no");
    operator.fails(
        &["forgive", "One", "Nothing"],
        5,
        "there is no task Nothing",
    );
    assert_eq!(operator.status(&one), "FAILED");
}

fn forgive_many(operator: &Operator) {
    let [one, other, third] = ["Load", "Loader", "Other"].map(|family| failed(operator, family));
    let text = operator.prints(&["forgive", "--family", "Load"]);
    assert_eq!(text, format!("{one} is PENDING now\n"));
    let json = operator.json(&["forgive", "--search", "loader day"]);
    assert_eq!(json["tasks"][0]["task_id"], json!(other));
    operator.fails(
        &["forgive", "--family", "Load"],
        5,
        "no task that is meant is FAILED",
    );
    operator.prints(&["forgive", "--all"]);
    assert_eq!(operator.status(&third), "PENDING");
    operator.fails(&["forgive"], 2, "TASK");
    operator.fails(&["forgive", "--all", "Other"], 2, "--all");
}

fn done(operator: &Operator) {
    let failed = failed(operator, "Bad");
    let pending = operator.task("Good", "1", &json!({}));
    let json = operator.json(&["done", &failed]);
    let changed = json!([{"task_id": failed, "status": "DONE", "changed": true}]);
    assert_eq!(json["tasks"], changed);
    let again = operator.json(&["done", &failed]);
    assert_eq!(again["tasks"][0]["changed"], json!(false));
    let text = operator.prints(&["done", &failed]);
    assert_eq!(text, format!("{failed} is DONE already\n"));
    let text = "only running, failed and disabled tasks can be taken for done";
    operator.fails(&["done", &pending, &failed], 6, text);
    assert_eq!(operator.status(&failed), "DONE");
    assert_eq!(operator.status(&pending), "PENDING");
}

fn enable(operator: &Operator) {
    let task = failed(operator, "Bad");
    assert_eq!(operator.status(&task), "DISABLED");
    let text =
        "is DISABLED: only failed tasks can be forgiven; condotta enable lets this one be tried";
    operator.fails(&["forgive", "Bad"], 6, text);
    assert_eq!(
        operator.prints(&["enable", "Bad"]),
        format!("{task} is FAILED now\n")
    );
    assert_eq!(operator.status(&task), "FAILED");
    let task = operator.task("Own", "1", &json!({"status": "DISABLED"}));
    let text = "a worker announced it as disabled, and only a worker can change that";
    operator.fails(&["enable", &task], 6, text);
}

fn disable(operator: &Operator) {
    let task = operator.task("Load", "1", &json!({}));
    if operator.kind == Kind::Stock {
        let text = "is Luigi's own, which disables no task on request";
        operator.fails(&["disable", &task], 6, text);
        assert_eq!(operator.status(&task), "PENDING");
        return;
    }
    assert_eq!(
        operator.prints(&["disable", "Load"]),
        format!("{task} is DISABLED now\n")
    );
    operator.task("Load", "1", &json!({}));
    assert_eq!(
        operator.status(&task),
        "DISABLED",
        "a worker's word does not count"
    );
    let why = operator.prints(&["why", "Load"]);
    assert!(
        why.contains(" by an operator, until somebody enables it."),
        "{why}"
    );
    assert_eq!(
        operator.prints(&["enable", "Load"]),
        format!("{task} is PENDING now\n")
    );
    operator.get_work("worker-a");
    let text = format!("{task} is RUNNING: what runs or is done cannot be disabled");
    operator.fails(&["disable", "Load"], 6, &text);
}

fn pause(operator: &Operator) {
    let task = operator.task("Load", "1", &json!({}));
    let text = operator.prints(&["pause"]);
    assert_eq!(
        text,
        "the scheduler hands out no more work; what runs goes on\n"
    );
    assert_eq!(operator.get_work("worker-a"), json!(null));
    assert_eq!(operator.json(&["pause"]), json!({"paused": true}));
    assert_eq!(
        operator.prints(&["unpause"]),
        "the scheduler hands out work\n"
    );
    assert_eq!(operator.get_work("worker-a"), json!(task));
}

fn pause_switched_off(operator: &Operator) {
    operator.fails(&["pause"], 6, "[scheduler] pause_enabled is false there");
    assert_eq!(operator.json(&["unpause"]), json!({"paused": false}));
}

fn workers_change(operator: &Operator) {
    operator.task("Load", "1", &json!({}));
    operator.task("Load", "2", &json!({"worker": "worker-b"}));
    let text = operator.prints(&["workers", "set-processes", "worker-a", "4"]);
    assert_eq!(
        text,
        "worker-a is told to run 4 tasks at a time when it asks next\n"
    );
    let messages = operator
        .server
        .rpc
        .call("ping", &json!({"worker": "worker-a"}));
    let message = json!({"name": "set_worker_processes", "kwargs": {"n": 4}});
    assert_eq!(messages["rpc_messages"], json!([message]));
    operator.fails(
        &["workers", "disable", "worker"],
        5,
        "2 workers begin with or are named worker",
    );
    operator.fails(
        &["workers", "disable", "nobody"],
        5,
        "there is no worker nobody",
    );
    let json = operator.json(&["workers", "disable", "worker-b"]);
    assert_eq!(json, json!({"worker": "worker-b", "state": "disabled"}));
    assert_eq!(operator.get_work("worker-b"), json!(null));
    let text = operator.prints(&["workers"]);
    assert!(text.contains("disabled"), "{text}");
}

fn resources_set(operator: &Operator) {
    let text = operator.prints(&["resources", "set", "gpu", "5"]);
    assert_eq!(text, "there is 5 of gpu now\n");
    let json = operator.json(&["resources"]);
    assert_eq!(json["resources"][0]["limit"], 5);
    if operator.kind == Kind::Ours {
        let text = operator.prints(&["resources", "set", "gpus", "5"]);
        assert_eq!(
            text,
            "there is 5 of gpus now\n\
             no task needs gpus so far, and it had no limit: is that its name? There is gpu.\n"
        );
    }
    operator.fails(&["resources", "set", "gpu", "many"], 2, "many");
    operator.fails(&["resources", "set", "gpu", "-1"], 2, "-1");
}
