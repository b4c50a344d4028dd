//! The history of every attempt: who ran which task, when, how it ended, and how long that took.
//!
//! [`Recorder`] takes what happens, bounded and without ever making its caller wait, and writes it
//! on a thread of its own; [`History`] answers questions. Both know SQLite, PostgreSQL and MySQL.
//! Nothing here decides anything, and nothing here knows of HTTP.

mod address;
mod attempt;
pub mod attempt_id;
mod buckets;
mod channel;
mod complaints;
mod database;
mod dialect;
mod durations;
mod error;
mod keys;
mod pack;
mod packing;
mod packs;
mod pages;
mod query;
mod reconcile;
mod recorder;
mod retention;
mod schema;
mod statements;
mod store;
mod texts;
mod totals;
mod writing;

pub use address::{Address, BadAddress};
pub use attempt::{Attempt, Began, Ended, Entry, Outcome, Standing};
pub use attempt_id::AttemptId;
pub use channel::{Backlog, Sender};
pub use durations::{Day, Durations, FamilyTotals};
pub use error::{DatabaseError, HistoryError};
pub use pages::{Filter, Found, Page};
pub use query::{Counts, History};
pub use recorder::{Recorder, Settings, Waiting};
