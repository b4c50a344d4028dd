//! What breaks luigid does not break our server: real processes that are killed, starved and flooded.
//!
//! `docs/failures.md` lists every such failure with the tests that show what holds instead, here and
//! elsewhere.

#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

#[path = "../processes/mod.rs"]
mod processes;

mod bad_requests;
mod browsers;
mod clients;
mod corpus;
mod dead_ends;
mod deep_and_huge;
mod large_states;
mod returning_workers;
mod stale_reports;
mod stored_state;
mod table;
mod wire;
