//! `condotta cancel`: ends the run of a task, and says how that goes.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    answer::Answer,
    arguments::CancelArguments,
    connection::{Scheduler, escaped},
    find,
    harmless::harmless,
};
use crate::error::{Failure, Kind};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) fn run(arguments: &CancelArguments) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    let task = find::task(&scheduler, &arguments.task)?;
    let path = format!("tasks/{}/cancel", escaped(&task.id));
    let attempt = arguments.attempt;
    let query = attempt.map_or_else(String::new, |attempt| format!("?attempt={attempt}"));
    let ours = |state: Option<Value>| {
        state.ok_or_else(|| scheduler.only_ours("keeps no logs and ends no runs"))
    };
    let mut state = ours(scheduler.post(&format!("{path}{query}"), &json!({}))?)?;
    let until = Instant::now() + Duration::from_secs(arguments.wait);
    while state["asked"] == Value::Bool(true) && Instant::now() < until {
        thread::sleep(LOOK_EVERY);
        state = ours(scheduler.get(&path, &[])?)?;
    }
    let id = harmless(state["task_id"].as_str().unwrap_or(&task.id));
    let note = harmless(state["note"].as_str().unwrap_or_default());
    if state["asked"] == Value::Bool(true) {
        let text = format!("{id}: the run was asked to end and goes on: {note}");
        if arguments.wait == 0 {
            return Ok(Answer {
                text: format!("{text}\n"),
                json: state,
            });
        }
        return Err(Failure::new(Kind::Refused, text));
    }
    if state["refused"] == Value::Bool(true) {
        return Err(Failure::new(Kind::Refused, format!("{id}: {note}")));
    }
    let status = harmless(state["status"].as_str().unwrap_or_default());
    Ok(Answer {
        text: format!("{id} is {status} now: {note}\n"),
        json: state,
    })
}
