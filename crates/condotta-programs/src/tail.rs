//! The last lines of what a program printed, for its error.

use std::collections::VecDeque;

/// So many lines are kept.
const LINES: usize = 20;
/// So many bytes of each.
const LINE_BYTES: usize = 400;

/// The last lines.
#[derive(Debug, Default)]
pub(crate) struct Tail(VecDeque<String>);

impl Tail {
    /// Takes a line, without its end.
    pub(crate) fn push(&mut self, line: &[u8]) {
        if self.0.len() == LINES {
            self.0.pop_front();
        }
        let shown = &line[..line.len().min(LINE_BYTES)];
        let mut text = String::from_utf8_lossy(shown).into_owned();
        if line.len() > LINE_BYTES {
            text.push('…');
        }
        // What moves a terminal's cursor has no business in an error.
        let text = text.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
        self.0.push_back(text);
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_are_kept_and_long_ones_are_cut() {
        let mut tail = Tail::default();
        for number in 0..30 {
            tail.push(format!("line {number}").as_bytes());
        }
        tail.push(&[b'x'; 1000]);
        tail.push(b"\x1b[31m\xff");
        let lines = tail.into_lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[0], "line 12");
        assert_eq!(lines[18].chars().count(), LINE_BYTES + 1);
        assert_eq!(lines[19], "\u{fffd}[31m\u{fffd}");
    }
}
