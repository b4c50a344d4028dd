//! Tasks as the scheduler's answers have them, and as programs get them from these commands.

use serde_json::{Map, Value, json};

/// A task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) id: String,
    /// Its family with its public parameters.
    pub(crate) name: String,
    pub(crate) status: String,
    /// When its status changed last, in seconds since the epoch.
    pub(crate) updated: f64,
    /// When it was handed out last.
    pub(crate) time_running: Option<f64>,
    /// Who runs it, or ran it last.
    pub(crate) worker: Option<String>,
    /// What the scheduler answered.
    pub(crate) value: Value,
}

impl Task {
    /// The task of this id, as views show it.
    pub(crate) fn new(id: &str, value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Self {
            id: id.to_owned(),
            name: text("display_name").unwrap_or_else(|| id.to_owned()),
            status: text("status").unwrap_or_default(),
            updated: value["last_updated"].as_f64().unwrap_or_default(),
            time_running: value["time_running"].as_f64(),
            worker: text("worker_running"),
            value: value.clone(),
        }
    }

    /// A task as `/api/v1` lists it.
    pub(crate) fn of_row(row: &Value) -> Self {
        let view = json!({
            "display_name": row["display_name"],
            "status": row["status"],
            "last_updated": row["updated"],
            "start_time": row["created"],
            "time_running": row["started"],
            "worker_running": row["worker"],
            "name": row["family"],
            "params": row["params"],
            "priority": row["priority"],
            "resources": row["resources"],
            "progress_percentage": row["progress"],
            "status_message": row["status_message"],
            "tracking_url": row["tracking_url"],
        });
        Self::new(row["id"].as_str().unwrap_or_default(), &view)
    }

    pub(crate) fn family(&self) -> &str {
        self.value["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn priority(&self) -> f64 {
        self.value["priority"].as_f64().unwrap_or_default()
    }

    /// The workers that can run it.
    pub(crate) fn workers(&self) -> impl Iterator<Item = &str> {
        let workers = self.value["workers"].as_array().into_iter().flatten();
        workers.filter_map(Value::as_str)
    }

    /// `name=value` pairs of an object.
    pub(crate) fn pairs(&self, of: &str) -> String {
        let pairs = self.value[of].as_object().into_iter().flatten();
        let pairs = pairs.map(|(name, value)| match value {
            Value::String(text) => format!("{name}={text}"),
            other => format!("{name}={other}"),
        });
        pairs.collect::<Vec<_>>().join(", ")
    }

    /// The keys that programs can rely on.
    pub(crate) fn json(&self) -> Map<String, Value> {
        let value = &self.value;
        let kept = json!({
            "task_id": self.id,
            "name": self.name,
            "family": value["name"],
            "params": value["params"],
            "status": self.status,
            "priority": value["priority"],
            "last_updated": value["last_updated"],
            "start_time": value["start_time"],
            "time_running": value["time_running"],
            "worker_running": value["worker_running"],
            "resources": value["resources"],
            "progress_percentage": value["progress_percentage"],
            "status_message": value["status_message"],
            "tracking_url": value["tracking_url"],
        });
        match kept {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }
}
