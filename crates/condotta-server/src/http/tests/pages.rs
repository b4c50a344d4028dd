//! What is there to look at besides the API.

use crate::{
    metrics::{Metrics, MetricsConfig},
    testing::Setup,
};

#[test]
fn the_root_is_the_page_and_says_that_the_server_lives() {
    let server = Setup::default().start();
    let root = server.get("/");
    let html = Some("text/html; charset=UTF-8");
    assert_eq!((root.status, root.header("content-type")), (200, html));
    let head = server.ask("HEAD", "/", &[], "");
    assert_eq!((head.status, head.header("content-length")), (204, None));
    let post = server.ask("POST", "/", &[], "");
    assert_eq!(
        (post.status, post.header("allow")),
        (405, Some("GET, HEAD"))
    );
}

/// All that the document names is there, and nothing of it comes from elsewhere or is written into it.
#[test]
fn the_page_is_whole_and_keeps_to_its_own_files() {
    let server = Setup::default().start();
    let page = server.get("/");
    let text = page.text();
    let parts = text
        .split(['"', '\''])
        .filter(|part| part.starts_with("./"));
    let parts: Vec<&str> = parts.collect();
    assert!(parts.len() >= 3, "{text}");
    for part in parts {
        let file = server.get(&part[1..]);
        assert_eq!(file.status, 200, "{part}");
        assert!(file.header("content-security-policy").is_some());
    }
    for foreign in ["//", "<style", "onload", "javascript:", "<script>"] {
        assert!(!text.contains(foreign), "{foreign} is in {text}");
    }
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'; script-src 'self';"));
    assert!(!policy.contains("unsafe"));
}

#[test]
fn the_page_is_sent_again_only_when_it_changed() {
    let server = Setup::default().start();
    let first = server.get("/index.js");
    let tag = first.header("etag").expect("a tag").to_owned();
    let again = server.ask("GET", "/index.js", &[("if-none-match", &tag)], "");
    assert_eq!((again.status, again.body.len()), (304, 0));
}

/// What browsers have after `#` goes with them.
#[test]
fn old_addresses_lead_to_the_page() {
    let server = Setup::default().start();
    for (old, to) in [
        ("/static/visualiser/index.html", "../../"),
        ("/static/visualiser/", "../../"),
        ("/static/visualiser", "../"),
        ("/history", "./#/history"),
        ("/history/", "../#/history"),
        ("/history/by_id/3", "../../#/history?luigi_number=3"),
        ("/tasklist", "./#/history"),
        ("/tasklist/", "../#/history"),
        (
            "/history/by_params/A?data=%7B%22day%22%3A%20%221%202%22%2C%20%22n%22%3A%207%7D",
            "../../#/history?family=A&param=day%3D1+2&param=n%3D7",
        ),
        (
            "/history/by_params/A?day=1%26&n=7",
            "../../#/history?family=A&param=day%3D1%26&param=n%3D7",
        ),
        ("/history/by_params/A", "../../#/history?family=A"),
        ("/history/by_name/db.Load", "../../#/history?family=db.Load"),
        (
            "/history/by_task_id/A%20&_1",
            "../../#/history?task=A%20%26_1",
        ),
        ("/tasklist/A", "../#/history?family=A"),
    ] {
        let answer = server.get(old);
        assert_eq!(
            (answer.status, answer.header("location")),
            (302, Some(to)),
            "{old}"
        );
    }
}

#[test]
fn browsers_and_robots_get_fitting_answers() {
    let server = Setup::default().start();
    assert_eq!(server.get("/favicon.ico").status, 204);
    assert_eq!(
        server.get("/robots.txt").text(),
        "User-agent: *\nDisallow: /\n"
    );
}

#[test]
fn what_is_not_there_says_so() {
    let server = Setup::default().start();
    for path in [
        "/nothing",
        "/api",
        "/static/",
        "/static/../../etc/passwd",
        "//",
    ] {
        let answer = server.get(path);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "not_found"),
            "{path}"
        );
    }
}

#[test]
fn metrics_are_shown_if_there_are_any() {
    let none = Setup::default().start().get("/metrics");
    assert_eq!((none.status, none.body.len()), (200, 0));
    let metrics =
        Some(Metrics::new(MetricsConfig::default(), Default::default(), None).expect("a label"));
    let some = Setup {
        metrics,
        ..Setup::default()
    }
    .start()
    .get("/metrics");
    assert_eq!(
        some.header("content-type"),
        Some("text/plain; version=1.0.0; charset=utf-8")
    );
    assert!(
        some.text()
            .contains("# TYPE luigi_task_started_total counter\n"),
        "{}",
        some.text()
    );
}
