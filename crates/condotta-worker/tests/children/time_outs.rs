//! What comes of tasks in child processes.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use condotta_scheduler::{Status, WorkerMessage};
use condotta_worker::{
    EventDetail, StopLevel, TaskHandle, WorkerConfig, WorkerEvents, WorkerOptions,
};

use crate::{fake::Fake, last_report, lives, pids, pipeline::task, wait_for, worker};

fn forced() -> WorkerConfig {
    WorkerConfig {
        force_multiprocessing: true,
        ..WorkerConfig::default()
    }
}

/// Runs one task in a child process. Returns the status and the text reported at the end.
fn run(task: TaskHandle, config: WorkerConfig, options: WorkerOptions) -> (Status, String) {
    let scheduler = Arc::new(Fake::default());
    let family = task.family().to_owned();
    let mut worker = worker(&scheduler, config, options);
    worker.add(task).unwrap();
    worker.run().unwrap();
    let report = last_report(&scheduler, &family);
    (report.status, report.expl.unwrap())
}

fn heard(events: &WorkerEvents) -> Arc<Mutex<Vec<String>>> {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    events.on_any({
        let heard = Arc::clone(&heard);
        move |event| {
            let text = match event.detail {
                EventDetail::Failure { error } => error.to_string(),
                EventDetail::Progress { message }
                | EventDetail::Timeout { message }
                | EventDetail::ProcessFailure { message } => message.to_owned(),
                _ => String::new(),
            };
            let name = event.kind().name().trim_start_matches("event.core.");
            heard.lock().unwrap().push(format!("{name} {text}"));
        }
    });
    heard
}

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap()
}

#[test]
fn a_child_runs_the_task_and_its_words_come_back() {
    let dir = dir();
    let scheduler = Arc::new(Fake::default());
    let options = WorkerOptions::default();
    let events = heard(&options.events);
    let task = task("Talker", dir.path()).secret("private").share();
    let id = task.task_id().to_owned();
    let mut worker = worker(&scheduler, forced(), options);
    worker.add(task).unwrap();
    assert!(worker.run().unwrap());
    let written = read(dir.path(), "Talker");
    let (pid, secret) = written.split_once(' ').unwrap();
    assert_ne!(pid, std::process::id().to_string());
    assert_eq!(secret, "private", "private parameters reach the child");
    let log = scheduler.log();
    for said in [
        format!("{id} says half way"),
        format!("{id} is at 50"),
        format!("{id} gives back {{\"seat\": 1}}"),
        format!("{id} RUNNING runnable"),
        format!("{id} DONE report"),
    ] {
        assert!(log.contains(&said), "{said}: {log:?}");
    }
    let events = events.lock().unwrap();
    assert_eq!(
        *events,
        ["start ", "progress said", "processing_time ", "success "]
    );
}

#[test]
fn a_time_out_ends_the_child_and_what_it_started() {
    for (family, grace) in [("Hangs", 30.0), ("Stubborn", 0.2)] {
        let dir = dir();
        let options = WorkerOptions {
            kill_grace: Duration::from_secs_f64(grace),
            ..WorkerOptions::default()
        };
        let events = heard(&options.events);
        let task = task(family, dir.path()).timeout(1.5).share();
        let id = task.task_id().to_owned();
        let (status, expl) = run(task, WorkerConfig::default(), options);
        let text = format!("Task {id} timed out after 1.5 seconds and was terminated.");
        assert_eq!((status, expl), (Status::Failed, format!("{text:?}")));
        let pids = pids(dir.path());
        assert_eq!(pids.len(), 2);
        assert!(!pids.iter().any(|pid| lives(pid)), "{family}");
        assert_eq!(
            *events.lock().unwrap(),
            ["start ".to_owned(), format!("timeout {text}")]
        );
    }
}

#[test]
fn the_configured_time_out_is_for_tasks_that_do_not_say() {
    let dir = dir();
    let config = WorkerConfig {
        timeout: 1,
        ..WorkerConfig::default()
    };
    let (_, expl) = run(
        task("Hangs", dir.path()).share(),
        config,
        WorkerOptions::default(),
    );
    assert!(
        expl.contains("timed out after 1 seconds and was terminated."),
        "{expl}"
    );
}

#[test]
fn a_child_that_dies_is_a_failure() {
    for (family, code) in [("Exits", 0), ("ExitsWith3", 3), ("Aborts", -6)] {
        let dir = dir();
        let options = WorkerOptions::default();
        let events = heard(&options.events);
        let task = task(family, dir.path()).share();
        let text = format!(
            "Task {} died unexpectedly with exit code {code}",
            task.task_id()
        );
        let (status, expl) = run(task, forced(), options);
        assert_eq!((status, expl), (Status::Failed, format!("{text:?}")));
        let failure = format!("process_failure {text}");
        assert_eq!(*events.lock().unwrap(), ["start ".to_owned(), failure]);
    }
}

#[test]
fn failures_and_panics_in_a_child_come_with_their_text() {
    for (family, text) in [
        ("Fails", "no luck"),
        ("Panics", "panicked: out of luck (at "),
    ] {
        let dir = dir();
        let options = WorkerOptions::default();
        let events = heard(&options.events);
        let (status, expl) = run(task(family, dir.path()).share(), forced(), options);
        assert_eq!(status, Status::Failed);
        assert!(expl.contains(text), "{expl}");
        let events = events.lock().unwrap();
        assert!(
            events[1].starts_with(&format!("failure {text}")),
            "{events:?}"
        );
    }
}

#[test]
fn a_missing_input_is_noticed_in_a_child() {
    let dir = dir();
    let task = task("NeedsLiar", dir.path()).share();
    let (status, expl) = run(task, forced(), WorkerOptions::default());
    assert_eq!(status, Status::Failed);
    assert!(
        expl.contains("Unfulfilled dependency at run time: Liar_"),
        "{expl}"
    );
    assert!(expl.ends_with("(Liar)\""), "{expl}");
}

#[test]
fn a_task_that_cannot_be_built_in_the_child_fails() {
    let dir = dir();
    let task = task("Unbuildable", dir.path()).share();
    let (status, expl) = run(task, forced(), WorkerOptions::default());
    assert_eq!(status, Status::Failed);
    assert!(expl.contains("it was never meant to be"), "{expl}");
}

#[test]
fn what_a_child_needs_runs_first_with_all_its_parameters() {
    let dir = dir();
    let options = WorkerOptions {
        processes: 2,
        ..WorkerOptions::default()
    };
    let (status, _) = run(task("Suspends", dir.path()).share(), forced(), options);
    assert_eq!(status, Status::Done);
    assert!(read(dir.path(), "Talker").ends_with(" handed on"));
    assert_eq!(read(dir.path(), "Suspends"), "found");
}

#[test]
fn a_message_reaches_a_child_and_is_answered() {
    let dir = dir();
    let scheduler = Arc::new(Fake::default());
    let options = WorkerOptions::default();
    let task = task("Listener", dir.path()).share();
    let id = task.task_id().to_owned();
    options.events.on(condotta_worker::EventKind::Start, {
        let scheduler = Arc::clone(&scheduler);
        move |event| {
            scheduler
                .state()
                .messages
                .push(WorkerMessage::DispatchSchedulerMessage {
                    task_id: event.task.task_id().to_owned(),
                    message_id: "m1".to_owned(),
                    content: "hello".to_owned(),
                });
        }
    });
    let config = WorkerConfig {
        ping_interval: 0.005,
        ..forced()
    };
    let mut worker = worker(&scheduler, config, options);
    worker.add(task).unwrap();
    assert!(worker.run().unwrap());
    assert!(
        scheduler
            .log()
            .contains(&format!("{id} answers m1: heard hello"))
    );
}

#[test]
fn stop_now_ends_children() {
    let dir = dir();
    let scheduler = Arc::new(Fake::default());
    let task = task("Hangs", dir.path()).share();
    let id = task.task_id().to_owned();
    let mut worker = worker(&scheduler, forced(), WorkerOptions::default());
    let stop = worker.stop_signal();
    worker.add(task).unwrap();
    let path = dir.path().to_owned();
    let operator = std::thread::spawn(move || {
        wait_for("the task runs", || pids(&path).len() == 2);
        assert_eq!(stop.interrupt(), StopLevel::Finish);
        assert_eq!(stop.interrupt(), StopLevel::Now);
    });
    assert!(!worker.run().unwrap());
    operator.join().unwrap();
    let report = last_report(&scheduler, "Hangs");
    let text = format!("\"Task {id} was stopped because the worker had to stop.\"");
    assert_eq!((report.status, report.expl), (Status::Failed, Some(text)));
    assert!(!pids(dir.path()).iter().any(|pid| lives(pid)));
}
