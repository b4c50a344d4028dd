//! Tasks that differ in a parameter with a batch method run as one.

#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test")]

use std::sync::Mutex;

use condotta::{BuildOptions, Category, prelude::*, target::MemoryTarget};

static RUNS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Loads everything up to a day.
#[derive(Task, Clone)]
struct Load {
    #[param(batch_method = max)]
    day: Date,
    #[param(batch_method = concat)]
    sources: Vec<String>,
    region: String,
}

#[task]
impl Task for Load {
    fn output(&self) -> Vec<MemoryTarget> {
        self.sources
            .iter()
            .map(|source| MemoryTarget::new(source.as_str()))
            .collect()
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        RUNS.lock()
            .unwrap()
            .push(AnyTask::new(self.clone()).display_name());
        for source in run.output() {
            source.write("")?;
        }
        Ok(())
    }
}

fn load(day: i8, source: &str, region: &str) -> Load {
    Load {
        day: Date::constant(2013, 7, day),
        sources: vec![source.to_owned()],
        region: region.to_owned(),
    }
}

#[test]
fn what_differs_only_there_is_joined() {
    let tasks = [
        load(1, "a", "north"),
        load(3, "b", "north"),
        load(2, "c", "north"),
        load(4, "d", "south"),
    ];
    let result = condotta::build(tasks, BuildOptions::new().local_scheduler()).unwrap();
    assert!(result.succeeded(), "{}", result.summary_text());
    let mut runs = RUNS.lock().unwrap().clone();
    runs.sort_unstable();
    assert_eq!(
        runs,
        [
            "Load(day=2013-07-03, sources=[\"a\", \"b\", \"c\"], region=north)",
            "Load(day=2013-07-04, sources=[\"d\"], region=south)",
        ]
    );
    assert_eq!(
        result.summary().tasks(Category::Completed).len(),
        4,
        "{}",
        result.summary_text()
    );
}
