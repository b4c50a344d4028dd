//! Keeps one command line from running more often than is wanted at a time (`--lock-size`).
//!
//! File, place and meaning are Luigi's, so that Luigi's processes and ours respect one another. Unlike
//! Luigi's, ours read and write the file under a lock and cannot slip in at the same moment.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use md5::{Digest as _, Md5};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, getuid},
};

/// How the lock is to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PidLockOptions {
    /// Where the files are (`lock_pid_dir`).
    pub dir: PathBuf,
    /// So many processes may run at a time (`lock_size`).
    pub lock_size: usize,
    /// Tell those that run to stop, and run beside them meanwhile (`take_lock`).
    pub take_lock: bool,
}

impl Default for PidLockOptions {
    fn default() -> Self {
        Self {
            dir: std::env::temp_dir().join("luigi"),
            lock_size: 1,
            take_lock: false,
        }
    }
}

/// What came of asking for the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PidLockAnswer {
    /// Whether this process may run.
    pub acquired: bool,
    /// The processes that run the same command line.
    pub running: Vec<i32>,
    /// What Luigi prints on standard output about it, line by line.
    pub messages: Vec<String>,
}

/// The lock's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PidLockError {
    /// The folder cannot be made.
    #[error("cannot make the folder {dir} for process ids (set lock_pid_dir, or no_lock)")]
    Dir {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be read or written.
    #[error("cannot use the file {path} of process ids (set lock_pid_dir, or no_lock)")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file has something else in it.
    #[error("the file {path} has {line:?} where a process id should be: remove the file")]
    Content {
        /// The file.
        path: PathBuf,
        /// What it has.
        line: String,
    },
}

/// Enters this process among those that run its command line, if there is room.
///
/// As in Luigi, nobody takes itself out again: who has ended does not count.
pub fn acquire(options: &PidLockOptions) -> Result<PidLockAnswer, PidLockError> {
    let own = i32::try_from(std::process::id()).expect("process ids fit");
    acquire_for(options, own, &command_of(own))
}

fn acquire_for(
    options: &PidLockOptions,
    own: i32,
    command: &str,
) -> Result<PidLockAnswer, PidLockError> {
    make_dir(&options.dir).map_err(|source| PidLockError::Dir {
        dir: options.dir.clone(),
        source,
    })?;
    let path = options.dir.join(file_name(command));
    let failed = |source| PidLockError::File {
        path: path.clone(),
        source,
    };
    let mut file = open(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    let mut running = read(&mut file, &path)?;
    running.retain(|pid| command_of(*pid) == command);

    let mut messages = Vec::new();
    let mut room = options.lock_size;
    if options.take_lock {
        for pid in &running {
            // One that has ended meanwhile needs no signal.
            let _ = kill(Pid::from_raw(*pid), Signal::SIGUSR1);
        }
        messages.push(format!(
            "Sent kill signal to Pids: {}",
            python_set(&running)
        ));
        room = room.saturating_add(1);
    }
    let acquired = running.len() < room;
    if acquired {
        let mut entered = running.clone();
        entered.insert(own);
        write(&mut file, &entered).map_err(failed)?;
    } else {
        messages.push(format!("Pid(s) {} already running", python_set(&running)));
        if options.take_lock {
            messages.push(
                "Note: There have (probably) been 1 other \"--take-lock\" process which continued \
                 to run! Probably no need to run this one as well."
                    .to_owned(),
            );
        }
    }
    Ok(PidLockAnswer {
        acquired,
        running: running.into_iter().collect(),
        messages,
    })
}

/// The file's name follows from the command line.
fn file_name(command: &str) -> String {
    let digest = Md5::digest(command.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.pid")
}

/// A process's command line; a text that no command line has if it cannot be read.
fn command_of(pid: i32) -> String {
    fs::read(format!("/proc/{pid}/cmdline")).map_or_else(
        |_| format!("[PROCESS_WITH_PID={pid}]"),
        |bytes| {
            let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
            text.trim_end().to_owned()
        },
    )
}

/// A folder that is there is used as it is.
fn make_dir(dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Other users may run the same command line.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    let metadata = file.metadata()?;
    if metadata.uid() == getuid().as_raw() {
        file.set_permissions(Permissions::from_mode(metadata.mode() | 0o777))?;
    }
    Ok(file)
}

fn read(file: &mut File, path: &Path) -> Result<BTreeSet<i32>, PidLockError> {
    let mut text = String::new();
    file.read_to_string(&mut text)
        .map_err(|source| PidLockError::File {
            path: path.to_owned(),
            source,
        })?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            line.parse().map_err(|_| PidLockError::Content {
                path: path.to_owned(),
                line: line.to_owned(),
            })
        })
        .collect()
}

fn write(file: &mut File, pids: &BTreeSet<i32>) -> io::Result<()> {
    let text: String = pids.iter().map(|pid| format!("{pid}\n")).collect();
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())
}

/// `{1, 2}`, and `set()` for none.
fn python_set(pids: &BTreeSet<i32>) -> String {
    if pids.is_empty() {
        return "set()".to_owned();
    }
    let shown: Vec<String> = pids.iter().map(ToString::to_string).collect();
    format!("{{{}}}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    /// A process that runs a command line of its own until it is told to stop.
    struct Sleeper(Child);

    impl Sleeper {
        fn start(secs: &str) -> Self {
            let child = Command::new("sleep").arg(secs).spawn().unwrap();
            let sleeper = Self(child);
            // Between fork and exec it still has our command line.
            while command_of(sleeper.pid()) != format!("sleep {secs}") {
                std::thread::yield_now();
            }
            sleeper
        }

        fn pid(&self) -> i32 {
            self.0.id().try_into().unwrap()
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn options(dir: &Path) -> PidLockOptions {
        PidLockOptions {
            dir: dir.join("locks"),
            ..PidLockOptions::default()
        }
    }

    #[test]
    fn a_second_process_of_the_same_command_line_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let options = options(dir.path());
        let first = Sleeper::start("61");
        let answer = acquire_for(&options, first.pid(), "sleep 61").unwrap();
        assert!(answer.acquired && answer.messages.is_empty());
        let second = Sleeper::start("61");
        let answer = acquire_for(&options, second.pid(), "sleep 61").unwrap();
        assert!(!answer.acquired);
        let message = format!("Pid(s) {{{}}} already running", first.pid());
        assert_eq!(answer.messages, [message]);
        // Another command line has another file.
        let other = Sleeper::start("62");
        assert!(
            acquire_for(&options, other.pid(), "sleep 62")
                .unwrap()
                .acquired
        );
    }

    #[test]
    fn who_has_ended_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let options = options(dir.path());
        let first = Sleeper::start("63");
        assert!(
            acquire_for(&options, first.pid(), "sleep 63")
                .unwrap()
                .acquired
        );
        drop(first);
        let second = Sleeper::start("63");
        assert!(
            acquire_for(&options, second.pid(), "sleep 63")
                .unwrap()
                .acquired
        );
        let path = options.dir.join(file_name("sleep 63"));
        assert_eq!(
            fs::read_to_string(path).unwrap(),
            format!("{}\n", second.pid())
        );
    }

    #[test]
    fn there_may_be_room_for_more() {
        let dir = tempfile::tempdir().unwrap();
        let options = PidLockOptions {
            lock_size: 2,
            ..options(dir.path())
        };
        let all: Vec<Sleeper> = (0..3).map(|_| Sleeper::start("64")).collect();
        let acquired: Vec<bool> = all
            .iter()
            .map(|one| {
                acquire_for(&options, one.pid(), "sleep 64")
                    .unwrap()
                    .acquired
            })
            .collect();
        assert_eq!(acquired, [true, true, false]);
    }

    #[test]
    fn taking_the_lock_tells_the_others_to_stop() {
        let dir = tempfile::tempdir().unwrap();
        let mut options = options(dir.path());
        let mut first = Sleeper::start("65");
        assert!(
            acquire_for(&options, first.pid(), "sleep 65")
                .unwrap()
                .acquired
        );
        options.take_lock = true;
        let second = Sleeper::start("65");
        let answer = acquire_for(&options, second.pid(), "sleep 65").unwrap();
        assert!(answer.acquired);
        assert_eq!(
            answer.messages,
            [format!("Sent kill signal to Pids: {{{}}}", first.pid())]
        );
        // SIGUSR1 ends a program that does not expect it.
        assert!(!first.0.wait().unwrap().success());
    }

    #[test]
    fn folder_and_file_are_as_luigis() {
        let dir = tempfile::tempdir().unwrap();
        let options = options(dir.path());
        assert!(acquire(&options).unwrap().acquired);
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&options.dir), 0o700);
        let command = command_of(std::process::id().try_into().unwrap());
        let path = options.dir.join(file_name(&command));
        assert_eq!(mode(&path), 0o777);
        assert_eq!(
            fs::read_to_string(path).unwrap(),
            format!("{}\n", std::process::id())
        );
        assert_eq!(
            file_name("luigi Task"),
            "83c12d44957a9ddd4eda2c85e5081508.pid"
        );
    }

    #[test]
    fn a_file_of_something_else_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let options = options(dir.path());
        fs::create_dir(&options.dir).unwrap();
        let path = options.dir.join(file_name("x"));
        fs::write(&path, "no pid\n").unwrap();
        let error = acquire_for(&options, 1, "x").unwrap_err();
        assert!(error.to_string().contains("\"no pid\""), "{error}");
        assert_eq!(fs::read_to_string(path).unwrap(), "no pid\n");
    }

    #[test]
    fn of_many_at_the_same_moment_one_gets_it() {
        let dir = tempfile::tempdir().unwrap();
        let options = options(dir.path());
        let all: Vec<Sleeper> = (0..8).map(|_| Sleeper::start("66")).collect();
        let acquired = std::thread::scope(|scope| {
            let threads: Vec<_> = all
                .iter()
                .map(|one| {
                    let (options, pid) = (&options, one.pid());
                    scope.spawn(move || acquire_for(options, pid, "sleep 66").unwrap().acquired)
                })
                .collect();
            let answers = threads.into_iter().map(|thread| thread.join().unwrap());
            answers.filter(|acquired| *acquired).count()
        });
        assert_eq!(acquired, 1);
    }
}
