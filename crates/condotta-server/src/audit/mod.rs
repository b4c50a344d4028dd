//! Who changed what, and when: a trail of what operators did, and of who was refused, beside the state.
//!
//! What was done is written down before whoever asked for it has the answer. Knows nothing of tasks; whoever
//! does something says what it was.

mod refusals;
mod trail;

use std::{
    net::IpAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use self::refusals::{Kind, Refusals, WINDOW};
use crate::{access::Caller, clock::wall_secs, http::Server};

pub(crate) use self::trail::{NEWER, OLDER, Search};
pub use self::trail::{Trail, TrailError};

/// The longest text of an entry, in characters.
const LONGEST: usize = 300;
/// So many names are kept of what was done to many things at once.
const MOST_NAMES: usize = 20;

/// What operators do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Failed tasks are tried again.
    Forgive,
    /// Disabled tasks are enabled.
    ReEnable,
    /// Tasks count as done.
    Done,
    /// Tasks are disabled.
    Disable,
    /// The end of a run is asked for.
    Cancel,
    /// A message is sent to a running task.
    SendMessage,
    /// Nothing is handed out any more.
    Pause,
    /// Work is handed out again.
    Unpause,
    /// What is due is done at once.
    Prune,
    /// A worker is given no more work.
    DisableWorker,
    /// A worker is to have another number of processes.
    SetProcesses,
    /// A resource has another limit.
    SetLimit,
    /// A token is made.
    CreateToken,
    /// A token is made useless.
    RevokeToken,
    /// A webhook is tried.
    TestWebhook,
    /// A request is refused, because of its token, its role or the page that sent it.
    Refuse,
}

impl Operation {
    /// Its name in the trail.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forgive => "forgive",
            Self::ReEnable => "re_enable",
            Self::Done => "done",
            Self::Disable => "disable",
            Self::Cancel => "cancel",
            Self::SendMessage => "send_message",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Prune => "prune",
            Self::DisableWorker => "disable_worker",
            Self::SetProcesses => "set_processes",
            Self::SetLimit => "set_limit",
            Self::CreateToken => "create_token",
            Self::RevokeToken => "revoke_token",
            Self::TestWebhook => "test_webhook",
            Self::Refuse => "refuse",
        }
    }
}

/// By what somebody was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetInBy {
    /// A token, or a session in its name.
    Token,
    /// The Unix socket, which only the server's user may open.
    UnixSocket,
    /// Nothing: no authentication is asked for.
    Nothing,
    /// A command on the server's machine, on the files of its state.
    Command,
    /// Nobody was let in.
    Refused,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Its number; later entries have greater ones.
    pub id: u64,
    /// When.
    pub at: f64,
    /// Who: the name of the token, or what stands for one where none is asked for. `unknown` where none was good.
    pub by: String,
    /// How they were let in.
    pub let_in_by: LetInBy,
    /// From which address; that of a proxy, if there is one between. Nothing over a Unix socket.
    pub address: Option<String>,
    /// What was done, such as `forgive`.
    pub operation: String,
    /// To what: the id of a task or worker, or the name of a resource, token or webhook. Nothing for the
    /// scheduler as a whole, and for many tasks at once. Of a refused request, its verb and path.
    pub on: Option<String>,
    /// What else there is to say, such as the new limit. If nothing changed, `outcome` is `unchanged`, and `note`
    /// says why; if only the first of many tasks were done before something failed, `outcome` is `failed`.
    pub details: Map<String, Value>,
}

impl Entry {
    fn new(by: &str, let_in_by: LetInBy, deed: Deed) -> Self {
        Self {
            id: 0,
            at: wall_secs(),
            by: by.to_owned(),
            let_in_by,
            address: None,
            operation: deed.operation.name().to_owned(),
            on: deed.on.map(|on| short(&on)),
            details: match bounded(deed.details) {
                Value::Object(details) => details,
                _ => Map::new(),
            },
        }
    }
}

/// What somebody did.
#[derive(Clone, Debug)]
pub struct Deed {
    operation: Operation,
    on: Option<String>,
    details: Value,
}

impl Deed {
    /// What was done.
    pub(crate) const fn operation(&self) -> Operation {
        self.operation
    }

    /// To which one; nothing for the scheduler as a whole, or many things.
    pub(crate) fn to(&self) -> Option<&str> {
        self.on.as_deref()
    }

    /// Something that was done to the scheduler as a whole, or to many things.
    #[must_use]
    pub fn new(operation: Operation) -> Self {
        Self {
            operation,
            on: None,
            details: Value::Null,
        }
    }

    /// To this one it was done.
    #[must_use]
    pub fn on(self, name: impl Into<String>) -> Self {
        let on = Some(name.into());
        Self { on, ..self }
    }

    /// This is to be said besides: an object.
    #[must_use]
    pub fn with(self, details: Value) -> Self {
        Self { details, ..self }
    }

    /// It changed nothing, for this reason; `None` where it changed something. Comes after the details.
    #[must_use]
    pub(crate) fn unless_unchanged(mut self, note: Option<&str>) -> Self {
        if let Some(note) = note {
            if self.details.is_null() {
                self.details = json!({});
            }
            self.details["outcome"] = json!("unchanged");
            self.details["note"] = json!(note);
        }
        self
    }
}

/// Writes down what a caller did. A trail that cannot be written holds up no operator: the log has it then.
pub(crate) async fn note(server: &Server, caller: &Caller, deed: Deed) {
    let Some(trail) = server.config.access.state_dir.as_deref().map(Trail::of) else {
        return;
    };
    let mut entry = Entry::new(&caller.name, caller.let_in_by(), deed);
    entry.address = caller
        .address
        .map(|address| address.to_canonical().to_string());
    server.work.run(true, move || append(&trail, entry)).await;
}

/// Why a request was refused: goes with the answer, so that it is written down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    /// The status of the answer.
    pub(crate) status: u16,
    /// The `code` in the answer.
    pub(crate) code: &'static str,
}

/// Whose request was refused, and which.
pub(crate) struct RefusedRequest {
    /// From where; nothing over a Unix socket.
    pub(crate) address: Option<IpAddr>,
    /// Its verb and path, without a query.
    pub(crate) what: String,
}

/// What was refused lately, until it is written down. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RefusedLately {
    state: Arc<Mutex<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    refusals: Refusals<Entry>,
    /// Somebody waits for the end of the window.
    is_watched: bool,
}

impl RefusedLately {
    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server stops: writes down what waits for the end of its window. Waits for the disk.
    pub(crate) fn close(&self, state_dir: &Path) {
        let (told, left_out) = self.state().refusals.close(Instant::now());
        let trail = Trail::of(state_dir);
        for entry in entries_of(told, left_out) {
            append(&trail, entry);
        }
    }
}

/// Writes down that a request was refused, or counts it with others. A caller is known where a token was good, and
/// its role was not.
pub(crate) async fn note_refused(
    server: &Server,
    caller: Option<&Caller>,
    request: RefusedRequest,
    why: Refused,
) {
    let Some(trail) = server.config.access.state_dir.as_deref().map(Trail::of) else {
        return;
    };
    let Refused { status, code } = why;
    let address = request.address.map(|address| address.to_canonical());
    let deed = Deed::new(Operation::Refuse)
        .on(request.what)
        .with(json!({"status": status, "code": code}));
    let name = caller.map(|caller| caller.name.as_str());
    let let_in_by = caller.map_or(LetInBy::Refused, Caller::let_in_by);
    let mut entry = Entry::new(name.unwrap_or("unknown"), let_in_by, deed);
    entry.address = address.map(|address| address.to_string());
    let kind = Kind {
        address,
        by: name.map(str::to_owned),
        code,
    };
    let (told, is_watched) = {
        let mut state = server.refused.state();
        let told = state.refusals.refused(Instant::now(), kind, entry);
        (told, std::mem::replace(&mut state.is_watched, true))
    };
    if !is_watched {
        tell_at_the_end(server);
    }
    if let Some((mut entry, left_out)) = told {
        say_left_out(&mut entry, left_out);
        server.work.run(true, move || append(&trail, entry)).await;
    }
}

/// Writes down at the end of each window what came within it, as long as something comes.
fn tell_at_the_end(server: &Server) {
    let server = Arc::downgrade(server);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(WINDOW).await;
            let Some(server) = server.upgrade() else {
                return;
            };
            let (told, left_out) = {
                let mut state = server.refused.state();
                let told = state.refusals.end_window(Instant::now());
                state.is_watched = state.refusals.is_waiting();
                if !state.is_watched && told.0.is_empty() && told.1 == 0 {
                    return;
                }
                state.is_watched = true;
                told
            };
            let Some(trail) = server.config.access.state_dir.as_deref().map(Trail::of) else {
                return;
            };
            let entries = entries_of(told, left_out);
            let write = move || entries.into_iter().for_each(|entry| append(&trail, entry));
            server.work.run(true, write).await;
        }
    });
}

/// What is written of those that were counted together.
fn entries_of(told: Vec<refusals::Told<Entry>>, left_out: u64) -> Vec<Entry> {
    let mut entries: Vec<Entry> = told
        .into_iter()
        .map(|told| {
            let mut entry = told.refused;
            entry.details.insert("times".to_owned(), told.times.into());
            entry
        })
        .collect();
    if entries.is_empty() && left_out > 0 {
        let deed = Deed::new(Operation::Refuse);
        entries.push(Entry::new("unknown", LetInBy::Refused, deed));
    }
    if let Some(first) = entries.first_mut() {
        say_left_out(first, left_out);
    }
    entries
}

fn say_left_out(entry: &mut Entry, left_out: u64) {
    if left_out > 0 {
        entry.details.insert("left_out".to_owned(), left_out.into());
    }
}

/// Writes down what somebody on the server's machine did to the files of its state.
pub fn note_command(state_dir: &Path, user: &str, deed: Deed) {
    let entry = Entry::new(user, LetInBy::Command, deed);
    append(&Trail::of(state_dir), entry);
}

fn append(trail: &Trail, entry: Entry) {
    let told = serde_json::to_string(&entry).expect("keys are text");
    if let Err(error) = trail.append(entry) {
        tracing::error!("{error}; it lacks this: {told}");
    }
}

/// At most so many names and characters of what was said.
fn bounded(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(short(&text)),
        Value::Array(items) => items.into_iter().take(MOST_NAMES).map(bounded).collect(),
        Value::Object(pairs) => {
            let pairs = pairs.into_iter().take(MOST_NAMES);
            pairs
                .map(|(name, value)| (short(&name), bounded(value)))
                .collect()
        }
        other => other,
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_has_a_bounded_length() {
        let long = "ü".repeat(100_000);
        let names = vec![long.clone(); 1000];
        let deed = Deed::new(Operation::Forgive)
            .on(long.clone())
            .with(json!({"tasks": names, "filter": long}));
        let entry = Entry::new("anna", LetInBy::Token, deed);
        let text = serde_json::to_string(&entry).unwrap();
        assert!(text.len() < 32_000, "{}", text.len());
        assert!(entry.on.unwrap().ends_with("ü…"));
        assert_eq!(entry.details["tasks"].as_array().unwrap().len(), MOST_NAMES);
    }

    #[test]
    fn operations_are_read_under_the_names_that_are_written() {
        let all = [
            Operation::Forgive,
            Operation::ReEnable,
            Operation::Done,
            Operation::Disable,
            Operation::Cancel,
            Operation::SendMessage,
            Operation::Pause,
            Operation::Unpause,
            Operation::Prune,
            Operation::DisableWorker,
            Operation::SetProcesses,
            Operation::SetLimit,
            Operation::CreateToken,
            Operation::RevokeToken,
            Operation::TestWebhook,
            Operation::Refuse,
        ];
        for operation in all {
            let read: Operation = serde_json::from_value(json!(operation.name())).unwrap();
            assert_eq!(read, operation);
        }
    }
}
