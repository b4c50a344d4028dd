//! A parent adds up what its children computed, each in a task and a file of its own.
//!
//! `cargo run --release --example parent_child -- ParentTask --local-scheduler`
//!
//! The results are in `target/parent_child`, or where `--presentation-folder` says.
//! With `--broken` the parent fails after its children have succeeded. Without it, the next run finds
//! the children's results and runs the parent alone.

mod expression;

use std::path::PathBuf;

use condotta::prelude::*;

/// Where the results are. A setting, so that it is not a parameter of each task.
#[derive(Config)]
#[config(section = "presentation")]
struct Presentation {
    /// The folder of the results.
    #[param(default = "target/parent_child")]
    folder: PathBuf,
}

fn result(name: &str) -> Result<LocalTarget, ParamError> {
    Ok(LocalTarget::new(Presentation::get()?.folder.join(name)))
}

/// Evaluates one expression into a file that is named like it.
#[derive(Task)]
struct ChildTask {
    /// The expression.
    my_param: String,
}

#[task]
impl Task for ChildTask {
    fn output(&self) -> Result<LocalTarget, ParamError> {
        result(&self.my_param)
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(run.output().write(expression::evaluate(&self.my_param)?)?)
    }
}

/// Adds up what its children computed.
#[derive(Task)]
struct ParentTask {
    /// Fail instead.
    #[param(significant = false)]
    broken: bool,
}

#[task]
impl Task for ParentTask {
    fn requires(&self) -> [ChildTask; 2] {
        ["4+6", "len(\"Hello world\")"].map(|expression| ChildTask {
            my_param: expression.into(),
        })
    }

    fn output(&self) -> Result<LocalTarget, ParamError> {
        result("final_result")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        if self.broken {
            return Err("the parent is broken, as --broken asked for".into());
        }
        let mut sum = 0;
        for child in run.input() {
            sum += child.read::<i64>()?;
        }
        Ok(run.output().write(sum)?)
    }
}

fn main() -> ExitCode {
    condotta::run()
}
