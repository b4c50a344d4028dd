//! Records of every kind for the tests, and ways to look at a state.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use condotta_scheduler::{
    BatcherRecord, InfoValue, Now, Param, Record, RetryPolicy, SavedState, Status, TaskIdentity,
    TaskLinks, TaskRecord, TaskState, Timestamp, Visibility, WorkerMessage, WorkerRecord,
};
use condotta_server::state::{self, StateDir};
use tempfile::TempDir;

/// A task of which only the rarest parts are left out.
pub(crate) fn task(id: &str) -> Box<TaskRecord> {
    Box::new(TaskRecord {
        task_id: id.to_owned(),
        identity: Some(TaskIdentity {
            family: "Report".to_owned(),
            module: Some("reports.daily".to_owned()),
            params: vec![
                param("date", "2026-11-24", Visibility::Public),
                param(
                    "token",
                    "s3cret \"quoted\" \\ \u{1f600}\u{0}",
                    Visibility::Hidden,
                ),
            ],
            age: 7,
            created: Timestamp(1_700_000_000.25),
        }),
        links: Some(TaskLinks {
            deps: vec!["Child_1".to_owned(), "Child_2".to_owned()],
            workers: vec![5],
            stakeholders: vec![1],
        }),
        state: Some(plain_state(Status::Pending)),
    })
}

/// A task of which nearly all is usual, so that its text is short.
pub(crate) fn small_task(id: &str) -> Box<TaskRecord> {
    Box::new(TaskRecord {
        task_id: id.to_owned(),
        identity: Some(TaskIdentity::default()),
        links: Some(TaskLinks::default()),
        state: Some(TaskState::default()),
    })
}

pub(crate) fn param(name: &str, value: &str, visibility: Visibility) -> Param {
    Param {
        name: name.to_owned(),
        value: value.to_owned(),
        visibility,
    }
}

/// A state in which nothing has happened yet.
pub(crate) fn plain_state(status: Status) -> TaskState {
    TaskState {
        status,
        updated: Timestamp(1_700_000_001.5),
        updated_monotonic: Timestamp(12.125),
        announced: true,
        runnable: true,
        batchable: false,
        accepts_messages: false,
        priority: 0.0,
        resources: BTreeMap::new(),
        resources_running: None,
        worker_running: None,
        time_running: None,
        attempt: 0,
        retry_policy: RetryPolicy::default(),
        expl: None,
        tracking_url: None,
        status_message: None,
        progress_percentage: None,
        batch_id: None,
        responses: BTreeMap::new(),
        failures: Vec::new(),
        first_failure: None,
        scheduler_disabled: None,
        operator_disabled: false,
        retry: None,
        remove: None,
        orphan: false,
        seen_done: false,
        cancel: None,
        cancelled: None,
        lost_with: None,
    }
}

/// A state in which everything has happened.
pub(crate) fn full_state() -> TaskState {
    TaskState {
        batchable: true,
        accepts_messages: true,
        priority: f64::INFINITY,
        resources: BTreeMap::from([("cpu".to_owned(), 2), ("licence".to_owned(), u64::MAX)]),
        resources_running: Some(BTreeMap::from([("cpu".to_owned(), 1)])),
        worker_running: Some("worker-1".to_owned()),
        time_running: Some(Timestamp(1_700_000_002.0)),
        attempt: 4,
        retry_policy: RetryPolicy {
            retry_count: Some(3),
            disable_hard_timeout: Some(f64::INFINITY),
            disable_window: Some(3600.5),
        },
        expl: Some("\"Runtime error:\\nno such file\"".to_owned()),
        tracking_url: Some("http://localhost/log?a=1&b=</script>".to_owned()),
        status_message: Some("half-way\nthere".to_owned()),
        progress_percentage: Some(0.1),
        batch_id: Some("d41d8cd98f00b204".to_owned()),
        responses: BTreeMap::from([("message-1".to_owned(), "done".to_owned())]),
        failures: vec![Timestamp(1.0), Timestamp(2.5)],
        first_failure: Some(Timestamp(1.0)),
        scheduler_disabled: Some(Timestamp(3.0)),
        retry: Some(Timestamp(f64::INFINITY)),
        remove: Some(Timestamp(600.75)),
        orphan: true,
        ..plain_state(Status::Disabled)
    }
}

pub(crate) fn worker() -> WorkerRecord {
    WorkerRecord {
        serial: 1,
        team_serial: 5,
        id: "worker-1".to_owned(),
        host: Some("host.example".to_owned()),
        started: Timestamp(1_699_999_999.0),
        info: vec![
            ("workers".to_owned(), InfoValue::Int(-2)),
            ("pid".to_owned(), InfoValue::Text("123".to_owned())),
            ("load".to_owned(), InfoValue::Float(1.0)),
            ("limit".to_owned(), InfoValue::Float(f64::NEG_INFINITY)),
            ("assistant".to_owned(), InfoValue::Bool(true)),
            ("nothing".to_owned(), InfoValue::Null),
            (
                "more".to_owned(),
                InfoValue::Json("{\"a\": [1]}".to_owned()),
            ),
        ],
        assistant: true,
        processes: 4,
        disabled: true,
        connected: true,
        left: false,
        last_contact: None,
        messages: vec![
            WorkerMessage::SetWorkerProcesses { n: 8 },
            WorkerMessage::DispatchSchedulerMessage {
                task_id: "Report_1".to_owned(),
                message_id: "message-1".to_owned(),
                content: "stop".to_owned(),
            },
        ],
    }
}

/// Every kind of record; together they leave something of each.
pub(crate) fn every_kind() -> Vec<Record> {
    let mut full = task("Report_2");
    full.state = Some(full_state());
    let mut only_links = bare("Report_1");
    only_links.links = Some(TaskLinks::default());
    let batcher = BatcherRecord {
        worker: "worker-1".to_owned(),
        family: "Report".to_owned(),
        batched_args: vec!["date".to_owned()],
        max_size: None,
    };
    let leaver = WorkerRecord {
        serial: 2,
        team_serial: 6,
        id: "worker-2".to_owned(),
        ..WorkerRecord::default()
    };
    vec![
        Record::Worker(worker()),
        Record::Worker(leaver),
        Record::Batcher(BatcherRecord {
            worker: "worker-2".to_owned(),
            max_size: Some(10),
            ..batcher.clone()
        }),
        Record::Batcher(batcher),
        Record::Task(task("Report_1")),
        Record::Task(full),
        Record::Task(only_links),
        Record::Task(task("Report_3")),
        Record::TaskRemoved("Report_3".to_owned()),
        Record::BatchersRemoved {
            worker: "worker-2".to_owned(),
        },
        Record::WorkerRemoved(2),
        Record::Paused(true),
        Record::Limit {
            resource: "cpu".to_owned(),
            amount: 16,
        },
    ]
}

pub(crate) fn bare(id: &str) -> Box<TaskRecord> {
    Box::new(TaskRecord {
        task_id: id.to_owned(),
        ..TaskRecord::default()
    })
}

/// One transaction with these records.
pub(crate) fn frame(at: f64, records: &[Record]) -> Vec<u8> {
    let mut frames = Vec::new();
    state::encode(Now::at(at), records, &mut frames);
    frames
}

/// The transaction that makes the `index`th task.
pub(crate) fn task_frame(index: usize) -> Vec<u8> {
    let task = small_task(&format!("Task_{index:04}"));
    frame(index as f64, &[Record::Task(task)])
}

/// The ids of the tasks in a directory.
pub(crate) fn task_ids(path: &Path) -> Vec<String> {
    ids(&StateDir::open(path).expect("it opens").saved)
}

/// The ids of the tasks in a state.
pub(crate) fn ids(saved: &SavedState) -> Vec<String> {
    let ids = saved.records().filter_map(|record| match record {
        Record::Task(task) => Some(task.task_id),
        _ => None,
    });
    let mut ids: Vec<String> = ids.collect();
    ids.sort();
    ids
}

/// The ids that `task_frame` gives to the first tasks.
pub(crate) fn first_ids(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("Task_{index:04}")).collect()
}

/// All that a directory holds, as lines.
pub(crate) fn exported(path: &Path) -> String {
    let mut out = Vec::new();
    state::export(path, &mut out).expect("it is exported");
    String::from_utf8(out).expect("exports are UTF-8")
}

/// A directory for many opens, in memory where there is such a place: each of them waits for the
/// disk, which is not what these tests are about.
pub(crate) fn quick_home() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().expect("a directory"))
}

/// Makes `to` hold what `from` holds, and nothing else.
pub(crate) fn copy(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).expect("removed");
    }
    fs::create_dir(to).expect("made");
    for file in files(from) {
        let name = file.file_name().expect("a file");
        fs::copy(&file, to.join(name)).expect("copied");
    }
}

/// The files of a directory, in name order.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).expect("listed");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// The names of these files.
pub(crate) fn names(path: &Path) -> Vec<String> {
    let names = files(path).into_iter();
    names
        .map(|file| {
            file.file_name()
                .expect("a file")
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}
