//! Two people start the same pipeline at the same time, each in a shell of their own, on one
//! scheduler's server: nothing runs twice, and both are told the truth.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::program::{Program, Ran};

/// The command `condotta scheduler`; killed when dropped.
struct Server {
    child: Child,
    port: String,
    _folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let mut child = Command::new(Self::program())
            .args(["scheduler", "--port", &port.to_string(), "--state-dir"])
            .arg(folder.path().join("state"))
            .current_dir(folder.path())
            .env_remove("LUIGI_CONFIG_PATH")
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "the server ended: {ended:?}");
            assert!(Instant::now() < deadline, "the server does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        Self {
            child,
            port: port.to_string(),
            _folder: folder,
        }
    }

    /// `cargo test --workspace` builds it before any test runs.
    fn program() -> PathBuf {
        let test = std::env::current_exe().expect("a test knows its own path");
        let profile = test
            .ancestors()
            .nth(2)
            .expect("it is in target/PROFILE/deps");
        let path = profile.join("condotta");
        assert!(
            path.exists(),
            "{} is missing: `cargo build -p condotta-cli` builds it",
            path.display()
        );
        path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn two_who_want_the_same_pipeline_run_nothing_twice() {
    let server = Server::start();
    let results = TempDir::new().expect("a temporary folder can be made");
    let results = results.path().to_str().expect("its path is UTF-8");
    let ran: Vec<Ran> = thread::scope(|scope| {
        let shells: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let shell = Program::example("parent_child");
                    shell.run(&[
                        "ParentTask",
                        "--scheduler-port",
                        &server.port,
                        "--worker-keep-alive",
                        "--presentation-folder",
                        results,
                    ])
                })
            })
            .collect();
        let join = |shell: thread::ScopedJoinHandle<'_, Ran>| shell.join().expect("no panic");
        shells.into_iter().map(join).collect()
    });
    for task in [
        "ChildTask(my_param=4+6)",
        "ChildTask(my_param=len(\"Hello world\"))",
        "ParentTask()",
    ] {
        let line = format!(" running   {task}");
        let runs: usize = ran
            .iter()
            .map(|ran| ran.stderr.matches(&line).count())
            .sum();
        assert_eq!(runs, 1, "{task}:\n{}\n{}", ran[0].stderr, ran[1].stderr);
    }
    for ran in &ran {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let summary = ran.summary();
        assert!(summary.contains("This progress looks :)"), "{summary}");
    }
    let sum = std::fs::read_to_string(format!("{results}/final_result"));
    assert_eq!(sum.expect("the parent wrote it"), "21");
}
