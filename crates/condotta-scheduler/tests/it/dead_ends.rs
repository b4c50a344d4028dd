//! What can never run is told at the next look, and taken back when it can.

use condotta_scheduler::{AddTask, Config, DeadEnd, GetWork, Now, RetryPolicy, Scheduler, Status};

fn scheduler() -> Scheduler {
    let config = Config {
        worker_disconnect_delay: 60.0,
        remove_delay: 100.0,
        ..Config::default()
    };
    Scheduler::new(config, [("gpu".to_owned(), 1)].into(), 0)
}

fn request(worker: &str, task: &str, deps: &[&str]) -> AddTask {
    let mut request = AddTask::new(worker, task);
    request.deps = Some(deps.iter().map(|&dep| dep.to_owned()).collect());
    request
}

fn announce(scheduler: &mut Scheduler, secs: f64, worker: &str, task: &str, deps: &[&str]) {
    let request = request(worker, task, deps);
    scheduler.add_task(Now::at(secs), request).unwrap();
}

fn needy(scheduler: &mut Scheduler, secs: f64, task: &str, amount: u64) {
    let mut request = AddTask::new("x", task);
    request.resources = Some([("gpu".to_owned(), amount)].into());
    scheduler.add_task(Now::at(secs), request).unwrap();
}

fn ask(scheduler: &mut Scheduler, secs: f64, worker: &str) {
    let worker = worker.to_owned();
    let request = GetWork {
        worker,
        ..GetWork::default()
    };
    scheduler.get_work(Now::at(secs), request).unwrap();
}

/// The ids of what is a dead end after a look at this moment.
fn look(scheduler: &mut Scheduler, secs: f64) -> Vec<String> {
    scheduler.handle_timeout(Now::at(secs));
    scheduler.check_invariants().unwrap();
    scheduler.dead_ends().into_keys().collect()
}

#[test]
fn a_cycle_is_taken_back_when_dependencies_break_it() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &["B"]);
    announce(&mut scheduler, 0.0, "x", "B", &["A"]);
    assert_eq!(look(&mut scheduler, 1.0), ["A", "B"]);
    announce(&mut scheduler, 2.0, "x", "B", &[]);
    assert_eq!(look(&mut scheduler, 3.0), [""; 0]);
    announce(&mut scheduler, 4.0, "x", "B", &["A"]);
    assert_eq!(look(&mut scheduler, 5.0), ["A", "B"], "it is back");
}

#[test]
fn a_cycle_is_taken_back_when_a_member_is_done() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &["B"]);
    announce(&mut scheduler, 0.0, "x", "B", &["C"]);
    announce(&mut scheduler, 0.0, "x", "C", &["A"]);
    assert_eq!(look(&mut scheduler, 1.0), ["A", "B", "C"]);
    let mut done = AddTask::new("y", "C");
    done.status = Status::Done;
    scheduler.add_task(Now::at(2.0), done).unwrap();
    assert_eq!(look(&mut scheduler, 3.0), [""; 0]);
}

#[test]
fn a_task_in_two_cycles_stays_when_one_is_broken() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &["B", "C"]);
    announce(&mut scheduler, 0.0, "x", "B", &["A"]);
    announce(&mut scheduler, 0.0, "x", "C", &["A"]);
    assert_eq!(look(&mut scheduler, 1.0), ["A", "B", "C"]);
    announce(&mut scheduler, 2.0, "x", "B", &[]);
    assert_eq!(look(&mut scheduler, 3.0), ["A", "C"]);
    let path = ["A", "C", "A"].map(str::to_owned);
    assert_eq!(
        scheduler.dead_ends().get("A"),
        Some(&DeadEnd::Cycle(path.into()))
    );
}

#[test]
fn a_member_beyond_those_that_are_told_breaks_a_huge_cycle_too() {
    let mut scheduler = scheduler();
    for at in 0..1000 {
        let dep = format!("T{}", (at + 1) % 1000);
        announce(&mut scheduler, 0.0, "x", &format!("T{at}"), &[&dep]);
    }
    assert!(!look(&mut scheduler, 1.0).is_empty());
    announce(&mut scheduler, 2.0, "x", "T777", &[]);
    assert_eq!(look(&mut scheduler, 3.0), [""; 0]);
}

#[test]
fn a_lowered_need_is_taken_back_at_once_and_a_raised_one_is_told() {
    let mut scheduler = scheduler();
    needy(&mut scheduler, 0.0, "A", 2);
    assert_eq!(look(&mut scheduler, 1.0), ["A"]);
    needy(&mut scheduler, 2.0, "A", 1);
    assert!(scheduler.dead_ends().is_empty());
    assert_eq!(look(&mut scheduler, 3.0), [""; 0]);
    needy(&mut scheduler, 4.0, "A", 3);
    assert_eq!(look(&mut scheduler, 5.0), ["A"]);
}

#[test]
fn limits_make_dead_ends_and_take_them_back() {
    let mut scheduler = scheduler();
    needy(&mut scheduler, 0.0, "A", 1);
    needy(&mut scheduler, 0.0, "B", 2);
    announce(&mut scheduler, 0.0, "x", "other", &[]);
    assert_eq!(look(&mut scheduler, 1.0), ["B"]);
    scheduler.update_resource(Now::at(2.0), "gpu", 0).unwrap();
    assert_eq!(look(&mut scheduler, 3.0), ["A", "B"]);
    scheduler.update_resource(Now::at(4.0), "gpu", 1).unwrap();
    assert_eq!(look(&mut scheduler, 5.0), ["B"]);
    scheduler.update_resource(Now::at(6.0), "gpu", 2).unwrap();
    assert_eq!(look(&mut scheduler, 7.0), [""; 0]);
}

#[test]
fn a_limit_that_fell_while_a_task_was_failed_is_told_when_it_is_pending_again() {
    let mut scheduler = scheduler();
    needy(&mut scheduler, 0.0, "A", 1);
    ask(&mut scheduler, 1.0, "x");
    let mut failed = AddTask::new("x", "A");
    failed.status = Status::Failed;
    failed.resources = Some([("gpu".to_owned(), 1)].into());
    scheduler.add_task(Now::at(2.0), failed).unwrap();
    scheduler.update_resource(Now::at(3.0), "gpu", 0).unwrap();
    assert_eq!(look(&mut scheduler, 4.0), [""; 0]);
    scheduler.forgive_failures(Now::at(5.0), "A").unwrap();
    assert_eq!(look(&mut scheduler, 6.0), ["A"]);
}

#[test]
fn a_missing_dependency_is_told_once_its_worker_asks_for_work() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &["B", "C"]);
    ask(&mut scheduler, 0.0, "idle");
    scheduler.ping(Now::at(50.0), "x").unwrap();
    let looked = look(&mut scheduler, 59.0);
    assert_eq!(looked, [""; 0], "x still looks whether B is complete");
    announce(&mut scheduler, 60.0, "x", "B", &[]);
    ask(&mut scheduler, 61.0, "x");
    assert_eq!(look(&mut scheduler, 62.0), ["C"]);
    announce(&mut scheduler, 63.0, "y", "C", &[]);
    assert!(scheduler.dead_ends().is_empty());
}

#[test]
fn a_dependency_is_missing_only_once_all_who_wait_for_it_have_planned() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &["C"]);
    ask(&mut scheduler, 1.0, "x");
    announce(&mut scheduler, 1.0, "y", "B", &["C"]);
    assert_eq!(look(&mut scheduler, 2.0), [""; 0]);
    ask(&mut scheduler, 3.0, "y");
    assert_eq!(look(&mut scheduler, 4.0), ["C"]);
}

#[test]
fn a_dependency_is_missing_when_its_worker_is_lost_before_it_announced_it() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &["B"]);
    assert_eq!(look(&mut scheduler, 61.0), ["B"]);
}

#[test]
fn a_dependency_that_only_an_assistant_mentions_is_told() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &[]);
    ask(&mut scheduler, 0.0, "x");
    let mut by_assistant = request("helper", "D", &["B"]);
    by_assistant.assistant = true;
    scheduler.add_task(Now::at(1.0), by_assistant).unwrap();
    assert_eq!(look(&mut scheduler, 2.0), [""; 0]);
    ask(&mut scheduler, 3.0, "helper");
    assert_eq!(look(&mut scheduler, 4.0), ["B"]);
    let mut frees = request("helper", "D", &[]);
    frees.assistant = true;
    scheduler.add_task(Now::at(5.0), frees).unwrap();
    assert_eq!(look(&mut scheduler, 6.0), [""; 0], "nobody waits for it");
}

#[test]
fn a_dependency_that_is_removed_while_something_waits_is_told() {
    let mut scheduler = scheduler();
    let mut orphan = request("helper", "B", &[]);
    orphan.assistant = true;
    scheduler.add_task(Now::at(0.0), orphan).unwrap();
    scheduler.handle_timeout(Now::at(1.0));
    announce(&mut scheduler, 2.0, "helper", "other", &[]);
    let mut waits = request("helper", "A", &["B"]);
    waits.assistant = true;
    scheduler.add_task(Now::at(90.0), waits).unwrap();
    ask(&mut scheduler, 91.0, "helper");
    assert_eq!(look(&mut scheduler, 92.0), [""; 0]);
    assert_eq!(look(&mut scheduler, 102.0), ["B"]);
    assert!(scheduler.task("B").is_none());
}

#[test]
fn a_missing_dependency_is_taken_back_when_what_waited_for_it_is_done() {
    let mut scheduler = scheduler();
    announce(&mut scheduler, 0.0, "x", "A", &["B"]);
    ask(&mut scheduler, 1.0, "x");
    assert_eq!(look(&mut scheduler, 2.0), ["B"]);
    let mut done = AddTask::new("y", "A");
    done.status = Status::Done;
    scheduler.add_task(Now::at(3.0), done).unwrap();
    assert_eq!(look(&mut scheduler, 4.0), [""; 0]);
    ask(&mut scheduler, 5.0, "y");
    announce(&mut scheduler, 20.0, "x", "A", &["B"]);
    ask(&mut scheduler, 21.0, "x");
    assert_eq!(look(&mut scheduler, 22.0), ["B"], "it is wanted again");
}

#[test]
fn amounts_have_a_bound_and_sums_do_not_overflow() {
    let mut scheduler = scheduler();
    let greatest = i64::MAX.unsigned_abs() / 2;
    let mut request = AddTask::new("x", "A");
    request.resources = Some([("gpu".to_owned(), greatest + 1)].into());
    let refusal = scheduler.add_task(Now::at(0.0), request).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "task A needs 4611686018427387904 of gpu, 4611686018427387903 is the most that can be \
         asked for: count in greater units"
    );
    assert!(scheduler.task("A").is_none());
    let tasks = ["A", "B", "C", "D", "E"];
    for task in tasks {
        needy(&mut scheduler, 1.0, task, greatest);
        let mut claim = AddTask::new("x", task);
        claim.status = Status::Running;
        claim.resources = Some([("gpu".to_owned(), greatest)].into());
        scheduler.add_task(Now::at(2.0), claim).unwrap();
    }
    let used = |scheduler: &Scheduler| scheduler.resource_list()[0].num_used;
    assert_eq!(
        used(&scheduler),
        i64::MAX.unsigned_abs(),
        "the most to show"
    );
    for task in tasks {
        let mut done = AddTask::new("x", task);
        done.status = Status::Done;
        scheduler.add_task(Now::at(3.0), done).unwrap();
    }
    assert_eq!(used(&scheduler), 0);
}

#[test]
fn policies_that_are_no_lengths_of_time_are_refused() {
    let mut scheduler = scheduler();
    let mut add = |policy| {
        let mut request = AddTask::new("x", "A");
        request.retry_policy = policy;
        scheduler.add_task(Now::at(0.0), request)
    };
    let window = |secs| RetryPolicy {
        disable_window: Some(secs),
        ..RetryPolicy::default()
    };
    let timeout = |secs| RetryPolicy {
        disable_hard_timeout: Some(secs),
        ..RetryPolicy::default()
    };
    assert!(add(window(f64::NAN)).is_err());
    assert!(add(timeout(f64::NAN)).is_err());
    let refusal = add(timeout(-1.0)).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "disable_hard_timeout is -1: give seconds, zero or more"
    );
    add(window(0.0)).unwrap();
    add(timeout(f64::INFINITY)).unwrap();
}
