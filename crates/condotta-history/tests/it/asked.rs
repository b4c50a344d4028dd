//! Pages, filters, durations and counts.

use std::collections::BTreeMap;

use condotta_history::{Attempt, Began, Entry, Filter, Found, Outcome, Page};

use crate::{
    Case,
    databases::Place,
    story::{ask, at, attempts, began, numbers, record, run},
};

pub(crate) const CASES: &[Case] = &[
    ("pages_show_each_attempt_once_newest_first", pages),
    ("filters_leave_what_was_asked_for", filters),
    (
        "durations_and_counts_are_those_of_the_attempts",
        durations_and_counts,
    ),
    ("nothing_is_found_where_nothing_is", nothing),
];

fn pages(place: &Place) {
    // Three of each moment, so that pages end between them.
    let entries = (0..25).map(|n| Entry::Began(Box::new(began(n, f64::from(n / 3)))));
    record(&place.address, entries);
    let mut seen: Vec<Attempt> = Vec::new();
    ask(&place.address, async |history| {
        loop {
            let page = Page {
                limit: 4,
                after: seen.last().map(|attempt| attempt.id),
            };
            let found = history
                .attempts(&Filter::default(), &page)
                .await
                .unwrap()
                .attempts;
            let is_last = found.len() < 4;
            seen.extend(found);
            if is_last {
                break;
            }
        }
    });
    assert!(
        seen.windows(2).all(|pair| pair[0].id > pair[1].id),
        "newest first"
    );
    let mut numbers = numbers(&seen);
    numbers.sort_unstable();
    assert_eq!(numbers, (0..25).collect::<Vec<_>>());
}

fn filters(place: &Place) {
    let outcomes = [Outcome::Done, Outcome::Failed, Outcome::Lost];
    let entries = (0..9).flat_map(|n| run(began(n, f64::from(n)), 1.0, outcomes[n as usize / 3]));
    let other = Began {
        family: "Other".into(),
        task_id: "Other_1".to_owned(),
        ..began(9, 9.0)
    };
    let running = Entry::Began(Box::new(other));
    record(&place.address, entries.chain([running]));
    let all = Filter::default;
    let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let cases: Vec<(Filter, Vec<u32>)> = vec![
        (all(), (0..10).rev().collect()),
        (
            Filter {
                task_id: Some("Load_4_abc".to_owned()),
                ..all()
            },
            vec![4],
        ),
        (
            Filter {
                family: Some("Other".to_owned()),
                ..all()
            },
            vec![9],
        ),
        (
            Filter {
                worker: Some("worker-1".to_owned()),
                ..all()
            },
            vec![7, 4, 1],
        ),
        (
            Filter {
                outcomes: vec![Outcome::Failed, Outcome::Lost],
                ..all()
            },
            vec![8, 7, 6, 5, 4, 3],
        ),
        (
            Filter {
                outcomes: vec![Outcome::Done],
                ..all()
            },
            vec![2, 1, 0],
        ),
        (
            Filter {
                outcomes: vec![Outcome::Running, Outcome::Done],
                ..all()
            },
            vec![9, 2, 1, 0],
        ),
        (
            Filter {
                since: Some(at(3.0)),
                until: Some(at(5.0)),
                ..all()
            },
            vec![4, 3],
        ),
        (
            Filter {
                params: pair("n", "5"),
                ..all()
            },
            vec![5],
        ),
        (
            Filter {
                params: pair("N", "5"),
                ..all()
            },
            vec![],
        ),
        (
            Filter {
                family: Some("Load".to_owned()),
                worker: Some("worker-0".to_owned()),
                outcomes: vec![Outcome::Done],
                params: [pair("n", "0"), pair("date", "2026-11-27")].concat(),
                ..all()
            },
            vec![0],
        ),
    ];
    for (filter, expected) in cases {
        let found = attempts(&place.address, &filter);
        assert_eq!(numbers(&found), expected, "{filter:?}");
    }
}

fn durations_and_counts(place: &Place) {
    // A hundred that took 1 to 100 seconds, of one task; ten that failed, of another family.
    let done = (0..100_u32).flat_map(|n| {
        let began = Began {
            attempt: u64::from(n) + 1,
            ..began(1, f64::from(n))
        };
        run(began, f64::from(n) + 1.0, Outcome::Done)
    });
    let failed = (0..10_u32).flat_map(|n| {
        let began = Began {
            family: "Other".into(),
            ..began(n + 2, f64::from(n))
        };
        run(began, 1.0, Outcome::Failed)
    });
    record(&place.address, done.chain(failed));
    ask(&place.address, async |history| {
        let of_task = history
            .task_durations("Load_1_abc", at(-1.0))
            .await
            .unwrap();
        let near = |found: Option<f64>, real: f64| (found.unwrap() - real).abs() < 0.002;
        assert_eq!(of_task.count, 100);
        assert!(
            near(of_task.median, 50.0) && near(of_task.p95, 95.0),
            "{of_task:?}"
        );
        let of_family = history.family_durations("Load", at(-1.0)).await.unwrap();
        // So many really took no longer, and the end of their bucket is at most 8% more.
        let about = |found: Option<f64>, real: f64| (1.0..1.081).contains(&(found.unwrap() / real));
        assert_eq!(of_family.count, 100);
        assert!(
            about(of_family.median, 50.0) && about(of_family.p90, 90.0),
            "{of_family:?}"
        );
        assert!(near(of_family.max, 100.0), "{of_family:?}");
        assert!((of_family.total - 5050.0).abs() < 0.2, "{of_family:?}");
        let of_days: u64 = of_family.days.iter().map(|day| day.count).sum();
        assert_eq!(of_days, 100);
        let families = history.families(at(-1.0)).await.unwrap();
        let outcomes: Vec<_> = families
            .iter()
            .map(|it| (it.family.as_str(), it.outcomes.clone()))
            .collect();
        let only = |outcome, count| BTreeMap::from([(outcome, count)]);
        let expected = [
            ("Load", only(Outcome::Done, 100)),
            ("Other", only(Outcome::Failed, 10)),
        ];
        assert_eq!(outcomes, expected);
        assert!(about(families[0].durations.median, 50.0));
        assert_eq!(families[1].durations.median, None);
        for counts in [
            history.counts_by_day(None, at(-1.0)).await.unwrap(),
            history.counts_by_hour(None, at(-1.0)).await.unwrap(),
        ] {
            let sum = |outcome| -> u64 {
                counts
                    .by_time
                    .values()
                    .filter_map(|it| it.get(&outcome))
                    .sum()
            };
            assert_eq!(
                (sum(Outcome::Done), sum(Outcome::Failed)),
                (100, 10),
                "{counts:?}"
            );
        }
        let other = history
            .counts_by_day(Some("Other"), at(-1.0))
            .await
            .unwrap();
        assert!(
            other
                .by_time
                .values()
                .all(|it| *it == only(Outcome::Failed, 10)),
            "{other:?}"
        );
        let hour = history
            .counts_by_hour(Some("Other"), at(-1.0))
            .await
            .unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "it is an hour")]
        let hour_of_begin = (at(0.0).0 / 3600.0) as i64;
        assert_eq!(
            hour.by_time,
            BTreeMap::from([(hour_of_begin, only(Outcome::Failed, 10))])
        );
    });
}

fn nothing(place: &Place) {
    record(&place.address, []);
    ask(&place.address, async |history| {
        let page = Page {
            limit: 10,
            after: None,
        };
        let found = history.attempts(&Filter::default(), &page).await;
        assert_eq!(found.unwrap(), Found::default());
        assert_eq!(history.families(at(0.0)).await.unwrap(), []);
        let durations = history.family_durations("Load", at(0.0)).await.unwrap();
        assert_eq!((durations.count, durations.median), (0, None));
        let id = "0193a5c2b7e-5f3c09aa".parse().unwrap();
        assert_eq!(history.attempt(&id).await.unwrap(), None);
        let far = "ffffffffffffffff-5f3c09aa".parse().unwrap();
        assert_eq!(history.attempt(&far).await.unwrap(), None);
    });
}
