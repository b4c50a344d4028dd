//! The command line from outside: a small pipeline is run as a process, in a folder of its own.

#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod build;
mod completion;
mod configuration;
mod display;
mod flags;
mod logs;
mod mail;
mod program;
mod return_codes;
mod signals;
mod stock;
