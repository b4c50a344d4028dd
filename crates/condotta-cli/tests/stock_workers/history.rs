//! The history of what stock workers ran: the page about it, its API, and what a crash leaves of it.

use libtest_mimic::Trial;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    processes::{Ended, Kind, wait_until},
    stage::Stage,
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("the_history_of_stock_workers", of_workers),
        trial("a_crash_leaves_no_attempt_open", crash),
        trial("no_history_where_none_is_wanted", none),
    ]
}

fn condotta(stage: &Stage, words: &[&str]) -> Ended {
    let url = format!("http://127.0.0.1:{}", stage.server.port);
    let mut command = stage.place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(words).args(["--scheduler-url", &url]);
    stage.place.start("condotta", &mut command).end()
}

fn asked(stage: &Stage, words: &[&str]) -> Value {
    let words = [words, &["--json"]].concat();
    let ended = condotta(stage, &words).with_code(0);
    serde_json::from_str(&ended.stdout).expect("it is JSON")
}

/// Attempts by task and number, each with how it ended, once none is running.
fn outcomes(stage: &Stage, running: usize) -> Vec<(String, u64, String)> {
    let mut outcomes = Vec::new();
    wait_until("all is written", || {
        let page = asked(stage, &["history", "--limit", "1000"]);
        let items = page["items"].as_array().unwrap().iter();
        outcomes = items
            .map(|item| {
                let text = |name: &str| item[name].as_str().unwrap().to_owned();
                (
                    text("family"),
                    item["attempt"].as_u64().unwrap(),
                    text("outcome"),
                )
            })
            .collect();
        outcomes.sort();
        let open = outcomes.iter().filter(|it| it.2 == "running").count();
        !outcomes.is_empty() && open == running
    });
    outcomes
}

fn of_workers() {
    let stage = Stage::new(Kind::Ours, "");
    let has_history = stage.rpc().call("has_task_history", &json!({}));
    assert_eq!(has_history, true);
    stage.run("w", "histories All");
    let expected = [
        ("All", 0, ""),
        ("Asking", 1, "suspended"),
        ("Asking", 2, "done"),
        ("Step", 1, "done"),
        ("Step", 1, "failed"),
    ];
    let found = outcomes(&stage, 0);
    for (family, attempt, outcome) in expected {
        let is_there = found.contains(&(family.to_owned(), attempt, outcome.to_owned()));
        assert_eq!(
            is_there,
            attempt > 0,
            "{family} {attempt} {outcome}: {found:?}"
        );
    }
    assert_eq!(found.len(), 8, "{found:?}");
    failed(&stage);
    let durations = asked(&stage, &["history", "--durations"]);
    let families = durations["items"].as_array().unwrap();
    let step = families.iter().find(|it| it["family"] == "Step").unwrap();
    assert_eq!(step["outcomes"], json!({"done": 5, "failed": 1}));
    assert!(step["durations"]["median"].is_number());
    let days = asked(&stage, &["history", "--family", "Step", "--durations"]);
    assert_eq!(days["count"], 5);
    condotta(&stage, &["history", "--family", "Step", "--durations"])
        .with_code(0)
        .says("usually takes");
    condotta(&stage, &["history", "0193a5c2b7e-5f3c09aa"])
        .with_code(5)
        .says("the history has no attempt 0193a5c2b7e-5f3c09aa");
    for words in [
        &["history", "Nothing_1"][..],
        &["history", "Nothing_1", "--durations"],
    ] {
        condotta(&stage, words)
            .with_code(5)
            .says("there is no task Nothing_1");
    }
    condotta(&stage, &["history", "Step"])
        .with_code(5)
        .says("say more of the id");
    secrets(&stage);
}

/// The attempt that failed, by filters and by its name.
fn failed(stage: &Stage) {
    let words = [
        "history",
        "--family",
        "Step",
        "--outcome",
        "failed",
        "--since",
        "1h",
    ];
    let page = asked(stage, &words);
    let [attempt] = &page["items"].as_array().unwrap()[..] else {
        panic!("one failed: {page}");
    };
    assert_eq!(attempt["params"], json!({"number": "3"}));
    assert_eq!(
        attempt["hidden_params"],
        json!({"note": "seen-by-operators"})
    );
    let error = attempt["error"].as_str().unwrap();
    assert!(error.contains("ValueError: step three breaks"), "{error}");
    assert!(attempt["waited_secs"].as_f64().unwrap() >= 0.0);
    assert!(attempt["ready"].as_f64() >= attempt["scheduled"].as_f64());
    let id = attempt["id"].as_str().unwrap();
    condotta(stage, &["history", id])
        .with_code(0)
        .says("step three breaks");
    // Stock workers send nothing of what their tasks print.
    condotta(stage, &["log", id])
        .with_code(5)
        .says("output not available")
        .says("step three breaks");
    let of_task = asked(stage, &["history", attempt["task_id"].as_str().unwrap()]);
    assert_eq!(of_task["items"][0]["id"], id);
    let by_param = asked(stage, &["history", "--param", "number=4"]);
    assert_eq!(by_param["items"].as_array().unwrap().len(), 1);
}

/// Private parameters are in none of the history's files, also when a client sends them.
fn secrets(stage: &Stage) {
    let mut task = json!({
        "worker": "w", "task_id": "Sent_1", "family": "Sent", "params": {"p": "1", "q": "open-sesame"},
        "param_visibilities": {"p": 0, "q": 2},
    });
    stage.rpc().call("add_task", &task);
    let work = stage
        .rpc()
        .call("get_work", &json!({"worker": "w", "host": "h"}));
    assert_eq!(work["task_id"], "Sent_1");
    task["status"] = "DONE".into();
    task["runnable"] = Value::Null;
    stage.rpc().call("add_task", &task);
    wait_until("it is written", || {
        let page = asked(stage, &["history", "--family", "Sent", "--outcome", "done"]);
        page["items"][0]["params"] == json!({"p": "1"})
    });
    for name in ["history.sqlite", "history.sqlite-wal"] {
        let bytes = std::fs::read(stage.place.path("state").join(name)).unwrap_or_default();
        let secret = b"open-sesame";
        let has_secret = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!has_secret, "{name}");
    }
}

fn crash() {
    let mut stage = Stage::new(Kind::Ours, "");
    let worker = stage.worker("w", "histories Long");
    wait_until("it runs", || stage.place.path("begun").exists());
    outcomes(&stage, 1);
    stage.restart(Signal::SIGKILL);
    let found = outcomes(&stage, 1);
    assert_eq!(found, [("Long".to_owned(), 1, "running".to_owned())]);
    stage.place.write("go-on", "");
    worker.end().with_code(0);
    let done = ("Long".to_owned(), 1, "done".to_owned());
    assert_eq!(outcomes(&stage, 0), [done]);
    // As if the end had not been written before the crash.
    stage.server.kill();
    let path = stage.place.path("state").join("history.sqlite");
    let python = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); \
                  c.execute('UPDATE condotta_attempts SET outcome = 0, ended = NULL'); c.commit()";
    let interpreter = crate::processes::stock_python().unwrap();
    let mut command = stage.place.command(interpreter);
    command.args(["-c", python]).arg(path);
    stage.place.start("python", &mut command).end().with_code(0);
    stage.restart(Signal::SIGKILL);
    assert_eq!(outcomes(&stage, 0)[0].2, "done");
}

fn none() {
    let stage = Stage::new(Kind::Ours, "record_task_history = false");
    let has_history = stage.rpc().call("has_task_history", &json!({}));
    assert_eq!(has_history, false);
    stage.run("w", "histories Step --number 1");
    assert!(!stage.place.path("state").join("history.sqlite").exists());
    condotta(&stage, &["history"])
        .with_code(5)
        .says("[history] enabled");
}
