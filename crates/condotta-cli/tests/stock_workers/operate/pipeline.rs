//! A pipeline in Rust, for the page about operating: the tests' program becomes its worker, and the
//! children of that, where the environment says so.

use std::{path::Path, thread, time::Duration};

use condotta::prelude::*;

/// Set for processes that are to be workers.
pub(crate) const VARIABLE: &str = "PIPELINE_OF_TESTS";

/// Trains a model, which takes until the file `go` is there.
#[derive(Task)]
struct Train {
    /// On the data of which day.
    day: String,
}

#[task]
impl Task for Train {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("out/train-{}", self.day))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        println!("epoch 1 of {}", self.day);
        while !Path::new("go").exists() {
            thread::sleep(Duration::from_millis(10));
        }
        Ok(run.output().write("trained")?)
    }
}

/// The worker's whole life, if this process is to be one.
pub(crate) fn main() -> Option<ExitCode> {
    std::env::var_os(VARIABLE).map(|_| condotta::run())
}
