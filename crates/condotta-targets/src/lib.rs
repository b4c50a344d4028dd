//! Targets: where a task's output is, written all or nothing.
