//! Which part of a log is read, and how it is written: as it was printed, or as lines of JSON.

use std::fmt::Write as _;

use condotta_protocol::{LogFrame, LogSource};
use serde_json::json;

use super::live::Piece;

/// Which part of a log is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// From this place on.
    pub position: u64,
    /// Only so many lines at the end.
    pub tail: Option<usize>,
    /// No more than about so many bytes.
    pub limit: Option<usize>,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The bytes that were printed. Records have their level in front.
    Text,
    /// For each piece a line of JSON.
    Lines,
    /// The same as server-sent events.
    Events,
}

/// Writes pieces and notes what is missing between them.
#[derive(Debug)]
pub struct Reading {
    shape: Shape,
    /// Where the next piece should begin.
    next: u64,
}

impl Reading {
    /// Begins at `position`.
    #[must_use]
    pub fn new(shape: Shape, position: u64) -> Self {
        Self {
            shape,
            next: position,
        }
    }

    /// Where the next piece begins.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Writes what of these pieces was not written yet.
    pub fn write(&mut self, pieces: &[Piece], out: &mut Vec<u8>) {
        for piece in pieces {
            if piece.end() <= self.next
                && !(piece.frame.text.is_empty() && piece.end() == self.next)
            {
                continue;
            }
            if piece.position > self.next {
                let left_out = piece.position - self.next;
                let note = LogFrame {
                    number: 0,
                    time_millis: piece.frame.time_millis,
                    source: LogSource::Note,
                    text: format!("[{left_out} bytes were left out here: the log was too long]\n")
                        .into_bytes(),
                };
                self.write_one([self.next, piece.position], &note, &note.text, out);
                self.next = piece.position;
            }
            let skipped = usize::try_from(self.next - piece.position).unwrap_or(usize::MAX);
            let text = piece.frame.text.get(skipped..).unwrap_or_default();
            self.write_one([self.next, piece.end()], &piece.frame, text, out);
            self.next = piece.end();
        }
    }

    fn write_one(&self, place: [u64; 2], frame: &LogFrame, text: &[u8], out: &mut Vec<u8>) {
        let [position, next] = place;
        if self.shape == Shape::Text {
            if let LogSource::Record { level, .. } = &frame.source {
                out.extend(level_name(*level).as_bytes());
                out.extend(b": ");
            }
            out.extend(text);
            return;
        }
        let mut value = json!({
            "position": position,
            "time": frame.time_millis as f64 / 1000.0,
            "next": next,
            "source": frame.source.name(),
            "text": String::from_utf8_lossy(text),
        });
        if let LogSource::Record { level, logger } = &frame.source {
            value["level"] = level_name(*level).into();
            value["logger"] = logger.as_str().into();
        }
        let mut line = String::new();
        if self.shape == Shape::Events {
            let _ = write!(line, "event: log\nid: {next}\ndata: {value}\n\n");
        } else {
            let _ = writeln!(line, "{value}");
        }
        out.extend(line.as_bytes());
    }
}

/// Python's name of a level.
fn level_name(level: u8) -> &'static str {
    match level {
        0..15 => "DEBUG",
        15..25 => "INFO",
        25..35 => "WARNING",
        35..45 => "ERROR",
        _ => "CRITICAL",
    }
}

impl Selection {
    /// The pieces of this part, the first of them cut where it begins.
    #[must_use]
    pub fn of(&self, mut pieces: Vec<Piece>) -> Vec<Piece> {
        if let Some(tail) = self.tail {
            pieces = last_lines(pieces, tail);
        }
        pieces.retain(|piece| piece.end() > self.position || piece.position >= self.position);
        if let Some(limit) = self.limit {
            let mut bytes = 0;
            pieces.retain(|piece| {
                let fits = bytes < limit;
                bytes += piece.frame.text.len();
                fits
            });
        }
        pieces
    }
}

fn last_lines(mut pieces: Vec<Piece>, lines: usize) -> Vec<Piece> {
    if lines == 0 {
        return Vec::new();
    }
    let mut left = lines;
    let mut is_last = true;
    for index in (0..pieces.len()).rev() {
        let text = &pieces[index].frame.text;
        for at in (0..text.len()).rev() {
            // The end of the last line begins no other one.
            if text[at] != b'\n' || std::mem::take(&mut is_last) {
                is_last = false;
                continue;
            }
            left = left.saturating_sub(1);
            if left == 0 {
                let mut rest = pieces.split_off(index);
                rest[0].frame.text.drain(..=at);
                rest[0].position += at as u64 + 1;
                rest.retain(|piece| !piece.frame.text.is_empty());
                return rest;
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(position: u64, source: LogSource, text: &[u8]) -> Piece {
        Piece {
            position,
            frame: LogFrame {
                number: position + 1,
                time_millis: 1500,
                source,
                text: text.to_vec(),
            },
        }
    }

    fn out(text: &str) -> LogSource {
        if text == "err" {
            LogSource::Stderr
        } else {
            LogSource::Stdout
        }
    }

    fn text(pieces: &[Piece], position: u64) -> String {
        let mut bytes = Vec::new();
        Reading::new(Shape::Text, position).write(pieces, &mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn pieces_are_written_from_a_place_on_with_a_note_of_what_is_missing() {
        let pieces = [
            piece(0, out("out"), b"one\ntwo\n"),
            piece(8, out("err"), b"three\n"),
            piece(114, out("out"), b"end\n"),
        ];
        let all = text(&pieces, 0);
        let note = "[100 bytes were left out here: the log was too long]\n";
        assert_eq!(all, format!("one\ntwo\nthree\n{note}end\n"));
        assert_eq!(text(&pieces, 4), format!("two\nthree\n{note}end\n"));
        assert_eq!(text(&pieces, 118), "");
        let mut reading = Reading::new(Shape::Text, 0);
        let mut once = Vec::new();
        reading.write(&pieces, &mut once);
        reading.write(&pieces, &mut once);
        assert_eq!(once.len(), all.len(), "nothing is written twice");
    }

    #[test]
    fn the_last_lines_are_cut_out_of_their_pieces() {
        let pieces = vec![
            piece(0, out("out"), b"one\ntwo\nth"),
            piece(10, out("out"), b"ree\nfour"),
        ];
        for (lines, expected) in [
            (0, ""),
            (1, "four"),
            (2, "three\nfour"),
            (3, "two\nthree\nfour"),
            (4, "one\ntwo\nthree\nfour"),
            (9, "one\ntwo\nthree\nfour"),
        ] {
            let selection = Selection {
                tail: Some(lines),
                ..Selection::default()
            };
            let cut = selection.of(pieces.clone());
            let begin = cut.first().map_or(0, |piece| piece.position);
            assert_eq!(text(&cut, begin), expected, "{lines}");
        }
    }

    #[test]
    fn lines_of_json_are_one_each_whatever_was_printed() {
        let logger = "my.task".to_owned();
        let pieces = [
            piece(0, out("out"), b"\xff\n\"\x1b"),
            piece(4, LogSource::Record { level: 30, logger }, b"beware\n"),
        ];
        for shape in [Shape::Lines, Shape::Events] {
            let mut bytes = Vec::new();
            Reading::new(shape, 0).write(&pieces, &mut bytes);
            let text = String::from_utf8(bytes).unwrap();
            let lines = text
                .lines()
                .map(|line| line.strip_prefix("data: ").unwrap_or(line));
            let values: Vec<serde_json::Value> = lines
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect();
            assert_eq!(values.len(), 2, "{text}");
            assert_eq!(values[0]["text"], "\u{fffd}\n\"\u{1b}");
            assert_eq!(values[1]["level"], "WARNING");
            assert_eq!(values[1]["logger"], "my.task");
        }
        assert!(text(&pieces, 0).ends_with("WARNING: beware\n"));
    }
}
