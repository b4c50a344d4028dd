//! What a task costs that does nothing: planned, announced, handed out, run, reported and summed up,
//! with the scheduler in the same process. CPU time of the whole process, best of several runs.

#![allow(clippy::unwrap_used, reason = "a bench")]

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use condotta_scheduler::{Config, Visibility};
use condotta_worker::{
    BoxError, LocalScheduler, ParamInfo, RunContext, RunOutcome, Runnable, TaskHandle, Worker,
    WorkerConfig, WorkerOptions,
};
use nix::sys::resource::{UsageWho, getrusage};

struct NoOp {
    id: String,
    number: String,
    deps: Vec<TaskHandle>,
    done: AtomicBool,
}

impl Runnable for NoOp {
    fn task_id(&self) -> &str {
        &self.id
    }

    fn family(&self) -> &str {
        "NoOp"
    }

    fn params(&self) -> Vec<ParamInfo> {
        vec![ParamInfo {
            name: "number".to_owned(),
            value: self.number.clone(),
            significant: true,
            visibility: Visibility::Public,
        }]
    }

    fn complete(&self) -> Result<bool, BoxError> {
        Ok(self.done.load(Ordering::Relaxed))
    }

    fn dependencies(&self) -> Result<Vec<TaskHandle>, BoxError> {
        Ok(self.deps.clone())
    }

    fn run(&self, _: &RunContext<'_>) -> Result<RunOutcome, BoxError> {
        self.done.store(true, Ordering::Relaxed);
        Ok(RunOutcome::Done)
    }
}

fn task(number: usize, deps: Vec<TaskHandle>) -> TaskHandle {
    Arc::new(NoOp {
        id: format!("NoOp_{number}_{:010x}", number * 0x9e37),
        number: number.to_string(),
        deps,
        done: AtomicBool::new(false),
    })
}

/// All tasks, the root last.
type Graph = Vec<TaskHandle>;

fn fan_out(count: usize) -> Graph {
    let mut tasks: Graph = (1..count).map(|number| task(number, Vec::new())).collect();
    tasks.push(task(0, tasks.clone()));
    tasks
}

fn chain(count: usize) -> Graph {
    let mut tasks = vec![task(0, Vec::new())];
    for number in 1..count {
        let below = tasks[number - 1].clone();
        tasks.push(task(number, vec![below]));
    }
    tasks
}

/// A hundred tasks in each layer, each of which needs three of the layer below.
fn layers(count: usize) -> Graph {
    const WIDTH: usize = 100;
    let mut tasks: Graph = Vec::with_capacity(count);
    for number in 0..count - 1 {
        let deps = match number.checked_sub(WIDTH) {
            None => Vec::new(),
            Some(below) => {
                let layer = below - below % WIDTH;
                let places = (0..3).map(|step| layer + (number + step * 7) % WIDTH);
                places.map(|place| tasks[place].clone()).collect()
            }
        };
        tasks.push(task(number, deps));
    }
    let top = tasks[tasks.len().saturating_sub(WIDTH)..].to_vec();
    tasks.push(task(count, top));
    tasks
}

fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let time = |value: nix::sys::time::TimeVal| {
        let secs = u64::try_from(value.tv_sec()).unwrap();
        let micros = u64::try_from(value.tv_usec()).unwrap();
        Duration::from_secs(secs) + Duration::from_micros(micros)
    };
    time(usage.user_time()) + time(usage.system_time())
}

/// Runs a graph. Returns CPU and elapsed time.
fn run(mut graph: Graph, processes: usize) -> (Duration, Duration) {
    let (cpu_before, start) = (cpu(), Instant::now());
    let scheduler = Arc::new(LocalScheduler::new(Config::default(), Default::default()));
    let options = WorkerOptions {
        processes,
        ..WorkerOptions::default()
    };
    let mut worker = Worker::new(scheduler, WorkerConfig::default(), options).unwrap();
    worker.add(graph.last().unwrap().clone()).unwrap();
    assert!(worker.run().unwrap());
    let summary = worker.summary().to_string();
    let expected = format!("* {} ran successfully:", graph.len());
    assert!(summary.contains(&expected), "{summary}");
    black_box(summary);
    let used = (cpu() - cpu_before, start.elapsed());
    drop(worker);
    // From the root down, because tasks hold their dependencies.
    while graph.pop().is_some() {}
    used
}

fn main() {
    // As a test it only shows that it still works.
    let measured: &[(usize, usize)] = if std::env::args().any(|arg| arg == "--bench") {
        &[(1_000, 20), (10_000, 5), (100_000, 2)]
    } else {
        &[(1_000, 1)]
    };
    println!("CPU µs a task (elapsed µs a task)");
    println!("{:<24}{:>18}{:>18}{:>18}", "", "1,000", "10,000", "100,000");
    for (name, make, processes) in [
        ("fan-out", fan_out as fn(usize) -> Graph, 1),
        ("chain", chain, 1),
        ("layers of 100", layers, 1),
        ("fan-out, 4 processes", fan_out, 4),
        ("layers, 4 processes", layers, 4),
    ] {
        print!("{name:<24}");
        for &(count, runs) in measured {
            let best = (0..runs)
                .map(|_| run(make(count), processes))
                .min()
                .unwrap();
            let each = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
            print!(
                "{:>18}",
                format!("{:.2} ({:.2})", each(best.0), each(best.1))
            );
        }
        println!();
    }
}
