//! What the chores around the Python package share: interpreters, virtual environments, the wheel.

mod report;
mod suite;
mod venv;
mod wheel;

pub(crate) use suite::{package, python, versions};
