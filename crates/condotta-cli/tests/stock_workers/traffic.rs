//! What a stock worker was seen to send for one workflow, sent to our server over HTTP.
//!
//! The recording has plain, batched and dynamic dependencies, a failing, an external and a broken
//! task, a tracking URL, messages and progress. Every request gets the recorded reply. Needs no
//! stock package.

use condotta_protocol::{Json, Object, read_json};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::{
    processes::{Kind, Place, Server},
    trial,
};

const TRAFFIC: &str =
    include_str!("../../../condotta-protocol/tests/golden/stock-worker-traffic.jsonl");

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("recorded_traffic", replay)]
}

/// One recorded request and its reply.
#[derive(Default)]
struct Recorded {
    method: String,
    arguments: Object,
    reply: Value,
}

impl Recorded {
    fn read(line: &str) -> Self {
        let Ok(Json::Object(entry)) = read_json(line) else {
            panic!("not an object: {line}");
        };
        let mut recorded = Self::default();
        for (key, value) in entry.into_entries() {
            match (key.as_str(), value) {
                ("method", Json::Text(method)) => recorded.method = method,
                ("data", Json::Object(arguments)) => recorded.arguments = arguments,
                ("response", reply) => {
                    recorded.reply = serde_json::from_str(&reply.to_string()).unwrap();
                }
                _ => {}
            }
        }
        recorded
    }
}

fn replay() {
    let mut traffic: Vec<Recorded> = TRAFFIC.lines().map(Recorded::read).collect();
    let handed_out = handed_out(&traffic);
    assert_eq!((traffic.len(), handed_out.len()), (38, 8));
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    for (line, entry) in (1..).zip(&mut traffic) {
        order_deps(&mut entry.arguments, &handed_out);
        let data = Json::Object(entry.arguments.clone()).to_string();
        let answer = server.rpc.post(&entry.method, &data).unwrap();
        assert_eq!(answer.status, 200, "line {line}: {answer:?}");
        let envelope: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(
            envelope["response"], entry.reply,
            "line {line}: {}",
            entry.method
        );
    }
}

/// The tasks in the order in which they were handed out.
fn handed_out(traffic: &[Recorded]) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let tasks = traffic.iter().flat_map(|entry| {
        let members = entry.reply["batch_task_ids"].as_array();
        let members: Vec<String> = members.into_iter().flatten().filter_map(text).collect();
        text(&entry.reply["task_id"]).into_iter().chain(members)
    });
    tasks.collect()
}

/// Puts `deps` into the order that Luigi's set of them had in the recorded run: it is arbitrary
/// there, and decides which of the tasks that were first mentioned together goes first.
fn order_deps(arguments: &mut Object, handed_out: &[String]) {
    let entries = std::mem::take(arguments).into_entries();
    let place = |dep: &Json| {
        let mut tasks = handed_out.iter();
        tasks.position(|task_id| *dep == Json::Text(task_id.clone()))
    };
    *arguments = entries
        .into_iter()
        .map(|(name, mut value)| {
            if let ("deps", Json::List(deps)) = (name.as_str(), &mut value) {
                deps.sort_by_key(place);
            }
            (name, value)
        })
        .collect();
}
