//! Foreign names and pages are refused, and every answer tells browsers to be careful.

use crate::{
    http::{Cors, HttpConfig},
    testing::{Setup, TestServer},
};

const PAGE: &str = "https://friend.example";

fn with_cors(cors: Cors) -> TestServer {
    let http = HttpConfig {
        cors: Cors {
            enabled: true,
            ..cors
        },
        ..HttpConfig::default()
    };
    Setup {
        http,
        ..Setup::default()
    }
    .start()
}

fn listed() -> Cors {
    Cors {
        allowed_origins: vec![PAGE.to_owned()],
        ..Cors::default()
    }
}

#[test]
fn a_foreign_name_is_refused_and_the_option_named() {
    let server = Setup::default().start();
    for path in ["/api/pause", "/", "/metrics", "/nothing"] {
        let answer = server.ask("POST", path, &[("host", "rebound.example:8082")], "");
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "foreign_host"),
            "{path}"
        );
        assert!(
            answer.text().contains("--allowed-host rebound.example"),
            "{}",
            answer.text()
        );
    }
    let absolute = server.get("http://rebound.example/api/is_paused");
    assert_eq!(absolute.status, 403, "a name in the first line counts");
    assert!(server.get("/api/is_paused").text().contains("false"));
}

#[test]
fn a_name_that_was_told_is_served() {
    let http = HttpConfig {
        allowed_hosts: vec!["luigi.example.com".to_owned()],
        ..HttpConfig::default()
    };
    let server = Setup {
        http,
        ..Setup::default()
    }
    .start();
    let headers = [
        ("host", "luigi.example.com:443"),
        ("origin", "https://luigi.example.com"),
    ];
    assert_eq!(server.ask("POST", "/api/pause", &headers, "").status, 200);
}

#[test]
fn foreign_pages_change_and_read_nothing() {
    let server = Setup::default().start();
    let site = ("sec-fetch-site", "cross-site");
    for headers in [
        &[("origin", "http://127.0.0.1:9000")][..],
        &[("origin", "null")],
        &[site],
        &[("origin", PAGE), site],
        &[
            ("origin", "http://localhost:9000"),
            ("sec-fetch-site", "same-site"),
        ],
    ] {
        let answer = server.ask("POST", "/api/pause", headers, "");
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "foreign_origin"),
            "{headers:?}"
        );
        assert_eq!(server.ask("GET", "/api/is_paused", headers, "").status, 403);
    }
    assert!(server.get("/api/is_paused").text().contains("false"));
    let link = [site, ("sec-fetch-mode", "navigate")];
    assert_eq!(
        server.ask("GET", "/", &link, "").status,
        200,
        "a link may lead to the page"
    );
    assert_eq!(server.ask("GET", "/api/is_paused", &link, "").status, 403);
    let own = [
        ("origin", "http://localhost"),
        ("sec-fetch-site", "same-origin"),
    ];
    assert_eq!(server.ask("POST", "/api/pause", &own, "").status, 200);
}

#[test]
fn options_are_answered_as_in_luigi() {
    let ask = |cors: Cors, origin: &str| {
        let headers = [("origin", origin), ("sec-fetch-site", "cross-site")];
        let answer = with_cors(cors).ask("OPTIONS", "/api/ping", &headers, "");
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        ["origin", "max-age", "methods", "headers", "credentials"].map(|name| {
            let name = match name {
                "max-age" => "access-control-max-age".to_owned(),
                "headers" => "access-control-allow-headers".to_owned(),
                name => format!("access-control-allow-{name}"),
            };
            answer.header(&name).unwrap_or_default().to_owned()
        })
    };
    let usual = |origin: &'static str| {
        [
            origin,
            "86400",
            "GET, OPTIONS",
            "Accept, Content-Type, Origin",
            "",
        ]
    };
    assert_eq!(ask(listed(), PAGE), usual(PAGE));
    assert_eq!(ask(listed(), "https://evil.example"), [""; 5]);
    assert_eq!(ask(listed(), "null"), [""; 5]);
    let any = Cors {
        allow_any_origin: true,
        ..listed()
    };
    assert_eq!(ask(any, "https://evil.example"), usual("*"));
    let null = Cors {
        allow_null_origin: true,
        allow_credentials: true,
        ..listed()
    };
    let mut expected = usual("null");
    expected[4] = "true";
    assert_eq!(ask(null, "null"), expected);

    let server = Setup::default().start();
    let answer = server.ask("OPTIONS", "/api/ping", &[("origin", PAGE)], "");
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(server.ask("OPTIONS", "/", &[], "").status, 405);
}

#[test]
fn pages_that_were_allowed_read_answers() {
    let server = with_cors(listed());
    let headers = [("origin", PAGE), ("sec-fetch-site", "cross-site")];
    let answer = server.ask("GET", "/api/is_paused", &headers, "");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
    assert_eq!(answer.header("vary"), Some("Origin, Accept-Encoding"));
    let post = server.ask("POST", "/api/pause", &headers, "");
    assert_eq!(post.status, 403, "POST is not among the default verbs");
    assert!(post.text().contains("allowed_methods"), "{}", post.text());
    let more = Cors {
        allowed_methods: "GET, POST".to_owned(),
        ..listed()
    };
    assert_eq!(
        with_cors(more)
            .ask("POST", "/api/pause", &headers, "")
            .status,
        200
    );
}

#[test]
fn every_answer_is_guarded_in_browsers() {
    let server = Setup::default().start();
    let refused = server.ask("GET", "/", &[("host", "evil.example")], "");
    let page = server.get("/static/visualiser/index.html");
    let answers = [
        server.get("/"),
        server.get("/api/is_paused"),
        server.get("/nothing"),
        refused,
        page,
    ];
    for answer in answers {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(
            answer
                .header("vary")
                .is_some_and(|vary| vary.contains("Accept-Encoding"))
        );
    }
}
