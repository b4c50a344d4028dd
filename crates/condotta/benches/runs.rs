//! Whole runs of no-op tasks: planned, scheduled in the process, run and reported. Prints the time
//! and the processor time of each task, and says by how much it grows from 1,000 to 100,000 tasks.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use condotta::{prelude::*, target::MemoryStore, target::MemoryTarget};
use condotta_worker::{LocalScheduler, Scheduler, Worker, WorkerConfig, WorkerOptions};

/// Something that does nothing but be there afterwards.
macro_rules! no_op {
    ($($task:ident { $($field:ident: $type:ty),* } requires $required:ty = |$this:ident| $tasks:expr;)*) => {$(
        #[derive(Task)]
        struct $task { $($field: $type),* }

        #[task]
        impl Task for $task {
            fn requires(&self) -> $required {
                let $this = self;
                $tasks
            }

            fn output(&self) -> MemoryTarget {
                let values = [$(self.$field.to_string()),*];
                MemoryTarget::new(format!("{} {}", stringify!($task), values.join(" ")))
            }

            fn run(&self, run: &Run<Self>) -> Result<()> {
                Ok(run.output().write("")?)
            }
        }
    )*};
}

/// How many tasks are side by side in layers.
const WIDTH: u64 = 100;

no_op! {
    Leaf { number: u64 } requires () = |_leaf| ();
    FanOut { count: u64 } requires Vec<Leaf> = |task| (1..task.count).map(|number| Leaf { number }).collect();
    Chain { length: u64 } requires Option<Chain> = |task| {
        (task.length > 1).then(|| Chain { length: task.length - 1 })
    };
    Node { layer: u64, place: u64 } requires Vec<Node> = |node| match node.layer {
        0 => Vec::new(),
        layer => (0..3).map(|step| Node { layer: layer - 1, place: (node.place + step) % WIDTH }).collect(),
    };
    Layers { count: u64 } requires Vec<Node> = |task| {
        (0..WIDTH).map(|place| Node { layer: task.count / WIDTH - 1, place }).collect()
    };
}

fn main() {
    // Under `cargo test` once and small, to see that it works.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let sizes: &[u64] = if measured {
        &[1_000, 10_000, 100_000]
    } else {
        &[1_000]
    };
    println!(
        "{:<8} {:>8} {:>12} {:>12}",
        "shape", "tasks", "µs/task", "CPU µs/task"
    );
    for (shape, run) in [
        (
            "fan-out",
            (|count| run(FanOut { count }, count)) as fn(u64) -> Cost,
        ),
        ("chain", |count| run(Chain { length: count }, count)),
        ("layers", |count| run(Layers { count }, count)),
    ] {
        let costs: Vec<f64> = sizes
            .iter()
            .map(|&count| measure(shape, count, run))
            .collect();
        if let [first, .., last] = costs[..] {
            println!(
                "{shape:<8} CPU at {} is {:.2} of that at {}",
                sizes[sizes.len() - 1],
                last / first,
                sizes[0]
            );
        }
    }
}

/// Seconds of a run.
struct Cost {
    wall: f64,
    processor: f64,
}

/// Runs often enough to be read off the processor clock, which counts in hundredths of a second.
fn measure(shape: &str, count: u64, run: fn(u64) -> Cost) -> f64 {
    let runs = (100_000 / count).max(1);
    let mut sum = Cost {
        wall: 0.0,
        processor: 0.0,
    };
    for _ in 0..runs {
        let cost = run(count);
        sum.wall += cost.wall;
        sum.processor += cost.processor;
    }
    let per_task = |secs: f64| secs * 1e6 / (runs * count) as f64;
    let (wall, processor) = (per_task(sum.wall), per_task(sum.processor));
    println!("{shape:<8} {count:>8} {wall:>12.2} {processor:>12.2}");
    processor
}

fn run(task: impl Task, count: u64) -> Cost {
    MemoryStore::shared().clear();
    let scheduler = LocalScheduler::new(condotta_scheduler::Config::default(), BTreeMap::new());
    let scheduler: Arc<dyn Scheduler> = Arc::new(scheduler);
    let (started, processor) = (Instant::now(), processor_secs());
    let mut worker = Worker::new(scheduler, WorkerConfig::default(), WorkerOptions::default())
        .expect("the default settings are good");
    worker
        .add(AnyTask::new(task).into())
        .expect("the scheduler is in the process");
    let succeeded = worker.run().expect("the scheduler is in the process");
    let cost = Cost {
        wall: started.elapsed().as_secs_f64(),
        processor: processor_secs() - processor,
    };
    assert!(succeeded, "no-op tasks do not fail");
    let made = MemoryStore::shared().names().len() as u64;
    assert!(made.abs_diff(count) <= 1, "{made} of {count} tasks ran");
    cost
}

/// The processor time of all threads of this process, as Linux tells it.
fn processor_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has it");
    // After the program's name, which is in parentheses: user and system time are 12th and 13th.
    let (_, fields) = stat.rsplit_once(')').expect("the name is in parentheses");
    let ticks: Vec<f64> = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse().expect("a number"))
        .collect();
    ticks.iter().sum::<f64>() / 100.0
}
