//! Records as JSON: what stands in the journal, in snapshots and in exports.
//!
//! The shapes repeat those of the scheduler's records field by field, so that a record cannot gain
//! a field that is forgotten here: it does not compile. What has its usual value is left out and
//! read back as that value; fields that are not known are passed over. Both together let an
//! earlier and a later version of one format read each other's files.

use std::collections::BTreeMap;

use condotta_scheduler::{
    BatcherRecord, CancelAsk, InfoValue, Param, Record, Resources, RetryPolicy, Status,
    TaskIdentity, TaskLinks, TaskRecord, TaskState, Timestamp, WorkerMessage, WorkerRecord,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value_json::{
    self, InfoValueJson, MessageJson, ParamJson, TimestampJson, each, is_default, maybe,
};

/// The text of a record.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct RecordRef<'a>(#[serde(with = "RecordJson")] pub(super) &'a Record);

/// A record, read from its text.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct RecordOwned(#[serde(with = "RecordJson")] pub(super) Record);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Record", rename_all = "snake_case")]
enum RecordJson {
    Task(#[serde(with = "boxed_task")] Box<TaskRecord>),
    TaskRemoved(String),
    Worker(#[serde(with = "WorkerRecordJson")] WorkerRecord),
    WorkerRemoved(u64),
    Batcher(#[serde(with = "BatcherRecordJson")] BatcherRecord),
    BatchersRemoved { worker: String },
    Paused(bool),
    Limit { resource: String, amount: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "TaskRecord")]
struct TaskRecordJson {
    #[serde(rename = "id")]
    task_id: String,
    #[serde(with = "identity", default, skip_serializing_if = "Option::is_none")]
    identity: Option<TaskIdentity>,
    #[serde(with = "links", default, skip_serializing_if = "Option::is_none")]
    links: Option<TaskLinks>,
    #[serde(with = "state", default, skip_serializing_if = "Option::is_none")]
    state: Option<TaskState>,
}

mod boxed_task {
    use super::{Deserializer, Serializer, TaskRecord, TaskRecordJson};

    pub(super) fn serialize<S: Serializer>(
        task: &TaskRecord,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        TaskRecordJson::serialize(task, serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Box<TaskRecord>, D::Error> {
        TaskRecordJson::deserialize(deserializer).map(Box::new)
    }
}

maybe!(identity, TaskIdentity, "TaskIdentityJson");
maybe!(links, TaskLinks, "TaskLinksJson");
maybe!(state, TaskState, "TaskStateJson");
maybe!(cancel, CancelAsk, "CancelAskJson");
maybe!(timestamp, Timestamp, "TimestampJson");
each!(params, Param, "ParamJson");
each!(timestamps, Timestamp, "TimestampJson");
each!(messages, WorkerMessage, "MessageJson");

#[derive(Serialize, Deserialize)]
#[serde(remote = "TaskIdentity")]
struct TaskIdentityJson {
    #[serde(default, skip_serializing_if = "is_default")]
    family: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    #[serde(with = "params", default, skip_serializing_if = "is_default")]
    params: Vec<Param>,
    age: u64,
    #[serde(with = "TimestampJson")]
    created: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "TaskLinks")]
struct TaskLinksJson {
    #[serde(default, skip_serializing_if = "is_default")]
    deps: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    workers: Vec<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    stakeholders: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "TaskState")]
struct TaskStateJson {
    #[serde(with = "value_json::status")]
    status: Status,
    #[serde(with = "TimestampJson")]
    updated: Timestamp,
    #[serde(with = "TimestampJson")]
    updated_monotonic: Timestamp,
    #[serde(default, skip_serializing_if = "is_default")]
    announced: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    runnable: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    batchable: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    accepts_messages: bool,
    #[serde(
        with = "value_json::number",
        default,
        skip_serializing_if = "is_plus_zero"
    )]
    priority: f64,
    #[serde(default, skip_serializing_if = "is_default")]
    resources: Resources,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resources_running: Option<Resources>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    worker_running: Option<String>,
    #[serde(with = "timestamp", default, skip_serializing_if = "Option::is_none")]
    time_running: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    attempt: u64,
    #[serde(with = "RetryPolicyJson", default, skip_serializing_if = "is_default")]
    retry_policy: RetryPolicy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expl: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracking_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status_message: Option<String>,
    #[serde(
        with = "value_json::maybe_number",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    progress_percentage: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch_id: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    responses: BTreeMap<String, String>,
    #[serde(with = "timestamps", default, skip_serializing_if = "is_default")]
    failures: Vec<Timestamp>,
    #[serde(with = "timestamp", default, skip_serializing_if = "Option::is_none")]
    first_failure: Option<Timestamp>,
    #[serde(with = "timestamp", default, skip_serializing_if = "Option::is_none")]
    scheduler_disabled: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    operator_disabled: bool,
    #[serde(with = "timestamp", default, skip_serializing_if = "Option::is_none")]
    retry: Option<Timestamp>,
    #[serde(with = "timestamp", default, skip_serializing_if = "Option::is_none")]
    remove: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    orphan: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    seen_done: bool,
    #[serde(with = "cancel", default, skip_serializing_if = "Option::is_none")]
    cancel: Option<CancelAsk>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancelled: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost_with: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CancelAsk")]
struct CancelAskJson {
    by: String,
    #[serde(with = "TimestampJson")]
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    refused: bool,
}

/// Zero with a minus sign is another number, and is written.
fn is_plus_zero(number: &f64) -> bool {
    number.to_bits() == 0
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RetryPolicy")]
struct RetryPolicyJson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_count: Option<u64>,
    #[serde(
        with = "value_json::maybe_number",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    disable_hard_timeout: Option<f64>,
    #[serde(
        with = "value_json::maybe_number",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    disable_window: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "WorkerRecord")]
struct WorkerRecordJson {
    serial: u64,
    team_serial: u64,
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(with = "TimestampJson")]
    started: Timestamp,
    #[serde(with = "info", default, skip_serializing_if = "is_default")]
    info: Vec<(String, InfoValue)>,
    #[serde(default, skip_serializing_if = "is_default")]
    assistant: bool,
    processes: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    disabled: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    connected: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    left: bool,
    #[serde(with = "timestamp", default, skip_serializing_if = "Option::is_none")]
    last_contact: Option<Timestamp>,
    #[serde(with = "messages", default, skip_serializing_if = "is_default")]
    messages: Vec<WorkerMessage>,
}

/// What a worker said of itself, as a list of pairs: the order counts.
mod info {
    use super::{Deserialize, Deserializer, InfoValue, InfoValueJson, Serialize, Serializer};

    #[derive(Serialize)]
    struct Ref<'a>(&'a str, #[serde(with = "InfoValueJson")] &'a InfoValue);

    #[derive(Deserialize)]
    struct Owned(String, #[serde(with = "InfoValueJson")] InfoValue);

    pub(super) fn serialize<S: Serializer>(
        info: &[(String, InfoValue)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(info.iter().map(|(name, value)| Ref(name, value)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, InfoValue)>, D::Error> {
        let pairs = Vec::<Owned>::deserialize(deserializer)?;
        Ok(pairs
            .into_iter()
            .map(|Owned(name, value)| (name, value))
            .collect())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "BatcherRecord")]
struct BatcherRecordJson {
    worker: String,
    family: String,
    #[serde(default, skip_serializing_if = "is_default")]
    batched_args: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_size: Option<u64>,
}
