//! Who is told what happens: mails to a real mail server, messages to real receivers of webhooks, metrics to the
//! parser of Prometheus's own library. The tasks fail on stock Luigi's workers.

#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod certificate;
mod hooks;
mod mails;
mod metrics;
mod postman;
#[path = "../processes/mod.rs"]
mod processes;
mod receiver;
mod story;
