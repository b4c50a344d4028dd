//! What the chores around the Python package share: interpreters, virtual environments, the wheel.

mod judge;
mod report;
mod suite;
mod table;
mod upstream;
mod venv;
mod wheel;

pub(crate) use judge::Options as JudgeOptions;
pub(crate) use suite::{package, python, versions};
pub(crate) use upstream::run as upstream_tests;
