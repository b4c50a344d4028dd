//! The process around the scheduler: clock, requests over HTTP, stored state.
//!
//! Everything that is decided is decided in `condotta-scheduler`; this crate carries requests to it,
//! makes what they changed durable before it answers, and tells the time.

pub mod access;
pub mod api;
pub mod audit;
pub mod clock;
pub mod driver;
mod expl;
mod history;
pub mod http;
pub mod listen;
pub mod logs;
pub mod metrics;
mod names;
pub mod notify;
pub mod observer;
mod seldom;
mod serve;
pub mod state;
#[cfg(test)]
mod testing;

pub use condotta_history::attempt_id;
pub use serve::{ServeError, Server, ServerConfig};
