//! Runs the example `cli_pipeline`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
};

use condotta_test_servers::wait_until;
use tempfile::TempDir;

/// A folder to run the pipeline in.
pub(crate) struct Place {
    folder: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// What a task wrote.
    pub(crate) fn output(&self, name: &str) -> String {
        fs::read_to_string(self.path("cli-pipeline").join(name)).unwrap()
    }

    /// The program with arguments that are separated by spaces.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(pipeline());
        command.args(arguments.split_whitespace());
        self.settle(&mut command);
        command
    }

    /// Keeps a command in this folder, with nothing of the environment that changes its ways.
    pub(crate) fn settle(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["LUIGI_", "CONDOTTA_", "NO_COLOR"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
            {
                command.env_remove(&*name);
            }
        }
        command
            .current_dir(self.folder.path())
            // The lock's files are in here.
            .env("TMPDIR", self.folder.path())
            .stdin(Stdio::null());
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &str) -> Ended {
        Ended::from(self.command(arguments).output().unwrap())
    }

    /// Starts the program with its output in pipes.
    pub(crate) fn start(&self, arguments: &str) -> Process {
        let mut command = self.command(arguments);
        Process::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Waits until a file is there.
    pub(crate) fn wait_for(&self, name: &str) {
        let path = self.path(name);
        wait_until(&format!("{name} is there"), || path.exists());
    }
}

/// A program that runs, but not for longer than the test.
pub(crate) struct Process(Option<Child>);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    pub(crate) fn id(&self) -> i32 {
        let child = self.0.as_ref().expect("it has not ended");
        child.id().try_into().unwrap()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let child = self.0.take().expect("it has not ended");
        Ended::from(child.wait_with_output().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Ended {
    /// The program succeeded.
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    pub(crate) fn says(&self, text: &str) {
        assert!(self.stderr.contains(text), "no {text:?} in {}", self.stderr);
    }

    pub(crate) fn does_not_say(&self, text: &str) {
        assert!(!self.stderr.contains(text), "{text:?} in {}", self.stderr);
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it was not killed"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The program. Cargo builds it along with all tests, but not when it is told to build this test
/// only.
pub(crate) fn pipeline() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).expect("tests are in deps");
        let mut build = Command::new(env!("CARGO"));
        build
            .args(["build", "--quiet", "--example", "cli_pipeline"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .arg("--target-dir")
            .arg(profile.parent().expect("profiles are in the target folder"));
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success(), "{build:?}");
        profile.join("examples/cli_pipeline")
    })
}
