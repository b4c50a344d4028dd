//! What an attempt costs in SQLite: time to tell, time to write, bytes; and what questions cost in a
//! large history beside a small one.
//!
//! `cargo bench -p condotta-history`; `-- 1000000` writes a million attempts.

use std::{
    hint::black_box,
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use condotta_history::{
    Address, Began, Ended, Entry, Filter, History, Outcome, Page, Settings, Waiting,
};
use condotta_scheduler::Timestamp;
use tokio::runtime::{Builder, Runtime};

const SMALL: u32 = 10_000;

fn main() {
    let words = std::env::args().skip(1);
    let large = words.filter_map(|word| word.parse().ok()).next();
    let large = large.unwrap_or(100_000);
    let folder = tempfile::tempdir().expect("a folder");
    let mut histories = Vec::new();
    for attempts in [SMALL, large] {
        let file = folder.path().join(format!("{attempts}.sqlite"));
        write(&file, attempts);
        histories.push(Address::file(&file));
    }
    questions(&histories);
}

/// Half of the tasks are new each time, as those with a date are; half run again and again.
fn began(n: u32, now: f64) -> Began {
    let number = if n.is_multiple_of(2) { n } else { n % 1000 };
    let family = format!("Pipeline{}", n % 50);
    Began {
        began: Timestamp(now - 86_400.0 * 20.0 + f64::from(n) * 0.8),
        task_id: format!("{family}_2026_11_27_region_{number}_0123456789"),
        module: Some("pipelines.daily".to_owned()),
        params: vec![
            ("date".to_owned(), "2026-11-27".to_owned()),
            ("region".to_owned(), format!("region-{number}")),
        ],
        attempt: u64::from(n / 1000) + 1,
        worker: Some(format!(
            "Worker(salt={:09}, workers=4, host=worker-1.example.com, username=etl, pid={})",
            n / 500,
            n / 500
        )),
        host: Some("worker-1.example.com".to_owned()),
        scheduled: Some(Timestamp(now - 86_400.0 * 20.0)),
        ready: Some(Timestamp(now - 86_400.0 * 20.0)),
        family,
        ..Began::default()
    }
}

fn write(file: &Path, attempts: u32) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let now = now.as_secs_f64();
    let settings = Settings {
        backlog_bytes: u64::MAX,
        ..Settings::new(Address::file(file))
    };
    let (waiting, sender) = Waiting::new(settings);
    let recorder = waiting.start().expect("a file");
    let start = Instant::now();
    for n in 0..attempts {
        let began = began(n, now);
        let outcome = if n % 50 == 49 {
            Outcome::Failed
        } else {
            Outcome::Done
        };
        let ended = Ended {
            id: began.id(),
            ended: Some(Timestamp(began.began.0 + f64::from(n % 600))),
            error: (outcome == Outcome::Failed).then(|| "Traceback: it broke\n".repeat(20)),
            outcome,
        };
        sender.send(Entry::Began(Box::new(began)));
        sender.send(Entry::Ended(ended));
    }
    let told = start.elapsed();
    drop(sender);
    recorder.close();
    let written = start.elapsed();
    let bytes = std::fs::metadata(file).expect("it is there").len();
    println!(
        "{attempts:>9} attempts: told in {:.1} us each, written at {:.0}/s, {} bytes each",
        micros(told) / f64::from(attempts),
        f64::from(attempts) / written.as_secs_f64(),
        bytes / u64::from(attempts),
    );
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn questions(histories: &[Address]) {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let _context = runtime.enter();
    let open = |address: &Address| History::new(address.clone()).expect("a file");
    let histories: Vec<History> = histories.iter().map(open).collect();
    println!(
        "{:<28} {:>10} {:>10} {:>7}",
        "question", "small, us", "large, us", "ratio"
    );
    for (name, ask) in QUESTIONS {
        let times: Vec<f64> = histories
            .iter()
            .map(|history| median(|| ask(&runtime, history)))
            .collect();
        let ratio = times[1] / times[0];
        println!(
            "{name:<28} {:>10.0} {:>10.0} {ratio:>7.1}",
            times[0], times[1]
        );
    }
}

fn median(mut ask: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            ask();
            micros(start.elapsed())
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

type Question = (&'static str, fn(&Runtime, &History));

const QUESTIONS: &[Question] = &[
    ("the last 100", |runtime, history| {
        page(runtime, history, Filter::default())
    }),
    ("of a family", |runtime, history| {
        let family = Some("Pipeline7".to_owned());
        page(
            runtime,
            history,
            Filter {
                family,
                ..Filter::default()
            },
        );
    }),
    ("of a task", |runtime, history| {
        let task_id = Some("Pipeline7_2026_11_27_region_7_0123456789".to_owned());
        page(
            runtime,
            history,
            Filter {
                task_id,
                ..Filter::default()
            },
        );
    }),
    ("that failed", |runtime, history| {
        let outcomes = vec![Outcome::Failed];
        page(
            runtime,
            history,
            Filter {
                outcomes,
                ..Filter::default()
            },
        );
    }),
    ("durations of a family", |runtime, history| {
        let found = runtime.block_on(history.family_durations("Pipeline7", Timestamp(0.0)));
        black_box(found.expect("it is there"));
    }),
    ("durations of a task", |runtime, history| {
        let task = "Pipeline7_2026_11_27_region_7_0123456789";
        let found = runtime.block_on(history.task_durations(task, Timestamp(0.0)));
        black_box(found.expect("it is there"));
    }),
    ("all families", |runtime, history| {
        black_box(
            runtime
                .block_on(history.families(Timestamp(0.0)))
                .expect("it is there"),
        );
    }),
    ("counts by day", |runtime, history| {
        let found = runtime.block_on(history.counts_by_day(None, Timestamp(0.0)));
        black_box(found.expect("it is there"));
    }),
];

fn page(runtime: &Runtime, history: &History, filter: Filter) {
    let page = Page {
        limit: 100,
        after: None,
    };
    let found = runtime.block_on(history.attempts(&filter, &page));
    black_box(found.expect("it is there"));
}
