//! Chains and rings of tasks far deeper than any stack, where Luigi runs out of Python's.

mod rpc;

use rpc::Rpc;
use serde_json::json;

const DEPTH: usize = 20_000;

/// Announces `T0 -> T1 -> … -> T{DEPTH-1} -> last`, the deepest first, then its head with a high priority.
fn chain(last: &str) -> Rpc {
    let mut rpc = Rpc::new();
    for index in (0..DEPTH).rev() {
        let dep = match index + 1 {
            DEPTH => last.to_owned(),
            next => format!("T{next}"),
        };
        let priority = if index == 0 { 7 } else { 0 };
        let arguments = format!(
            r#"{{"worker": "x", "task_id": "T{index}", "family": "T", "deps": ["{dep}"], "priority": {priority}}}"#
        );
        rpc.ok(0.0, "add_task", &arguments);
    }
    rpc
}

#[test]
fn a_priority_reaches_the_end_of_a_chain() {
    let mut rpc = chain("Last");
    rpc.ok(
        1.0,
        "add_task",
        r#"{"worker": "x", "task_id": "Other", "priority": 6}"#,
    );
    rpc.ok(2.0, "add_task", r#"{"worker": "x", "task_id": "Last"}"#);
    let work = rpc.ok(3.0, "get_work", r#"{"worker": "x"}"#);
    assert_eq!(work["task_id"], "Last");
    let work = rpc.ok(4.0, "get_work", r#"{"worker": "x"}"#);
    assert_eq!(work["task_id"], "Other");
}

#[test]
fn what_stands_above_a_disabled_task_is_not_counted() {
    let mut rpc = chain("Last");
    rpc.ok(
        1.0,
        "add_task",
        r#"{"worker": "x", "task_id": "Last", "status": "DISABLED"}"#,
    );
    let counts = rpc.ok(2.0, "count_pending", r#"{"worker": "x"}"#);
    assert_eq!(counts["n_pending_tasks"], 0);
    rpc.ok(3.0, "add_task", r#"{"worker": "x", "task_id": "Last"}"#);
    let counts = rpc.ok(4.0, "count_pending", r#"{"worker": "x"}"#);
    assert_eq!(counts["n_pending_tasks"], json!(DEPTH + 1));
}

#[test]
fn graphs_of_a_ring_are_whole() {
    let mut rpc = chain("T0");
    for method in ["dep_graph", "inverse_dep_graph"] {
        let graph = rpc.ok(1.0, method, r#"{"task_id": "T5"}"#);
        assert_eq!(graph.as_object().map(serde_json::Map::len), Some(DEPTH));
    }
    let work = rpc.ok(2.0, "get_work", r#"{"worker": "x"}"#);
    assert_eq!(work["task_id"], json!(null));
}
