//! Servers that go and come back, and answers that are lost on the way.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use condotta_worker::{RunOutcome, TaskHandle, WorkerConfig, WorkerOptions};

use crate::{
    Test, any,
    relay::Relay,
    server::{Server, Which, client},
    tasks::{Memory, quick, worker_with},
};

pub const TESTS: &[(&str, Test)] = &[
    ("a_lost_answer_is_given_again", a_lost_answer_is_given_again),
    ("every_third_answer_is_lost", every_third_answer_is_lost),
    ("a_run_outlives_a_restart", a_run_outlives_a_restart),
    (
        "what_a_killed_server_forgot_is_announced_again",
        what_a_killed_server_forgot_is_announced_again,
    ),
    (
        "a_killed_server_does_not_end_a_parallel_graph",
        a_killed_server_does_not_end_a_parallel_graph,
    ),
    (
        "a_socket_in_the_file_system_will_do",
        a_socket_in_the_file_system_will_do,
    ),
];

/// With pings, so that the worker notices that the server is away.
fn pinging() -> WorkerConfig {
    WorkerConfig {
        ping_interval: 0.1,
        ..quick()
    }
}

fn leaves(count: usize) -> Vec<Arc<Memory>> {
    (0..count)
        .map(|n| Memory::new("Leaf").param("n", &n.to_string(), None).share())
        .collect()
}

fn root_of(leaves: &[Arc<Memory>]) -> Arc<Memory> {
    let deps: Vec<TaskHandle> = leaves.iter().map(any).collect();
    Memory::new("Root").needs(&deps).share()
}

fn a_lost_answer_is_given_again(which: Which) {
    let server = Server::start(which);
    let relay = Relay::start(server.port(), |method, before| {
        method == "get_work" && before == 1
    });
    let leaves = leaves(3);
    let root = root_of(&leaves);
    let mut worker = worker_with(&client(&relay.url()), quick(), WorkerOptions::default());
    worker.add(any(&root)).unwrap();
    assert!(worker.run().unwrap());
    assert!(leaves.iter().all(|leaf| leaf.run_count() == 1));
    assert_eq!(root.run_count(), 1);
    assert!(server.statuses().values().all(|status| status == "DONE"));
}

/// Each request is heard, so that every retry is one too many.
fn every_third_answer_is_lost(which: Which) {
    let server = Server::start(which);
    let count = AtomicUsize::new(0);
    let relay = Relay::start(server.port(), move |method, _| {
        method != "ping" && count.fetch_add(1, Ordering::SeqCst) % 3 == 2
    });
    let leaves = leaves(6);
    let root = root_of(&leaves);
    let mut worker = worker_with(&client(&relay.url()), quick(), WorkerOptions::default());
    worker.add(any(&root)).unwrap();
    assert!(worker.run().unwrap());
    assert!(leaves.iter().all(|leaf| leaf.run_count() == 1));
    assert!(server.statuses().values().all(|status| status == "DONE"));
}

/// While a task runs, `server` does something.
fn during(
    server: &Arc<Mutex<Server>>,
    family: &str,
    act: impl Fn(&mut Server) + Send + Sync + 'static,
) -> Arc<Memory> {
    let server = Arc::clone(server);
    let task = Memory::new(family).runs(move |task, run| {
        if task.run_count() == 1 {
            act(&mut server.lock().unwrap());
        }
        // A server that is back has this, or not: a run does not depend on it.
        run.set_status_message("still here");
        task.finish();
        Ok(RunOutcome::Done)
    });
    task.with(|task| task.priority = 5.0).share()
}

fn a_run_outlives_a_restart(which: Which) {
    let server = Arc::new(Mutex::new(Server::start(which)));
    let long = during(&server, "Long", |server| {
        server.stop();
        // The worker pings nobody for a while.
        std::thread::sleep(Duration::from_millis(300));
        server.restart();
    });
    let after = Memory::new("After").needs(&[any(&long)]).share();
    let scheduler = server.lock().unwrap().client();
    let mut worker = worker_with(&scheduler, pinging(), WorkerOptions::default());
    worker.add(any(&after)).unwrap();
    assert!(worker.run().unwrap(), "{}", worker.summary());
    assert_eq!((long.run_count(), after.run_count()), (1, 1));
    let statuses = server.lock().unwrap().statuses();
    assert!(
        statuses.values().all(|status| status == "DONE"),
        "{statuses:?}"
    );
}

fn what_a_killed_server_forgot_is_announced_again(which: Which) {
    let server = Arc::new(Mutex::new(Server::start(which)));
    let long = during(&server, "Long", |server| {
        server.kill();
        server.restart();
    });
    let other = Memory::new("Other").share();
    let after = Memory::new("After")
        .needs(&[any(&long), any(&other)])
        .share();
    let scheduler = server.lock().unwrap().client();
    let mut worker = worker_with(&scheduler, quick(), WorkerOptions::default());
    worker.add(any(&after)).unwrap();
    assert!(worker.run().unwrap(), "{}", worker.summary());
    let runs = [&long, &other, &after].map(|task| task.run_count());
    assert_eq!(runs, [1, 1, 1]);
    let statuses = server.lock().unwrap().statuses();
    assert_eq!(statuses.len(), 3);
    assert!(
        statuses.values().all(|status| status == "DONE"),
        "{statuses:?}"
    );
}

fn a_killed_server_does_not_end_a_parallel_graph(which: Which) {
    let server = Arc::new(Mutex::new(Server::start(which)));
    let killer = during(&server, "Killer", |server| {
        std::thread::sleep(Duration::from_millis(100));
        server.kill();
        server.restart();
    });
    let slow: Vec<Arc<Memory>> = (0..12)
        .map(|n| {
            let slow = Memory::new("Slow").param("n", &n.to_string(), None);
            slow.runs(|task, _| {
                std::thread::sleep(Duration::from_millis(200));
                task.finish();
                Ok(RunOutcome::Done)
            })
            .share()
        })
        .collect();
    let mut deps: Vec<TaskHandle> = slow.iter().map(any).collect();
    deps.push(any(&killer));
    let root = Memory::new("Root").needs(&deps).share();
    let options = WorkerOptions {
        processes: 3,
        ..WorkerOptions::default()
    };
    let scheduler = server.lock().unwrap().client();
    let mut worker = worker_with(&scheduler, pinging(), options);
    worker.add(any(&root)).unwrap();
    assert!(worker.run().unwrap(), "{}", worker.summary());
    assert_eq!(root.run_count(), 1);
    assert_eq!(killer.run_count(), 1);
    assert!(slow.iter().all(|slow| slow.run_count() == 1));
    let server = server.lock().unwrap();
    assert_eq!(server.statuses()["Root__99914b932b"], "DONE");
}

fn a_socket_in_the_file_system_will_do(which: Which) {
    let server = Server::start_on_socket(which);
    let leaves = leaves(3);
    let root = root_of(&leaves);
    let scheduler = client(&server.socket_url());
    let mut worker = worker_with(&scheduler, pinging(), WorkerOptions::default());
    worker.add(any(&root)).unwrap();
    assert!(worker.run().unwrap(), "{}", worker.summary());
    assert_eq!(root.run_count(), 1);
}
