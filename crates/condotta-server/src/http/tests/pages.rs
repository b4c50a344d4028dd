//! What is there to look at besides the API.

use crate::{
    metrics::{Metrics, MetricsConfig},
    testing::Setup,
};

#[test]
fn the_root_leads_to_the_page_and_says_that_the_server_lives() {
    let server = Setup::default().start();
    let root = server.get("/");
    assert_eq!(
        (root.status, root.header("location")),
        (302, Some("static/visualiser/index.html"))
    );
    let head = server.ask("HEAD", "/", &[], "");
    assert_eq!((head.status, head.header("content-length")), (204, None));
    let post = server.ask("POST", "/", &[], "");
    assert_eq!(
        (post.status, post.header("allow")),
        (405, Some("GET, HEAD"))
    );
}

#[test]
fn the_page_shows_how_things_stand() {
    let server = Setup {
        resources: &[("gpu<b>", 3)],
        ..Setup::default()
    }
    .start();
    let path = "/static/visualiser/index.html";
    let empty = server.get(path);
    assert_eq!(
        empty.header("content-type"),
        Some("text/html; charset=UTF-8")
    );
    assert!(!empty.text().contains("Paused"));
    let nasty = r#"{"worker": "<script>alert(1)</script>", "task_id": "x<img>_1", "family": "<svg/onload=1>", "resources": {"gpu<b>": 2}}"#;
    assert_eq!(server.call("add_task", nasty).status, 200);
    let info = r#"{"worker": "<script>alert(1)</script>", "info": {"host": "\"'&<h>", "first_task": "x<img>_1"}}"#;
    assert_eq!(server.call("add_worker", info).status, 200);
    let second = r#"{"worker": "w", "task_id": "b_2", "status": "DONE"}"#;
    assert_eq!(server.call("add_task", second).status, 200);
    for id in ["c_1", "c_2", "c_3"] {
        let task = format!(r#"{{"worker": "w", "task_id": "{id}", "priority": -1}}"#);
        assert_eq!(server.call("add_task", &task).status, 200);
    }
    let work = server.call("get_work", r#"{"worker": "<script>alert(1)</script>"}"#);
    assert!(work.text().contains("img"), "{}", work.text());
    assert_eq!(server.call("pause", "{}").status, 200);
    let page = server.get(path);
    let text = page.text();
    for wanted in [
        "Paused",
        "<td>PENDING</td><td class=\"number\">3</td>",
        "<td>RUNNING</td><td class=\"number\">1</td>",
        "<td>DONE</td><td class=\"number\">1</td>",
        "<td>FAILED</td><td class=\"number\">0</td>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&quot;&#39;&amp;&lt;h&gt;",
        "<td>gpu&lt;b&gt;</td><td class=\"number\">2</td><td class=\"number\">3</td>",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in {text}");
    }
    for markup in ["<script", "<img", "<svg", "<b>"] {
        assert!(!text.contains(markup), "{markup} is in {text}");
    }
    let style = server.get("/static/visualiser/status.css");
    assert_eq!(
        (style.status, style.header("content-type")),
        (200, Some("text/css; charset=UTF-8"))
    );
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
    for path in ["/history", "/history/by_id/3", "/tasklist", "/tasklist/A"] {
        let answer = server.get(path);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "no_history"),
            "{path}"
        );
    }
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
