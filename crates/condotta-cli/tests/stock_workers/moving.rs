//! Moves from luigid to our server while workers stay.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{processes::Kind, stage::Stage, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("the_state_moves_over_from_luigid", state),
        trial("a_running_worker_moves_over_from_luigid", worker),
        trial("workers_reach_a_server_under_a_path", path),
    ]
}

/// Imports what the stage's luigid reports into the directory `state`.
fn import(stage: &Stage) {
    let url = format!("http://127.0.0.1:{}/", stage.server.port);
    let mut command = stage.place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["state", "import", "state", "--from-luigid", &url]);
    stage.place.start("import", &mut command).end().with_code(0);
}

/// All tasks with what depends on the clocks left out, and errors.
fn seen(stage: &Stage) -> Value {
    let mut tasks = stage.rpc().call("graph", &json!({}));
    for (task_id, task) in tasks.as_object_mut().unwrap() {
        let error = stage
            .rpc()
            .call("fetch_error", &json!({"task_id": task_id}));
        task["error"] = error;
        let mut deps: Vec<Value> = task["deps"].as_array().unwrap().clone();
        deps.sort_by_key(ToString::to_string);
        task["deps"] = deps.into();
    }
    json!([
        tasks,
        stage.rpc().call("is_paused", &json!({})),
        stage.rpc().call("worker_list", &json!({}))[0]["name"],
        stage.rpc().call("resource_list", &json!({}))[0]["num_total"],
    ])
}

/// Every task is the same on our server, which shows it as luigid does.
fn state() {
    let mut stage = Stage::new(Kind::Stock, "\n[resources]\nsingle = 1\n");
    stage.run("failing", "failing Root");
    stage.run("batches", "batches Root");
    stage.rpc().call("pause", &json!({}));
    stage.rpc().call(
        "update_resource",
        &json!({"resource": "single", "amount": 3}),
    );
    let before = seen(&stage);
    import(&stage);
    stage.replace_server(Kind::Ours);
    let after = seen(&stage);
    let ids = |seen: &Value| -> Vec<String> {
        let tasks = seen[0].as_object().unwrap();
        let mut ids: Vec<String> = tasks.keys().cloned().collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&after), ids(&before));
    for task_id in ids(&before) {
        assert_eq!(after[0][&task_id], before[0][&task_id], "{task_id}");
    }
    for index in 1..4 {
        assert_eq!(after[index], before[index]);
    }
}

/// A worker runs a task on luigid, and reports it to our server, which has the next one for it.
fn worker() {
    let mut stage = Stage::new(Kind::Stock, "");
    let worker = stage.worker("worker", "waiting Root");
    stage.wait_for(1, "RUNNING");
    import(&stage);
    stage.replace_server(Kind::Ours);
    assert_eq!(stage.count("RUNNING"), 1);
    stage.place.write("go", "");
    worker.end().with_code(0).says("5 ran successfully");
    assert_eq!(stage.count("DONE"), 5);
    assert_eq!(stage.runs().matches("start").count(), 5);
}

/// As behind a reverse proxy that hands on paths as they came.
fn path() {
    let stage = Stage::with_arguments(&["--path-prefix", "/luigi"]);
    let url = format!("http://localhost:{}/luigi/", stage.server.port);
    let words = format!("plain Root --scheduler-url {url}");
    let ended = stage.run("worker", &words).with_code(0);
    ended.says("4 ran successfully");
    assert_eq!(stage.count("DONE"), 4);
}
