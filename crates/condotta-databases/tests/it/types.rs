//! Values of all types through tables and files, to the last digit.

use std::{fs::File, path::Path};

use condotta_databases::{Database, Type, Value};
use condotta_targets::{LocalTarget, ReadWrite as _};
use parquet::{
    file::reader::{FileReader as _, SerializedFileReader},
    record::Field,
};
use serde_json::json;

use condotta_test_servers::databases::{Kind, Place};

use crate::{Case, Contents as _};

pub(crate) const CASES: &[Case] = &[
    ("all_types_come_back_from_all_layouts", all_types),
    ("types_of_the_database_come_as_text", types_of_the_database),
];

fn columns() -> [(&'static str, Type); 9] {
    [
        ("flag", Type::Boolean),
        ("whole", Type::Integer),
        ("number", Type::Double),
        ("exact", Type::Decimal(30, 2)),
        ("text", Type::Text),
        ("bytes", Type::Bytes),
        ("day", Type::Date),
        ("at", Type::Timestamp),
        ("moment", Type::TimestampTz),
    ]
}

fn row(
    exact: &'static str,
    (flag, whole, number): (bool, i64, f64),
    (text, bytes): (&'static str, &'static [u8]),
    (day, at, moment): (&str, &str, &str),
) -> Vec<Value<'static>> {
    vec![
        Value::Boolean(flag),
        Value::Integer(whole),
        Value::Double(number),
        Value::Decimal(exact.into()),
        Value::Text(text.into()),
        Value::Bytes(bytes.into()),
        Value::Date(day.parse().unwrap()),
        Value::Timestamp(at.parse().unwrap()),
        Value::TimestampTz(moment.parse().unwrap()),
    ]
}

fn rows(kind: Kind) -> Vec<Vec<Value<'static>>> {
    let large = match kind {
        Kind::Sqlite => "-123456789012.25",
        _ => "-9999999999999999999999999999.99",
    };
    vec![
        row(
            "12.25",
            (true, i64::MAX, 0.1),
            ("a, \"b\" 'c'\r\nd\te\\f\\N", b"\x00\xff,\"\n"),
            (
                "2026-11-27",
                "2026-11-27 23:59:59.123456",
                "2026-11-27T08:30:00.5Z",
            ),
        ),
        row(
            large,
            (false, i64::MIN, -1.5e300),
            ("", b""),
            ("1000-01-01", "9999-12-31 23:59:59", "1970-01-02T00:00:00Z"),
        ),
        row(
            "0.75",
            (false, 0, 2.0),
            ("日本語 ñ 🌧 NULL \\", b"\\x"),
            (
                "9999-12-31",
                "2000-01-01 00:00:00",
                "2037-01-01T12:00:00+02:00",
            ),
        ),
        vec![Value::Null; 9],
    ]
}

fn read(database: &Database, table: &str) -> Vec<Vec<Value<'static>>> {
    let mut rows = Vec::new();
    let read = database.snapshot(table).for_each(|values| {
        rows.push(values.iter().cloned().map(Value::into_owned).collect());
        Ok(())
    });
    assert_eq!(read.unwrap(), rows.len() as u64);
    rows
}

fn all_types(place: &Place) {
    let database = place.database();
    let rows = rows(place.kind);
    database
        .table("given", "1")
        .copy(columns())
        .rows(rows.clone())
        .unwrap();
    assert_eq!(read(&database, "given"), rows);

    let csv = LocalTarget::new(place.folder.path().join("given.csv"));
    assert_eq!(database.snapshot("given").csv(&csv).unwrap(), 4);
    let text = csv.read_to_string().unwrap();
    assert!(text.starts_with("flag,whole,number,exact,text,bytes,day,at,moment\ntrue,9223372036854775807,0.1,12.25,\"a, \"\"b\"\" 'c'\r\nd\te\\f\\N\",\\x00ff2c220a,2026-11-27,2026-11-27 23:59:59.123456,2026-11-27 08:30:00.5Z\n"), "{text}");
    assert!(text.ends_with("\n,,,,,,,,\n"), "{text}");
    let copied = database
        .table("copied", "2")
        .copy(columns())
        .csv(csv.reader().unwrap());
    assert_eq!(copied.unwrap(), 4);
    assert_eq!(read(&database, "copied"), rows);

    let json = LocalTarget::new(place.folder.path().join("given.jsonl.gz")).format_by_extension();
    assert_eq!(database.snapshot("given").json_lines(&json).unwrap(), 4);
    check_json(&json);

    let parquet = LocalTarget::new(place.folder.path().join("given.parquet"));
    assert_eq!(database.snapshot("given").parquet(&parquet).unwrap(), 4);
    check_parquet(parquet.path(), &rows);
}

fn check_json(file: &LocalTarget) {
    let lines: Vec<String> = file.lines().unwrap().map(Result::unwrap).collect();
    let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    let expected = json!({
        "flag": true, "whole": i64::MAX, "number": 0.1, "exact": 12.25,
        "text": "a, \"b\" 'c'\r\nd\te\\f\\N", "bytes": "\\x00ff2c220a",
        "day": "2026-11-27", "at": "2026-11-27T23:59:59.123456", "moment": "2026-11-27T08:30:00.5Z",
    });
    assert_eq!(first, expected);
    let third: serde_json::Value = serde_json::from_str(&lines[2]).unwrap();
    assert_eq!(third["text"], "日本語 ñ 🌧 NULL \\");
    let last: serde_json::Value = serde_json::from_str(&lines[3]).unwrap();
    assert_eq!(last["text"], serde_json::Value::Null);
    assert_eq!(last.as_object().unwrap().len(), 9);
    assert_eq!(lines.len(), 4);
}

fn check_parquet(path: &Path, expected: &[Vec<Value<'_>>]) {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let found: Vec<_> = reader
        .get_row_iter(None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(found.len(), expected.len());
    for (row, expected) in found.iter().zip(expected) {
        for ((name, field), ((column, _), value)) in
            row.get_column_iter().zip(columns().iter().zip(expected))
        {
            assert_eq!(name, column);
            match (field, value) {
                (Field::Null, Value::Null) => {}
                (Field::Bool(found), Value::Boolean(value)) => assert_eq!(found, value),
                (Field::Long(found), Value::Integer(value)) => assert_eq!(found, value),
                (Field::Double(found), Value::Double(value)) => {
                    assert_eq!(found.to_bits(), value.to_bits());
                }
                (Field::Str(found), Value::Decimal(value) | Value::Text(value)) => {
                    assert_eq!(found, value);
                }
                (Field::Bytes(found), Value::Bytes(value)) => assert_eq!(found.data(), &**value),
                (Field::Date(found), Value::Date(value)) => {
                    let epoch = jiff::civil::date(1970, 1, 1);
                    let days = value.duration_since(epoch).as_hours() / 24;
                    assert_eq!(i64::from(*found), days);
                }
                (Field::TimestampMicros(found), Value::Timestamp(value)) => {
                    let epoch = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
                    let since = value.duration_since(epoch).as_micros();
                    assert_eq!(i128::from(*found), since);
                }
                (Field::TimestampMicros(found), Value::TimestampTz(value)) => {
                    assert_eq!(*found, value.as_microsecond());
                }
                (field, value) => panic!("{name}: {field:?} for {value:?}"),
            }
        }
    }
}

fn types_of_the_database(place: &Place) {
    let (create, expected): (&str, &[&str]) = match place.kind {
        Kind::Postgres => (
            "CREATE TYPE mood AS ENUM ('sad', 'glad');
             CREATE DOMAIN counted AS INTEGER;
             CREATE TABLE kinds (a SMALLINT, b REAL, c NUMERIC, d mood, e counted, f INTEGER[], g JSONB,
                 h INTERVAL, i UUID, j CHAR(3), k DATE, l TIMESTAMP, m DOUBLE PRECISION, n INET);
             INSERT INTO kinds VALUES (-5, 0.1, 'NaN', 'glad', 7, '{1,2}', '{\"x\": 1}', '1 day',
                 '6f1d0d5c-1f6b-4d0e-9d1c-0a1b2c3d4e5f', 'ab', 'infinity', '-infinity', 'NaN', '10.0.0.1')",
            &[
                "-5", "0.1", "NaN", "glad", "7", "{1,2}", "{\"x\": 1}", "1 day",
                "6f1d0d5c-1f6b-4d0e-9d1c-0a1b2c3d4e5f", "ab ", "infinity", "-infinity", "NaN",
                "10.0.0.1/32",
            ],
        ),
        Kind::MariaDb => (
            "CREATE TABLE kinds (a TINYINT, b BIGINT UNSIGNED, c DECIMAL(10, 3), d ENUM('sad', 'glad'),
                 e YEAR, f JSON, g TIME, h TINYINT(1), i SET('x', 'y'), j CHAR(3));
             INSERT INTO kinds VALUES (-5, 18446744073709551615, 1.5, 'glad', 2026, '{\"x\": 1}',
                 '25:00:00', 7, 'x,y', 'ab')",
            &[
                "-5", "18446744073709551615", "1.500", "glad", "2026", "{\"x\": 1}", "25:00:00", "7",
                "x,y", "ab",
            ],
        ),
        Kind::Sqlite => (
            "CREATE TABLE kinds (a INTEGER, b DATE, c, d DECIMAL(5, 2), e BOOLEAN, f TEXT);
             INSERT INTO kinds VALUES ('not a number', 'someday', 5, 1.5, 7, x'00ff')",
            &["not a number", "someday", "5", "1.5", "7", "Bytes([0, 255])"],
        ),
    };
    let database = place.database();
    database.execute(create).unwrap();
    assert_eq!(place.found("SELECT * FROM kinds"), [expected.join("|")]);

    let query = match place.kind {
        Kind::Postgres => "SELECT c, c AS c, 1.5::numeric AS \"d.e\" FROM kinds -- twice",
        _ => "SELECT c, c AS c, 1.5 AS `d.e` FROM kinds -- twice",
    };
    let csv = LocalTarget::new(place.folder.path().join("kinds.csv"));
    database.query_snapshot(query).csv(&csv).unwrap();
    let text = csv.read_to_string().unwrap();
    assert!(text.starts_with("c,c,d.e\n"), "{text}");
    assert!(text.ends_with(",1.5\n"), "{text}");
}
