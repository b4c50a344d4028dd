//! The command, as its users run it: real processes on free ports, each in a folder of its own.

#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

#[path = "../processes/mod.rs"]
mod processes;

mod background;
mod durability;
mod log;
mod odd_servers;
mod operate;
mod places;
mod reference;
mod start;
mod state;
mod token;
