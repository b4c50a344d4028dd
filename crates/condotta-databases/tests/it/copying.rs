//! Rows into tables: where they come from, where they go, and what is left when they do not fit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use condotta_databases::{Column, DatabaseError, Delimited, Type};
use condotta_targets::{BoxError, Target as _};

use condotta_test_servers::databases::{Kind, Place};

use crate::{Case, Contents as _, chain};

pub(crate) const CASES: &[Case] = &[
    ("rows_of_rust_are_copied", rows_of_rust),
    ("text_files_are_copied", text_files),
    ("names_are_taken_to_the_letter", names),
    ("statements_come_before_and_after", before_and_after),
    ("a_value_that_does_not_fit_is_named", a_misfit_is_named),
    (
        "a_value_that_the_database_refuses_is_named",
        a_refused_value,
    ),
    ("a_null_where_there_may_be_none_is_named", a_wrong_null),
    ("rows_that_fail_leave_nothing", failing_rows),
    ("statements_that_fail_leave_nothing", failing_statements),
    ("many_copy_into_a_new_table_at_once", many_at_once),
    ("large_values_are_copied", large_values),
];

fn rain() -> [(&'static str, Type); 3] {
    [
        ("day", Type::Integer),
        ("place", Type::Text),
        ("millimetres", Type::Double),
    ]
}

fn rows_of_rust(place: &Place) {
    let target = place.database().table("rain", "1");
    let rows =
        (0..2500_u32).map(|day| (day, format!("place {day}"), (day % 2 == 0).then_some(1.5)));
    assert_eq!(target.copy(rain()).rows(rows).unwrap(), 2500);
    assert!(target.exists().unwrap());
    let found = place.found("SELECT count(*), sum(day), sum(millimetres) FROM rain");
    assert_eq!(found, ["2500|3123750|1875"]);
    let found = place.found("SELECT * FROM rain WHERE day IN (7, 8) ORDER BY day");
    assert_eq!(found, ["7|place 7|NULL", "8|place 8|1.5"]);
}

fn text_files(place: &Place) {
    let database = place.database();
    let csv = "place,millimetres,day\n\"Oslo, \"\"N\"\"\",2.5,1\n,,2\n";
    let target = database.table("rain", "csv");
    assert_eq!(target.copy(rain()).csv(csv.as_bytes()).unwrap(), 2);
    let tsv = "3\tRome\t\\N\n4\t\"Bern\"\t0.5";
    let target = database.table("rain", "tsv");
    let copied = target
        .copy(rain())
        .delimited(tsv.as_bytes(), Delimited::tsv());
    assert_eq!(copied.unwrap(), 2);
    let found = place.found("SELECT * FROM rain ORDER BY day");
    let expected = [
        "1|Oslo, \"N\"|2.5",
        "2|NULL|NULL",
        "3|Rome|NULL",
        "4|\"Bern\"|0.5",
    ];
    assert_eq!(found, expected);
}

fn names(place: &Place) {
    let database = place.database();
    let table = match place.kind {
        Kind::Postgres => {
            database.execute("CREATE SCHEMA \"My.Schema\"").unwrap();
            "\"My.Schema\".Select \u{fc}"
        }
        Kind::MariaDb => {
            // A schema is a database there.
            let name = place.url.rsplit('/').next().unwrap();
            &format!("{name}.Select \u{fc}")
        }
        Kind::Sqlite => "main.Select \u{fc}",
    };
    let target = database.table(table, "1");
    let columns = [("order", Type::Integer), ("A \"b\" `c`", Type::Text)];
    target.copy(columns).rows([(1, "x")]).unwrap();
    assert!(target.exists().unwrap());
    assert!(database.has_table(table).unwrap());
    let mut found = Vec::new();
    let read = database.snapshot(table).for_each(|values| {
        found.push(crate::shown(values));
        Ok(())
    });
    assert_eq!(read.unwrap(), 1);
    assert_eq!(found, ["1|x"]);
    let markers = place.found("SELECT target_table FROM table_updates");
    assert_eq!(markers, [table]);
}

fn before_and_after(place: &Place) {
    let database = place.database();
    database
        .table("rain", "1")
        .copy(rain())
        .rows([(1, "a", 1.0)])
        .unwrap();
    let target = database.table("rain", "2");
    target
        .copy(rain())
        .before("DELETE FROM rain WHERE place = 'a'")
        .after("UPDATE rain SET place = 'c'")
        .rows([(2, "b", 1.0)])
        .unwrap();
    assert_eq!(place.found("SELECT day, place FROM rain"), ["2|c"]);

    let target = database.table("rain", "3");
    let defines = "TRUNCATE TABLE rain";
    let copy = target.copy(rain()).before(defines).rows([(3, "d", 1.0)]);
    match place.kind {
        Kind::Sqlite => assert!(copy.is_err(), "there is no TRUNCATE"),
        _ => {
            copy.unwrap();
            assert_eq!(place.found("SELECT day, place FROM rain"), ["3|d"]);
        }
    }
    let target = database.table("rain", "4");
    let copy = target.copy(rain()).after(defines).rows([(4, "e", 1.0)]);
    if place.kind == Kind::MariaDb {
        let message = chain(&copy.unwrap_err());
        assert!(
            message.contains("`TRUNCATE TABLE rain` would commit"),
            "{message}"
        );
        assert_eq!(place.found("SELECT day, place FROM rain"), ["3|d"]);
    }
}

/// Nothing of `update` is there, and what was there before still is.
#[track_caller]
fn assert_unchanged(place: &Place, update: &str) {
    assert!(!place.database().table("rain", update).exists().unwrap());
    assert_eq!(place.found("SELECT day FROM rain"), ["0"]);
}

fn a_misfit_is_named(place: &Place) {
    let database = place.database();
    database
        .table("rain", "0")
        .copy(rain())
        .rows([(0, "a", 1.0)])
        .unwrap();
    let target = database.table("rain", "1");
    let mut csv = "day,place,millimetres\n".to_owned();
    for day in 1..=3000 {
        csv += &format!("{day},\"two\nlines\",0.5\n");
    }
    csv += "3001,x,much\n";
    let copies = [
        target.copy(rain()).csv(csv.as_bytes()),
        target.copy(rain()).rows((1..=3001).map(|day| {
            let text = if day == 3001 { "much" } else { "0.5" };
            (day, "x", text)
        })),
    ];
    for copy in copies {
        let message = chain(&copy.unwrap_err());
        let expected = format!(
            "cannot copy to rain of {}: row 3001, column millimetres: `much` is no number, which is written as `98.5` or `1e-7`",
            database
        );
        assert_eq!(message, expected);
        assert_unchanged(place, "1");
    }
    let copy = target.copy(rain()).rows([vec![1], vec![2, 3]]);
    let message = chain(&copy.unwrap_err());
    assert!(
        message.ends_with(": row 1: it has 1 values, not 3"),
        "{message}"
    );
    assert_unchanged(place, "1");
    let copy = target.copy([("day", Type::Integer); 0]).rows([[1]]);
    assert!(chain(&copy.unwrap_err()).ends_with(": no columns are declared"));
}

fn a_refused_value(place: &Place) {
    let database = place.database();
    let columns = || {
        [
            ("day", Type::sql("INTEGER CHECK (day < 5000)")),
            ("code", Type::Text),
        ]
    };
    database
        .table("rain", "0")
        .copy(columns())
        .rows([(0, "a")])
        .unwrap();
    let target = database.table("rain", "1");
    let rows = (1..=6000).map(|day| (if day == 4500 { 9000 } else { 1 }, "a"));
    let error = target.copy(columns()).rows(rows).unwrap_err();
    let message = chain(&error);
    match place.kind {
        // It says of a check that fails only what check it is.
        Kind::MariaDb => {
            assert!(message.contains("CONSTRAINT"), "{message}");
            assert!(
                message.contains("(in one of the rows 4001 to 5000)"),
                "{message}"
            );
        }
        _ => assert!(message.contains(": row 4500: "), "{message}"),
    }
    assert_unchanged(place, "1");

    if place.kind == Kind::Sqlite {
        return; // Its types refuse nothing.
    }
    let columns = [("day", Type::sql("INTEGER")), ("code", Type::Text)];
    let rows = (1..=3000).map(|day| (if day == 2999 { "12.x" } else { "1" }, "a"));
    let error = target.copy(columns).rows(rows).unwrap_err();
    let message = chain(&error);
    assert!(message.contains(": row 2999"), "{message}");
    assert!(message.contains("day"), "{message}");
    // MariaDB says only that the value is none.
    assert!(
        place.kind == Kind::MariaDb || message.contains("12.x"),
        "{message}"
    );
    assert_unchanged(place, "1");
}

fn a_wrong_null(place: &Place) {
    let database = place.database();
    let columns = || [Column::new("day", Type::Integer).not_null()];
    database
        .table("rain", "0")
        .copy(columns())
        .rows([[0]])
        .unwrap();
    let target = database.table("rain", "1");
    let error = target
        .copy(columns())
        .rows([[Some(1)], [None]])
        .unwrap_err();
    let message = chain(&error);
    assert!(
        message.ends_with("row 2, column day: it may not be NULL"),
        "{message}"
    );
    assert_unchanged(place, "1");
    // The table says so as well.
    let error = target
        .copy([("day", Type::Integer)])
        .rows([[Some(1)], [None]])
        .unwrap_err();
    assert!(chain(&error).to_lowercase().contains("null"));
    assert_unchanged(place, "1");
}

fn failing_rows(place: &Place) {
    let database = place.database();
    database
        .table("rain", "0")
        .copy(rain())
        .rows([(0, "a", 1.0)])
        .unwrap();
    let target = database.table("rain", "1");
    let rows = (1..=5000).map(|day| match day {
        4999 => Err(BoxError::from("the source is dry")),
        day => Ok((day, "a", 1.0)),
    });
    let error = target.copy(rain()).try_rows(rows).unwrap_err();
    assert!(
        matches!(error, DatabaseError::Row { row: 4999, .. }),
        "{error:?}"
    );
    assert!(chain(&error).ends_with("row 4999: the source is dry"));
    assert_unchanged(place, "1");

    let rows = (1..=5000).map(|day| {
        assert!(day < 4999, "it breaks here");
        (day, "a", 1.0)
    });
    let copy = AssertUnwindSafe(|| target.copy(rain()).rows(rows));
    assert!(catch_unwind(copy).is_err());
    assert_unchanged(place, "1");
    assert_eq!(target.copy(rain()).rows([(1, "a", 1.0)]).unwrap(), 1);
    assert!(target.exists().unwrap());
}

fn failing_statements(place: &Place) {
    let database = place.database();
    database
        .table("rain", "0")
        .copy(rain())
        .rows([(0, "a", 1.0)])
        .unwrap();
    let target = database.table("rain", "1");
    let copies = [
        target
            .copy(rain())
            .before("DELETE FROM snow")
            .rows([(1, "a", 1.0)]),
        target
            .copy(rain())
            .after("DELETE FROM snow")
            .rows([(1, "a", 1.0)]),
        target
            .copy(rain())
            .before("DELETE FROM rain")
            .after("DELETE FROM snow")
            .rows([(1, "a", 1.0)]),
    ];
    for copy in copies {
        assert!(chain(&copy.unwrap_err()).contains("snow"));
        assert_unchanged(place, "1");
    }
}

fn many_at_once(place: &Place) {
    let copy = |number: i64| {
        let target = place.database().table("rain", number.to_string());
        let rows = (0..500).map(move |day| (number * 1000 + day, "a", 1.0));
        target.copy(rain()).rows(rows).unwrap();
    };
    thread::scope(|scope| {
        for number in 0..6 {
            scope.spawn(move || copy(number));
        }
    });
    assert_eq!(
        place.found("SELECT count(DISTINCT day) FROM rain"),
        ["3000"]
    );
    assert_eq!(place.found("SELECT count(*) FROM table_updates"), ["6"]);
}

fn large_values(place: &Place) {
    let target = place.database().table("rain", "1");
    let text = "é\t\\\n".repeat(600_000);
    let rows = (0..5).map(|day| (day, &*text, 0.5));
    target.copy(rain()).rows(rows).unwrap();
    let mut count = 0;
    let read = place.database().snapshot("rain").for_each(|values| {
        assert_eq!(values[1], condotta_databases::Value::Text((&*text).into()));
        count += 1;
        Ok(())
    });
    read.unwrap();
    assert_eq!(count, 5);
}
