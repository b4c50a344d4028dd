//! What holds a task up: each reason once, in words, and the way down to the root cause.

use condotta_scheduler::{
    AddTask, AddTaskBatcher, AddWorker, Cause, Config, GetWork, Hold, InfoValue, Now, Param,
    Resources, Scheduler, Status, Visibility, Word,
};

use crate::kept::restored;

/// A scheduler to which things happen at moments in seconds.
pub(crate) struct Stage(pub(crate) Scheduler);

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        Self(Scheduler::new(config, [("gpu".to_owned(), 2)].into(), 0))
    }

    fn add(&mut self, secs: f64, request: AddTask) {
        self.0.add_task(Now::at(secs), request).unwrap();
    }

    /// A pending task with these dependencies.
    pub(crate) fn task(&mut self, secs: f64, worker: &str, task: &str, deps: &[&str]) {
        let mut request = AddTask::new(worker, task);
        request.deps = Some(deps.iter().map(|&dep| dep.to_owned()).collect());
        self.add(secs, request);
    }

    fn needy(&mut self, secs: f64, worker: &str, task: &str, gpus: u64) {
        let mut request = AddTask::new(worker, task);
        request.resources = Some(Resources::from([("gpu".to_owned(), gpus)]));
        self.add(secs, request);
    }

    fn ranked(&mut self, secs: f64, worker: &str, task: &str, priority: f64) {
        let mut request = AddTask::new(worker, task);
        request.priority = priority;
        self.add(secs, request);
    }

    /// A worker says how it goes with a task, or what is known of it.
    pub(crate) fn report(&mut self, secs: f64, worker: &str, task: &str, status: Status) {
        let mut request = AddTask::new(worker, task);
        request.status = status;
        self.add(secs, request);
    }

    fn ask(&mut self, secs: f64, worker: &str) {
        let request = GetWork {
            worker: worker.to_owned(),
            ..GetWork::default()
        };
        self.0.get_work(Now::at(secs), request).unwrap();
    }

    fn info(&mut self, secs: f64, worker: &str, info: &[(&str, InfoValue)]) {
        let info = info
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()));
        let request = AddWorker {
            worker: worker.to_owned(),
            info: info.collect(),
        };
        self.0.add_worker(Now::at(secs), request).unwrap();
    }

    #[track_caller]
    pub(crate) fn says(&self, secs: f64, task: &str, text: &str) {
        let why = self.0.why(Now::at(secs), task).expect("it is known");
        assert_eq!(why.text(|at| format!("{}s", at.0)), text);
    }

    pub(crate) fn hold(&self, secs: f64, task: &str) -> Hold {
        self.0.why(Now::at(secs), task).expect("it is known").hold
    }

    pub(crate) fn causes(&self, secs: f64, task: &str) -> Vec<Cause> {
        match self.hold(secs, task) {
            Hold::Dependencies(waiting) => waiting.causes,
            hold => panic!("{task} waits for no dependency: {hold:?}"),
        }
    }
}

#[test]
fn what_is_not_known_has_no_answer() {
    assert_eq!(Stage::new().0.why(Now::at(0.0), "A"), None);
}

#[test]
fn done_and_running_tasks_are_held_up_by_nothing() {
    let mut stage = Stage::new();
    stage.task(0.0, "x", "A", &[]);
    stage.ask(1.0, "x");
    stage.says(2.0, "A", "A runs on worker x, since 1s.");
    stage.report(3.0, "x", "A", Status::Done);
    stage.0.pause(Now::at(4.0)).unwrap();
    stage.says(5.0, "A", "A is done, since 3s.");
}

#[test]
fn a_second_attempt_and_a_batch_are_named() {
    let mut stage = Stage::new();
    stage.task(0.0, "x", "A", &[]);
    stage.ask(1.0, "x");
    stage.report(2.0, "x", "A", Status::Failed);
    stage.0.forgive_failures(Now::at(3.0), "A").unwrap();
    stage.ask(4.0, "x");
    stage.says(5.0, "A", "A runs on worker x, since 4s (attempt 2).");
    let batcher = AddTaskBatcher {
        worker: "y".to_owned(),
        task_family: "F".to_owned(),
        batched_args: vec!["day".to_owned()],
        max_batch_size: None,
    };
    stage.0.add_task_batcher(Now::at(6.0), batcher).unwrap();
    for day in ["1", "2"] {
        let mut request = AddTask::new("y", &format!("F_{day}"));
        request.family = "F".to_owned();
        request.batchable = Some(true);
        request.params = Some(vec![Param {
            name: "day".to_owned(),
            value: day.to_owned(),
            visibility: Visibility::Public,
        }]);
        stage.add(6.0, request);
    }
    stage.ask(7.0, "y");
    let Hold::Running(run) = stage.hold(8.0, "F_2") else {
        panic!("it runs");
    };
    let batch_id = run.batch_id.expect("it is in a batch");
    let text = format!("F(day=2) runs on worker y in batch {batch_id}, since 7s.");
    stage.says(8.0, "F_2", &text);
}

#[test]
fn a_task_whose_worker_was_lost_says_so_also_after_a_restart() {
    let mut stage = Stage::with(Config {
        keep_changes: true,
        ..Config::default()
    });
    stage.task(0.0, "x", "A", &[]);
    stage.task(0.0, "y", "B", &[]);
    stage.0.release_worker(Now::at(1.0), "y");
    stage.ask(2.0, "x");
    stage.0.prune(Now::at(100.0));
    let lost = "A failed at 100s, since worker x, which ran it, was silent for too long and is taken for dead \
                (1 failure), and is tried again at 1000s.";
    let left = "No worker can run B: worker y left at 0s.";
    stage.says(101.0, "A", lost);
    stage.says(101.0, "B", left);
    let mut stage = Stage(restored(&stage.0, &[], Now::at(200.0)));
    stage.says(201.0, "A", lost);
    stage.says(201.0, "B", left);
    // The next failure is another one.
    stage.0.forgive_failures(Now::at(202.0), "A").unwrap();
    stage.says(
        203.0,
        "A",
        "No worker can run A: worker x is gone, silent since 2s.",
    );
    stage.ask(204.0, "x");
    stage.report(205.0, "x", "A", Status::Failed);
    stage.says(
        206.0,
        "A",
        "A failed at 205s on worker x (2 failures), and is tried again at 1105s.",
    );
}

#[test]
fn a_failed_task_says_when_it_is_tried_again() {
    let mut stage = Stage::with(Config {
        retry_count: 3,
        disable_persist: 1000.0,
        ..Config::default()
    });
    stage.task(0.0, "x", "A", &[]);
    for (at, text) in [
        (
            1.0,
            "A failed at 1s on worker x (1 failure; 3 within 3600 s disable it), and is tried again at 901s.",
        ),
        (
            2.0,
            "A failed at 2s on worker x (2 failures; 3 within 3600 s disable it), and is tried again at 902s.",
        ),
        (
            3.0,
            "A is disabled since 3s, because it failed too often (3 failures; 3 within 3600 s disable it), until 1003s.",
        ),
    ] {
        stage.0.forgive_failures(Now::at(at), "A").unwrap();
        stage.ask(at, "x");
        stage.report(at, "x", "A", Status::Failed);
        stage.says(at + 1.0, "A", text);
    }
}

#[test]
fn moments_are_told_on_the_wall_clock() {
    let mut stage = Stage::new();
    stage.task(0.0, "x", "A", &[]);
    stage.ask(1.0, "x");
    stage.report(2.0, "x", "A", Status::Failed);
    let mut now = Now::at(10.0);
    now.wall.0 += 5000.0;
    let why = stage.0.why(now, "A").unwrap();
    let text = "A failed at 2s on worker x (1 failure), and is tried again at 5902s.";
    assert_eq!(why.text(|at| format!("{}s", at.0)), text);
}

#[test]
fn what_is_not_tried_again_by_itself_says_so() {
    let mut stage = Stage::with(Config {
        retry_delay: -1.0,
        retry_count: 2,
        disable_persist: f64::INFINITY,
        ..Config::default()
    });
    stage.task(0.0, "x", "A", &[]);
    stage.ask(1.0, "x");
    stage.report(2.0, "x", "A", Status::Failed);
    stage.says(
        3.0,
        "A",
        "A failed at 2s on worker x (1 failure; 2 within 3600 s disable it), and is not tried \
         again before somebody forgives it.",
    );
    stage.0.forgive_failures(Now::at(4.0), "A").unwrap();
    stage.ask(5.0, "x");
    stage.report(6.0, "x", "A", Status::Failed);
    stage.says(
        7.0,
        "A",
        "A is disabled since 6s, because it failed too often (2 failures; 2 within 3600 s \
         disable it), until somebody enables it.",
    );
}

#[test]
fn what_a_worker_disabled_or_could_not_check_says_so() {
    let mut stage = Stage::new();
    stage.report(1.0, "x", "A", Status::Disabled);
    stage.says(
        2.0,
        "A",
        "A is disabled since 1s: a worker announced it so, and it stays so until one announces \
         it otherwise.",
    );
    stage.task(2.0, "x", "B", &[]);
    stage.report(3.0, "x", "B", Status::Unknown);
    stage.says(
        4.0,
        "B",
        "B is UNKNOWN since 3s: a worker could not tell whether it is complete, so it is given \
         to nobody until a worker announces it anew.",
    );
}

#[test]
fn what_an_operator_disabled_stays_so_until_it_is_enabled() {
    let mut stage = Stage::with(Config {
        disable_persist: 10.0,
        ..Config::default()
    });
    stage.task(0.0, "x", "A", &[]);
    let status = stage.0.disable_task(Now::at(1.0), "A").unwrap();
    assert_eq!(status, Some(Status::Disabled));
    let text = "A is disabled since 1s by an operator, until somebody enables it.";
    stage.says(2.0, "A", text);
    for status in [Status::Pending, Status::Failed, Status::Disabled] {
        stage.report(3.0, "x", "A", status);
        stage.0.handle_timeout(Now::at(30.0));
        stage.says(30.0, "A", text);
    }
    stage.0.re_enable_task(Now::at(31.0), "A").unwrap();
    let ready = "A is ready and next; it is given to the first of these workers that asks: x.";
    stage.says(32.0, "A", ready);
    stage.ask(33.0, "x");
    let status = stage.0.disable_task(Now::at(34.0), "A").unwrap();
    assert_eq!(status, Some(Status::Running), "what runs goes on");
    assert_eq!(stage.0.disable_task(Now::at(34.0), "B").unwrap(), None);
}

#[test]
fn the_way_goes_down_to_the_root_cause() {
    let mut stage = Stage::new();
    stage.task(0.0, "x", "bad", &[]);
    stage.ask(0.0, "x");
    stage.report(1.0, "x", "bad", Status::Failed);
    stage.task(2.0, "x", "mid", &["bad"]);
    stage.task(2.0, "x", "top", &["mid"]);
    stage.says(
        3.0,
        "top",
        "top waits for its only dependency. bad failed at 1s on worker x (1 failure), and is \
         tried again at 901s. The way there: mid -> bad.",
    );
    let causes = stage.causes(3.0, "top");
    let ids = causes[0].path.tasks.iter().map(|task| &task.task_id);
    assert_eq!(ids.collect::<Vec<_>>(), ["mid", "bad"]);
    assert_eq!(causes[0].status, Some(Status::Failed));
}

#[test]
fn several_causes_are_counted_and_the_most_telling_comes_first() {
    let mut stage = Stage::new();
    for task in ["f1", "f2", "r1", "d1", "ok"] {
        stage.task(0.0, "x", task, &[]);
    }
    for (task, status) in [
        ("f1", Status::Failed),
        ("f2", Status::Failed),
        ("ok", Status::Done),
    ] {
        stage.report(1.0, "x", task, status);
    }
    stage.ask(1.0, "x");
    stage.report(2.0, "x", "d1", Status::Disabled);
    stage.task(3.0, "x", "top", &["f1", "f2", "r1", "d1", "ok"]);
    stage.says(
        4.0,
        "top",
        "top waits for 4 of its 5 dependencies. d1 is disabled since 2s: a worker announced it \
         so, and it stays so until one announces it otherwise. Besides, it waits for 2 tasks that \
         failed, such as f1. Besides, it waits for 1 task that runs: r1.",
    );
    let counts = stage
        .causes(4.0, "top")
        .iter()
        .map(|it| it.count)
        .collect::<Vec<_>>();
    assert_eq!(counts, [1, 2, 1]);
}

#[test]
fn tasks_without_a_worker_name_those_that_are_not_there() {
    let mut stage = Stage::new();
    stage.task(0.0, "x", "A", &[]);
    stage.task(1.0, "y", "A", &[]);
    stage.0.disable_worker(Now::at(2.0), "y").unwrap();
    stage.0.handle_timeout(Now::at(61.0));
    stage.says(
        62.0,
        "A",
        "No worker can run A: worker x is gone, silent since 0s and worker y was disabled by an \
         operator.",
    );
    let mut stage = Stage::new();
    stage.task(0.0, "x", "A", &[]);
    stage.0.release_worker(Now::at(1.0), "x");
    stage.says(2.0, "A", "No worker can run A: worker x left at 0s.");
}

#[test]
fn external_tasks_say_that_they_are() {
    let mut stage = Stage::new();
    let mut request = AddTask::new("x", "A");
    request.runnable = Some(false);
    stage.add(0.0, request);
    stage.says(
        1.0,
        "A",
        "No worker can run A: it is an external task, whose output has to come from elsewhere, \
         and no worker has found it complete so far.",
    );
}

#[test]
fn assistants_of_another_program_are_named() {
    let mut stage = Stage::new();
    let mut request = AddTask::new("x", "A");
    request.module = Some("rust:report".to_owned());
    stage.add(0.0, request);
    stage.0.release_worker(Now::at(1.0), "x");
    stage.info(2.0, "helper", &[("assistant", InfoValue::Bool(true))]);
    stage.says(
        3.0,
        "A",
        "No worker can run A: worker x left at 0s; of the assistants (helper) none has \
         rust:report.",
    );
    let program = InfoValue::Text("report".to_owned());
    stage.info(4.0, "helper", &[("program", program)]);
    let ready = "A is ready and next; it is given to the first of these workers that asks: helper.";
    stage.says(5.0, "A", ready);
}

#[test]
fn resources_in_use_name_who_uses_them() {
    let mut stage = Stage::new();
    stage.needy(0.0, "x", "A", 1);
    stage.needy(0.0, "x", "B", 1);
    stage.ask(1.0, "x");
    stage.needy(2.0, "x", "C", 2);
    stage.0.pause(Now::at(2.0)).unwrap();
    stage.says(3.0, "C", "C is ready, but the scheduler is paused.");
    stage.0.unpause(Now::at(3.0)).unwrap();
    stage.says(
        4.0,
        "C",
        "C waits for resource gpu: it needs 2, and 1 of 2 are in use, by A.",
    );
    stage.needy(5.0, "x", "D", 3);
    stage.says(
        6.0,
        "D",
        "D can never run as things are: it needs 3 of resource gpu, of which there is 2.",
    );
    stage.0.update_resource(Now::at(7.0), "gpu", 3).unwrap();
    stage.says(
        8.0,
        "D",
        "D waits for resource gpu: it needs 3, and 1 of 3 are in use, by A.",
    );
}

#[test]
fn what_is_kept_for_tasks_of_higher_rank_names_them() {
    let mut stage = Stage::new();
    stage.needy(0.0, "runs", "running", 1);
    stage.ask(0.0, "runs");
    stage.info(1.0, "other", &[("workers", InfoValue::Int(2))]);
    let mut high = AddTask::new("other", "high");
    high.priority = 5.0;
    high.resources = Some(Resources::from([("gpu".to_owned(), 1)]));
    stage.add(1.0, high);
    stage.0.pause(Now::at(1.0)).unwrap();
    stage.ask(1.0, "other");
    stage.0.unpause(Now::at(1.0)).unwrap();
    stage.needy(2.0, "x", "low", 1);
    stage.says(
        3.0,
        "low",
        "low is ready, but what is free of resource gpu is kept for tasks that rank higher: high.",
    );
    stage.ask(4.0, "x");
    assert_eq!(stage.0.task("low").unwrap().status, Status::Pending);
}

#[test]
fn ready_tasks_say_whose_turn_it_is() {
    let mut stage = Stage::new();
    stage.ranked(0.0, "x", "A", 3.0);
    stage.ranked(0.0, "x", "B", 2.0);
    stage.ranked(0.0, "x", "C", 1.0);
    stage.says(
        1.0,
        "A",
        "A is ready and next; it is given to the first of these workers that asks: x.",
    );
    stage.says(
        1.0,
        "C",
        "C is ready, and comes after 2 ready tasks that rank higher; its workers get these \
         first: x.",
    );
    stage.ask(2.0, "x");
    stage.says(
        3.0,
        "B",
        "B is ready and next; all that may run it are busy: x (runs 1 of 1).",
    );
}

#[test]
fn what_nobody_announced_is_a_cause_and_has_an_answer_itself() {
    let mut stage = Stage::new();
    stage.task(0.0, "x", "A", &["B"]);
    stage.says(
        1.0,
        "B",
        "B is not announced yet: worker x is still looking for tasks.",
    );
    stage.says(
        1.0,
        "A",
        "A waits for its only dependency. B is not announced yet: worker x is still looking for \
         tasks.",
    );
    stage.ask(2.0, "x");
    let never = "Nobody announced B, or it was removed: it can never run unless a worker \
                 announces it.";
    stage.says(3.0, "B", never);
    assert_eq!(stage.causes(3.0, "A").len(), 1);
    stage.0.pause(Now::at(4.0)).unwrap();
    let text =
        format!("A waits for its only dependency. {never} Besides, the scheduler is paused.");
    stage.says(5.0, "A", &text);
}

#[test]
fn cycles_are_told_by_members_and_by_what_waits_for_them() {
    let mut stage = Stage::new();
    stage.task(0.0, "x", "A", &["B"]);
    stage.task(0.0, "x", "B", &["C"]);
    stage.task(0.0, "x", "C", &["A"]);
    stage.task(0.0, "x", "self", &["self"]);
    stage.task(0.0, "x", "above", &["B"]);
    stage.says(
        1.0,
        "A",
        "A can never run: it waits for itself, along A -> B -> C -> A.",
    );
    stage.says(
        1.0,
        "C",
        "C can never run: it waits for itself, along C -> A -> B -> C.",
    );
    stage.says(
        1.0,
        "self",
        "self can never run: it waits for itself, along self -> self.",
    );
    stage.says(
        1.0,
        "above",
        "above waits for its only dependency. B can never run: it waits for itself, along B -> C \
         -> A -> B.",
    );
}

#[test]
fn words_say_what_is_a_task_a_worker_and_a_moment() {
    let mut stage = Stage::new();
    stage.task(0.0, "x", "A", &[]);
    stage.ask(1.0, "x");
    let words = stage.0.why(Now::at(2.0), "A").unwrap().words();
    assert!(matches!(&words[0], Word::Task(task) if task.task_id == "A"));
    assert!(matches!(&words[2], Word::Worker(worker) if worker == "x"));
    assert!(matches!(&words[4], Word::Time(at) if at.0 == 1.0));
}
