//! The last events, in order, with running numbers. Each is put into words once, when the first reader takes
//! it: when more happens than readers are told, most of it never is.

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
/// About how long most events are.
const USUAL_BYTES: usize = 400;
/// How many pieces are kept for other readers who are as far.
const SHARED_PIECES: usize = 16;

/// The last events.
pub(super) struct Ring {
    frames: VecDeque<Frame>,
    /// The number of the first that is kept.
    first: u64,
    bytes: usize,
    most_events: usize,
    most_bytes: usize,
    /// What readers of everything took last: most of them are equally far.
    pieces: VecDeque<Piece>,
    /// Tells the ids of this life of the server from those of others.
    life: String,
}

/// An event.
struct Frame {
    told: Told,
    /// It in words, if somebody wanted it.
    text: Option<Bytes>,
    /// How much it counts.
    bytes: usize,
}

/// The events from one number up to another, in words.
struct Piece {
    from: u64,
    to: u64,
    text: Bytes,
}

/// What a reader gets of the ring in one go.
pub(super) struct Taken {
    pub(super) text: Bytes,
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
fn write(life: &str, number: u64, told: &Told) -> Bytes {
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
            pieces: VecDeque::new(),
            life,
        }
    }

    /// The number of the next event.
    pub(super) fn end(&self) -> u64 {
        self.first + self.frames.len() as u64
    }

    /// Keeps an event, and lets go of the oldest if they are too many.
    pub(super) fn push(&mut self, told: Told) {
        let bytes = told.bytes();
        self.bytes += bytes;
        self.frames.push_back(Frame {
            told,
            text: None,
            bytes,
        });
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.frames.len() > self.most_events || self.bytes > self.most_bytes {
            let Some(oldest) = self.frames.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes;
            self.first += 1;
        }
    }

    /// Forgets everything, and leaves a gap in the numbers.
    pub(super) fn clear(&mut self) {
        self.first = self.end() + 1;
        self.frames.clear();
        self.pieces.clear();
        self.bytes = 0;
    }

    /// Where a reader begins that received this id last; nothing if what followed is not known.
    pub(super) fn after(&self, id: &str) -> Option<u64> {
        let (life, number) = id.rsplit_once('-')?;
        let next = number.parse::<u64>().ok()?.checked_add(1)?;
        (life == self.life && (self.first..=self.end()).contains(&next)).then_some(next)
    }

    /// The event with which a stream begins that goes on with the event `next`, or with what comes now. Its id is
    /// that of the event before: a reader that gets no further comes back with it.
    pub(super) fn hello(&self, next: Option<u64>) -> Bytes {
        #[derive(Serialize)]
        struct Hello {
            version: &'static str,
            /// Whether what follows goes on after the last event that was received.
            resumed: bool,
        }
        let hello = Hello {
            version: env!("CARGO_PKG_VERSION"),
            resumed: next.is_some(),
        };
        let before = next.unwrap_or(self.end()) - 1;
        frame(&self.life, before, EventKind::Hello, &hello)
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
    pub(super) fn take(&mut self, next: &mut u64, filter: &Filter, most: usize) -> Taken {
        if *next < self.first {
            let skipped = self.end() - *next;
            *next = self.end();
            let reason = "this stream is read too slowly";
            return Taken {
                text: self.reset(reason, Some(skipped)),
                has_more: false,
            };
        }
        let text = if filter.takes_all() {
            self.take_all(next, most)
        } else {
            self.take_some(next, filter, most).into()
        };
        self.shrink();
        Taken {
            text,
            has_more: *next < self.end(),
        }
    }

    /// The events up to the next round number, so that readers who began at different ones soon share what is
    /// made for the first of them.
    fn take_all(&mut self, next: &mut u64, most: usize) -> Bytes {
        let most = most as u64;
        let to = ((*next / most + 1) * most).min(self.end());
        let is_it = |piece: &&Piece| {
            piece.from == *next && (piece.to == to || piece.text.len() > MOST_BYTES)
        };
        if let Some(piece) = self.pieces.iter().find(is_it) {
            *next = piece.to;
            return piece.text.clone();
        }
        let from = *next;
        let most = usize::try_from(to - from).unwrap_or(usize::MAX);
        let text: Bytes = self.take_some(next, &Filter::default(), most).into();
        if from < *next {
            self.pieces.truncate(SHARED_PIECES - 1);
            self.pieces.push_front(Piece {
                from,
                to: *next,
                text: text.clone(),
            });
        }
        text
    }

    /// Some events in words.
    fn take_some(&mut self, next: &mut u64, filter: &Filter, most: usize) -> Vec<u8> {
        let mut text = Vec::with_capacity(most.min(MOST_LOOKED_AT) * USUAL_BYTES);
        let from = usize::try_from(*next - self.first).expect("a place in the ring");
        let mut taken = 0;
        for frame in self.frames.iter_mut().skip(from).take(MOST_LOOKED_AT) {
            if taken == most || text.len() > MOST_BYTES {
                break;
            }
            let number = *next;
            *next += 1;
            let (task, family) = frame
                .told
                .task
                .as_ref()
                .map_or((None, None), |(id, family)| {
                    (Some(&**id), family.as_deref())
                });
            if filter.takes(frame.told.what.kind(), task, family) {
                let words = frame.text.get_or_insert_with(|| {
                    let words = write(&self.life, number, &frame.told);
                    frame.bytes += words.len();
                    self.bytes += words.len();
                    words
                });
                text.extend_from_slice(words);
                taken += 1;
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(events: u32) -> Ring {
        let mut ring = Ring::new(&EventsConfig::default(), "life".to_owned());
        for number in 0..events {
            let at = f64::from(number);
            let paused = number % 2 == 0;
            ring.push(Told {
                task: None,
                what: What::Paused { at, paused },
            });
        }
        ring
    }

    /// What a reader of everything takes in one go, and how far it has come.
    fn take(ring: &mut Ring, mut next: u64) -> (Bytes, u64) {
        let taken = ring.take(&mut next, &Filter::default(), 10);
        (taken.text, next)
    }

    fn is_the_same(one: &Bytes, other: &Bytes) -> bool {
        std::ptr::eq(one.as_ptr(), other.as_ptr()) && one.len() == other.len()
    }

    #[test]
    fn readers_who_are_equally_far_share_one_piece() {
        let mut ring = ring(25);
        let (first, next) = take(&mut ring, 1);
        assert_eq!(next, 10, "up to a round number");
        assert_eq!(first.split(|byte| *byte == b'\n').count(), 9 * 4 + 1);
        assert!(is_the_same(&take(&mut ring, 1).0, &first));
        // Whoever began elsewhere is with the others from the next round number on.
        let (other, next) = take(&mut ring, 4);
        assert!(!is_the_same(&other, &first) && first.ends_with(&other));
        assert_eq!(next, 10);
        let (second, next) = take(&mut ring, 10);
        assert!(is_the_same(&take(&mut ring, 10).0, &second));
        assert_eq!(next, 20);
    }

    #[test]
    fn a_piece_that_was_shared_is_not_taken_for_more_than_it_is() {
        let mut ring = ring(3);
        let (three, next) = take(&mut ring, 1);
        assert_eq!(next, 4);
        ring.push(Told {
            task: None,
            what: What::Reset { reason: "why" },
        });
        let (four, next) = take(&mut ring, 1);
        assert_eq!(next, 5);
        assert!(four.starts_with(&three) && four.len() > three.len());
        // Who wants some kinds only has a piece of his own.
        let wanted = Filter {
            kinds: vec![EventKind::Paused],
            ..Filter::default()
        };
        let own = ring.take(&mut 1, &wanted, 10).text;
        assert!(!is_the_same(&own, &four));
        ring.clear();
        let (text, next) = take(&mut ring, 1);
        assert!(text.starts_with(b"id: life-5\nevent: reset\n"), "{text:?}");
        assert_eq!(next, ring.end());
    }
}
