//! A folder that worker and node share, and the programs that are run in it.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use condotta_test_servers::wait_until;
use serde_json::Value;
use tempfile::TempDir;

use crate::PIPELINE;

pub(crate) struct Place(TempDir);

impl Place {
    /// With these families on Slurm.
    pub(crate) fn new(on_slurm: &[&str]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let families: String = on_slurm
            .iter()
            .map(|family| format!("{family} = slurm\n"))
            .collect();
        let shared = place.path("runs");
        place.write(
            "luigi.cfg",
            &format!(
                "[engine]\n{families}[engine:slurm]\nfolder = {}\ninterval = 0.3\nmemory = 10M\n",
                shared.display()
            ),
        );
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Where a task ran, a line each time: the job's number.
    pub(crate) fn ran(&self, name: &str) -> Vec<String> {
        let text = self.read(&format!("ran.{name}"));
        text.lines().map(str::to_owned).collect()
    }

    /// What is left in the folder that is shared.
    pub(crate) fn left(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("runs")) else {
            return Vec::new();
        };
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(arguments.split_whitespace())
            .args([
                "--no-lock",
                "--worker-wait-interval",
                "0.1",
                "--worker-wait-jitter",
                "0",
            ])
            .current_dir(self.0.path())
            .env(PIPELINE, "1")
            .env_remove("LUIGI_CONFIG_PATH")
            .stdin(Stdio::null());
        command
    }

    /// Runs the pipeline with a scheduler in its process.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        Ran::from(
            self.command(&format!("{arguments} --local-scheduler"))
                .output()
                .unwrap(),
        )
    }

    /// The same, which goes on meanwhile.
    pub(crate) fn start(&self, arguments: &str) -> Running {
        let mut command = self.command(arguments);
        let log = fs::File::create(self.path("log")).unwrap();
        command.stdout(Stdio::null()).stderr(log);
        Running(command.spawn().unwrap())
    }
}

/// A worker, which does not outlive the test.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn send(&self, signal: &str) {
        let kill = Command::new("kill")
            .args([&format!("-{signal}"), &self.0.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    pub(crate) fn end(&mut self) -> Option<i32> {
        wait_until("the worker ends", || self.0.try_wait().unwrap().is_some());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    pub(crate) fn summary(&self) -> &str {
        let parts: Vec<&str> = self
            .stderr
            .split("===== Luigi Execution Summary =====")
            .collect();
        assert_eq!(parts.len(), 3, "{self:#?}");
        parts[1]
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(
            self.stderr.contains(text),
            "{text} is not in {}",
            self.stderr
        );
    }
}

/// The command `condotta scheduler`.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    _folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let child = Command::new(env!("CARGO_BIN_EXE_condotta"))
            .args(["scheduler", "--port", &port.to_string(), "--state-dir"])
            .arg(folder.path().join("state"))
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            child,
            port,
            _folder: folder,
        };
        wait_until("the server answers", || {
            let url = format!("http://127.0.0.1:{port}/api/task_list");
            ureq::get(&url).config().proxy(None).build().call().is_ok()
        });
        server
    }

    /// How a worker finds it.
    pub(crate) fn flag(&self) -> String {
        format!("--scheduler-port {}", self.port)
    }

    pub(crate) fn ask(&self, method: &str, arguments: &Value) -> Value {
        let url = format!("http://127.0.0.1:{}/api/{method}", self.port);
        let form = [("data", arguments.to_string())];
        let request = ureq::post(&url).config().proxy(None).build();
        let mut answer = request.send_form(form).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["response"].clone()
    }

    /// What an operator's command prints.
    pub(crate) fn operate(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_condotta"))
            .args(arguments)
            .args([
                "--scheduler-url",
                &format!("http://127.0.0.1:{}", self.port),
            ])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {text}{complaint}");
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
