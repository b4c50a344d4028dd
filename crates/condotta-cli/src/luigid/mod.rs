//! Moves the state of a running luigid over, as far as its API reports it.

mod records;

use std::{path::Path, time::Duration};

use condotta_protocol::{Json, read_json};
use condotta_scheduler::Now;
use condotta_server::{clock::Clock, state};
use serde_json::{Map, Value, json};
use ureq::Agent;

use self::records::Reported;
use crate::{
    error::{Failure, Kind, with_causes},
    settings::{self, Settings},
    state::failure,
};

/// How often to say how far it is.
const TASKS_PER_LINE: usize = 10_000;

/// Makes a state directory of what the luigid at `url` reports.
pub(crate) fn import(directory: &Path, url: &str) -> Result<(), Failure> {
    let setting = |error: &dyn std::error::Error| Failure::new(Kind::Other, with_causes(error));
    let config = settings::load(&[]).map_err(|error| setting(&error))?;
    let settings = Settings::new(&config).map_err(|error| setting(&error))?;
    let reported = Luigid::new(url).report()?;
    if reported.running() > 0 {
        println!(
            "{} tasks are running: the import is right as long as nothing changes until the new \
             scheduler has taken over",
            reported.running()
        );
    }
    // The scheduler's own clock goes on from the wall's.
    let wall = Clock::starting_at(condotta_scheduler::Timestamp::default())
        .now()
        .wall;
    let now = Now {
        monotonic: wall,
        wall,
    };
    let tasks = reported.tasks.len();
    let records = reported.records(now, &settings.scheduler, &settings.limits);
    state::import_records(directory, now, records).map_err(failure)?;
    println!(
        "{tasks} tasks are in {} now. luigid does not report which tasks may run in a batch and how \
         often they failed: workers say the former again when they start, the latter is counted anew",
        directory.display()
    );
    Ok(())
}

/// A luigid that runs.
struct Luigid {
    agent: Agent,
    url: String,
}

impl Luigid {
    fn new(url: &str) -> Self {
        let config = Agent::config_builder()
            // A large graph takes luigid a while.
            .timeout_global(Some(Duration::from_secs(600)))
            .http_status_as_error(false)
            .build();
        Self {
            agent: config.new_agent(),
            url: url.trim_end_matches('/').to_owned(),
        }
    }

    /// Asks for all that there is.
    fn report(&self) -> Result<Reported, Failure> {
        let workers = self.call("worker_list", &json!({"include_running": false}))?;
        let tasks = self.call("graph", &json!({}))?;
        let tasks = self.object("graph", tasks)?;
        let mut details = Map::new();
        for (index, task_id) in tasks.keys().enumerate() {
            if index > 0 && index % TASKS_PER_LINE == 0 {
                println!("{index} of {} tasks read", tasks.len());
            }
            let detail = self.call("fetch_error", &json!({"task_id": task_id}))?;
            details.insert(task_id.clone(), detail);
        }
        Ok(Reported {
            tasks,
            details,
            workers: self.list("worker_list", workers)?,
            resources: self.list("resource_list", self.call("resource_list", &json!({}))?)?,
            paused: self.call("is_paused", &json!({}))?["paused"] == json!(true),
        })
    }

    fn call(&self, method: &str, arguments: &Value) -> Result<Value, Failure> {
        let url = format!("{}/api/{method}", self.url);
        let sent = self
            .agent
            .post(&url)
            .send_form([("data", arguments.to_string())]);
        let mut response = sent.map_err(|error| self.no_luigid(method, &with_causes(&error)))?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(u64::MAX);
        let text = body
            .read_to_string()
            .map_err(|error| self.no_luigid(method, &with_causes(&error)))?;
        if !status.is_success() {
            return Err(self.no_luigid(method, &format!("it answers {status}")));
        }
        let json = read_json(&text).map_err(|error| self.no_luigid(method, &error.to_string()))?;
        let mut envelope = plain(json);
        match envelope.get_mut("response") {
            Some(response) => Ok(response.take()),
            None => Err(self.no_luigid(method, "it answers without a response")),
        }
    }

    fn object(&self, method: &str, value: Value) -> Result<Map<String, Value>, Failure> {
        match value {
            Value::Object(map) => Ok(map),
            _ => Err(self.no_luigid(method, "it answers something else")),
        }
    }

    fn list(&self, method: &str, value: Value) -> Result<Vec<Value>, Failure> {
        match value {
            Value::Array(list) => Ok(list),
            _ => Err(self.no_luigid(method, "it answers something else")),
        }
    }

    fn no_luigid(&self, method: &str, why: &str) -> Failure {
        let text = format!("cannot ask luigid at {} for {method}: {why}", self.url);
        Failure::new(Kind::Other, text)
    }
}

/// JSON without the numbers that only Python has: those are the greatest ones, or nothing.
fn plain(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => flag.into(),
        Json::Int(whole) => whole.into(),
        Json::Float(number) => number.clamp(f64::MIN, f64::MAX).into(),
        Json::Text(text) => text.into(),
        Json::List(items) => items.into_iter().map(plain).collect(),
        Json::Object(object) => {
            let entries = object.into_entries().into_iter();
            let entries: Map<_, _> = entries.map(|(key, value)| (key, plain(value))).collect();
            entries.into()
        }
    }
}
