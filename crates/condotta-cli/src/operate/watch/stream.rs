//! A live view of what condotta's scheduler tells, as it happens.

use std::{
    io::{BufRead as _, BufReader, Read},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{GoesOn, Log, status_text};
use crate::{
    error::{Failure, Kind},
    operate::{
        arguments::StatusName,
        connection::{PAUSE, Scheduler, escaped},
        harmless::harmless,
        tasks::{Counts, counts, counts_text},
    },
};

/// The server is never silent for so long.
const SILENCE: Duration = Duration::from_secs(60);
/// What is told here: a run's own words are too many.
const KINDS: &str = "kind=status&kind=trouble&kind=worker&kind=limit&kind=paused&kind=counts";

/// Follows the stream until nobody wants to know any more; `false` where there is none.
pub(super) fn follow(scheduler: &Scheduler, log: &mut Log) -> Result<bool, Failure> {
    let Some(first) = scheduler.stream(&format!("events?{KINDS}"), SILENCE)? else {
        return Ok(false);
    };
    // What happens from here on is told, so nothing is missed between the numbers and the stream.
    if !log.counts(&counts(scheduler)?)? {
        return Ok(true);
    }
    let mut follower = Follower {
        scheduler,
        log,
        last: String::new(),
    };
    let mut goes_on = follower.read(first)?;
    while goes_on {
        // A server that was restarted, or a proxy on the way, has ended it.
        thread::sleep(PAUSE);
        let path = format!("events?{KINDS}&last_event_id={}", escaped(&follower.last));
        let again = scheduler.patiently(|| scheduler.stream(&path, SILENCE))?;
        let again = again.ok_or_else(|| {
            let text = "the scheduler has no stream of events any more";
            Failure::new(Kind::Unreachable, text)
        })?;
        goes_on = follower.read(again)?;
    }
    Ok(true)
}

struct Follower<'a> {
    scheduler: &'a Scheduler,
    log: &'a mut Log,
    /// The id of the last event that was told.
    last: String,
}

impl Follower<'_> {
    /// Tells the events of a stream to its end.
    fn read(&mut self, stream: impl Read) -> Result<GoesOn, Failure> {
        let mut id = None;
        let mut kind = String::new();
        let mut data = String::new();
        for line in BufReader::new(stream).lines() {
            // An end is an end, however it comes.
            let Ok(line) = line else {
                break;
            };
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => id = Some(value.to_owned()),
                "event" => value.clone_into(&mut kind),
                "data" => data.push_str(value),
                "" if line.is_empty() && !data.is_empty() => {
                    let facts = serde_json::from_str(&data).unwrap_or_default();
                    if !self.event(&kind, facts)? {
                        return Ok(false);
                    }
                    data.clear();
                    // One that breaks off before its end comes again.
                    if let Some(id) = id.take() {
                        self.last = id;
                    }
                }
                _ => {}
            }
        }
        Ok(true)
    }

    fn event(&mut self, kind: &str, mut facts: Value) -> Result<GoesOn, Failure> {
        if kind == "reset" {
            // Something was missed: the numbers say how things stand. A server that starts has none yet.
            let counts = self.scheduler.patiently(|| counts(self.scheduler))?;
            return self.log.counts(&counts);
        }
        let Some(text) = text(kind, &facts).filter(|_| facts.is_object()) else {
            return Ok(true);
        };
        facts["event"] = kind.into();
        self.log.tell(&facts, &text)
    }
}

/// An event in a line; `None` for what is of no interest here.
fn text(kind: &str, facts: &Value) -> Option<String> {
    let text = |name: &str| harmless(facts[name].as_str().unwrap_or_default());
    Some(match kind {
        "status" => {
            let status = facts["to"].as_str().unwrap_or("removed");
            status_text(
                status,
                facts["task_id"].as_str().unwrap_or_default(),
                facts["worker"].as_str(),
            )
        }
        "trouble" => format!("TROUBLE {}: {}", text("task_id"), text("reason")),
        "worker" => format!("worker {} {}", text("worker"), text("change")),
        "limit" => format!("there is {} of {} now", facts["limit"], text("resource")),
        "paused" if facts["paused"] == Value::Bool(true) => "paused".to_owned(),
        "paused" => "hands out work again".to_owned(),
        "counts" => counts_text(&counts_of(&facts["counts"])),
        _ => return None,
    })
}

fn counts_of(counts: &Value) -> Counts {
    let count = |status: StatusName| (status, counts[status.name()].as_u64().unwrap_or_default());
    StatusName::ALL.into_iter().map(count).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_event_has_its_line() {
        for (kind, facts, line) in [
            (
                "status",
                json!({"task_id": "A", "to": "FAILED", "worker": "w"}),
                Some("FAILED A on w"),
            ),
            (
                "status",
                json!({"task_id": "A", "to": null}),
                Some("removed A"),
            ),
            (
                "trouble",
                json!({"task_id": "A\u{1b}", "reason": "it waits for itself"}),
                Some("TROUBLE A\\u{1b}: it waits for itself"),
            ),
            (
                "worker",
                json!({"worker": "w", "change": "lost"}),
                Some("worker w lost"),
            ),
            (
                "limit",
                json!({"resource": "gpu", "limit": 3}),
                Some("there is 3 of gpu now"),
            ),
            ("paused", json!({"paused": true}), Some("paused")),
            (
                "counts",
                json!({"counts": {"DONE": 2, "FAILED": 1}}),
                Some("1 FAILED, 2 DONE"),
            ),
            ("hello", json!({}), None),
        ] {
            assert_eq!(text(kind, &facts).as_deref(), line, "{kind}");
        }
    }
}
