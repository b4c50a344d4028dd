//! The operators' commands and servers that break off, fail, or say what ours never says.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

use crate::processes::{Ended, Place};

const ATTEMPT: &str = "18c2a7d5e1f0-0123abcd";

/// A server with one answer for each request, after which its connection ends. Nobody listens after the last.
struct Scripted {
    url: String,
    /// The first lines of the requests.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = asked.clone();
        thread::spawn(move || {
            for answer in answers {
                let (stream, _) = listener.accept().unwrap();
                let mut request = BufReader::new(stream);
                let mut lines = Vec::new();
                loop {
                    let mut line = String::new();
                    request.read_line(&mut line).unwrap();
                    if line.trim().is_empty() {
                        break;
                    }
                    lines.push(line.trim().to_lowercase());
                }
                let mut lengths = lines
                    .iter()
                    .map(|line| line.strip_prefix("content-length: "));
                let length = lengths.find_map(|length| length?.parse().ok());
                // What is left unread would break the connection before its answer is read.
                request
                    .read_exact(&mut vec![0; length.unwrap_or(0)])
                    .unwrap();
                noted.lock().unwrap().push(lines.swap_remove(0));
                request.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { url, asked }
    }

    /// Runs a command that asks it.
    fn run(&self, place: &Place, words: &[&str]) -> Ended {
        let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
        command.args(words).args(["--scheduler-url", &self.url]);
        place.start("command", &mut command).end()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// An answer that ends with its connection.
fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n{body}")
}

fn said(value: &Value) -> String {
    answer("200 OK", &value.to_string())
}

#[test]
fn a_log_is_followed_through_a_restart_also_before_anything_is_printed() {
    let place = Place::new();
    let end = json!({"source": "end"}).to_string() + "\n";
    let server = Scripted::start(vec![
        answer("200 OK", ""),
        String::new(),
        answer("503 Service Unavailable", ""),
        answer("200 OK", &end),
    ]);
    let ended = server.run(&place, &["log", ATTEMPT, "-f"]).with_code(0);
    ended.says("does not answer; waiting up to 120 s for it");
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn what_does_not_pass_by_itself_is_not_waited_for() {
    let broken = answer("500 Internal Server Error", "");
    let missing = answer("404 Not Found", "");
    for (answers, text) in [
        (vec![broken], "cannot be asked: 500"),
        (vec![missing.clone(), missing], "there is no scheduler at"),
    ] {
        let place = Place::new();
        let piece = json!({"source": "stdout", "text": "a\n", "next": 2});
        let first = vec![said(&piece)];
        let server = Scripted::start([first, answers].concat());
        let ended = server.run(&place, &["log", ATTEMPT, "-f"]).with_code(7);
        ended.says(text);
        assert!(!ended.stderr.contains("waiting"), "{ended:?}");
    }
}

/// The connection broke after its id had come.
#[test]
fn an_event_that_broke_off_comes_again() {
    let place = Place::new();
    let event = |id: u64| {
        let data = json!({"task_id": format!("Load_{id}"), "to": "DONE"});
        format!("id: {id}\nevent: status\ndata: {data}\n\n")
    };
    let broken = event(1) + "id: 2\nevent: status\n";
    let mut answers = vec![answer("200 OK", &broken)];
    // How many tasks there are of each status.
    answers.extend(vec![said(&json!({"response": {}})); 7]);
    answers.push(answer("200 OK", &event(2)));
    let server = Scripted::start(answers);
    let ended = server.run(&place, &["watch", "--count", "3"]).with_code(0);
    ended.says("DONE Load_1\n").says("DONE Load_2\n");
    let asked = server.asked();
    assert!(
        asked.last().unwrap().contains("&last_event_id=1 "),
        "{asked:?}"
    );
}

#[test]
fn a_task_that_refused_and_changed_by_itself_was_not_changed() {
    let place = Place::new();
    let outcome = json!({"task_id": "Load_1", "before": "RUNNING", "after": "RUNNING",
                         "changed": false});
    let server = Scripted::start(vec![
        said(&json!({"task": {"id": "Load_1", "status": "FAILED"}})),
        said(&json!({"outcomes": [outcome]})),
    ]);
    let ended = server.run(&place, &["forgive", "Load_1", "--json"]);
    let ended = ended.with_code(6);
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
    let task = json!({"task_id": "Load_1", "status": "RUNNING", "changed": false});
    assert_eq!(answer, json!({"tasks": [task]}));
}

#[test]
fn an_answer_of_another_shape_is_no_fault_of_the_command() {
    let place = Place::new();
    let hooks = Scripted::start(vec![said(&json!([1]))]);
    hooks.run(&place, &["webhook"]).with_code(0);
    let paused = Scripted::start(vec![said(&json!("paused")); 2]);
    let ended = paused.run(&place, &["pause"]);
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
}
