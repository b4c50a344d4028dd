//! Makes changes durable, then lets their answers go.
//!
//! A thread of its own writes what the scheduler's thread changed. While it waits for the disk, more
//! requests are answered, and all of theirs share the next wait (group commit).

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use super::{
    CallError, DriverError, Reply,
    message::{Answer, Message},
};
use crate::{
    metrics::Meters,
    state::{StateError, Writer},
};

/// What is written together, and who waits for it.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) frames: Vec<u8>,
    pub(crate) answers: Vec<(Answer, Result<Reply, CallError>)>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.answers.is_empty()
    }
}

/// The journal, and where it is counted what it does.
struct Journal {
    writer: Writer,
    meters: Arc<Meters>,
}

impl Journal {
    fn write(&mut self, batch: &Batch) -> Result<(), StateError> {
        let began = Instant::now();
        self.writer.write(&batch.frames)?;
        let (bytes, requests) = (batch.frames.len(), batch.answers.len());
        self.meters.note_commit(bytes, requests, began.elapsed());
        Ok(())
    }
}

enum Order {
    Write(Batch),
    BeginSnapshot,
    /// The last one.
    Close,
    /// To be called once all that was ordered before is durable.
    Then(Box<dyn FnOnce() + Send>),
}

/// The other end of the committer's thread.
#[derive(Default)]
pub(crate) struct Committer {
    running: Option<(Sender<Order>, JoinHandle<Writer>)>,
}

impl Committer {
    /// Starts the thread. It says to `back` what does not go with an answer.
    pub(crate) fn start(
        writer: Writer,
        back: Sender<Message>,
        meters: Arc<Meters>,
    ) -> Result<Self, DriverError> {
        let journal = Journal { writer, meters };
        let (orders, received) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                let ran = catch_unwind(AssertUnwindSafe(|| run(journal, &received, &back)));
                ran.unwrap_or_else(|panic| {
                    let _ = back.send(Message::JournalPanicked);
                    resume_unwind(panic)
                })
            })
            .map_err(DriverError::Thread)?;
        Ok(Self {
            running: Some((orders, thread)),
        })
    }

    /// Has this written, and its answers sent then.
    pub(crate) fn write(&self, batch: Batch) {
        self.order(Order::Write(batch));
    }

    /// Has the journal go on in a new segment; the answer is a message.
    pub(crate) fn begin_snapshot(&self) {
        self.order(Order::BeginSnapshot);
    }

    /// Has the journal marked as whole, after all that was ordered before. Nothing may follow.
    pub(crate) fn close(&self) {
        self.order(Order::Close);
    }

    /// Has this called once all that was ordered before is durable; never if that fails.
    pub(crate) fn then(&self, done: impl FnOnce() + Send + 'static) {
        self.order(Order::Then(Box::new(done)));
    }

    /// After the end of the thread nobody listens: answers are dropped, which those who wait for
    /// them notice.
    fn order(&self, order: Order) {
        if let Some((orders, _)) = &self.running {
            let _ = orders.send(order);
        }
    }

    /// Has everything written, if the disk does not fail, and ends the thread.
    pub(crate) fn stop(&mut self) {
        if let Some((orders, thread)) = self.running.take() {
            drop(orders);
            if let Err(panic) = thread.join() {
                resume_unwind(panic);
            }
        }
    }
}

/// Ends when nobody can order any more, or when the disk fails.
fn run(mut journal: Journal, orders: &Receiver<Order>, back: &Sender<Message>) -> Writer {
    while let Ok(first) = orders.recv() {
        let waiting = std::iter::once(first).chain(orders.try_iter());
        if let Err(error) = obey(&mut journal, waiting, back) {
            // The scheduler's thread reads the state anew, or ends itself.
            let _ = back.send(Message::StateFailed(error));
            break;
        }
    }
    journal.writer
}

/// Everything in one write, up to where the order of things matters.
fn obey(
    journal: &mut Journal,
    orders: impl Iterator<Item = Order>,
    back: &Sender<Message>,
) -> Result<(), StateError> {
    let mut together = Batch::default();
    for order in orders {
        match order {
            Order::Write(batch) if together.is_empty() => together = batch,
            Order::Write(batch) => {
                together.frames.extend(batch.frames);
                together.answers.extend(batch.answers);
            }
            Order::BeginSnapshot => {
                commit(journal, std::mem::take(&mut together))?;
                let begun = journal.writer.begin_snapshot();
                let _ = back.send(match begun {
                    Ok(snapshot) => Message::SnapshotBegun(snapshot),
                    // The journal may still go on; if not, the next write says so.
                    Err(error) => Message::SnapshotEnded(Err(error)),
                });
            }
            Order::Close => {
                commit(journal, std::mem::take(&mut together))?;
                if let Err(error) = journal.writer.close() {
                    tracing::warn!(
                        "all is stored, but not that the server stopped in good order: {error}"
                    );
                }
            }
            Order::Then(done) => {
                commit(journal, std::mem::take(&mut together))?;
                done();
            }
        }
    }
    commit(journal, together)
}

fn commit(journal: &mut Journal, batch: Batch) -> Result<(), StateError> {
    if !batch.frames.is_empty()
        && let Err(error) = journal.write(&batch)
    {
        let reason = format!("what it was told cannot be stored: {error}");
        let reason: std::sync::Arc<str> = reason.into();
        for (answer, _) in batch.answers {
            let _ = answer.send(Err(CallError::NotStored(reason.clone())));
        }
        return Err(error);
    }
    for (answer, reply) in batch.answers {
        // Whoever asked may have gone meanwhile.
        let _ = answer.send(reply);
    }
    Ok(())
}
