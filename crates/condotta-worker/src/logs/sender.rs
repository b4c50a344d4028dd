//! The thread that sends what runs print.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use condotta_protocol::LogFrame;

use super::buffer::{Run, RunLog};
use crate::Private;

/// What was printed waits for so long at most until it is sent.
const SEND_AFTER: Duration = Duration::from_millis(250);
/// Or until there is so much of it.
const SEND_BYTES: usize = 64 << 10;
/// The most bytes of one request, about.
const BATCH_BYTES: usize = 256 << 10;
/// So many requests for one run, before the others have their turn.
const BATCHES_AT_ONCE: usize = 4;
/// So long a scheduler that is away is left alone: at first, and at most.
const REST: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(5)];
/// What a run that ended left is tried to be sent for so long.
const LATE: Duration = Duration::from_secs(30);

/// Pieces of what a run printed.
#[derive(Clone, Copy, Debug)]
pub struct LogBatch<'a> {
    /// The task.
    pub task_id: &'a str,
    /// The scheduler's number of the run, if it gave one.
    pub attempt: Option<u64>,
    /// The attempt's name, if the scheduler said it before.
    pub id: Option<&'a str>,
    /// The pieces, in order.
    pub frames: &'a [LogFrame],
}

/// What became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogAnswer {
    /// They are kept.
    Taken {
        /// The attempt's name.
        id: String,
        /// The number of the last piece that the scheduler has.
        last: u64,
    },
    /// Nobody answers, or there is no room: they may be taken later.
    Away,
    /// Nothing more is taken of this run.
    Refused(String),
    /// This scheduler keeps no logs.
    NoLogs,
}

/// Where pieces go.
pub trait LogSink: Send + Sync {
    /// Sends them once, and waits for the answer.
    fn send(&self, batch: &LogBatch<'_>) -> LogAnswer;
}

/// Wakes the thread, and those who wait for it.
#[derive(Default)]
pub(super) struct Signal {
    state: Mutex<State>,
    /// There is something for the thread to do.
    due: Condvar,
    /// The thread did something.
    done: Condvar,
}

#[derive(Default)]
struct State {
    runs: Vec<Arc<Run>>,
    /// To be sent without delay.
    hurry: bool,
    stopped: bool,
    /// The scheduler does not answer.
    away: bool,
}

impl Signal {
    /// A buffer grew. Wakes the thread only when it has become large, so that printing stays cheap.
    pub(super) fn grew(&self, before: usize, after: usize) {
        if before < SEND_BYTES && after >= SEND_BYTES {
            self.hurry();
        }
    }

    fn hurry(&self) {
        self.state().hurry = true;
        self.due.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The logs of the runs of one worker. When it is dropped, what is left is not sent any more.
pub struct RunLogs {
    signal: Arc<Signal>,
    thread: Option<thread::JoinHandle<()>>,
    process: u32,
}

impl RunLogs {
    /// Sends to `sink`, from a thread of its own.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(sink: Arc<dyn LogSink>) -> std::io::Result<Self> {
        let signal = Arc::new(Signal::default());
        let of_thread = Arc::clone(&signal);
        let thread = thread::Builder::new()
            .name("logs".to_owned())
            .spawn(move || send_all(&of_thread, &*sink))?;
        Ok(Self {
            signal,
            thread: Some(thread),
            process: std::process::id(),
        })
    }

    /// A run begins. What is private is hidden before it is sent.
    #[must_use]
    pub fn begin(&self, task_id: &str, attempt: Option<u64>, private: Private) -> RunLog {
        let log = RunLog::new(task_id, attempt, private, Arc::clone(&self.signal));
        self.signal.state().runs.push(Arc::clone(&log.run));
        self.signal.due.notify_one();
        log
    }

    /// A run ended: sends what is left, and waits for that at most `patience`, and not at all for a
    /// scheduler that is away.
    pub fn finish(&self, log: &RunLog, patience: Duration) {
        log.close();
        if !log.run.buffer().is_empty() {
            self.wait_until_sent(patience, |_| log.run.buffer().is_empty());
        }
    }

    /// The worker ends: waits in the same way for what all its runs have left.
    pub fn settle(&self, patience: Duration) {
        self.wait_until_sent(patience, |runs| {
            runs.iter().all(|run| run.buffer().is_empty())
        });
    }

    fn wait_until_sent(&self, patience: Duration, is_sent: impl Fn(&[Arc<Run>]) -> bool) {
        self.signal.hurry();
        let end = Instant::now() + patience;
        let mut state = self.signal.state();
        while !is_sent(&state.runs) && !state.away && !state.stopped {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.signal.done.wait_timeout(state, left);
            state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }
}

impl Drop for RunLogs {
    fn drop(&mut self) {
        // A process that was forked has neither the thread nor a right to its locks.
        if self.process != std::process::id() {
            return;
        }
        self.signal.state().stopped = true;
        self.signal.due.notify_one();
        if let Some(thread) = self.thread.take() {
            // It may be waiting for an answer, which ends within the time-out of requests.
            drop(thread);
        }
    }
}

fn send_all(signal: &Signal, sink: &dyn LogSink) {
    let [first, longest] = REST;
    let mut rest = first;
    let mut resting_until: Option<Instant> = None;
    loop {
        let Some(runs) = wait(signal, resting_until) else {
            return;
        };
        let mut away = false;
        let mut more = false;
        for run in &runs {
            match send_one(run, sink) {
                Sent::Well => {}
                Sent::More => more = true,
                Sent::Away => {
                    away = true;
                    break;
                }
                Sent::NoLogs => {
                    signal.state().stopped = true;
                    runs.iter().for_each(|run| run.buffer().refuse());
                    signal.done.notify_all();
                    return;
                }
            }
        }
        let mut state = signal.state();
        state.away = away;
        state.hurry |= more;
        state.runs.retain(|run| {
            let buffer = run.buffer();
            match buffer.closed {
                Some(_) if buffer.is_empty() => false,
                Some(closed) => closed.elapsed() < LATE,
                None => true,
            }
        });
        drop(state);
        signal.done.notify_all();
        if away {
            resting_until = Some(Instant::now() + rest);
            rest = longest.min(rest * 2);
        } else {
            resting_until = None;
            rest = first;
        }
    }
}

/// Until it is time to send. `None` at the end.
fn wait(signal: &Signal, resting_until: Option<Instant>) -> Option<Vec<Arc<Run>>> {
    let mut state = signal.state();
    let until = Instant::now() + SEND_AFTER;
    loop {
        if state.stopped {
            return None;
        }
        let now = Instant::now();
        let until = match resting_until {
            Some(resting) => Some(resting),
            None if state.hurry => Some(now),
            None if state.runs.is_empty() => None,
            None => Some(until),
        };
        let patience = match until {
            Some(until) if until <= now => {
                state.hurry = false;
                return Some(state.runs.clone());
            }
            Some(until) => until - now,
            None => Duration::from_secs(3600),
        };
        let waited = signal.due.wait_timeout(state, patience);
        state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
    }
}

enum Sent {
    Well,
    /// A run that prints without end must not hold up the others.
    More,
    Away,
    NoLogs,
}

/// Sends what one run has printed until now, in a few requests at most.
fn send_one(run: &Run, sink: &dyn LogSink) -> Sent {
    for _ in 0..BATCHES_AT_ONCE {
        let (frames, id) = {
            let mut buffer = run.buffer();
            buffer.take_late(Instant::now());
            if buffer.is_empty() {
                return Sent::Well;
            }
            (buffer.next_batch(BATCH_BYTES), buffer.id.clone())
        };
        let answer = sink.send(&LogBatch {
            task_id: &run.task_id,
            attempt: run.attempt,
            id: id.as_deref(),
            frames: &frames,
        });
        let mut buffer = run.buffer();
        match answer {
            LogAnswer::Taken { id, last } => {
                buffer.id = Some(id);
                buffer.sent(Some(last));
                let sent = frames.last().map_or(0, |frame| frame.number);
                if last < sent {
                    // It has less than it was sent: that comes again, later.
                    return Sent::Away;
                }
            }
            LogAnswer::Away => {
                buffer.sent(None);
                return Sent::Away;
            }
            LogAnswer::Refused(reason) => {
                buffer.refuse();
                drop(buffer);
                tracing::debug!(
                    target: "luigi-interface",
                    "What {} prints is not kept by the scheduler: {reason}",
                    run.task_id,
                );
                return Sent::Well;
            }
            LogAnswer::NoLogs => return Sent::NoLogs,
        }
    }
    Sent::More
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use condotta_protocol::LogSource;

    use super::*;

    /// A scheduler that answers as it is told.
    struct Told {
        sent: Mutex<Sender<(String, Vec<u64>)>>,
        answers: Mutex<Receiver<LogAnswer>>,
    }

    impl LogSink for Told {
        fn send(&self, batch: &LogBatch<'_>) -> LogAnswer {
            let numbers = batch.frames.iter().map(|frame| frame.number).collect();
            let text = batch.frames.iter().flat_map(|frame| frame.text.clone());
            let text = String::from_utf8(text.collect()).unwrap();
            self.sent.lock().unwrap().send((text, numbers)).unwrap();
            self.answers.lock().unwrap().recv().unwrap()
        }
    }

    /// What a batch held, and the numbers of its frames.
    type Sent = (String, Vec<u64>);

    fn start() -> (RunLogs, Receiver<Sent>, Sender<LogAnswer>) {
        let (sent, heard) = channel();
        let (answer, answers) = channel();
        let sink = Told {
            sent: Mutex::new(sent),
            answers: Mutex::new(answers),
        };
        (RunLogs::start(Arc::new(sink)).unwrap(), heard, answer)
    }

    fn taken(last: u64) -> LogAnswer {
        LogAnswer::Taken {
            id: "id".to_owned(),
            last,
        }
    }

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn what_is_printed_is_sent_by_itself_and_again_after_the_scheduler_was_away() {
        let (logs, heard, answer) = start();
        let log = logs.begin("task", Some(3), Private::default());
        log.push(&LogSource::Stdout, b"one\n");
        let one = ("one\n".to_owned(), vec![1]);
        assert_eq!(heard.recv_timeout(PATIENCE), Ok(one.clone()));
        log.push(&LogSource::Stdout, b"two\n");
        answer.send(LogAnswer::Away).unwrap();
        let both = ("one\ntwo\n".to_owned(), vec![1, 2]);
        assert_eq!(heard.recv_timeout(PATIENCE), Ok(both));
        answer.send(taken(2)).unwrap();
        logs.finish(&log, PATIENCE);
    }

    #[test]
    fn the_end_of_a_run_waits_for_what_is_left_unless_the_scheduler_is_away() {
        let (logs, heard, answer) = start();
        let log = logs.begin("task", None, Private::default());
        log.record(20, "logger", "bye");
        answer.send(taken(1)).unwrap();
        logs.finish(&log, PATIENCE);
        assert_eq!(heard.try_recv().unwrap().0, "bye\n");
        let log = logs.begin("other", None, Private::default());
        log.record(20, "logger", "bye");
        answer.send(LogAnswer::Away).unwrap();
        let begun = Instant::now();
        logs.finish(&log, PATIENCE);
        assert!(begun.elapsed() < PATIENCE);
    }

    #[test]
    fn a_scheduler_without_logs_is_not_asked_again() {
        let (logs, heard, answer) = start();
        let log = logs.begin("task", None, Private::default());
        log.push(&LogSource::Stderr, b"x");
        answer.send(LogAnswer::NoLogs).unwrap();
        logs.finish(&log, PATIENCE);
        log.push(&LogSource::Stderr, b"y");
        let next = logs.begin("next", None, Private::default());
        next.push(&LogSource::Stderr, b"z");
        logs.finish(&next, PATIENCE);
        assert_eq!(heard.try_iter().count(), 1);
    }
}
