//! Answers that take long, given in steps between the requests of workers.

use std::collections::VecDeque;

use condotta_protocol::LongRead;
use condotta_scheduler::Scheduler;

use super::{Reply, message::Answer};

/// How many tasks are looked at in one step: well below a millisecond's worth.
const STEP_TASKS: usize = 200;

/// Reads under way. They take turns.
#[derive(Default)]
pub(crate) struct Reading {
    turns: VecDeque<Turn>,
}

struct Turn {
    read: Box<dyn LongRead>,
    answer: Answer,
}

impl Reading {
    pub(crate) fn add(&mut self, read: Box<dyn LongRead>, answer: Answer) {
        self.turns.push_back(Turn { read, answer });
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.turns.is_empty()
    }

    /// One step of the read whose turn it is.
    pub(crate) fn step(&mut self, scheduler: &Scheduler) {
        let Some(mut turn) = self.turns.pop_front() else {
            return;
        };
        if turn.answer.is_closed() {
            // The browser went away.
            return;
        }
        if turn.read.step(scheduler, STEP_TASKS) {
            finish(turn);
        } else {
            self.turns.push_back(turn);
        }
    }

    /// Drops all reads: their answers are that the scheduler is stopping.
    pub(crate) fn clear(&mut self) {
        self.turns.clear();
    }
}

/// Puts the answer into words where nobody waits for it.
fn finish(turn: Turn) {
    let Turn { read, answer } = turn;
    let _ = answer.send(Ok(Reply::Read(read)));
}
