//! A line that a run has begun to print and not ended.
//!
//! What a run prints and what it logs come by ways of their own, and some programs write a line and its end apart.
//! So the beginning waits for the end, or what comes by another way meanwhile would stand within the line.

use std::time::{Duration, Instant};

use condotta_protocol::LOG_FRAME_BYTES_MAX;

/// So long a line waits for its end. Who prints a question or how far it has come ends none.
const PATIENCE: Duration = Duration::from_secs(1);

/// The beginning of a line, of one stream.
#[derive(Default)]
pub(super) struct Unfinished {
    text: Vec<u8>,
    /// When the first of it came.
    since: Option<Instant>,
}

impl Unfinished {
    /// Takes what was printed. Gives the lines that are whole by now.
    pub(super) fn add(&mut self, now: Instant, text: &[u8]) -> Vec<u8> {
        let end = text.iter().rposition(|byte| *byte == b'\n');
        let (whole, begun) = text.split_at(end.map_or(0, |end| end + 1));
        let mut lines = Vec::new();
        if !whole.is_empty() {
            lines = self.rest();
            lines.extend_from_slice(whole);
        }
        if !begun.is_empty() {
            self.since.get_or_insert(now);
            self.text.extend_from_slice(begun);
        }
        if self.text.len() > LOG_FRAME_BYTES_MAX {
            lines.append(&mut self.rest());
        }
        lines
    }

    /// What has waited long enough.
    pub(super) fn late(&mut self, now: Instant) -> Vec<u8> {
        let is_late = self
            .since
            .is_some_and(|since| now.saturating_duration_since(since) >= PATIENCE);
        if is_late { self.rest() } else { Vec::new() }
    }

    /// Nothing more comes.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        self.since = None;
        std::mem::take(&mut self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_waits_for_its_end_but_not_for_long() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut line = Unfinished::default();
        assert_eq!(line.add(at(0), b"one"), b"");
        assert_eq!(line.late(at(900)), b"");
        assert_eq!(line.add(at(900), b"\ntwo\nthr"), b"one\ntwo\n");
        assert_eq!(line.add(at(1800), b"ee"), b"");
        assert_eq!(line.late(at(1899)), b"", "its beginning came at 900");
        assert_eq!(line.late(at(1900)), b"three");
        assert_eq!(line.late(at(5000)), b"");
        assert_eq!(line.add(at(5000), b"\nfour"), b"\n");
        assert_eq!(line.rest(), b"four");
        assert_eq!(line.rest(), b"");
    }

    #[test]
    fn a_line_without_end_takes_little_room() {
        let mut line = Unfinished::default();
        let large = vec![b'x'; LOG_FRAME_BYTES_MAX];
        assert_eq!(line.add(Instant::now(), &large), b"");
        let all = line.add(Instant::now(), b"y");
        assert_eq!(all.len(), LOG_FRAME_BYTES_MAX + 1);
        assert_eq!(line.rest(), b"");
    }
}
