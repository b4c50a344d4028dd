//! Real programs: what they print, how they fail, and that nothing is left of them.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod calls;
mod ending;
mod hadoop;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use condotta_programs::{Detached, Program};

/// A shell with a script.
pub fn shell<'a>(attempt: &'a Detached, script: &str) -> Program<'a> {
    Program::new("sh", attempt).arg("-c").arg(script)
}

/// Waits until `condition` holds; a test that waits for long has failed.
pub fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process is there and no zombie.
pub fn lives(id: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().unwrap().starts_with('Z'))
}

/// The process ids that were written into a file, one a line.
pub fn ids(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
