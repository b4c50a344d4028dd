//! What is told of changes, and what a restored scheduler does.

use std::collections::BTreeMap;

use condotta_scheduler::{
    AddTask, AddTaskBatcher, Assignment, Config, GetWork, Now, Record, SavedState, Scheduler,
    Status, TaskView, WorkerMessage, WorkerState,
};

use crate::kept::{fold, read, restored};

fn config() -> Config {
    Config {
        retry_delay: 5.0,
        remove_delay: 30.0,
        worker_disconnect_delay: 20.0,
        retry_count: 3,
        disable_persist: 15.0,
        keep_events: true,
        keep_changes: true,
        ..Config::default()
    }
}

fn scheduler() -> Scheduler {
    Scheduler::new(config(), [("r".to_owned(), 2)].into(), 0)
}

fn add(scheduler: &mut Scheduler, secs: f64, request: AddTask) {
    scheduler.add_task(Now::at(secs), request).unwrap();
}

fn task(scheduler: &Scheduler, id: &str) -> TaskView {
    scheduler.task(id).expect("it is there")
}

fn work(scheduler: &mut Scheduler, secs: f64, worker: &str) -> Option<String> {
    let request = GetWork {
        worker: worker.to_owned(),
        ..GetWork::default()
    };
    match scheduler
        .get_work(Now::at(secs), request)
        .unwrap()
        .assignment
    {
        Assignment::Nothing => None,
        Assignment::Task { task_id, .. } => Some(task_id),
        Assignment::Batch { batch_id, .. } => Some(batch_id),
    }
}

fn restart(scheduler: &mut Scheduler, secs: f64) {
    *scheduler = restored(scheduler, &[("r", 2)], Now::at(secs));
    scheduler.check_invariants().unwrap();
}

#[test]
fn nothing_is_told_unless_it_is_asked_for() {
    let mut scheduler = Scheduler::new(Config::default(), [].into(), 0);
    add(&mut scheduler, 0.0, AddTask::new("x", "A"));
    assert_eq!(scheduler.take_changes(), []);
}

#[test]
fn what_changes_nothing_leaves_no_record() {
    let mut scheduler = scheduler();
    let mut announced = AddTask::new("x", "A");
    announced.family = "A".into();
    announced.deps = Some(vec!["B".into()]);
    announced.resources = Some([("r".to_owned(), 1)].into());
    add(&mut scheduler, 0.0, announced.clone());
    work(&mut scheduler, 1.0, "x");
    assert!(!scheduler.take_changes().is_empty());

    scheduler.ping(Now::at(2.0), "x").unwrap();
    assert_eq!(scheduler.take_changes(), [], "a ping");
    assert_eq!(work(&mut scheduler, 3.0, "x"), None);
    assert_eq!(scheduler.take_changes(), [], "a question without an answer");
    add(&mut scheduler, 4.0, announced);
    assert_eq!(
        scheduler.take_changes(),
        [],
        "an announcement that was known"
    );
    scheduler.count_pending(Now::at(5.0), "x").unwrap();
    scheduler.unpause(Now::at(5.0)).unwrap();
    scheduler.handle_timeout(Now::at(6.0));
    assert_eq!(scheduler.take_changes(), [], "nothing was due");
}

#[test]
fn a_record_has_the_parts_that_changed() {
    let mut scheduler = scheduler();
    add(&mut scheduler, 0.0, AddTask::new("x", "A"));
    add(&mut scheduler, 0.0, AddTask::new("x", "B"));
    scheduler.take_changes();
    assert_eq!(work(&mut scheduler, 1.0, "x").as_deref(), Some("A"));
    let changes = scheduler.take_changes();
    let [Record::Task(record)] = &*changes else {
        panic!("one task changed: {changes:?}");
    };
    assert_eq!(record.task_id, "A");
    assert!(record.identity.is_none() && record.links.is_none());
    let state = record.state.as_ref().unwrap();
    assert_eq!((state.status, state.attempt), (Status::Running, 1));
    assert_eq!(state.worker_running.as_deref(), Some("x"));
}

#[test]
fn a_task_that_is_made_anew_is_told_as_removed_and_new() {
    let mut scheduler = scheduler();
    add(&mut scheduler, 0.0, AddTask::new("x", "A"));
    scheduler.take_changes();
    for secs in [30.0, 80.0] {
        scheduler.handle_timeout(Now::at(secs));
    }
    assert_eq!(scheduler.task_count(), 0);
    add(&mut scheduler, 80.0, AddTask::new("x", "A"));
    let changes = scheduler.take_changes();
    assert_eq!(changes.first(), Some(&Record::TaskRemoved("A".into())));
    let whole = changes.iter().any(|change| {
        matches!(change, Record::Task(task)
            if task.identity.is_some() && task.links.is_some() && task.state.is_some())
    });
    assert!(whole, "{changes:?}");
}

#[test]
fn what_runs_goes_on_until_its_worker_is_silent_for_as_long_as_ever() {
    let mut scheduler = scheduler();
    add(&mut scheduler, 0.0, AddTask::new("x", "A"));
    add(&mut scheduler, 0.0, AddTask::new("y", "A"));
    assert_eq!(work(&mut scheduler, 1.0, "x").as_deref(), Some("A"));
    // It was down for longer than the worker may be silent.
    restart(&mut scheduler, 1000.0);
    scheduler.handle_timeout(Now::at(1019.0));
    let running = task(&scheduler, "A");
    assert_eq!(running.status, Status::Running);
    assert_eq!(running.worker_running.as_deref(), Some("x"));
    scheduler.ping(Now::at(1019.0), "y").unwrap();
    scheduler.handle_timeout(Now::at(1021.0));
    assert_eq!(task(&scheduler, "A").status, Status::Failed);
    // The retry delay goes on through another restart.
    restart(&mut scheduler, 1023.0);
    scheduler.ping(Now::at(1023.0), "y").unwrap();
    scheduler.handle_timeout(Now::at(1025.0));
    assert_eq!(task(&scheduler, "A").status, Status::Failed);
    scheduler.handle_timeout(Now::at(1026.5));
    assert_eq!(work(&mut scheduler, 1027.0, "y").as_deref(), Some("A"));
    let mut late = AddTask::new("x", "A");
    late.status = Status::Done;
    late.runnable = None;
    late.attempt = Some(1);
    add(&mut scheduler, 1028.0, late);
    assert_eq!(task(&scheduler, "A").status, Status::Running, "fenced");
}

#[test]
fn old_links_do_not_bring_a_forgotten_worker_back() {
    let mut scheduler = scheduler();
    add(&mut scheduler, 0.0, AddTask::new("x", "A"));
    add(&mut scheduler, 0.0, AddTask::new("y", "A"));
    let mut done = AddTask::new("x", "A");
    done.status = Status::Done;
    assert_eq!(work(&mut scheduler, 0.0, "x").as_deref(), Some("A"));
    add(&mut scheduler, 0.0, done);
    let mut folded = fold(scheduler.take_changes());
    // y stays, x is forgotten; A still says that x ran it.
    for secs in (0..200).step_by(10) {
        scheduler.ping(Now::at(f64::from(secs)), "y").unwrap();
        scheduler.handle_timeout(Now::at(f64::from(secs)));
    }
    scheduler.ping(Now::at(200.0), "x").unwrap();
    let changes = scheduler.take_changes();
    let removed = |change: &Record| matches!(change, Record::WorkerRemoved(_));
    assert!(changes.iter().any(removed), "{changes:?}");
    let links_told = |change: &Record| matches!(change, Record::Task(task) if task.links.is_some());
    assert!(!changes.iter().any(links_told), "{changes:?}");
    changes.into_iter().for_each(|change| folded.apply(change));
    assert_eq!(folded, read(&scheduler, 1));
    let mut next = Scheduler::restore(config(), [].into(), 1, Now::at(200.0), folded);
    assert_eq!(task(&next, "A").workers, ["y"]);
    assert_eq!(task(&next, "A").worker_running.as_deref(), Some("x"));
    // Neither does a number that is given after the restart.
    next.ping(Now::at(201.0), "z").unwrap();
    restart(&mut next, 202.0);
    assert_eq!(task(&next, "A").workers, ["y"]);
}

#[test]
fn a_worker_that_nobody_knows_any_more_is_still_named_by_what_it_ran() {
    let mut scheduler = scheduler();
    add(&mut scheduler, 0.0, AddTask::new("x", "A"));
    add(&mut scheduler, 0.0, AddTask::new("y", "A"));
    assert_eq!(work(&mut scheduler, 0.0, "x").as_deref(), Some("A"));
    let mut done = AddTask::new("x", "A");
    done.status = Status::Done;
    add(&mut scheduler, 0.0, done);
    for secs in (0..200).step_by(10) {
        scheduler.ping(Now::at(f64::from(secs)), "y").unwrap();
        scheduler.handle_timeout(Now::at(f64::from(secs)));
    }
    restart(&mut scheduler, 200.0);
    assert_eq!(task(&scheduler, "A").worker_running.as_deref(), Some("x"));
    assert_eq!(scheduler.worker_list(false).len(), 1);
    add(&mut scheduler, 201.0, AddTask::new("x", "B"));
    assert_eq!(work(&mut scheduler, 202.0, "x").as_deref(), Some("B"));
}

#[test]
fn a_disabled_worker_stays_out_of_its_teams() {
    let mut scheduler = scheduler();
    add(&mut scheduler, 0.0, AddTask::new("x", "A"));
    add(&mut scheduler, 0.0, AddTask::new("y", "A"));
    let mut folded = fold(scheduler.take_changes());
    scheduler.disable_worker(Now::at(1.0), "x").unwrap();
    let changes = scheduler.take_changes();
    assert_eq!(changes.len(), 1, "{changes:?}");
    changes.into_iter().for_each(|change| folded.apply(change));
    scheduler.disable_worker(Now::at(1.0), "x").unwrap();
    assert_eq!(scheduler.take_changes(), []);
    let mut next = Scheduler::restore(config(), [].into(), 1, Now::at(2.0), folded);
    assert_eq!(task(&next, "A").workers, ["y"]);
    let counts = next.count_pending(Now::at(3.0), "x").unwrap();
    assert_eq!(counts.worker_state, WorkerState::Disabled);
    // Lost and back it is enabled, as ever, but has no place until it says so.
    next.handle_timeout(Now::at(25.0));
    next.ping(Now::at(26.0), "x").unwrap();
    restart(&mut next, 27.0);
    assert_eq!(task(&next, "A").workers, Vec::<String>::new(), "y is lost");
    add(&mut next, 28.0, AddTask::new("x", "A"));
    restart(&mut next, 29.0);
    next.ping(Now::at(30.0), "y").unwrap();
    assert_eq!(task(&next, "A").workers, ["y", "x"]);
}

#[test]
fn messages_wait_for_their_worker() {
    let mut scheduler = scheduler();
    scheduler.ping(Now::at(0.0), "x").unwrap();
    scheduler
        .set_worker_processes(Now::at(1.0), "x", 3)
        .unwrap();
    restart(&mut scheduler, 2.0);
    let messages = scheduler.ping(Now::at(3.0), "x").unwrap();
    assert_eq!(messages, [WorkerMessage::SetWorkerProcesses { n: 3 }]);
    assert_eq!(scheduler.take_changes().len(), 1, "they were fetched");
    restart(&mut scheduler, 4.0);
    assert_eq!(scheduler.ping(Now::at(5.0), "x").unwrap(), []);
}

#[test]
fn answers_to_messages_are_read_once() {
    let mut scheduler = scheduler();
    add(&mut scheduler, 0.0, AddTask::new("x", "A"));
    let now = Now::at(1.0);
    scheduler
        .add_scheduler_message_response(now, "A", "m", "yes".into())
        .unwrap();
    restart(&mut scheduler, 2.0);
    let answer = scheduler.get_scheduler_message_response(now, "A", "m");
    assert_eq!(answer.unwrap().as_deref(), Some("yes"));
    restart(&mut scheduler, 2.0);
    let answer = scheduler.get_scheduler_message_response(now, "A", "m");
    assert_eq!(answer.unwrap(), None);
}

#[test]
fn a_pause_holds() {
    let mut scheduler = scheduler();
    add(&mut scheduler, 0.0, AddTask::new("x", "A"));
    scheduler.pause(Now::at(1.0)).unwrap();
    restart(&mut scheduler, 2.0);
    assert!(scheduler.is_paused());
    assert_eq!(work(&mut scheduler, 3.0, "x"), None);
    scheduler.unpause(Now::at(4.0)).unwrap();
    assert_eq!(scheduler.take_changes().len(), 1);
    restart(&mut scheduler, 5.0);
    assert_eq!(work(&mut scheduler, 6.0, "x").as_deref(), Some("A"));
}

#[test]
fn limits_that_were_changed_override_the_configured_ones() {
    let mut scheduler = scheduler();
    let limit = |scheduler: &Scheduler, name: &str| {
        let list = scheduler.resource_list();
        let found = list.iter().find(|it| it.name == name);
        found.map(|it| it.num_total)
    };
    scheduler.update_resource(Now::at(0.0), "s", 7).unwrap();
    let mut folded = fold(scheduler.take_changes());
    let limits: BTreeMap<String, u64> = [("r".to_owned(), 5), ("s".to_owned(), 6)].into();
    let next = Scheduler::restore(config(), limits.clone(), 1, Now::at(1.0), folded);
    assert_eq!((limit(&next, "r"), limit(&next, "s")), (Some(5), Some(7)));
    // What an operator sets to what is configured stays so too.
    scheduler.update_resource(Now::at(0.0), "r", 2).unwrap();
    folded = read(&scheduler, 1);
    let next = Scheduler::restore(config(), limits, 1, Now::at(1.0), folded);
    assert_eq!((limit(&next, "r"), limit(&next, "s")), (Some(2), Some(7)));
}

#[test]
fn a_batch_goes_on() {
    let mut scheduler = scheduler();
    let batcher = AddTaskBatcher {
        worker: "x".into(),
        task_family: "F".into(),
        batched_args: vec!["n".into()],
        max_batch_size: Some(2),
    };
    scheduler.add_task_batcher(Now::at(0.0), batcher).unwrap();
    for n in 0..4 {
        let mut member = AddTask::new("x", &format!("F_{n}"));
        member.family = "F".into();
        member.batchable = Some(true);
        member.params = Some(vec![condotta_scheduler::Param {
            name: "n".into(),
            value: n.to_string(),
            visibility: condotta_scheduler::Visibility::Public,
        }]);
        add(&mut scheduler, 0.0, member);
    }
    restart(&mut scheduler, 0.5);
    let batch_id = work(&mut scheduler, 1.0, "x").expect("there is work");
    assert_eq!(task(&scheduler, "F_0").status, Status::BatchRunning);
    restart(&mut scheduler, 2.0);
    let mut combined = AddTask::new("x", "F_0_1");
    combined.status = Status::Running;
    combined.runnable = None;
    combined.batch_id = Some(batch_id.clone());
    add(&mut scheduler, 3.0, combined.clone());
    restart(&mut scheduler, 4.0);
    combined.status = Status::Done;
    add(&mut scheduler, 5.0, combined);
    for id in ["F_0", "F_1", "F_0_1"] {
        assert_eq!(task(&scheduler, id).status, Status::Done, "{id}");
    }
    // The batcher is there too, with its size.
    let next = work(&mut scheduler, 6.0, "x").expect("there is work");
    assert_ne!(next, batch_id);
    assert_eq!(task(&scheduler, "F_3").status, Status::BatchRunning);
}

#[test]
fn tasks_that_nobody_wants_are_dropped_after_a_restart_too() {
    let mut scheduler = scheduler();
    add(&mut scheduler, 0.0, AddTask::new("x", "A"));
    let mut helped = AddTask::new("y", "B");
    helped.assistant = true;
    add(&mut scheduler, 0.0, helped);
    scheduler.handle_timeout(Now::at(25.0));
    restart(&mut scheduler, 26.0);
    assert_eq!(scheduler.task_count(), 2);
    for secs in [55.5, 57.0] {
        scheduler.handle_timeout(Now::at(secs));
    }
    assert_eq!(scheduler.task_count(), 0);
    scheduler.handle_timeout(Now::at(300.0));
    let state = read(&scheduler, 1);
    assert_eq!(state, SavedState::default(), "workers are forgotten");
}

#[test]
fn disabled_tasks_are_enabled_when_it_is_time() {
    let mut scheduler = scheduler();
    let mut failing = AddTask::new("x", "A");
    failing.retry_policy.retry_count = Some(1);
    add(&mut scheduler, 0.0, failing.clone());
    assert_eq!(work(&mut scheduler, 1.0, "x").as_deref(), Some("A"));
    failing.status = Status::Failed;
    failing.runnable = None;
    add(&mut scheduler, 2.0, failing);
    assert_eq!(task(&scheduler, "A").status, Status::Disabled);
    restart(&mut scheduler, 3.0);
    assert_eq!(task(&scheduler, "A").re_enable_able, Some(true));
    scheduler.handle_timeout(Now::at(16.0));
    assert_eq!(task(&scheduler, "A").status, Status::Disabled);
    scheduler.handle_timeout(Now::at(17.5));
    assert_eq!(task(&scheduler, "A").status, Status::Failed);
}

#[test]
fn dead_ends_are_found_again() {
    let mut scheduler = scheduler();
    let depend = |id: &str, dep: &str| {
        let mut task = AddTask::new("x", id);
        task.deps = Some(vec![dep.to_owned()]);
        task
    };
    for (id, dep) in [("A", "B"), ("B", "A"), ("C", "nowhere"), ("D", "E")] {
        add(&mut scheduler, 0.0, depend(id, dep));
    }
    let mut greedy = AddTask::new("x", "E");
    greedy.resources = Some([("r".to_owned(), 3)].into());
    add(&mut scheduler, 0.0, greedy);
    work(&mut scheduler, 1.0, "x");
    scheduler.handle_timeout(Now::at(2.0));
    let told = scheduler.dead_ends();
    assert_eq!(told.len(), 4, "{told:?}");
    restart(&mut scheduler, 3.0);
    let due = scheduler
        .poll_timeout()
        .expect("they are to be looked for again");
    assert!(due.0 <= 63.0, "{due:?}");
    scheduler.handle_timeout(Now::at(4.0));
    assert_eq!(scheduler.dead_ends(), told);
}

#[test]
fn what_makes_no_sense_is_left_out() {
    let mut scheduler = scheduler();
    let mut announced = AddTask::new("x", "A");
    announced.deps = Some(vec!["B".into()]);
    add(&mut scheduler, 0.0, announced);
    let mut state = SavedState::default();
    state.apply(Record::TaskRemoved("nobody".into()));
    state.apply(Record::WorkerRemoved(77));
    state.apply(Record::BatchersRemoved { worker: "y".into() });
    for record in scheduler.take_changes() {
        match record {
            // Of A the links never come, and B's record is missing.
            Record::Task(mut task) if task.task_id == "A" => {
                task.links = None;
                state.apply(Record::Task(task));
            }
            Record::Task(_) => {}
            other => state.apply(other),
        }
    }
    assert_eq!(state.task_count(), 0);
    let mut next = Scheduler::restore(config(), [].into(), 1, Now::at(1.0), state);
    next.check_invariants().unwrap();
    assert_eq!(next.task_count(), 0);
    add(&mut next, 2.0, AddTask::new("x", "A"));
    assert_eq!(work(&mut next, 3.0, "x").as_deref(), Some("A"));
    // The number that was seen last is not given again.
    next.ping(Now::at(4.0), "z").unwrap();
    let greatest = next.take_changes().into_iter().filter_map(|it| match it {
        Record::Worker(worker) => Some(worker.serial),
        _ => None,
    });
    assert_eq!(greatest.max(), Some(78));
}

#[test]
fn what_runs_on_nobody_ends() {
    let mut scheduler = scheduler();
    for id in ["A", "B"] {
        add(&mut scheduler, 0.0, AddTask::new("x", id));
        assert_eq!(work(&mut scheduler, 1.0, "x").as_deref(), Some(id));
    }
    let mut state = SavedState::default();
    for record in read(&scheduler, 1).records() {
        match record {
            Record::Worker(mut worker) => {
                worker.connected = false;
                state.apply(Record::Worker(worker));
            }
            Record::Task(mut task) if task.task_id == "B" => {
                let state_of_b = task.state.as_mut().unwrap();
                state_of_b.worker_running = Some("nobody".into());
                state.apply(Record::Task(task));
            }
            other => state.apply(other),
        }
    }
    let copy = fold(state.records());
    let mut next = Scheduler::restore(config(), [].into(), 1, Now::at(2.0), copy);
    next.check_invariants().unwrap();
    let mut changes = next.take_changes();
    assert_eq!(changes.len(), 2, "both are there: {changes:?}");
    changes.drain(..).for_each(|change| state.apply(change));
    assert_eq!(state, read(&next, 1));
    let due = next.poll_timeout().expect("their silence is noticed");
    next.handle_timeout(Now::at(due.0 + 1.0));
    for id in ["A", "B"] {
        assert_eq!(task(&next, id).status, Status::Failed, "{id}");
    }
}

#[test]
fn room_of_removed_tasks_is_used_again() {
    let mut state = SavedState::default();
    let mut scheduler = scheduler();
    for round in 0..20 {
        let start = f64::from(round) * 1000.0;
        for number in 0..1000 {
            let mut task = AddTask::new("x", &format!("T{round}_{number}"));
            task.deps = Some(vec![format!("T{round}_{}", number + 1)]);
            add(&mut scheduler, start, task);
        }
        for later in [30.0, 70.0, 400.0] {
            scheduler.handle_timeout(Now::at(start + later));
        }
        for record in scheduler.take_changes() {
            state.apply(record);
        }
        // Once more, as when a part of a journal is read twice.
        add(&mut scheduler, start + 500.0, AddTask::new("x", "last"));
        for record in scheduler.take_changes() {
            state.apply(record.clone());
            state.apply(record);
        }
        assert_eq!(state.task_count(), 1);
        assert_eq!(state, read(&scheduler, 100));
    }
}

#[test]
fn a_task_is_spared_when_who_wants_it_comes_back() {
    let mut scheduler = scheduler();
    add(&mut scheduler, 0.0, AddTask::new("x", "A"));
    scheduler.release_worker(Now::at(1.0), "x");
    // It has no stake in the task, so that this is marked for removal.
    let mut helped = AddTask::new("y", "A");
    helped.assistant = true;
    add(&mut scheduler, 2.0, helped);
    scheduler.handle_timeout(Now::at(3.0));
    restart(&mut scheduler, 4.0);
    scheduler.ping(Now::at(30.0), "x").unwrap();
    scheduler.take_changes();
    scheduler.handle_timeout(Now::at(34.0));
    assert_eq!(scheduler.task_count(), 1);
    let changes = scheduler.take_changes();
    let spared = changes.iter().any(|change| {
        let Record::Task(task) = change else {
            return false;
        };
        let state = task.state.as_ref().unwrap();
        state.remove.is_none() && !state.orphan
    });
    assert!(spared, "the mark is gone: {changes:?}");
}

#[test]
fn the_host_of_a_worker_is_kept() {
    let mut scheduler = scheduler();
    let mut ask = |host: &str| {
        let request = GetWork {
            worker: "x".to_owned(),
            host: Some(host.to_owned()),
            ..GetWork::default()
        };
        scheduler.get_work(Now::at(0.0), request).unwrap();
        scheduler.take_changes()
    };
    ask("one");
    let changes = ask("two");
    assert!(
        matches!(&*changes, [Record::Worker(worker)] if worker.host.as_deref() == Some("two")),
        "{changes:?}"
    );
    assert_eq!(ask("two"), []);
}

/// Else a late report would bring back what was given back just before the scheduler was killed.
#[test]
fn that_a_worker_went_is_kept_until_it_comes_back() {
    let mut scheduler = scheduler();
    add(&mut scheduler, 0.0, AddTask::new("x", "A"));
    scheduler.release_worker(Now::at(1.0), "x");
    restart(&mut scheduler, 2.0);
    let late = || AddTask {
        status: Status::Failed,
        runnable: None,
        ..AddTask::new("x", "combined")
    };
    add(&mut scheduler, 3.0, late());
    assert!(scheduler.task("combined").is_none());
    add(&mut scheduler, 4.0, AddTask::new("x", "B"));
    restart(&mut scheduler, 5.0);
    add(&mut scheduler, 6.0, late());
    assert_eq!(scheduler.task("combined").unwrap().status, Status::Failed);
}
