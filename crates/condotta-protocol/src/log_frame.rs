//! What a run printed, in pieces, as it travels from a worker and as it lies on the disk.
//!
//! A piece says where it comes from and when it was written. Its text is bytes: what a program prints
//! need not be text. Pieces of one attempt are numbered, so one that is sent twice is kept once.

/// The longest text of one piece, in bytes. Longer ones travel in several.
pub const LOG_FRAME_BYTES_MAX: usize = 64 << 10;

/// What stands before the logger and the text.
const HEAD_BYTES: usize = 24;

/// Where a piece comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogSource {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A record of the log.
    Record {
        /// How severe it is, in Python's numbers: 20 is INFO.
        level: u8,
        /// The logger's name, of at most 255 bytes.
        logger: String,
    },
    /// A remark on what is missing here.
    Note,
}

impl LogSource {
    /// Its name in answers.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Record { .. } => "log",
            Self::Note => "note",
        }
    }
}

/// One piece of what a run printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFrame {
    /// Its place among the attempt's pieces; the first is 1.
    pub number: u64,
    /// When it was written, in milliseconds since 1970.
    pub time_millis: u64,
    /// Where it comes from.
    pub source: LogSource,
    /// What was printed, with its line ends.
    pub text: Vec<u8>,
}

impl LogFrame {
    /// Puts the piece at the end of `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (kind, level, logger) = match &self.source {
            LogSource::Stdout => (1, 0, ""),
            LogSource::Stderr => (2, 0, ""),
            LogSource::Record { level, logger } => (3, *level, shortened(logger)),
            LogSource::Note => (4, 0, ""),
        };
        let text = &self.text[..self.text.len().min(LOG_FRAME_BYTES_MAX)];
        let length = u8::try_from(logger.len()).expect("it was shortened");
        out.extend([kind, level, length, 0]);
        let length = u32::try_from(text.len()).expect("it was shortened");
        out.extend(length.to_le_bytes());
        out.extend(self.number.to_le_bytes());
        out.extend(self.time_millis.to_le_bytes());
        out.extend(logger.as_bytes());
        out.extend(text);
    }

    /// The piece at the beginning of `bytes` and how long it is there; `None` if there is no whole one.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
        let logger_length = usize::from(head[2]);
        let length = u32::from_le_bytes(head[4..8].try_into().ok()?);
        let length = usize::try_from(length).ok()?;
        if length > LOG_FRAME_BYTES_MAX {
            return None;
        }
        let (logger, rest) = rest.split_at_checked(logger_length)?;
        let (text, _) = rest.split_at_checked(length)?;
        let source = match head[0] {
            1 => LogSource::Stdout,
            2 => LogSource::Stderr,
            3 => LogSource::Record {
                level: head[1],
                logger: String::from_utf8_lossy(logger).into_owned(),
            },
            4 => LogSource::Note,
            _ => return None,
        };
        let frame = Self {
            number: u64::from_le_bytes(head[8..16].try_into().ok()?),
            time_millis: u64::from_le_bytes(head[16..24].try_into().ok()?),
            source,
            text: text.to_vec(),
        };
        Some((frame, HEAD_BYTES + logger_length + length))
    }

    /// All pieces in `bytes`, and how many bytes they take. What is behind them is no whole piece.
    #[must_use]
    pub fn read_all(bytes: &[u8]) -> (Vec<Self>, usize) {
        let mut frames = Vec::new();
        let mut taken = 0;
        while let Some((frame, length)) = Self::read(&bytes[taken..]) {
            frames.push(frame);
            taken += length;
        }
        (frames, taken)
    }
}

/// At most 255 bytes of a name, and whole characters.
fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(usize::from(u8::MAX))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_read_as_they_were_written_and_a_torn_one_ends_them() {
        let frames = [
            LogFrame {
                number: 1,
                time_millis: 1_795_737_600_250,
                source: LogSource::Stdout,
                text: b"\xff\x00 \x1b[31m\n".to_vec(),
            },
            LogFrame {
                number: 2,
                time_millis: 0,
                source: LogSource::Record {
                    level: 30,
                    logger: "ü".repeat(200),
                },
                text: Vec::new(),
            },
        ];
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| frame.write(&mut bytes));
        let (read, taken) = LogFrame::read_all(&bytes);
        assert_eq!(taken, bytes.len());
        assert_eq!(read[0], frames[0]);
        let expected = LogSource::Record {
            level: 30,
            logger: "ü".repeat(127),
        };
        assert_eq!(read[1].source, expected);
        for end in 0..bytes.len() {
            let (read, taken) = LogFrame::read_all(&bytes[..end]);
            assert!(read.len() < 2 && taken <= end, "{end}");
        }
        assert!(LogFrame::read(&[0; 64]).is_none(), "zeros are no piece");
    }
}
