//! The files of one run, in the folder that both sides share.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::child::wire::ToChild;

/// What the other side is asked for.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) arguments: Vec<String>,
    pub(super) run: ToChild,
}

/// What is known of one task. Nobody else may look into it: requests have private parameters in them.
pub(super) struct TaskFolder(PathBuf);

impl TaskFolder {
    /// Makes the folder, if it is not there.
    pub(super) fn open(top: &Path, task_id: &str) -> io::Result<Self> {
        let folder = std::path::absolute(top)?.join(task_id);
        fs::create_dir_all(folder.parent().unwrap_or(&folder))?;
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(Self(folder)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of a run for this request: that of an earlier worker, if it asked for the same.
    pub(super) fn run(&self, request: &Request) -> io::Result<RunFolder> {
        for entry in fs::read_dir(&self.0)? {
            let known = RunFolder(entry?.path());
            match known.request() {
                Ok(known_request) if asks_for_the_same(&known_request, request) => {
                    return Ok(known);
                }
                // Another run's, of which nobody wants to know any more.
                Ok(_) => known.forget(),
                // It is the engine's.
                Err(_) => {}
            }
        }
        let number = fastrand::u64(..);
        let run = RunFolder(self.0.join(format!("{number:016x}")));
        DirBuilder::new().mode(0o700).create(&run.0)?;
        run.write_request(request)?;
        Ok(run)
    }

    /// Nothing of it is needed any more.
    pub(super) fn forget(&self) {
        // What stays does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Who asks, and with which other arguments, makes no difference.
fn asks_for_the_same(one: &Request, other: &Request) -> bool {
    match (&one.run, &other.run) {
        (ToChild::Run { task, .. }, ToChild::Run { task: wanted, .. }) => task == wanted,
        _ => false,
    }
}

/// One run.
#[derive(Clone)]
pub(super) struct RunFolder(PathBuf);

impl RunFolder {
    /// The folder of a request's file.
    pub(super) fn of(request: &Path) -> Option<Self> {
        Some(Self(request.parent()?.to_owned()))
    }

    pub(super) fn request_path(&self) -> PathBuf {
        self.0.join("request")
    }

    pub(super) fn request(&self) -> io::Result<Request> {
        let text = fs::read(self.request_path())?;
        serde_json::from_slice(&text).map_err(io::Error::other)
    }

    /// Whole or not at all, and for nobody else to read.
    fn write_request(&self, request: &Request) -> io::Result<()> {
        let new = self.0.join("request.new");
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec(request).map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(&new, self.request_path())
    }

    /// What the run says.
    pub(super) fn words(&self) -> Lines {
        Lines::new(self.0.join("words"))
    }

    /// What the run is told.
    pub(super) fn messages(&self) -> Lines {
        Lines::new(self.0.join("messages"))
    }

    pub(super) fn forget(&self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A file of lines that one side writes and the other reads while it grows.
pub(super) struct Lines {
    path: PathBuf,
    read: u64,
    waiting: Vec<u8>,
}

impl Lines {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            read: 0,
            waiting: Vec::new(),
        }
    }

    /// Begins a line of its own, also after somebody who was ended in the middle of one.
    pub(super) fn begin(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|file| file.len() > 0) {
            self.append(b"\n")?;
        }
        Ok(())
    }

    /// Adds whole lines. The file is closed each time: a network file system shows others what is in a file
    /// that was closed.
    pub(super) fn append(&self, lines: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)?;
        file.write_all(lines)
    }

    /// The lines that have come since it was asked last.
    pub(super) fn next(&mut self) -> Vec<Vec<u8>> {
        // A file that is not there yet comes later.
        let _ = self.read_more();
        let Some(end) = self.waiting.iter().rposition(|&byte| byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.waiting.split_off(end + 1);
        let lines = std::mem::replace(&mut self.waiting, rest);
        let lines = lines.split(|&byte| byte == b'\n');
        lines
            .filter(|line| !line.is_empty())
            .map(<[u8]>::to_vec)
            .collect()
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.read))?;
        self.read += file.read_to_end(&mut self.waiting)? as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn request(worker: &str, secret: &str) -> Request {
        let text = format!(
            r#"{{"Run": {{"task": {{"task_id": "A", "family": "A", "module": null,
                "params": [["secret", "{secret}"]]}}, "worker_id": "{worker}",
                "check_unfulfilled_deps": true, "check_complete_on_run": false}}}}"#
        );
        Request {
            arguments: vec![worker.to_owned()],
            run: serde_json::from_str(&text).unwrap(),
        }
    }

    #[test]
    fn an_equal_task_goes_on_in_the_folder_and_another_one_begins_anew() {
        let top = tempfile::tempdir().unwrap();
        let folder = TaskFolder::open(top.path(), "A").unwrap();
        let first = folder.run(&request("one", "x")).unwrap();
        first.words().append(b"said\n").unwrap();
        let again = folder.run(&request("two", "x")).unwrap();
        assert_eq!(again.words().next(), [b"said".to_vec()]);
        let other = folder.run(&request("two", "y")).unwrap();
        assert_ne!(other.request_path(), first.request_path());
        assert!(other.words().next().is_empty() && first.request().is_err());
    }

    #[test]
    fn nobody_else_can_read_a_request() {
        let top = tempfile::tempdir().unwrap();
        let folder = TaskFolder::open(top.path(), "A").unwrap();
        let run = folder.run(&request("one", "hunter22")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&run.request_path()), 0o600);
        assert_eq!(mode(folder.path()), 0o700);
    }

    #[test]
    fn lines_come_once_and_whole_and_half_ones_spoil_no_others() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("words");
        let mut reader = Lines::new(path.clone());
        assert!(reader.next().is_empty());
        let writer = Lines::new(path);
        writer.append(b"one\ntw").unwrap();
        assert_eq!(reader.next(), [b"one".to_vec()]);
        writer.begin().unwrap();
        writer.append(b"three\n").unwrap();
        assert_eq!(reader.next(), [b"tw".to_vec(), b"three".to_vec()]);
        assert!(reader.next().is_empty());
    }
}
