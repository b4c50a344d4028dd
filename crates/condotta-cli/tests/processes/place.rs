//! A folder to run programs in, and the programs.

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use tempfile::TempDir;

/// Much longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder to run programs in.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// With an empty luigi.cfg.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        place.write("luigi.cfg", "");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The text of a file; nothing when it is not there.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A program in this folder, with this folder's luigi.cfg and nothing else of the environment
    /// that changes its ways.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["LUIGI_", "CONDOTTA_", "PYTHON", "XDG_"]
                .iter()
                .any(|prefix| text.starts_with(prefix))
            {
                command.env_remove(&name);
            }
        }
        command
            .current_dir(self.folder.path())
            .env("LUIGI_CONFIG_PATH", self.path("luigi.cfg"))
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Starts a program whose output goes to the files `<name>.out` and `<name>.err`.
    pub(crate) fn start(&self, name: &str, command: &mut Command) -> Process {
        let open = |end: &str| File::create(self.path(&format!("{name}.{end}"))).unwrap();
        let child = command.stdout(open("out")).stderr(open("err")).spawn();
        Process {
            child: child.unwrap_or_else(|error| panic!("{command:?}: {error}")),
            out: self.path(&format!("{name}.out")),
            err: self.path(&format!("{name}.err")),
        }
    }
}

/// A program that runs, but not for longer than the test.
pub(crate) struct Process {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None`: a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn send(&self, signal: Signal) {
        let pid = Pid::from_raw(self.id().try_into().unwrap());
        signal::kill(pid, signal).unwrap();
    }

    /// What it has said on standard error so far.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(&self.err).unwrap()
    }

    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        self.wait()
    }

    /// The same, for one that is to be started again.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        while self.runs() {
            assert!(
                Instant::now() < deadline,
                "it does not end; it said: {}",
                self.stderr()
            );
            thread::sleep(Duration::from_millis(5));
        }
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        Ended {
            code: self.child.wait().unwrap().code(),
            stdout: read(&self.out),
            stderr: read(&self.err),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The program ended with this code.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        let found = self.stderr.contains(text) || self.stdout.contains(text);
        assert!(found, "no {text:?} in {self:#?}");
        self
    }
}
