//! The short form of replies, as scenario files write them.

use serde_json::Value;

/// Seconds since the epoch at which every scenario starts. Luigi would take zero for "no time".
pub(crate) const EPOCH: f64 = 1000.0;

const TIMES: [&str; 5] = [
    "start_time",
    "last_updated",
    "time_running",
    "last_active",
    "started",
];

fn number(number: f64) -> String {
    if number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        number.to_string()
    }
}

fn sorted<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut texts: Vec<&str> = texts.collect();
    texts.sort_unstable();
    texts
}

fn keys(value: &Value) -> Vec<&str> {
    sorted(
        value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str()),
    )
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".into() } else { text }
}

/// A value under the name `field`.
pub(crate) fn show(field: &str, value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(_) => {
            let value = value.as_f64().unwrap_or(f64::NAN);
            if TIMES.contains(&field) {
                number(value - EPOCH) + "s"
            } else {
                number(value)
            }
        }
        Value::String(text) => or_dash(text.clone()),
        Value::Array(_) if field == "deps" => or_dash(sorted(texts(value).into_iter()).join(",")),
        Value::Array(_) => or_dash(texts(value).join(",")),
        Value::Object(_) if field == "running" => or_dash(keys(value).join(",")),
        Value::Object(map) => {
            let items = keys(value).into_iter().map(|key| match &map[key] {
                list @ Value::Array(_) => format!("{key}:{}", texts(list).join("+")),
                other => format!("{key}:{}", show("", other)),
            });
            or_dash(items.collect::<Vec<_>>().join(","))
        }
    }
}

fn counts(reply: &Value) -> String {
    let mut text = format!(
        "pending={} unique={}",
        reply["n_pending_tasks"], reply["n_unique_pending"]
    );
    if let Some(last) = reply.get("n_pending_last_scheduled") {
        text += &format!(" last={last}");
    }
    let mut running: Vec<String> = reply["running_tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|task| {
            format!(
                "{}@{}",
                show("", &task["task_id"]),
                show("", &task["worker"])
            )
        })
        .collect();
    running.sort_unstable();
    if !running.is_empty() {
        text += &format!(" running={}", running.join(","));
    }
    if reply["worker_state"] != "active" {
        text += &format!(" {}", show("", &reply["worker_state"]));
    }
    text
}

fn work(reply: &Value, flags: &[String]) -> String {
    let mut text = if reply["worker_state"] == "disabled" {
        "disabled".into()
    } else if reply.get("batch_id").is_some() {
        format!("batch {}", texts(&reply["batch_task_ids"]).join(","))
    } else {
        show("", &reply["task_id"])
    };
    if flags.iter().any(|flag| flag == "with-counts") {
        text += &format!(" {}", counts(reply));
    }
    if flags.iter().any(|flag| flag == "with-params") {
        text += &format!(" {}", show("", &reply["task_params"]));
    }
    text
}

fn graph(reply: &Value) -> String {
    let nodes = keys(reply).into_iter().map(|task_id| {
        let task = &reply[task_id];
        let placeholder = task["status"] == "UNKNOWN" && task["start_time"] == "UNKNOWN";
        let deps = sorted(texts(&task["deps"]).into_iter()).join(",");
        let mark = if placeholder { "?" } else { "" };
        let arrow = if deps.is_empty() { "" } else { ">" };
        format!("{task_id}{mark}{arrow}{deps}")
    });
    nodes.collect::<Vec<_>>().join(" ")
}

fn messages(reply: &Value) -> String {
    let messages = reply["rpc_messages"].as_array().into_iter().flatten();
    let shown = messages.map(|message| {
        let mut kwargs = message["kwargs"].clone();
        if let Some(map) = kwargs.as_object_mut() {
            map.remove("message_id");
        }
        format!("{}:{}", show("", &message["name"]), show("", &kwargs))
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn resource_list(reply: &Value) -> String {
    let mut shown: Vec<String> = reply
        .as_array()
        .into_iter()
        .flatten()
        .map(|resource| {
            let running = keys(&resource["running"]).join(",");
            let colon = if running.is_empty() { "" } else { ":" };
            format!(
                "{}={}/{}{colon}{running}",
                show("", &resource["name"]),
                resource["num_used"],
                resource["num_total"]
            )
        })
        .collect();
    shown.sort_unstable();
    shown.join(" ")
}

fn task_search(reply: &Value) -> String {
    let groups = keys(reply)
        .into_iter()
        .map(|status| format!("{status}:{}", keys(&reply[status]).join(",")));
    groups.collect::<Vec<_>>().join(" ")
}

fn worker_list(reply: &Value) -> String {
    let workers = reply.as_array().into_iter().flatten();
    let names = workers.map(|worker| show("", &worker["name"]));
    names.collect::<Vec<_>>().join(" ")
}

/// The short form of the reply of `method`.
pub(crate) fn project(method: &str, reply: &Value, flags: &[String]) -> String {
    if reply.is_null() {
        return "ok".into();
    }
    match method {
        "get_work" => work(reply, flags),
        "count_pending" => counts(reply),
        "ping" => or_dash(messages(reply)),
        "graph" | "dep_graph" | "inverse_dep_graph" => or_dash(graph(reply)),
        "task_list" => match reply.get("num_tasks") {
            Some(number) => format!("num_tasks={number}"),
            None => or_dash(keys(reply).join(" ")),
        },
        "task_search" => or_dash(task_search(reply)),
        "worker_list" => or_dash(worker_list(reply)),
        "resource_list" => or_dash(resource_list(reply)),
        "send_scheduler_message" if reply["message_id"].is_null() => "off".into(),
        "send_scheduler_message" => "ok".into(),
        _ => one_value(reply),
    }
}

/// The rest answers one thing under one of these names.
fn one_value(reply: &Value) -> String {
    let names = [
        "status",
        "error",
        "statusMessage",
        "progressPercentage",
        "resources",
        "response",
        "enabled",
        "paused",
    ];
    let named = names.iter().find_map(|name| reply.get(name));
    show("", named.unwrap_or(reply))
}

/// Equal but for the order of keys and of `deps`, and for how a number is written.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(_), Value::Number(_)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| equal(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| match right.get(key) {
                    Some(other) if key == "deps" => {
                        sorted(texts(value).into_iter()) == sorted(texts(other).into_iter())
                    }
                    Some(other) => equal(value, other),
                    None => false,
                })
        }
        _ => left == right,
    }
}
