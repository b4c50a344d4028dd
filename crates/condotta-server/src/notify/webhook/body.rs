//! The JSON of a message, version 1. `docs/how-to/be-told.md` describes it.

use std::collections::BTreeMap;

use condotta_scheduler::Timestamp;
use serde::Serialize;

use crate::notify::{
    NoticeKind,
    notice::{Notice, end},
};

/// The version of the JSON. It grows when a receiver could misunderstand what changed.
const VERSION: u32 = 1;
/// How much of an error is sent, in bytes.
const MOST_ERROR: usize = 2000;
/// How much of a parameter's value is sent, in bytes.
const MOST_VALUE: usize = 1000;

/// A message.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    version: u32,
    /// Names the message, also when it is sent again.
    pub(super) id: String,
    webhook: String,
    scheduler: Option<String>,
    pub(super) events: Vec<Event>,
    /// What happened besides, how often.
    pub(super) more: BTreeMap<&'static str, u64>,
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Event {
    pub(super) event: &'static str,
    time: String,
    pub(super) message: String,
    task_id: Option<String>,
    family: Option<String>,
    params: Option<BTreeMap<String, String>>,
    attempt: Option<String>,
    worker: Option<String>,
    pub(super) error: Option<String>,
    pub(super) url: Option<String>,
}

impl Message {
    pub(super) fn new(
        webhook: &str,
        scheduler: Option<&str>,
        events: Vec<Event>,
        more: BTreeMap<NoticeKind, u64>,
    ) -> Self {
        Self {
            version: VERSION,
            id: format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)),
            webhook: webhook.to_owned(),
            scheduler: scheduler.map(ToOwned::to_owned),
            events,
            more: more
                .into_iter()
                .map(|(kind, count)| (kind.word(), count))
                .collect(),
        }
    }
}

impl Event {
    /// What is told of it, with links to pages below `scheduler`.
    pub(super) fn new(notice: &Notice, scheduler: Option<&str>) -> Self {
        let task = notice.task.as_ref();
        let known = task.filter(|task| !task.id.is_empty());
        let url = scheduler.map(|base| match known {
            Some(task) => format!(
                "{base}/static/visualiser/index.html#tab=graph&taskId={}",
                escaped(&task.id)
            ),
            None => format!("{base}/static/visualiser/index.html"),
        });
        let error = notice.error.as_deref();
        Self {
            event: notice.kind.word(),
            time: rfc3339(notice.at),
            message: notice.message.clone(),
            task_id: known.map(|task| task.id.clone()),
            family: task
                .map(|task| task.family.clone())
                .filter(|family| !family.is_empty()),
            params: known.map(|task| {
                let params = task.params.iter().cloned();
                params
                    .map(|(name, value)| (name, cut(value, MOST_VALUE)))
                    .collect()
            }),
            attempt: task.and_then(|task| Some(task.attempt.as_ref()?.to_string())),
            worker: notice.worker.clone(),
            error: error.map(|error| match end(error, MOST_ERROR) {
                cut if cut.len() < error.len() => format!("…{cut}"),
                whole => whole.to_owned(),
            }),
            url,
        }
    }
}

fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let mut end = most;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

fn rfc3339(at: Timestamp) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast saturates, and what is no time is shown as 1970"
    )]
    let time = jiff::Timestamp::from_millisecond((at.0 * 1000.0) as i64);
    format!("{:.3}", time.unwrap_or_default())
}

/// As a part of an address.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{attempt_id::AttemptId, notify::notice::TaskFacts};

    pub(in super::super) fn notice(error: &str) -> Notice {
        Notice {
            kind: NoticeKind::Failed,
            at: Timestamp(1_795_737_600.25),
            task: Some(TaskFacts {
                id: "Load_<1>".to_owned(),
                name: "Load(day=<1>)".to_owned(),
                family: "Load".to_owned(),
                params: vec![("day".to_owned(), "<1>".to_owned())],
                attempt: Some(AttemptId::new("Load_<1>", 2, Timestamp(1_795_737_600.0))),
            }),
            worker: Some("w1".to_owned()),
            message: "Load(day=<1>) failed".to_owned(),
            error: Some(error.to_owned()),
        }
    }

    #[test]
    fn a_message_says_all_that_is_documented() {
        let event = Event::new(&notice("Traceback\nit broke"), Some("http://h:1"));
        let more = [(NoticeKind::Failed, 300)].into();
        let message = Message::new("ops", Some("http://h:1"), vec![event], more);
        let attempt = AttemptId::new("Load_<1>", 2, Timestamp(1_795_737_600.0)).to_string();
        let expected = serde_json::json!({
            "version": 1,
            "id": message.id,
            "webhook": "ops",
            "scheduler": "http://h:1",
            "events": [{
                "event": "failed",
                "time": "2026-11-27T00:00:00.250Z",
                "message": "Load(day=<1>) failed",
                "task_id": "Load_<1>",
                "family": "Load",
                "params": {"day": "<1>"},
                "attempt": attempt,
                "worker": "w1",
                "error": "Traceback\nit broke",
                "url": "http://h:1/static/visualiser/index.html#tab=graph&taskId=Load_%3C1%3E",
            }],
            "more": {"failed": 300},
        });
        assert_eq!(serde_json::to_value(&message).expect("JSON"), expected);
    }

    #[test]
    fn long_texts_are_cut() {
        let event = Event::new(&notice(&"ä".repeat(4000)), None);
        assert_eq!(event.error.map(|it| it.chars().count()), Some(1001));
        assert_eq!(cut("ää".to_owned(), 3), "ä…");
    }
}
