//! E-mail about failures, to a real mail server (aiosmtpd), beside what stock Luigi's worker sends.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use condotta_test_servers::wait_until;
use serde_json::Value;

use crate::program::{Place, Process};

const RECEIVER: &str = include_str!("../../../condotta-cli/tests/notify/receiver.py");

/// The same tasks in Python.
const PIPELINE: &str = r#"
import luigi
from luigi.parameter import ParameterVisibility


class FailOwned(luigi.Task):
    day = luigi.IntParameter()
    password = luigi.Parameter(default="", visibility=ParameterVisibility.PRIVATE)
    owner_email = "owner@example.com"

    def run(self):
        raise ValueError(f"day {self.day} <broke>")


class Unsure(luigi.Task):
    def complete(self):
        raise ValueError("this task does not know")
"#;

/// The Python that has stock Luigi, and beside it what receives mail.
fn python() -> PathBuf {
    let said = std::env::var_os("CONDOTTA_STOCK_LUIGI").map(PathBuf::from);
    said.unwrap_or_else(|| {
        let test = std::env::current_exe().unwrap();
        let target = test.ancestors().nth(3).expect("profiles are in it");
        target.join("stock-luigi/bin/python")
    })
}

/// A mail server that runs, but not for longer than the test.
fn receiver(place: &Place) -> Process {
    place.write("receiver.json", "{}");
    place.write("receiver.py", RECEIVER);
    let python = python();
    let packages = python.parent().unwrap().with_file_name("receivers");
    let mut command = Command::new(python);
    place.settle(&mut command);
    command
        .arg(place.path("receiver.py"))
        .arg(place.path(""))
        .env("PYTHONPATH", packages);
    let process = Process::start(&mut command);
    wait_until("the mail server listens", || {
        place.path("smtp-port").is_file()
    });
    process
}

fn configure(place: &Place, more: &str) {
    let port = std::fs::read_to_string(place.path("smtp-port")).unwrap();
    place.write(
        "luigi.cfg",
        &format!(
            "[email]\nreceiver = ops@example.com\nsender = luigi@example.com\n\
             [smtp]\nhost = localhost\nport = {port}\n{more}"
        ),
    );
}

/// What arrived, the line that names the command and the error aside.
fn mails(place: &Place) -> Vec<Value> {
    let text = std::fs::read_to_string(place.path("mails.jsonl")).unwrap_or_default();
    let mails = text.lines().map(|line| serde_json::from_str(line).unwrap());
    mails.collect()
}

/// A mail with the body up to the command line.
fn head(mut mail: Value) -> Value {
    let body = mail["body"].as_str().unwrap();
    let (head, _) = body.split_once("Command line:\n").unwrap();
    mail["body"] = head.into();
    mail
}

fn ours(words: &str) -> Vec<Value> {
    let place = Place::new();
    let receiver = receiver(&place);
    configure(&place, "");
    place.run(&format!("{words} --local-scheduler"));
    drop(receiver);
    mails(&place)
}

fn stocks(words: &str) -> Vec<Value> {
    let place = Place::new();
    let receiver = receiver(&place);
    configure(&place, "");
    place.write("tasks.py", PIPELINE);
    let mut command = Command::new(python());
    place.settle(&mut command);
    let status = command
        .args(["-m", "luigi", "--module", "tasks", "--local-scheduler"])
        .args(words.split_whitespace())
        .env("PYTHONPATH", place.path(""))
        .env("LUIGI_CONFIG_PATH", place.path("luigi.cfg"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.unwrap();
    drop(receiver);
    mails(&place)
}

#[test]
fn a_failed_run_and_a_failed_check_are_told_in_luigis_words() {
    for words in ["FailOwned --day 3", "Unsure"] {
        let (ours, stocks) = (ours(words), stocks(words));
        assert_eq!(ours.len(), 1, "{ours:?}");
        let (ours, stocks): (Vec<Value>, Vec<Value>) = (
            ours.into_iter().map(head).collect(),
            stocks.into_iter().map(head).collect(),
        );
        assert_eq!(ours, stocks, "{words}");
    }
}

#[test]
fn mails_show_the_error_and_no_private_value() {
    let mails = ours("FailOwned --day 3 --password hunter2");
    assert_eq!(
        mails[0]["to"],
        serde_json::json!(["ops@example.com", "owner@example.com"])
    );
    let subject = mails[0]["subject"].as_str().unwrap();
    assert!(
        subject.starts_with("Luigi: FailOwned(day=3, password=***) FAILED."),
        "{subject}"
    );
    let body = mails[0]["body"].as_str().unwrap();
    assert!(
        body.contains("FailOwned --day 3 --password *** --local-scheduler\n"),
        "{body}"
    );
    assert!(body.ends_with("\n\nday 3 <broke>, 7 letters\n"), "{body}");
    assert!(!body.contains("hunter2"), "{body}");
}

#[test]
fn who_wants_no_mail_gets_none() {
    let place = Place::new();
    let _receiver = receiver(&place);
    configure(&place, "[worker]\nsend_failure_email = false\n");
    place.run("FailOwned --day 3 --local-scheduler");
    configure(&place, "");
    let ended = place.run("FailOwned --day 3 --local-scheduler --email-format none");
    ended.says(
        "Not sending email to ops@example.com, owner@example.com because email format is 'none'",
    );
    assert_eq!(mails(&place), Vec::<Value>::new());
}

/// The program ends as it would otherwise, and says which mail did not go.
#[test]
fn a_mail_server_that_is_away_changes_nothing_else() {
    let place = Place::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    place.write("smtp-port", &port.to_string());
    configure(&place, "[retcode]\ntask_failed = 30\n");
    let ended = place.run("FailOwned --day 3 --local-scheduler");
    assert_eq!(ended.code, 30, "{ended:?}");
    ended.says("is not sent: localhost:");
}
