//! Tasks: lists, single ones, why they wait, and actions.

use serde_json::{Value, json};

use super::{Live, named};

/// Three families in two namespaces; `Load` is required by `Report`, and its first task failed.
fn pipeline() -> Live {
    let live = Live::start();
    let load = |day: u32| {
        json!({
            "task_id": format!("Load_{day}"), "family": "etl.Load", "module": "etl.load",
            "params": {"day": day.to_string(), "token": "very secret"},
            "param_visibilities": {"day": 0, "token": 1}, "resources": {"db": 1}, "deps": [],
        })
    };
    live.add_tasks((1..=3).map(load));
    let report = json!({
        "task_id": "Report_1", "family": "Report", "params": {"month": "11"}, "priority": 5,
        "deps": ["Load_1", "Load_2", "Gone_1"],
    });
    live.add_tasks([report].into_iter());
    live.rpc("get_work", &json!({"worker": "w", "host": "h"}));
    let failed = json!({
        "worker": "w", "task_id": "Load_1", "status": "FAILED", "runnable": null, "resources": {"db": 1},
        "expl": "\"Runtime error:\\nboom <script>\"",
    });
    live.rpc("add_task", &failed);
    live
}

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("items");
    items
        .iter()
        .filter_map(|item| item["id"].as_str())
        .collect()
}

#[test]
fn lists_are_filtered_and_counted() {
    let live = pipeline();
    for (query, expected) in [
        ("", vec!["Gone_1", "Load_1", "Load_2", "Load_3", "Report_1"]),
        ("&status=FAILED", vec!["Load_1"]),
        ("&status=FAILED&status=DONE", vec!["Load_1"]),
        ("&family=etl.Load&status=PENDING", vec!["Load_2", "Load_3"]),
        ("&namespace=etl", vec!["Load_1", "Load_2", "Load_3"]),
        ("&namespace=", vec!["Gone_1", "Report_1"]),
        ("&param=day%3D2", vec!["Load_2"]),
        // What is hidden cannot be guessed at.
        ("&param=token%3Dvery+secret", vec![]),
        ("&search=secret", vec![]),
        ("&search=DAY+load", vec!["Load_1", "Load_2", "Load_3"]),
        ("&resource=db", vec!["Load_1", "Load_2", "Load_3"]),
        ("&needed=true", vec!["Gone_1", "Load_1", "Load_2"]),
        ("&needed=false", vec!["Load_3", "Report_1"]),
        ("&worker=w", vec!["Load_1", "Load_2", "Load_3", "Report_1"]),
        ("&worker=nobody", vec![]),
        ("&upstream_status=UPSTREAM_FAILED", vec!["Report_1"]),
        ("&upstream_status=UPSTREAM_DISABLED", vec![]),
        ("&started_since=1", vec!["Load_1"]),
        ("&updated_until=1", vec![]),
    ] {
        let page = live.got(&format!("/tasks?sort=id{query}"));
        assert_eq!(ids(&page), expected, "{query}");
        assert_eq!(page["total"], expected.len(), "{query}");
        assert_eq!(page["next"], Value::Null, "{query}");
    }
    let page = live.got("/tasks?status=FAILED");
    let counts = &page["counts"];
    assert_eq!(
        (&counts["FAILED"], &counts["PENDING"]),
        (&json!(1), &json!(3))
    );
    let row = &page["items"][0];
    assert_eq!(row["params"], json!({"day": "1"}));
    assert_eq!(row["display_name"], "etl.Load(day=1)");
    assert!(row["retry_at"].as_f64() > row["updated"].as_f64());
    assert_eq!(
        live.got("/tasks?status=UNKNOWN")["items"][0]["is_announced"],
        false
    );
    let page = live.got("/tasks?sort=-priority&limit=1");
    assert_eq!(ids(&page), ["Report_1"]);
    assert_eq!(page["items"][0]["upstream_status"], "UPSTREAM_FAILED");
}

#[test]
fn a_task_is_shown_with_all_that_is_known_and_hidden_parameters_on_request() {
    let live = pipeline();
    let detail = live.got("/tasks/Load_1");
    assert_eq!(detail["error"], "Runtime error:\nboom <script>");
    assert_eq!(detail["error_is_cut"], false);
    assert_eq!(
        detail["rerun_command"],
        "luigi --module etl.load etl.Load --day 1"
    );
    assert_eq!(detail["rerun_leaves_out"], json!(["token"]));
    assert_eq!(
        (&detail["retry"]["failures"], &detail["hidden_params"]),
        (&json!(1), &Value::Null)
    );
    assert!(!detail.to_string().contains("very secret"));
    let attempt = detail["task"]["attempt_id"].as_str().expect("an attempt");
    assert!(
        attempt.parse::<crate::attempt_id::AttemptId>().is_ok(),
        "{attempt}"
    );
    let link = json!({"id": "Report_1", "display_name": "Report(month=11)", "status": "PENDING"});
    assert_eq!(detail["dependants"], json!([link]));
    let hidden = live.got("/tasks/Load_1?hidden=true");
    assert_eq!(hidden["hidden_params"], json!({"token": "very secret"}));
    let report = live.got("/tasks/Report_1");
    let gone = json!({"id": "Gone_1", "display_name": "Gone_1", "status": "UNKNOWN"});
    assert_eq!(report["dependencies"][0], gone);
    assert_eq!(report["dependencies"].as_array().map(Vec::len), Some(3));
    let (status, error) = live.get("/tasks/Nobody_1");
    assert_eq!(
        (status, &error["error"]["code"]),
        (404, &json!("not_found"))
    );
    let why = live.got("/tasks/Report_1/why");
    assert!(
        why["text"]
            .as_str()
            .is_some_and(|text| text.contains("1 task that failed: etl.Load(day=1)")),
        "{why}"
    );
}

#[test]
fn names_of_any_kind_are_found() {
    let live = Live::start();
    let names = [
        "a/b",
        "a b+c%2F",
        "<script>alert(1)</script>",
        "ä😀\u{202e}x",
        "?&#",
        "..",
        "a\nb",
    ];
    let task = |id: &str| json!({"task_id": id, "family": id, "params": {"<b>": "javascript:x"}});
    live.add_tasks(names.iter().map(|id| task(id)));
    for name in names {
        // A path may not end in dots.
        let path = named(name).replace("..", "%2E%2E");
        let detail = live.got(&format!("/tasks/{path}"));
        assert_eq!(detail["task"]["id"], *name);
        let page = live.got(&format!("/tasks?family={}", named(name)));
        assert_eq!(ids(&page), [name]);
        let graph = live.got(&format!("/graph?task={}", named(name)));
        assert_eq!(graph["nodes"][0]["id"], *name);
    }
    let long = "x".repeat(5000);
    let large = json!({"task_id": "Large", "family": "F", "params": {"text": "y".repeat(1 << 20), "long": long}});
    live.add_tasks([large].into_iter());
    let page = live.server.get("/api/v1/tasks?family=F");
    assert!(page.body.len() < 5000, "{} bytes", page.body.len());
    let detail = live.got("/tasks/Large");
    assert_eq!(
        detail["params"]["text"].as_str().map(str::len),
        Some(1 << 20)
    );
}

#[test]
fn actions_say_what_they_changed_and_may_be_repeated() {
    let live = pipeline();
    let post = |path: &str| live.posted(path, &json!({}));
    let outcome = post("/tasks/Load_1/forgive");
    let forgiven = json!({
        "task_id": "Load_1", "before": "FAILED", "after": "PENDING", "changed": true, "note": null,
    });
    assert_eq!(outcome, forgiven);
    let again = post("/tasks/Load_1/forgive");
    assert_eq!(again["changed"], false);
    assert!(
        again["note"]
            .as_str()
            .is_some_and(|note| note.contains("only failed tasks")),
        "{again}"
    );
    assert_eq!(post("/tasks/Load_2/disable")["after"], "DISABLED");
    assert_eq!(live.got("/tasks/Load_2")["can_be_enabled"], true);
    assert_eq!(post("/tasks/Load_2/done")["after"], "DONE");
    assert_eq!(post("/tasks/Load_3/disable")["after"], "DISABLED");
    assert_eq!(post("/tasks/Load_3/re-enable")["after"], "PENDING");
    let (status, error) = live.post("/tasks/Nobody/forgive", &json!({}));
    assert_eq!(
        (status, &error["error"]["code"]),
        (404, &json!("not_found"))
    );
    let answer = live.server.get("/api/v1/tasks/Load_1/forgive");
    assert_eq!((answer.status, answer.code().as_str()), (405, "wrong_verb"));
}

#[test]
fn many_tasks_are_done_at_once_by_ids_or_by_filter() {
    let live = Live::start();
    let task = |number: u32| json!({"task_id": format!("T_{number:04}"), "family": "T"});
    live.add_tasks((0..1500).map(task));
    let ids = json!({"action": "disable", "tasks": ["T_0000", "T_0001", "T_0001", "X"]});
    let done = live.posted("/tasks/actions", &ids);
    let numbers =
        ["matched", "changed", "unchanged", "unknown", "left"].map(|name| done[name].as_u64());
    assert_eq!(numbers.map(Option::unwrap_or_default), [4, 2, 1, 1, 0]);
    let filter = json!({"action": "disable", "filter": "family=T&status=PENDING"});
    let done = live.posted("/tasks/actions", &filter);
    let numbers = ["matched", "changed", "left"].map(|name| done[name].as_u64());
    assert_eq!(numbers.map(Option::unwrap_or_default), [1498, 1000, 498]);
    assert_eq!(done["outcomes"].as_array().map(Vec::len), Some(1000));
    assert_eq!(live.got("/counts")["counts"]["DISABLED"], 1002);
    for wrong in [
        json!({"action": "disable"}),
        json!({"action": "disable", "filter": ""}),
        json!({"action": "disable", "filter": "status=PENDING&limit=3"}),
        json!({"action": "disable", "filter": "colour=red"}),
        json!({"action": "disable", "filter": "status=PENDING", "tasks": []}),
        json!({"action": "explode", "tasks": []}),
        json!({"action": "disable", "filter": "status=PENDING", "most": 0}),
        json!({"action": "disable", "tasks": vec!["x"; 1001]}),
    ] {
        let (status, error) = live.post("/tasks/actions", &wrong);
        assert_eq!(status, 400, "{wrong}: {error}");
    }
    assert_eq!(live.got("/counts")["counts"]["DISABLED"], 1002);
}

/// All that is stored of the state.
fn stored(live: &Live) -> String {
    let mut files = vec![live.home.path().to_owned()];
    let mut all = String::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder");
            files.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            all += &String::from_utf8_lossy(&bytes);
        }
    }
    all
}

#[test]
fn what_is_private_and_passwords_of_tracking_urls_are_stored_nowhere() {
    let live = Live::start();
    let task = json!({
        "worker": "w", "task_id": "Load_1", "family": "Load",
        "params": {"day": "monday", "key": "hunter22"}, "param_visibilities": {"day": 0, "key": 2},
    });
    live.rpc("add_task", &task);
    live.rpc("get_work", &json!({"worker": "w", "host": "h"}));
    let mut url = task;
    url["status"] = json!("RUNNING");
    url["tracking_url"] = json!("http://me:swordfish@host:8088/log?of=a@b");
    live.rpc("add_task", &url);
    let detail = live.got("/tasks/Load_1");
    assert_eq!(
        detail["task"]["tracking_url"],
        "http://me@host:8088/log?of=a@b"
    );
    let list = live.rpc(
        "task_list",
        &json!({"status": "RUNNING", "upstream_status": ""}),
    );
    assert_eq!(list["Load_1"]["params"], json!({"day": "monday"}));
    let stored = stored(&live);
    assert!(stored.contains("monday") && stored.contains("me@host:8088"));
    for secret in ["hunter22", "swordfish"] {
        assert!(!stored.contains(secret), "{secret} is stored");
        assert!(!detail.to_string().contains(secret), "{secret} is shown");
    }
}
