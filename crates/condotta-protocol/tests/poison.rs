//! Requests with odd values, thousands of them: none panics, one that is refused or only reads changes
//! nothing, and none keeps a later honest worker from its work.

use condotta_protocol::{Json, Object, dispatch, extensions, methods, only_reads};
use condotta_scheduler::{Config, Now, Scheduler};
use serde_json::Value;

/// Every argument of any method.
const ARGUMENTS: [&str; 46] = [
    "task_id",
    "worker",
    "status",
    "runnable",
    "deps",
    "new_deps",
    "expl",
    "resources",
    "priority",
    "family",
    "module",
    "params",
    "param_visibilities",
    "accepts_messages",
    "assistant",
    "tracking_url",
    "batchable",
    "batch_id",
    "retry_policy_dict",
    "owners",
    "attempt",
    "task_family",
    "batched_args",
    "max_batch_size",
    "info",
    "host",
    "current_tasks",
    "task_name",
    "status_message",
    "progress_percentage",
    "decrease_resources",
    "message_id",
    "response",
    "statistics",
    "task",
    "content",
    "n",
    "resource",
    "amount",
    "upstream_status",
    "limit",
    "search",
    "max_shown_tasks",
    "include_done",
    "task_str",
    "tasks",
];

fn text(rng: &mut fastrand::Rng) -> String {
    let texts = [
        "A",
        "B",
        "C",
        "x",
        "y",
        "r",
        "F",
        "d",
        "DONE",
        "FAILED",
        "RUNNING",
        "PENDING",
        "DISABLED",
        "UPSTREAM_FAILED",
        "workers",
        "",
        "ä</script>\u{0}",
    ];
    texts[rng.usize(..texts.len())].to_owned()
}

fn value(rng: &mut fastrand::Rng, depth: usize) -> Json {
    let numbers = [0, 1, 2, -1, i64::MAX, i64::MIN];
    let floats = [0.5, -0.0, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    match rng.u8(if depth == 0 { 0..12 } else { 0..8 }) {
        0 => Json::Null,
        1 => Json::Bool(rng.bool()),
        2 => Json::Int(numbers[rng.usize(..numbers.len())]),
        3 => Json::Float(floats[rng.usize(..floats.len())]),
        4..8 => Json::Text(text(rng)),
        8 | 9 => Json::List((0..rng.usize(..3)).map(|_| value(rng, depth + 1)).collect()),
        _ => Json::Object(
            (0..rng.usize(..3))
                .map(|_| (text(rng), value(rng, depth + 1)))
                .collect(),
        ),
    }
}

/// A request that often has what the method needs, and often something else.
fn arguments(rng: &mut fastrand::Rng) -> Object {
    let ids = [("task_id", "A"), ("worker", "x")];
    let sure = ids.map(|(name, id)| (name.to_owned(), Json::Text(id.to_owned())));
    let odd = (0..rng.usize(..6)).map(|_| {
        let name = ARGUMENTS[rng.usize(..ARGUMENTS.len())];
        (name.to_owned(), value(rng, 0))
    });
    let odd: Vec<_> = odd.collect();
    sure.into_iter().chain(odd).collect()
}

/// All that can be seen at `now`.
fn seen(scheduler: &mut Scheduler, now: Now) -> Vec<Value> {
    ["graph", "worker_list", "resource_list", "is_paused"]
        .map(|view| dispatch(scheduler, now, view, Object::default()).expect("a view"))
        .into()
}

fn poisoned(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut scheduler = Scheduler::new(Config::default(), [("r".into(), 2)].into(), seed);
    let methods: Vec<&str> = methods().chain(extensions()).collect();
    let mut now = Now::at(1000.0);
    let mut refused = 0;
    for step in 0..1500 {
        now = Now::at(now.wall.0 + f64::from(rng.u8(..20)));
        let before = seen(&mut scheduler, now);
        let method = methods[rng.usize(..methods.len())];
        let arguments = arguments(&mut rng);
        let request = format!("seed {seed}, step {step}: {method} {arguments:?}");
        let is_refused = dispatch(&mut scheduler, now, method, arguments).is_err();
        refused += u32::from(is_refused);
        if is_refused || only_reads(method) {
            assert_eq!(seen(&mut scheduler, now), before, "{request}");
        }
        scheduler
            .check_invariants()
            .unwrap_or_else(|broken| panic!("{request}: {broken}"));
        while scheduler.poll_event().is_some() {}
    }
    assert!(refused > 100, "only {refused} requests were refused");
    honest_work(&mut scheduler, now);
}

/// A worker that says nothing odd gets its task and is done.
fn honest_work(scheduler: &mut Scheduler, now: Now) {
    let mut call = |method: &str, arguments: Value| {
        let Value::Object(arguments) = arguments else {
            panic!("arguments are an object")
        };
        dispatch(scheduler, now, method, arguments).expect("an honest request")
    };
    call("unpause", serde_json::json!({}));
    call(
        "add_task",
        serde_json::json!({"worker": "honest", "task_id": "Honest", "priority": 5}),
    );
    let work = call("get_work", serde_json::json!({"worker": "honest"}));
    assert_eq!(work["task_id"], "Honest");
    call(
        "add_task",
        serde_json::json!({"worker": "honest", "task_id": "Honest", "status": "DONE"}),
    );
    let done = call("task_list", serde_json::json!({"status": "DONE"}));
    assert!(done.get("Honest").is_some());
}

#[test]
fn odd_requests_harm_nobody() {
    for seed in 0..20 {
        poisoned(seed);
    }
}
