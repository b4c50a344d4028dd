//! Replays what a stock worker of luigi 3.8.1 sent for one workflow: plain, batched and dynamic
//! dependencies, a failing, an external and a broken task, tracking URLs, messages and progress.
//!
//! Every request is accepted in its order, and every reply is the recorded one.

mod rpc;

use condotta_protocol::{Json, Object, read_json};
use rpc::Rpc;
use serde_json::Value;

const TRAFFIC: &str = include_str!("golden/stock-worker-traffic.jsonl");

/// One recorded request and its reply.
struct Recorded {
    method: String,
    arguments: Object,
    reply: Value,
}

fn recorded(line: &str) -> Recorded {
    let Ok(Json::Object(entry)) = read_json(line) else {
        panic!("not an object: {line}");
    };
    let mut recorded = Recorded {
        method: String::new(),
        arguments: Object::default(),
        reply: Value::Null,
    };
    for (key, value) in entry.into_entries() {
        match (key.as_str(), value) {
            ("method", Json::Text(method)) => recorded.method = method,
            ("data", Json::Object(arguments)) => recorded.arguments = arguments,
            ("response", reply) => {
                recorded.reply = serde_json::from_str(&reply.to_string()).expect("strict JSON");
            }
            _ => {}
        }
    }
    recorded
}

/// The tasks in the order in which they were handed out.
fn handed_out(traffic: &[Recorded]) -> Vec<String> {
    let texts = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let tasks = traffic.iter().flat_map(|entry| {
        let members = entry.reply["batch_task_ids"].as_array();
        let members: Vec<String> = members.into_iter().flatten().filter_map(texts).collect();
        texts(&entry.reply["task_id"]).into_iter().chain(members)
    });
    tasks.collect()
}

/// Puts `deps` into the order that Luigi's set of them had in the recorded run. It is arbitrary there,
/// and decides which of the tasks that were first mentioned together goes first.
fn order_deps(arguments: &mut Object, handed_out: &[String]) {
    let entries = std::mem::take(arguments).into_entries();
    *arguments = entries
        .into_iter()
        .map(|(name, mut value)| {
            if let ("deps", Json::List(deps)) = (name.as_str(), &mut value) {
                deps.sort_by_key(|dep| {
                    handed_out
                        .iter()
                        .position(|task_id| *dep == Json::Text(task_id.clone()))
                });
            }
            (name, value)
        })
        .collect();
}

#[test]
fn a_stock_workers_requests_get_the_recorded_replies() {
    let mut traffic: Vec<Recorded> = TRAFFIC.lines().map(recorded).collect();
    let handed_out = handed_out(&traffic);
    assert_eq!((traffic.len(), handed_out.len()), (38, 8));
    let mut rpc = Rpc::new();
    for (index, entry) in traffic.iter_mut().enumerate() {
        order_deps(&mut entry.arguments, &handed_out);
        #[expect(clippy::cast_precision_loss, reason = "a line number is small")]
        let reply = rpc.call_object(index as f64, &entry.method, entry.arguments.clone());
        let line = index + 1;
        assert_eq!(
            reply.as_ref(),
            Ok(&entry.reply),
            "line {line}: {}",
            entry.method
        );
    }
}
