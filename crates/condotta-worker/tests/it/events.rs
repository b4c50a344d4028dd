//! Listeners and observers.

use std::sync::{Arc, Mutex};

use condotta_scheduler::Status;
use condotta_worker::{
    EventDetail, EventKind, Observer, RunOutcome, Runnable, TaskCounts, WorkerEvents, WorkerOptions,
};

use crate::{any, fake::Fake, quick, tasks::Memory, worker_with};

fn recorded(events: &WorkerEvents) -> Arc<Mutex<Vec<String>>> {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    events.on_any({
        let heard = Arc::clone(&heard);
        move |event| {
            let detail = match event.detail {
                EventDetail::DependencyDiscovered { dependency } => dependency.display_name(),
                EventDetail::Failure { error } | EventDetail::BrokenTask { error } => {
                    error.to_string()
                }
                EventDetail::Progress { message }
                | EventDetail::Timeout { message }
                | EventDetail::ProcessFailure { message } => message.to_owned(),
                EventDetail::ProcessingTime { secs } => (secs >= 0.0).to_string(),
                _ => String::new(),
            };
            let name = event.kind().name().trim_start_matches("event.core.");
            heard
                .lock()
                .unwrap()
                .push(format!("{name} {} {detail}", event.task.family()));
        }
    });
    heard
}

#[test]
fn every_step_has_its_event() {
    let scheduler = Arc::new(Fake::default());
    let options = WorkerOptions::default();
    let heard = recorded(&options.events);
    let good = Memory::new("Good").runs(|task, context| {
        context.trigger_progress("half");
        task.finish();
        Ok(RunOutcome::Done)
    });
    let bad = Memory::new("Bad").fails().needs(&[good.share()]);
    let complete = Memory::new("Complete").with(|task| *task.done.get_mut() = true);
    let external = Memory::new("External").with(|task| task.external = true);
    let broken = Memory::new("Broken").dependencies(|| Err("deps".into()));
    let deps = [bad, complete, external, broken].map(|task| any(&task.share()));
    let root = Memory::new("Root").needs(&deps).share();
    let mut worker = worker_with(&scheduler, quick(), options);
    worker.add(root).unwrap();
    worker.run().unwrap();
    assert_eq!(
        *heard.lock().unwrap(),
        [
            "dependency.discovered Root Bad()",
            "dependency.discovered Root Complete()",
            "dependency.discovered Root External()",
            "dependency.discovered Root Broken()",
            "task.broken Broken deps",
            "dependency.missing External ",
            "dependency.present Complete ",
            "dependency.discovered Bad Good()",
            "start Good ",
            "progress Good half",
            "processing_time Good true",
            "success Good ",
            "start Bad ",
            "failure Bad no luck",
        ]
    );
}

#[test]
fn a_listener_that_panics_disturbs_nobody() {
    let scheduler = Arc::new(Fake::default());
    let options = WorkerOptions::default();
    options.events.on(EventKind::Start, |_| panic!("listener"));
    let heard = recorded(&options.events);
    let mut worker = worker_with(&scheduler, quick(), options);
    worker.add(Memory::new("Good").share()).unwrap();
    assert!(worker.run().unwrap());
    let heard = heard.lock().unwrap();
    assert!(heard.contains(&"success Good ".to_owned()), "{heard:?}");
}

#[test]
fn kinds_are_found_by_luigis_names() {
    for kind in EventKind::ALL {
        assert_eq!(EventKind::from_name(kind.name()), Some(kind));
    }
    assert_eq!(
        EventKind::from_name("event.core.start"),
        Some(EventKind::Start)
    );
    assert_eq!(EventKind::from_name("other"), None);
}

#[derive(Default)]
struct Screen(Mutex<Vec<String>>);

impl Screen {
    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Observer for Screen {
    fn task_planned(&self, task: &dyn Runnable, status: Status, counts: &TaskCounts) {
        self.note(format!(
            "planned {} {} {}",
            task.family(),
            status.name(),
            counts.total
        ));
    }

    fn run_started(&self, counts: &TaskCounts) {
        self.note(format!(
            "run of {}, {} already done",
            counts.pending, counts.already_done
        ));
    }

    fn task_started(&self, task: &dyn Runnable, counts: &TaskCounts) {
        self.note(format!(
            "started {}, {} running",
            task.family(),
            counts.running
        ));
    }

    fn task_progress(&self, task: &dyn Runnable, percentage: f64) {
        self.note(format!("{} at {percentage}", task.family()));
    }

    fn task_finished(&self, task: &dyn Runnable, status: Status, counts: &TaskCounts) {
        self.note(format!(
            "finished {} {}, {} done {} failed",
            task.family(),
            status.name(),
            counts.done,
            counts.failed
        ));
    }

    fn run_finished(&self, counts: &TaskCounts) {
        self.note(format!("end with {} pending", counts.pending));
    }
}

#[test]
fn a_display_hears_of_every_change() {
    let scheduler = Arc::new(Fake::default());
    let screen = Arc::new(Screen::default());
    let options = WorkerOptions {
        observer: Some(screen.clone()),
        ..WorkerOptions::default()
    };
    let done = Memory::new("Old")
        .with(|task| *task.done.get_mut() = true)
        .share();
    let good = Memory::new("Good").runs(|task, context| {
        context.set_progress_percentage(40.0);
        task.finish();
        Ok(RunOutcome::Done)
    });
    let bad = Memory::new("Bad")
        .fails()
        .needs(&[good.share(), done])
        .share();
    let root = Memory::new("Root").needs(&[any(&bad)]).share();
    let mut worker = worker_with(&scheduler, quick(), options);
    worker.add(root).unwrap();
    worker.run().unwrap();
    assert_eq!(
        *screen.0.lock().unwrap(),
        [
            "planned Root PENDING 2",
            "planned Bad PENDING 4",
            "planned Old DONE 4",
            "planned Good PENDING 4",
            "run of 3, 1 already done",
            "started Good, 1 running",
            "Good at 40",
            "finished Good DONE, 1 done 0 failed",
            "started Bad, 1 running",
            "finished Bad FAILED, 1 done 1 failed",
            "end with 1 pending",
        ]
    );
}
