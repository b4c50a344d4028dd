//! The methods that Luigi lacks, and which methods only read.

mod rpc;

use condotta_protocol::{extensions, methods, only_reads};
use rpc::Rpc;
use serde_json::json;

#[test]
fn tasks_come_together_in_their_order() {
    let mut rpc = Rpc::new();
    let tasks = r#"{"worker": "x", "tasks": [
        {"task_id": "A", "family": "F", "deps": ["B"]},
        {"task_id": "B", "priority": 2},
        {"task_id": "C", "worker": "y"},
        {"task_id": "D", "worker": null}
    ]}"#;
    assert_eq!(rpc.ok(0.0, "add_tasks", tasks), json!({"refused": []}));
    let graph = rpc.ok(1.0, "graph", "{}");
    assert_eq!(graph["A"]["deps"], json!(["B"]));
    let tasks = rpc.ok(1.0, "task_list", "{}");
    let workers = ["A", "B", "C", "D"].map(|task_id| tasks[task_id]["workers"].clone());
    assert_eq!(
        workers,
        [json!(["x"]), json!(["x"]), json!(["y"]), json!(["x"])]
    );
    let work = rpc.ok(2.0, "get_work", r#"{"worker": "x"}"#);
    assert_eq!(work["task_id"], "B");
}

#[test]
fn a_task_that_is_refused_keeps_none_of_the_others() {
    let mut rpc = Rpc::new();
    let tasks = r#"{"worker": "x", "tasks": [
        {"task_id": "A"},
        {"task_id": ""},
        7,
        {"task_id": "B", "status": "MAYBE"},
        {"priority": 1},
        {"task_id": "C"}
    ]}"#;
    let refused = json!({"refused": [
        {"index": 1, "error": "the task id is empty: say which one is meant"},
        {"index": 2, "error": "add_tasks: `tasks` is 7, expected the arguments of add_task"},
        {"index": 3, "error":
            "add_task: `status` is \"MAYBE\", expected a status such as \"PENDING\""},
        {"index": 4, "error": "add_task needs the argument `task_id`"},
    ]});
    assert_eq!(rpc.ok(0.0, "add_tasks", tasks), refused);
    let graph = rpc.ok(1.0, "graph", "{}");
    let known: Vec<_> = graph.as_object().expect("an object").keys().collect();
    assert_eq!(known, ["A", "C"]);
}

#[test]
fn tasks_of_nobody_are_refused_one_by_one() {
    let mut rpc = Rpc::new();
    let tasks = r#"{"tasks": [{"task_id": "A"}, {"task_id": "B", "worker": "y"}]}"#;
    let refused = json!({"refused": [
        {"index": 0, "error": "add_task needs the argument `worker`"},
    ]});
    assert_eq!(rpc.ok(0.0, "add_tasks", tasks), refused);
}

#[test]
fn what_is_no_list_of_tasks_is_refused_whole() {
    let many = |count: usize| {
        let tasks = vec![r#"{"task_id": "A"}"#; count].join(", ");
        format!(r#"{{"worker": "x", "tasks": [{tasks}]}}"#)
    };
    let mut rpc = Rpc::new();
    let too_many = rpc.call(0.0, "add_tasks", &many(1_001));
    let message = "add_tasks: `tasks` is a list of 1001, expected at most 1000 tasks";
    assert_eq!(too_many, Err(message.to_owned()));
    let missing = rpc.call(0.0, "add_tasks", r#"{"worker": "x"}"#);
    let message = "add_tasks needs the argument `tasks`";
    assert_eq!(missing, Err(message.to_owned()));
    assert_eq!(rpc.ok(1.0, "graph", "{}"), json!({}));
    let most = rpc.ok(2.0, "add_tasks", &many(1_000));
    assert_eq!(most, json!({"refused": []}));
}

#[test]
fn a_worker_that_goes_gives_back_what_it_runs() {
    let mut rpc = Rpc::new();
    rpc.ok(0.0, "add_task", r#"{"worker": "x", "task_id": "A"}"#);
    rpc.ok(1.0, "get_work", r#"{"worker": "x"}"#);
    let released = rpc.ok(2.0, "release_worker", r#"{"worker": "x"}"#);
    assert_eq!(released, json!(null));
    assert_eq!(rpc.ok(2.0, "worker_list", "{}"), json!([]));
    let pending = rpc.ok(2.0, "task_list", r#"{"status": "PENDING"}"#);
    assert_eq!(pending["A"]["worker_running"], json!(null));
    let nobody = rpc.call(3.0, "release_worker", "{}");
    let message = "release_worker needs the argument `worker`";
    assert_eq!(nobody, Err(message.to_owned()));
}

/// All that a GET may ask for.
const READS: [&str; 15] = [
    "dep_graph",
    "fetch_error",
    "get_running_task_resources",
    "get_task_progress_percentage",
    "get_task_status_message",
    "graph",
    "has_task_history",
    "inverse_dep_graph",
    "is_pause_enabled",
    "is_paused",
    "resource_list",
    "task_list",
    "task_search",
    "worker_list",
    "why",
];

/// That these change nothing is shown by the test of odd requests.
#[test]
fn every_method_reads_or_changes() {
    assert_eq!(methods().count(), 39);
    let reads: Vec<_> = methods()
        .chain(extensions())
        .filter(|method| only_reads(method))
        .collect();
    assert_eq!(reads, READS);
    assert!(!only_reads("no_such_method"));
}

#[test]
fn what_holds_a_task_up_is_said_in_words_and_as_facts() {
    let mut rpc = Rpc::new();
    let task =
        r#"{"worker": "x", "task_id": "A", "family": "F", "params": {"day": "1"}, "deps": ["B"]}"#;
    rpc.ok(0.0, "add_task", task);
    rpc.ok(0.0, "add_task", r#"{"worker": "x", "task_id": "B"}"#);
    rpc.ok(1.0, "get_work", r#"{"worker": "x"}"#);
    let failed = r#"{"worker": "x", "task_id": "B", "status": "FAILED", "runnable": null}"#;
    rpc.ok(2.0, "add_task", failed);
    let why = rpc.ok(3.0, "why", r#"{"task_id": "A"}"#);
    let text = "F(day=1) waits for its only dependency. B failed at 1970-01-01 00:16:42 UTC on worker x (1 \
                failure), and is tried again at 1970-01-01 00:31:42 UTC.";
    assert_eq!(why["text"], text);
    assert_eq!(why["words"][0], json!({"task_id": "A", "name": "F(day=1)"}));
    assert_eq!(why["words"][4], json!({"time": 1002.0}));
    let hold = json!({
        "kind": "dependencies", "unmet": 1, "dependencies": 1, "is_exact": true,
        "causes": [{
            "count": 1,
            "status": "FAILED",
            "path": {"tasks": [{"task_id": "B", "name": "B"}], "omitted": 0},
            "hold": {
                "kind": "failed", "since": 1002.0, "failures": 1, "retry_at": 1902.0, "worker": "x",
                "is_lost": false,
                "policy": {
                    "retry_count": 999_999_999, "disable_hard_timeout": 999_999_999, "disable_window": 3600,
                },
            },
        }],
    });
    assert_eq!(why["hold"], hold);
    assert_eq!(rpc.ok(3.0, "why", r#"{"task_id": "C"}"#), json!(null));
    assert!(rpc.call(3.0, "why", "{}").is_err());
}

#[test]
fn an_operator_disables_and_enables() {
    let mut rpc = Rpc::new();
    rpc.ok(0.0, "add_task", r#"{"worker": "x", "task_id": "A"}"#);
    let disabled = rpc.ok(1.0, "disable_task", r#"{"task_id": "A"}"#);
    assert_eq!(disabled, json!({"task_id": "A", "status": "DISABLED"}));
    rpc.ok(2.0, "add_task", r#"{"worker": "x", "task_id": "A"}"#);
    let enabled = rpc.ok(3.0, "re_enable_task", r#"{"task_id": "A"}"#);
    assert_eq!(enabled["status"], "PENDING");
    let unknown = rpc.ok(4.0, "disable_task", r#"{"task_id": "B"}"#);
    assert_eq!(unknown, json!({"task_id": "B", "status": null}));
}
