//! A small pipeline, planned and run by a worker with a scheduler in the process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use condotta::{event, prelude::*};
use condotta_worker::{LocalScheduler, Scheduler, TaskHandle, Worker, WorkerConfig, WorkerOptions};

/// Counts the letters of a word.
#[derive(Task)]
struct Letters {
    folder: String,
    word: String,
}

#[task]
impl Task for Letters {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("{}/{}", self.folder, self.word))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(run.output().write(self.word.len())?)
    }
}

/// Adds up what its children counted, and asks for one more while it runs.
#[derive(Task)]
struct Sum {
    folder: String,
    broken: bool,
}

#[task]
impl Task for Sum {
    fn requires(&self) -> [Letters; 2] {
        ["hello", "world"].map(|word| self.letters(word))
    }

    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("{}/sum", self.folder))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let third = run.require(self.letters("again"))?;
        if self.broken {
            return Err("broken on purpose".into());
        }
        let mut sum: usize = third.read()?;
        for letters in run.input() {
            sum += letters.read::<usize>()?;
        }
        Ok(run.output().write(sum)?)
    }
}

impl Sum {
    fn letters(&self, word: &str) -> Letters {
        Letters {
            folder: self.folder.clone(),
            word: word.to_owned(),
        }
    }
}

/// Plans and runs a task; returns the summary.
fn build(task: impl Task) -> String {
    let config = WorkerConfig {
        wait_interval: 0.01,
        wait_jitter: 0.0,
        ..WorkerConfig::default()
    };
    let options = WorkerOptions {
        events: event::listeners(),
        ..WorkerOptions::default()
    };
    let scheduler = LocalScheduler::new(condotta_scheduler::Config::default(), BTreeMap::new());
    let scheduler: Arc<dyn Scheduler> = Arc::new(scheduler);
    let mut worker = Worker::new(scheduler, config, options).unwrap();
    worker.add(TaskHandle::from(AnyTask::new(task))).unwrap();
    worker.run().unwrap();
    worker.summary().to_string()
}

#[test]
fn a_pipeline_runs_what_is_missing_and_tells_its_listeners() {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let (words, failures) = (Arc::clone(&heard), Arc::clone(&heard));
    condotta::on_task(EventKind::Success, move |letters: &Letters, _| {
        words.lock().unwrap().push(letters.word.clone());
    });
    condotta::on(EventKind::Failure, move |event| {
        failures
            .lock()
            .unwrap()
            .push(format!("{:?} failed", event.task.family()));
    });
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap().to_owned();

    let summary = build(Sum {
        folder: folder.clone(),
        broken: true,
    });
    assert!(
        summary.contains("* 3 ran successfully:\n    - 3 Letters("),
        "{summary}"
    );
    assert!(summary.contains("* 1 failed:\n    - 1 Sum("), "{summary}");
    let mut heard = std::mem::take(&mut *heard.lock().unwrap());
    heard.sort_unstable();
    assert_eq!(heard, ["\"Sum\" failed", "again", "hello", "world"]);

    let summary = build(Sum {
        folder: folder.clone(),
        broken: false,
    });
    assert!(
        summary.contains("* 2 complete ones were encountered:\n    - 2 Letters("),
        "{summary}"
    );
    assert!(
        summary.contains("* 1 ran successfully:\n    - 1 Sum("),
        "{summary}"
    );
    assert_eq!(
        LocalTarget::new(format!("{folder}/sum"))
            .read::<usize>()
            .unwrap(),
        15
    );

    let summary = build(Sum {
        folder,
        broken: false,
    });
    assert!(
        summary.contains("* 1 complete ones were encountered:\n    - 1 Sum("),
        "{summary}"
    );
    assert!(summary.contains("Did not run any tasks"), "{summary}");
}
