//! The state of a running luigid, from what its API tells of it.
//!
//! Knows what the answers mean, and nothing of how they are fetched. The API does not tell all:
//! what it leaves out is told to people, and taken to be what does the least harm.

use std::collections::{BTreeMap, BTreeSet};

use condotta_protocol::Json;
use condotta_scheduler::{
    InfoValue, Now, Param, Record, Resources, Status, TaskIdentity, TaskLinks, TaskRecord,
    TaskState, Timestamp, Visibility, WorkerRecord,
};

use super::luigi_answer::{BadAnswer, Fields, is_true, text_of};

/// What luigid answered. Each answer is the value under `response`.
#[derive(Clone, Debug)]
pub struct LuigiAnswers {
    /// When it was asked, on the wall clock.
    pub asked_at: Timestamp,
    /// The answer to `graph`.
    pub graph: Json,
    /// The answer to `worker_list`.
    pub worker_list: Json,
    /// The answer to `resource_list`.
    pub resource_list: Json,
    /// The answer to `is_paused`.
    pub is_paused: Json,
    /// The answers to `fetch_error` for each task of the graph, whatever its status: only they tell
    /// hidden parameters, modules and errors.
    pub fetch_error: BTreeMap<String, Json>,
    /// The configured `retry_delay`; below zero there are no retries, as in Luigi.
    pub retry_delay: f64,
    /// The configured limits of resources. Those that luigid has otherwise were changed while it
    /// ran, and are kept.
    pub limits: Resources,
}

/// A state that luigid told.
#[derive(Clone, Debug, PartialEq)]
pub struct LuigiState {
    /// The time at which it holds.
    pub now: Now,
    /// All of it.
    pub records: Vec<Record>,
    /// What is not known, for people: one sentence each.
    pub untold: Vec<String>,
}

/// Reads what luigid told of itself.
///
/// # Errors
///
/// When an answer is not what luigid gives.
pub fn from_luigi(answers: LuigiAnswers) -> Result<LuigiState, BadAnswer> {
    let mut workers = Workers::read(answers.worker_list)?;
    let mut tasks = read_tasks(answers.graph)?;
    let clock = Clock::new(answers.asked_at, &tasks);
    let stakes = stakes(&tasks, &workers);
    // Luigi orders tasks of one priority by this time, too.
    tasks.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    let mut untold = Untold::default();
    let mut records: Vec<Record> = Vec::new();
    for (index, task) in tasks.into_iter().enumerate() {
        let error = answers.fetch_error.get(&task.id).cloned();
        let links = TaskLinks {
            workers: workers.teams(&task.workers),
            stakeholders: stakes
                .get(&task.id)
                .into_iter()
                .flatten()
                .copied()
                .collect(),
            deps: task.deps.clone(),
        };
        untold.notice(&task, &links);
        let record = task.record(index as u64 + 1, error, links, &clock, answers.retry_delay)?;
        records.push(Record::Task(Box::new(record)));
    }
    let mut all = workers.records();
    all.push(Record::Paused(read_paused(answers.is_paused)?));
    all.extend(read_limits(answers.resource_list, &answers.limits)?);
    all.append(&mut records);
    Ok(LuigiState {
        now: clock.now(),
        records: all,
        untold: untold.sentences(workers.unread),
    })
}

fn read_paused(answer: Json) -> Result<bool, BadAnswer> {
    Fields::of("is_paused", answer)?.flag("paused")
}

fn read_limits(answer: Json, configured: &Resources) -> Result<Vec<Record>, BadAnswer> {
    let mut limits = Vec::new();
    for resource in Fields::list("resource_list", answer)? {
        let mut resource = resource?;
        let name = resource.text("name")?;
        let amount = resource.amount("num_total")?;
        if configured.get(&name) != Some(&amount) {
            limits.push(Record::Limit {
                resource: name,
                amount,
            });
        }
    }
    Ok(limits)
}

/// The monotonic clock of the new state: it starts when the oldest thing in it happened.
struct Clock {
    began: Timestamp,
    asked_at: Timestamp,
}

impl Clock {
    fn new(asked_at: Timestamp, tasks: &[Task]) -> Self {
        let times = tasks.iter().map(|task| task.created.min(task.updated));
        Self {
            began: times.fold(asked_at, Timestamp::min),
            asked_at,
        }
    }

    fn monotonic(&self, wall: Timestamp) -> Timestamp {
        Timestamp(wall.min(self.asked_at).since(self.began).max(0.0))
    }

    fn now(&self) -> Now {
        Now {
            monotonic: self.monotonic(self.asked_at),
            wall: self.asked_at,
        }
    }
}

// Workers.

/// The workers, oldest first.
struct Workers {
    records: Vec<WorkerRecord>,
    by_id: BTreeMap<String, usize>,
    /// Messages that are waiting for some of them.
    unread: u64,
}

impl Workers {
    fn read(answer: Json) -> Result<Self, BadAnswer> {
        let mut unread = 0;
        let mut records = Vec::new();
        for worker in Fields::list("worker_list", answer)? {
            let mut worker = worker?;
            unread += worker.amount("num_unread_rpc_messages")?;
            records.push(worker_record(worker)?);
        }
        records.sort_by_key(|worker| worker.started);
        for (serial, record) in (1..).step_by(2).zip(&mut records) {
            record.serial = serial;
            record.team_serial = serial + 1;
        }
        let ids = records.iter().enumerate();
        let by_id = ids
            .map(|(index, record)| (record.id.clone(), index))
            .collect();
        Ok(Self {
            records,
            by_id,
            unread,
        })
    }

    fn find(&self, id: &str) -> Option<&WorkerRecord> {
        self.by_id.get(id).map(|&index| &self.records[index])
    }

    fn teams(&self, ids: &[String]) -> Vec<u64> {
        let known = ids.iter().filter_map(|id| self.find(id));
        known.map(|worker| worker.team_serial).collect()
    }

    fn records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
            .into_iter()
            .map(Record::Worker)
            .collect()
    }
}

/// What `worker_list` shows beside what the worker said of itself.
const OF_THE_SCHEDULER: [&str; 7] = [
    "last_active",
    "first_task_display_name",
    "num_running",
    "num_pending",
    "num_uniques",
    "running",
    "num_unread_rpc_messages",
];

fn worker_record(mut worker: Fields) -> Result<WorkerRecord, BadAnswer> {
    let mut record = WorkerRecord {
        id: worker.text("name")?,
        started: worker.time("started")?,
        disabled: worker.text("state")? == "disabled",
        connected: true,
        processes: 1,
        ..WorkerRecord::default()
    };
    for name in OF_THE_SCHEDULER {
        worker.take(name);
    }
    for (name, value) in worker.into_entries() {
        match (name.as_str(), &value) {
            ("workers", Json::Int(number)) => record.processes = *number,
            ("host", Json::Text(host)) => record.host = Some(host.clone()),
            ("assistant", value) => record.assistant = is_true(value),
            _ => {}
        }
        record.info.push((name, info_value(value)));
    }
    Ok(record)
}

fn info_value(value: Json) -> InfoValue {
    match value {
        Json::Null => InfoValue::Null,
        Json::Bool(flag) => InfoValue::Bool(flag),
        Json::Int(number) => InfoValue::Int(number),
        Json::Float(number) => InfoValue::Float(number),
        Json::Text(text) => InfoValue::Text(text),
        nested @ (Json::List(_) | Json::Object(_)) => InfoValue::Json(nested.to_string()),
    }
}

// Tasks.

/// A task as the graph shows it.
struct Task {
    id: String,
    status: Status,
    created: Timestamp,
    updated: Timestamp,
    deps: Vec<String>,
    workers: Vec<String>,
    worker_running: Option<String>,
    /// Only mentioned by what depends on it.
    is_placeholder: bool,
    fields: Fields,
}

fn read_tasks(graph: Json) -> Result<Vec<Task>, BadAnswer> {
    let graph = Fields::of("graph", graph)?.into_entries();
    graph
        .into_iter()
        .map(|(id, task)| Task::read(id, task))
        .collect()
}

impl Task {
    fn read(id: String, task: Json) -> Result<Self, BadAnswer> {
        let mut fields = Fields::of("graph", task)?;
        let status = fields.text("status")?;
        let status = Status::from_name(&status)
            .ok_or_else(|| BadAnswer::new("graph", format!("{id} has the status {status:?}")))?;
        // Luigi has no time for what it only knows by name.
        let is_placeholder = !matches!(
            fields.get("last_updated"),
            Some(Json::Int(_) | Json::Float(_))
        );
        let mut time = |name| {
            if is_placeholder {
                Ok(Timestamp(0.0))
            } else {
                fields.time(name)
            }
        };
        Ok(Self {
            status,
            created: time("start_time")?,
            updated: time("last_updated")?,
            deps: fields.texts("deps")?,
            workers: fields.texts("workers")?,
            worker_running: fields.maybe_text("worker_running"),
            is_placeholder,
            id,
            fields,
        })
    }

    fn record(
        mut self,
        age: u64,
        error: Option<Json>,
        links: TaskLinks,
        clock: &Clock,
        retry_delay: f64,
    ) -> Result<TaskRecord, BadAnswer> {
        let mut error = match error {
            Some(error) => Fields::of("fetch_error", error)?,
            None => Fields::default(),
        };
        let expl = error.maybe_text("error");
        let identity = self.identity(age, error)?;
        Ok(TaskRecord {
            identity: Some(identity),
            links: Some(links),
            state: Some(self.state(expl, clock, retry_delay)?),
            task_id: self.id,
        })
    }

    fn identity(&mut self, age: u64, mut error: Fields) -> Result<TaskIdentity, BadAnswer> {
        let public = self.fields.take("params");
        if self.is_placeholder {
            return Ok(TaskIdentity {
                age,
                created: self.created,
                ..TaskIdentity::default()
            });
        }
        let public = Fields::of("graph", public.unwrap_or(Json::Null))?.into_entries();
        let public: BTreeMap<String, Json> = public.into_iter().collect();
        let mut params = public.clone();
        if let Some(all @ Json::Object(_)) = error.take("taskParams") {
            params.extend(Fields::of("fetch_error", all)?.into_entries());
        }
        let params = params.into_iter().map(|(name, value)| Param {
            visibility: if public.contains_key(&name) {
                Visibility::Public
            } else {
                Visibility::Hidden
            },
            value: text_of(value),
            name,
        });
        Ok(TaskIdentity {
            family: self.fields.text("name")?,
            module: error.maybe_text("taskModule"),
            params: params.collect(),
            age,
            created: self.created,
        })
    }

    fn state(
        &mut self,
        expl: Option<String>,
        clock: &Clock,
        retry_delay: f64,
    ) -> Result<TaskState, BadAnswer> {
        let fields = &mut self.fields;
        let updated = clock.monotonic(self.updated);
        let has_failed = self.status == Status::Failed;
        let may_be_enabled = fields.take("re_enable_able").as_ref().is_some_and(is_true);
        let time_running = fields.maybe_time("time_running");
        let resources = fields.take("resources");
        let resources_running = fields.take("resources_running");
        Ok(TaskState {
            status: self.status,
            updated: self.updated,
            updated_monotonic: updated,
            announced: !self.is_placeholder,
            runnable: !self.workers.is_empty(),
            accepts_messages: fields
                .take("accepts_messages")
                .as_ref()
                .is_some_and(is_true),
            priority: fields.number("priority")?,
            resources: amounts(resources)?.unwrap_or_default(),
            resources_running: amounts(resources_running)?,
            worker_running: self.worker_running.take(),
            attempt: u64::from(time_running.is_some()),
            time_running,
            expl,
            tracking_url: fields.maybe_text("tracking_url"),
            status_message: fields.maybe_text("status_message"),
            progress_percentage: fields.maybe_number("progress_percentage"),
            // It failed at least that once.
            failures: has_failed.then_some(updated).into_iter().collect(),
            first_failure: has_failed.then_some(updated),
            retry: (has_failed && retry_delay >= 0.0).then(|| updated.after(retry_delay)),
            scheduler_disabled: may_be_enabled.then_some(updated),
            ..TaskState::default()
        })
    }
}

fn amounts(value: Option<Json>) -> Result<Option<Resources>, BadAnswer> {
    let Some(object @ Json::Object(_)) = value else {
        return Ok(None);
    };
    let mut fields = Fields::of("graph", object)?;
    let names: Vec<String> = fields.names().map(ToOwned::to_owned).collect();
    let amounts = names.into_iter().map(|name| {
        let amount = fields.amount(&name)?;
        Ok((name, amount))
    });
    amounts.collect::<Result<Resources, BadAnswer>>().map(Some)
}

/// Who has a stake in what, which luigid does not tell: a worker has one in the tasks that it can
/// run, in their dependencies, and in what it runs.
fn stakes(tasks: &[Task], workers: &Workers) -> BTreeMap<String, BTreeSet<u64>> {
    let mut stakes: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for task in tasks {
        let is_running = matches!(task.status, Status::Running | Status::BatchRunning);
        let runner = task.worker_running.iter().filter(|_| is_running);
        let known = task
            .workers
            .iter()
            .chain(runner)
            .filter_map(|id| workers.find(id));
        for worker in known.filter(|worker| !worker.assistant) {
            for id in task.deps.iter().chain([&task.id]) {
                stakes.entry(id.clone()).or_default().insert(worker.serial);
            }
        }
    }
    stakes
}

/// What luigid did not tell, as far as it mattered.
#[derive(Default)]
struct Untold {
    failed: usize,
    disabled: usize,
    in_batches: usize,
    unwanted: usize,
    deps: BTreeSet<String>,
    ids: BTreeSet<String>,
}

impl Untold {
    fn notice(&mut self, task: &Task, links: &TaskLinks) {
        self.failed += usize::from(task.status == Status::Failed);
        self.disabled += usize::from(task.status == Status::Disabled);
        self.in_batches += usize::from(task.status == Status::BatchRunning);
        self.unwanted += usize::from(links.stakeholders.is_empty());
        self.deps.extend(task.deps.iter().cloned());
        self.ids.insert(task.id.clone());
    }

    fn sentences(&self, unread: u64) -> Vec<String> {
        let missing = self.deps.difference(&self.ids).count();
        let counted = [
            (
                self.failed,
                "failed tasks: earlier failures are not told, so each counts as having failed once",
            ),
            (
                self.disabled,
                "disabled tasks: their failures are not told; they stay disabled as long as if they had been disabled at their last change",
            ),
            (
                self.in_batches,
                "tasks run in batches, which are not told: they are handed out again when their worker next asks for work",
            ),
            (
                self.unwanted,
                "tasks: no worker is known to want them; they are removed after the remove delay unless one announces them",
            ),
            (
                missing,
                "dependencies are in no answer: they count as never announced",
            ),
            (
                usize::try_from(unread).unwrap_or(usize::MAX),
                "messages to workers are not told, and lost",
            ),
        ];
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        let always = [
            "retry policies are not told: the configured one holds until a worker announces the task again",
            "which tasks may run in batches, and how, is not told: workers that start from now on say it",
        ];
        counted
            .map(|(count, what)| format!("{count} {what}"))
            .chain(always.map(str::to_owned))
            .collect()
    }
}
