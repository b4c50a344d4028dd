//! The event stream, read as browsers read it.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use serde_json::{Value, json};

use super::{Live, named};
use crate::testing::TestServer;

/// An event as it came.
#[derive(Clone, Debug)]
struct Event {
    id: String,
    kind: String,
    data: Value,
}

struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(server: &TestServer, query: &str, last: Option<&str>) -> Self {
        let mut stream = Self::ask(server, query, last);
        let status = stream.line();
        assert!(status.contains(" 200 "), "{status}");
        while !stream.line().is_empty() {}
        stream
    }

    fn ask(server: &TestServer, query: &str, last: Option<&str>) -> Self {
        let mut stream = server.connect();
        let last = last.map_or(String::new(), |id| format!("last-event-id: {id}\r\n"));
        // Of this version, so that the answer is not sent in chunks.
        let head = format!("GET /api/v1/events{query} HTTP/1.0\r\nhost: localhost\r\n{last}\r\n");
        stream.write_all(head.as_bytes()).expect("the server reads");
        Self(BufReader::new(stream))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line in time");
        line.trim_end().to_owned()
    }

    /// The next event; nothing at the end.
    fn next(&mut self) -> Option<Event> {
        let (mut id, mut kind, mut data) = (String::new(), String::new(), Value::Null);
        let mut silences = 0;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).expect("a line in time") == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                _ if silences > 1 => panic!("nothing comes any more"),
                Some(("id", text)) => id = text.to_owned(),
                Some(("event", text)) => kind = text.to_owned(),
                Some(("data", text)) => data = serde_json::from_str(text).expect("JSON"),
                Some(("", _)) => silences += 1,
                None if !kind.is_empty() => return Some(Event { id, kind, data }),
                _ => {}
            }
        }
    }

    fn wait_for(&mut self, is_it: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().expect("the stream goes on");
            if is_it(&event) {
                return event;
            }
        }
    }
}

fn add(live: &Live, id: &str, family: &str) {
    let task = json!({"worker": "w", "task_id": id, "family": family, "params": {"a": "1"}});
    live.rpc("add_task", &task);
}

#[test]
fn what_happens_is_told_in_order() {
    let live = Live::start();
    let mut stream = Stream::open(&live.server, "", None);
    let hello = stream.next().expect("an event");
    assert_eq!(
        (hello.kind.as_str(), &hello.data["resumed"]),
        ("hello", &json!(false))
    );
    add(&live, "Load_1", "Load");
    live.rpc("get_work", &json!({"worker": "w", "host": "h"}));
    let progress = json!({"task_id": "Load_1", "progress_percentage": 40});
    live.rpc("set_task_progress_percentage", &progress);
    live.posted("/pause", &json!({}));
    live.posted("/resources/db", &json!({"limit": 3}));
    live.posted("/workers/w/disable", &json!({}));
    let worker = stream.wait_for(|event| event.kind == "worker");
    assert_eq!(
        (&worker.data["worker"], &worker.data["change"]),
        (&json!("w"), &json!("attached"))
    );
    let new = stream.wait_for(|event| event.kind == "status");
    assert_eq!(
        (&new.data["from"], &new.data["to"]),
        (&Value::Null, &json!("PENDING"))
    );
    assert_eq!(
        (&new.data["task_id"], &new.data["family"]),
        (&json!("Load_1"), &json!("Load"))
    );
    let runs = stream.wait_for(|event| event.kind == "status");
    assert_eq!(
        (&runs.data["to"], &runs.data["attempt"]),
        (&json!("RUNNING"), &json!(1))
    );
    assert_eq!(
        runs.data["attempt_id"],
        live.got("/tasks/Load_1")["task"]["attempt_id"]
    );
    let progress = stream.wait_for(|event| event.kind == "progress");
    assert_eq!(
        (&progress.data["progress"], &progress.data["task_id"]),
        (&json!(40.0), &json!("Load_1"))
    );
    assert_eq!(
        stream.wait_for(|event| event.kind == "paused").data["paused"],
        true
    );
    let limit = stream.wait_for(|event| event.kind == "limit");
    assert_eq!(
        (&limit.data["resource"], &limit.data["limit"]),
        (&json!("db"), &json!(3))
    );
    assert_eq!(
        stream.wait_for(|event| event.kind == "worker").data["change"],
        "disabled"
    );
}

#[test]
fn that_a_run_cannot_be_ended_is_told() {
    let live = Live::start();
    let mut stream = Stream::open(&live.server, "?kind=trouble&family=Load", None);
    live.refuse_to_cancel();
    let told = stream.wait_for(|event| event.kind == "trouble").data;
    assert!(told["at"].is_f64(), "{told}");
    let rest = (&told["task_id"], &told["trouble"], &told["reason"]);
    let expected = ["Load_1", "cancel_refused", "it runs in my own process"].map(|it| json!(it));
    assert_eq!(rest, (&expected[0], &expected[1], &expected[2]));
}

#[test]
fn the_numbers_of_tasks_are_told_as_they_change() {
    let live = Live::start();
    let mut stream = Stream::open(&live.server, "?kind=counts", None);
    for number in 0..3 {
        add(&live, &format!("T_{number}"), "T");
        live.posted(&format!("/tasks/T_{number}/disable"), &json!({}));
    }
    let counts = stream.wait_for(|event| event.data["counts"]["DISABLED"] == 3);
    assert_eq!(counts.data["counts"], live.got("/counts")["counts"]);
}

#[test]
fn filters_leave_out_what_is_not_wanted() {
    let live = Live::start();
    let query = "?kind=status&family=Wanted&family=Gone";
    let mut stream = Stream::open(&live.server, query, None);
    let hostile = "Wanted_<script>\u{202e}\n";
    let mut single = Stream::open(
        &live.server,
        &format!("?kind=status&task={}", named(hostile)),
        None,
    );
    for (id, family) in [
        ("A_1", "Unwanted"),
        (hostile, "Wanted"),
        ("B_1", "Unwanted"),
        ("W_2", "Wanted"),
    ] {
        add(&live, id, family);
    }
    assert_eq!(stream.next().expect("an event").kind, "hello");
    assert_eq!(stream.next().expect("an event").data["task_id"], hostile);
    assert_eq!(stream.next().expect("an event").data["task_id"], "W_2");
    assert_eq!(single.next().expect("an event").kind, "hello");
    assert_eq!(single.next().expect("an event").data["task_id"], hostile);
    for wrong in ["?kind=nothing", "?colour=red"] {
        let refused = live.server.get(&format!("/api/v1/events{wrong}"));
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, "bad_parameter")
        );
    }
}

#[test]
fn who_comes_back_gets_what_happened_meanwhile() {
    let live = Live::start();
    let mut stream = Stream::open(&live.server, "?kind=status", None);
    add(&live, "T_1", "T");
    let first = stream.wait_for(|event| event.kind == "status");
    drop(stream);
    add(&live, "T_2", "T");
    let mut last = first.id.clone();
    // Also when the stream breaks off after its beginning, whose id is the last then.
    for _ in 0..2 {
        let mut again = Stream::open(&live.server, "?kind=status", Some(&last));
        let hello = again.next().expect("an event");
        assert_eq!(hello.data["resumed"], true);
        assert_eq!(again.next().expect("an event").data["task_id"], "T_2");
        last = hello.id;
    }
    let query = format!("?kind=status&last_event_id={}", first.id);
    let mut again = Stream::open(&live.server, &query, None);
    assert_eq!(again.next().expect("an event").data["resumed"], true);
    for unknown in ["ffff-7", "nothing", &format!("{}9999999", first.id)] {
        let mut anew = Stream::open(&live.server, "?kind=status", Some(unknown));
        assert_eq!(anew.next().expect("an event").data["resumed"], false);
        let reset = anew.next().expect("an event");
        assert_eq!(reset.kind, "reset");
        // From there on it can be gone on with.
        let mut resumed = Stream::open(&live.server, "?kind=status", Some(&reset.id));
        assert_eq!(resumed.next().expect("an event").data["resumed"], true);
    }
}

#[test]
fn who_reads_too_slowly_is_told_what_is_missing() {
    let live = Live::start_with(|config| {
        config.events.kept_events = 50;
        config.events.max_rate = 20;
    });
    let mut stream = Stream::open(&live.server, "?kind=status", None);
    assert_eq!(stream.next().expect("an event").kind, "hello");
    live.add_tasks((0..2000).map(|number| json!({"task_id": format!("T_{number}")})));
    let reset = stream.wait_for(|event| event.kind == "reset");
    assert!(
        reset.data["skipped"]
            .as_u64()
            .is_some_and(|skipped| skipped > 50),
        "{reset:?}"
    );
    // It goes on with what is new.
    loop {
        add(&live, "New_1", "New");
        live.posted("/tasks/New_1/disable", &json!({}));
        live.posted("/tasks/New_1/re-enable", &json!({}));
        let event = stream.next().expect("the stream goes on");
        if event.data["task_id"] == "New_1" {
            break;
        }
    }
}

#[test]
fn readers_have_places_of_their_own_and_leave_them() {
    let live = Live::start_with(|config| config.events.max_readers = 3);
    let mut streams: Vec<Stream> = (0..3)
        .map(|_| Stream::open(&live.server, "", None))
        .collect();
    let refused = live.server.get("/api/v1/events");
    assert_eq!((refused.status, refused.code().as_str()), (503, "busy"));
    assert_eq!(live.got("/counts")["total"], 0);
    drop(streams.pop());
    // The server notices when it writes to whoever is gone.
    loop {
        add(&live, "T_1", "T");
        live.posted("/tasks/T_1/disable", &json!({}));
        live.posted("/tasks/T_1/re-enable", &json!({}));
        let mut stream = Stream::ask(&live.server, "", None);
        if stream.line().contains(" 200 ") {
            break;
        }
    }
}

#[test]
fn a_stop_ends_the_streams() {
    let live = Live::start();
    let mut stream = Stream::open(&live.server, "", None);
    assert_eq!(stream.next().expect("an event").kind, "hello");
    live.server.stop();
    while stream.next().is_some() {}
}
