//! The scheduler's thread with its real state directory, without HTTP.

use std::{path::Path, sync::Mutex};

use condotta_protocol::{Object, RpcError, dispatch};
use condotta_scheduler::{Config, Now, Scheduler};
use serde_json::{Value, json};

use super::{CallError, Driver, DriverConfig, Handle};

const SNAPSHOT_AFTER: u64 = 64 << 20;

fn config(folder: &Path, snapshot_after_bytes: u64) -> DriverConfig {
    DriverConfig {
        scheduler: Config::default(),
        limits: [("disk".to_owned(), 1)].into(),
        state_dir: folder.join("state"),
        snapshot_after_bytes,
        meters: Default::default(),
        observers: Vec::new(),
        history: None,
    }
}

fn start(folder: &Path) -> (Driver, Handle) {
    let handle = Handle::default();
    let driver = Driver::start(config(folder, SNAPSHOT_AFTER), &handle).expect("it starts");
    (driver, handle)
}

fn arguments(value: Value) -> Object {
    match value {
        Value::Object(map) => map.into(),
        other => panic!("no object: {other}"),
    }
}

async fn try_call(handle: &Handle, method: &str, data: Value) -> Result<Value, CallError> {
    let reply = handle.call(method, arguments(data)).await?;
    let mut text = Vec::new();
    reply.write(&mut text);
    Ok(serde_json::from_slice(&text).expect("replies are JSON"))
}

async fn call(handle: &Handle, method: &str, data: Value) -> Value {
    let reply = try_call(handle, method, data).await;
    reply.unwrap_or_else(|error| panic!("{method}: {error}"))
}

async fn status(handle: &Handle, task: &str) -> Value {
    let list = json!({ "status": "", "upstream_status": "" });
    call(handle, "task_list", list).await[task]["status"].clone()
}

/// What somebody who starts on a copy of the directory finds: the directory as it is after a crash now.
async fn after_a_crash<T>(folder: &Path, look: impl AsyncFnOnce(&Handle) -> T) -> T {
    let copy = tempfile::tempdir().expect("a temporary folder");
    let (from, to) = (folder.join("state"), copy.path().join("state"));
    std::fs::create_dir(&to).expect("it is new");
    for entry in std::fs::read_dir(from).expect("it is there") {
        let entry = entry.expect("it can be listed");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("it can be copied");
    }
    let (driver, handle) = start(copy.path());
    let seen = look(&handle).await;
    driver.stop().expect("it can store");
    seen
}

#[tokio::test]
async fn what_is_acknowledged_survives_a_crash() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (driver, handle) = start(folder.path());
    for number in 0..20 {
        let id = format!("Task_{number}");
        call(&handle, "add_task", json!({ "worker": "x", "task_id": id })).await;
        let done = json!({ "worker": "x", "task_id": id, "status": "DONE" });
        call(&handle, "add_task", done).await;
    }
    call(&handle, "pause", json!({})).await;
    call(
        &handle,
        "update_resource",
        json!({ "resource": "disk", "amount": 7 }),
    )
    .await;
    let seen = after_a_crash(folder.path(), async |handle| {
        let list = json!({ "status": "DONE", "upstream_status": "" });
        let done = call(handle, "task_list", list).await;
        let resources = call(handle, "resource_list", json!({})).await;
        (
            done.as_object().map(serde_json::Map::len),
            call(handle, "is_paused", json!({})).await,
            resources[0]["num_total"].clone(),
        )
    })
    .await;
    assert_eq!(seen, (Some(20), json!({ "paused": true }), json!(7)));
    driver.stop().expect("it can store");
}

#[tokio::test]
async fn a_run_stays_its_workers_over_a_restart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (driver, handle) = start(folder.path());
    call(
        &handle,
        "add_task",
        json!({ "worker": "x", "task_id": "A" }),
    )
    .await;
    let work = call(&handle, "get_work", json!({ "worker": "x" })).await;
    assert_eq!(work["task_id"], "A");
    driver.stop().expect("it can store");

    let (driver, handle) = start(folder.path());
    assert_eq!(status(&handle, "A").await, "RUNNING");
    call(
        &handle,
        "add_task",
        json!({ "worker": "y", "task_id": "A" }),
    )
    .await;
    let work = call(&handle, "get_work", json!({ "worker": "y" })).await;
    assert_eq!(work["task_id"], Value::Null, "x may still run it");
    let done = json!({ "worker": "x", "task_id": "A", "status": "DONE", "runnable": null });
    call(&handle, "add_task", done).await;
    assert_eq!(status(&handle, "A").await, "DONE");
    driver.stop().expect("it can store");
}

#[tokio::test]
async fn a_refused_request_is_not_stored() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (driver, handle) = start(folder.path());
    let bad = json!({ "worker": "x", "task_id": "A", "priority": "high" });
    let refused = try_call(&handle, "add_task", bad).await;
    assert!(matches!(refused, Err(CallError::Rpc(_))), "{refused:?}");
    let count = after_a_crash(folder.path(), async |handle| {
        call(handle, "graph", json!({})).await
    });
    assert_eq!(count.await, json!({}));
    driver.stop().expect("it can store");
}

#[tokio::test]
async fn a_waiting_worker_hears_when_its_task_becomes_ready() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (driver, handle) = start(folder.path());
    let wait = json!({ "worker": "x", "seconds": 30 });
    assert_eq!(
        call(&handle, "await_work", wait.clone()).await["ready"],
        true
    );
    let waiting = tokio::spawn({
        let handle = handle.clone();
        async move { call(&handle, "await_work", wait).await }
    });
    for (task, deps) in [("A", vec!["B"]), ("B", vec![])] {
        let data = json!({ "worker": "x", "task_id": task, "deps": deps });
        call(&handle, "add_task", data).await;
    }
    assert_eq!(waiting.await.expect("it does not panic")["ready"], true);
    let refused = try_call(
        &handle,
        "await_work",
        json!({ "worker": "x", "seconds": "1" }),
    )
    .await;
    assert!(matches!(refused, Err(CallError::Rpc(_))), "{refused:?}");
    driver.stop().expect("it can store");
}

/// Announces a task for the worker of the request, and panics.
fn ask_badly(
    scheduler: &mut Scheduler,
    now: Now,
    method: &str,
    arguments: Object,
) -> Result<Value, RpcError> {
    let answer = dispatch(scheduler, now, method, arguments);
    assert!(method != "unpause", "a bug");
    answer
}

#[tokio::test]
async fn a_request_that_fails_inside_is_not_stored_and_hurts_nobody() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let handle = Handle::default();
    let config = config(folder.path(), SNAPSHOT_AFTER);
    let driver = Driver::start_with(config, &handle, ask_badly).expect("it starts");
    call(&handle, "pause", json!({})).await;
    let failed = try_call(&handle, "unpause", json!({})).await;
    assert!(
        matches!(&failed, Err(CallError::Failed(text)) if text.contains("a bug")),
        "{failed:?}"
    );
    assert_eq!(call(&handle, "is_paused", json!({})).await["paused"], true);
    call(
        &handle,
        "add_task",
        json!({ "worker": "x", "task_id": "A" }),
    )
    .await;
    let seen = after_a_crash(folder.path(), async |handle| {
        let paused = call(handle, "is_paused", json!({})).await;
        (paused["paused"].clone(), status(handle, "A").await)
    });
    assert_eq!(seen.await, (json!(true), json!("PENDING")));
    driver.stop().expect("it can store");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_while_a_snapshot_begins_hurts_nobody_either() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let handle = Handle::default();
    // Each request makes a snapshot due, so that some of the panics meet one that begins.
    let config = config(folder.path(), 1);
    let driver = Driver::start_with(config, &handle, ask_badly).expect("it starts");
    for number in 0..60 {
        let task = json!({ "worker": "x", "task_id": format!("Task_{number}") });
        let (added, failed) = tokio::join!(
            try_call(&handle, "add_task", task),
            try_call(&handle, "unpause", json!({})),
        );
        added.unwrap_or_else(|error| panic!("task {number}: {error}"));
        assert!(matches!(failed, Err(CallError::Failed(_))), "{failed:?}");
    }
    let all = call(&handle, "graph", json!({})).await;
    assert_eq!(all.as_object().map(serde_json::Map::len), Some(60));
    driver.stop().expect("it can store");
}

#[tokio::test]
async fn who_waits_is_woken_when_the_state_was_read_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let handle = Handle::default();
    let config = config(folder.path(), SNAPSHOT_AFTER);
    let driver = Driver::start_with(config, &handle, ask_badly).expect("it starts");
    let wait = json!({ "worker": "x", "seconds": 30 });
    call(&handle, "await_work", wait.clone()).await;
    let (waited, failed) = tokio::join!(
        try_call(&handle, "await_work", wait),
        try_call(&handle, "unpause", json!({})),
    );
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(waited.expect("it is answered")["ready"], true);
    driver.stop().expect("it can store");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshots_are_taken_while_requests_are_answered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let handle = Handle::default();
    let config = config(folder.path(), 20_000);
    let driver = Driver::start(config, &handle).expect("it starts");
    let mut tasks = 0;
    let snapshots = |folder: &Path| {
        let entries = std::fs::read_dir(folder.join("state")).expect("it is there");
        let names = entries.map(|entry| entry.expect("it can be listed").file_name());
        let is_snapshot = |name: &std::ffi::OsString| {
            let name = name.to_string_lossy();
            name.starts_with("snapshot-") && !name.ends_with("tmp")
        };
        names.filter(is_snapshot).collect::<Vec<_>>()
    };
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 3 {
        assert!(
            tasks < 20_000,
            "no third snapshot after {tasks} tasks: {seen:?}"
        );
        let data = json!({ "worker": "x", "task_id": format!("Task_{tasks}"), "deps": ["Task_0"] });
        call(&handle, "add_task", data).await;
        tasks += 1;
        seen.extend(snapshots(folder.path()));
    }
    driver.stop().expect("it can store");
    assert_eq!(snapshots(folder.path()).len(), 1, "older ones are removed");
    let (driver, handle) = start(folder.path());
    let found = call(&handle, "graph", json!({})).await;
    assert_eq!(found.as_object().map(serde_json::Map::len), Some(tasks));
    driver.stop().expect("it can store");
}

#[tokio::test]
async fn calls_before_the_start_and_after_the_stop_are_unavailable() {
    let handle = Handle::default();
    let early = try_call(&handle, "ping", json!({ "worker": "x" })).await;
    assert!(matches!(early, Err(CallError::Unavailable(_))), "{early:?}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let driver = Driver::start(config(folder.path(), SNAPSHOT_AFTER), &handle).expect("it starts");
    call(&handle, "ping", json!({ "worker": "x" })).await;
    driver.stop().expect("it can store");
    let late = try_call(&handle, "ping", json!({ "worker": "x" })).await;
    assert!(matches!(late, Err(CallError::Unavailable(_))), "{late:?}");
}

#[tokio::test]
async fn observers_hear_what_happens() {
    static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    struct Listener;
    impl crate::observer::Observer for Listener {
        fn observe(&mut self, event: &condotta_scheduler::Event, _: &Scheduler) {
            HEARD
                .lock()
                .expect("nobody panics")
                .push(format!("{event:?}"));
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let handle = Handle::default();
    let mut config = config(folder.path(), SNAPSHOT_AFTER);
    config.observers.push(Box::new(Listener));
    let driver = Driver::start(config, &handle).expect("it starts");
    call(
        &handle,
        "add_task",
        json!({ "worker": "x", "task_id": "Heard" }),
    )
    .await;
    driver.stop().expect("it can store");
    let heard = HEARD.lock().expect("nobody panics");
    assert!(
        heard.iter().any(|event| event.contains("Heard")),
        "{heard:?}"
    );
}

#[tokio::test]
async fn each_of_many_requests_at_once_is_answered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (driver, handle) = start(folder.path());
    let mut asked = tokio::task::JoinSet::new();
    for number in 0..3000 {
        let handle = handle.clone();
        asked.spawn(async move {
            let worker = json!({ "worker": format!("w{}", number % 10) });
            try_call(&handle, "ping", worker).await.map(drop)
        });
    }
    for answer in asked.join_all().await {
        answer.expect("the scheduler runs");
    }
    driver.stop().expect("it can store");
}
