//! What the server says of itself, and how it refuses what it does not have.

use serde_json::json;

use super::Live;

#[test]
fn the_server_says_what_it_is_and_who_asks() {
    let live = Live::start();
    let about = live.got("/about");
    assert_eq!(about["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (&about["ready"], &about["role"]),
        (&json!(true), &json!("operator"))
    );
    assert!(about["uptime"].as_f64().is_some_and(|secs| secs >= 0.0));
    let settings = live.got("/settings");
    assert_eq!(settings["retry_delay"], 900.0);
}

#[test]
fn what_is_not_there_is_said_in_one_shape() {
    let live = Live::start();
    let document = live.got("/openapi.json");
    assert_eq!(document, super::super::document());
    let (status, error) = live.get("/nothing/at/all");
    assert_eq!(
        (status, &error["error"]["code"]),
        (404, &json!("not_found"))
    );
    let (status, error) = live.get("/about/");
    assert_eq!(
        (status, &error["error"]["code"]),
        (404, &json!("not_found"))
    );
    let answer = live.server.ask("DELETE", "/api/v1/about", &[], "");
    assert_eq!((answer.status, answer.code().as_str()), (405, "wrong_verb"));
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    let answer = live.server.ask("OPTIONS", "/api/v1/about", &[], "");
    assert_eq!(answer.status, 204);
}
