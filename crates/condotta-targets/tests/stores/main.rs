//! One suite of behaviour over all stores, on real servers that the tests start.
//!
//! Run by `cargo xtask test storage`, which brings the servers; what a store cannot do is not asked of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod azure;
mod child;
#[path = "../behaviour/content.rs"]
mod content;
mod faults;
mod ftp;
mod gcs;
mod hdfs;
mod http;
mod https;
mod proxy;
mod s3;
mod sftp;
mod suite;
mod webhdfs;

use condotta_test_servers::stores as servers;
