//! The operators' commands, where only our server or the shell is needed: a Unix socket, many tasks,
//! completion. What they do on both kinds of servers is among the tests with stock Luigi.

use std::process::Command;

use condotta_test_servers::certificates::Authority;
use serde_json::{Value, json};

use crate::processes::{Ended, Kind, Place, Server, free_port, wait_until};

fn run(place: &Place, words: &[&str]) -> Ended {
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    place.start("command", command.args(words)).end()
}

#[test]
fn a_scheduler_on_a_unix_socket_is_asked_too() {
    let place = Place::new();
    let socket = place.path("s.sock");
    let mut server = place.command(env!("CARGO_BIN_EXE_condotta"));
    server.args(["scheduler", "--state-dir", "state", "--unix-socket"]);
    let server = place.start("server", server.arg(&socket));
    wait_until("it is ready", || server.stderr().contains("State in "));
    let path = socket.to_str().unwrap().replace('/', "%2F");
    let url = format!("http+unix://{path}");
    let ended = run(&place, &["tasks", "--scheduler-url", &url]).with_code(0);
    assert_eq!(ended.stdout, "no tasks\n");
    let config = format!("[core]\nscheduler_url = {url}\n");
    place.write("luigi.cfg", &config.replace('%', "%%"));
    let ended = run(&place, &["pause", "--json"]).with_code(0);
    let paused: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(paused, json!({"paused": true}));
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_told_with_what_to_do() {
    let place = Place::new();
    let authority = Authority::new("one of the test's own");
    let certificate = authority.certificate("localhost");
    place.write("ca.pem", &authority.pem);
    place.write("cert.pem", &certificate.pem);
    place.write("key.pem", &certificate.key);
    let port = free_port();
    let mut server = place.command(env!("CARGO_BIN_EXE_condotta"));
    server.args(["scheduler", "--state-dir", "state", "--tls-certificate"]);
    server.args(["cert.pem", "--tls-key", "key.pem", "--port"]);
    let server = place.start("server", server.arg(port.to_string()));
    wait_until("it is ready", || server.stderr().contains("State in "));
    let url = format!("https://localhost:{port}");
    let ended = run(&place, &["tasks", "--scheduler-url", &url]).with_code(7);
    ended
        .says("cannot be spoken to")
        .says("[core] rpc_ca_file or the variable REQUESTS_CA_BUNDLE");
    place.write("luigi.cfg", "[core]\nrpc_ca_file = ca.pem\n");
    let ended = run(&place, &["tasks", "--scheduler-url", &url]).with_code(0);
    assert_eq!(ended.stdout, "no tasks\n");
}

/// With tens of thousands of tasks each answer has what matters, and no more than is asked for.
#[test]
fn of_very_many_tasks_the_few_that_matter_are_shown() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    place.write(
        "luigi.cfg",
        &format!("[core]\nscheduler_port = {}\n", server.port),
    );
    for block in 0..20 {
        let tasks = (0..1000).map(|at| {
            let day = block * 1000 + at;
            json!({
                "task_id": format!("Load_{day}_0123456789"),
                "family": "Load",
                "params": {"day": day.to_string()},
                "deps": if day == 0 { json!([]) } else { json!(["Load_0_0123456789"]) },
            })
        });
        let tasks: Vec<Value> = tasks.collect();
        let arguments = json!({"worker": "w", "tasks": tasks});
        server.rpc.call("add_tasks", &arguments);
    }
    server
        .rpc
        .call("get_work", &json!({"worker": "w", "host": "here"}));
    let report = json!({"worker": "w", "task_id": "Load_0_0123456789", "status": "FAILED",
                        "runnable": null, "expl": "\"no\""});
    server.rpc.call("add_task", &report);
    let tasks = run(&place, &["tasks", "--limit", "10"]).with_code(0).stdout;
    assert!(
        tasks.starts_with("1 FAILED, 19999 PENDING\n\nSTATUS "),
        "{tasks}"
    );
    assert!(tasks.ends_with("--search or --worker.\n"), "{tasks}");
    let rows: Vec<&str> = tasks.lines().skip(3).take(10).collect();
    assert!(rows[0].starts_with("FAILED "), "{tasks}");
    assert!(
        rows[1..].iter().all(|row| row.starts_with("PENDING ")),
        "{tasks}"
    );
    let why = run(&place, &["why", "Load(day=17777)"]).with_code(0).stdout;
    let start = "Load(day=17777) waits for its only dependency. Load(day=0) failed at ";
    assert!(why.starts_with(start), "{why}");
    let graph = run(&place, &["graph", "Load_0_", "--inverse"])
        .with_code(0)
        .stdout;
    assert_eq!(graph.lines().count(), 201);
}

/// What bash offers for the last of these words.
fn bash(place: &Place, words: &[&str]) -> Vec<String> {
    let script = run(place, &["completion", "bash"]).with_code(0).stdout;
    place.write("complete.bash", &script);
    let ask = "set -eu; source complete.bash
        COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1))
        function=$(complete -p condotta | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        $function condotta \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut command: Command = place.command("bash");
    command.args(["--norc", "-c", ask, "bash"]).args(words);
    let ended = place.start("bash", &mut command).end().with_code(0);
    ended.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn shells_complete_commands_flags_and_values() {
    let place = Place::new();
    assert_eq!(bash(&place, &["condotta", "wor"]), ["workers"]);
    assert_eq!(
        bash(&place, &["condotta", "workers", "set"]),
        ["set-processes"]
    );
    assert_eq!(bash(&place, &["condotta", "tasks", "--fam"]), ["--family"]);
    let values = bash(&place, &["condotta", "tasks", "--status", "R"]);
    assert_eq!(values, ["RUNNING"]);
    let zsh = run(&place, &["completion", "zsh"]).with_code(0).stdout;
    assert!(zsh.starts_with("#compdef condotta"), "{zsh}");
    let fish = run(&place, &["completion", "fish"]).with_code(0).stdout;
    assert!(fish.contains("-l hide-done"), "{fish}");
    run(&place, &["completion", "tcsh"]).with_code(2);
}

#[test]
fn whoever_reads_may_have_seen_enough() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    place.write(
        "luigi.cfg",
        &format!("[core]\nscheduler_port = {}\n", server.port),
    );
    let mut shell = place.command("bash");
    let script = "\"$1\" completion bash | head -n 1; echo \"${PIPESTATUS[0]}\"";
    shell.args(["-c", script, "bash", env!("CARGO_BIN_EXE_condotta")]);
    let ended = place.start("shell", &mut shell).end().with_code(0);
    assert!(ended.stdout.ends_with("\n0\n"), "{ended:?}");
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_task_that_did_not_run_yet_has_no_log() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let arguments = json!({"worker": "w", "task_id": "Load_1", "family": "Load"});
    server.rpc.call("add_task", &arguments);
    let url = format!("http://127.0.0.1:{}", server.port);
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["log", "Load_1", "--scheduler-url", &url]);
    let ended = place.start("log", &mut command).end().with_code(6);
    ended.says("task Load_1 did not run yet, so there is nothing that it printed");
    assert!(!ended.stderr.contains("refuses"), "{ended:?}");
}

/// As of a variable that is not set: the only task or worker there is would be meant.
#[test]
fn an_empty_name_is_nobodys() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let arguments = json!({"worker": "w", "task_id": "Load_1", "family": "Load"});
    server.rpc.call("add_task", &arguments);
    let url = format!("http://127.0.0.1:{}", server.port);
    for words in [
        &["done", ""][..],
        &["why", " "],
        &["workers", "disable", ""],
    ] {
        let words = [words, &["--scheduler-url", &url]].concat();
        run(&place, &words)
            .with_code(2)
            .says("What was given is empty");
    }
    let worker = &server.rpc.call("worker_list", &json!({}))[0];
    assert_eq!(worker["state"], "active");
    assert_eq!(
        server.rpc.call("task_list", &json!({}))["Load_1"]["status"],
        "PENDING"
    );
}
