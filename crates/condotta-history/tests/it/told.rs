//! What was told is there, whole and once, whatever the texts are and however it came.

use std::time::{Duration, Instant};

use condotta_history::{AttemptId, Began, Ended, Entry, Filter, Outcome, Settings, Standing};
use condotta_scheduler::Timestamp;
use condotta_test_servers::wait_until;

use crate::{
    Case,
    databases::Place,
    story::{ask, at, attempt, attempts, began, ended, record, run, start},
};

pub(crate) const CASES: &[Case] = &[
    ("what_is_told_comes_back", what_is_told_comes_back),
    (
        "an_end_may_come_long_after_the_begin",
        an_end_may_come_long_after_the_begin,
    ),
    (
        "hostile_texts_come_back_unharmed",
        hostile_texts_come_back_unharmed,
    ),
    ("an_attempt_that_is_told_again_has_its_new_name", told_again),
    (
        "what_stands_is_kept_and_the_rest_is_over",
        what_stands_is_kept,
    ),
    ("what_ended_unheard_is_counted_once", what_ended_unheard),
    ("repeated_entries_count_once", repeated_entries),
    (
        "after_much_at_once_it_is_gathered_longer",
        gathered_longer_after_much,
    ),
];

/// Equal but for times between two milliseconds.
pub(crate) fn assert_same(read: &Began, told: &Began) {
    let near = |one: Option<Timestamp>, other: Option<Timestamp>| match (one, other) {
        (Some(one), Some(other)) => (one.0 - other.0).abs() < 0.002,
        (None, None) => true,
        _ => false,
    };
    assert!(near(Some(read.began), Some(told.began)));
    assert!(near(read.scheduled, told.scheduled), "{read:?}");
    assert!(near(read.ready, told.ready), "{read:?}");
    let same = Began {
        began: told.began,
        scheduled: told.scheduled,
        ready: told.ready,
        ..read.clone()
    };
    assert_eq!(&same, told);
}

fn what_is_told_comes_back(place: &Place) {
    let told = Began {
        hidden_params: vec![("note".to_owned(), "unseen".to_owned())],
        scheduled: Some(at(0.5)),
        ready: Some(at(1.25)),
        priority: f64::INFINITY,
        resources: [("gpu".to_owned(), 2)].into(),
        batch_id: Some("0123456789abcdef".to_owned()),
        ..began(7, 2.5)
    };
    let statistics = Entry::Statistics {
        id: told.id(),
        statistics: r#"{"rows": 3}"#.to_owned(),
    };
    let [begin, end] = run(told.clone(), 3.5, Outcome::Failed);
    record(&place.address, [begin, statistics, end]);
    let read = attempt(&place.address, &told.id()).expect("it was told");
    let finite = Began {
        priority: f64::MAX,
        ..told.clone()
    };
    assert_same(&read.began, &finite);
    assert_eq!(read.id, told.id());
    assert_eq!(read.outcome, Outcome::Failed);
    assert_eq!(read.error.as_deref(), Some("it broke"));
    assert_eq!(read.statistics.as_deref(), Some(r#"{"rows": 3}"#));
    assert!((read.secs().unwrap() - 3.5).abs() < 0.002);
    assert!((read.waited_secs().unwrap() - 1.25).abs() < 0.002);
}

fn an_end_may_come_long_after_the_begin(place: &Place) {
    let told = began(1, 0.0);
    record(&place.address, [Entry::Began(Box::new(told.clone()))]);
    let read = attempt(&place.address, &told.id()).unwrap();
    assert_eq!((read.outcome, read.ended), (Outcome::Running, None));
    let statistics = Entry::Statistics {
        id: told.id(),
        statistics: "{}".to_owned(),
    };
    let end = Entry::Ended(ended(&told, 60.0, Outcome::Done));
    record(&place.address, [end, statistics]);
    let read = attempt(&place.address, &told.id()).unwrap();
    assert_eq!(read.outcome, Outcome::Done);
    assert!((read.secs().unwrap() - 60.0).abs() < 0.002);
    assert_eq!(read.statistics.as_deref(), Some("{}"));
    assert_eq!(done(place), 1);
}

fn hostile_texts_come_back_unharmed(place: &Place) {
    let texts = [
        "'; DROP TABLE condotta_attempts; --",
        "\"quoted\" \\ back\\slashed % _ ? $1 :name",
        "line\nbreak\r\ttab \u{7f}",
        "Grüße, 東京, 🦀, \u{202e}reversed",
        "<script>alert(1)</script>",
        &"long ".repeat(2000),
    ];
    for (index, &text) in (0..).zip(&texts) {
        let told = Began {
            task_id: format!("{text}{index}"),
            family: format!("{text}{index}").into(),
            module: Some(text.into()),
            params: vec![(
                text.chars().take(50).collect(),
                text.chars().take(900).collect(),
            )],
            hidden_params: vec![("h".to_owned(), text.chars().take(900).collect())],
            worker: Some(format!("{text}{index}").into()),
            host: Some(text.into()),
            resources: [(text.to_owned(), 1)].into(),
            batch_id: Some(text.to_owned()),
            ..began(index, f64::from(index))
        };
        let end = Ended {
            error: Some(text.to_owned()),
            ..ended(&told, 1.0, Outcome::Failed)
        };
        record(
            &place.address,
            [Entry::Began(Box::new(told.clone())), Entry::Ended(end)],
        );
        let filter = Filter {
            task_id: Some(told.task_id.clone()),
            family: Some(told.family.to_string()),
            worker: told.worker.as_deref().map(str::to_owned),
            params: told.params.clone(),
            ..Filter::default()
        };
        let found = attempts(&place.address, &filter);
        assert_eq!(found.len(), 1, "{text}");
        assert_same(&found[0].began, &told);
        assert_eq!(found[0].error.as_deref(), Some(text));
    }
    zero_bytes(place);
}

/// PostgreSQL takes no zero bytes; they are shown by their symbol everywhere.
fn zero_bytes(place: &Place) {
    let told = Began {
        task_id: "a\0b".to_owned(),
        params: vec![("p".to_owned(), "x\0y".to_owned())],
        ..began(1, 100.0)
    };
    let error = format!("{}\0", "z".repeat(20_000));
    let end = Ended {
        error: Some(error),
        ..ended(&told, 1.0, Outcome::Failed)
    };
    record(
        &place.address,
        [Entry::Began(Box::new(told.clone())), Entry::Ended(end)],
    );
    let read = attempt(&place.address, &told.id()).unwrap();
    assert_eq!(read.began.task_id, "a\u{2400}b");
    assert_eq!(read.began.params[0].1, "x\0y", "JSON keeps it");
    let error = read.error.unwrap();
    assert!(
        error.ends_with("… [16384 of 20003 bytes are kept]"),
        "{}",
        &error[16_380..]
    );
}

fn told_again(place: &Place) {
    let told = began(1, 10.0);
    let second = AttemptId::new(&told.task_id, 1, at(11.5));
    let third = AttemptId::new(&told.task_id, 1, at(12.75));
    let renamed = |from: &AttemptId, to: &AttemptId| Entry::Renamed {
        from: *from,
        to: *to,
    };
    let begin = Entry::Began(Box::new(told.clone()));
    record(&place.address, [begin, renamed(&told.id(), &second)]);
    let end = Ended {
        id: third,
        ..ended(&told, 5.0, Outcome::Done)
    };
    record(
        &place.address,
        [renamed(&second, &third), Entry::Ended(end)],
    );
    assert_eq!(attempt(&place.address, &told.id()), None);
    assert_eq!(attempt(&place.address, &second), None);
    let read = attempt(&place.address, &third).unwrap();
    assert_eq!(read.outcome, Outcome::Done);
    assert!((read.secs().unwrap() - 2.25).abs() < 0.002, "{read:?}");
}

fn what_stands_is_kept(place: &Place) {
    let [lost, kept, new] = [1, 2, 3].map(|n| began(n, f64::from(n)));
    let begun = [&lost, &kept].map(|it| Entry::Began(Box::new(it.clone())));
    record(&place.address, begun);
    for _ in 0..2 {
        let standing = Standing {
            running: vec![kept.clone(), new.clone()],
            ended: Vec::new(),
        };
        record(&place.address, [Entry::Standing(Box::new(standing))]);
        let outcomes: Vec<Outcome> = attempts(&place.address, &Filter::default())
            .iter()
            .map(|it| it.outcome)
            .collect();
        assert_eq!(
            outcomes,
            [Outcome::Running, Outcome::Running, Outcome::Unknown]
        );
    }
    let end = Entry::Ended(ended(&kept, 1.0, Outcome::Done));
    record(&place.address, [end]);
    assert_eq!(
        attempt(&place.address, &kept.id()).unwrap().outcome,
        Outcome::Done
    );
}

fn what_ended_unheard(place: &Place) {
    let [open, unheard, heard] = [1, 2, 3].map(|n| began(n, f64::from(n)));
    record(&place.address, [Entry::Began(Box::new(open.clone()))]);
    record(&place.address, run(heard.clone(), 9.0, Outcome::Done));
    for _ in 0..2 {
        let ends = [(&open, 4.0), (&unheard, 5.0), (&heard, 6.0)];
        let ends = ends.map(|(it, secs)| (it.clone(), ended(it, secs, Outcome::Done)));
        let standing = Standing {
            running: Vec::new(),
            ended: ends.into(),
        };
        record(&place.address, [Entry::Standing(Box::new(standing))]);
        let secs: Vec<f64> = attempts(&place.address, &Filter::default())
            .iter()
            .map(|it| it.secs().unwrap().round())
            .collect();
        assert_eq!(secs, [9.0, 5.0, 4.0], "what was heard stays");
        assert_eq!(done(place), 3);
    }
}

/// As when nobody heard that something was written, and it is written again with more.
fn repeated_entries(place: &Place) {
    let first: Vec<Entry> = (0..60)
        .flat_map(|n| run(began(n, f64::from(n)), 1.0, Outcome::Done))
        .collect();
    record(&place.address, first.clone());
    let more = (60..70).flat_map(|n| run(began(n, f64::from(n)), 1.0, Outcome::Done));
    record(&place.address, first.into_iter().chain(more));
    assert_eq!(attempts(&place.address, &Filter::default()).len(), 70);
    assert_eq!(done(place), 70);
}

fn gathered_longer_after_much(place: &Place) {
    const MUCH: u32 = 1000;
    let (recorder, sender) = start(Settings::new(place.address.clone())).unwrap();
    let mut told = 0;
    let mut tell_until_it_is_there = |many: u32| {
        let begun = Instant::now();
        for n in told..told + many {
            sender.send(Entry::Began(Box::new(began(n, f64::from(n)))));
        }
        told += many;
        let all = usize::try_from(told).unwrap();
        wait_until("all is written", || {
            attempts(&place.address, &Filter::default()).len() == all
        });
        begun.elapsed()
    };
    assert!(tell_until_it_is_there(1) >= Duration::from_millis(250));
    // A slow machine may have written them in parts, of which the last was small.
    let is_longer = (0..4).any(|_| {
        tell_until_it_is_there(MUCH);
        tell_until_it_is_there(1) >= Duration::from_secs(1)
    });
    assert!(is_longer, "it was written at once");
    drop(sender);
    recorder.close();
}

/// How many are counted as done.
fn done(place: &Place) -> u64 {
    let durations = ask(&place.address, async |history| {
        history
            .family_durations("Load", at(-86_400.0))
            .await
            .unwrap()
    });
    durations.count
}
