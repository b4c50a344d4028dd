//! `condotta token`, with a server that runs and with none.

use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::processes::{Ended, Place, Server};

fn token(place: &Place, words: &str) -> Ended {
    let mut command: Command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.arg("token").args(words.split(' '));
    command.args(["--state-dir", "state"]);
    place.start("token", &mut command).end()
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn a_token_is_shown_once_and_listed_without_its_secret() {
    let place = Place::new();
    let made = token(&place, "create ci --role worker").with_code(0);
    let secret = made.stdout.trim();
    assert!(
        secret.starts_with("condotta_") && !secret.contains(' '),
        "{made:?}"
    );
    made.says("The token `ci` has the role worker and is good for ever");
    let made = json(&token(&place, "create me --role operator --expires 2 --json").with_code(0));
    assert!(made["token"].as_str().unwrap().starts_with("condotta_"));
    assert_eq!(
        (&made["name"], &made["role"]),
        (&"me".into(), &"operator".into())
    );
    let listed = json(&token(&place, "list --json").with_code(0));
    assert_eq!(listed[0]["name"], "ci");
    assert_eq!(listed[0]["expires"], Value::Null);
    assert_eq!(listed[1]["expired"], false);
    assert!(listed[1]["token"].is_null() && listed[1]["expires"].is_string());
    token(&place, "list").with_code(0).says("ci    worker    2");
    token(&place, "create ci --role viewer")
        .with_code(6)
        .says("revoke it first");
    token(&place, "revoke ci").with_code(0);
    token(&place, "revoke ci")
        .with_code(5)
        .says("there is no token `ci`: condotta token list shows them");
    token(&place, "create a/b --role viewer").with_code(2);
    token(&place, "create ab --role king")
        .with_code(2)
        .says("viewer, worker and operator");
}

/// It is nowhere else.
#[test]
fn a_token_that_nobody_took_is_no_success() {
    let place = Place::new();
    let mut shell = place.command("bash");
    let script = "\"$0\" token create ci --role viewer --state-dir state >/dev/full";
    shell.args(["-c", script, env!("CARGO_BIN_EXE_condotta")]);
    let ended = place.start("shell", &mut shell).end().with_code(1);
    ended.says("cannot write to standard output: No space left");
    ended.says("the token `ci` was made, and nobody has it; revoke it, and make another one");
    ended.says("It is the first: from now on, whoever comes over TCP");
}

#[test]
fn a_server_that_runs_heeds_what_is_made_and_revoked() {
    let place = Place::new();
    let server = Server::start_with(&place, &[]);
    assert_eq!(server.rpc.post("pause", "{}").unwrap().status, 200);
    let made = token(&place, "create ci --role operator").with_code(0);
    made.says("It is the first");
    let refused = server.rpc.post("pause", "{}").unwrap();
    assert_eq!(refused.status, 401, "{refused:?}");
    let url = format!("http://x:{}@127.0.0.1:{}", made.stdout.trim(), server.port);
    let rpc = crate::processes::Rpc::new(&url);
    assert_eq!(rpc.post("pause", "{}").unwrap().status, 200);
    token(&place, "revoke ci").with_code(0);
    assert_eq!(rpc.post("pause", "{}").unwrap().status, 401);
    server.stop(Signal::SIGTERM).with_code(0);
}

/// The state that a token was made for can begin with it, and be looked after.
#[test]
fn tokens_are_neighbours_of_the_state() {
    let place = Place::new();
    token(&place, "create ci --role operator").with_code(0);
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["scheduler", "--port", "0", "--state-dir", "state"]);
    let process = place.start("server", &mut command);
    crate::processes::wait_until("it is ready", || {
        process
            .stderr()
            .contains("State in state: a new state directory")
    });
    process.send(Signal::SIGTERM);
    process.end().with_code(0);
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["state", "check", "state"]);
    place
        .start("check", &mut command)
        .end()
        .with_code(0)
        .says("no damage");
}

#[test]
fn an_operator_lets_others_in_from_elsewhere_and_the_trail_says_so() {
    let place = Place::new();
    let server = Server::start_with(&place, &[]);
    let url = format!("http://127.0.0.1:{}", server.port);
    let anna = token(&place, "create anna --role operator").with_code(0);
    let anna = anna.stdout.trim().to_owned();
    let run = |secret: &str, words: &str| {
        let mut command: Command = place.command(env!("CARGO_BIN_EXE_condotta"));
        command.args(words.split(' '));
        command.args(["--scheduler-url", &url]);
        command.env("CONDOTTA_TOKEN", secret);
        place.start("condotta", &mut command).end()
    };
    let made = run(&anna, "token create bob --role viewer --expires 2").with_code(0);
    let bob = made.stdout.trim().to_owned();
    made.says("The token `bob` has the role viewer and is good until 2");
    assert!(!made.stderr.contains("It is the first"), "{made:?}");
    let listed = json(&run(&anna, "token list --json").with_code(0));
    let rows = listed.as_array().unwrap().iter();
    let names: Vec<_> = rows
        .map(|row| (row["name"].as_str(), row["expired"].as_bool()))
        .collect();
    assert_eq!(
        names,
        [(Some("anna"), Some(false)), (Some("bob"), Some(false))]
    );
    assert_eq!(listed, json(&token(&place, "list --json").with_code(0)));
    run(&bob, "token create eve --role operator").with_code(6);
    let refused = run(&bob, "token list").with_code(6);
    refused.says("this needs the role operator, and the token `bob` has the role viewer");
    let taken = run(&anna, "token create bob --role worker").with_code(6);
    taken.says("there is a token `bob` already");
    let unknown = run(&anna, "token revoke eve").with_code(5);
    unknown.says("there is no token `eve`: condotta token list shows them");
    run(&anna, "token list --state-dir state").with_code(2);
    run(&anna, "resources set gpu 3").with_code(0);
    run(&anna, "token revoke bob")
        .with_code(0)
        .says("Revoked the token `bob`");
    run(&bob, "audit").with_code(6).says("was revoked");

    let trail = json(&run(&anna, "audit --json").with_code(0));
    let items = trail["items"].as_array().unwrap().iter();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    let deeds = items.map(|entry| ["let_in_by", "operation", "on"].map(|name| text(entry, name)));
    let expected = [
        ["refused", "refuse", "GET /api/v1/audit"],
        ["token", "revoke_token", "bob"],
        ["token", "set_limit", "gpu"],
        ["token", "refuse", "POST /api/v1/tokens"],
        ["token", "create_token", "bob"],
        ["command", "create_token", "anna"],
    ];
    assert_eq!(
        deeds.collect::<Vec<_>>(),
        expected.map(|deed| deed.map(str::to_owned))
    );
    let of_limits = run(&anna, "audit --by anna --operation set_limit --since 1h").with_code(0);
    of_limits.says("limit=3").says("127.0.0.1");
    assert_eq!(of_limits.stdout.lines().count(), 2, "{of_limits:?}");
    let wrong = run(&anna, "audit --operation nothing").with_code(6);
    wrong.says("create_token");
    let stderr = server.stop(Signal::SIGTERM).with_code(0).stderr;
    assert!(
        !stderr.contains(&anna) && !stderr.contains(&bob),
        "{stderr}"
    );
}
