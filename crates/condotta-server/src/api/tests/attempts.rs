//! The history by the API: attempts, pages, durations, counts, and what viewers do not see.

use std::time::{Duration, Instant};

use condotta_history::{Address, Settings};
use serde_json::{Value, json};

use super::Live;

fn live() -> Live {
    Live::start_with(|config| {
        let file = config.state_dir.join("history.sqlite");
        config.history = Some(Settings::new(Address::file(&file)));
    })
}

/// A worker runs a task, which ends so.
fn run(live: &Live, n: u32, status: &str) {
    let task = json!({
        "worker": "w", "task_id": format!("Load_{n}"), "family": "Load", "module": "pipeline",
        "params": {"n": n.to_string(), "note": "unseen", "key": "open-sesame"},
        "param_visibilities": {"n": 0, "note": 1, "key": 2},
    });
    live.rpc("add_task", &task);
    let work = live.rpc("get_work", &json!({"worker": "w", "host": "host"}));
    assert_eq!(work["task_id"], task["task_id"]);
    live.rpc(
        "report_task_statistics",
        &json!({"task_id": task["task_id"], "statistics": {"rows": n}}),
    );
    let report = json!({
        "worker": "w", "task_id": task["task_id"], "status": status, "runnable": null,
        "expl": "\"it broke\"",
    });
    live.rpc("add_task", &report);
}

/// What a path has once it has that many items.
fn items(live: &Live, path: &str, many: usize) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let page = live.got(path);
        if page["items"]
            .as_array()
            .is_some_and(|items| items.len() == many)
        {
            return page;
        }
        assert!(Instant::now() < deadline, "{path}: {page}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn attempts_are_shown_in_pages_and_one_by_one() {
    let live = live();
    for n in 0..5 {
        run(&live, n, if n == 3 { "FAILED" } else { "DONE" });
    }
    items(&live, "/attempts?outcome=done&outcome=failed", 5);
    let first = items(&live, "/attempts?limit=3", 3);
    let next = first["next"].as_str().expect("there are more");
    let rest = items(&live, &format!("/attempts?limit=3&after={next}"), 2);
    assert_eq!(rest["next"], Value::Null);
    let failed = items(
        &live,
        "/attempts?family=Load&outcome=failed&param=n%3D3&worker=w",
        1,
    );
    // What is hidden cannot be guessed at.
    items(&live, "/attempts?param=note%3Dunseen", 0);
    let attempt = &failed["items"][0];
    assert_eq!(attempt["error"], "it broke");
    assert_eq!(attempt["params"], json!({"n": "3"}));
    assert_eq!(attempt["hidden_params"], json!({"note": "unseen"}));
    assert_eq!(attempt["statistics"], json!({"rows": 3}));
    assert_eq!(attempt["host"], "host");
    let id = attempt["id"].as_str().expect("a name");
    assert_eq!(live.got(&format!("/attempts/{id}")), *attempt);
    assert_eq!(attempt["log"], format!("/api/v1/attempts/{id}/log"));
    let task = live.got("/tasks/Load_3").to_string();
    assert!(task.contains(id), "the task names it so, too: {task}");
    assert_eq!(
        items(&live, "/tasks/Load_3/attempts", 1)["items"][0],
        *attempt
    );
}

#[test]
fn durations_and_counts_are_shown() {
    let live = live();
    (0..3).for_each(|n| run(&live, n, "DONE"));
    run(&live, 3, "FAILED");
    items(&live, "/attempts?outcome=done&outcome=failed", 4);
    let of_family = live.got("/families/Load/durations?days=1");
    assert_eq!(of_family["count"], 3);
    assert!(of_family["median"].is_number() && of_family["days"][0]["p95"].is_number());
    assert_eq!(live.got("/tasks/Load_1/durations")["count"], 1);
    let families = items(&live, "/history/families", 1);
    assert_eq!(
        families["items"][0]["outcomes"],
        json!({"done": 3, "failed": 1})
    );
    for path in ["/history/counts", "/history/counts?by=hour&family=Load"] {
        let counts = live.got(path);
        let periods = counts["items"].as_array().expect("a list").iter();
        let done: u64 = periods
            .filter_map(|it| it["outcomes"]["done"].as_u64())
            .sum();
        assert_eq!(done, 3, "{path}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let live = live();
    for (path, status, code) in [
        ("/attempts/../../etc", 404, "not_found"),
        ("/attempts/nonsense", 400, "bad_parameter"),
        ("/attempts/0193a5c2b7e-5f3c09aa", 404, "not_found"),
        ("/attempts?after=nonsense", 400, "bad_parameter"),
        ("/attempts?outcome=DONE", 400, "bad_parameter"),
        ("/attempts?param=n", 400, "bad_parameter"),
        ("/attempts?limit=0", 400, "bad_parameter"),
        ("/attempts?famly=Load", 400, "bad_parameter"),
        ("/families/Load/durations?days=0", 400, "bad_parameter"),
        ("/history/counts?by=hour&days=15", 400, "bad_parameter"),
    ] {
        let (found, answer) = live.get(path);
        assert_eq!(
            (found, &answer["error"]["code"]),
            (status, &json!(code)),
            "{path}: {answer}"
        );
    }
    let without = Live::start();
    let (status, answer) = without.get("/attempts");
    assert_eq!(status, 404);
    let message = answer["error"]["message"].as_str().expect("a text");
    assert!(message.contains("[history] enabled"), "{message}");
}

#[test]
fn a_history_that_is_away_is_said_to_be_and_holds_up_nobody() {
    let live = Live::start_with(|config| {
        let url = "postgresql://anna:hunter2@127.0.0.1:1/luigi";
        let address = Address::parse(url).expect("a good URL");
        config.history = Some(Settings::new(address));
    });
    run(&live, 1, "DONE");
    for (path, lasts) in [("/attempts", false), ("/history/counts", true)] {
        let (status, answer) = live.get(path);
        let error = &answer["error"];
        assert_eq!((status, &error["code"]), (503, &json!("no_history_now")));
        let message = error["message"].as_str().expect("a sentence");
        assert!(
            message.starts_with("the history in postgresql://127.0.0.1:1/luigi: "),
            "{message}"
        );
        assert!(
            message.ends_with("; ask again when its database is there"),
            "{message}"
        );
        let since = "; no question to it was answered for ";
        assert_eq!(message.contains(since), lasts, "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}
