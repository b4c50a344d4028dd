//! Texts of values against those that Luigi 3.8.1 writes: `golden/values.json`, made by
//! `golden/values.py`.

use std::time::Duration;

use condotta::parameter::{
    Date, DateHour, DateInterval, DateMinute, DateSecond, Month, Parameter, Periodic, Year,
};
use serde_json::Value;

fn again<P: Parameter>(text: &str) -> String {
    P::parse(text).unwrap().serialize()
}

fn on_grid<P: Periodic>(text: &str, interval: &str) -> String {
    let interval = interval.parse().unwrap();
    P::parse(text)
        .unwrap()
        .floor(interval, P::epoch())
        .serialize()
}

fn with_days(text: &str) -> String {
    let interval = DateInterval::parse(text).unwrap();
    let days = [interval.start(), interval.end()].map(|day| day.serialize());
    format!("{} {}", interval.serialize(), days.join(" "))
}

fn in_rust(kind: &str, text: &str) -> String {
    let words: Vec<&str> = kind.split(' ').collect();
    match words[..] {
        ["float"] => again::<f64>(text),
        ["list"] => again::<Vec<String>>(text),
        ["dict"] => again::<Value>(text),
        ["duration"] => again::<Duration>(text),
        ["interval"] => with_days(text),
        ["grid", "Date", interval] => on_grid::<Date>(text, interval),
        ["grid", "Month", interval] => on_grid::<Month>(text, interval),
        ["grid", "Year", interval] => on_grid::<Year>(text, interval),
        ["grid", "DateHour", interval] => on_grid::<DateHour>(text, interval),
        ["grid", "DateMinute", interval] => on_grid::<DateMinute>(text, interval),
        ["grid", "DateSecond", interval] => on_grid::<DateSecond>(text, interval),
        _ => panic!("no such kind: {kind}"),
    }
}

#[test]
fn values_are_written_as_luigi_writes_them() {
    let entries: Vec<[String; 3]> =
        serde_json::from_str(include_str!("golden/values.json")).unwrap();
    assert_eq!(entries.len(), 460);
    for [kind, text, expected] in entries {
        assert_eq!(in_rust(&kind, &text), expected, "{kind} {text}");
    }
}
