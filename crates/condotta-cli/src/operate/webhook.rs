//! `condotta webhook`: which there are, how they go, and whether one works.

use serde_json::{Value, json};

use super::{
    answer::{Answer, table},
    arguments::{WebhookArguments, WebhookCommand},
    connection::{Scheduler, escaped},
    harmless::harmless,
};
use crate::error::{Failure, Kind};

pub(super) fn run(arguments: &WebhookArguments) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    match &arguments.command {
        None => list(&scheduler),
        Some(WebhookCommand::Test { name }) => test(&scheduler, name),
    }
}

fn ours<T>(scheduler: &Scheduler, answer: Option<T>) -> Result<T, Failure> {
    answer.ok_or_else(|| scheduler.only_ours("has no webhooks"))
}

fn list(scheduler: &Scheduler) -> Result<Answer, Failure> {
    let hooks = ours(scheduler, scheduler.get("webhooks", &[])?)?;
    let json = json!({ "webhooks": hooks["items"] });
    let hooks = json["webhooks"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = hooks.map(row).collect();
    let text = if rows.is_empty() {
        "no webhooks: the scheduler's configuration has no section [webhook NAME]\n".to_owned()
    } else {
        let headers = ["WEBHOOK", "HOST", "SENT", "GIVEN UP", "WAITING", "EVENTS"];
        table(&headers, &rows)
    };
    Ok(Answer { text, json })
}

fn row(hook: &Value) -> Vec<String> {
    let text = |name: &str| hook[name].as_str().unwrap_or_default().to_owned();
    let events = hook["events"].as_array().into_iter().flatten();
    let events: Vec<&str> = events.filter_map(Value::as_str).collect();
    let mut row = vec![text("name"), text("host")];
    row.extend(["sent", "failed", "queued"].map(|name| hook[name].to_string()));
    row.push(events.join(", "));
    row
}

fn test(scheduler: &Scheduler, name: &str) -> Result<Answer, Failure> {
    let path = format!("webhooks/{}/test", escaped(name));
    let tested = ours(scheduler, scheduler.post(&path, &json!({}))?)?;
    if tested["taken"] == Value::Bool(true) {
        return Ok(Answer {
            text: format!("the receiver of webhook {name} took the message\n"),
            json: json!({ "name": name, "taken": true }),
        });
    }
    let reason = harmless(tested["reason"].as_str().unwrap_or_default());
    let text = format!("webhook {name} does not work: {reason}");
    Err(Failure::new(Kind::Refused, text))
}
