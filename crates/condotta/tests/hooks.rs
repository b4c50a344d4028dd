//! What a task does after its run, as it happens in a whole run.
//!
//! A program of its own, for `build` sets the settings of the whole process.

#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test")]

use std::sync::Mutex;

use condotta::{BuildOptions, Category, prelude::*};

static CALLS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Succeeds or fails, in its run or afterwards.
#[derive(Task)]
struct Hooked {
    name: String,
    fails: bool,
    fails_afterwards: bool,
}

impl Hooked {
    fn note(&self, what: &str) {
        CALLS.lock().unwrap().push(format!("{} {what}", self.name));
    }
}

#[task]
impl Task for Hooked {
    fn run(&self, _run: &Run<Self>) -> Result<()> {
        self.note("ran");
        if self.fails {
            return Err("no luck".into());
        }
        Ok(())
    }

    fn on_success(&self) -> Result<Option<String>> {
        self.note("succeeded");
        if self.fails_afterwards {
            return Err("no luck afterwards".into());
        }
        Ok(None)
    }

    fn on_failure(&self, error: &condotta::Error) -> String {
        self.note(&format!("failed: {error}"));
        error.to_string()
    }
}

#[test]
fn a_task_hears_how_its_run_ended() {
    let hooked = |name: &str, fails, fails_afterwards| Hooked {
        name: name.to_owned(),
        fails,
        fails_afterwards,
    };
    let tasks = [
        hooked("well", false, false),
        hooked("badly", true, false),
        hooked("late", false, true),
    ];
    let result = condotta::build(tasks, BuildOptions::new().local_scheduler()).unwrap();
    assert_eq!(result.summary().tasks(Category::Completed).len(), 1);
    assert_eq!(result.summary().tasks(Category::Failed).len(), 2);
    let calls = CALLS.lock().unwrap();
    let of = |name: &str| -> Vec<String> {
        let calls = calls.iter().filter_map(|call| call.strip_prefix(name));
        calls.map(|call| call.trim().to_owned()).collect()
    };
    assert_eq!(of("well"), ["ran", "succeeded"]);
    assert_eq!(of("badly"), ["ran", "failed: no luck"]);
    assert_eq!(
        of("late"),
        ["ran", "succeeded", "failed: no luck afterwards"]
    );
}
