//! What runs print reaches the scheduler, and runs are ended on demand.

use std::sync::Arc;

use condotta_scheduler::{Status, WorkerMessage};
use condotta_worker::{TaskHandle, WorkerConfig, WorkerOptions};

use crate::{fake::Fake, last_report, lives, pids, pipeline::task, wait_for, worker};

fn keeping() -> Arc<Fake> {
    let scheduler = Arc::new(Fake::default());
    scheduler.state().keeps_logs = true;
    scheduler
}

fn config(force_multiprocessing: bool) -> WorkerConfig {
    WorkerConfig {
        force_multiprocessing,
        ping_interval: 0.01,
        ..WorkerConfig::default()
    }
}

fn run(scheduler: &Arc<Fake>, config: WorkerConfig, processes: usize, task: TaskHandle) {
    let options = WorkerOptions {
        processes,
        ..WorkerOptions::default()
    };
    let mut worker = worker(scheduler, config, options);
    worker.add(task).unwrap();
    worker.run().unwrap();
}

fn text(scheduler: &Fake, from: &str) -> String {
    let state = scheduler.state();
    let printed = state.printed.iter();
    let of = printed.filter(|(_, source, _)| *source == from);
    of.map(|(_, _, text)| text.as_str()).collect()
}

#[test]
fn what_a_child_and_its_programs_print_is_sent_before_its_end_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let scheduler = keeping();
    run(
        &scheduler,
        config(true),
        1,
        task("Prints", dir.path()).share(),
    );
    assert_eq!(last_report(&scheduler, "Prints").status, Status::Done);
    let out = text(&scheduler, "stdout");
    assert!(
        out.contains("printed\n") && out.contains("said by a program\n"),
        "{out}"
    );
    assert!(text(&scheduler, "stderr").contains("complained\n"));
}

#[test]
fn a_worker_that_is_told_so_sends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let scheduler = keeping();
    let config = WorkerConfig {
        send_logs: false,
        ..config(true)
    };
    run(&scheduler, config, 1, task("Prints", dir.path()).share());
    assert_eq!(scheduler.state().printed, []);
}

#[test]
fn the_text_of_a_time_out_and_of_a_death_stands_in_the_log() {
    for (family, said) in [("Hangs", "timed out after"), ("ExitsWith3", "exit code 3")] {
        let dir = tempfile::tempdir().unwrap();
        let scheduler = keeping();
        let task = task(family, dir.path()).timeout(1.5).share();
        run(&scheduler, config(true), 1, task);
        let log = text(&scheduler, "log");
        assert!(log.contains(said), "{log}");
    }
}

/// Runs a task and asks for its end when it has begun.
fn cancel(scheduler: &Arc<Fake>, family: &str, in_child: bool, attempt: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let task = task(family, dir.path()).share();
    let message = WorkerMessage::CancelTask {
        task_id: task.task_id().to_owned(),
        attempt,
        by: "anna".to_owned(),
    };
    std::thread::scope(|scope| {
        scope.spawn(|| run(scheduler, config(in_child), 2, task));
        wait_for("it runs", || !pids(dir.path()).is_empty());
        scheduler.state().messages.push(message);
        wait_for("it is answered", || {
            !scheduler.state().cancel_answers.is_empty()
        });
        if attempt != 7 {
            std::fs::write(dir.path().join("open"), "").unwrap();
        }
    });
    dir
}

#[test]
fn a_child_is_ended_with_what_it_started() {
    let scheduler = keeping();
    let dir = cancel(&scheduler, "Hangs", true, 7);
    let report = last_report(&scheduler, "Hangs");
    let expl = report.expl.unwrap();
    assert_eq!(report.status, Status::Failed);
    assert_eq!(report.attempt, Some(7));
    assert!(expl.contains("was cancelled by anna."), "{expl}");
    assert!(!pids(dir.path()).iter().any(|pid| lives(pid)));
    let answers = scheduler.state().cancel_answers.clone();
    assert!(answers[0].contains("are being ended"), "{answers:?}");
    assert!(text(&scheduler, "log").contains("was cancelled by anna."));
}

#[test]
fn a_run_on_a_thread_is_asked_and_that_is_said() {
    let scheduler = keeping();
    cancel(&scheduler, "Gate", false, 7);
    let answers = scheduler.state().cancel_answers.clone();
    assert!(answers[0].contains("on a thread"), "{answers:?}");
    // It ended because it looked.
    assert_eq!(last_report(&scheduler, "Gate").status, Status::Done);
}

#[test]
fn another_attempt_is_not_meant() {
    let scheduler = keeping();
    cancel(&scheduler, "Gate", true, 6);
    let answers = scheduler.state().cancel_answers.clone();
    assert!(answers[0].contains("not run that attempt"), "{answers:?}");
    assert_eq!(last_report(&scheduler, "Gate").status, Status::Done);
}

#[test]
fn what_a_task_on_a_thread_logs_is_sent() {
    use tracing_subscriber::layer::SubscriberExt as _;

    let subscriber = tracing_subscriber::registry().with(condotta_worker::RunLayer);
    let dir = tempfile::tempdir().unwrap();
    let scheduler = keeping();
    // One worker runs its tasks on its own thread.
    tracing::subscriber::with_default(subscriber, || {
        run(
            &scheduler,
            config(false),
            1,
            task("Fails", dir.path()).share(),
        );
    });
    let log = text(&scheduler, "log");
    assert!(
        log.contains("running   ") && log.contains("no luck"),
        "{log}"
    );
}

#[test]
fn private_values_stay_with_the_worker_whatever_the_run_prints_says_and_fails_with() {
    use tracing_subscriber::layer::SubscriberExt as _;

    const SECRET: &str = "hunter22";
    for in_child in [true, false] {
        let subscriber = tracing_subscriber::registry().with(condotta_worker::RunLayer);
        let dir = tempfile::tempdir().unwrap();
        let scheduler = keeping();
        tracing::subscriber::with_default(subscriber, || {
            let task = task("Reveals", dir.path()).secret(SECRET).share();
            run(&scheduler, config(in_child), 1, task);
        });
        let report = last_report(&scheduler, "Reveals");
        assert_eq!(report.expl.as_deref(), Some("\"no luck with ***\""));
        assert!(!format!("{:?}", scheduler.state().requests).contains(SECRET));
        let said = format!("{:?}", scheduler.log());
        assert!(
            said.contains("says uses ***") && !said.contains(SECRET),
            "{said}"
        );
        let urls = scheduler
            .state()
            .requests
            .clone()
            .into_iter()
            .filter_map(|add| add.tracking_url);
        assert_eq!(urls.collect::<Vec<_>>(), ["http://anna:***@there"]);
        let printed = format!("{:?}", scheduler.state().printed);
        assert!(!printed.contains(SECRET), "{printed}");
        if in_child {
            let out = text(&scheduler, "stdout");
            assert!(out.ends_with("with ***\nwith *** in two parts\n"), "{out}");
        } else {
            let log = text(&scheduler, "log");
            assert!(
                log.contains("secret=***, place=***)") && log.contains("with ***"),
                "{log}"
            );
            // Viewers may read logs, but not see hidden parameters.
            assert!(!log.contains("place=cellar"), "{log}");
        }
    }
}
