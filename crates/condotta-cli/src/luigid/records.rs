//! What luigid reports, as the records of a state.
//!
//! Knows nothing of how the reports came. What luigid does not report is left at its default; a
//! batch is taken apart, for its id is not reported: its tasks are pending again.

use std::collections::BTreeMap;

use condotta_scheduler::{
    Config, InfoValue, Now, Param, Record, Resources, Status, TaskIdentity, TaskLinks, TaskRecord,
    TaskState, Timestamp, Visibility, WorkerRecord,
};
use serde_json::{Map, Value};

/// Keys of a worker that it did not say of itself.
const OWN_KEYS: &[&str] = &[
    "name",
    "last_active",
    "started",
    "state",
    "first_task_display_name",
    "num_unread_rpc_messages",
    "num_running",
    "num_pending",
    "num_uniques",
    "running",
];

/// The replies of luigid's methods.
#[derive(Debug, Default)]
pub(super) struct Reported {
    /// `graph`.
    pub(super) tasks: Map<String, Value>,
    /// `fetch_error` of each task.
    pub(super) details: Map<String, Value>,
    /// `worker_list`.
    pub(super) workers: Vec<Value>,
    /// `resource_list`.
    pub(super) resources: Vec<Value>,
    /// `is_paused`.
    pub(super) paused: bool,
}

impl Reported {
    /// How many tasks are running.
    pub(super) fn running(&self) -> usize {
        let running = |task: &&Value| task["status"] == "RUNNING";
        self.tasks.values().filter(running).count()
    }

    /// The same as records. `limits` are those of the configuration, which need no record.
    pub(super) fn records(
        &self,
        now: Now,
        config: &Config,
        limits: &BTreeMap<String, u64>,
    ) -> Vec<Record> {
        let workers: Vec<WorkerRecord> = (1..).zip(&self.workers).map(worker).collect();
        let serials: BTreeMap<&str, u64> = workers
            .iter()
            .map(|worker| (worker.id.as_str(), worker.serial))
            .collect();
        let mut tasks: Vec<(&String, &Value)> = self.tasks.iter().collect();
        tasks.sort_by(|(_, a), (_, b)| time(&a["start_time"]).cmp(&time(&b["start_time"])));
        let mut records: Vec<Record> = workers.iter().cloned().map(Record::Worker).collect();
        for (age, (task_id, task)) in (1..).zip(tasks) {
            records.push(Record::Task(Box::new(TaskRecord {
                task_id: task_id.clone(),
                identity: Some(identity(age, task, self.details.get(task_id))),
                links: Some(links(task, &serials)),
                state: Some(state(task, self.details.get(task_id), now, config)),
            })));
        }
        let changed = self.resources.iter().filter_map(|resource| {
            let (name, total) = (text(&resource["name"])?, resource["num_total"].as_u64()?);
            (limits.get(&name) != Some(&total)).then_some(Record::Limit {
                resource: name,
                amount: total,
            })
        });
        records.extend(changed);
        records.push(Record::Paused(self.paused));
        records
    }
}

fn worker((serial, worker): (u64, &Value)) -> WorkerRecord {
    let said = worker.as_object().into_iter().flatten();
    let own = |key: &str| OWN_KEYS.contains(&key);
    WorkerRecord {
        serial,
        team_serial: serial,
        id: text(&worker["name"]).unwrap_or_default(),
        host: text(&worker["host"]),
        started: time(&worker["started"]),
        info: said
            .filter(|(key, _)| !own(key))
            .map(|(key, value)| (key.clone(), info(value)))
            .collect(),
        assistant: worker["assistant"] == true,
        processes: worker["workers"].as_i64().unwrap_or(1),
        disabled: worker["state"] == "disabled",
        connected: true,
        messages: Vec::new(),
    }
}

fn info(value: &Value) -> InfoValue {
    match value {
        Value::Null => InfoValue::Null,
        Value::Bool(flag) => InfoValue::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => InfoValue::Int(whole),
            None => InfoValue::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => InfoValue::Text(text.clone()),
        nested => InfoValue::Json(nested.to_string()),
    }
}

fn identity(age: u64, task: &Value, detail: Option<&Value>) -> TaskIdentity {
    let all = detail.and_then(|detail| detail["taskParams"].as_object());
    let public = task["params"].as_object();
    let is_public = |name: &String| public.is_some_and(|public| public.contains_key(name));
    let mut params: Vec<Param> = all
        .or(public)
        .into_iter()
        .flatten()
        .map(|(name, value)| Param {
            name: name.clone(),
            value: text(value).unwrap_or_else(|| value.to_string()),
            visibility: if is_public(name) {
                Visibility::Public
            } else {
                Visibility::Hidden
            },
        })
        .collect();
    params.sort_by(|a, b| a.name.cmp(&b.name));
    TaskIdentity {
        family: text(&task["name"]).unwrap_or_default(),
        module: detail.and_then(|detail| text(&detail["taskModule"])),
        params,
        age,
        created: time(&task["start_time"]),
    }
}

fn links(task: &Value, serials: &BTreeMap<&str, u64>) -> TaskLinks {
    let mut deps = texts(&task["deps"]);
    deps.sort();
    let serial = |worker: &String| serials.get(worker.as_str()).copied();
    let workers: Vec<u64> = texts(&task["workers"]).iter().filter_map(serial).collect();
    let mut stakeholders = workers.clone();
    stakeholders.sort_unstable();
    TaskLinks {
        deps,
        workers,
        stakeholders,
    }
}

fn state(task: &Value, detail: Option<&Value>, now: Now, config: &Config) -> TaskState {
    let status = task["status"].as_str().and_then(Status::from_name);
    let status = match status.unwrap_or(Status::Unknown) {
        Status::BatchRunning => Status::Pending,
        status => status,
    };
    let retry = (status == Status::Failed && config.retry_delay >= 0.0)
        .then(|| now.monotonic.after(config.retry_delay));
    TaskState {
        status,
        updated: time(&task["last_updated"]),
        // The scheduler's clock starts where the wall's is.
        updated_monotonic: time(&task["last_updated"]).min(now.monotonic),
        announced: text(&task["name"]).is_some(),
        runnable: !texts(&task["workers"]).is_empty(),
        accepts_messages: task["accepts_messages"] == true,
        priority: task["priority"].as_f64().unwrap_or_default(),
        resources: resources(&task["resources"]).unwrap_or_default(),
        resources_running: resources(&task["resources_running"]),
        worker_running: text(&task["worker_running"]),
        time_running: task["time_running"].as_f64().map(Timestamp),
        attempt: u64::from(!task["time_running"].is_null()),
        expl: detail.and_then(|detail| text(&detail["error"])),
        tracking_url: text(&task["tracking_url"]),
        status_message: text(&task["status_message"]),
        progress_percentage: task["progress_percentage"].as_f64(),
        scheduler_disabled: (task["re_enable_able"] == true).then_some(now.monotonic),
        retry,
        ..TaskState::default()
    }
}

fn resources(value: &Value) -> Option<Resources> {
    let amounts = value.as_object()?.iter();
    // Those that luigid would have choked on later are left out.
    let whole = amounts.filter_map(|(name, amount)| Some((name.clone(), amount.as_u64()?)));
    Some(whole.collect())
}

fn time(value: &Value) -> Timestamp {
    Timestamp(value.as_f64().unwrap_or_default())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reported() -> Reported {
        let objects = json!({
            "tasks": {
                "Late_1": {
                    "name": "Late", "status": "FAILED", "deps": ["Early_1", "Dep_1"], "workers": ["w"],
                    "params": {"day": "1"}, "priority": 2, "start_time": 20.0, "last_updated": 25.0,
                    "time_running": 21.0, "worker_running": "w", "resources": {"gpu": 1, "bad": "x"},
                },
                "Early_1": {
                    "name": "Early", "status": "BATCH_RUNNING", "deps": [], "workers": [],
                    "params": {}, "start_time": 10.0, "last_updated": 10.0,
                },
                "Dep_1": {
                    "name": null, "status": "UNKNOWN", "deps": [], "workers": [],
                    "params": {}, "start_time": 15.0, "last_updated": 15.0,
                },
            },
            "details": {
                "Late_1": {
                    "taskParams": {"secret": "s", "day": "1"}, "taskModule": "m", "error": "\"why\"",
                },
            },
        });
        let map = |key: &str| objects[key].as_object().unwrap().clone();
        Reported {
            tasks: map("tasks"),
            details: map("details"),
            workers: vec![json!({
                "name": "w", "state": "disabled", "started": 5.0, "last_active": 9.0,
                "num_unread_rpc_messages": 0, "first_task_display_name": null, "workers": 3,
                "host": "h", "salt": "1",
            })],
            resources: vec![
                json!({"name": "gpu", "num_total": 4}),
                json!({"name": "disk", "num_total": 2}),
            ],
            paused: true,
        }
    }

    fn records() -> Vec<Record> {
        let limits = BTreeMap::from([("gpu".to_owned(), 4)]);
        reported().records(Now::at(100.0), &Config::default(), &limits)
    }

    fn task(task_id: &str) -> TaskRecord {
        let found = records().into_iter().find_map(|record| match record {
            Record::Task(task) if task.task_id == task_id => Some(*task),
            _ => None,
        });
        found.unwrap()
    }

    #[test]
    fn a_task_keeps_what_is_reported_of_it() {
        let task = task("Late_1");
        let identity = task.identity.unwrap();
        let params: Vec<_> = identity
            .params
            .iter()
            .map(|param| (param.name.as_str(), param.visibility))
            .collect();
        assert_eq!(
            params,
            [("day", Visibility::Public), ("secret", Visibility::Hidden)]
        );
        assert_eq!((identity.age, identity.module.as_deref()), (3, Some("m")));
        let links = task.links.unwrap();
        assert_eq!(links.deps, ["Dep_1", "Early_1"]);
        assert_eq!((links.workers, links.stakeholders), (vec![1], vec![1]));
        let state = task.state.unwrap();
        assert_eq!(state.status, Status::Failed);
        assert_eq!(state.retry, Some(Timestamp(1000.0)));
        assert_eq!(state.resources, Resources::from([("gpu".to_owned(), 1)]));
        assert_eq!(state.expl.as_deref(), Some("\"why\""));
        assert!(state.announced && state.runnable);
    }

    #[test]
    fn a_batch_is_taken_apart_and_a_placeholder_stays_one() {
        assert_eq!(task("Early_1").state.unwrap().status, Status::Pending);
        let placeholder = task("Dep_1");
        let state = placeholder.state.unwrap();
        assert!(!state.announced && !state.runnable);
        assert_eq!(state.status, Status::Unknown);
    }

    #[test]
    fn workers_pause_and_changed_limits_are_kept() {
        let records = records();
        let Record::Worker(worker) = &records[0] else {
            panic!("workers come first");
        };
        assert!(worker.disabled);
        assert_eq!((worker.processes, worker.host.as_deref()), (3, Some("h")));
        let said: Vec<&str> = worker.info.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(records.contains(&Record::Paused(true)));
        let limits = records
            .iter()
            .filter(|record| matches!(record, Record::Limit { .. }));
        let disk = Record::Limit {
            resource: "disk".to_owned(),
            amount: 2,
        };
        assert_eq!(limits.collect::<Vec<_>>(), [&disk]);
    }
}
