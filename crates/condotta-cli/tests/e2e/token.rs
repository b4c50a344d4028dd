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
        .with_code(1)
        .says("revoke it first");
    token(&place, "revoke ci").with_code(0);
    token(&place, "revoke ci")
        .with_code(1)
        .says("there is no token `ci`");
    token(&place, "create a/b --role viewer").with_code(2);
    token(&place, "create ab --role king")
        .with_code(2)
        .says("viewer, worker and operator");
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
