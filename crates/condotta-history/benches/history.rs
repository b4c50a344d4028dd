//! What an attempt costs in SQLite: time to tell, time to write, bytes, as a row and packed; and what
//! questions cost in a large history beside a small one.
//!
//! `cargo bench -p condotta-history`; `-- 1000000` writes a million attempts. Without the word `--bench`, which
//! cargo adds, all is small: that it works.

use std::{
    hint::black_box,
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use condotta_history::{
    Address, Began, Ended, Entry, Filter, History, Outcome, Page, Settings, Waiting,
};
use condotta_scheduler::Timestamp;
use sqlx::{AnyConnection, Connection as _, Row as _};
use tokio::runtime::{Builder, Runtime};

/// How many attempts the small history has and the large one, unless one says: in earnest, and as a test.
const SIZES: [u32; 2] = [10_000, 100_000];
const SIZES_AS_A_TEST: [u32; 2] = [1_500, 3_000];
/// A hundred thousand a day.
const SECS_BETWEEN: f64 = 0.864;
const SECS_PER_DAY: f64 = 86_400.0;
/// For so long attempts are rows.
const DAYS_OF_ROWS: f64 = 15.0;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let in_earnest = words.iter().any(|word| word == "--bench");
    let [small, large] = if in_earnest { SIZES } else { SIZES_AS_A_TEST };
    let wanted = words.iter().find_map(|word| word.parse().ok());
    let large = wanted.unwrap_or(large);
    let folder = tempfile::tempdir().expect("a folder");
    for (name, days_ago) in [("rows", 0.0), ("packed", DAYS_OF_ROWS + 1.0)] {
        println!("\n{name}");
        let mut histories = Vec::new();
        for attempts in [small, large] {
            let file = folder.path().join(format!("{name}_{attempts}.sqlite"));
            let last = now() - days_ago * SECS_PER_DAY;
            write(&file, attempts, last, days_ago > 0.0);
            histories.push(Address::file(&file));
        }
        questions(&histories);
    }
}

fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs_f64()
}

/// A number that looks like chance.
fn chance(n: u64, of: &str) -> u64 {
    let mut hash = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(&(n, of), &mut hash);
    std::hash::Hasher::finish(&hash)
}

/// Each task is a new one, as those with a date are; the last began at `last`.
fn began(n: u32, attempts: u32, last: f64) -> Began {
    let family = format!("Pipeline{}", n % 50);
    let number = u64::from(n);
    let worker = format!(
        "Worker(salt={:09}, workers=4, host=worker-1.example.com, username=etl, pid={})",
        chance(number / 500, "salt") % 1_000_000_000,
        n / 500
    );
    let secs = |of, most: u64| (chance(number, of) % (most * 1000)) as f64 / 1000.0;
    let moment = last - f64::from(attempts - n) * SECS_BETWEEN + secs("began", 1) / 2.0;
    Began {
        began: Timestamp(moment),
        task_id: task_id(n),
        module: Some("pipelines.daily".into()),
        params: vec![
            ("date".to_owned(), "2026-11-27".to_owned()),
            (
                "region".to_owned(),
                format!("region-{}", chance(number, "region") % 100_000),
            ),
        ],
        attempt: 1,
        worker: Some(worker.into()),
        host: Some("worker-1.example.com".into()),
        scheduled: Some(Timestamp(moment - secs("scheduled", 600) - 60.0)),
        ready: Some(Timestamp(moment - secs("ready", 60))),
        family: family.into(),
        ..Began::default()
    }
}

fn task_id(n: u32) -> String {
    let region = chance(n.into(), "region") % 100_000;
    let hash = chance(n.into(), "hash") >> 24;
    format!("Pipeline{}_2026_11_27_region_{region}_{hash:010x}", n % 50)
}

fn write(file: &Path, attempts: u32, last: f64, is_packed: bool) {
    let settings = settings(file);
    let room = settings.backlog_bytes;
    let (waiting, sender) = Waiting::new(settings);
    let recorder = waiting.start().expect("a file");
    let backlog = sender.backlog();
    let start = Instant::now();
    let mut told = Duration::ZERO;
    for n in 0..attempts {
        let began = began(n, attempts, last);
        let outcome = if n % 50 == 49 {
            Outcome::Failed
        } else {
            Outcome::Done
        };
        let secs = (chance(n.into(), "secs") % 600_000) as f64 / 1000.0;
        let ended = Ended {
            id: began.id(),
            ended: Some(Timestamp(began.began.0 + secs)),
            error: (outcome == Outcome::Failed).then(|| "Traceback: it broke\n".repeat(20)),
            outcome,
        };
        let telling = Instant::now();
        sender.send(Entry::Began(Box::new(began)));
        sender.send(Entry::Ended(ended));
        told += telling.elapsed();
        while backlog.bytes() as u64 > room / 2 {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    while backlog.bytes() > 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let written = start.elapsed();
    drop(sender);
    recorder.close();
    assert_eq!(backlog.left_out(), 0, "there was room");
    let packed = if is_packed {
        pack(file, attempts)
    } else {
        Duration::ZERO
    };
    println!(
        "{attempts:>9} attempts: told in {:.1} us each, written at {:.0}/s, packed in {:.1} s more; bytes each:",
        micros(told) / f64::from(attempts),
        f64::from(attempts) / written.as_secs_f64(),
        packed.as_secs_f64(),
    );
    show_bytes(file, attempts);
}

fn settings(file: &Path) -> Settings {
    Settings {
        backlog_bytes: 64 << 20,
        ..Settings::new(Address::file(file))
    }
}

/// What is old enough is packed when the history is opened: says how long that takes.
fn pack(file: &Path, attempts: u32) -> Duration {
    let start = Instant::now();
    let (waiting, sender) = Waiting::new(settings(file));
    let recorder = waiting.start().expect("a file");
    // A few are left, which are not enough for a pack.
    let most = i64::from(attempts) - 1000;
    let packed = "SELECT COALESCE(SUM(attempts), 0) FROM condotta_packs";
    while number(file, packed) < most {
        std::thread::sleep(Duration::from_millis(100));
    }
    let packed = start.elapsed();
    drop(sender);
    recorder.close();
    packed
}

fn show_bytes(file: &Path, attempts: u32) {
    let used = "SELECT (p.page_count - f.freelist_count) * s.page_size \
                FROM pragma_page_count() p, pragma_freelist_count() f, pragma_page_size() s";
    print!(
        "{:>11.1} in all",
        number(file, used) as f64 / f64::from(attempts)
    );
    for (name, bytes) in tables(file) {
        let each = bytes as f64 / f64::from(attempts);
        if each >= 0.5 {
            print!(", {each:.1} {}", name.trim_start_matches("condotta_"));
        }
    }
    println!();
}

fn number(file: &Path, sql: &'static str) -> i64 {
    rows(file, sql)
        .first()
        .expect("a row")
        .try_get(0)
        .expect("a number")
}

/// The tables and indexes, largest first, with their bytes.
fn tables(file: &Path) -> Vec<(String, i64)> {
    let sql = "SELECT name, SUM(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC";
    let read = |row: &sqlx::any::AnyRow| Some((row.try_get(0).ok()?, row.try_get(1).ok()?));
    rows(file, sql).iter().filter_map(read).collect()
}

fn rows(file: &Path, sql: &'static str) -> Vec<sqlx::any::AnyRow> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}", file.display());
        let mut connection = AnyConnection::connect(&url).await.expect("a file");
        let rows = sqlx::query(sql).fetch_all(&mut connection).await;
        connection.close().await.expect("it was open");
        rows.expect("SQLite answers")
    })
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
    ("the 100 before a day", |runtime, history| {
        let until = Some(Timestamp(now() - (DAYS_OF_ROWS + 1.05) * SECS_PER_DAY));
        page(
            runtime,
            history,
            Filter {
                until,
                ..Filter::default()
            },
        );
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
        let task_id = Some(task_id(7));
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
    ("of a family, that were lost", |runtime, history| {
        let family = Some("Pipeline7".to_owned());
        let outcomes = vec![Outcome::Lost];
        page(
            runtime,
            history,
            Filter {
                family,
                outcomes,
                ..Filter::default()
            },
        );
    }),
    ("with a parameter", |runtime, history| {
        let params = vec![("region".to_owned(), "none".to_owned())];
        page(
            runtime,
            history,
            Filter {
                params,
                ..Filter::default()
            },
        );
    }),
    ("durations of a family", |runtime, history| {
        let found = runtime.block_on(history.family_durations("Pipeline7", Timestamp(0.0)));
        black_box(found.expect("it is there"));
    }),
    ("durations of a task", |runtime, history| {
        let found = runtime.block_on(history.task_durations(&task_id(7), Timestamp(0.0)));
        black_box(found.expect("it is there"));
    }),
    ("all families", |runtime, history| {
        let found = runtime.block_on(history.families(Timestamp(0.0)));
        black_box(found.expect("it is there"));
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
