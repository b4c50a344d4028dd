//! A run on another machine, whose engine and other side are both in this process.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use condotta_worker::{
    BoxError, RunContext, WorkerConfig, WorkerOptions,
    elsewhere::{Call, Engine, Engines, sent},
};

use crate::{fake::Fake, tasks::Memory, worker};

/// Writes down what a run says, and says itself how the job stands.
struct Words {
    folder: PathBuf,
    before: &'static str,
}

impl Engine for Words {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn run(&self, call: &Call<'_>, context: &RunContext<'_>) -> Result<(), BoxError> {
        context.set_status_message("job 1: pending");
        let words = Path::new(&call.arguments[1]).with_file_name("words");
        let result = r#"{"Result":{"status":"DONE","expl":"null","missing":[],"requirements":[]}}"#;
        fs::write(&words, self.before)?;
        context.set_status_message("job 1: running");
        fs::write(&words, format!("{}{result}\n", self.before))?;
        context.set_status_message("job 1: ended");
        Ok(())
    }
}

impl Engines for Words {
    fn engine(&self, _: &str) -> Option<&dyn Engine> {
        Some(self)
    }

    fn arguments(&self) -> &[String] {
        &[]
    }
}

/// The status messages that the scheduler hears, in order.
fn status_messages(before: &'static str) -> Vec<String> {
    assert!(sent().unwrap().is_none(), "this process is a worker");
    let folder = tempfile::tempdir().unwrap();
    let engines = Words {
        folder: folder.path().to_owned(),
        before,
    };
    let options = WorkerOptions {
        engines: Some(Arc::new(engines)),
        ..WorkerOptions::default()
    };
    let scheduler = Arc::new(Fake::default());
    let mut worker = worker(&scheduler, WorkerConfig::default(), options);
    worker.add(Memory::new("There").share()).unwrap();
    assert!(worker.run().unwrap());
    let log = scheduler.log().into_iter();
    log.filter_map(|line| Some(line.split_once(" says ")?.1.to_owned()))
        .collect()
}

#[test]
fn an_engine_tells_how_its_job_stands() {
    let said = ["job 1: pending", "job 1: running", "job 1: ended"];
    assert_eq!(status_messages(""), said);
}

#[test]
fn what_a_run_says_of_itself_is_not_replaced_by_how_its_job_stands() {
    let word = "{\"StatusMessage\":{\"message\":\"half way\"}}\n";
    assert_eq!(status_messages(word), ["job 1: pending", "half way"]);
}
