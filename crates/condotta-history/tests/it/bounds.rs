//! The history stays within its bounds, and a newer one is left alone.

use condotta_history::{Address, Began, Filter, HistoryError, Outcome, Settings};
use condotta_scheduler::Timestamp;
use condotta_test_servers::wait_until;
use sqlx::{AnyConnection, Connection as _, Executor as _};

use crate::{
    Case,
    databases::{Kind, PASSWORD, Place},
    story::{ask, at, attempts, began, numbers, record, record_as, run, start},
};

pub(crate) const CASES: &[Case] = &[
    (
        "what_is_too_old_goes_and_its_totals_stay",
        what_is_too_old_goes,
    ),
    ("a_file_stays_within_its_size", a_file_stays_within_its_size),
    (
        "a_newer_history_is_left_alone",
        a_newer_history_is_left_alone,
    ),
    ("no_password_is_shown", no_password_is_shown),
];

pub(crate) fn days_ago(days: f64) -> f64 {
    -86_400.0 * days
}

fn what_is_too_old_goes(place: &Place) {
    // More than one step of them, and a task that ran before and after.
    let old =
        (0..700).flat_map(|n| run(began(n, days_ago(10.0) + f64::from(n)), 1.0, Outcome::Done));
    let again = Began {
        attempt: 2,
        ..began(0, 0.0)
    };
    let new = [
        run(again, 1.0, Outcome::Done),
        run(began(700, 1.0), 1.0, Outcome::Done),
    ]
    .concat();
    record(&place.address, old.chain(new));
    let settings = Settings {
        keep_days: 5,
        ..Settings::new(place.address.clone())
    };
    record_as(settings, |_| {
        wait_until("the old ones are gone", || {
            numbers(&attempts(&place.address, &Filter::default())) == [700, 0]
        });
    });
    let of_task = Filter {
        task_id: Some("Load_0_abc".to_owned()),
        ..Filter::default()
    };
    assert_eq!(
        attempts(&place.address, &of_task).len(),
        1,
        "its newest attempt stays"
    );
    let durations = ask(&place.address, async |history| {
        history
            .family_durations("Load", at(days_ago(20.0)))
            .await
            .unwrap()
    });
    assert_eq!(durations.count, 702);
    let settings = Settings {
        keep_totals_days: 5,
        ..Settings::new(place.address.clone())
    };
    record_as(settings, |_| {
        wait_until("the old totals are gone", || {
            let durations = ask(&place.address, async |history| {
                history
                    .family_durations("Load", at(days_ago(20.0)))
                    .await
                    .unwrap()
            });
            durations.count == 2
        });
    });
}

fn a_file_stays_within_its_size(place: &Place) {
    if place.kind != Kind::Sqlite {
        return;
    }
    let long = |n: u32| Began {
        params: vec![
            ("text".to_owned(), "x".repeat(4000)),
            ("n".to_owned(), n.to_string()),
        ],
        ..began(n, f64::from(n))
    };
    record(
        &place.address,
        (0..2000).flat_map(|n| run(long(n), 1.0, Outcome::Done)),
    );
    let before = std::fs::metadata(place.file()).unwrap().len();
    assert!(before > 8 << 20, "{before}");
    let settings = Settings {
        max_bytes: 4 << 20,
        ..Settings::new(place.address.clone())
    };
    record_as(settings, |_| {
        wait_until("the file is smaller", || {
            std::fs::metadata(place.file()).unwrap().len() < 6 << 20
        });
    });
    let left = numbers(&attempts(&place.address, &Filter::default()));
    assert!((500..=1000).contains(&left.len()), "{}", left.len());
    assert_eq!(left[0], 1999, "the newest stay");
    assert!(
        left.windows(2).all(|pair| pair[0] == pair[1] + 1),
        "and no gap is made"
    );
}

fn a_newer_history_is_left_alone(place: &Place) {
    record(&place.address, run(began(1, 0.0), 1.0, Outcome::Done));
    ask(&place.address, async |_| {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&place.url).await.unwrap();
        let insert = "INSERT INTO condotta_history_version (version) VALUES (99)";
        connection.execute(insert).await.unwrap();
        connection.close().await.unwrap();
    });
    let error = start(Settings::new(place.address.clone()))
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(error, HistoryError::Newer { found: 99, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("run the newer condotta"),
        "{error}"
    );
    assert_eq!(attempts(&place.address, &Filter::default()).len(), 1);
}

fn no_password_is_shown(place: &Place) {
    if place.kind == Kind::Sqlite {
        return;
    }
    let address = Address::parse(&place.url.replace(PASSWORD, "wrong-secret")).unwrap();
    let error = ask(&address, async |history| {
        let error = history.families(Timestamp(0.0)).await.unwrap_err();
        format!("{error} {error:?} {history:?}")
    });
    assert!(!error.contains("wrong-secret"), "{error}");
    assert!(error.contains(address.place()), "{error}");
}
