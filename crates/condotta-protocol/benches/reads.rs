//! What the long reads cost: a step on the scheduler's thread, and the writing elsewhere.
//!
//! `cargo bench -p condotta-protocol --bench reads` prints a table; `-- 10000` takes that many tasks.
//! Started without the word `--bench`, as a test does it, a thousand are enough.
//! Half of the steps take no longer than `half us`, and 99 of 100 no longer than `99% us`.

use std::time::{Duration, Instant};

use condotta_protocol::{Object, long_read, read_json};
use condotta_scheduler::{AddTask, Config, Now, Param, Scheduler, Status, Visibility};

/// Tasks in a step.
const STEP: usize = 200;

const READS: [(&str, &str); 7] = [
    ("task_list", r#"{"limit": false}"#),
    ("task_list", r#"{"status": "DONE", "limit": false}"#),
    ("task_list", r#"{"search": "region-77", "limit": false}"#),
    (
        "task_list",
        r#"{"upstream_status": "UPSTREAM_MISSING_INPUT", "limit": false}"#,
    ),
    ("task_search", r#"{"task_str": "_77"}"#),
    ("graph", "{}"),
    ("worker_list", "{}"),
];

fn main() {
    let tasks = std::env::args().find_map(|arg| arg.parse().ok());
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let tasks: usize = tasks.unwrap_or(if is_bench { 100_000 } else { 1_000 });
    let scheduler = scheduler(tasks);
    println!(
        "{tasks} tasks, steps of {STEP}\n{:<65}{:>8}{:>10}{:>10}{:>10}{:>10}{:>12}",
        "", "steps", "mean us", "half us", "99% us", "write ms", "bytes/task"
    );
    for (method, arguments) in READS {
        measure(&scheduler, tasks, method, arguments);
    }
}

fn measure(scheduler: &Scheduler, tasks: usize, method: &str, arguments: &str) {
    let condotta_protocol::Json::Object(object) = read_json(arguments).expect("JSON") else {
        panic!("arguments are an object");
    };
    let object: Object = object;
    let mut read = long_read(method, &object)
        .expect("a long read")
        .expect("good arguments");
    let mut steps: Vec<Duration> = Vec::new();
    loop {
        let begin = Instant::now();
        let is_all = read.step(scheduler, Now::at(1.0), STEP);
        steps.push(begin.elapsed());
        if is_all {
            break;
        }
    }
    let mut text = Vec::new();
    let begin = Instant::now();
    read.write(&mut text);
    let write = begin.elapsed();
    let total: Duration = steps.iter().sum();
    steps.sort_unstable();
    let us = |time: Duration| time.as_micros();
    println!(
        "{:<65}{:>8}{:>10}{:>10}{:>10}{:>10}{:>12}",
        format!("{method} {arguments}"),
        steps.len(),
        us(total) / steps.len() as u128,
        us(steps[steps.len() / 2]),
        us(steps[(steps.len() - 1) * 99 / 100]),
        write.as_millis(),
        text.len() / tasks,
    );
}

/// Tasks with three parameters, each waiting for the three before it; one of ten is done.
fn scheduler(tasks: usize) -> Scheduler {
    let id = |at: usize| format!("some_module.SomeFamily_2026_11_24_{at}_99914b932b");
    let mut scheduler = Scheduler::new(Config::default(), [].into(), 0);
    for at in 0..tasks {
        let worker = format!("Worker(salt={:09}, workers=4, host=node17)", at % 10);
        let mut request = AddTask::new(&worker, &id(at));
        request.family = "SomeFamily".to_owned();
        let params = [
            ("date", "2026-11-24".to_owned()),
            ("version", "1".to_owned()),
        ];
        let region = ("region", format!("region-{at}"));
        let params = params
            .into_iter()
            .chain([region])
            .map(|(name, value)| Param {
                name: name.to_owned(),
                value,
                visibility: Visibility::Public,
            });
        request.params = Some(params.collect());
        request.deps = Some((at.saturating_sub(3)..at).map(id).collect());
        if at % 10 == 0 {
            request.status = Status::Done;
        }
        scheduler
            .add_task(Now::at(1_764_000_000.123), request)
            .expect("a good request");
    }
    scheduler
}
