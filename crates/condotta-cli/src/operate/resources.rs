//! `condotta resources`: limits and who uses them; and a new limit.

use serde_json::{Value, json};

use super::{
    answer::{Answer, table},
    arguments::{ResourceChange, ResourcesArguments},
    connection::{Scheduler, escaped},
    harmless::harmless,
};
use crate::error::{Failure, Kind};

/// So many users of a resource are named.
const NAMED: usize = 5;

pub(super) fn run(arguments: &ResourcesArguments) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    match &arguments.change {
        None => list(&scheduler),
        Some(ResourceChange::Set { name, limit }) => set(&scheduler, name, *limit),
    }
}

fn set(scheduler: &Scheduler, name: &str, limit: u64) -> Result<Answer, Failure> {
    let mut answer = Answer {
        text: format!("there is {limit} of {} now\n", harmless(name)),
        json: json!({ "resource": name, "limit": limit }),
    };
    // A path has to name something.
    if !name.is_empty()
        && let Some(done) = scheduler.post(
            &format!("resources/{}", escaped(name)),
            &json!({ "limit": limit }),
        )?
    {
        if done["known"] == Value::Bool(false) {
            answer.text += &doubt(name, &done["near"]);
            answer.json["known"] = false.into();
            answer.json["near"] = done["near"].clone();
        }
        return Ok(answer);
    }
    let message = json!({ "resource": name, "amount": limit });
    if scheduler.call("update_resource", &message)? == Value::Bool(false) {
        let text = format!("{limit} is no limit to this scheduler");
        return Err(Failure::new(Kind::Refused, text));
    }
    Ok(answer)
}

/// What is said of a resource that nobody knows: it may be misspelt, or come with tasks that are not there yet.
fn doubt(name: &str, near: &Value) -> String {
    let near = near.as_array().into_iter().flatten();
    let near: Vec<String> = near.filter_map(Value::as_str).map(harmless).collect();
    let meant = match near.as_slice() {
        [] => String::new(),
        near => format!(" There is {}.", near.join(", ")),
    };
    let name = harmless(name);
    format!("no task needs {name} so far, and it had no limit: is that its name?{meant}\n")
}

fn list(scheduler: &Scheduler) -> Result<Answer, Failure> {
    let resources = scheduler.call("resource_list", &json!({}))?;
    let resources: Vec<Value> = resources.as_array().cloned().unwrap_or_default();
    let json = json!({ "resources": resources.iter().map(known).collect::<Vec<_>>() });
    if resources.is_empty() {
        let text = "no resource has a limit\n".to_owned();
        return Ok(Answer { text, json });
    }
    let rows: Vec<Vec<String>> = resources.iter().map(row).collect();
    let text = table(&["RESOURCE", "USED", "LIMIT", "BY"], &rows);
    Ok(Answer { text, json })
}

/// The tasks that use a resource.
fn users(resource: &Value) -> Vec<&String> {
    let running = resource["running"].as_object().into_iter().flatten();
    running.map(|(id, _)| id).collect()
}

/// The keys that programs can rely on.
fn known(resource: &Value) -> Value {
    json!({
        "resource": resource["name"],
        "limit": resource["num_total"],
        "used": resource["num_used"],
        "running": users(resource),
    })
}

fn row(resource: &Value) -> Vec<String> {
    let number = |name: &str| resource[name].as_u64().unwrap_or_default().to_string();
    let users = users(resource);
    let named = users.iter().take(NAMED).map(|id| id.as_str());
    let mut by = named.collect::<Vec<_>>().join(", ");
    if users.len() > NAMED {
        by += &format!(" and {} more", users.len() - NAMED);
    }
    vec![
        resource["name"].as_str().unwrap_or_default().to_owned(),
        number("num_used"),
        number("num_total"),
        by,
    ]
}
