//! Servers for tests. Those in databases' own packages are started from here; those that are programs of this
//! package are each behind a feature, so that nobody else builds them.
//!
//! Whatever goes wrong here fails a test, by panicking.

pub mod certificates;
pub mod databases;
pub mod kubernetes;
pub mod slurm;
pub mod stores;
