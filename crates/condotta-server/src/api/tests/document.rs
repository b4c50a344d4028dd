//! Every operation of the OpenAPI document is called with what it says is right and with what is not:
//! each answer has a status that the document names, and the shape that it has there.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    thread,
};

use condotta_history::{Address, Settings};
use condotta_protocol::{LogFrame, LogSource};
use jsonschema::Validator;
use serde_json::{Value, json};

use super::{Live, named};
use crate::{
    access::Authentication,
    notify::WebhookConfig,
    testing::{Answer, PATIENCE, receive, send},
};

const JSON: (&str, &str) = ("content-type", "application/json");

/// The document, the shapes in it that were needed so far, and what was answered well.
struct Document {
    whole: Value,
    shapes: BTreeMap<String, Validator>,
    answered: BTreeSet<(String, String)>,
    /// The name of an attempt that there is.
    attempt: String,
}

/// An operation of it.
#[derive(Clone)]
struct Operation {
    verb: String,
    path: String,
    what: Value,
}

impl Document {
    fn operations(&self) -> Vec<Operation> {
        let paths = self.whole["paths"].as_object().expect("paths");
        let all = paths.iter().flat_map(|(path, verbs)| {
            let verbs = verbs.as_object().expect("verbs");
            verbs.iter().map(|(verb, what)| Operation {
                verb: verb.to_uppercase(),
                path: path.clone(),
                what: what.clone(),
            })
        });
        all.collect()
    }

    /// Follows references to where something is described.
    fn resolved<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        while let Some(place) = schema["$ref"].as_str() {
            let pointer = place.trim_start_matches('#');
            schema = self.whole.pointer(pointer).expect("it is in the document");
        }
        schema
    }

    fn check(&mut self, operation: &Operation, asked: &str, answer: &Answer) {
        let status = answer.status.to_string();
        let place = format!("{} {asked}: {status}", operation.verb);
        let described = &operation.what["responses"][&status];
        assert!(
            described.is_object(),
            "{place} is not described: {}",
            answer.text()
        );
        if answer.status == 200 {
            let answered = (operation.verb.clone(), operation.path.clone());
            self.answered.insert(answered);
        }
        let kind = answer.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        let content = &described["content"][kind];
        assert!(content.is_object(), "{place} is of the kind {kind:?}");
        if kind != "application/json" {
            return;
        }
        let schema = &content["schema"];
        let value: Value = serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| panic!("{place} is no JSON: {}", answer.text()));
        let validator = self.shapes.entry(schema.to_string()).or_insert_with(|| {
            let mut whole = schema.clone();
            whole["components"] = self.whole["components"].clone();
            jsonschema::validator_for(&whole).expect("a schema")
        });
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{place}: {errors:?} in {value}");
    }
}

impl Operation {
    fn parameters(&self, place: &str) -> Vec<&Value> {
        let all = self.what["parameters"].as_array();
        let all = all.into_iter().flatten();
        all.filter(|parameter| parameter["in"] == place).collect()
    }

    /// The path with names that are there.
    fn known_path(&self, document: &Document) -> String {
        let id = match &self.path {
            path if path.starts_with("/workers") => "w",
            path if path.starts_with("/attempts") => &document.attempt,
            path if path.contains("/messages") => TALKS,
            _ => RUNS,
        };
        let path = self.path.replace("{id}", id).replace("{name}", "db");
        path.replace("{message_id}", "none")
            .replace("{family}", "Run")
    }

    /// The shape of a body in JSON, if it takes one.
    fn body(&self) -> Option<&Value> {
        self.what
            .pointer("/requestBody/content/application~1json/schema")
    }

    fn call(&self, live: &Live, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        // A session is begun with one.
        let token = ("authorization", "Bearer nobody-looks-at-it");
        let headers: Vec<_> = headers.iter().copied().chain([token]).collect();
        live.server
            .ask(&self.verb, &format!("/api/v1{path}"), &headers, body)
    }

    /// The parameters that it cannot do without, with good values.
    fn required(&self, document: &Document) -> Vec<(String, String)> {
        let query = self.parameters("query");
        let required = query
            .into_iter()
            .filter(|parameter| parameter["required"] == true);
        let with_value = required.map(|parameter| {
            let name = parameter["name"].as_str().expect("a name");
            let (good, _) = values(document, &parameter["schema"]);
            let value = match name {
                "task" => "Load_1",
                "task_id" => TALKS,
                "worker" => "c",
                _ => &good[0],
            };
            (name.to_owned(), value.to_owned())
        });
        with_value.collect()
    }
}

fn query(pairs: &[(String, String)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{}={value}", named(name)));
    let query = pairs.collect::<Vec<_>>().join("&");
    if query.is_empty() {
        query
    } else {
        format!("?{query}")
    }
}

/// Values of a parameter that are right, and values that are wrong, as they stand in a query.
fn values(document: &Document, schema: &Value) -> (Vec<String>, Vec<String>) {
    let schema = document.resolved(schema);
    for choices in ["oneOf", "anyOf", "allOf"] {
        if let Some(choices) = schema[choices].as_array() {
            let real = choices.iter().filter(|choice| choice["type"] != "null");
            let all = real.map(|choice| values(document, choice));
            let (mut good, mut bad) = (Vec::new(), vec!["nothing%20like%20this".to_owned()]);
            for (right, wrong) in all {
                good.extend(right);
                bad.extend(wrong);
            }
            return (good, bad);
        }
    }
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().filter_map(Value::as_str);
        return (
            words.map(str::to_owned).collect(),
            texts(&["nothing", "", "%00"]),
        );
    }
    if let Some(word) = schema["const"].as_str() {
        return (vec![word.to_owned()], texts(&["nothing"]));
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| **kind != "null").expect("a type"),
        kind => kind,
    };
    match kind.as_str().expect("a type") {
        "array" => values(document, &schema["items"]),
        "boolean" => (texts(&["true", "false"]), texts(&["maybe", "1"])),
        "integer" => {
            let least = schema["minimum"].as_u64().unwrap_or(0);
            let mut wrong = texts(&["-1", "1.5", "many", "99999999999999999999999", "%00", "NaN"]);
            if let Some(most) = schema["maximum"].as_u64() {
                wrong.push((most + 1).to_string());
            }
            (vec![least.to_string(), (least + 1).to_string()], wrong)
        }
        "number" => (
            texts(&["0", "-1.5", "1e300"]),
            texts(&["soon", "%F0%9F%98%80", "1,5"]),
        ),
        // Any text may name something, or nothing.
        _ => (texts(&["x", "", "%F0%9F%98%80%00%ff", "a%3Db"]), Vec::new()),
    }
}

/// A body that is right, made of what is described.
fn body(document: &Document, schema: &Value) -> Value {
    let schema = document.resolved(schema);
    let kind = match &schema["type"] {
        Value::Array(kinds) => &kinds[0],
        kind => kind,
    };
    if let Some(choices) = schema["oneOf"].as_array() {
        return body(document, &choices[0]);
    }
    if let Some(words) = schema["enum"].as_array() {
        return words[0].clone();
    }
    match kind.as_str().unwrap_or_default() {
        "object" => {
            let required: Vec<&str> = schema["required"].as_array().map_or(Vec::new(), |names| {
                names.iter().filter_map(Value::as_str).collect()
            });
            let properties = schema["properties"].as_object().expect("properties");
            let wanted = properties
                .iter()
                .filter(|(name, _)| required.contains(&name.as_str()));
            wanted
                .map(|(name, schema)| (name.clone(), body(document, schema)))
                .collect()
        }
        "integer" => schema["minimum"].as_u64().unwrap_or(1).max(1).into(),
        "string" => json!("text"),
        _ => schema["const"].clone(),
    }
}

/// A task that runs, at the beginning, and one that reads messages and runs all the time.
const RUNS: &str = "Run_1";
const TALKS: &str = "Talk_1";

/// A server with one of everything: tasks that wait, run and have failed, workers, a limit, a token, a
/// webhook and what an attempt printed.
fn server() -> Live {
    let live = Live::start_with(|config| {
        let file = config.state_dir.join("history.sqlite");
        config.history = Some(Settings::new(Address::file(&file)));
        config.http.access.authentication = Authentication::Never;
        let url = format!("http://127.0.0.1:{}/hook", receiver());
        config.notify.webhooks.push(WebhookConfig::new("db", &url));
    });
    let info = json!({"worker": "c", "info": {"cancels": true, "workers": 3}});
    live.rpc("add_worker", &info);
    for (id, family) in [("Fail_1", "Fail"), (RUNS, "Run"), (TALKS, "Talk")] {
        let task = json!({
            "worker": "c", "task_id": id, "family": family, "accepts_messages": true,
        });
        live.rpc("add_task", &task);
        let work = live.rpc("get_work", &json!({"worker": "c", "host": "h"}));
        assert_eq!(work["task_id"], id);
        print(&live, id);
    }
    let failed = json!({
        "worker": "c", "task_id": "Fail_1", "status": "FAILED", "runnable": null, "expl": "\"no\"",
    });
    live.rpc("add_task", &failed);
    let task = |day: u32| {
        json!({
            "task_id": format!("Load_{day}"), "family": "etl.Load", "module": "etl",
            "params": {"day": day.to_string()}, "resources": {"db": 1},
            "deps": [format!("Load_{}", day + 1)],
        })
    };
    live.add_tasks((1..=5).map(task));
    live.posted("/tokens", &json!({"name": "db", "role": "operator"}));
    live.posted("/prune", &json!({}));
    live
}

/// The worker sends what a run prints; the attempt's id.
fn print(live: &Live, task: &str) -> String {
    let frame = LogFrame {
        number: 1,
        // So all its bytes are text.
        time_millis: 1,
        source: LogSource::Stdout,
        text: b"hello\n".to_vec(),
    };
    let mut bytes = Vec::new();
    frame.write(&mut bytes);
    let body = String::from_utf8(bytes).expect("it is text");
    let path = format!("/api/v1/attempt-log?task_id={task}&worker=c");
    let kind = ("content-type", "application/octet-stream");
    let answer = live.server.ask("POST", &path, &[kind], &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let taken: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(taken["last"], 1);
    taken["id"].as_str().expect("an id").to_owned()
}

/// The port of a receiver of webhooks that takes everything.
fn receiver() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("somebody comes");
            let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
            while !text.ends_with(b"}") {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => text.extend_from_slice(&buffer[..count]),
                }
            }
            let answer = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

fn document(live: &Live) -> Document {
    let attempt = print(live, TALKS);
    // The history is written a moment after what happened.
    let deadline = std::time::Instant::now() + PATIENCE;
    while live.get(&format!("/attempts/{attempt}")).0 != 200 {
        assert!(std::time::Instant::now() < deadline, "it is in no history");
        thread::sleep(std::time::Duration::from_millis(20));
    }
    Document {
        whole: live.got("/openapi.json"),
        shapes: BTreeMap::new(),
        answered: BTreeSet::new(),
        attempt,
    }
}

#[test]
fn every_operation_answers_as_is_described_to_what_is_right_and_wrong() {
    let live = server();
    let mut document = document(&live);
    let operations = document.operations();
    for operation in &operations {
        call_with_names(&live, &mut document, operation);
        call_with_parameters(&live, &mut document, operation);
        if let Some(schema) = operation.body() {
            call_with_bodies(&live, &mut document, operation, schema);
        }
    }
    // What is required of it is not enough.
    let actions = operations.iter().find(|it| it.path == "/tasks/actions");
    let actions = actions.expect("it is described");
    let some = json!({"action": "done", "tasks": [RUNS]}).to_string();
    let answer = actions.call(&live, &actions.path, &[JSON], &some);
    document.check(actions, &some, &answer);
    let all = operations.into_iter().map(|it| (it.verb, it.path));
    let never: Vec<_> = all.filter(|it| !document.answered.contains(it)).collect();
    assert_eq!(never, [], "these were never answered well");
    // All that changes something is in the audit trail, and what was refused.
    let foreign = [("origin", "https://evil.example")];
    let refused = live.server.ask("POST", "/api/v1/pause", &foreign, "");
    assert_eq!(refused.status, 403);
    let trail = live.got("/audit?limit=1000");
    let items = trail["items"].as_array().expect("items").iter();
    let done: BTreeSet<&str> = items.filter_map(|it| it["operation"].as_str()).collect();
    let schema = &document.whole["components"]["schemas"]["Operation"];
    let known = schema["oneOf"].as_array().or(schema["enum"].as_array());
    let known = known.expect("operations").iter();
    let known = known.filter_map(|it| {
        it.as_str()
            .or(it["const"].as_str())
            .or(it["enum"][0].as_str())
    });
    let never: Vec<&str> = known.filter(|known| !done.contains(known)).collect();
    assert_eq!(never, Vec::<&str>::new(), "{schema}");
    assert!(done.len() > 14, "{done:?}");
}

/// What the tests above see of a stream is its head.
#[test]
fn streams_have_what_their_descriptions_promise() {
    let live = server();
    let attempt = print(&live, TALKS);
    for (path, expected) in [
        ("/events".to_owned(), "event: hello"),
        ("/events?kind=counts&family=Run".to_owned(), "event: hello"),
        (
            format!("/attempts/{attempt}/log?follow=true&format=events"),
            "hello",
        ),
        (
            format!("/tasks/{TALKS}/log?follow=true&format=json"),
            "hello",
        ),
    ] {
        let mut stream = live.server.connect();
        send(&mut stream, "GET", &format!("/api/v1{path}"), &[], b"");
        let head = receive(&mut stream, "GET");
        assert_eq!(head.status, 200, "{path}");
        let mut lines = BufReader::new(stream).lines();
        let found = lines.find(|line| line.as_ref().expect("it goes on").contains(expected));
        assert!(found.is_some(), "{path}");
    }
}

/// Path names that are there, are not, and are none.
fn call_with_names(live: &Live, document: &mut Document, operation: &Operation) {
    let required = query(&operation.required(document));
    let known = operation.known_path(document) + &required;
    let answer = operation.call(live, &known, &[], "");
    document.check(operation, &known, &answer);
    let wants_body = operation.body().is_some();
    if operation.verb == "GET" {
        assert_eq!(answer.status, 200, "{known}: {}", answer.text());
    } else if wants_body {
        assert_eq!(answer.status, 415, "{known}: {}", answer.text());
    }
    if !operation.path.contains('{') {
        return;
    }
    let long = "x".repeat(20_000);
    for name in [
        "nobody",
        "%00",
        "%ff",
        "%F0%9F%98%80",
        "%3Cscript%3E",
        "a%2Fb",
        &long,
    ] {
        let open = operation.path.find('{').expect("a name");
        let end = operation.path.find('}').expect("a name") + 1;
        let path = &operation.path;
        let path = format!("{}{name}{}", &path[..open], &path[end..]);
        let path = path.replace("{message_id}", name) + &required;
        let headers = if wants_body { &[JSON][..] } else { &[] };
        let answer = operation.call(live, &path, headers, if wants_body { "{}" } else { "" });
        document.check(operation, &path[..path.len().min(100)], &answer);
        if name == "%ff" {
            assert_eq!(answer.status, 400, "{path}");
        }
    }
}

/// Whether a good value of a parameter may be one of something that there is not.
fn may_be_unknown(operation: &Operation, name: &str) -> bool {
    let is_named = matches!(name, "after" | "param" | "task" | "attempt");
    is_named || operation.path == "/attempt-log"
}

fn call_with_parameters(live: &Live, document: &mut Document, operation: &Operation) {
    let described = operation.parameters("query");
    let path = operation.known_path(document);
    for parameter in &described {
        let name = parameter["name"].as_str().expect("a name");
        let others = operation.required(document);
        let others: Vec<_> = others.into_iter().filter(|other| other.0 != name).collect();
        let (good, bad) = values(document, &parameter["schema"]);
        for (value, is_good) in good
            .iter()
            .map(|it| (it, true))
            .chain(bad.iter().map(|it| (it, false)))
        {
            let mut pairs = others.clone();
            pairs.push((name.to_owned(), value.clone()));
            let asked = format!("{path}{}", query(&pairs));
            let answer = operation.call(live, &asked, &[], "");
            document.check(operation, &asked, &answer);
            if !is_good {
                assert_eq!(answer.status, 400, "{asked}: {}", answer.text());
            } else if !may_be_unknown(operation, name) && value != "%00" {
                assert_eq!(answer.status, 200, "{asked}: {}", answer.text());
            }
        }
    }
    if !described.is_empty() {
        let mut pairs = operation.required(document);
        pairs.push(("no_such_parameter".to_owned(), "1".to_owned()));
        let asked = format!("{path}{}", query(&pairs));
        let answer = operation.call(live, &asked, &[], "");
        document.check(operation, &asked, &answer);
        assert_eq!(answer.status, 400, "{asked}");
    }
    for (name, _) in operation.required(document) {
        let answer = operation.call(live, &path, &[], "");
        document.check(operation, &path, &answer);
        assert_eq!(answer.status, 400, "{path} without {name}");
    }
}

fn call_with_bodies(live: &Live, document: &mut Document, operation: &Operation, schema: &Value) {
    let path = operation.known_path(document);
    let good = body(document, schema);
    let mut ask = |headers: &[(&str, &str)], text: &str| {
        let answer = operation.call(live, &path, headers, text);
        let shown = text.chars().take(100).collect::<String>();
        document.check(operation, &format!("{path} {shown}"), &answer);
        answer.status
    };
    let status = ask(&[JSON], &good.to_string());
    assert!(matches!(status, 200 | 400 | 409), "{path}: {status}");
    let long = format!("{{\"x\": \"{}\"}}", "y".repeat(2 << 20));
    let deep = "[".repeat(100_000);
    for text in ["", "{", "null", "[]", "\"text\"", "{} {}", "\u{0}", &deep] {
        assert_eq!(
            ask(&[JSON], text),
            400,
            "{path}: {}",
            &text[..text.len().min(20)]
        );
    }
    assert_eq!(ask(&[JSON], &long), 413, "{path}");
    assert_eq!(ask(&[], &good.to_string()), 415, "{path}");
    let wrong = [
        json!(null),
        json!([]),
        json!({}),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(true),
    ];
    for name in good.as_object().expect("an object").keys() {
        for value in &wrong {
            let mut bad = good.clone();
            bad[name] = value.clone();
            assert_eq!(ask(&[JSON], &bad.to_string()), 400, "{path}: {bad}");
        }
        let mut bad = good.clone();
        bad.as_object_mut().expect("an object").remove(name);
        assert_eq!(ask(&[JSON], &bad.to_string()), 400, "{path}: {bad}");
    }
    let mut more = good;
    more["no_such_thing"] = json!(1);
    assert_eq!(ask(&[JSON], &more.to_string()), 400, "{path}: {more}");
}
