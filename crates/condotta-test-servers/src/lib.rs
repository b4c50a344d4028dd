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
