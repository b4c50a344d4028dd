//! Who is woken by what. That nobody who could get a task is forgotten is shown by the random
//! requests; here it is about those who need not be woken.

use condotta_scheduler::{
    AddTask, Assignment, Config, Event, GetWork, Now, Scheduler, Status, Wakeups,
};

struct Play {
    scheduler: Scheduler,
    secs: f64,
}

impl Play {
    fn new(keep_wakeups: bool) -> Self {
        let config = Config {
            keep_wakeups,
            keep_events: true,
            ..Config::default()
        };
        Self {
            scheduler: Scheduler::new(config, [("gpu".to_owned(), 1)].into(), 0),
            secs: 0.0,
        }
    }

    fn now(&mut self) -> Now {
        self.secs += 1.0;
        Now::at(self.secs)
    }

    fn announce(&mut self, worker: &str, task: &str, deps: &[&str]) {
        let mut request = AddTask::new(worker, task);
        request.deps = Some(deps.iter().map(|&dep| dep.to_owned()).collect());
        self.add(request);
    }

    fn needy(&mut self, worker: &str, task: &str) {
        let mut request = AddTask::new(worker, task);
        request.resources = Some([("gpu".to_owned(), 1)].into());
        self.add(request);
    }

    fn add(&mut self, request: AddTask) {
        let now = self.now();
        self.scheduler.add_task(now, request).unwrap();
    }

    fn get_work(&mut self, worker: &str, assistant: bool) -> Option<String> {
        let request = GetWork {
            worker: worker.to_owned(),
            assistant,
            ..GetWork::default()
        };
        let now = self.now();
        match self.scheduler.get_work(now, request).unwrap().assignment {
            Assignment::Task { task_id, .. } => Some(task_id),
            _ => None,
        }
    }

    fn report(&mut self, worker: &str, task: &str, status: Status) {
        let before = self.scheduler.task(task).expect("it was announced");
        let mut report = AddTask::new(worker, task);
        report.status = status;
        report.runnable = None;
        report.resources = Some(before.resources);
        self.add(report);
    }

    /// The workers to wake, in the order of their names.
    fn woken(&mut self) -> Vec<String> {
        let mut wakeups = self.scheduler.take_wakeups();
        assert!(!wakeups.everybody);
        wakeups.workers.sort();
        wakeups.workers
    }
}

#[test]
fn nothing_is_noted_unless_asked_for() {
    let mut play = Play::new(false);
    play.announce("x", "A", &[]);
    let now = play.now();
    play.scheduler.unpause(now).unwrap();
    play.scheduler.disable_worker(now, "x").unwrap();
    assert_eq!(play.scheduler.take_wakeups(), Wakeups::default());
}

#[test]
fn what_becomes_ready_wakes_those_who_can_run_it() {
    let mut play = Play::new(true);
    for (worker, first, second, last) in [("x", "A", "B", "C"), ("y", "K", "L", "M")] {
        play.announce(worker, last, &[second]);
        play.announce(worker, second, &[first]);
        play.announce(worker, first, &[]);
        assert_eq!(play.woken(), [worker]);
        assert_eq!(play.get_work(worker, false).as_deref(), Some(first));
        assert_eq!(play.woken(), [""; 0]);
    }
    play.report("x", "A", Status::Done);
    assert_eq!(play.woken(), ["x"]);
    assert_eq!(play.woken(), [""; 0], "it was told");
    play.report("y", "K", Status::Failed);
    assert_eq!(play.woken(), [""; 0], "nothing is ready");
}

#[test]
fn resources_wake_those_who_wait_for_them() {
    let mut play = Play::new(true);
    play.needy("x", "A");
    play.needy("y", "B");
    play.announce("z", "W", &["V"]);
    play.announce("z", "V", &[]);
    assert_eq!(play.get_work("z", false).as_deref(), Some("V"));
    assert_eq!(play.get_work("x", false).as_deref(), Some("A"));
    play.woken();
    assert_eq!(play.get_work("y", false), None);
    assert_eq!(play.woken(), [""; 0], "everything is taken");
    play.report("x", "A", Status::Done);
    assert_eq!(play.woken(), ["y"]);
    let now = play.now();
    play.scheduler.update_resource(now, "gpu", 0).unwrap();
    assert_eq!(play.woken(), [""; 0]);
    play.scheduler.update_resource(now, "gpu", 1).unwrap();
    assert_eq!(play.woken(), ["y"]);
}

#[test]
fn nothing_to_wait_for_wakes_too() {
    let mut play = Play::new(true);
    play.announce("x", "A", &[]);
    play.announce("y", "A", &[]);
    play.announce("z", "B", &[]);
    play.woken();
    // The last pending task of both is on its way.
    assert_eq!(play.get_work("x", false).as_deref(), Some("A"));
    assert_eq!(play.woken(), ["x", "y"]);
    play.report("x", "A", Status::Done);
    assert_eq!(play.woken(), [""; 0]);
    let now = play.now();
    play.scheduler.disable_worker(now, "z").unwrap();
    assert_eq!(play.woken(), ["z"]);
}

#[test]
fn assistants_wake_for_what_anybody_can_run() {
    let mut play = Play::new(true);
    assert_eq!(play.get_work("helper", true), None);
    play.woken();
    play.announce("x", "A", &[]);
    assert_eq!(play.woken(), ["helper", "x"]);
    let mut external = AddTask::new("y", "E");
    external.runnable = Some(false);
    play.add(external);
    assert_eq!(play.woken(), [""; 0]);
}

#[test]
fn the_end_of_a_pause_wakes_everybody() {
    let mut play = Play::new(true);
    let now = play.now();
    play.scheduler.pause(now).unwrap();
    play.announce("x", "A", &[]);
    assert_eq!(play.woken(), [""; 0]);
    play.scheduler.unpause(now).unwrap();
    let everybody = Wakeups {
        everybody: true,
        workers: Vec::new(),
    };
    assert_eq!(play.scheduler.take_wakeups(), everybody);
    assert_eq!(play.scheduler.take_wakeups(), Wakeups::default());
}

#[test]
fn what_a_released_worker_ran_wakes_the_others() {
    let mut play = Play::new(true);
    play.announce("x", "A", &[]);
    play.announce("y", "A", &[]);
    assert_eq!(play.get_work("x", false).as_deref(), Some("A"));
    play.woken();
    while play.scheduler.poll_event().is_some() {}
    let now = play.now();
    play.scheduler.release_worker(now, "x");
    assert_eq!(play.woken(), ["y"]);
    let released = Event::WorkerReleased {
        at: now.wall,
        worker: "x".to_owned(),
    };
    assert_eq!(play.scheduler.poll_event(), Some(released));
    play.scheduler.release_worker(now, "x");
    play.scheduler.release_worker(now, "nobody");
    let told: Vec<_> = std::iter::from_fn(|| play.scheduler.poll_event()).collect();
    assert!(
        matches!(
            told[..],
            [Event::AttemptEnded { .. }, Event::StatusChanged { .. }]
        ),
        "the run ended and the task changed, and nothing else: {told:?}"
    );
}
