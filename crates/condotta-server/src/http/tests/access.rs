//! Who is let in, with which role, and what those hear who are not.

use std::{fs, io::Read as _, os::unix::net::UnixStream, path::Path, time::Duration};

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::{
    access::{AccessConfig, Authentication, NewToken, Role, TokenFile},
    api::EventsConfig,
    http::HttpConfig,
    listen::{Place, bind},
    testing::{Answer, Setup, TestServer, handle, percent, send},
};

const METHODS: [(&str, Role); 4] = [
    ("task_list", Role::Viewer),
    ("ping", Role::Worker),
    ("await_work", Role::Worker),
    ("pause", Role::Operator),
];

fn config(directory: &Path, authentication: Authentication) -> HttpConfig {
    HttpConfig {
        access: AccessConfig {
            authentication,
            state_dir: Some(directory.to_owned()),
            failures_per_minute: 3,
            session: Duration::from_secs(60),
        },
        ..HttpConfig::default()
    }
}

fn serve(directory: &Path, authentication: Authentication) -> TestServer {
    Setup {
        http: config(directory, authentication),
        ..Setup::default()
    }
    .start()
}

fn token(directory: &Path, name: &str, role: Role) -> String {
    let new = NewToken {
        name: name.to_owned(),
        role,
        lasts_secs: None,
    };
    let (_, secret) = TokenFile::of(directory).create(&new).unwrap();
    secret
}

fn call(server: &TestServer, method: &str, headers: &[(&str, &str)]) -> Answer {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let headers: Vec<_> = headers.iter().copied().chain([form]).collect();
    let arguments = percent(r#"{"worker": "w", "seconds": 0}"#);
    let path = format!("/api/{method}");
    server.ask("POST", &path, &headers, &format!("data={arguments}"))
}

fn with_token(server: &TestServer, method: &str, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    call(server, method, &[("authorization", &bearer)])
}

#[test]
fn each_role_may_call_what_it_needs() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path(), Authentication::Auto);
    for role in Role::ALL {
        let token = token(home.path(), role.name(), role);
        for (method, needed) in METHODS {
            let answer = with_token(&server, method, &token);
            if role >= needed {
                // The scheduler of these tests lets nobody wait.
                let expected = if method == "await_work" { 404 } else { 200 };
                assert_eq!(
                    answer.status,
                    expected,
                    "{role} {method}: {}",
                    answer.text()
                );
            } else {
                assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"));
                let why = format!("this needs the role {needed}, and the token `{role}` has");
                assert!(answer.text().contains(&why), "{}", answer.text());
            }
        }
    }
}

#[test]
fn a_viewer_changes_nothing_also_where_nobody_says_so() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path(), Authentication::Auto);
    for (role, refused) in [(Role::Viewer, true), (Role::Worker, false)] {
        let bearer = format!("Bearer {}", token(home.path(), role.name(), role));
        let header = [("authorization", bearer.as_str())];
        for verb in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = server.ask(verb, "/api/v1/nothing/yet", &header, "");
            let text = answer.text();
            assert_eq!(answer.status == 403, refused, "{role} {verb}: {text}");
            // Whoever asks for the role of workers would be refused again.
            let names_operators = text.contains("this needs the role operator");
            assert_eq!(names_operators, refused, "{role} {verb}: {text}");
        }
    }
}

#[test]
fn the_first_token_closes_the_door_and_a_revoked_one_opens_nothing() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path(), Authentication::Auto);
    assert_eq!(
        call(&server, "pause", &[]).status,
        200,
        "nobody has a token yet"
    );
    let token = token(home.path(), "a", Role::Operator);
    let refused = call(&server, "pause", &[]);
    assert_eq!((refused.status, refused.code().as_str()), (401, "no_token"));
    assert!(refused.text().contains("Authorization: Bearer"));
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.contains("Bearer realm=") && challenge.contains("Basic realm="));
    assert_eq!(with_token(&server, "pause", &token).status, 200);
    TokenFile::of(home.path()).revoke("a").unwrap();
    let refused = with_token(&server, "pause", &token);
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (401, "bad_token")
    );
    assert_eq!(call(&server, "pause", &[]).status, 401, "it stays closed");
}

#[test]
fn a_token_comes_as_a_password_from_stock_workers() {
    let home = tempfile::tempdir().unwrap();
    let token = token(home.path(), "a", Role::Worker);
    let server = serve(home.path(), Authentication::Auto);
    let basic = |user: &str| {
        format!(
            "Basic {}",
            BASE64_STANDARD.encode(format!("{user}:{token}"))
        )
    };
    for user in ["worker", ""] {
        let answer = call(&server, "ping", &[("authorization", &basic(user))]);
        assert_eq!(answer.status, 200, "{user}");
    }
    let odd = call(&server, "ping", &[("authorization", "Digest x")]);
    assert_eq!((odd.status, odd.code().as_str()), (401, "bad_credentials"));
    assert!(
        odd.text().contains("neither Bearer nor Basic"),
        "{}",
        odd.text()
    );
}

#[test]
fn an_expired_token_is_named_and_let_in_no_more() {
    let home = tempfile::tempdir().unwrap();
    let new = NewToken {
        name: "old".to_owned(),
        role: Role::Worker,
        lasts_secs: Some(0),
    };
    let (_, token) = TokenFile::of(home.path()).create(&new).unwrap();
    let server = serve(home.path(), Authentication::Auto);
    let answer = with_token(&server, "ping", &token);
    assert_eq!(answer.status, 401);
    assert!(
        answer.text().contains("`old` has expired"),
        "{}",
        answer.text()
    );
}

#[test]
fn pages_need_a_viewer_and_probes_need_nobody() {
    let home = tempfile::tempdir().unwrap();
    let token = token(home.path(), "a", Role::Viewer);
    let server = serve(home.path(), Authentication::Auto);
    let bearer = format!("Bearer {token}");
    for path in [
        "/static/visualiser/index.html",
        "/metrics",
        "/history",
        "/nothing",
    ] {
        assert_eq!(server.get(path).status, 401, "{path}");
        let answer = server.ask("GET", path, &[("authorization", &bearer)], "");
        assert!(![401, 403].contains(&answer.status), "{path}");
    }
    assert_eq!(server.ask("HEAD", "/", &[], "").status, 204);
    for path in ["/robots.txt", "/favicon.ico", "/", "/index.js"] {
        assert!(server.get(path).status < 300, "{path}");
    }
    assert_eq!(server.ask("OPTIONS", "/api/ping", &[], "").status, 204);
    let script = [
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "same-origin"),
    ];
    let asked = server.ask("GET", "/metrics", &script, "");
    let challenge = asked.header("www-authenticate").unwrap();
    assert!(
        !challenge.contains("Basic"),
        "no dialogue comes up: {challenge}"
    );
}

#[test]
fn who_tries_too_many_tokens_is_not_listened_to_and_its_neighbour_is() {
    let home = tempfile::tempdir().unwrap();
    let (known, new) = (
        token(home.path(), "known", Role::Worker),
        token(home.path(), "new", Role::Worker),
    );
    let server = serve(home.path(), Authentication::Auto);
    assert_eq!(with_token(&server, "ping", &known).status, 200);
    for _ in 0..3 {
        assert_eq!(with_token(&server, "ping", "guess").status, 401);
    }
    for guess in ["guess", &new] {
        let answer = with_token(&server, "ping", guess);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (429, "too_many_attempts")
        );
        assert_eq!(answer.header("retry-after"), Some("60"));
    }
    assert_eq!(with_token(&server, "ping", &known).status, 200);
    assert_eq!(
        call(&server, "ping", &[]).status,
        401,
        "no token is no guess"
    );
}

#[test]
fn a_unix_socket_is_protected_by_its_file_unless_told_otherwise() {
    let home = tempfile::tempdir().unwrap();
    let token = token(home.path(), "a", Role::Viewer);
    let status = |authentication, header: &str| {
        let path = home.path().join("socket");
        let listeners = bind(&[Place::Unix(path.clone())]).unwrap();
        let setup = Setup {
            http: config(home.path(), authentication),
            ..Setup::default()
        };
        let _server = setup.start_on(handle(&[]), listeners);
        let mut stream = UnixStream::connect(path).unwrap();
        let request = format!(
            "POST /api/pause HTTP/1.1\r\nhost: x\r\n{header}content-length: 0\r\nconnection: close\r\n\r\n"
        );
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer[9..12].to_owned()
    };
    let bearer = format!("authorization: Bearer {token}\r\n");
    assert_eq!(status(Authentication::Auto, ""), "200");
    assert_eq!(
        status(Authentication::Auto, &bearer),
        "403",
        "who says who he is, is that"
    );
    assert_eq!(status(Authentication::Always, ""), "401");
    assert_eq!(status(Authentication::Never, &bearer), "200");
}

#[test]
fn tokens_that_cannot_be_read_let_nobody_in_and_are_read_again() {
    let home = tempfile::tempdir().unwrap();
    let token = token(home.path(), "a", Role::Worker);
    let server = serve(home.path(), Authentication::Auto);
    let path = home.path().join("tokens.json");
    let good = fs::read(&path).unwrap();
    fs::write(&path, "{").unwrap();
    for answer in [
        with_token(&server, "ping", &token),
        call(&server, "ping", &[]),
    ] {
        assert_eq!((answer.status, answer.code().as_str()), (503, "no_tokens"));
    }
    fs::write(&path, good).unwrap();
    assert_eq!(with_token(&server, "ping", &token).status, 200);
}

#[test]
fn where_nobody_is_asked_tokens_do_not_matter() {
    let home = tempfile::tempdir().unwrap();
    token(home.path(), "a", Role::Viewer);
    let server = serve(home.path(), Authentication::Never);
    assert_eq!(call(&server, "pause", &[]).status, 200);
    assert_eq!(with_token(&server, "pause", "nonsense").status, 200);
}

/// The cookie's name and value.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").expect("a cookie");
    for attribute in ["Path=/", "HttpOnly", "SameSite=Strict"] {
        assert!(set.split("; ").any(|part| part == attribute), "{set}");
    }
    set.split(';').next().unwrap().to_owned()
}

#[test]
fn a_browser_signs_in_with_a_token_and_out_again() {
    let home = tempfile::tempdir().unwrap();
    let token = token(home.path(), "anna", Role::Operator);
    let server = serve(home.path(), Authentication::Auto);
    let bearer = format!("Bearer {token}");
    let session =
        |verb: &str, headers: &[(&str, &str)]| server.ask(verb, "/api/v1/session", headers, "");
    assert_eq!(session("POST", &[]).status, 401);
    assert_eq!(session("GET", &[]).status, 401);
    let begun = session("POST", &[("authorization", &bearer)]);
    assert_eq!(begun.status, 200);
    assert_eq!(begun.text(), "{\"name\":\"anna\",\"role\":\"operator\"}\n");
    assert_eq!(begun.header("cache-control"), Some("no-store"));
    let first = cookie(&begun);
    assert!(!first.contains(&token), "{first}");
    let own = [("cookie", first.as_str()), ("origin", "http://localhost")];
    assert_eq!(call(&server, "pause", &own).status, 200);
    assert!(session("GET", &own).text().contains("anna"));
    let foreign = [
        ("cookie", first.as_str()),
        ("origin", "http://evil.example"),
    ];
    assert_eq!(call(&server, "unpause", &foreign).status, 403);
    assert_eq!(session("PUT", &own).status, 405);
    let again = session("POST", &own);
    assert_eq!((again.status, again.code().as_str()), (400, "no_token"));

    let over_proxy = [
        ("authorization", bearer.as_str()),
        ("x-forwarded-proto", "https"),
    ];
    let second = session("POST", &over_proxy);
    assert!(second.header("set-cookie").unwrap().ends_with("; Secure"));
    assert!(!begun.header("set-cookie").unwrap().contains("Secure"));
    let second = cookie(&second);
    assert_ne!(first, second);

    let ended = session("DELETE", &own);
    assert!(ended.header("set-cookie").unwrap().contains("Max-Age=0"));
    let over = session("GET", &own);
    assert_eq!((over.status, over.code().as_str()), (401, "session_over"));
    let second = [("cookie", second.as_str())];
    assert_eq!(session("GET", &second).status, 200);
    TokenFile::of(home.path()).revoke("anna").unwrap();
    assert_eq!(
        session("GET", &second).status,
        401,
        "with its token it ends"
    );
}

#[test]
fn a_stream_ends_with_the_token_of_its_reader() {
    let home = tempfile::tempdir().unwrap();
    let setup = Setup {
        http: config(home.path(), Authentication::Auto),
        events: EventsConfig {
            heartbeat: Duration::from_millis(20),
            ..EventsConfig::default()
        },
        ..Setup::default()
    };
    let server = setup.start();
    let begin = |header: &[(&str, &str)]| {
        let mut stream = server.connect();
        send(&mut stream, "GET", "/api/v1/events", header, b"");
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        stream
    };
    let mut anybodys = begin(&[]);
    let viewer = token(home.path(), "a", Role::Viewer);
    let bearer = format!("Bearer {viewer}");
    // It would go on for ever: to read to its end takes its end.
    let mut rest = String::new();
    anybodys.read_to_string(&mut rest).unwrap();
    let mut viewers = begin(&[("authorization", &bearer)]);
    let mut part = [0; 1000];
    for _ in 0..5 {
        assert!(viewers.read(&mut part).unwrap() > 0, "it goes on meanwhile");
    }
    TokenFile::of(home.path()).revoke("a").unwrap();
    viewers.read_to_string(&mut rest).unwrap();
}
