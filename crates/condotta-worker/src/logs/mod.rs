//! What runs print, sent to a scheduler that keeps it, while they run.
//!
//! A run never waits for the scheduler: what it prints goes into a buffer of limited size, from which
//! one thread of the worker sends. What does not fit is dropped, and a note in its place says how much.
//! Pieces are numbered, so one that is sent twice is kept once. Lines go on when they are whole, so that records
//! stand between them.

mod buffer;
mod layer;
mod sender;
mod tee;
mod unfinished;

pub use buffer::RunLog;
pub use layer::{RunLayer, run_span};
pub use sender::{LogAnswer, LogBatch, LogSink, RunLogs};
pub(crate) use tee::{Tee, print};
