//! Moves the state of a running luigid over, as far as its API reports it.
//!
//! Knows how luigid is asked; what its answers mean is for the server's state to know.

use std::{collections::BTreeMap, path::Path, time::Duration};

use condotta_protocol::{Json, read_json};
use condotta_scheduler::{Record, Resources, Status, Timestamp};
use condotta_server::{
    clock::Clock,
    state::{self, LuigiAnswers, LuigiState},
};
use serde_json::{Value, json};
use ureq::Agent;

use crate::{
    error::{Failure, Kind, with_causes},
    operate::without_user,
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
    let luigid = Luigid::new(url);
    let answers = luigid.ask(settings.scheduler.retry_delay, settings.limits)?;
    let LuigiState {
        now,
        records,
        untold,
    } = state::from_luigi(answers).map_err(|bad| luigid.no_luigid(&bad.method, &bad.reason))?;
    let tasks = count(&records, |_| true);
    let running = count(&records, |status| status == Status::Running);
    if running > 0 {
        println!(
            "{running} tasks are running: the import is right as long as nothing changes until the \
             new scheduler has taken over"
        );
    }
    state::import_records(directory, now, records).map_err(failure)?;
    println!("{tasks} tasks are in {} now", directory.display());
    for sentence in untold {
        println!("- {sentence}");
    }
    Ok(())
}

/// How many tasks have such a status.
fn count(records: &[Record], is_meant: impl Fn(Status) -> bool) -> usize {
    let statuses = records.iter().filter_map(|record| match record {
        Record::Task(task) => task.state.as_ref().map(|state| state.status),
        _ => None,
    });
    statuses.filter(|&status| is_meant(status)).count()
}

/// A luigid that runs.
struct Luigid {
    agent: Agent,
    url: String,
    /// The address as people may see it.
    shown: String,
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
            shown: without_user(url),
        }
    }

    /// Asks for all that there is.
    fn ask(&self, retry_delay: f64, limits: Resources) -> Result<LuigiAnswers, Failure> {
        let worker_list = self.call("worker_list", &json!({"include_running": false}))?;
        let graph = self.call("graph", &json!({}))?;
        let task_ids = match &graph {
            Json::Object(tasks) => tasks.clone().into_entries(),
            _ => Vec::new(),
        };
        let mut fetch_error = BTreeMap::new();
        for (index, (task_id, _)) in task_ids.iter().enumerate() {
            if index > 0 && index % TASKS_PER_LINE == 0 {
                println!("{index} of {} tasks read", task_ids.len());
            }
            let answer = self.call("fetch_error", &json!({"task_id": task_id}))?;
            fetch_error.insert(task_id.clone(), answer);
        }
        Ok(LuigiAnswers {
            resource_list: self.call("resource_list", &json!({}))?,
            is_paused: self.call("is_paused", &json!({}))?,
            asked_at: Clock::starting_at(Timestamp::default()).now().wall,
            graph,
            worker_list,
            fetch_error,
            retry_delay,
            limits,
        })
    }

    fn call(&self, method: &str, arguments: &Value) -> Result<Json, Failure> {
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
        let entries = match json {
            Json::Object(envelope) => envelope.into_entries(),
            _ => Vec::new(),
        };
        let mut entries = entries.into_iter();
        let response = entries.find(|(key, _)| key == "response");
        response
            .map(|(_, response)| response)
            .ok_or_else(|| self.no_luigid(method, "it answers without a response"))
    }

    fn no_luigid(&self, method: &str, why: &str) -> Failure {
        let text = format!("cannot ask luigid at {} for {method}: {why}", self.shown);
        Failure::new(Kind::Other, text)
    }
}
