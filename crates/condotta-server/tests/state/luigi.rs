//! Moving over from luigid: what a real one answered, as a state of ours.
//!
//! `fixtures/luigi-answers.json` was made by `fixtures/luigi_answers.py`, which says how.

use std::collections::BTreeMap;

use condotta_protocol::{Json, Object, read_json};
use condotta_scheduler::{
    Config, GetWork, InfoValue, Now, Record, Scheduler, Status, TaskRecord, Timestamp, Visibility,
    WorkerRecord,
};
use condotta_server::state::{self, LuigiAnswers, LuigiState, StateDir, from_luigi};

const ANSWERS: &str = include_str!("../fixtures/luigi-answers.json");

fn answers() -> LuigiAnswers {
    let mut all = entries(read_json(ANSWERS).expect("Python's JSON"));
    let mut take = |name: &str| all.remove(name).expect(name);
    let Json::Float(asked_at) = take("asked_at") else {
        panic!("a time")
    };
    LuigiAnswers {
        asked_at: Timestamp(asked_at),
        graph: take("graph"),
        worker_list: take("worker_list"),
        resource_list: take("resource_list"),
        is_paused: take("is_paused"),
        fetch_error: entries(take("fetch_error")),
        retry_delay: 900.0,
        limits: [("cpu".to_owned(), 4), ("licence".to_owned(), 1)].into(),
    }
}

fn entries(value: Json) -> BTreeMap<String, Json> {
    match value {
        Json::Object(object) => object.into_entries().into_iter().collect(),
        other => panic!("no object: {other}"),
    }
}

fn imported() -> LuigiState {
    from_luigi(answers()).expect("real answers")
}

fn task(state: &LuigiState, id: &str) -> TaskRecord {
    let mut tasks = state.records.iter().filter_map(|record| match record {
        Record::Task(task) if task.task_id == id => Some(task),
        _ => None,
    });
    (**tasks.next().expect(id)).clone()
}

fn worker(state: &LuigiState, id: &str) -> WorkerRecord {
    let mut workers = state.records.iter().filter_map(|record| match record {
        Record::Worker(worker) if worker.id == id => Some(worker),
        _ => None,
    });
    workers.next().expect(id).clone()
}

#[test]
fn statuses_are_luigi_s() {
    let state = imported();
    let statuses = state.records.iter().filter_map(|record| match record {
        Record::Task(task) => {
            let state = task.state.as_ref().expect("whole");
            Some((task.task_id.as_str(), state.status))
        }
        _ => None,
    });
    let statuses: BTreeMap<&str, Status> = statuses.collect();
    let expected = BTreeMap::from([
        ("Alone_1", Status::Done),
        ("Batch_1", Status::BatchRunning),
        ("Batch_2", Status::BatchRunning),
        ("Batch_all", Status::Running),
        ("Broken_1", Status::Disabled),
        ("Leaf_1", Status::Done),
        ("Leaf_2", Status::Failed),
        ("Mid_1", Status::Pending),
        ("Mid_2", Status::Pending),
        ("Nowhere_1", Status::Unknown),
        ("Off_1", Status::Disabled),
        ("Runs_1", Status::Running),
        ("Top_1", Status::Pending),
        ("Urgent_1", Status::Pending),
    ]);
    assert_eq!(statuses, expected);
}

#[test]
fn tasks_keep_what_the_api_tells() {
    let state = imported();
    let top = task(&state, "Top_1");
    let identity = top.identity.expect("whole");
    assert_eq!(
        (identity.family.as_str(), identity.module.as_deref()),
        ("Top", Some("jobs.top"))
    );
    let params: Vec<(&str, &str, Visibility)> = identity
        .params
        .iter()
        .map(|param| (param.name.as_str(), param.value.as_str(), param.visibility))
        .collect();
    let expected = [
        ("city", "K\u{f8}ge", Visibility::Public),
        ("n", "1", Visibility::Public),
        ("token", "s3cret", Visibility::Hidden),
    ];
    assert_eq!(params, expected);
    let mut deps = top.links.expect("whole").deps;
    deps.sort();
    assert_eq!(deps, ["Mid_1", "Mid_2", "Nowhere_1"]);
    assert_eq!(top.state.expect("whole").priority, 3.0);
    assert_eq!(
        task(&state, "Urgent_1").state.expect("whole").priority,
        f64::INFINITY
    );

    let runs = task(&state, "Runs_1").state.expect("whole");
    assert_eq!(runs.worker_running.as_deref(), Some("ann"));
    assert_eq!(
        runs.resources_running,
        Some([("licence".to_owned(), 1)].into())
    );
    assert_eq!(runs.tracking_url.as_deref(), Some("http://alpha/log"));
    assert_eq!(runs.status_message.as_deref(), Some("half-way"));
    assert_eq!(runs.progress_percentage, Some(50.0));

    let failed = task(&state, "Leaf_2").state.expect("whole");
    assert_eq!(
        failed.expl.as_deref(),
        Some("\"Runtime error:\\nno such file\"")
    );
    let at = failed.updated_monotonic;
    assert_eq!(
        (failed.retry, failed.first_failure),
        (Some(at.after(900.0)), Some(at))
    );

    let broken = task(&state, "Broken_1").state.expect("whole");
    assert_eq!(broken.scheduler_disabled, Some(broken.updated_monotonic));
    assert_eq!(
        task(&state, "Off_1")
            .state
            .expect("whole")
            .scheduler_disabled,
        None
    );
    assert!(!task(&state, "Nowhere_1").state.expect("whole").announced);
}

#[test]
fn workers_and_their_stakes_are_worked_out() {
    let state = imported();
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|id| worker(&state, id));
    assert_eq!((ann.processes, ann.host.as_deref()), (4, Some("alpha")));
    let names: Vec<&str> = ann.info.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["workers", "host", "pid", "first_task"]);
    assert_eq!(ann.info[2].1, InfoValue::Int(11));
    assert!(eve.disabled && !ann.disabled);
    let links = |id: &str| task(&state, id).links.expect("whole");
    assert_eq!(links("Mid_2").workers, [bob.team_serial, ann.team_serial]);
    assert_eq!(links("Leaf_1").stakeholders, [ann.serial, bob.serial]);
    assert_eq!(links("Leaf_2").stakeholders, [ann.serial]);
    assert!(links("Alone_1").stakeholders.is_empty());
}

#[test]
fn only_limits_that_were_changed_are_kept() {
    let limits = |state: LuigiState| -> Vec<Record> {
        let records = state.records.into_iter();
        records
            .filter(|record| matches!(record, Record::Limit { .. }))
            .collect()
    };
    let licence = Record::Limit {
        resource: "licence".to_owned(),
        amount: 3,
    };
    assert_eq!(limits(imported()), [licence]);
    let other = LuigiAnswers {
        limits: BTreeMap::new(),
        ..answers()
    };
    assert_eq!(limits(from_luigi(other).expect("real answers")).len(), 2);
}

#[test]
fn what_is_not_told_is_said() {
    let untold = imported().untold.join("\n");
    for start in [
        "1 failed tasks: earlier failures are not told",
        "2 disabled tasks: their failures are not told",
        "2 tasks run in batches, which are not told",
        "1 tasks: no worker is known to want them",
        "1 messages to workers are not told, and lost",
        "retry policies are not told",
        "which tasks may run in batches",
    ] {
        assert!(
            untold.lines().any(|line| line.starts_with(start)),
            "{start}:\n{untold}"
        );
    }
    assert_eq!(untold.lines().count(), 7, "{untold}");
}

/// The imported state goes through a directory into a scheduler, which goes on from it.
#[test]
fn a_scheduler_goes_on_from_it() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let LuigiState { now, records, .. } = imported();
    state::import_records(&path, now, records).expect("imported");
    let opened = StateDir::open(&path).expect("it opens");
    assert_eq!(opened.monotonic, now.monotonic);
    let limits = [("cpu".to_owned(), 4), ("licence".to_owned(), 1)].into();
    let mut scheduler = Scheduler::restore(Config::default(), limits, 0, now, opened.saved);
    assert!(scheduler.is_paused());
    scheduler.unpause(now).expect("no refusal");
    let later = Now {
        monotonic: now.monotonic.after(1.0),
        wall: now.wall.after(1.0),
    };
    let request = GetWork {
        worker: "ann".to_owned(),
        current_tasks: Some(vec!["Runs_1".to_owned()]),
        ..GetWork::default()
    };
    let work = scheduler.get_work(later, request).expect("an answer");
    let text = format!("{:?}", work.assignment);
    assert!(
        text.contains("task_id: \"Mid_2\"") || text.contains("task_id: \"Mid_1\""),
        "{text}"
    );
    assert!(text.contains("module: Some(\"jobs.mid\")"), "{text}");
}

#[test]
fn other_answers_are_refused() {
    let refused = |answers: LuigiAnswers| from_luigi(answers).expect_err("refused").to_string();
    let graph = LuigiAnswers {
        graph: Json::List(Vec::new()),
        ..answers()
    };
    assert_eq!(
        refused(graph),
        "the answer to graph is not one of luigid: expected an object, not []"
    );
    let paused = LuigiAnswers {
        is_paused: Json::Object(Object::default()),
        ..answers()
    };
    assert_eq!(
        refused(paused),
        "the answer to is_paused is not one of luigid: expected a flag as \"paused\", not nothing"
    );
    let odd = read_json(r#"{"T_1": {"status": "HAPPY"}}"#).expect("JSON");
    let odd = LuigiAnswers {
        graph: odd,
        ..answers()
    };
    assert_eq!(
        refused(odd),
        "the answer to graph is not one of luigid: T_1 has the status \"HAPPY\""
    );
}
