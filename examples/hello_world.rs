//! The smallest pipeline: one task, one file.
//!
//! `cargo run --release --example hello_world -- HelloWorldTask --local-scheduler`

use condotta::prelude::*;

/// Greets the world, once.
#[derive(Task)]
struct HelloWorldTask;

#[task]
impl Task for HelloWorldTask {
    fn output(&self) -> LocalTarget {
        LocalTarget::new("hello.txt")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(run.output().write("Hello World")?)
    }
}

fn main() -> ExitCode {
    condotta::run()
}
