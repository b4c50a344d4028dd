//! An example's program and the empty folder that it is run in.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use condotta_test_servers::wait_until;
use tempfile::TempDir;

/// An example, to be run as often as needed in one folder.
pub(crate) struct Program {
    path: PathBuf,
    folder: TempDir,
    /// Where it locks against a second run of the same command, which other tests may make.
    locks: TempDir,
}

/// What is left of a run.
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// What was printed for programs to read.
    pub(crate) stdout: String,
    /// What was printed for people to read.
    pub(crate) stderr: String,
}

impl Program {
    /// The example of this name, which `cargo test` has built.
    pub(crate) fn example(name: &str) -> Self {
        let test = std::env::current_exe().expect("a test knows its own path");
        let profile = test
            .ancestors()
            .nth(2)
            .expect("tests are in target/PROFILE/deps");
        let path = profile.join("examples").join(name);
        assert!(
            path.exists(),
            "{} is missing: `cargo test -p condotta-examples` builds all examples",
            path.display()
        );
        let folder = || TempDir::new().expect("a temporary folder can be made");
        Self {
            path,
            folder: folder(),
            locks: folder(),
        }
    }

    /// Runs it in its folder, far from any configuration of the one who tests.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output();
        Ran::from(output.expect("the example starts"))
    }

    /// Starts it in its folder.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let log = self.locks.path().join("log");
        let file = File::create(&log).expect("the folder can be written to");
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(file);
        Running {
            child: command.spawn().expect("the example starts"),
            log,
        }
    }

    /// The command that runs it in its folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TMPDIR", self.locks.path())
            .env_remove("LUIGI_CONFIG_PATH")
            .env_remove("CONDOTTA_CONFIG_PATH");
        command
    }

    /// A path in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The text of a file in its folder.
    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// All files below a folder of it, sorted.
    pub(crate) fn files(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        let top = self.path(name);
        collect_files(&top, &top, &mut found);
        found.sort();
        found
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("the example ends by itself"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A program that runs, but not for longer than the test.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    pub(crate) fn id(&self) -> i32 {
        self.child.id().try_into().expect("ids are small")
    }

    /// Waits until it has said this.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        wait_until(&format!("{text:?} is said"), || self.said().contains(text));
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).expect("it is there")
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self, patience: Duration) -> Ran {
        let deadline = Instant::now() + patience;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                break status;
            }
            assert!(Instant::now() < deadline, "it runs on:\n{}", self.said());
            thread::sleep(Duration::from_millis(5));
        };
        Ran {
            code: status.code().expect("the example ends by itself"),
            stdout: String::new(),
            stderr: self.said(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ran {
    /// The execution summary without its frame.
    #[track_caller]
    pub(crate) fn summary(&self) -> String {
        const FRAME: &str = "===== Luigi Execution Summary =====";
        let mut pieces = self.stderr.split(FRAME);
        let summary = pieces
            .nth(1)
            .unwrap_or_else(|| panic!("no summary in:\n{}", self.stderr));
        assert!(
            pieces.next().is_some(),
            "the summary has no end in:\n{}",
            self.stderr
        );
        summary.trim().to_owned()
    }
}

/// That so many tasks were complete, so many ran well, and none did otherwise.
#[track_caller]
pub(crate) fn assert_counts(ran: &Ran, complete: usize, done: usize) {
    let summary = ran.summary();
    let mut expected = vec![format!("Scheduled {} tasks of which:", complete + done)];
    if complete > 0 {
        expected.push(format!("* {complete} complete ones were encountered:"));
    }
    if done > 0 {
        expected.push(format!("* {done} ran successfully:"));
    }
    let lines = summary.lines();
    let counts: Vec<&str> = lines.filter(|line| line.starts_with(['S', '*'])).collect();
    assert_eq!(counts, expected, "{}", ran.stderr);
    assert!(summary.ends_with("there were no failed tasks or missing dependencies"));
}

fn collect_files(top: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            collect_files(top, &path, found);
        } else {
            let inside = path.strip_prefix(top).expect("it is below the top");
            found.push(inside.to_string_lossy().into_owned());
        }
    }
}
