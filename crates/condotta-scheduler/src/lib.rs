//! The scheduler: which task runs next, on which worker.
//!
//! A pure state machine. Requests carry the time ([`Now`]), answers are values, and what happened
//! leaves as events. There is no clock, no randomness, no I/O and no thread in this crate, and no
//! request walks all tasks: equal requests give equal answers, byte for byte.

#![no_std]

extern crate alloc;

mod config;
mod error;
mod event;
mod reply;
mod request;
mod scheduler;
mod time;

pub use config::Config;
pub use error::Refusal;
pub use event::{DeadEnd, EmailKind, Event, HistoryMoment};
pub use reply::*;
pub use request::*;
pub use scheduler::{Answer, Scheduler};
pub use time::{Now, Timestamp};
