//! `condotta watch`: how the numbers of tasks change, and what begins, ends and fails.
//!
//! Condotta's scheduler tells every change as it happens. At luigid one can only look again and again,
//! and sees what is there then.

mod looks;
mod stream;

use serde_json::{Value, json};

use super::{
    answer::print,
    arguments::WatchArguments,
    connection::{Scheduler, now},
    harmless::harmless,
    tasks::{Counts, counts_json, counts_text},
    time,
};
use crate::error::Failure;

pub(super) fn run(arguments: &WatchArguments) -> Result<(), Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    let mut log = Log {
        is_json: arguments.common.json,
        left: arguments.count,
    };
    if !stream::follow(&scheduler, &mut log)? {
        looks::follow(&scheduler, arguments, &mut log)?;
    }
    Ok(())
}

/// Whether somebody still wants to know.
type GoesOn = bool;

/// Where changes are told, each in its line.
struct Log {
    is_json: bool,
    /// How many lines are still wanted, if not all.
    left: Option<u64>,
}

impl Log {
    /// Tells a change: these facts, or this text.
    fn tell(&mut self, facts: &Value, text: &str) -> Result<GoesOn, Failure> {
        if self.left == Some(0) {
            return Ok(false);
        }
        let is_read = if self.is_json {
            print(&format!("{facts}\n"))?
        } else {
            print(&format!("{}  {text}\n", time::clock_now()))?
        };
        self.left = self.left.map(|left| left - 1);
        Ok(is_read && self.left != Some(0))
    }

    fn counts(&mut self, counts: &Counts) -> Result<GoesOn, Failure> {
        let facts = json!({ "event": "counts", "at": now(), "counts": counts_json(counts) });
        self.tell(&facts, &counts_text(counts))
    }
}

/// As in `FAILED Load_1 on worker-a`.
fn status_text(status: &str, task_id: &str, worker: Option<&str>) -> String {
    let on = worker.map_or_else(String::new, |worker| format!(" on {}", harmless(worker)));
    format!("{} {}{on}", harmless(status), harmless(task_id))
}
