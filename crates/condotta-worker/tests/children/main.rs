//! Tasks in child processes, and real signals. The test binary is the program: with a variable set it
//! runs a pipeline, and as a child process it runs a task.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]
#![allow(
    dead_code,
    reason = "the other test binary uses more of the shared modules"
)]

mod elsewhere;
#[path = "../it/fake.rs"]
mod fake;
mod pipeline;
mod printing;
mod signals;
#[path = "../it/tasks.rs"]
mod tasks;
mod time_outs;

use std::{
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use condotta_scheduler::AddTask;
use condotta_worker::{ChildCommand, Scheduler, Worker, WorkerConfig, WorkerOptions};
use fake::Fake;

/// Says in which pipeline the program is, and where its files are.
const PIPELINE: &str = "TEST_PIPELINE";

/// What makes the test binary the program.
const PROGRAM: [&str; 3] = ["--exact", "program", "--nocapture"];

/// The program's entry; as a test, it does nothing.
#[test]
fn program() {
    if let Some(code) = condotta_worker::child::maybe_run(&pipeline::Loader) {
        let failed = format!("{code:?}") != format!("{:?}", std::process::ExitCode::SUCCESS);
        std::process::exit(i32::from(failed));
    }
    if let Ok(pipeline) = std::env::var(PIPELINE) {
        pipeline::main(&pipeline);
    }
}

/// The program, to run `pipeline` in `dir`.
pub fn command(pipeline: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(PROGRAM)
        .env(PIPELINE, format!("{pipeline} {}", dir.display()))
        .current_dir(dir);
    command
}

/// A worker in this process whose children are the program.
pub fn worker(scheduler: &Arc<Fake>, config: WorkerConfig, options: WorkerOptions) -> Worker {
    let config = WorkerConfig {
        id: "this".to_owned(),
        wait_interval: 0.01,
        wait_jitter: 0.0,
        ..config
    };
    let options = WorkerOptions {
        loader: Some(Arc::new(pipeline::Loader)),
        child_command: ChildCommand::Program {
            program: std::env::current_exe().unwrap(),
            args: PROGRAM.map(str::to_owned).to_vec(),
        },
        ..options
    };
    let scheduler: Arc<dyn Scheduler> = scheduler.clone();
    Worker::new(scheduler, config, options).unwrap()
}

pub fn last_report(scheduler: &Fake, family: &str) -> AddTask {
    let state = scheduler.state();
    let report = state
        .requests
        .iter()
        .rfind(|request| request.family == family);
    report.unwrap().clone()
}

/// Waits until `condition` holds; a test that waits for long has failed.
pub fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process is there and no zombie.
pub fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().unwrap_or("Z").starts_with('Z'))
}

/// The process ids that a task left in a file.
pub fn pids(dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("pids")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
