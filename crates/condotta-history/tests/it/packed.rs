//! What began long ago is packed, and answered as before; an older history is brought up.

use std::{collections::BTreeMap, os::unix::fs::symlink, process::Command};

use condotta_history::{Attempt, Began, Ended, Entry, Filter, Outcome, Page, Settings, Standing};
use condotta_test_servers::wait_until;
use sqlx::{AnyConnection, Connection as _, Executor as _, Row as _};

use crate::{
    Case,
    bounds::days_ago,
    databases::{Kind, Place},
    story::{ask, at, attempt, attempts, began, numbers, record, record_as, run},
    told::assert_same,
};

pub(crate) const CASES: &[Case] = &[
    ("what_is_packed_is_answered_as_before", answered_as_before),
    ("packs_that_are_too_old_go", packs_that_are_too_old_go),
    ("what_is_packed_is_not_counted_again", not_counted_again),
    ("a_history_of_version_1_is_packed", version_1_is_packed),
];

/// Those for which a file is enough.
pub(crate) const OF_FILES: &[Case] = &[
    ("looking_for_parameters_goes_on_in_pages", looking_goes_on),
    ("a_file_of_version_1_is_read", a_file_of_version_1_is_read),
    ("packs_are_read_as_the_page_says", read_as_the_page_says),
];

/// So long ago that it is packed.
fn long_ago() -> f64 {
    days_ago(20.0)
}

/// The only number that a statement answers with.
fn number(place: &Place, sql: &'static str) -> i64 {
    ask(&place.address, async |_| {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&place.url).await.unwrap();
        let row = connection.fetch_one(sql).await.unwrap();
        connection.close().await.unwrap();
        row.try_get(0).unwrap()
    })
}

fn execute(place: &Place, statements: &[&'static str]) {
    ask(&place.address, async |_| {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&place.url).await.unwrap();
        for &sql in statements {
            connection.execute(sqlx::raw_sql(sql)).await.unwrap();
        }
        connection.close().await.unwrap();
    });
}

fn wait_for_packs(place: &Place, packs: i64) {
    let settings = Settings::new(place.address.clone());
    record_as(settings, |_| {
        wait_until("all packs are there", || {
            number(place, "SELECT COUNT(*) FROM condotta_packs") == packs
        });
    });
}

/// Of two families, three workers and four ways to end, with all that can be told and hostile texts.
fn varied(n: u32) -> [Entry; 2] {
    let moment = long_ago() + f64::from(n / 3);
    let mut told = began(n, moment);
    // Each task runs several times, always with the same parameters.
    let task = n % 910;
    told.task_id = format!("Load_{task}_abc");
    told.params[1].1 = task.to_string();
    told.attempt = u64::from(n / 910) + 1;
    if n.is_multiple_of(7) {
        told.family = "Grüße '; \"東京\" \\ %_?".into();
        told.hidden_params = vec![("note".to_owned(), format!("unseen {task}"))];
        told.resources = [("gpu".to_owned(), 2)].into();
        told.batch_id = Some("0123456789abcdef".to_owned());
        told.scheduled = Some(at(moment - 3.25));
        told.ready = Some(at(moment - 1.5));
        told.priority = 0.125 * f64::from(n);
    }
    if n.is_multiple_of(11) {
        (told.worker, told.host) = (None, None);
    }
    let outcome = match n % 50 {
        3 => Outcome::Failed,
        17 => Outcome::Lost,
        29 => Outcome::Suspended,
        _ => Outcome::Done,
    };
    run(told, f64::from(n % 600), outcome)
}

fn halves([began, ended]: [Entry; 2]) -> (Began, Ended) {
    match (began, ended) {
        (Entry::Began(began), Entry::Ended(ended)) => (*began, ended),
        others => panic!("{others:?}"),
    }
}

fn assert_is(read: &Attempt, (began, ended): &(Began, Ended)) {
    assert_same(&read.began, began);
    assert_eq!((read.outcome, &read.error), (ended.outcome, &ended.error));
    let near = (read.ended.unwrap().0 - ended.ended.unwrap().0).abs();
    assert!(near < 0.002, "{read:?}");
}

fn answered_as_before(place: &Place) {
    let mut told: Vec<_> = (0..2500).map(|n| halves(varied(n))).collect();
    // What still ran when its neighbours were packed, and what began lately, stay rows.
    let runs = Began {
        task_id: "Load_runs".to_owned(),
        ..began(1, long_ago() + 100.5)
    };
    told.extend(
        (5000..5020).map(|n| halves(run(began(n, f64::from(n - 5000)), 1.0, Outcome::Done))),
    );
    let entries = told.iter().flat_map(|(began, ended)| {
        [
            Entry::Began(Box::new(began.clone())),
            Entry::Ended(ended.clone()),
        ]
    });
    record(
        &place.address,
        entries.chain([Entry::Began(Box::new(runs.clone()))]),
    );
    wait_for_packs(place, 2);
    let rows = number(place, "SELECT COUNT(*) FROM condotta_attempts");
    assert!((521..560).contains(&rows), "{rows}");
    let late = Entry::Ended(Ended {
        id: runs.id(),
        ended: Some(at(5.0)),
        outcome: Outcome::Cancelled,
        error: Some("it broke".to_owned()),
    });
    record(&place.address, [late.clone()]);
    let Entry::Ended(ended) = late else {
        unreachable!("it is one")
    };
    told.push((runs, ended));
    let hidden = Filter {
        params: vec![("note".to_owned(), "unseen 14".to_owned())],
        ..Filter::default()
    };
    let guessed = in_pages(place, &hidden);
    assert!(
        guessed.is_empty(),
        "what is hidden cannot be guessed at: {guessed:?}"
    );
    told.sort_by_key(|(began, _)| std::cmp::Reverse(began.id()));
    for (filter, is_meant) in questions() {
        let meant: Vec<_> = told.iter().filter(|told| is_meant(told)).collect();
        let found = in_pages(place, &filter);
        assert_eq!(found.len(), meant.len(), "{filter:?}");
        assert!(!meant.is_empty(), "{filter:?}");
        for (read, told) in found.iter().zip(&meant) {
            assert_is(read, told);
        }
    }
    for told in told.iter().step_by(97) {
        assert_is(&attempt(&place.address, &told.0.id()).unwrap(), told);
    }
    let absent = format!(
        "{:011x}-00000000",
        told[1500].0.id().began().0 as u64 * 1000
    );
    assert_eq!(attempt(&place.address, &absent.parse().unwrap()), None);
    durations_and_counts(place, &told);
}

type Question = (Filter, fn(&(Began, Ended)) -> bool);

fn questions() -> Vec<Question> {
    let all = Filter::default;
    let param = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    vec![
        (all(), |_| true),
        (
            Filter {
                task_id: Some("Load_77_abc".to_owned()),
                ..all()
            },
            |told| told.0.task_id == "Load_77_abc",
        ),
        (
            Filter {
                family: Some("Grüße '; \"東京\" \\ %_?".to_owned()),
                ..all()
            },
            |told| &*told.0.family != "Load",
        ),
        (
            Filter {
                worker: Some("worker-1".to_owned()),
                ..all()
            },
            |told| told.0.worker.as_deref() == Some("worker-1"),
        ),
        (
            Filter {
                outcomes: vec![Outcome::Failed, Outcome::Lost],
                ..all()
            },
            |told| [Outcome::Failed, Outcome::Lost].contains(&told.1.outcome),
        ),
        (
            Filter {
                outcomes: vec![Outcome::Cancelled],
                ..all()
            },
            |told| told.1.outcome == Outcome::Cancelled,
        ),
        (
            Filter {
                outcomes: vec![Outcome::Done, Outcome::Suspended],
                ..all()
            },
            |told| [Outcome::Done, Outcome::Suspended].contains(&told.1.outcome),
        ),
        (
            Filter {
                family: Some("Load".to_owned()),
                outcomes: vec![Outcome::Failed],
                ..all()
            },
            |told| &*told.0.family == "Load" && told.1.outcome == Outcome::Failed,
        ),
        (
            Filter {
                family: Some("Load".to_owned()),
                worker: Some("worker-2".to_owned()),
                outcomes: vec![Outcome::Suspended, Outcome::Lost],
                ..all()
            },
            |told| {
                &*told.0.family == "Load"
                    && told.0.worker.as_deref() == Some("worker-2")
                    && [Outcome::Suspended, Outcome::Lost].contains(&told.1.outcome)
            },
        ),
        (
            Filter {
                since: Some(at(long_ago() + 200.0)),
                until: Some(at(long_ago() + 500.0)),
                ..all()
            },
            |told| (at(long_ago() + 200.0)..at(long_ago() + 500.0)).contains(&told.0.began),
        ),
        (
            Filter {
                params: param("n", "203"),
                ..all()
            },
            |told| told.0.params[1].1 == "203",
        ),
    ]
}

/// All that a filter takes, a few at a time.
fn in_pages(place: &Place, filter: &Filter) -> Vec<Attempt> {
    let mut seen: Vec<Attempt> = Vec::new();
    let mut after = None;
    ask(&place.address, async |history| {
        loop {
            let page = Page { limit: 200, after };
            let found = history.attempts(filter, &page).await.unwrap();
            let is_full = found.attempts.len() == 200;
            seen.extend(found.attempts);
            after = found.goes_on_after;
            if is_full {
                after = seen.last().map(|attempt| attempt.id);
            } else if after.is_none() {
                return;
            }
        }
    });
    seen
}

fn durations_and_counts(place: &Place, told: &[(Began, Ended)]) {
    let of_task = told
        .iter()
        .filter(|(began, ended)| began.task_id == "Load_77_abc" && ended.outcome == Outcome::Done);
    ask(&place.address, async |history| {
        let since = at(days_ago(30.0));
        let found = history.task_durations("Load_77_abc", since).await.unwrap();
        assert_eq!(found.count, of_task.count() as u64);
        // An hour of it is asked, on both sides of which there is more.
        let counts = history.counts_by_hour(None, since).await.unwrap();
        let sum: u64 = counts
            .by_time
            .values()
            .filter_map(|it| it.get(&Outcome::Failed))
            .sum();
        let failed = told.iter().filter(|it| it.1.outcome == Outcome::Failed);
        assert_eq!(sum, failed.count() as u64);
        let counts = history.counts_by_hour(Some("Load"), since).await.unwrap();
        let sum: u64 = counts.by_time.values().flat_map(|it| it.values()).sum();
        let load = told.iter().filter(|it| &*it.0.family == "Load");
        assert_eq!(sum, load.count() as u64);
    });
}

/// Each answer looks at a bounded number of rows, and says where it goes on.
fn looking_goes_on(place: &Place) {
    record_as(
        Settings {
            backlog_bytes: u64::MAX,
            ..Settings::new(place.address.clone())
        },
        |sender| {
            for n in 0..50_500 {
                let began = began(n, f64::from(n) / 500.0);
                let id = began.id();
                sender.send(Entry::Began(Box::new(Began {
                    params: vec![("n".to_owned(), n.to_string())],
                    ..began
                })));
                sender.send(Entry::Ended(Ended {
                    id,
                    ended: None,
                    outcome: Outcome::Done,
                    error: None,
                }));
            }
        },
    );
    let filter = Filter {
        params: vec![("n".to_owned(), "100".to_owned())],
        ..Filter::default()
    };
    ask(&place.address, async |history| {
        let mut page = Page {
            limit: 10,
            after: None,
        };
        let found = history.attempts(&filter, &page).await.unwrap();
        assert!(found.attempts.is_empty(), "{found:?}");
        page.after = found.goes_on_after;
        assert!(page.after.is_some(), "it says that there is more");
        let found = history.attempts(&filter, &page).await.unwrap();
        assert_eq!(numbers(&found.attempts), [100]);
        assert_eq!(found.goes_on_after, None);
    });
}

/// As after a start: a scheduler tells of what ended in its last minutes, however long ago that was.
fn not_counted_again(place: &Place) {
    let told: Vec<_> = (0..1500).map(|n| halves(varied(n))).collect();
    record(&place.address, (0..1500).flat_map(varied));
    wait_for_packs(place, 1);
    let counts = || {
        ask(&place.address, async |history| {
            let counts = history.counts_by_day(None, at(days_ago(30.0))).await;
            let of_days = counts.unwrap().by_time.into_values();
            of_days.flat_map(BTreeMap::into_values).sum::<u64>()
        })
    };
    let counted = counts();
    assert_eq!(counted, 1500);
    let standing = Standing {
        running: Vec::new(),
        ended: told[..20].to_vec(),
    };
    record(
        &place.address,
        [Entry::Standing(Box::new(standing.clone()))],
    );
    assert_eq!(counts(), counted);
    // Nor what was dropped since it is too old.
    execute(place, &["DELETE FROM condotta_packs"]);
    let settings = Settings {
        keep_days: 10,
        ..Settings::new(place.address.clone())
    };
    record_as(settings, |sender| {
        sender.send(Entry::Standing(Box::new(standing)));
    });
    assert_eq!(counts(), counted);
}

fn packs_that_are_too_old_go(place: &Place) {
    let old = (0..1500).flat_map(varied);
    let new = run(began(7, 0.0), 1.0, Outcome::Done);
    record(&place.address, old.chain(new));
    wait_for_packs(place, 1);
    let settings = Settings {
        keep_days: 10,
        ..Settings::new(place.address.clone())
    };
    record_as(settings, |sender| {
        wait_until("only the new one is there", || {
            numbers(&attempts(&place.address, &Filter::default())) == [7]
        });
        wait_until("it is counted", || sender.backlog().expired() == 1500);
    });
    for (count, rows) in [
        ("SELECT COUNT(*) FROM condotta_packs", 0),
        ("SELECT COUNT(*) FROM condotta_pack_keys", 0),
        ("SELECT COUNT(*) FROM condotta_workers", 1),
    ] {
        assert_eq!(number(place, count), rows, "{count}");
    }
}

fn version_1_is_packed(place: &Place) {
    // Too few for a pack, so that they are as version 1 left them.
    let told: Vec<_> = (0..990).map(|n| halves(varied(n))).collect();
    record(&place.address, (0..990).flat_map(varied));
    // MariaDB commits each change of a table, so the program may have stopped after the first column.
    let no_column = match place.kind {
        Kind::MariaDb => "UPDATE condotta_attempts SET task_id = NULL",
        _ => "ALTER TABLE condotta_attempts DROP COLUMN task_id",
    };
    execute(
        place,
        &[
            "DROP TABLE condotta_packs",
            "DROP TABLE condotta_pack_keys",
            "CREATE TABLE condotta_tasks AS SELECT DISTINCT task AS id, task_id, params, hidden \
             FROM condotta_attempts",
            "ALTER TABLE condotta_attempts DROP COLUMN params",
            "ALTER TABLE condotta_attempts DROP COLUMN hidden",
            no_column,
            "DELETE FROM condotta_history_version WHERE version > 1",
        ],
    );
    record(&place.address, (990..1200).flat_map(varied));
    wait_for_packs(place, 1);
    assert_eq!(
        number(place, "SELECT MAX(version) FROM condotta_history_version"),
        5
    );
    let found = attempts(&place.address, &Filter::default());
    assert_eq!(found.len(), 1200);
    for told in &told {
        let read = found.iter().find(|read| read.id == told.0.id()).unwrap();
        assert_is(read, told);
    }
}

/// As a scheduler of that version wrote it.
fn a_file_of_version_1_is_read(place: &Place) {
    std::fs::File::create(place.file()).unwrap();
    execute(place, &[include_str!("../data/version_1.sql")]);
    let settings = Settings {
        keep_days: 365_000,
        ..Settings::new(place.address.clone())
    };
    record_as(settings, |sender| {
        for entry in run(began(9, 0.0), 1.0, Outcome::Done) {
            sender.send(entry);
        }
    });
    let found = attempts(&place.address, &Filter::default());
    let mut ids: Vec<_> = found.iter().map(|it| it.began.task_id.as_str()).collect();
    ids.sort_unstable();
    let expected = [
        "Load_2026_11_20_0000000000",
        "Load_2026_11_21_0000000001",
        "Load_2026_11_22_0000000002",
        "Load_2026_11_23_0000000003",
        "Load_2026_11_24_0000000004",
        "Load_9_abc",
    ];
    assert_eq!(ids, expected);
    let failed = found
        .iter()
        .find(|it| it.outcome == Outcome::Failed)
        .unwrap();
    assert_eq!(failed.error.as_deref(), Some("Traceback: it broke"));
    assert_eq!(
        failed.began.params[1],
        ("region".to_owned(), "nörd".to_owned())
    );
    assert_eq!(failed.began.host.as_deref(), Some("example.com"));
}

/// The program of the page about the history prints what is packed.
fn read_as_the_page_says(place: &Place) {
    record(&place.address, (0..1100).flat_map(varied));
    wait_for_packs(place, 1);
    let page = include_str!("../../../../docs/how-to/history.md");
    let (_, rest) = page.split_once("```python\n").unwrap();
    let (program, _) = rest.split_once("```").unwrap();
    let mut python = Command::new("python3");
    python.args(["-c", program]);
    let folder = tempfile::tempdir().unwrap();
    symlink(place.file(), folder.path().join("history.sqlite")).unwrap();
    let output = python.current_dir(folder.path()).output();
    let output = output.expect("Python is installed");
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let packed = number(place, "SELECT SUM(attempts) FROM condotta_packs");
    assert_eq!(printed.lines().count() as i64, packed, "{printed}");
    let millis = |secs: f64| (secs * 1000.0).round() as i64;
    let read = printed.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let secs = |at: usize| millis(words[at].parse().unwrap());
        (secs(1), words[0].to_owned(), secs(2))
    });
    let told = (0..1100).map(|n| {
        let (told, _) = halves(varied(n));
        (
            millis(told.began.0),
            told.task_id,
            millis(f64::from(n % 600)),
        )
    });
    let [mut read, mut told]: [Vec<_>; 2] = [read.collect(), told.collect()];
    read.sort_unstable();
    told.sort_unstable();
    assert_eq!(read, told[..read.len()]);
}
