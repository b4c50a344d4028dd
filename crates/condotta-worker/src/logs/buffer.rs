//! What one run printed and the scheduler has not got yet.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use condotta_protocol::{LOG_FRAME_BYTES_MAX, LogFrame, LogSource};

use super::{sender::Signal, unfinished::Unfinished};
use crate::Private;

/// The most bytes that wait to be sent. More is dropped.
const BUFFER_BYTES: usize = 1 << 20;
/// What a run prints first is kept however far the sender is behind: it says what the run set out to do.
const BEGINNING_BYTES: usize = 64 << 10;
/// What a piece takes beside its text.
const PIECE_BYTES: usize = 64;
/// What is printed within this time may go into one piece.
const TOGETHER_MILLIS: u64 = 250;

/// Takes what a run prints. Clones are of the same run.
#[derive(Clone)]
pub struct RunLog {
    pub(super) run: Arc<Run>,
}

/// A run's log at the worker.
pub(super) struct Run {
    pub(super) task_id: String,
    /// The scheduler's number of the run, if it gave one.
    pub(super) attempt: Option<u64>,
    buffer: Mutex<Buffer>,
    signal: Arc<Signal>,
    /// What nobody else may see of it.
    private: Private,
}

/// A piece that was not sent yet.
struct Waiting {
    frame: LogFrame,
    /// Of a note: how many bytes were dropped in its place.
    dropped: usize,
    /// It is of the first that the run printed, which is not dropped.
    is_beginning: bool,
}

#[derive(Default)]
pub(super) struct Buffer {
    frames: VecDeque<Waiting>,
    bytes: usize,
    /// What all pieces took, those sent and dropped too.
    taken: usize,
    /// The number of the newest piece.
    last: u64,
    /// So many of the oldest pieces are on their way.
    on_its_way: usize,
    /// The attempt's name, once the scheduler said it.
    pub(super) id: Option<String>,
    /// Since when nothing more comes.
    pub(super) closed: Option<Instant>,
    /// The scheduler does not want it.
    pub(super) refused: bool,
    /// Of standard output and standard error: ends that may be the beginning of something private.
    held: [Vec<u8>; 2],
    /// Of the same two: lines that are not whole yet.
    unfinished: [Unfinished; 2],
}

const STREAMS: [LogSource; 2] = [LogSource::Stdout, LogSource::Stderr];

impl RunLog {
    pub(super) fn new(
        task_id: &str,
        attempt: Option<u64>,
        private: Private,
        signal: Arc<Signal>,
    ) -> Self {
        Self {
            run: Arc::new(Run {
                task_id: task_id.to_owned(),
                attempt,
                buffer: Mutex::default(),
                signal,
                private,
            }),
        }
    }

    /// Takes what was printed to standard output or error. Never waits for anybody.
    pub fn push(&self, source: &LogSource, text: &[u8]) {
        let mut buffer = self.run.buffer();
        let index = usize::from(*source == LogSource::Stderr);
        let shown = self.run.private.hide_part(&mut buffer.held[index], text);
        if buffer.closed.is_some() {
            self.take(buffer, source, &shown);
            return;
        }
        let lines = buffer.unfinished[index].add(Instant::now(), &shown);
        self.take(buffer, source, &lines);
    }

    /// Takes a record of the log.
    pub fn record(&self, level: u8, logger: &str, message: &str) {
        let source = LogSource::Record {
            level,
            logger: logger.to_owned(),
        };
        let message = format!("{message}\n");
        let shown = self.run.private.hide(&message);
        self.take(self.run.buffer(), &source, shown.as_bytes());
    }

    /// Nothing more is printed.
    pub(super) fn close(&self) {
        for (index, source) in STREAMS.iter().enumerate() {
            let mut buffer = self.run.buffer();
            let mut rest = buffer.unfinished[index].rest();
            rest.extend_from_slice(&self.run.private.hide_rest(&mut buffer.held[index]));
            self.take(buffer, source, &rest);
        }
        self.run.buffer().closed = Some(Instant::now());
    }

    fn take(&self, mut buffer: MutexGuard<'_, Buffer>, source: &LogSource, text: &[u8]) {
        let before = buffer.bytes;
        buffer.take(source, text);
        let after = buffer.bytes;
        drop(buffer);
        self.run.signal.grew(before, after);
    }
}

impl fmt::Debug for RunLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RunLog").field(&self.run.task_id).finish()
    }
}

impl Run {
    pub(super) fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.buffer
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Buffer {
    fn take(&mut self, source: &LogSource, text: &[u8]) {
        if self.refused {
            return;
        }
        let millis = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = millis.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
        for part in text.chunks(LOG_FRAME_BYTES_MAX) {
            self.push(source, part, millis);
        }
    }

    /// Waits no more for the ends of lines that were begun long ago.
    pub(super) fn take_late(&mut self, now: Instant) {
        for (index, source) in STREAMS.iter().enumerate() {
            let late = self.unfinished[index].late(now);
            self.take(source, &late);
        }
    }

    fn push(&mut self, source: &LogSource, text: &[u8], millis: u64) {
        self.make_room(text.len() + PIECE_BYTES);
        let is_alone = matches!(source, LogSource::Record { .. });
        if !is_alone
            && self.frames.len() > self.on_its_way
            && let Some(Waiting { frame: last, .. }) = self.frames.back_mut()
            && last.source == *source
            && last.text.len() + text.len() <= LOG_FRAME_BYTES_MAX
            && millis.saturating_sub(last.time_millis) < TOGETHER_MILLIS
        {
            last.text.extend_from_slice(text);
            self.bytes += text.len();
            self.taken += text.len();
            return;
        }
        let is_beginning = self.taken < BEGINNING_BYTES;
        self.last += 1;
        self.bytes += text.len() + PIECE_BYTES;
        self.taken += text.len() + PIECE_BYTES;
        self.frames.push_back(Waiting {
            frame: LogFrame {
                number: self.last,
                time_millis: millis,
                source: source.clone(),
                text: text.to_vec(),
            },
            dropped: 0,
            is_beginning,
        });
    }

    /// Drops the oldest of what is not on its way and not of the beginning, until `bytes` more fit.
    /// After the beginning, what is newest says most.
    fn make_room(&mut self, bytes: usize) {
        let beginning = self.frames.partition_point(|waiting| waiting.is_beginning);
        let at = self.on_its_way.max(beginning);
        let mut dropped = 0;
        let mut note = None;
        while self.bytes + bytes > BUFFER_BYTES {
            let Some(oldest) = self.frames.remove(at) else {
                break;
            };
            self.bytes -= oldest.frame.text.len() + PIECE_BYTES;
            dropped += match oldest.frame.source {
                LogSource::Note => oldest.dropped,
                _ => oldest.frame.text.len(),
            };
            note = Some(oldest.frame);
        }
        if let Some(frame) = note {
            let text = format!(
                "[{dropped} bytes were dropped here: the scheduler was away, or too slow for them]\n"
            );
            self.bytes += text.len() + PIECE_BYTES;
            let frame = LogFrame {
                source: LogSource::Note,
                text: text.into_bytes(),
                ..frame
            };
            let waiting = Waiting {
                frame,
                dropped,
                is_beginning: false,
            };
            self.frames.insert(at, waiting);
        }
    }

    /// Whether nothing is left to be sent.
    pub(super) fn is_empty(&self) -> bool {
        self.refused || self.frames.is_empty()
    }

    /// The oldest pieces, of about so many bytes. They stay until [`sent`](Self::sent).
    pub(super) fn next_batch(&mut self, bytes: usize) -> Vec<LogFrame> {
        let mut batch: Vec<LogFrame> = Vec::new();
        let mut taken = 0;
        for Waiting { frame, .. } in &self.frames {
            if taken >= bytes {
                break;
            }
            taken += frame.text.len() + PIECE_BYTES;
            batch.push(frame.clone());
        }
        self.on_its_way = batch.len();
        batch
    }

    /// The scheduler has all pieces up to this number; or none of those on their way.
    pub(super) fn sent(&mut self, up_to: Option<u64>) {
        self.on_its_way = 0;
        let Some(up_to) = up_to else { return };
        while self
            .frames
            .front()
            .is_some_and(|waiting| waiting.frame.number <= up_to)
        {
            let Waiting { frame, .. } = self.frames.pop_front().expect("there is one in front");
            self.bytes -= frame.text.len() + PIECE_BYTES;
        }
    }

    /// Nothing of it is wanted.
    pub(super) fn refuse(&mut self) {
        self.refused = true;
        self.frames.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_record_stands_between_lines_however_these_are_written() {
        let log = RunLog::new("task", None, Private::default(), Arc::default());
        let log_texts = || texts(&mut log.run.buffer());
        log.push(&LogSource::Stdout, b"printed");
        log.push(&LogSource::Stderr, b"in ");
        log.record(30, "my.task", "logged");
        log.push(&LogSource::Stdout, b"\nhow far? ");
        log.push(&LogSource::Stderr, b"red\n");
        assert_eq!(log_texts(), ["logged\n", "printed\n", "in red\n"]);
        log.run
            .buffer()
            .take_late(Instant::now() + Duration::from_secs(60));
        log.push(&LogSource::Stderr, b"the end");
        log.close();
        log.push(&LogSource::Stderr, b", really");
        let rest = ["how far? ", "the end, really"];
        assert_eq!(log_texts()[3..], rest);
    }

    fn texts(buffer: &mut Buffer) -> Vec<String> {
        let batch = buffer.next_batch(usize::MAX);
        let texts = batch.iter().map(|frame| &frame.text);
        texts
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .collect()
    }

    #[test]
    fn neighbours_go_into_one_piece_but_not_into_one_that_is_on_its_way() {
        let mut buffer = Buffer::default();
        buffer.push(&LogSource::Stdout, b"one\n", 1000);
        buffer.push(&LogSource::Stdout, b"two\n", 1100);
        buffer.push(&LogSource::Stderr, b"three\n", 1100);
        assert_eq!(texts(&mut buffer), ["one\ntwo\n", "three\n"]);
        buffer.push(&LogSource::Stderr, b"four\n", 1150);
        assert_eq!(texts(&mut buffer), ["one\ntwo\n", "three\n", "four\n"]);
        buffer.sent(Some(2));
        assert_eq!(texts(&mut buffer), ["four\n"]);
        buffer.sent(None);
        assert_eq!(texts(&mut buffer), ["four\n"], "it is sent once more");
        buffer.sent(Some(3));
        assert!(buffer.is_empty());
        assert_eq!(buffer.bytes, 0);
    }

    #[test]
    fn the_oldest_of_what_does_not_fit_is_dropped_with_a_note() {
        let mut buffer = Buffer::default();
        let large = |number: u8| vec![number; LOG_FRAME_BYTES_MAX];
        buffer.push(&LogSource::Stdout, &large(0), 1);
        assert_eq!(buffer.next_batch(1).len(), 1, "it is on its way");
        for number in 1..40 {
            buffer.push(&LogSource::Stdout, &large(number), 1);
            assert!(buffer.bytes <= BUFFER_BYTES + 200);
        }
        buffer.sent(None);
        let left = buffer.next_batch(usize::MAX);
        assert!(left.is_sorted_by_key(|frame| frame.number));
        let kept: Vec<u8> = left.iter().map(|frame| frame.text[0]).collect();
        assert_eq!((kept[0], kept[1], kept.last()), (0, b'[', Some(&39)));
        let dropped = (40 - (kept.len() - 1)) * LOG_FRAME_BYTES_MAX;
        let note = String::from_utf8_lossy(&left[1].text).into_owned();
        assert!(
            note.starts_with(&format!("[{dropped} bytes were dropped")),
            "{note}"
        );
        buffer.sent(Some(40));
        assert!(buffer.is_empty());
        assert_eq!(buffer.bytes, 0);
    }

    #[test]
    fn what_a_run_printed_first_is_kept_though_nothing_of_it_was_sent_in_time() {
        let record = LogSource::Record {
            level: 20,
            logger: "luigi-interface".to_owned(),
        };
        let mut buffer = Buffer::default();
        buffer.push(&record, b"it begins\n", 1);
        buffer.push(&LogSource::Stdout, b"the beginning\n", 1);
        let large = vec![b'x'; LOG_FRAME_BYTES_MAX];
        for _ in 0..100 {
            buffer.push(&LogSource::Stdout, &large, 1);
            assert!(buffer.bytes <= BUFFER_BYTES + 200);
        }
        buffer.push(&LogSource::Stdout, b"the end\n", 1000);
        let left = texts(&mut buffer);
        assert_eq!(left[..2], ["it begins\n", "the beginning\n"]);
        assert_eq!(left.iter().filter(|text| text.starts_with('[')).count(), 1);
        assert_eq!(left.last().map(String::as_str), Some("the end\n"));
    }
}
