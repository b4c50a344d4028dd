//! What a job prints into files that all nodes share, read while they grow.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use crate::{Attempt, Stream, pump, secrets::Secrets, tail::Tail};

/// So much is read at a time.
const CHUNK: u64 = 256 << 10;
/// A line that is longer than this is passed on in parts.
const LONGEST_LINE: usize = 16 << 10;

/// One file.
pub(super) struct Log {
    path: PathBuf,
    stream: Stream,
    /// Before each line: which element printed it.
    prefix: String,
    read: u64,
    waiting: Vec<u8>,
    tail: Tail,
}

impl Log {
    pub(super) fn new(path: PathBuf, stream: Stream, prefix: String) -> Self {
        Self {
            path,
            stream,
            prefix,
            read: 0,
            waiting: Vec::new(),
            tail: Tail::default(),
        }
    }

    /// Passes on the lines that have come. `last`: also what has no end yet.
    pub(super) fn follow(&mut self, attempt: &dyn Attempt, secrets: &Secrets, last: bool) {
        // A file that is not there yet comes later.
        while self.read_some().unwrap_or(false) {
            self.pass_on(attempt, secrets, false);
        }
        self.pass_on(attempt, secrets, last);
    }

    /// Whether there was something.
    fn read_some(&mut self) -> std::io::Result<bool> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.read))?;
        let read = file.take(CHUNK).read_to_end(&mut self.waiting)?;
        self.read += read as u64;
        Ok(read > 0)
    }

    fn pass_on(&mut self, attempt: &dyn Attempt, secrets: &Secrets, last: bool) {
        let end = self.waiting.iter().rposition(|&byte| pump::is_end(byte));
        let whole = match end {
            _ if last => self.waiting.len(),
            Some(end) => end + 1,
            None if self.waiting.len() > LONGEST_LINE => self.waiting.len(),
            None => 0,
        };
        if whole == 0 {
            return;
        }
        let rest = self.waiting.split_off(whole);
        let mut lines = std::mem::replace(&mut self.waiting, rest);
        if !lines.ends_with(b"\n") {
            lines.push(b'\n');
        }
        if let Some(hidden) = secrets.hide_bytes(&lines) {
            lines = hidden;
        }
        let mut shown = Vec::with_capacity(lines.len());
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            shown.extend_from_slice(self.prefix.as_bytes());
            shown.extend_from_slice(line);
            self.tail.push(line.trim_ascii_end());
        }
        attempt.printed(self.stream, &shown);
    }

    pub(super) fn is_of(&self, path: &Path) -> bool {
        self.path == path
    }

    pub(super) fn into_last_lines(self) -> Vec<String> {
        self.tail.into_lines()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Detached;

    #[test]
    fn lines_are_passed_on_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let attempt = Detached::default();
        let mut secrets = Secrets::default();
        secrets.add("hunter22");
        let mut log = Log::new(path.clone(), Stream::Stdout, "[3] ".to_owned());
        log.follow(&attempt, &secrets, false);
        std::fs::write(&path, "one\ntw").unwrap();
        log.follow(&attempt, &secrets, false);
        assert_eq!(attempt.stdout(), "[3] one\n");
        std::fs::write(&path, "one\ntwo\nhunter22").unwrap();
        log.follow(&attempt, &secrets, false);
        log.follow(&attempt, &secrets, true);
        assert_eq!(attempt.stdout(), "[3] one\n[3] two\n[3] ***\n");
        assert_eq!(log.into_last_lines(), ["one", "two", "***"]);
    }
}
