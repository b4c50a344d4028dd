//! Servers and other processes for tests. Servers in databases' own packages are started from here; those that are
//! programs of this package are each behind a feature, so that nobody else builds them.
//!
//! Whatever goes wrong here fails a test, by panicking.

pub mod certificates;
pub mod child;
pub mod databases;
pub mod kubernetes;
pub mod life;
pub mod slurm;
pub mod stores;

use std::{
    thread,
    time::{Duration, Instant},
};

/// Waits until something is so; much longer than it takes.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
