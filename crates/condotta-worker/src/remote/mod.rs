//! A scheduler in another process: Luigi's remote procedure calls over HTTP.
//!
//! What is asked and answered is the business of `condotta-protocol`; here is how it gets there.

mod address;
mod connection;
mod http;
mod http_client;
mod identity;
mod logs;
mod lookups;
mod proxy;
mod retry;
#[cfg(test)]
mod tests;
mod unix;
mod watch;

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use condotta_protocol::client;
use condotta_scheduler::{
    AddTask, AddTaskBatcher, AddWorker, GetWork, PendingCounts, Resources, SchedulingFailure,
    Status, Work, WorkerMessage,
};

use self::{
    address::Address,
    connection::Connection,
    http::{FailureKind, Http, form_length},
    retry::{Patience, Urgency},
    watch::Watch,
};
pub use self::{
    address::AddressError,
    http_client::{HttpClient, HttpFailure, Outlook},
    identity::Identity,
    logs::RemoteLogs,
    lookups::Lookups,
};
use crate::{LogAnswer, LogBatch, Scheduler, SchedulerError, StopSignal, Wake};

/// So many tasks are announced in one request to a server that takes many.
const TASKS_AT_ONCE: usize = 500;
/// And not more bytes of them, as they are sent, than this, unless one alone has more. Our server takes
/// requests of some megabytes, but a proxy on the way may not: nginx takes one, if it is not told
/// otherwise.
const BYTES_AT_ONCE: usize = 500 << 10;

/// Between two of them.
const SEPARATOR_BYTES: usize = 4;

/// How a scheduler server is spoken to. Names and defaults are those of Luigi's section `[core]`.
#[derive(Clone, Debug)]
pub struct RemoteOptions {
    /// Seconds for connecting, and for each wait for an answer.
    pub rpc_connect_timeout: f64,
    /// With `rpc_retry_wait`, how long a request is tried again: so many times that time. 1 is never.
    pub rpc_retry_attempts: u32,
    /// In seconds; see `rpc_retry_attempts`.
    pub rpc_retry_wait: f64,
    /// Say in the log when a request is tried again.
    pub rpc_log_retries: bool,
    /// Who asks, and whom it trusts: `rpc_token` and `rpc_ca_file`.
    pub identity: Identity,
    /// A worker that is to stop tries no longer.
    pub stop: StopSignal,
    /// For a process that forks.
    pub lookups: Lookups,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            rpc_connect_timeout: 10.0,
            rpc_retry_attempts: 3,
            rpc_retry_wait: 30.0,
            rpc_log_retries: true,
            identity: Identity::default(),
            stop: StopSignal::default(),
            lookups: Lookups::default(),
        }
    }
}

/// A scheduler server that cannot even be asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RemoteError {
    /// The URL is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A time is negative, or not a number.
    #[error("[core] {name} must be zero or more seconds, not {value}")]
    Time {
        /// The key.
        name: &'static str,
        /// What it says.
        value: f64,
    },
    /// The token is none.
    #[error(
        "the token in CONDOTTA_TOKEN or [core] rpc_token has spaces or other characters that no token has"
    )]
    Token,
}

/// A scheduler server, be it Luigi's or ours. Workers on several threads may share it.
pub struct RemoteScheduler {
    connection: Arc<Connection>,
    shown: String,
    watches: Mutex<Vec<Arc<Watch>>>,
}

impl RemoteScheduler {
    /// The scheduler at `url`: `http://host:port/prefix/`, `https://user:password@host/`, or
    /// `http+unix://%2Fpath%2Fto.sock/`. Nothing is sent yet.
    pub fn new(url: &str, options: RemoteOptions) -> Result<Self, RemoteError> {
        let address = Address::parse(url)?;
        let time = |name, value: f64| {
            Duration::try_from_secs_f64(value).map_err(|_| RemoteError::Time { name, value })
        };
        let timeout = time("rpc_connect_timeout", options.rpc_connect_timeout)?;
        let wait = time("rpc_retry_wait", options.rpc_retry_wait)?;
        let patience = Patience {
            attempts: options.rpc_retry_attempts,
            wait,
        };
        let connection = Connection::new(
            &address,
            Http::new(&address, timeout, &options.identity, &options.lookups)?,
            patience,
            options.rpc_log_retries,
            options.stop,
        );
        Ok(Self {
            connection: Arc::new(connection),
            shown: address.shown,
            watches: Mutex::default(),
        })
    }

    /// A request whose answer says nothing.
    fn tell(
        &self,
        method: &'static str,
        keywords: &str,
        urgency: Urgency,
    ) -> Result<(), SchedulerError> {
        self.connection.call(method, keywords, urgency, |_| Ok(()))
    }

    /// Tasks in as few requests as their number and size permit.
    fn add_together(&self, requests: &[AddTask]) -> Result<(), SchedulerError> {
        let mut rest = requests;
        while !rest.is_empty() {
            let mut texts = Vec::new();
            let mut bytes = 0;
            for request in rest.iter().take(TASKS_AT_ONCE) {
                let text = client::add_task(request);
                bytes += form_length(&text) + SEPARATOR_BYTES;
                if bytes > BYTES_AT_ONCE && !texts.is_empty() {
                    break;
                }
                texts.push(text);
            }
            let (chunk, later) = rest.split_at(texts.len());
            self.add_chunk(chunk, &texts)?;
            rest = later;
        }
        Ok(())
    }

    /// Many tasks in one request, or in more if that is too long for somebody on the way. The others are
    /// announced also when one is refused.
    fn add_chunk(&self, chunk: &[AddTask], texts: &[String]) -> Result<(), SchedulerError> {
        let keywords = client::add_tasks(&chunk[0].worker, texts);
        let answer = self
            .connection
            .put("add_tasks", &keywords, Urgency::Needed, client::refused);
        let refused = match answer {
            Ok(refused) => refused,
            Err((failure, _)) if failure.kind == FailureKind::TooLong && chunk.len() > 1 => {
                let half = chunk.len() / 2;
                self.add_chunk(&chunk[..half], &texts[..half])?;
                return self.add_chunk(&chunk[half..], &texts[half..]);
            }
            Err((failure, tries)) => {
                return Err(self.connection.error("add_tasks", failure, &tries));
            }
        };
        match refused.into_iter().next() {
            None => Ok(()),
            Some((index, error)) => Err(SchedulerError::Refused {
                request: "add_task",
                reason: match chunk.get(index) {
                    Some(task) => format!("{}: {error}", task.task_id),
                    None => error,
                },
            }),
        }
    }
}

impl fmt::Debug for RemoteScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteScheduler").field(&self.shown).finish()
    }
}

/// A run's words are of interest while it runs; its result always is.
fn urgency(request: &AddTask) -> Urgency {
    let is_report = request.runnable.is_none() || request.status == Status::Failed;
    match request.status {
        Status::Running if request.batch_id.is_some() => Urgency::Claim,
        Status::Running if request.tracking_url.is_some() => Urgency::Passing,
        _ if is_report => Urgency::Report,
        _ => Urgency::Needed,
    }
}

impl Scheduler for RemoteScheduler {
    fn add_task(&self, request: AddTask) -> Result<(), SchedulerError> {
        self.tell("add_task", &client::add_task(&request), urgency(&request))
    }

    fn add_tasks(&self, requests: Vec<AddTask>) -> Result<(), SchedulerError> {
        let Some(first) = requests.first() else {
            return Ok(());
        };
        if requests.len() > 1 && self.connection.is_ours(&first.worker) {
            return self.add_together(&requests);
        }
        requests
            .into_iter()
            .try_for_each(|request| self.add_task(request))
    }

    fn add_task_batcher(&self, request: AddTaskBatcher) -> Result<(), SchedulerError> {
        let keywords = client::add_task_batcher(&request);
        self.tell("add_task_batcher", &keywords, Urgency::Needed)
    }

    fn add_worker(&self, request: AddWorker) -> Result<(), SchedulerError> {
        let keywords = client::add_worker(&request);
        self.tell("add_worker", &keywords, Urgency::Needed)
    }

    fn get_work(&self, request: GetWork) -> Result<Work, SchedulerError> {
        let keywords = client::get_work(&request);
        self.connection
            .call("get_work", &keywords, Urgency::Work, client::work)
    }

    fn count_pending(&self, worker: &str) -> Result<PendingCounts, SchedulerError> {
        let keywords = client::worker(worker);
        self.connection
            .call("count_pending", &keywords, Urgency::Work, client::counts)
    }

    fn ping(&self, worker: &str) -> Result<Vec<WorkerMessage>, SchedulerError> {
        let keywords = client::worker(worker);
        self.connection
            .call("ping", &keywords, Urgency::Passing, client::messages)
    }

    fn announce_scheduling_failure(
        &self,
        worker: &str,
        task_name: &str,
        family: &str,
        params: &[(String, String)],
        expl: &str,
        owners: &[String],
    ) -> Result<(), SchedulerError> {
        let keywords = client::announce_scheduling_failure(&SchedulingFailure {
            worker: worker.to_owned(),
            task_name: task_name.to_owned(),
            family: family.to_owned(),
            params: params.to_vec(),
            expl: expl.to_owned(),
            owners: owners.to_vec(),
        });
        self.tell("announce_scheduling_failure", &keywords, Urgency::Needed)
    }

    fn set_task_status_message(&self, task_id: &str, message: &str) -> Result<(), SchedulerError> {
        let keywords = client::set_task_status_message(task_id, message);
        self.tell("set_task_status_message", &keywords, Urgency::Passing)
    }

    fn set_task_progress_percentage(
        &self,
        task_id: &str,
        percentage: f64,
    ) -> Result<(), SchedulerError> {
        let keywords = client::set_task_progress_percentage(task_id, percentage);
        self.tell("set_task_progress_percentage", &keywords, Urgency::Passing)
    }

    fn decrease_running_task_resources(
        &self,
        task_id: &str,
        decrease: &Resources,
    ) -> Result<(), SchedulerError> {
        let keywords = client::decrease_running_task_resources(task_id, decrease);
        let method = "decrease_running_task_resources";
        self.tell(method, &keywords, Urgency::Needed)
    }

    fn add_scheduler_message_response(
        &self,
        task_id: &str,
        message_id: &str,
        response: &str,
    ) -> Result<(), SchedulerError> {
        let keywords = client::add_scheduler_message_response(task_id, message_id, response);
        let method = "add_scheduler_message_response";
        self.tell(method, &keywords, Urgency::Needed)
    }

    fn subscribe(&self, worker: &str, wake: Wake) {
        let mut watches = self.watches.lock().expect("nobody panics with this lock");
        watches.retain(|watch| !watch.is_of(worker));
        watches.push(Watch::new(worker, wake));
    }

    fn until_next_ask(&self, worker: &str, planned: Duration) -> Duration {
        if !self.connection.is_ours(worker) {
            return planned;
        }
        let watches = self.watches.lock().expect("nobody panics with this lock");
        let watch = watches.iter().find(|watch| watch.is_of(worker));
        watch
            .and_then(|watch| watch.arm(&self.connection))
            .map_or(planned, |woken| planned.max(woken))
    }

    fn answer_cancel(
        &self,
        worker: &str,
        task_id: &str,
        attempt: u64,
        answer: &str,
    ) -> Result<(), SchedulerError> {
        let keywords = client::answer_cancel(worker, task_id, attempt, answer);
        self.tell("answer_cancel", &keywords, Urgency::Passing)
    }

    fn takes_logs(&self, worker: &str) -> bool {
        self.connection.is_ours(worker)
    }

    fn send_log(&self, worker: &str, batch: &LogBatch<'_>) -> LogAnswer {
        self.connection.send_log(worker, batch)
    }

    fn outages(&self) -> u64 {
        self.connection.outages()
    }

    fn knows(&self, task_id: &str) -> Result<bool, SchedulerError> {
        let keywords = client::task(task_id);
        self.connection
            .call("fetch_error", &keywords, Urgency::Work, client::knows)
    }

    fn release(&self, worker: &str) -> bool {
        self.connection.release(worker)
    }
}
