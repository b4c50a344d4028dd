//! An old program within a task: what becomes of what it says, and that it ends however the task ends.

use std::{
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use condotta_test_servers::wait_until;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    program::{Program, Ran, Running},
    server::Server,
};

/// Prints, and fails if there is no month.
const WORKS: &str = "
    echo \"$2,12.5\"
    echo 'can be watched at http://legacy.example.com/7 for now' >&2
    echo \"the password is $PASSWORD\" >&2";
/// The same, and then it fails.
const FAILS: &str = "echo half of it; echo 'out of paper' >&2; exit 7";
/// Three processes that do not listen, each of which writes down its id.
const STUBBORN: &str = "
    trap '' TERM
    (sh -c 'echo $$ >> ids; while :; do sleep 0.05; done' & while :; do sleep 0.05; done) &
    echo $! >> ids; echo $$ >> ids; while :; do sleep 0.05; done";

/// Longer than three seconds of patience, five of grace and two of farewell.
const SOON: Duration = Duration::from_secs(60);

fn program(script: &str) -> Program {
    let program = Program::example("legacy_tool");
    std::fs::write(program.path("old.sh"), script).expect("the folder can be written to");
    program
}

const CALL: [&str; 3] = ["CallLegacyTool", "--script", "old.sh"];

fn run(script: &str, arguments: &[&str]) -> (Program, Ran) {
    let program = program(script);
    let arguments = [&CALL, arguments].concat();
    let ran = program.run(&arguments);
    (program, ran)
}

fn start(script: &str, arguments: &[&str]) -> (Program, Running) {
    let program = program(script);
    let running = program.start(&[&CALL, arguments].concat());
    wait_until("its three processes are there", || ids(&program).len() == 3);
    (program, running)
}

fn ids(program: &Program) -> Vec<String> {
    let text = std::fs::read_to_string(program.path("ids")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn lives(id: &String) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(id).join("stat"));
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().unwrap_or("Z").starts_with('Z'))
}

fn send(running: &Running, signal: Signal) {
    kill(Pid::from_raw(running.id()), signal).expect("it runs");
}

#[test]
fn what_it_prints_is_the_output_and_what_it_says_is_heard() {
    for threads_or_child in [
        &["--local-scheduler"][..],
        &["--local-scheduler", "--limit", "60"],
    ] {
        let arguments = [
            threads_or_child,
            &["--month", "2013-02", "--password", "sesame"],
        ];
        let (program, ran) = run(WORKS, &arguments.concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(program.read("legacy-2013-02.csv"), "2013-02,12.5\n");
        let said = &ran.stderr;
        assert!(
            said.contains("Running command: sh old.sh --month 2013-02\n"),
            "{said}"
        );
        assert!(said.contains("\nthe password is ***\n"), "{said}");
        assert!(!said.contains("sesame"), "{said}");
    }
}

#[test]
fn its_failure_is_the_tasks() {
    let (program, ran) = run(FAILS, &["--local-scheduler"]);
    let expected = "sh failed with exit code 7\n  command: sh old.sh --month 2012-01\n  \
                    the last lines of its standard output:\n    half of it\n  \
                    the last lines of its standard error:\n    out of paper\n";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    assert_eq!(program.files(""), ["old.sh"], "half an output is none");
}

#[test]
fn the_scheduler_has_its_words() {
    let server = Server::start();
    for child in [&[][..], &["--limit", "60"]] {
        let month = if child.is_empty() {
            "2012-03"
        } else {
            "2012-04"
        };
        let arguments = [
            "--scheduler-port",
            &server.port,
            "--month",
            month,
            "--password",
            "sesame",
        ];
        let (_, ran) = run(WORKS, &[&arguments, child].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let log = server.log(month);
        assert!(log.contains("the password is ***\n"), "{log}");
        assert!(log.contains("can be watched at"), "{log}");
    }
    let tasks = server.ask("task_list");
    let url = "\"tracking_url\": \"http://legacy.example.com/7\"";
    assert_eq!(tasks.matches(url).count(), 2, "{tasks}");
}

#[test]
fn a_time_out_of_the_task_ends_all_of_it() {
    let (program, running) = start(STUBBORN, &["--local-scheduler", "--limit", "2"]);
    let ran = running.end(SOON);
    assert!(
        ran.stderr.contains("timed out after 2 seconds"),
        "{}",
        ran.stderr
    );
    assert!(
        !ids(&program).iter().any(lives),
        "they are gone before the task is reported"
    );
}

#[test]
fn to_be_stopped_ends_all_of_it() {
    for child in [&[][..], &["--limit", "600"]] {
        let arguments = [&["--local-scheduler"][..], child].concat();
        let (program, running) = start(STUBBORN, &arguments);
        send(&running, Signal::SIGINT);
        send(&running, Signal::SIGTERM);
        let ran = running.end(SOON);
        assert!([130, 143].contains(&ran.code), "{}", ran.stderr);
        // A worker that leaves has somebody who waits for them.
        wait_until("they are gone", || !ids(&program).iter().any(lives));
    }
}

#[test]
fn a_worker_that_is_killed_takes_all_of_it_along() {
    for child in [&[][..], &["--limit", "600"]] {
        let arguments = [&["--local-scheduler"][..], child].concat();
        let (program, running) = start(STUBBORN, &arguments);
        assert!(ids(&program).iter().all(lives));
        send(&running, Signal::SIGKILL);
        wait_until("they are gone", || !ids(&program).iter().any(lives));
    }
}

#[test]
fn a_cancelled_run_ends_all_of_it() {
    for child in [&[][..], &["--limit", "600"]] {
        let server = Server::start();
        let arguments = [&["--scheduler-port", &server.port][..], child].concat();
        let (program, running) = start(STUBBORN, &arguments);
        let cancelled = server.operate(&["cancel", "CallLegacyTool"]);
        let said = String::from_utf8_lossy(&cancelled.stderr).into_owned()
            + &String::from_utf8_lossy(&cancelled.stdout);
        let ran = running.end(SOON);
        assert!(
            ran.stderr.contains(" was cancelled by "),
            "{said}\n{}",
            ran.stderr
        );
        assert!(
            !ids(&program).iter().any(lives),
            "they are gone before the task is reported"
        );
        assert_eq!(server.statuses(), ["DISABLED"], "{said}");
    }
}

impl Server {
    /// A command of `condotta` for this server.
    fn operate(&self, arguments: &[&str]) -> Output {
        let url = format!("http://127.0.0.1:{}", self.port);
        let mut command = Command::new(Self::program());
        command.args(arguments).args(["--scheduler-url", &url]);
        command
            .env_remove("LUIGI_CONFIG_PATH")
            .output()
            .expect("it starts")
    }

    /// What the run for a month printed, as the server has it.
    fn log(&self, month: &str) -> String {
        let answer: String = self.ask("task_list");
        let id = answer.split('"').find(|word| {
            word.starts_with("CallLegacyTool") && word.contains(&month.replace('-', "_"))
        });
        let id = id.unwrap_or_else(|| panic!("no task for {month} in {answer}"));
        let log = self.operate(&["log", id]);
        assert!(log.status.success(), "{log:?}");
        String::from_utf8(log.stdout).expect("it is text")
    }
}
