//! A parent adds up what its children computed, each in a task and a file of its own.
//!
//! `cargo run --release --example parent_child -- ParentTask --local-scheduler --folder out`
//!
//! With `--broken` the parent fails after its children have succeeded. Without it, the next run finds
//! the children's results and runs the parent alone.

mod expression;

use std::path::PathBuf;

use condotta::prelude::*;

/// Evaluates one expression into a file that is named like it.
#[derive(Task)]
struct ChildTask {
    /// Where the results are.
    folder: PathBuf,
    /// The expression.
    my_param: String,
}

#[task]
impl Task for ChildTask {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(self.folder.join(&self.my_param))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(run.output().write(expression::evaluate(&self.my_param)?)?)
    }
}

/// Adds up what its children computed.
#[derive(Task)]
struct ParentTask {
    /// Where the results are.
    #[param(default = "target/parent_child")]
    folder: PathBuf,
    /// Fail instead.
    #[param(significant = false)]
    broken: bool,
}

#[task]
impl Task for ParentTask {
    fn requires(&self) -> [ChildTask; 2] {
        ["4+6", "len(\"Hello world\")"].map(|expression| ChildTask {
            folder: self.folder.clone(),
            my_param: expression.into(),
        })
    }

    fn output(&self) -> LocalTarget {
        LocalTarget::new(self.folder.join("final_result"))
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
