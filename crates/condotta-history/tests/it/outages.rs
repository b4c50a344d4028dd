//! A database that goes away and comes back, and what there is no room for meanwhile.

use std::time::{Duration, Instant};

use condotta_history::{Began, Entry, Filter, Outcome, Settings, Standing};
use condotta_scheduler::Timestamp;
use condotta_test_servers::wait_until;
use tracing::Level;

use crate::{
    databases::{Kind, PASSWORD, Server, database},
    lines,
    story::{ask, attempts, began, numbers, run, start},
};

pub(crate) const CASES: &[(&str, fn())] = &[
    ("postgresql_comes_back", || comes_back(Kind::Postgres)),
    ("mariadb_comes_back", || comes_back(Kind::MariaDb)),
    ("what_finds_no_room_is_made_good", what_finds_no_room),
    (
        "a_database_that_is_away_at_the_start_is_waited_for",
        away_at_the_start,
    ),
    ("an_outage_is_told_at_once_and_then_seldom", told_seldom),
    (
        "questions_that_fail_are_told_once",
        questions_that_fail_are_told_once,
    ),
    (
        "the_end_does_not_wait_for_ever",
        the_end_does_not_wait_for_ever,
    ),
];

fn comes_back(kind: Kind) {
    let server = Server::start(kind);
    let address = database(&server, "outage");
    let (recorder, sender) = start(Settings::new(address.clone())).unwrap();
    let tell = |n| {
        for entry in run(began(n, f64::from(n)), 1.0, Outcome::Done) {
            sender.send(entry);
        }
    };
    tell(0);
    wait_until("it is written", || {
        attempts(&address, &Filter::default()).len() == 1
    });
    server.stop();
    (1..2000).for_each(tell);
    server.run();
    (2000..2010).for_each(tell);
    drop(sender);
    recorder.close();
    let found = numbers(&attempts(&address, &Filter::default()));
    assert!(
        found.iter().copied().eq((0..2010).rev()),
        "{} are there",
        found.len()
    );
}

fn what_finds_no_room() {
    let server = Server::start(Kind::Postgres);
    let address = database(&server, "outage");
    let settings = Settings {
        backlog_bytes: 50_000,
        ..Settings::new(address.clone())
    };
    let (recorder, sender) = start(settings).unwrap();
    let all: Vec<Began> = (0..500).map(|n| began(n, f64::from(n))).collect();
    server.stop();
    for began in &all {
        sender.send(Entry::Began(Box::new(began.clone())));
    }
    assert!(!sender.wants_standing(), "there is no room yet");
    server.run();
    wait_until("there is room", || sender.wants_standing());
    let standing = Standing {
        running: all[400..].to_vec(),
        ended: Vec::new(),
    };
    sender.send_standing(Box::new(standing));
    assert!(!sender.wants_standing());
    drop(sender);
    recorder.close();
    let of = |outcome| {
        let filter = Filter {
            outcomes: vec![outcome],
            ..Filter::default()
        };
        attempts(&address, &filter).len()
    };
    assert_eq!(of(Outcome::Running), 100, "what runs is there");
    let unknown = of(Outcome::Unknown);
    assert!(
        (1..400).contains(&unknown),
        "{unknown}: what was told, and does not run"
    );
}

fn away_at_the_start() {
    let server = Server::start(Kind::MariaDb);
    let address = database(&server, "outage");
    server.stop();
    let (recorder, sender) = start(Settings::new(address.clone())).unwrap();
    for entry in run(began(1, 0.0), 1.0, Outcome::Done) {
        sender.send(entry);
    }
    server.run();
    drop(sender);
    recorder.close();
    assert_eq!(attempts(&address, &Filter::default()).len(), 1);
}

fn the_end_does_not_wait_for_ever() {
    let server = Server::start(Kind::Postgres);
    let address = database(&server, "outage");
    let (recorder, sender) = start(Settings::new(address)).unwrap();
    server.stop();
    sender.send(Entry::Began(Box::new(began(1, 0.0))));
    drop(sender);
    recorder.close();
}

fn told_seldom() {
    let every = Duration::from_millis(400);
    let server = Server::start(Kind::Postgres);
    let address = database(&server, "outage");
    let place = address.place().to_owned();
    let settings = Settings {
        backlog_bytes: 50_000,
        tell_every: every,
        ..Settings::new(address.clone())
    };
    let (recorder, sender) = start(settings).unwrap();
    let stopped = Instant::now();
    server.stop();
    let of = |part| lines::with(&[&place, part]);
    let (begun, goes_on) = ("it is tried again", "it was tried");
    let left_out = "events were left out of the history";
    for n in 0..500 {
        sender.send(Entry::Began(Box::new(began(n, f64::from(n)))));
    }
    wait_until("the outage is told", || {
        of(begun).len() == 1 && !of(left_out).is_empty() && of(goes_on).len() >= 2
    });
    sender.send(Entry::Began(Box::new(began(500, 500.0))));
    server.run();
    wait_until("its end is told", || !of("is written again").is_empty());
    let most = stopped.elapsed().as_millis() / every.as_millis() + 1;
    for part in [begun, goes_on, left_out] {
        let lines = of(part);
        assert!(lines.len() as u128 <= most, "{lines:?}");
        assert!(lines.iter().all(|line| line.0 == Level::ERROR), "{lines:?}");
    }
    assert_eq!(of(begun).len(), 1, "it is one outage");
    let dropped = sender.backlog().left_out();
    drop(sender);
    recorder.close();
    let told = of(left_out).into_iter().map(|line| {
        let count = line.1.split(' ').next();
        count.and_then(|count| count.parse::<u64>().ok()).unwrap()
    });
    let told: u64 = told.sum();
    assert!(told > 0 && told == dropped, "{told} of {dropped} were told");
    assert_eq!(lines::with(&[PASSWORD]), []);
}

fn questions_that_fail_are_told_once() {
    let server = Server::start(Kind::MariaDb);
    let address = database(&server, "outage");
    server.stop();
    let place = address.place().to_owned();
    ask(&address, async |history| {
        let since = Timestamp(0.0);
        let (one, other, third) = tokio::join!(
            history.families(since),
            history.families(since),
            history.families(since)
        );
        let failed = [one, other, third].iter().all(Result::is_err);
        assert!(failed, "there is no database");
        assert_eq!(lines::with(&["question", &place]).len(), 1);
        server.run();
        server.ask(None, "SELECT 1");
        // It has no tables, which is no outage; the line is told once all the same.
        assert!(history.families(since).await.is_err());
        assert_eq!(lines::with(&["question", &place]).len(), 1);
    });
}
