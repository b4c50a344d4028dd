//! Tokens that are made, listed and revoked over HTTP, by whom it may be, and what that changes at once.

use std::fs;

use serde_json::{Value, json};

use super::Live;
use crate::testing::Answer;

/// A request with a token.
fn ask(live: &Live, token: &str, verb: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let path = format!("/api/v1{path}");
    live.server.ask(verb, &path, &headers, &body.to_string())
}

fn value(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// Makes the first token; its secret.
fn first(live: &Live) -> String {
    let made = live.posted("/tokens", &json!({"name": "anna", "role": "operator"}));
    assert_eq!(made["is_first"], true);
    made["token"].as_str().expect("a secret").to_owned()
}

#[test]
fn a_user_with_a_role_is_added_listed_and_taken_away_without_a_restart() {
    let live = Live::start();
    let anna = first(&live);
    assert_eq!(live.get("/counts").0, 401, "everybody needs one now");
    assert_eq!(
        live.post("/tokens", &json!({"name": "x", "role": "viewer"}))
            .0,
        401
    );
    for (role, may_work) in [("viewer", false), ("worker", true)] {
        let wanted = json!({"name": role, "role": role, "lasts_secs": 3600});
        let answer = ask(&live, &anna, "POST", "/tokens", &wanted);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let made = value(&answer);
        assert_eq!(made["is_first"], false);
        assert_eq!(
            made["expires"].as_u64(),
            made["created"].as_u64().map(|at| at + 3600)
        );
        let secret = made["token"].as_str().expect("a secret");
        assert_eq!(ask(&live, secret, "GET", "/counts", &json!({})).status, 200);
        let bearer = format!("Bearer {secret}");
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers = [("authorization", bearer.as_str()), form];
        let worked = live.server.ask(
            "POST",
            "/api/ping",
            &headers,
            "data=%7B%22worker%22%3A%22w%22%7D",
        );
        assert_eq!(worked.status == 200, may_work, "{role}: {}", worked.text());
        // Only operators see who there is, and let others in.
        for (verb, path) in [
            ("GET", "/tokens"),
            ("POST", "/tokens"),
            ("POST", "/tokens/anna/revoke"),
            ("GET", "/audit"),
        ] {
            let refused = ask(
                &live,
                secret,
                verb,
                path,
                &json!({"name": "x", "role": "operator"}),
            );
            assert_eq!(
                (refused.status, refused.code().as_str()),
                (403, "forbidden"),
                "{role} {verb} {path}"
            );
        }
        let path = format!("/tokens/{role}/revoke");
        let revoked = ask(&live, &anna, "POST", &path, &json!({}));
        assert_eq!(value(&revoked), json!({"revoked": role}));
        assert_eq!(ask(&live, secret, "GET", "/counts", &json!({})).status, 401);
    }
    let list = value(&ask(&live, &anna, "GET", "/tokens", &json!({})));
    let row = &list["items"][0];
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(
        (&row["name"], &row["expired"]),
        (&json!("anna"), &json!(false))
    );
    assert!(row.get("token").is_none(), "{list}");
}

#[test]
fn a_secret_is_in_its_answer_and_nowhere_else() {
    let live = Live::start();
    let anna = first(&live);
    let made = ask(
        &live,
        &anna,
        "POST",
        "/tokens",
        &json!({"name": "bob", "role": "viewer"}),
    );
    let bob = value(&made)["token"].as_str().expect("a secret").to_owned();
    let mut said = String::new();
    for path in ["/tokens", "/audit", "/session", "/about"] {
        said += ask(&live, &anna, "GET", path, &json!({})).text();
    }
    said += ask(&live, &bob, "POST", "/tokens", &json!({})).text();
    let mut files = 0;
    for file in fs::read_dir(live.home.path()).expect("the state") {
        let bytes = fs::read(file.expect("a file").path()).unwrap_or_default();
        said += &String::from_utf8_lossy(&bytes);
        files += 1;
    }
    assert!(files > 3 && said.contains("create_token") && said.contains("sha256"));
    for secret in [anna, bob] {
        assert!(secret.starts_with("condotta_") && !said.contains(&secret));
    }
}

#[test]
fn what_cannot_be_made_or_revoked_is_said() {
    let live = Live::start();
    let (status, error) = live.post("/tokens", &json!({"name": "x", "role": "viewer"}));
    assert_eq!(
        (status, &error["error"]["code"]),
        (409, &json!("no_operator"))
    );
    assert_eq!(live.get("/counts").0, 200, "nobody is locked out");
    let anna = first(&live);
    for (body, status, code) in [
        (json!({"name": "anna", "role": "viewer"}), 409, "exists"),
        (json!({"name": "a b", "role": "viewer"}), 400, "bad_name"),
        (json!({"name": "b", "role": "king"}), 400, "bad_body"),
        (
            json!({"name": "b", "role": "viewer", "lasts_secs": 0}),
            400,
            "bad_body",
        ),
        (json!({"name": "b"}), 400, "bad_body"),
    ] {
        let answer = ask(&live, &anna, "POST", "/tokens", &body);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{body}"
        );
    }
    let unknown = ask(&live, &anna, "POST", "/tokens/nobody/revoke", &json!({}));
    assert_eq!(
        (unknown.status, unknown.code().as_str()),
        (404, "not_found")
    );
    // One may give one's own back.
    let own = ask(&live, &anna, "POST", "/tokens/anna/revoke", &json!({}));
    assert_eq!(own.status, 200, "{}", own.text());
    assert_eq!(ask(&live, &anna, "GET", "/counts", &json!({})).status, 401);
}

#[test]
fn tokens_of_the_command_are_the_same() {
    let live = Live::start();
    let anna = first(&live);
    let file = crate::access::TokenFile::of(live.home.path());
    let new = crate::access::NewToken {
        name: "by-command".to_owned(),
        role: crate::access::Role::Viewer,
        lasts_secs: None,
    };
    file.create(&new).unwrap();
    let list = value(&ask(&live, &anna, "GET", "/tokens", &json!({})));
    assert_eq!(list["items"][1]["name"], "by-command");
    ask(
        &live,
        &anna,
        "POST",
        "/tokens/by-command/revoke",
        &json!({}),
    );
    assert_eq!(file.read().unwrap().expect("there were some").len(), 1);
}

#[test]
fn who_was_refused_stands_in_the_trail_and_a_flood_does_not_fill_it() {
    let live = Live::start();
    let anna = first(&live);
    let wanted = json!({"name": "bob", "role": "viewer"});
    let bob = value(&ask(&live, &anna, "POST", "/tokens", &wanted));
    let bob = bob["token"].as_str().expect("a secret");
    // What the page asks by itself before somebody signs in is no try.
    assert_eq!(live.get("/about").0, 401);
    assert_eq!(live.get("/counts?limit=secret").0, 401);
    assert_eq!(ask(&live, bob, "POST", "/pause", &json!({})).status, 403);
    assert_eq!(ask(&live, bob, "GET", "/tokens", &json!({})).status, 403);
    for number in 0..200 {
        let guess = format!("guess-{number}");
        let status = ask(&live, &guess, "POST", "/pause", &json!({})).status;
        assert!(matches!(status, 401 | 429), "{status}");
    }
    let found = ask(&live, &anna, "GET", "/audit?operation=refuse", &json!({}));
    let page = value(&found);
    let items = page["items"].as_array().expect("items");
    let told = items.iter().rev().map(|entry| {
        assert_eq!(entry["address"], "127.0.0.1");
        (
            entry["by"].as_str().expect("a name"),
            entry["let_in_by"].as_str().expect("a word"),
            entry["on"].as_str().expect("a request"),
            entry["details"].clone(),
        )
    });
    let why = |status: u16, code: &str| json!({"status": status, "code": code});
    let expected = [
        (
            "unknown",
            "refused",
            "GET /api/v1/counts",
            why(401, "no_token"),
        ),
        ("bob", "token", "POST /api/v1/pause", why(403, "forbidden")),
        (
            "unknown",
            "refused",
            "POST /api/v1/pause",
            why(401, "bad_token"),
        ),
        (
            "unknown",
            "refused",
            "POST /api/v1/pause",
            why(429, "too_many_attempts"),
        ),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    let whole = fs::read_to_string(live.home.path().join("audit.jsonl")).expect("the trail");
    assert!(
        !whole.contains("guess") && !whole.contains("secret"),
        "{whole}"
    );
    // The others are counted, and an orderly stop writes how many they were.
    let Live { server, home } = live;
    drop(server);
    let whole = fs::read_to_string(home.path().join("audit.jsonl")).expect("the trail");
    let entries = whole.lines().map(|line| {
        let entry: Value = serde_json::from_str(line).expect("JSON");
        entry["details"]["times"].as_u64().unwrap_or_default()
    });
    assert_eq!(entries.sum::<u64>(), 199, "{whole}");
}
