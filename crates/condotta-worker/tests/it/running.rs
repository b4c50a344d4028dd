//! What comes of runs: done, failed, suspended, missing inputs; and what a run can say.

use std::sync::{
    Arc, Barrier, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use condotta_scheduler::{Assignment, ParamValue, Recipe, Resources, Status, WorkerMessage};
use condotta_worker::{
    BoxError, Category, RunOutcome, StatusCode, TaskHandle, WorkerConfig, WorkerOptions,
};

use crate::{
    any,
    fake::Fake,
    quick,
    tasks::{Builders, Memory},
    worker, worker_with,
};

fn last_report(scheduler: &Fake, task_id: &str) -> condotta_scheduler::AddTask {
    let state = scheduler.state();
    let report = state
        .requests
        .iter()
        .rfind(|request| request.task_id == task_id);
    report.unwrap().clone()
}

#[test]
fn dependencies_run_first_and_reports_carry_the_attempt() {
    let scheduler = Arc::new(Fake::default());
    let order: Arc<Mutex<Vec<&str>>> = Arc::default();
    let noted = |name: &'static str| {
        let order = Arc::clone(&order);
        Memory::new(name).runs(move |task, _| {
            order.lock().unwrap().push(name);
            task.finish();
            Ok(RunOutcome::Done)
        })
    };
    let leaf = noted("Leaf").share();
    let root = noted("Root").needs(&[any(&leaf)]).share();
    let mut worker = worker(&scheduler);
    worker.add(root).unwrap();
    assert!(worker.run().unwrap());
    assert_eq!(*order.lock().unwrap(), ["Leaf", "Root"]);
    let report = last_report(&scheduler, "Leaf__99914b932b");
    assert_eq!(report.status, Status::Done);
    assert_eq!(report.attempt, Some(7));
    assert_eq!(report.runnable, None);
    assert_eq!(report.expl.as_deref(), Some("null"));
    assert_eq!(worker.summary().status(), StatusCode::Success);
}

#[derive(Debug, thiserror::Error)]
#[error("cannot write")]
struct CannotWrite(#[source] std::io::Error);

#[test]
fn a_failure_is_reported_with_its_causes() {
    let scheduler = Arc::new(Fake::default());
    let task = Memory::new("Bad")
        .runs(|_, _| Err(CannotWrite(std::io::Error::other("disk full")).into()))
        .share();
    let mut worker = worker(&scheduler);
    worker.add(task).unwrap();
    assert!(!worker.run().unwrap());
    let report = last_report(&scheduler, "Bad__99914b932b");
    assert_eq!(report.status, Status::Failed);
    let expl = report.expl.unwrap();
    assert_eq!(expl, r#""cannot write\n  caused by: disk full""#);
    assert!(
        worker
            .summary()
            .contains(Category::Failed, "Bad__99914b932b")
    );
}

#[test]
fn a_panic_is_a_failure_with_message_and_place() {
    for processes in [1, 2] {
        let scheduler = Arc::new(Fake::default());
        let task = Memory::new("Bad")
            .runs(|_, _| panic!("out of {}", "luck"))
            .share();
        let good = Memory::new("Good").share();
        let root = Memory::new("Root").needs(&[any(&task), any(&good)]).share();
        let options = WorkerOptions {
            processes,
            ..WorkerOptions::default()
        };
        let mut worker = worker_with(&scheduler, quick(), options);
        worker.add(root).unwrap();
        assert!(!worker.run().unwrap());
        let expl = last_report(&scheduler, "Bad__99914b932b").expl.unwrap();
        assert!(expl.contains("panicked: out of luck (at "), "{expl}");
        assert!(expl.contains("running.rs:"), "{expl}");
        assert_eq!(good.run_count(), 1, "the others go on");
    }
}

#[test]
fn a_missing_input_fails_the_run_and_is_planned_again_so_often() {
    let scheduler = Arc::new(Fake::default());
    // It says that it ran, but nothing is there.
    let dep = Memory::new("Dep").runs(|_, _| Ok(RunOutcome::Done)).share();
    let root = Memory::new("Root").needs(&[any(&dep)]).share();
    let mut worker = worker(&scheduler);
    worker.add(any(&root)).unwrap();
    assert!(!worker.run().unwrap());
    let expl = last_report(&scheduler, "Root__99914b932b").expl.unwrap();
    assert_eq!(
        expl,
        r#""Unfulfilled dependency at run time: Dep__99914b932b""#
    );
    // Once planned, once planned again (max_reschedules = 1).
    assert_eq!(dep.run_count(), 2);
    assert_eq!(root.run_count(), 0);
}

#[test]
fn inputs_are_not_looked_at_when_that_is_off() {
    let scheduler = Arc::new(Fake::default());
    let dep = Memory::new("Dep").runs(|_, _| Ok(RunOutcome::Done)).share();
    let root = Memory::new("Root").needs(&[any(&dep)]).share();
    let config = WorkerConfig {
        check_unfulfilled_deps: false,
        ..quick()
    };
    let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
    worker.add(any(&root)).unwrap();
    assert!(worker.run().unwrap());
    assert_eq!(root.run_count(), 1);
}

#[test]
fn a_task_that_is_still_incomplete_fails_when_that_is_checked() {
    let scheduler = Arc::new(Fake::default());
    let task = Memory::new("Liar")
        .runs(|_, _| Ok(RunOutcome::Done))
        .share();
    let config = WorkerConfig {
        check_complete_on_run: true,
        ..quick()
    };
    let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
    worker.add(task).unwrap();
    assert!(!worker.run().unwrap());
    let expl = last_report(&scheduler, "Liar__99914b932b").expl.unwrap();
    assert_eq!(
        expl,
        r#""Task finished running, but complete() is still returning false.""#
    );
}

#[test]
fn an_external_task_is_looked_for_again_when_it_may_be_retried() {
    let scheduler = Arc::new(Fake::default());
    let looks = Arc::new(AtomicUsize::new(0));
    let external = Memory::new("External")
        .complete_if({
            let looks = Arc::clone(&looks);
            move |_| Ok(looks.fetch_add(1, Ordering::SeqCst) > 0)
        })
        .with(|task| task.external = true)
        .share();
    let config = WorkerConfig {
        retry_external_tasks: true,
        ..quick()
    };
    let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
    worker.add(any(&external)).unwrap();
    assert!(worker.run().unwrap());
    assert_eq!(external.run_count(), 0, "it is looked for, never made");
    assert_eq!(
        scheduler.state().tasks["External__99914b932b"].1,
        Status::Done
    );
}

#[test]
fn a_run_that_needs_more_is_suspended_and_starts_again() {
    for processes in [1, 2] {
        let scheduler = Arc::new(Fake::default());
        let found = Memory::new("Found").share();
        let root = Memory::new("Root")
            .runs({
                let found = Arc::clone(&found);
                move |task, _| {
                    if !found.done.load(Ordering::SeqCst) {
                        return Ok(RunOutcome::Requires(vec![any(&found)]));
                    }
                    task.finish();
                    Ok(RunOutcome::Done)
                }
            })
            .share();
        let options = WorkerOptions {
            processes,
            ..WorkerOptions::default()
        };
        let mut worker = worker_with(&scheduler, quick(), options);
        worker.add(any(&root)).unwrap();
        assert!(worker.run().unwrap());
        assert_eq!((root.run_count(), found.run_count()), (2, 1));
        let log = scheduler.log();
        let added = log
            .iter()
            .position(|line| line.starts_with("Found__99914b932b PENDING runnable"));
        let suspended = "Root__99914b932b PENDING report new_deps=Found__99914b932b";
        let suspended = log.iter().position(|line| line == suspended);
        assert!(added.unwrap() < suspended.unwrap(), "{log:?}");
        assert_eq!(worker.summary().status(), StatusCode::Success);
    }
}

#[test]
fn what_a_run_needs_is_announced_over_an_outage() {
    let scheduler = Arc::new(Fake::default());
    let found = Memory::new("Found").share();
    let root = Memory::new("Root").runs({
        let (found, scheduler) = (Arc::clone(&found), Arc::clone(&scheduler));
        move |task, _| {
            if !found.done.load(Ordering::SeqCst) {
                // Each of them stands for as long as the worker tries one.
                scheduler.state().lost_tasks = 5;
                return Ok(RunOutcome::Requires(vec![any(&found)]));
            }
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let mut worker = worker(&scheduler);
    worker.add(any(&root.share())).unwrap();
    assert!(worker.run().unwrap());
    assert_eq!(scheduler.state().lost_tasks, 0);
    assert!(found.done.load(Ordering::SeqCst));
}

#[test]
fn a_run_that_waits_for_what_waits_for_it_fails() {
    let scheduler = Arc::new(Fake::default());
    let root = Arc::new_cyclic(|root: &std::sync::Weak<Memory>| {
        let (own, for_found) = (root.clone(), root.clone());
        let found = Memory::new("Found")
            .dependencies(move || Ok(vec![crate::tasks::upgrade(&for_found) as TaskHandle]));
        let found: TaskHandle = found.share();
        Memory::new("Root").runs(move |_, _| {
            assert!(own.upgrade().is_some());
            Ok(RunOutcome::Requires(vec![found.clone()]))
        })
    });
    let mut worker = worker(&scheduler);
    worker.add(any(&root)).unwrap();
    assert!(!worker.run().unwrap());
    let expl = last_report(&scheduler, "Root__99914b932b").expl.unwrap();
    assert!(
        expl.contains("cycle: Root() -> Found() -> Root()"),
        "{expl}"
    );
}

#[test]
fn so_many_tasks_run_at_once() {
    let scheduler = Arc::new(Fake::default());
    // Three runs that wait for one another.
    let barrier = Arc::new(Barrier::new(3));
    let child = |family: &str| -> TaskHandle {
        let barrier = Arc::clone(&barrier);
        Memory::new(family)
            .runs(move |task, _| {
                barrier.wait();
                task.finish();
                Ok(RunOutcome::Done)
            })
            .share()
    };
    let children = [child("A"), child("B"), child("C")];
    let root = Memory::new("Root").needs(&children).share();
    let options = WorkerOptions {
        processes: 3,
        ..WorkerOptions::default()
    };
    let mut worker = worker_with(&scheduler, quick(), options);
    worker.add(root).unwrap();
    assert!(worker.run().unwrap());
}

#[test]
fn what_a_run_says_reaches_the_scheduler() {
    let scheduler = Arc::new(Fake::default());
    let task = Memory::new("Talker")
        .with(|task| task.resources = Resources::from([("seat".to_owned(), 2)]))
        .runs(|task, context| {
            context.set_status_message("half way");
            context.set_progress_percentage(50.0);
            context.decrease_running_resources(&Resources::from([("seat".to_owned(), 1)]));
            context.set_tracking_url("http://there");
            task.finish();
            Ok(RunOutcome::Done)
        })
        .share();
    let mut worker = worker(&scheduler);
    worker.add(task).unwrap();
    assert!(worker.run().unwrap());
    let log = scheduler.log();
    for said in [
        "Talker__99914b932b says half way",
        "Talker__99914b932b is at 50",
        r#"Talker__99914b932b gives back {"seat": 1}"#,
    ] {
        assert!(log.iter().any(|line| line == said), "{said}: {log:?}");
    }
    let state = scheduler.state();
    let url = state
        .requests
        .iter()
        .find(|request| request.tracking_url.is_some())
        .unwrap();
    assert_eq!(url.tracking_url.as_deref(), Some("http://there"));
    assert_eq!((url.status, url.attempt), (Status::Running, Some(7)));
    assert_eq!(
        url.resources.as_ref().unwrap()["seat"],
        2,
        "a sparse report would forget it"
    );
}

#[test]
fn a_message_reaches_the_running_task_and_is_answered() {
    let scheduler = Arc::new(Fake::default());
    let started = Arc::new(Barrier::new(2));
    let task = Memory::new("Listener")
        .with(|task| task.accepts_messages = true)
        .runs({
            let started = Arc::clone(&started);
            move |task, context| {
                started.wait();
                let message = context
                    .messages()
                    .recv_timeout(std::time::Duration::from_secs(20));
                let message = message.ok_or("no message came")?;
                message.respond(&format!("heard {message}"));
                task.finish();
                Ok(RunOutcome::Done)
            }
        })
        .share();
    let config = WorkerConfig {
        ping_interval: 0.005,
        ..quick()
    };
    let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
    worker.add(task).unwrap();
    let sender = std::thread::spawn({
        let scheduler = Arc::clone(&scheduler);
        move || {
            started.wait();
            scheduler
                .state()
                .messages
                .push(WorkerMessage::DispatchSchedulerMessage {
                    task_id: "Listener__99914b932b".to_owned(),
                    message_id: "m1".to_owned(),
                    content: "hello".to_owned(),
                });
        }
    });
    assert!(worker.run().unwrap());
    sender.join().unwrap();
    let answer = "Listener__99914b932b answers m1: heard hello".to_owned();
    assert!(scheduler.log().contains(&answer), "{:?}", scheduler.log());
}

#[test]
fn a_batch_runs_as_one_and_its_members_are_done() {
    let scheduler = Arc::new(Fake::default());
    let member = |n: &str| -> TaskHandle {
        Memory::new("Bat")
            .param("n", n, None)
            .with(|task| task.batch_params = vec!["n".to_owned()])
            .share()
    };
    let members = [member("1"), member("2")];
    let combined_runs = Arc::new(AtomicUsize::new(0));
    let builders = Arc::new(Builders::default());
    builders.family("Bat", {
        let combined_runs = Arc::clone(&combined_runs);
        move |params| {
            let combined_runs = Arc::clone(&combined_runs);
            Ok(Memory::new("Bat")
                .param("n", &params["n"].join("+"), None)
                .runs(move |task, _| {
                    combined_runs.fetch_add(1, Ordering::SeqCst);
                    task.finish();
                    Ok(RunOutcome::Done)
                })
                .share() as TaskHandle)
        }
    });
    scheduler.state().answers = vec![
        Assignment::Batch {
            batch_id: "b".to_owned(),
            task_ids: vec!["Bat_1".to_owned(), "Bat_2".to_owned()],
            recipe: Recipe {
                family: "Bat".to_owned(),
                module: None,
                params: vec![(
                    "n".to_owned(),
                    ParamValue::Many(vec!["1".to_owned(), "2".to_owned()]),
                )],
            },
        },
        Assignment::Nothing,
    ];
    let options = WorkerOptions {
        loader: Some(builders),
        ..WorkerOptions::default()
    };
    let mut worker = worker_with(&scheduler, quick(), options);
    for member in members {
        worker.add(member).unwrap();
    }
    assert!(worker.run().unwrap());
    assert_eq!(combined_runs.load(Ordering::SeqCst), 1);
    let state = scheduler.state();
    let announced = state
        .requests
        .iter()
        .find(|request| request.batch_id.is_some())
        .unwrap();
    assert_eq!(announced.task_id, "Bat_1+2");
    assert_eq!(announced.status, Status::Running);
    let summary = worker.summary();
    assert!(summary.contains(Category::Completed, "Bat_1"));
    assert!(summary.contains(Category::Completed, "Bat_2"));
}

#[test]
fn what_this_program_does_not_know_has_failed() {
    let scheduler = Arc::new(Fake::default());
    scheduler.state().answers = vec![
        Assignment::Task {
            task_id: "Elsewhere_1".to_owned(),
            recipe: Recipe {
                family: "Elsewhere".to_owned(),
                module: None,
                params: Vec::new(),
            },
            attempt: 1,
        },
        Assignment::Nothing,
    ];
    let options = WorkerOptions {
        loader: Some(Arc::new(Builders::default())),
        ..WorkerOptions::default()
    };
    let mut worker = worker_with(&scheduler, quick(), options);
    assert!(!worker.run().unwrap());
    let report = last_report(&scheduler, "Elsewhere_1");
    assert_eq!(report.status, Status::Failed);
    assert_eq!(
        report.expl.as_deref(),
        Some("no task Elsewhere in this program")
    );
}

#[test]
fn a_task_of_others_is_built_by_its_recipe() {
    let scheduler = Arc::new(Fake::default());
    let builders = Arc::new(Builders::default());
    builders.family("Elsewhere", |params| {
        let value = params.get("n").ok_or_else(|| BoxError::from("no n"))?;
        Ok(Memory::new("Elsewhere").param("n", &value[0], None).share() as TaskHandle)
    });
    scheduler.state().answers = vec![
        Assignment::Task {
            task_id: "Elsewhere_4".to_owned(),
            recipe: Recipe {
                family: "Elsewhere".to_owned(),
                module: None,
                params: vec![("n".to_owned(), ParamValue::One("4".to_owned()))],
            },
            attempt: 1,
        },
        Assignment::Nothing,
    ];
    let options = WorkerOptions {
        loader: Some(builders),
        ..WorkerOptions::default()
    };
    let mut worker = worker_with(&scheduler, quick(), options);
    assert!(worker.run().unwrap());
    assert_eq!(last_report(&scheduler, "Elsewhere_4").status, Status::Done);
}

#[test]
fn a_time_out_needs_a_program_that_can_be_a_child() {
    let scheduler = Arc::new(Fake::default());
    let task = Memory::new("Timed")
        .with(|task| task.timeout = Some(5.0))
        .share();
    let mut worker = worker(&scheduler);
    worker.add(any(&task)).unwrap();
    assert!(!worker.run().unwrap());
    let expl = last_report(&scheduler, "Timed__99914b932b").expl.unwrap();
    assert!(expl.contains("condotta_worker::child::maybe_run"), "{expl}");
    assert_eq!(task.run_count(), 0);
}
