//! The last events in words, each once, in order, with running numbers.

use std::collections::VecDeque;

use axum::body::Bytes;
use condotta_scheduler::Timestamp;
use serde::Serialize;

use super::{
    EventsConfig,
    reader::Filter,
    told::{EventKind, Told, What},
};
use crate::attempt_id::AttemptId;

/// How many events are looked at, and how many bytes are taken, in one go.
const MOST_LOOKED_AT: usize = 4096;
const MOST_BYTES: usize = 256 << 10;

/// The last events.
pub(super) struct Ring {
    frames: VecDeque<Frame>,
    /// The number of the first that is kept.
    first: u64,
    bytes: usize,
    most_events: usize,
    most_bytes: usize,
    /// Tells the ids of this life of the server from those of others.
    life: String,
}

/// An event in words.
struct Frame {
    kind: EventKind,
    task: Option<Box<str>>,
    family: Option<Box<str>>,
    text: Bytes,
}

/// What a reader gets of the ring in one go.
pub(super) struct Taken {
    pub(super) text: Vec<u8>,
    /// Whether there is more.
    pub(super) has_more: bool,
}

/// An event as it is written: what it is about, and what is said.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt_id: Option<String>,
    #[serde(flatten)]
    what: &'a What,
}

/// Puts an event of this life of the server into words.
pub(super) fn write(life: &str, number: u64, told: &Told) -> Bytes {
    let task = told.task.as_ref();
    let attempt_id = match (&told.what, task) {
        (
            What::Status {
                attempt,
                started: Some(started),
                ..
            },
            Some((id, _)),
        ) if *attempt > 0 => Some(AttemptId::new(id, *attempt, Timestamp(*started)).to_string()),
        _ => None,
    };
    let written = Written {
        task_id: task.map(|task| &*task.0),
        family: task.and_then(|task| task.1.as_deref()),
        attempt_id,
        what: &told.what,
    };
    frame(life, number, told.what.kind(), &written)
}

fn frame(life: &str, number: u64, kind: EventKind, data: &impl Serialize) -> Bytes {
    let mut text = format!("id: {life}-{number}\nevent: {}\ndata: ", kind.name()).into_bytes();
    serde_json::to_writer(&mut text, data).expect("keys are text");
    text.extend_from_slice(b"\n\n");
    text.into()
}

impl Ring {
    pub(super) fn new(config: &EventsConfig, life: String) -> Self {
        Self {
            frames: VecDeque::new(),
            first: 1,
            bytes: 0,
            most_events: config.kept_events.max(1),
            most_bytes: config.kept_bytes,
            life,
        }
    }

    /// The number of the next event.
    pub(super) fn end(&self) -> u64 {
        self.first + self.frames.len() as u64
    }

    /// Keeps an event, and lets go of the oldest if they are too many.
    pub(super) fn push(&mut self, told: Told, text: Bytes) {
        self.bytes += text.len();
        let (task, family) = told
            .task
            .map_or((None, None), |(id, family)| (Some(id), family));
        self.frames.push_back(Frame {
            kind: told.what.kind(),
            task,
            family,
            text,
        });
        while self.frames.len() > self.most_events || self.bytes > self.most_bytes {
            let Some(oldest) = self.frames.pop_front() else {
                break;
            };
            self.bytes -= oldest.text.len();
            self.first += 1;
        }
    }

    /// Forgets everything, and leaves a gap in the numbers.
    pub(super) fn clear(&mut self) {
        self.first = self.end() + 1;
        self.frames.clear();
        self.bytes = 0;
    }

    /// Where a reader begins that received this id last; nothing if what followed is not known.
    pub(super) fn after(&self, id: &str) -> Option<u64> {
        let (life, number) = id.rsplit_once('-')?;
        let next = number.parse::<u64>().ok()?.checked_add(1)?;
        (life == self.life && (self.first..=self.end()).contains(&next)).then_some(next)
    }

    /// The event with which a stream begins.
    pub(super) fn hello(&self, resumed: bool) -> Bytes {
        #[derive(Serialize)]
        struct Hello {
            version: &'static str,
            /// Whether what follows goes on after the last event that was received.
            resumed: bool,
        }
        let hello = Hello {
            version: env!("CARGO_PKG_VERSION"),
            resumed,
        };
        frame(&self.life, self.end() - 1, EventKind::Hello, &hello)
    }

    /// The event that says that events are missing.
    pub(super) fn reset(&self, reason: &str, skipped: Option<u64>) -> Bytes {
        #[derive(Serialize)]
        struct Reset<'a> {
            reason: &'a str,
            /// How many events are missing, if that is known.
            skipped: Option<u64>,
        }
        let reset = Reset { reason, skipped };
        frame(&self.life, self.end() - 1, EventKind::Reset, &reset)
    }

    /// Some of the events from `next` on that a filter takes; `next` moves behind what was looked at.
    pub(super) fn take(&self, next: &mut u64, filter: &Filter, most: usize) -> Taken {
        let mut text = Vec::new();
        if *next < self.first {
            let skipped = self.end() - *next;
            *next = self.end();
            let reason = "this stream is read too slowly";
            return Taken {
                text: self.reset(reason, Some(skipped)).to_vec(),
                has_more: false,
            };
        }
        let from = usize::try_from(*next - self.first).expect("a place in the ring");
        let mut taken = 0;
        for frame in self.frames.iter().skip(from).take(MOST_LOOKED_AT) {
            if taken == most || text.len() > MOST_BYTES {
                break;
            }
            *next += 1;
            if filter.takes(frame.kind, frame.task.as_deref(), frame.family.as_deref()) {
                text.extend_from_slice(&frame.text);
                taken += 1;
            }
        }
        Taken {
            text,
            has_more: *next < self.end(),
        }
    }
}
