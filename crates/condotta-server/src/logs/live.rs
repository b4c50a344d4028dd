//! The log of one attempt while it is written: the beginning in one file, the newest end in two that
//! take turns. In between, what did not fit is left out.
//!
//! No file stays open, since thousands of tasks may run at once. Each file begins with a line of JSON.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use condotta_protocol::LogFrame;
use serde::{Deserialize, Serialize};

use crate::attempt_id::AttemptId;

/// Whose log it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The task.
    pub task_id: String,
    /// The number of the attempt among those of the task.
    pub attempt: u64,
    /// The worker that ran it.
    pub worker: String,
}

/// The first line of a file.
#[derive(Debug, Serialize, Deserialize)]
struct FileHead {
    version: u32,
    /// How many bytes were printed before what is in here.
    #[serde(default)]
    position: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<Header>,
}

const VERSION: u32 = 1;

/// A piece with its place in all that was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// How many bytes were printed before it.
    pub position: u64,
    /// The piece.
    pub frame: LogFrame,
}

impl Piece {
    /// Where the next piece begins, if none was left out.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.position + self.frame.text.len() as u64
    }
}

/// A log that can be written to.
#[derive(Debug)]
pub(crate) struct LiveLog {
    stem: PathBuf,
    most_bytes: u64,
    /// 0 is the beginning; later ones are ends.
    file: u32,
    file_bytes: u64,
    /// The number of the last piece that is kept or was left out.
    last: u64,
    /// How many bytes were printed.
    position: u64,
}

impl LiveLog {
    /// The log of this attempt in `folder`, begun or gone on with.
    pub(crate) fn open(
        folder: &Path,
        id: &AttemptId,
        header: &Header,
        most_bytes: u64,
    ) -> io::Result<Self> {
        let mut log = Self {
            stem: folder.join(id.to_string()),
            most_bytes: most_bytes.max(4096),
            file: 0,
            file_bytes: 0,
            last: 0,
            position: 0,
        };
        let mut files = files(&log.stem)?;
        let (number, path, read) = loop {
            let Some((number, path)) = files.pop() else {
                log.begin_file(Some(header.clone()))?;
                return Ok(log);
            };
            match read_file(&fs::read(&path)?) {
                Some(read) if number > 0 || read.header.is_some() => break (number, path, read),
                // A crash or a full disk tore its first line, without which nothing in it can be read.
                _ => remove(&path)?,
            }
        };
        log.file = number;
        log.file_bytes = mend(&path)?;
        match read.pieces.last() {
            Some(piece) => (log.last, log.position) = (piece.frame.number, piece.end()),
            None => {
                log.position = read.position;
                // A file that was begun just before a crash; what is before it has the last number.
                if let Some((_, before)) = files.last() {
                    let before = read_file(&fs::read(before)?).unwrap_or_default();
                    log.last = before.pieces.last().map_or(0, |piece| piece.frame.number);
                }
            }
        }
        Ok(log)
    }

    /// The number of the last piece that was taken.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Adds those that are new. Returns them with their places.
    pub(crate) fn append(&mut self, frames: Vec<LogFrame>) -> io::Result<Vec<Piece>> {
        let mut added = Vec::with_capacity(frames.len());
        let mut bytes = Vec::new();
        for frame in frames {
            if frame.number <= self.last {
                continue;
            }
            if self.file_bytes + bytes.len() as u64 >= self.file_limit() {
                self.write(&mut bytes)?;
                self.file += 1;
                self.begin_file(None)?;
            }
            frame.write(&mut bytes);
            self.last = frame.number;
            let piece = Piece {
                position: self.position,
                frame,
            };
            self.position = piece.end();
            added.push(piece);
        }
        self.write(&mut bytes)?;
        Ok(added)
    }

    fn file_limit(&self) -> u64 {
        match self.file {
            0 => self.most_bytes / 2,
            _ => self.most_bytes / 4,
        }
    }

    fn write(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut file = OpenOptions::new()
            .append(true)
            .open(path(&self.stem, self.file))?;
        if let Err(error) = file.write_all(bytes) {
            // On a full disk a torn end would take the room that others need.
            let _ = file.set_len(self.file_bytes);
            return Err(error);
        }
        self.file_bytes += bytes.len() as u64;
        bytes.clear();
        Ok(())
    }

    /// Begins the file that is the current one now, and removes the end that is too old.
    fn begin_file(&mut self, header: Option<Header>) -> io::Result<()> {
        let head = FileHead {
            version: VERSION,
            position: self.position,
            header,
        };
        let mut line = serde_json::to_vec(&head)?;
        line.push(b'\n');
        if self.file > 0 {
            super::make_folder(&ends(&self.stem))?;
        }
        let path_now = path(&self.stem, self.file);
        if let Err(error) = super::create(&path_now)?.write_all(&line) {
            let _ = remove(&path_now);
            return Err(error);
        }
        self.file_bytes = line.len() as u64;
        if self.file >= 3 {
            remove(&path(&self.stem, self.file - 2))?;
        }
        Ok(())
    }
}

/// A log as it is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// Its files, in their order.
    pub(crate) files: Vec<Vec<u8>>,
}

impl Whole {
    /// What is in `folder` of this attempt; `None` if there is nothing.
    pub(crate) fn read(folder: &Path, id: &AttemptId) -> io::Result<Option<Self>> {
        let files = files(&folder.join(id.to_string()))?;
        let read = files.iter().map(|(_, path)| fs::read(path));
        let files = read.collect::<io::Result<Vec<_>>>()?;
        Ok((!files.is_empty()).then_some(Self { files }))
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.files.iter().map(Vec::len).sum()
    }

    /// Whose it is, if that can be read.
    pub(crate) fn header(&self) -> Option<Header> {
        read_file(self.files.first()?)?.header
    }

    pub(crate) fn pieces(&self) -> Vec<Piece> {
        let files = self.files.iter().filter_map(|file| read_file(file));
        files.flat_map(|file| file.pieces).collect()
    }
}

/// The ids of all logs in a folder, with the bytes that their files have.
pub(crate) fn list(folder: &Path) -> io::Result<BTreeMap<AttemptId, u64>> {
    let mut logs = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(logs),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".log"));
        if let Some(id) = stem.and_then(|stem| stem.parse::<AttemptId>().ok()) {
            let files = files(&folder.join(id.to_string()))?;
            let bytes = files
                .iter()
                .map(|(_, path)| fs::metadata(path).map_or(0, |data| data.len()));
            logs.insert(id, bytes.sum());
        }
    }
    Ok(logs)
}

/// Removes a log. One that is not there is removed.
pub(crate) fn remove_all(folder: &Path, id: &AttemptId) -> io::Result<()> {
    let stem = folder.join(id.to_string());
    let files = files(&stem)?;
    files.iter().rev().try_for_each(|(_, path)| remove(path))?;
    match fs::remove_dir(ends(&stem)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn path(stem: &Path, file: u32) -> PathBuf {
    // Attempt ids have no dots.
    match file {
        0 => stem.with_extension("log"),
        end => ends(stem).join(end.to_string()),
    }
}

/// Where the files after the first are, if there are any.
fn ends(stem: &Path) -> PathBuf {
    stem.with_extension("ends")
}

/// The files of a log that are there, in their order.
fn files(stem: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let first = path(stem, 0);
    if !first.try_exists()? {
        return Ok(Vec::new());
    }
    let mut found = vec![(0, first)];
    match fs::read_dir(ends(stem)) {
        Ok(entries) => {
            for entry in entries {
                let name = entry?.file_name();
                if let Some(end) = name.to_str().and_then(|name| name.parse().ok()) {
                    found.push((end, path(stem, end)));
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    found.sort_unstable();
    Ok(found)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Cuts a torn end off. Returns how long the file is then.
fn mend(path: &Path) -> io::Result<u64> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = whole_bytes(&bytes) as u64;
    if whole < bytes.len() as u64 {
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
    }
    Ok(whole)
}

fn whole_bytes(bytes: &[u8]) -> usize {
    let Some(line) = bytes.iter().position(|byte| *byte == b'\n') else {
        return bytes.len();
    };
    line + 1 + LogFrame::read_all(&bytes[line + 1..]).1
}

#[derive(Debug, Default)]
struct FilePieces {
    header: Option<Header>,
    position: u64,
    pieces: Vec<Piece>,
}

/// What can be read of a file; nothing if its first line is torn.
fn read_file(bytes: &[u8]) -> Option<FilePieces> {
    let line = bytes.iter().position(|byte| *byte == b'\n')?;
    let head = serde_json::from_slice::<FileHead>(&bytes[..line]).ok()?;
    let mut position = head.position;
    let (frames, _) = LogFrame::read_all(&bytes[line + 1..]);
    let pieces = frames.into_iter().map(|frame| {
        let piece = Piece { position, frame };
        position = piece.end();
        piece
    });
    Some(FilePieces {
        pieces: pieces.collect(),
        header: head.header,
        position: head.position,
    })
}

#[cfg(test)]
mod tests {
    use condotta_protocol::LogSource;

    use super::*;

    fn header() -> Header {
        Header {
            task_id: "Hello__99914b932b".to_owned(),
            attempt: 1,
            worker: "x".to_owned(),
        }
    }

    fn frame(number: u64, bytes: usize) -> LogFrame {
        LogFrame {
            number,
            time_millis: number,
            source: LogSource::Stdout,
            text: vec![b'a' + u8::try_from(number % 26).unwrap(); bytes],
        }
    }

    fn id() -> AttemptId {
        AttemptId::new("Hello__99914b932b", 1, condotta_scheduler::Timestamp(1e9))
    }

    #[test]
    fn what_is_sent_twice_is_kept_once_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = || LiveLog::open(folder.path(), &id(), &header(), 1 << 20).unwrap();
        let mut log = open();
        assert_eq!(
            log.append(vec![frame(1, 10), frame(2, 5)]).unwrap().len(),
            2
        );
        let mut log = open();
        assert_eq!(log.last(), 2);
        let added = log.append(vec![frame(2, 5), frame(3, 7)]).unwrap();
        assert_eq!(
            (added.len(), added[0].position, added[0].end()),
            (1, 15, 22)
        );
        let whole = Whole::read(folder.path(), &id()).unwrap().unwrap();
        assert_eq!(whole.header(), Some(header()));
        let numbers: Vec<_> = whole
            .pieces()
            .iter()
            .map(|piece| piece.frame.number)
            .collect();
        assert_eq!(numbers, [1, 2, 3]);
    }

    #[test]
    fn a_torn_end_costs_one_piece_which_may_come_again() {
        let folder = tempfile::tempdir().unwrap();
        let open = || LiveLog::open(folder.path(), &id(), &header(), 1 << 20).unwrap();
        open().append(vec![frame(1, 10), frame(2, 50)]).unwrap();
        let path = folder.path().join(id().to_string()).with_extension("log");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
        let mut log = open();
        assert_eq!(log.last(), 1);
        log.append(vec![frame(2, 50)]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    /// A limit on the size of files stands for a full disk. It holds for a whole process, so this test
    /// runs in one of its own.
    #[test]
    fn a_full_disk_leaves_no_torn_end() {
        const FOLDER: &str = "CONDOTTA_TEST_FOLDER";
        let Some(folder) = std::env::var_os(FOLDER) else {
            let folder = tempfile::tempdir().unwrap();
            // Its output goes through pipes: if that of tests goes to a file, the limit would hold for it, too.
            let ran = std::process::Command::new("bash")
                .args(["-c", "trap '' XFSZ; ulimit -S -f 4; exec \"$@\"", "bash"])
                .arg(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "logs::live::tests::a_full_disk_leaves_no_torn_end",
                ])
                .env(FOLDER, folder.path())
                .output()
                .unwrap();
            assert!(ran.status.success(), "{ran:?}");
            let path = folder.path().join(id().to_string()).with_extension("log");
            let bytes = fs::read(path).unwrap();
            assert!(bytes.len() > 1000 && bytes.len() < 1500, "{}", bytes.len());
            return;
        };
        let mut log = LiveLog::open(Path::new(&folder), &id(), &header(), 1 << 20).unwrap();
        log.append(vec![frame(1, 1000)]).unwrap();
        log.append(vec![frame(2, 10), frame(3, 8000)]).unwrap_err();
    }

    #[test]
    fn a_file_whose_first_line_is_torn_costs_nothing_that_comes_later() {
        let folder = tempfile::tempdir().unwrap();
        let open = || LiveLog::open(folder.path(), &id(), &header(), 8192).unwrap();
        let mut log = open();
        // So many that the next one needs a file of its own.
        for number in 1..=4 {
            log.append(vec![frame(number, 1000)]).unwrap();
        }
        let stem = folder.path().join(id().to_string());
        // As a full disk leaves it.
        for torn in ["", "{\"version\":1,\"posi"] {
            make_end(&stem, torn);
            let mut log = open();
            assert_eq!((log.last(), log.position), (4, 4000), "{torn}");
            let added = log.append(vec![frame(4, 1000), frame(5, 10)]).unwrap();
            assert_eq!((added[0].position, added.len()), (4000, 1), "{torn}");
            let whole = Whole::read(folder.path(), &id()).unwrap().unwrap();
            let last = whole.pieces().pop().unwrap();
            assert_eq!((last.frame.number, last.position), (5, 4000), "{torn}");
            fs::remove_file(path(&stem, 1)).unwrap();
        }
    }

    fn make_end(stem: &Path, text: &str) {
        super::super::make_folder(&ends(stem)).unwrap();
        fs::write(path(stem, 1), text).unwrap();
    }

    #[test]
    fn the_beginning_and_the_newest_end_of_a_long_log_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let most = 64 << 10;
        let open = || LiveLog::open(folder.path(), &id(), &header(), most).unwrap();
        let mut log = open();
        for number in 1..=2000 {
            if number % 77 == 0 {
                log = open();
            }
            log.append(vec![frame(number, 1000)]).unwrap();
        }
        let whole = Whole::read(folder.path(), &id()).unwrap().unwrap();
        assert!(whole.bytes() as u64 <= most + 4 * 1100, "{}", whole.bytes());
        let pieces = whole.pieces();
        assert_eq!(pieces[0].frame.number, 1);
        assert_eq!(pieces.last().unwrap().end(), 2_000_000);
        let gaps = pieces
            .windows(2)
            .filter(|two| two[0].end() != two[1].position);
        assert_eq!(gaps.count(), 1);
        let kept = pieces.len() as u64 * 1000;
        assert!(kept > most / 2 + most / 4, "{kept}");
        remove_all(folder.path(), &id()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
