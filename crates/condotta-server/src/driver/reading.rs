//! Answers that take long, given in steps between the requests of workers.

use std::collections::VecDeque;

use condotta_protocol::LongRead;
use condotta_scheduler::{Now, Scheduler};
use tokio::sync::oneshot;

use super::{Reply, message::Answer};

/// How many tasks are looked at in one step: well below a millisecond's worth.
const STEP_TASKS: usize = 200;

/// How many reads are under way at once. What they have seen is in memory, so the others wait.
const MOST_AT_ONCE: usize = 4;

/// A read in steps, between which other requests are answered.
pub(crate) trait Steps: Send + 'static {
    /// Looks at about so many more tasks, or as much else as takes that long. Whether it has seen all
    /// that it wants to see.
    fn step(&mut self, scheduler: &Scheduler, now: Now, tasks: usize) -> bool;
}

/// A read under way, with whom it is for.
pub(crate) trait Turn: Send {
    /// See [`Steps::step`].
    fn step(&mut self, scheduler: &Scheduler, now: Now, tasks: usize) -> bool;

    /// Whether anybody waits for it.
    fn is_wanted(&self) -> bool;

    /// Gives what was read to whom it is for, who puts it into words where nobody waits for that.
    fn finish(self: Box<Self>);
}

/// A read that goes back whole to whom it is for.
pub(crate) struct Reader<R> {
    pub(crate) read: R,
    pub(crate) answer: oneshot::Sender<R>,
}

impl<R: Steps> Turn for Reader<R> {
    fn step(&mut self, scheduler: &Scheduler, now: Now, tasks: usize) -> bool {
        self.read.step(scheduler, now, tasks)
    }

    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn finish(self: Box<Self>) {
        let _ = self.answer.send(self.read);
    }
}

/// A remote procedure call whose answer is long.
struct LongCall {
    read: Box<dyn LongRead>,
    answer: Answer,
}

impl Turn for LongCall {
    fn step(&mut self, scheduler: &Scheduler, now: Now, tasks: usize) -> bool {
        self.read.step(scheduler, now, tasks)
    }

    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn finish(self: Box<Self>) {
        let Self { read, answer } = *self;
        let _ = answer.send(Ok(Reply::Read(read)));
    }
}

/// Reads under way, which take turns, and those that wait for one of them to end.
#[derive(Default)]
pub(crate) struct Reading {
    turns: VecDeque<Box<dyn Turn>>,
    waiting: VecDeque<Box<dyn Turn>>,
}

impl Reading {
    pub(crate) fn add(&mut self, read: Box<dyn LongRead>, answer: Answer) {
        self.add_turn(Box::new(LongCall { read, answer }));
    }

    pub(crate) fn add_turn(&mut self, turn: Box<dyn Turn>) {
        self.waiting.push_back(turn);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.turns.is_empty() && self.waiting.is_empty()
    }

    /// One step of the read whose turn it is.
    pub(crate) fn step(&mut self, scheduler: &Scheduler, now: Now) {
        if self.turns.len() < MOST_AT_ONCE {
            self.turns.extend(self.waiting.pop_front());
        }
        let Some(mut turn) = self.turns.pop_front() else {
            return;
        };
        if !turn.is_wanted() {
            // The browser went away.
            return;
        }
        if turn.step(scheduler, now, STEP_TASKS) {
            turn.finish();
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

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use condotta_scheduler::Config;

    use super::*;

    /// Ends after its third step; counts those that have begun and not ended.
    struct Counted {
        steps: usize,
        begun: Arc<AtomicUsize>,
    }

    impl LongRead for Counted {
        fn step(&mut self, _: &Scheduler, _: Now, _: usize) -> bool {
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
            reading.step(&scheduler, Now::at(0.0));
            most = most.max(begun.load(Ordering::Relaxed));
            answers.retain_mut(|answer| answer.try_recv().is_err());
            answered = 10 - answers.len();
        }
        assert_eq!((answered, most), (10, MOST_AT_ONCE));
    }
}
