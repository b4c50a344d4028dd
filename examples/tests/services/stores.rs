//! The servers of the tests of stores.

#[path = "../../../crates/condotta-targets/tests/stores/servers/ftp.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
pub(crate) mod ftp;
#[path = "../../../crates/condotta-targets/tests/stores/servers/hadoop.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
pub(crate) mod hadoop;
#[path = "../../../crates/condotta-targets/tests/stores/servers/process.rs"]
mod process;
#[path = "../../../crates/condotta-targets/tests/stores/servers/s3.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
pub(crate) mod s3;
#[path = "../../../crates/condotta-targets/tests/stores/servers/ssh.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
pub(crate) mod ssh;

use process::{Server, free_port};
