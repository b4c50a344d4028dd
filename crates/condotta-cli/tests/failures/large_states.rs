//! Servers of many tasks: how they start, whom they keep waiting, and what is left afterwards.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    processes::{Kind, Place, Rpc, Server, free_port},
    wire::{self, Wire},
};

/// Much longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(60);

/// Announces so many tasks of a worker, in requests of a thousand.
fn announce(rpc: &Rpc, worker: &str, count: usize) {
    let numbers: Vec<usize> = (0..count).collect();
    for numbers in numbers.chunks(1000) {
        let tasks: Vec<Value> = numbers
            .iter()
            .map(|number| {
                let deps = number.checked_sub(1).map(|before| format!("Task{before}"));
                json!({
                    "task_id": format!("Task{number}"), "family": "Task",
                    "params": {"number": number.to_string()},
                    "deps": deps.as_slice(),
                })
            })
            .collect();
        let answer = rpc.call("add_tasks", &json!({"worker": worker, "tasks": tasks}));
        assert_eq!(answer["refused"], json!([]));
    }
}

/// How many tasks there are.
fn count(rpc: &Rpc) -> usize {
    let query = json!({"status": "", "upstream_status": "", "max_shown_tasks": 1});
    let answer = rpc.call("task_list", &query);
    match answer.get("num_tasks") {
        Some(count) => usize::try_from(count.as_u64().unwrap()).unwrap(),
        None => answer.as_object().unwrap().len(),
    }
}

/// Whoever comes while the state is read is told to come again, and never gets a wrong answer.
#[test]
fn while_the_state_is_read_clients_are_told_to_come_again() {
    const TASKS: usize = 30_000;
    let place = Place::new();
    let mut server = Server::start(&place, Kind::Ours);
    announce(&server.rpc, "w", TASKS);
    server.stop(Signal::SIGKILL);

    let port = free_port();
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args([
        "scheduler",
        "--address",
        "127.0.0.1",
        "--state-dir",
        "state",
    ]);
    command.args(["--port", &port.to_string()]);
    let mut process = place.start("server", &mut command);
    let began = Instant::now();
    let mut told = 0;
    let question = wire::post("is_paused", "Connection: close\r\n", "{}");
    loop {
        assert!(process.runs() && began.elapsed() < PATIENCE);
        let answer = whole_answer(port, &question);
        if answer.starts_with("http/1.1 200 ") {
            break;
        }
        if !answer.is_empty() {
            assert!(answer.starts_with("http/1.1 503 "), "{answer}");
            assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
            told += 1;
        }
    }
    assert!(told > 0, "the state was read in no time");
    server = Server::attach(process, port);
    assert_eq!(count(&server.rpc), TASKS);
}

/// All that comes in lower case; nothing while the server does not listen.
fn whole_answer(port: u16, question: &[u8]) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return String::new();
    };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(question).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.to_lowercase()
}

/// On luigid everybody waits while somebody looks at the page.
#[test]
fn workers_do_not_wait_for_those_who_look() {
    const TASKS: usize = 20_000;
    const LONGEST: Duration = Duration::from_secs(1);
    let place = Place::new();
    place.write("luigi.cfg", "[scheduler]\nmax_shown_tasks = 100000\n");
    let server = Server::start(&place, Kind::Ours);
    announce(&server.rpc, "many", TASKS);
    let ends = AtomicBool::new(false);
    let looks = thread::scope(|scope| {
        let looker = scope.spawn(|| {
            let mut looks = 0;
            while !ends.load(Ordering::Relaxed) {
                for view in ["task_list", "graph", "worker_list"] {
                    server.rpc.call(view, &json!({}));
                    looks += 1;
                }
            }
            looks
        });
        let mut worker = Wire::new(&server);
        let began = Instant::now();
        let mut slowest = Duration::ZERO;
        let mut number = 0;
        while began.elapsed() < Duration::from_secs(4) {
            let task = format!(r#"{{"worker": "w", "task_id": "Own{number}"}}"#);
            let done = format!(r#"{{"worker": "w", "task_id": "Own{number}", "status": "DONE"}}"#);
            let ask = r#"{"worker": "w", "current_tasks": []}"#;
            for (method, data) in [
                ("add_task", &*task),
                ("get_work", ask),
                ("ping", r#"{"worker": "w"}"#),
                ("add_task", &*done),
            ] {
                let asked = Instant::now();
                let answer = worker.call(method, data).expect("an answer");
                slowest = slowest.max(asked.elapsed());
                assert_eq!(answer.status, 200, "{method}: {answer:?}");
                if method == "get_work" {
                    let expected = format!(r#""task_id": "Own{number}""#);
                    assert!(answer.body.contains(&expected), "{answer:?}");
                }
            }
            number += 1;
        }
        ends.store(true, Ordering::Relaxed);
        assert!(slowest < LONGEST, "{slowest:?} for a request");
        looker.join().unwrap()
    });
    assert!(looks >= 3, "nobody looked");
}
