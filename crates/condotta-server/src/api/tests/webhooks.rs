//! Webhooks through the API. What their messages say is tested with the command.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use serde_json::{Value, json};

use super::Live;
use crate::notify::WebhookConfig;

/// A receiver that gives this answer, once.
fn receiver(answer: &'static str) -> (u16, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody comes");
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        while !text.ends_with(b"}") {
            let count = stream.read(&mut buffer).expect("a request");
            text.extend_from_slice(&buffer[..count]);
        }
        let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).expect("somebody waits");
        String::from_utf8(text).expect("plain")
    });
    (port, thread)
}

#[test]
fn webhooks_are_listed_without_their_secrets_and_can_be_tried() {
    let (good, asked) = receiver("204 No Content");
    let (bad, _) = receiver("403 Forbidden");
    let live = Live::start_with(|config| {
        for (name, port) in [("good", good), ("bad", bad)] {
            let url = format!("http://me:hunter2@127.0.0.1:{port}/key-in-path");
            config.notify.webhooks.push(WebhookConfig::new(name, &url));
        }
    });
    let hooks = live.got("/webhooks");
    assert_eq!(hooks["items"][0]["name"], "good");
    assert_eq!(
        hooks["items"][0]["host"],
        format!("http://127.0.0.1:{good}")
    );
    let shown = hooks.to_string();
    assert!(
        !shown.contains("hunter2") && !shown.contains("key-in-path"),
        "{shown}"
    );

    let tested = live.posted("/webhooks/good/test", &json!({}));
    assert_eq!(
        tested,
        json!({"name": "good", "taken": true, "reason": null})
    );
    let asked = asked.join().expect("it was asked");
    assert!(
        asked.starts_with("POST /key-in-path HTTP/1.1\r\n"),
        "{asked}"
    );
    assert!(
        asked.contains("authorization: Basic bWU6aHVudGVyMg=="),
        "{asked}"
    );
    assert!(asked.contains("\"event\":\"test\""), "{asked}");

    let tested = live.posted("/webhooks/bad/test", &json!({}));
    assert_eq!(tested["taken"], false);
    let reason = tested["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("it answers 403") && !reason.contains("key-in-path"),
        "{reason}"
    );
    let (status, error) = live.post("/webhooks/none/test", &json!({}));
    assert_eq!(
        (status, &error["error"]["code"]),
        (404, &json!("no_webhook"))
    );
}

#[test]
fn that_a_run_cannot_be_ended_is_told() {
    let (port, asked) = receiver("204 No Content");
    let live = Live::start_with(|config| {
        let url = format!("http://127.0.0.1:{port}/");
        config.notify.webhooks.push(WebhookConfig::new("ops", &url));
    });
    live.refuse_to_cancel();
    let asked = asked.join().expect("it was asked");
    let (_, body) = asked.split_once("\r\n\r\n").expect("a body");
    let message: Value = serde_json::from_str(body).expect("JSON");
    let event = &message["events"][0];
    assert_eq!(event["event"], "cancel_refused");
    assert_eq!(
        event["message"],
        "the run of Load() cannot be ended and goes on: it runs in my own process"
    );
    assert_eq!(
        (&event["task_id"], &event["worker"]),
        (&json!("Load_1"), &json!("w"))
    );
    assert_eq!(
        event["attempt"],
        live.got("/tasks/Load_1")["task"]["attempt_id"]
    );
}
