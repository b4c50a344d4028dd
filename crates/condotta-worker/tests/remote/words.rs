//! What runs say to the scheduler, and what it says to workers.

use std::{sync::Arc, time::Duration};

use condotta_worker::{RunOutcome, WorkerConfig, WorkerOptions};
use serde_json::json;

use crate::{
    Test, any,
    server::{Server, Which},
    tasks::{Memory, quick, worker_with},
};

pub const TESTS: &[(&str, Test)] = &[
    ("what_runs_say_is_shown", what_runs_say_is_shown),
    ("messages_go_both_ways", messages_go_both_ways),
    (
        "processes_are_set_from_outside",
        processes_are_set_from_outside,
    ),
    ("what_a_worker_is_can_be_seen", what_a_worker_is_can_be_seen),
    ("a_disabled_worker_leaves", a_disabled_worker_leaves),
];

fn pinging() -> WorkerConfig {
    WorkerConfig {
        ping_interval: 0.05,
        ..quick()
    }
}

fn what_runs_say_is_shown(which: Which) {
    let server = Arc::new(Server::start(which));
    let talks = Memory::new("Talks").runs({
        let server = Arc::clone(&server);
        move |task, run| {
            run.set_tracking_url("http://there/?a=1&b=ü");
            run.set_status_message("half \"way\"\n…");
            run.set_progress_percentage(50.0);
            let shown = server.task("Talks__99914b932b");
            assert_eq!(shown["status"], "RUNNING");
            assert_eq!(shown["worker_running"], "this");
            assert_eq!(shown["tracking_url"], "http://there/?a=1&b=ü");
            assert_eq!(shown["status_message"], "half \"way\"\n…");
            assert_eq!(shown["progress_percentage"], json!(50));
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let mut worker = worker_with(&server.client(), quick(), WorkerOptions::default());
    worker.add(talks.share()).unwrap();
    assert!(worker.run().unwrap(), "{}", worker.summary());
    assert_eq!(server.task("Talks__99914b932b")["status"], "DONE");
}

fn messages_go_both_ways(which: Which) {
    let server = Arc::new(Server::start(which));
    let hears = Memory::new("Hears").runs(|task, run| {
        let message = run.messages().recv_timeout(Duration::from_secs(20));
        let message = message.ok_or("nobody said anything")?;
        message.respond(&format!("heard {}", message.content()));
        task.finish();
        Ok(RunOutcome::Done)
    });
    let hears = hears.with(|task| task.accepts_messages = true).share();
    let run = std::thread::spawn({
        let (scheduler, hears) = (server.client(), any(&hears));
        move || {
            let mut worker = worker_with(&scheduler, pinging(), WorkerOptions::default());
            worker.add(hears).unwrap();
            assert!(worker.run().unwrap(), "{}", worker.summary());
        }
    });
    let task = "Hears__99914b932b";
    server.until("the run", |server| server.task(task)["status"] == "RUNNING");
    let sent = json!({"worker": "this", "task": task, "content": "a \"word\""});
    let sent = server.ask("send_scheduler_message", sent);
    let asked = json!({"task_id": task, "message_id": sent["message_id"]});
    server.until("the answer", |server| {
        server.ask("get_scheduler_message_response", asked.clone())["response"]
            == "heard a \"word\""
    });
    run.join().unwrap();
}

fn processes_are_set_from_outside(which: Which) {
    let server = Arc::new(Server::start(which));
    let hold = Memory::new("Hold").runs({
        let server = Arc::clone(&server);
        move |task, _| {
            server.ask("set_worker_processes", json!({"worker": "this", "n": 3}));
            server.until("the worker's new number", |server| {
                server.ask("worker_list", json!({}))[0]["workers"] == 3
            });
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let mut worker = worker_with(&server.client(), pinging(), WorkerOptions::default());
    worker.add(hold.share()).unwrap();
    assert!(worker.run().unwrap(), "{}", worker.summary());
    assert_eq!(worker.processes(), 3);
}

fn what_a_worker_is_can_be_seen(which: Which) {
    let server = Arc::new(Server::start(which));
    let looks = Memory::new("Looks").runs({
        let server = Arc::clone(&server);
        move |task, _| {
            let workers = server.ask("worker_list", json!({}));
            let worker = &workers[0];
            assert_eq!(worker["name"], "this");
            assert_eq!(worker["first_task"], "Looks__99914b932b");
            assert_eq!(worker["workers"], 1);
            assert_eq!(worker["pid"], std::process::id());
            assert_eq!(worker["num_running"], 1);
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let mut worker = worker_with(&server.client(), quick(), WorkerOptions::default());
    worker.add(looks.share()).unwrap();
    assert!(worker.run().unwrap(), "{}", worker.summary());
}

fn a_disabled_worker_leaves(which: Which) {
    let server = Arc::new(Server::start(which));
    let last = Memory::new("Last").runs({
        let server = Arc::clone(&server);
        move |task, _| {
            server.ask("disable_worker", json!({"worker": "this"}));
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let after = Memory::new("After").needs(&[any(&last.share())]).share();
    let config = WorkerConfig {
        keep_alive: true,
        ..quick()
    };
    let mut worker = worker_with(&server.client(), config, WorkerOptions::default());
    worker.add(any(&after)).unwrap();
    assert!(worker.run().unwrap());
    assert_eq!(after.run_count(), 0);
    assert_eq!(server.statuses()["Last__99914b932b"], "DONE");
}
