//! The DSL as its users see it.

#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test")]

mod families;
mod parameters;
mod pipeline;
mod running;
mod task_ids;
mod ui;
mod values;
