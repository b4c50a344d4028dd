//! `condotta why`: what holds a task up, in the scheduler's own words.

use serde_json::{Value, json};

use super::{
    answer::Answer,
    arguments::OneTask,
    connection::{Scheduler, now},
    find,
    harmless::harmless,
    time::moment,
};
use crate::error::{Failure, Kind};

pub(super) fn run(arguments: &OneTask) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    let ask = |task_id: &str| {
        let answer = scheduler.extension("why", &json!({ "task_id": task_id }))?;
        answer.ok_or_else(|| {
            scheduler.only_ours(
                "does not say what holds a task up: see condotta task and condotta graph",
            )
        })
    };
    let mut json = match find::task(&scheduler, &arguments.task) {
        Ok(task) => ask(&task.id)?,
        // Something may depend on a task that nobody announced.
        Err(failure) if failure.kind() == Kind::NotFound => match ask(&arguments.task)? {
            Value::Null => return Err(failure),
            answer => answer,
        },
        Err(failure) => return Err(failure),
    };
    if json.is_null() {
        let text = format!("the task {} is gone meanwhile", harmless(&arguments.task));
        return Err(Failure::new(Kind::NotFound, text));
    }
    let text = format!("{}\n", sentences(&json["words"]));
    Ok(Answer {
        text,
        json: json.take(),
    })
}

/// The words as one text, with moments as people here read them.
pub(crate) fn sentences(words: &Value) -> String {
    let now = now();
    let words = words.as_array().into_iter().flatten();
    let texts = words.map(|word| {
        let text = [word, &word["name"], &word["worker"]];
        match (
            text.into_iter().find_map(Value::as_str),
            word["time"].as_f64(),
        ) {
            (Some(text), _) => harmless(text),
            (None, Some(at)) => moment(at, now),
            (None, None) => String::new(),
        }
    });
    texts.collect()
}
