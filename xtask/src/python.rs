//! What the chores around the Python package share: interpreters, virtual environments, the wheel.

mod bench;
mod judge;
mod report;
mod suite;
mod table;
mod third_party;
mod upstream;
mod venv;
mod wheel;

pub(crate) use bench::run as bench;
pub(crate) use judge::Options as JudgeOptions;
pub(crate) use suite::{kubernetes, package, python, slurm, spark, versions, worker_python};
pub(crate) use third_party::{list as third_party_list, run as third_party};
pub(crate) use upstream::run as upstream_tests;
