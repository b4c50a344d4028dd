//! Answers that take long, given in steps between the requests of workers.

use std::collections::VecDeque;

use condotta_protocol::LongRead;
use condotta_scheduler::Scheduler;

use super::{Reply, message::Answer};

/// How many tasks are looked at in one step: well below a millisecond's worth.
const STEP_TASKS: usize = 200;

/// How many reads are under way at once. What they have seen is in memory, so the others wait.
const MOST_AT_ONCE: usize = 4;

/// Reads under way, which take turns, and those that wait for one of them to end.
#[derive(Default)]
pub(crate) struct Reading {
    turns: VecDeque<Turn>,
    waiting: VecDeque<Turn>,
}

struct Turn {
    read: Box<dyn LongRead>,
    answer: Answer,
}

impl Reading {
    pub(crate) fn add(&mut self, read: Box<dyn LongRead>, answer: Answer) {
        self.waiting.push_back(Turn { read, answer });
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.turns.is_empty() && self.waiting.is_empty()
    }

    /// One step of the read whose turn it is.
    pub(crate) fn step(&mut self, scheduler: &Scheduler) {
        if self.turns.len() < MOST_AT_ONCE {
            self.turns.extend(self.waiting.pop_front());
        }
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
        self.waiting.clear();
    }
}

/// Puts the answer into words where nobody waits for it.
fn finish(turn: Turn) {
    let Turn { read, answer } = turn;
    let _ = answer.send(Ok(Reply::Read(read)));
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use condotta_scheduler::Config;
    use tokio::sync::oneshot;

    use super::*;

    /// Ends after its third step; counts those that have begun and not ended.
    struct Counted {
        steps: usize,
        begun: Arc<AtomicUsize>,
    }

    impl LongRead for Counted {
        fn step(&mut self, _: &Scheduler, _: usize) -> bool {
            self.steps += 1;
            if self.steps == 1 {
                self.begun.fetch_add(1, Ordering::Relaxed);
            }
            self.steps == 3
        }

        fn write(self: Box<Self>, _: &mut Vec<u8>) {}
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            if self.steps > 0 {
                self.begun.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn all_reads_end_and_few_are_under_way_at_once() {
        let scheduler = Scheduler::new(Config::default(), [].into(), 0);
        let mut reading = Reading::default();
        let begun = Arc::new(AtomicUsize::new(0));
        let mut answers = Vec::new();
        for _ in 0..10 {
            let (answer, answered) = oneshot::channel();
            let begun = begun.clone();
            reading.add(Box::new(Counted { steps: 0, begun }), answer);
            answers.push(answered);
        }
        let mut answered = 0;
        let mut most = 0;
        while !reading.is_idle() {
            reading.step(&scheduler);
            most = most.max(begun.load(Ordering::Relaxed));
            answers.retain_mut(|answer| answer.try_recv().is_err());
            answered = 10 - answers.len();
        }
        assert_eq!((answered, most), (10, MOST_AT_ONCE));
    }
}
