//! Random lists of requests, with every index recounted after each and every choice compared with a
//! naive one.

#![expect(clippy::unwrap_used, reason = "an unexpected refusal fails the test")]

mod attempts;
mod cancel;
mod dead_ends;
mod kept;
mod memory;
mod model;
mod random;
mod records;
mod reports;
mod step;
mod wakeups;
mod why;
mod why_agrees;
mod why_far;
