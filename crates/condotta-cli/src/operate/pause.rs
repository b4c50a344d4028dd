//! `condotta pause` and `condotta unpause`.

use serde_json::{Value, json};

use super::{answer::Answer, arguments::Common, connection::Scheduler};
use crate::error::{Failure, Kind};

pub(super) fn run(is_wanted: bool, common: &Common) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(common)?;
    let method = if is_wanted { "pause" } else { "unpause" };
    scheduler.call(method, &json!({}))?;
    let answer = scheduler.call("is_paused", &json!({}))?;
    let is_paused = answer["paused"] == Value::Bool(true);
    if is_paused != is_wanted {
        let text = "the scheduler cannot be paused: [scheduler] pause_enabled is false there";
        return Err(Failure::new(Kind::Refused, text));
    }
    let text = if is_paused {
        "the scheduler hands out no more work; what runs goes on\n"
    } else {
        "the scheduler hands out work\n"
    };
    Ok(Answer {
        text: text.to_owned(),
        json: json!({ "paused": is_paused }),
    })
}
