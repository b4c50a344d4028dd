//! What a task costs the scheduler: to announce it, to hand it out, to report it done, and to keep it.
//!
//! `cargo bench -p condotta-scheduler` prints a table; `-- 10000` goes up to that many tasks only.
//! Requests are made outside of what is timed; events are fetched within it, as a server does.
//! Below that (alone with `-- records`): what it costs to keep what the same requests change, and to
//! start again from it, in CPU time. Started without the word `--bench`, as a test does it, it goes up
//! to a thousand only.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use condotta_scheduler::{
    AddTask, Assignment, Config, GetWork, Now, Param, RecordCursor, SavedState, Scheduler, Status,
    Visibility,
};

/// Counts the bytes that are in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe to write; this one only counts"
)]
// SAFETY: each call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Tasks in a layer of the layered graph; each depends on three of the layer below.
const LAYER: usize = 100;
/// Tasks announced between two looks at the clock.
const CHUNK: usize = 1000;

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Independent,
    Layered,
    WithResources,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Independent => "independent",
            Self::Layered => "layered",
            Self::WithResources => "with resources",
        }
    }
}

fn main() {
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let most = std::env::args().find_map(|arg| arg.parse().ok());
    let most: usize = most.unwrap_or(if is_bench { 1_000_000 } else { 1_000 });
    if !std::env::args().any(|arg| arg == "records") {
        measure_requests(most);
    }
    println!(
        "\n{:<15}{:>9} | {:>10}{:>10}{:>10}{:>10}{:>10} ns per task | {:>6}{:>6} bytes per task",
        "records of", "tasks", "announce", "and keep", "read", "fold", "restore", "folded", "after"
    );
    for shape in [Shape::Independent, Shape::Layered, Shape::WithResources] {
        for tasks in [100_000.min(most), 1_000_000] {
            if tasks <= most {
                measure_records(shape, tasks);
            }
        }
    }
}

fn measure_requests(most: usize) {
    println!(
        "{:<15}{:>8}{:>9} | {:>10}{:>10}{:>10} ns per task | {:>6} bytes per task",
        "tasks are", "workers", "tasks", "announce", "hand out", "done", ""
    );
    for shape in [Shape::Independent, Shape::Layered, Shape::WithResources] {
        for workers in [1, 10, 100] {
            for tasks in [1_000, 10_000, 100_000, 1_000_000] {
                if tasks <= most {
                    measure(shape, workers, tasks);
                }
            }
        }
    }
}

/// Announces without and with changes kept and fetched after each request, reads everything in steps,
/// folds it, and restores a scheduler from that. The first one is gone by then, as after a crash.
fn measure_records(shape: Shape, tasks: usize) {
    let empty = IN_USE.load(Ordering::Relaxed);
    let bytes_per_task = || (IN_USE.load(Ordering::Relaxed) - empty) / tasks;
    let per_task = |time: Duration| time.as_nanos() / tasks as u128;
    let (announce, scheduler) = announce_all(shape, tasks, false);
    drop(scheduler);
    let (announce_and_keep, scheduler) = announce_all(shape, tasks, true);
    let (mut read, mut fold) = (Duration::ZERO, Duration::ZERO);
    let mut state = SavedState::default();
    let mut cursor = Some(RecordCursor::default());
    while let Some(at) = cursor {
        let begin = cpu_time();
        let (records, next) = scheduler.read_records(at, CHUNK);
        let middle = cpu_time();
        for record in records {
            state.apply(record);
        }
        read += middle - begin;
        fold += cpu_time() - middle;
        cursor = next;
    }
    let config = scheduler.config().clone();
    drop(scheduler);
    let folded = bytes_per_task();
    let begin = cpu_time();
    let restored = Scheduler::restore(config, limits(), 0, Now::at(2.0), state);
    let restore = cpu_time() - begin;
    assert_eq!(restored.task_count(), tasks);
    println!(
        "{:<15}{tasks:>9} | {:>10}{:>10}{:>10}{:>10}{:>10}             | {folded:>6}{:>6}",
        shape.name(),
        per_task(announce),
        per_task(announce_and_keep),
        per_task(read),
        per_task(fold),
        per_task(restore),
        bytes_per_task(),
    );
}

fn announce_all(shape: Shape, tasks: usize, keep_changes: bool) -> (Duration, Scheduler) {
    let config = Config {
        keep_changes,
        ..Config::default()
    };
    let mut scheduler = Scheduler::new(config, limits(), 0);
    let mut announce = Duration::ZERO;
    for start in (0..tasks).step_by(CHUNK) {
        let end = tasks.min(start + CHUNK);
        let requests: Vec<AddTask> = (start..end)
            .map(|at| task(shape, tasks - 1 - at, "Worker(salt=000000000)"))
            .collect();
        let begin = cpu_time();
        for request in requests {
            scheduler
                .add_task(Now::at(1.0), request)
                .expect("it is a good request");
            assert_eq!(scheduler.take_changes().is_empty(), !keep_changes);
        }
        announce += cpu_time() - begin;
    }
    (announce, scheduler)
}

/// What this thread has used of a processor: other programs do not count.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux has it");
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("it begins with nanoseconds"))
}

fn limits() -> BTreeMap<String, u64> {
    (0..4).map(|at| (format!("resource_{at}"), 50)).collect()
}

fn measure(shape: Shape, workers: usize, tasks: usize) {
    let names: Vec<String> = (0..workers)
        .map(|at| format!("Worker(salt={at:09})"))
        .collect();
    let empty = IN_USE.load(Ordering::Relaxed);
    let config = Config {
        keep_events: true,
        ..Config::default()
    };
    let mut scheduler = Scheduler::new(config, limits(), 0);
    let mut announce = Duration::ZERO;
    for start in (0..tasks).step_by(CHUNK) {
        let end = tasks.min(start + CHUNK);
        let requests: Vec<AddTask> = (start..end)
            .map(|at| task(shape, tasks - 1 - at, &names[at % workers]))
            .collect();
        let begin = Instant::now();
        for request in requests {
            scheduler
                .add_task(Now::at(1.0), request)
                .expect("it is a good request");
            drain(&mut scheduler);
        }
        announce += begin.elapsed();
    }
    let bytes = IN_USE.load(Ordering::Relaxed) - empty;
    let (hand_out, done) = run_all(&mut scheduler, &names, tasks);
    let per_task = |time: Duration| time.as_nanos() / tasks as u128;
    println!(
        "{:<15}{workers:>8}{tasks:>9} | {:>10}{:>10}{:>10}             | {:>6}",
        shape.name(),
        per_task(announce),
        per_task(hand_out),
        per_task(done),
        bytes / tasks,
    );
}

/// Each worker in turn asks for work and, when all have something, reports it done.
fn run_all(scheduler: &mut Scheduler, names: &[String], tasks: usize) -> (Duration, Duration) {
    let (mut hand_out, mut done) = (Duration::ZERO, Duration::ZERO);
    let mut finished = 0;
    while finished < tasks {
        let mut running = Vec::new();
        let requests: Vec<GetWork> = names.iter().map(|name| get_work(name)).collect();
        let begin = Instant::now();
        for request in requests {
            let work = scheduler
                .get_work(Now::at(2.0), request)
                .expect("it is a good request");
            drain(scheduler);
            running.push(work.assignment);
        }
        hand_out += begin.elapsed();
        let reports: Vec<AddTask> = names
            .iter()
            .zip(&running)
            .filter_map(|(name, assignment)| report(name, assignment))
            .collect();
        assert!(
            !reports.is_empty(),
            "{finished} of {tasks} tasks ran, and nobody gets one"
        );
        finished += reports.len();
        let begin = Instant::now();
        for report in reports {
            scheduler
                .add_task(Now::at(3.0), report)
                .expect("it is a good request");
            drain(scheduler);
        }
        done += begin.elapsed();
    }
    (hand_out, done)
}

fn get_work(worker: &str) -> GetWork {
    GetWork {
        worker: worker.to_owned(),
        ..GetWork::default()
    }
}

fn report(worker: &str, assignment: &Assignment) -> Option<AddTask> {
    let Assignment::Task {
        task_id, attempt, ..
    } = assignment
    else {
        return None;
    };
    let mut report = AddTask::new(worker, task_id);
    report.status = Status::Done;
    report.runnable = None;
    report.new_deps = Some(Vec::new());
    report.attempt = Some(*attempt);
    Some(report)
}

/// Task 0 is in the lowest layer. Tasks are announced from the top, as workers do.
fn task(shape: Shape, number: usize, worker: &str) -> AddTask {
    let mut task = AddTask::new(worker, &id(number));
    task.family = "IngestMeasurements".into();
    task.module = Some("pipelines.ingest".into());
    let values = [format!("{number}"), "2026-11-24".into(), "north".into()];
    let names = ["batch", "date", "region"];
    task.params = Some(
        names
            .into_iter()
            .zip(values)
            .map(|(name, value)| Param {
                name: name.into(),
                value,
                visibility: Visibility::Public,
            })
            .collect(),
    );
    match shape {
        Shape::Independent => {}
        Shape::Layered => {
            let (layer, place) = (number / LAYER, number % LAYER);
            let below =
                [0, 1, 7].map(|step| id((place + step) % LAYER + (layer.max(1) - 1) * LAYER));
            task.deps = (layer > 0).then(|| below.into());
        }
        Shape::WithResources => {
            let resource = format!("resource_{}", number % 4);
            task.resources = Some(BTreeMap::from([(resource, 1)]));
        }
    }
    task
}

fn id(number: usize) -> String {
    format!(
        "IngestMeasurements_{number}_2026_11_24_north_{:010x}",
        number * 0x9e37
    )
}

fn drain(scheduler: &mut Scheduler) {
    while scheduler.poll_event().is_some() {}
}
