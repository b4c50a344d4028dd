//! Workers, resources, graphs, dead ends and messages, and what operators do to them.

use serde_json::{Value, json};

use super::Live;

/// A diamond: Top needs Left and Right, which need Base; and Other needs Top.
fn diamond() -> Live {
    let live = Live::start();
    let task = |(id, deps): (&str, &[&str])| {
        json!({
            "task_id": id, "family": id, "deps": deps, "resources": {"db": 2, "cpu": 1},
            "accepts_messages": true,
        })
    };
    let tasks: [(&str, &[&str]); 5] = [
        ("Base", &[]),
        ("Left", &["Base"]),
        ("Right", &["Base"]),
        ("Top", &["Left", "Right"]),
        ("Other", &["Top"]),
    ];
    live.add_tasks(tasks.into_iter().map(task));
    live
}

fn names(graph: &Value) -> Vec<&str> {
    let nodes = graph["nodes"].as_array().expect("nodes");
    let mut names: Vec<&str> = nodes
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    names.sort_unstable();
    names
}

/// The edges, by names.
fn edges(graph: &Value) -> Vec<(String, String)> {
    let name = |place: &Value| {
        let place = usize::try_from(place.as_u64().expect("a place")).expect("a place");
        graph["nodes"][place]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    let edges = graph["edges"].as_array().expect("edges");
    let mut edges: Vec<_> = edges
        .iter()
        .map(|edge| (name(&edge[0]), name(&edge[1])))
        .collect();
    edges.sort();
    edges
}

#[test]
fn graphs_go_where_they_are_asked_to() {
    let live = diamond();
    let up = live.got("/graph?task=Top");
    assert_eq!(names(&up), ["Base", "Left", "Right", "Top"]);
    let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let expected = [
        edge("Left", "Base"),
        edge("Right", "Base"),
        edge("Top", "Left"),
        edge("Top", "Right"),
    ];
    assert_eq!(edges(&up), expected);
    assert_eq!(
        (&up["cut"], &up["nodes"][0]["id"]),
        (&json!(false), &json!("Top"))
    );
    assert_eq!(
        (&up["nodes"][0]["more_down"], &up["nodes"][0]["more_up"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        names(&live.got("/graph?task=Left&direction=down")),
        ["Left", "Other", "Top"]
    );
    let both = live.got("/graph?task=Left&direction=both");
    assert_eq!(names(&both), ["Base", "Left", "Other", "Top"]);
    let near = live.got("/graph?task=Top&depth=1");
    assert_eq!(names(&near), ["Left", "Right", "Top"]);
    assert_eq!(
        (&near["cut"], &near["nodes"][1]["more_up"]),
        (&json!(false), &json!(true))
    );
    let cut = live.got("/graph?task=Top&limit=2");
    assert_eq!((names(&cut).len(), &cut["cut"]), (2, &json!(true)));
    let done = json!({"worker": "w", "task_id": "Base", "status": "DONE", "resources": {"db": 2}});
    live.rpc("add_task", &done);
    let hidden = live.got("/graph?task=Top&hide_done=true");
    assert_eq!(names(&hidden), ["Left", "Right", "Top"]);
    let (status, error) = live.get("/graph?task=Nobody");
    assert_eq!(
        (status, &error["error"]["code"]),
        (404, &json!("not_found"))
    );
}

#[test]
fn resources_say_who_takes_and_who_waits_and_limits_outlive_a_restart() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let start = || Live::start_with(|config| config.state_dir = home.path().to_owned());
    let live = start();
    let task = |id: &str| json!({"task_id": id, "family": "F", "resources": {"db": 2}});
    live.add_tasks(["A", "B", "C"].map(task).into_iter());
    let db = |live: &Live| live.got("/resources")["items"][0].clone();
    assert_eq!(
        (&db(&live)["limit"], &db(&live)["limit_is_said"]),
        (&json!(1), &json!(false))
    );
    let set = live.posted("/resources/db", &json!({"limit": 3}));
    assert_eq!(
        set,
        json!({"resource": "db", "before": null, "limit": 3, "changed": true, "known": true, "near": []})
    );
    let again = live.posted("/resources/db", &json!({"limit": 3}));
    assert_eq!(
        (&again["changed"], &again["before"]),
        (&json!(false), &json!(3))
    );
    live.rpc("get_work", &json!({"worker": "w", "host": "h"}));
    let shown = db(&live);
    let numbers = ["limit", "used", "takers", "waiters"].map(|name| shown[name].as_u64());
    assert_eq!(
        numbers.map(Option::unwrap_or_default),
        [3, 2, 1, 2],
        "{shown}"
    );
    assert_eq!(shown["running"][0]["amount"], 2);
    assert_eq!(shown["waiting"][0]["display_name"], "F()");
    drop(live);
    assert_eq!(db(&start())["limit"], 3);
}

#[test]
fn workers_are_shown_and_told() {
    let live = diamond();
    let info =
        json!({"worker": "w", "info": {"host": "<b>", "pid": 7, "workers": 2, "rest": [1, {}]}});
    live.rpc("add_worker", &info);
    live.rpc("get_work", &json!({"worker": "w", "host": "h"}));
    let page = live.got("/workers");
    let worker = &page["items"][0];
    assert_eq!(
        (&page["total"], &worker["id"], &worker["state"]),
        (&json!(1), &json!("w"), &json!("active"))
    );
    assert_eq!(
        (&worker["info"]["host"], &worker["info"]["pid"]),
        (&json!("<b>"), &json!(7))
    );
    assert_eq!(
        (&worker["running"], &worker["pending"]),
        (&json!(0), &json!(5))
    );
    live.posted("/resources/db", &json!({"limit": 2}));
    live.rpc("get_work", &json!({"worker": "w", "host": "h"}));
    assert_eq!(live.got("/workers/w")["running"][0]["id"], "Base");
    let changed = live.posted("/workers/w/processes", &json!({"n": 4}));
    assert_eq!(changed, json!({"worker": "w", "changed": true}));
    let messages = live.rpc("ping", &json!({"worker": "w"}));
    let told = json!([{"name": "set_worker_processes", "kwargs": {"n": 4}}]);
    assert_eq!(messages["rpc_messages"], told);
    assert_eq!(
        live.posted("/workers/w/disable", &json!({}))["changed"],
        true
    );
    assert_eq!(
        live.posted("/workers/w/disable", &json!({}))["changed"],
        false
    );
    assert_eq!(live.got("/workers/w")["worker"]["state"], "disabled");
    for path in ["/workers/nobody/disable", "/workers/nobody/processes"] {
        assert_eq!(live.post(path, &json!({"n": 1})).0, 404);
    }
    // Asking for one that is not there makes none.
    assert_eq!(live.got("/workers")["total"], 1);
}

#[test]
fn messages_reach_running_tasks_and_are_answered() {
    let live = diamond();
    let send = || live.post("/tasks/Base/messages", &json!({"content": "how far?"}));
    let (status, error) = send();
    assert_eq!(
        (status, &error["error"]["code"]),
        (409, &json!("not_running"))
    );
    live.posted("/resources/db", &json!({"limit": 2}));
    live.rpc("get_work", &json!({"worker": "w", "host": "h"}));
    let (status, sent) = send();
    assert_eq!((status, &sent["worker"]), (200, &json!("w")), "{sent}");
    let id = sent["message_id"].as_str().expect("an id");
    let path = format!("/tasks/Base/messages/{id}");
    assert_eq!(live.got(&path)["response"], Value::Null);
    let messages = live.rpc("ping", &json!({"worker": "w"}));
    assert_eq!(messages["rpc_messages"][0]["kwargs"]["content"], "how far?");
    let answer = json!({"task_id": "Base", "message_id": id, "response": "half"});
    live.rpc("add_scheduler_message_response", &answer);
    for _ in 0..2 {
        assert_eq!(live.got(&path)["response"], "half");
    }
}

#[test]
fn the_scheduler_is_paused_and_goes_on_and_dead_ends_are_listed() {
    let live = diamond();
    assert_eq!(
        live.posted("/pause", &json!({})),
        json!({"paused": true, "changed": true})
    );
    assert_eq!(
        live.posted("/pause", &json!({})),
        json!({"paused": true, "changed": false})
    );
    assert_eq!(live.got("/counts")["paused"], true);
    assert_eq!(
        live.posted("/unpause", &json!({})),
        json!({"paused": false, "changed": true})
    );
    let prune = live.posted("/prune", &json!({}));
    assert_eq!(prune, json!({"before": 5, "after": 5}));
    let ends = live.got("/dead-ends?limit=2");
    assert_eq!(
        (&ends["total"], ends["items"].as_array().map(Vec::len)),
        (&json!(5), Some(2))
    );
    assert_eq!(ends["items"][0]["kind"], "need_above_limit");
    assert_eq!(live.got("/counts")["dead_ends"], 5);
    let families = live.got("/families");
    assert_eq!(families["namespaces"][0]["total"], 5);
    let off = Live::start_with(|config| config.scheduler.pause_enabled = false);
    assert_eq!(off.post("/pause", &json!({})).0, 409);
}

#[test]
fn a_limit_of_a_resource_that_nobody_knows_is_set_and_doubted() {
    let live = diamond();
    let set = |name: &str| live.posted(&format!("/resources/{name}"), &json!({"limit": 3}));
    assert_eq!(
        (set("db")["known"].clone(), set("db")["near"].clone()),
        (json!(true), json!([]))
    );
    let doubted = set("DBX");
    assert_eq!(
        (&doubted["known"], &doubted["near"]),
        (&json!(false), &json!(["db"]))
    );
    assert_eq!(doubted["limit"], 3);
    // Now it has a limit.
    assert_eq!(set("DBX")["known"], true);
    assert_eq!(set("licences")["near"], json!([]));
}

#[test]
fn whether_a_run_can_be_ended_is_told_before_somebody_asks() {
    let live = Live::start();
    live.rpc(
        "add_worker",
        &json!({"worker": "w", "info": {"cancels": true}}),
    );
    for worker in ["w", "stock"] {
        let task = json!({"worker": worker, "task_id": worker, "family": "A"});
        live.rpc("add_task", &task);
        let waits = live.got(&format!("/tasks/{worker}/cancel"));
        assert_eq!(waits["can_be_cancelled"], false);
        assert_eq!(waits["note"], "nobody asked for the end of its run");
        live.rpc("get_work", &json!({"worker": worker, "host": "h"}));
    }
    assert_eq!(live.got("/tasks/w/cancel")["can_be_cancelled"], true);
    let stock = live.got("/tasks/stock/cancel");
    assert_eq!(stock["can_be_cancelled"], false);
    assert_eq!(
        stock["note"],
        "worker stock is stock Luigi's or an older one, and cannot end the run; end it on its machine"
    );
    assert_eq!(live.post("/tasks/stock/cancel", &json!({})).0, 409);
}

#[test]
fn a_run_that_its_worker_cannot_end_goes_on() {
    let live = Live::start();
    live.rpc(
        "add_worker",
        &json!({"worker": "w", "info": {"cancels": true}}),
    );
    live.rpc(
        "add_task",
        &json!({"worker": "w", "task_id": "A", "family": "A"}),
    );
    live.rpc("get_work", &json!({"worker": "w", "host": "h"}));
    let asked = live.posted("/tasks/A/cancel", &json!({}));
    assert_eq!(
        (&asked["asked"], &asked["refused"]),
        (&json!(true), &json!(false))
    );
    let answer = json!({
        "worker": "w", "task_id": "A", "attempt": 1, "answer": "it runs in my own process", "refused": true,
    });
    live.rpc("answer_cancel", &answer);
    let refused = live.got("/tasks/A/cancel");
    assert_eq!(
        (&refused["asked"], &refused["refused"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(
        refused["note"],
        "worker w cannot end the run, which goes on: it runs in my own process"
    );
    live.rpc(
        "add_task",
        &json!({"worker": "w", "task_id": "A", "status": "FAILED", "runnable": null}),
    );
    assert_eq!(live.got("/tasks/A")["task"]["status"], "FAILED");
    let over = live.got("/tasks/A/cancel");
    assert_eq!(
        (&over["refused"], &over["by"]),
        (&json!(false), &Value::Null)
    );
}
