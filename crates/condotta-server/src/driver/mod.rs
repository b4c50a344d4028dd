//! The one thread that owns the scheduler, and how others reach it.
//!
//! Every request becomes a message to that thread, so requests are answered one after the other and
//! none sees another half done. What a request changed is handed to a second thread, which makes it
//! durable and lets the answer go. Knows nothing of HTTP.

mod committer;
mod error;
mod handle;
mod main_loop;
mod message;
mod reading;
mod recovery;
mod snapshot;
mod waiting;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
};

use condotta_history::{Recorder, Waiting};
use condotta_protocol::dispatch;
use condotta_scheduler::{Config, Timestamp};
use tokio::sync::oneshot;

pub use error::DriverError;
pub use handle::{CallError, Handle, Reply};
pub(crate) use message::Message;
pub(crate) use reading::Steps;

use crate::{
    metrics::Meters,
    observer::{Log, Observer},
    state::OpenReport,
};
use main_loop::{Ask, MainLoop, Setup};
use recovery::Recovery;

/// What the scheduler's thread is given.
pub struct DriverConfig {
    /// The scheduler's settings.
    pub scheduler: Config,
    /// The limits of resources.
    pub limits: BTreeMap<String, u64>,
    /// Where the state is kept.
    pub state_dir: PathBuf,
    /// How far the journal grows, in bytes, until a snapshot is taken. It may grow further, by as
    /// much as the state is large.
    pub snapshot_after_bytes: u64,
    /// Who hears of what happens.
    pub observers: Vec<Box<dyn Observer>>,
    /// Where it is counted what the journal does.
    pub meters: Arc<Meters>,
    /// The history, to be opened when the state was read, and to be closed last.
    pub history: Option<Waiting>,
}

/// The scheduler's thread.
pub struct Driver {
    messages: mpsc::Sender<Message>,
    thread: thread::JoinHandle<Result<(), DriverError>>,
    ended: oneshot::Receiver<()>,
    report: OpenReport,
    recorder: Option<Recorder>,
}

impl Driver {
    /// Reads the stored state and starts the thread; calls to `handle` are answered from then on.
    ///
    /// # Errors
    ///
    /// When the state cannot be read or written, or the history cannot be opened. Nothing was changed
    /// then.
    pub fn start(config: DriverConfig, handle: &Handle) -> Result<Self, DriverError> {
        Self::start_with(config, handle, dispatch)
    }

    fn start_with(config: DriverConfig, handle: &Handle, ask: Ask) -> Result<Self, DriverError> {
        let mut observers: Vec<Box<dyn Observer>> = vec![Box::new(Log)];
        observers.extend(config.observers);
        let setup = Setup {
            recovery: Recovery {
                config: Config {
                    keep_events: true,
                    keep_changes: true,
                    keep_wakeups: true,
                    ..config.scheduler
                },
                limits: config.limits,
                state_dir: config.state_dir,
            },
            observers,
            snapshot_after_bytes: config.snapshot_after_bytes,
            meters: config.meters,
            ask,
        };
        let recovered = setup.recovery.recover(Timestamp::default())?;
        let report = recovered.report.clone();
        let recorder = config.history.map(Waiting::start).transpose()?;
        let (messages, received) = mpsc::channel();
        let main_loop = MainLoop::new(setup, recovered, (messages.clone(), received))?;
        let (at_the_end, ended) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("scheduler".to_owned())
            .spawn(move || {
                // Dropped in a panic, too.
                let _at_the_end: oneshot::Sender<()> = at_the_end;
                main_loop.run()
            })
            .map_err(DriverError::Thread)?;
        handle.open(messages.clone());
        Ok(Self {
            messages,
            thread,
            ended,
            report,
            recorder,
        })
    }

    /// What was found in the state directory at the start.
    #[must_use]
    pub fn report(&self) -> &OpenReport {
        &self.report
    }

    /// Answers what was asked so far, makes it durable, and ends the thread.
    ///
    /// # Errors
    ///
    /// When the last changes could not be stored; nobody was told that they were.
    pub fn stop(self) -> Result<(), DriverError> {
        let _ = self.messages.send(Message::Stop);
        let ended = self.thread.join();
        // Whoever told it something is gone.
        if let Some(recorder) = self.recorder {
            recorder.close();
        }
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Lets nobody wait for work any more, so that connections come to an end.
    pub fn close(&self) {
        let _ = self.messages.send(Message::Close);
    }

    /// Returns when the thread ended by itself, which it does when its state cannot be trusted any
    /// more; [`stop`](Self::stop) says why.
    pub async fn ended(&mut self) {
        let _ = (&mut self.ended).await;
    }
}

#[cfg(test)]
mod tests;
