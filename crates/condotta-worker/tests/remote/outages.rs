//! Servers that go and come back, and answers that are lost on the way.

use std::{
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use condotta_worker::{
    RemoteOptions, RemoteScheduler, RunOutcome, SchedulerError, StopLevel, StopSignal, TaskHandle,
    WorkerConfig, WorkerError, WorkerOptions,
};

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
        "what_other_workers_run_is_not_run_twice",
        what_other_workers_run_is_not_run_twice,
    ),
    (
        "a_server_that_stays_away_ends_the_worker_after_its_runs",
        stays_away,
    ),
    (
        "what_a_run_finds_in_an_outage_costs_no_result",
        finds_in_an_outage,
    ),
    (
        "a_worker_that_is_to_stop_does_not_wait_for_the_server",
        stops_without_the_server,
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

/// Two workers run tasks of one graph when the server is killed. Each is busy for longer than the
/// other one needs to notice.
fn what_other_workers_run_is_not_run_twice(which: Which) {
    let server = Arc::new(Mutex::new(Server::start(which)));
    let both_run = Arc::new(Barrier::new(3));
    let long: Vec<Arc<Memory>> = [1000, 5000]
        .map(|millis| {
            let both_run = Arc::clone(&both_run);
            let long = Memory::new("Long").param("millis", &millis.to_string(), None);
            long.runs(move |task, _| {
                if task.run_count() == 1 {
                    both_run.wait();
                }
                std::thread::sleep(Duration::from_millis(millis));
                task.finish();
                Ok(RunOutcome::Done)
            })
            .share()
        })
        .to_vec();
    let root = root_of(&long);
    let scheduler = server.lock().unwrap().client();
    std::thread::scope(|scope| {
        for id in ["one", "two"] {
            let (root, scheduler) = (any(&root), scheduler.clone());
            scope.spawn(move || {
                let config = WorkerConfig {
                    id: id.to_owned(),
                    keep_alive: true,
                    ..pinging()
                };
                let mut worker = worker_with(&scheduler, config, WorkerOptions::default());
                worker.add(root).unwrap();
                assert!(worker.run().unwrap(), "{}", worker.summary());
            });
        }
        both_run.wait();
        let mut server = server.lock().unwrap();
        server.kill();
        std::thread::sleep(Duration::from_millis(500));
        server.restart();
    });
    assert!(long.iter().all(|long| long.run_count() == 1));
    assert_eq!(root.run_count(), 1);
    let statuses = server.lock().unwrap().statuses();
    assert!(
        statuses.values().all(|status| status == "DONE"),
        "{statuses:?}"
    );
}

/// A client that gives up soon.
fn hasty(server: &Mutex<Server>, stop: &StopSignal, wait: f64) -> Arc<RemoteScheduler> {
    let options = RemoteOptions {
        rpc_retry_wait: wait,
        rpc_log_retries: false,
        stop: stop.clone(),
        ..RemoteOptions::default()
    };
    Arc::new(RemoteScheduler::new(&server.lock().unwrap().url(), options).unwrap())
}

fn stays_away(which: Which) {
    let server = Arc::new(Mutex::new(Server::start(which)));
    let killed = Arc::new(Barrier::new(2));
    let killer = Memory::new("Killer").runs({
        let (server, killed) = (Arc::clone(&server), Arc::clone(&killed));
        move |task, _| {
            // Both run.
            killed.wait();
            server.lock().unwrap().kill();
            killed.wait();
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let long = Memory::new("Long").runs(move |task, _| {
        killed.wait();
        killed.wait();
        // Longer than requests are tried.
        std::thread::sleep(Duration::from_millis(600));
        task.finish();
        Ok(RunOutcome::Done)
    });
    let long = long.share();
    let root = root_of(&[killer.share(), Arc::clone(&long)]);
    let scheduler = hasty(&server, &StopSignal::new(), 0.1);
    let options = WorkerOptions {
        processes: 2,
        ..WorkerOptions::default()
    };
    let mut worker = worker_with(&scheduler, quick(), options);
    worker.add(any(&root)).unwrap();
    let error = worker.run().unwrap_err();
    assert!(
        matches!(
            error,
            WorkerError::Scheduler(SchedulerError::Unreachable { .. })
        ),
        "{error}"
    );
    assert_eq!(root.run_count(), 0);
}

/// A run finds new requirements when the server has gone, for longer than announcements are tried.
/// Beside it runs another one, whose result must arrive.
fn finds_in_an_outage(which: Which) {
    let server = Arc::new(Mutex::new(Server::start(which)));
    let killed = Arc::new(Barrier::new(2));
    let found = Memory::new("Found").share();
    let asks = Memory::new("Asks").runs({
        let (server, killed, found) = (Arc::clone(&server), Arc::clone(&killed), any(&found));
        move |task, _| {
            if !found.complete()? {
                killed.wait();
                server.lock().unwrap().kill();
                killed.wait();
                return Ok(RunOutcome::Requires(vec![Arc::clone(&found)]));
            }
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let long = Memory::new("Long").runs({
        let (server, killed) = (Arc::clone(&server), Arc::clone(&killed));
        move |task, _| {
            killed.wait();
            killed.wait();
            // Announcements are tried for 1.5 seconds.
            std::thread::sleep(Duration::from_secs(3));
            server.lock().unwrap().restart();
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let long = long.share();
    let root = root_of(&[asks.share(), Arc::clone(&long)]);
    let scheduler = hasty(&server, &StopSignal::new(), 0.5);
    let options = WorkerOptions {
        processes: 2,
        ..WorkerOptions::default()
    };
    let mut worker = worker_with(&scheduler, pinging(), options);
    worker.add(any(&root)).unwrap();
    assert!(worker.run().unwrap(), "{}", worker.summary());
    assert_eq!((long.run_count(), found.run_count()), (1, 1));
    let statuses = server.lock().unwrap().statuses();
    assert_eq!(statuses["Long__99914b932b"], "DONE");
    assert_eq!(statuses["Root__99914b932b"], "DONE");
}

fn stops_without_the_server(which: Which) {
    let server = Arc::new(Mutex::new(Server::start(which)));
    let stop = StopSignal::new();
    let first = Memory::new("First").runs({
        let (server, stop) = (Arc::clone(&server), stop.clone());
        move |task, _| {
            server.lock().unwrap().kill();
            let stop = stop.clone();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(200));
                stop.raise(StopLevel::Now);
            });
            task.finish();
            Ok(RunOutcome::Done)
        }
    });
    let root = root_of(&[first.share()]);
    let scheduler = hasty(&server, &stop, 3600.0);
    let options = WorkerOptions {
        stop,
        ..WorkerOptions::default()
    };
    let mut worker = worker_with(&scheduler, quick(), options);
    worker.add(any(&root)).unwrap();
    let started = Instant::now();
    assert!(worker.run().is_err(), "the run's report is lost");
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(root.run_count(), 0);
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
