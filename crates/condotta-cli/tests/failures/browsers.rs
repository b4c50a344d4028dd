//! Pages in a browser on the operator's machine: they may send, and nothing comes of it.
//!
//! The requests are written as browsers write them, with the headers that a page cannot change.

use serde_json::{Value, json};

use crate::{
    processes::{Kind, Place, Server},
    wire::{Wire, post},
};

const PAGE: &str = "Origin: http://evil.example\r\n";
const OTHER_PORT: &str = "Origin: http://127.0.0.1:9999\r\n";

fn is_paused(server: &Server) -> bool {
    server.rpc.call("is_paused", &json!({}))["paused"] == true
}

fn ask(server: &Server, request: &[u8]) -> (u16, String) {
    let mut wire = Wire::new(server);
    wire.send(request).unwrap();
    let answer = wire.answer().unwrap();
    let error: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let code = error["error"]["code"].as_str().unwrap_or_default();
    (answer.status, code.to_owned())
}

#[test]
fn foreign_pages_change_nothing() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let fetch = |site: &str, mode: &str| {
        format!("Sec-Fetch-Site: {site}\r\nSec-Fetch-Mode: {mode}\r\nSec-Fetch-Dest: empty\r\n")
    };
    let get = |headers: &str| {
        format!("GET /api/pause?data=%7B%7D HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
    };
    for (what, request, refusal) in [
        (
            "a form",
            post(
                "pause",
                &(PAGE.to_owned() + &fetch("cross-site", "navigate")),
                "{}",
            ),
            (403, "foreign_origin"),
        ),
        (
            "a form in a sandbox",
            post("pause", "Origin: null\r\n", "{}"),
            (403, "foreign_origin"),
        ),
        (
            "a form of another server on this machine",
            post(
                "pause",
                &(OTHER_PORT.to_owned() + &fetch("same-site", "navigate")),
                "{}",
            ),
            (403, "foreign_origin"),
        ),
        (
            "a fetch that reads no answer",
            post(
                "pause",
                &(PAGE.to_owned() + &fetch("cross-site", "no-cors")),
                "{}",
            ),
            (403, "foreign_origin"),
        ),
        (
            "an image",
            get(&fetch("cross-site", "no-cors")).into(),
            (403, "foreign_origin"),
        ),
        (
            "an image in a browser that says nothing of itself",
            get("").into(),
            (405, "wrong_verb"),
        ),
        (
            "a link",
            get(&fetch("none", "navigate")).into(),
            (405, "wrong_verb"),
        ),
    ] {
        let (status, code) = ask(&server, &request);
        assert_eq!((status, code.as_str()), refusal, "{what}");
        assert!(!is_paused(&server), "{what}");
    }
}

/// A name that leads to this machine after the page has come (DNS rebinding).
#[test]
fn foreign_names_change_and_read_nothing() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let foreign = |method: &str| {
        let text = String::from_utf8(post(method, "", "{}")).unwrap();
        text.replace("Host: localhost", "Host: rebound.example:8082")
    };
    for method in ["pause", "task_list"] {
        let (status, code) = ask(&server, foreign(method).as_bytes());
        assert_eq!((status, code.as_str()), (403, "foreign_host"), "{method}");
    }
    assert!(!is_paused(&server));
    // The same by this machine's own name is served.
    assert_eq!(ask(&server, &post("pause", "", "{}")).0, 200);
    assert!(is_paused(&server));
}
