//! The shapes of the DSL, as a user writes them.

#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test")]

use condotta::prelude::*;

/// Evaluates one expression into a file.
#[derive(Task)]
struct Child {
    expression: String,
}

#[task]
impl Task for Child {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("results/{}", self.expression))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(run.output().write(self.expression.len())?)
    }
}

/// Adds up what its children wrote.
#[derive(Task)]
struct Parent;

#[task]
impl Task for Parent {
    fn requires(&self) -> [Child; 2] {
        ["4+6", "len(\"Hello world\")"].map(|e| Child {
            expression: e.into(),
        })
    }

    fn output(&self) -> LocalTarget {
        LocalTarget::new("results/final")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let mut sum = 0;
        for child in run.input() {
            sum += child.read::<i64>()?;
        }
        Ok(run.output().write(sum)?)
    }
}

#[derive(Task)]
struct HelloWorldTask;

#[task]
impl Task for HelloWorldTask {
    fn run(&self) {
        println!("Hello");
    }
    fn complete(&self) -> bool {
        false
    }
    fn priority(&self) -> i32 {
        3
    }
    fn resources(&self) -> [(&str, u64); 1] {
        [("db", 1)]
    }
}

#[derive(Task)]
struct Nothing;
#[task]
impl Task for Nothing {}

#[test]
fn tasks_are_known_by_family() {
    condotta::registry::check().unwrap();
    let class = condotta::registry::find("Child").unwrap();
    assert_eq!(class.description, "Evaluates one expression into a file.");
    assert_eq!(Parent.task_id(), "Parent__99914b932b");
}
