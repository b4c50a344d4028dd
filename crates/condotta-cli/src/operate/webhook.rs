//! `condotta webhook test`: whether a webhook works.

use serde_json::{Value, json};

use super::{
    answer::Answer,
    arguments::{WebhookArguments, WebhookCommand},
    connection::{Scheduler, escaped},
};
use crate::error::{Failure, Kind};

pub(super) fn run(arguments: &WebhookArguments) -> Result<Answer, Failure> {
    let WebhookCommand::Test { name } = &arguments.command;
    let scheduler = Scheduler::find(&arguments.common)?;
    let path = format!("webhooks/{}/test", escaped(name));
    let Some(tested) = scheduler.post(&path, &json!({}))? else {
        return Err(scheduler.only_ours("has no webhooks"));
    };
    if tested["taken"] == Value::Bool(true) {
        return Ok(Answer {
            text: format!("the receiver of webhook {name} took the message\n"),
            json: json!({ "name": name, "taken": true }),
        });
    }
    let reason = tested["reason"].as_str().unwrap_or_default();
    let text = format!("webhook {name} does not work: {reason}");
    Err(Failure::new(Kind::Refused, text))
}
