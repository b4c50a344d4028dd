//! The weather with real services around it: PostgreSQL at both ends, Spark for the filter, stores in between.
//! What comes of it is, to the byte, what comes of the run that needs nothing.
//!
//! `cargo xtask test weather` brings the services.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod in_stores;
#[path = "../it/installed_spark.rs"]
mod installed_spark;
mod on_postgres;
#[allow(dead_code, reason = "the other tests use more of it")]
#[path = "../it/program.rs"]
mod program;
#[allow(dead_code, reason = "the other tests use more of it")]
#[path = "../it/server.rs"]
mod server;
