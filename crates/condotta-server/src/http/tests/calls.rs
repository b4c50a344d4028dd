//! Methods are called with Luigi's forms, and answered in Luigi's envelope.

use std::io::Read;

use crate::{
    driver::Handle,
    http::HttpConfig,
    testing::{Answer, Setup, TestServer, percent, receive, send},
};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn server() -> TestServer {
    Setup::default().start()
}

/// What `fetch_error` heard as the task's id.
fn heard(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let reply: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    reply["response"]["taskId"]
        .as_str()
        .expect("an id")
        .to_owned()
}

#[test]
fn an_answer_looks_like_luigis() {
    let answer = server().call("fetch_error", r#"{"task_id": "é</x>😀"}"#);
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("application/json; charset=UTF-8")
    );
    assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
    assert_eq!(answer.header("etag"), None);
    assert_eq!(
        answer.text().replace(": ", ":").replace(", ", ","),
        r#"{"response":{"taskId":"\u00e9<\/x>\ud83d\ude00","error":""}}"#
    );
}

#[test]
fn arguments_come_in_body_or_query_and_the_last_wins() {
    let server = server();
    let one = |id: &str| format!("data={}", percent(&format!(r#"{{"task_id": "{id}"}}"#)));
    let post = |query: &str, headers: &[(&str, &str)], body: &str| {
        heard(&server.ask("POST", &format!("/api/fetch_error{query}"), headers, body))
    };
    assert_eq!(post("", &[FORM], &one("a")), "a");
    assert_eq!(
        post("", &[FORM], &format!("{}&x=1&{}", one("a"), one("b"))),
        "b"
    );
    assert_eq!(post(&format!("?{}", one("q")), &[FORM], &one("a")), "a");
    assert_eq!(
        post(&format!("?{}&{}", one("p"), one("q")), &[FORM], "x=1"),
        "q"
    );
    assert_eq!(
        post(
            &format!("?{}", one("q")),
            &[("content-type", "application/json")],
            "{}"
        ),
        "q"
    );
    assert_eq!(
        heard(&server.get(&format!("/api/fetch_error?{}", one("g")))),
        "g"
    );
    assert_eq!(
        heard(&server.get(&format!("/api/fetch%5Ferror?{}", one("g")))),
        "g"
    );
    let charset = (
        "content-type",
        "application/x-www-form-urlencoded; charset=utf-8",
    );
    let control = "data=%7B%22task_id%22%3A%22a%01b%22%7D";
    assert_eq!(post("", &[charset], control), "a b");
}

#[test]
fn arguments_come_in_parts_too() {
    let server = server();
    let kind = ("content-type", "multipart/form-data; boundary=XX");
    let part = |name: &str, text: &str| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let body = part("data", r#"{"task_id": "1"}"#)
        + &part("other", "x")
        + &part("data", " {\"task_id\": \"2\"}\n")
        + &part("data\"; filename=\"f", "{}")
        + "--XX--\r\n";
    assert_eq!(
        heard(&server.ask("POST", "/api/fetch_error", &[kind], &body)),
        "2"
    );
    let torn = &body[..body.len() - 30];
    let answer = server.ask("POST", "/api/fetch_error", &[kind], torn);
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_body"));
    let answer = server.ask(
        "POST",
        "/api/fetch_error",
        &[("content-type", "multipart/form-data")],
        "x",
    );
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_body"));
}

#[test]
fn without_arguments_there_are_none() {
    let server = server();
    let paused = "{\"response\":{\"paused\":false}}";
    for answer in [
        server.ask("POST", "/api/is_paused", &[], ""),
        server.ask("POST", "/api/is_paused", &[FORM], "x=1"),
        server.ask(
            "POST",
            "/api/is_paused",
            &[("content-type", "application/json")],
            "[[",
        ),
        server.get("/api/is_paused"),
        server.call("is_paused", r#"{"unknown": Infinity}"#),
    ] {
        assert_eq!(
            (answer.status, answer.text().replace(' ', "").as_str()),
            (200, paused)
        );
    }
}

#[test]
fn bad_requests_are_refused_with_a_reason() {
    let server = server();
    for (method, arguments, status, code) in [
        ("ping", "{", 400, "bad_json"),
        ("ping", "", 400, "bad_json"),
        ("ping", "[]", 400, "bad_arguments"),
        ("ping", "null", 400, "bad_arguments"),
        ("ping", "{}", 400, "missing_argument"),
        ("ping", r#"{"worker": 3}"#, 400, "bad_argument"),
        ("ping", r#"{"worker": ""}"#, 400, "refused"),
        (
            "add_task",
            r#"{"worker": "w", "task_id": "t", "status": "RUNNING", "batch_id": "b"}"#,
            409,
            "no_such_batch",
        ),
        ("__init__", "{}", 404, "unknown_method"),
        ("a/b", "{}", 404, "unknown_method"),
        ("", "{}", 404, "unknown_method"),
        ("test_fail", "{}", 500, "failed"),
    ] {
        let answer = server.call(method, arguments);
        let (got, found) = (answer.status, answer.code());
        assert_eq!(
            (got, found.as_str()),
            (status, code),
            "{method} {arguments}: {}",
            answer.text()
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/json; charset=UTF-8")
        );
    }
    let deep = format!(r#"{{"worker": {}}}"#, "[".repeat(100_000));
    assert_eq!(server.call("ping", &deep).code(), "bad_json");
    let answer = server.ask("POST", "/api/ping", &[FORM], "data=%ff");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "bad_arguments")
    );
    let list = server.call("worker_list", "{}");
    assert_eq!(
        list.text().replace(' ', ""),
        r#"{"response":[]}"#,
        "nothing of all that was done"
    );
}

#[test]
fn get_only_reads() {
    let server = server();
    let answer = server.get("/api/pause");
    assert_eq!((answer.status, answer.code().as_str()), (405, "wrong_verb"));
    assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
    assert!(
        answer.text().contains("called with POST"),
        "{}",
        answer.text()
    );
    assert_eq!(server.get("/api/await_work").status, 405);
    assert_eq!(server.get("/api/nothing").status, 404);
    assert!(server.get("/api/is_paused").text().contains("false"));
    for verb in ["PUT", "DELETE", "PATCH", "HEAD"] {
        let answer = server.ask(verb, "/api/ping", &[], "");
        assert_eq!(answer.status, 405, "{verb}");
        assert_eq!(answer.header("allow"), Some("GET, POST, OPTIONS"));
    }
}

#[test]
fn before_the_scheduler_is_there_clients_are_told_to_try_again() {
    let server = Setup::default().start_with(Handle::default());
    for answer in [
        server.call("ping", r#"{"worker": "w"}"#),
        server.get("/api/is_paused"),
    ] {
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (503, "unavailable")
        );
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(server.ask("HEAD", "/", &[], "").status, 204);
}

#[test]
fn answers_have_entity_tags_on_get() {
    let server = server();
    let answer = server.get("/api/is_paused");
    let tag = answer.header("etag").expect("a tag").to_owned();
    for known in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        let again = server.ask("GET", "/api/is_paused", &[("if-none-match", &known)], "");
        assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
        assert_eq!(again.header("content-type"), None);
    }
    assert_eq!(server.call("pause", "{}").status, 200);
    let changed = server.ask("GET", "/api/is_paused", &[("if-none-match", &tag)], "");
    assert_eq!(changed.status, 200);
    let post = server.ask("POST", "/api/is_paused", &[("if-none-match", "*")], "");
    assert_eq!((post.status, post.header("etag")), (200, None));
}

#[test]
fn long_answers_are_compressed_for_who_takes_it() {
    let server = server();
    let ask = |length: usize, accepts: &str| {
        let arguments = percent(&format!(r#"{{"task_id": "{}"}}"#, "x".repeat(length)));
        let headers = [FORM, ("accept-encoding", accepts)];
        server.ask(
            "POST",
            "/api/fetch_error",
            &headers,
            &format!("data={arguments}"),
        )
    };
    for (length, accepts, compressed) in [
        (2000, "gzip, deflate", true),
        (2000, "deflate, GZIP;q=0.5", true),
        (100_000, "gzip", true),
        (100, "gzip", false),
        (2000, "identity", false),
        (2000, "gzip;q=0", false),
        (2000, "xgzip", false),
    ] {
        let answer = ask(length, accepts);
        let encoding = compressed.then_some("gzip");
        assert_eq!(
            answer.header("content-encoding"),
            encoding,
            "{length} {accepts}"
        );
        let mut text = String::new();
        if compressed {
            let mut decoder = flate2::read::GzDecoder::new(answer.body.as_slice());
            decoder.read_to_string(&mut text).expect("gzip");
            assert!(answer.body.len() < length);
        } else {
            answer.text().clone_into(&mut text);
        }
        let reply: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            reply["response"]["taskId"].as_str().map(str::len),
            Some(length)
        );
    }
}

#[test]
fn one_connection_serves_many_requests() {
    let server = server();
    let mut stream = server.connect();
    for round in 0..50 {
        let body = format!("data=%7B%22task_id%22%3A%22{round}%22%7D");
        send(
            &mut stream,
            "POST",
            "/api/fetch_error",
            &[FORM],
            body.as_bytes(),
        );
        assert_eq!(heard(&receive(&mut stream, "POST")), round.to_string());
        send(&mut stream, "POST", "/api/nothing", &[FORM], b"data=%7B%7D");
        assert_eq!(receive(&mut stream, "POST").status, 404);
    }
}

#[test]
fn requests_may_come_under_a_proxys_prefix() {
    let http = HttpConfig {
        path_prefix: "/a/luigi/".to_owned(),
        ..HttpConfig::default()
    };
    let server = Setup {
        http,
        ..Setup::default()
    }
    .start();
    for path in [
        "/a/luigi/api/is_paused",
        "/api/is_paused",
        "/a/luigi/api/is_paused?data=%7B%7D",
    ] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    assert!(server.get("/a/luigi/").text().contains("./index.js"));
    let old = server.get("/a/luigi/static/visualiser/index.html");
    assert_eq!((old.status, old.header("location")), (302, Some("../../")));
    for path in [
        "/a/luigiapi/is_paused",
        "/b/api/is_paused",
        "/a/luigi/a/luigi/api/is_paused",
    ] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    let foreign = server.ask(
        "GET",
        "/a/luigi/api/is_paused",
        &[("host", "evil.example")],
        "",
    );
    assert_eq!(foreign.status, 403);
    assert_eq!(
        self::server().get("/a/luigi/api/is_paused").status,
        404,
        "as in Luigi"
    );
}
