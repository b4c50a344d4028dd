//! Task ids against those that Luigi 3.8.1 gave: `golden/task_ids.json` holds a vector for each
//! class of parameter and value.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use condotta::{
    parameter::{IndexMap, Parameter, comma_list},
    prelude::*,
    task_id::task_id,
};
use jiff::civil::{DateTime, date};
use serde_json::{Value, json};

/// The vectors' task: one parameter of any type.
#[derive(Task)]
struct T<P: Parameter> {
    p: P,
}

#[task(family = "T")]
impl<P: Parameter> Task for T<P> {}

fn id(p: impl Parameter) -> String {
    T { p }.task_id()
}

/// The same task with attributes on its parameter, where the vectors' classes have arguments.
macro_rules! with_attributes {
    ($($name:ident: $type:ty, $attribute:meta;)*) => {$(
        #[derive(Task)]
        struct $name {
            #[$attribute]
            p: $type,
        }

        // The names clash, but nobody looks for these tasks by name.
        #[task(family = "T")]
        impl Task for $name {}
    )*};
}

with_attributes! {
    EverySevenDays: Date, param(interval = 7);
    EveryThreeMonths: Month, param(interval = 3);
    EveryFifteenMinutes: DateMinute, param(interval = 15);
    InRange: i64, param(min = 0, max = 10);
    OneOf: i64, param(choices = [1, 2]);
    EnumList: Vec<E>, param(with = comma_list);
    ChoiceList: Vec<String>, param(with = comma_list);
}

/// As a worker sees the task, for values that Rust code gave.
fn normalized<T: Task>(mut task: T) -> String {
    task.normalize().unwrap();
    task.task_id()
}

#[derive(Clone, Copy, ParameterEnum)]
enum E {
    #[param(name = "a")]
    A,
    #[param(name = "b")]
    B,
}

/// Vectors that no Rust type expresses, with the reason.
const WITHOUT_TYPE: [(&str, &str, &str); 2] = [
    (
        "luigi.TimeDeltaParameter",
        "datetime.timedelta(seconds=1, microseconds=500000)",
        "Luigi loses the half second; here it stays, so that the text reads back as the value",
    ),
    (
        "luigi.TaskParameter",
        "<class '__main__.P'>",
        "a Rust type is no value; a family is a string",
    ),
];

fn evening() -> DateTime {
    date(2013, 7, 10).at(19, 5, 6, 999_000)
}

/// The id of the Rust task for a vector.
fn rust_id(param: &str, input: &str) -> Option<String> {
    let quoted = input.trim_matches('\'').to_owned();
    let day = date(2013, 7, 10);
    let parsed = |text: &str| DateInterval::parse(text).ok().map(id);
    Some(match (param, input) {
        ("luigi.Parameter", _) => id(quoted),
        ("luigi.IntParameter", _) => id(input.parse::<i64>().unwrap()),
        ("luigi.FloatParameter", _) => id(input.parse::<f64>().unwrap()),
        ("luigi.BoolParameter", "True" | "False") => id(input == "True"),
        ("luigi.BoolParameter", "'true'") => id(bool::parse("true").unwrap()),
        ("luigi.DateParameter", "datetime.date(2013, 7, 10)") => id(day),
        ("luigi.DateParameter", "datetime.datetime(2013, 7, 10, 5, 0)") => {
            id(day.at(5, 0, 0, 0).date())
        }
        ("luigi.DateParameter(interval=7)", _) => normalized(EverySevenDays { p: day }),
        ("luigi.MonthParameter", "datetime.date(2013, 7, 10)") => id(Month::of(day)),
        ("luigi.MonthParameter", "2013-07") => id(Month::new(2013, 7).unwrap()),
        ("luigi.MonthParameter(interval=3)", _) => normalized(EveryThreeMonths {
            p: Month::of(date(2013, 8, 10)),
        }),
        ("luigi.YearParameter", _) => id(Year::of(day)),
        ("luigi.DateHourParameter", _) => id(DateHour::of(evening())),
        ("luigi.DateMinuteParameter", _) => id(DateMinute::of(evening())),
        ("luigi.DateMinuteParameter(interval=15)", _) => normalized(EveryFifteenMinutes {
            p: DateMinute::of(day.at(19, 25, 6, 0)),
        }),
        ("luigi.DateSecondParameter", _) => id(DateSecond::of(evening())),
        ("luigi.DateIntervalParameter", _) => parsed(&quoted)?,
        ("luigi.TimeDeltaParameter", "datetime.timedelta(days=9, seconds=3725)") => {
            id(Duration::from_secs(9 * 86_400 + 3725))
        }
        ("luigi.ListParameter", "[1, 2, [3]]") => id((1, 2, vec![3])),
        ("luigi.ListParameter", "({'a': 1}, 'ü')") => {
            id((IndexMap::from([("a".to_owned(), 1)]), "ü".to_owned()))
        }
        ("luigi.TupleParameter", "((1, 2), (3, 4))") => id(((1, 2), (3, 4))),
        ("luigi.TupleParameter", "()") => id(Vec::<i64>::new()),
        ("luigi.DictParameter", "{'b': 1, 'a': [1, 2]}") => id(json!({"b": 1, "a": [1, 2]})),
        ("luigi.DictParameter", "{}") => id(IndexMap::<String, i64>::new()),
        ("luigi.EnumParameter", _) => id(E::A),
        ("luigi.EnumListParameter", "()") => EnumList { p: vec![] }.task_id(),
        ("luigi.EnumListParameter", _) => EnumList {
            p: vec![E::A, E::B],
        }
        .task_id(),
        ("luigi.ChoiceParameter(var_type=int)", _) => normalized(OneOf { p: 1 }),
        ("luigi.ChoiceListParameter", _) => ChoiceList {
            p: vec!["x".to_owned(), "y".to_owned()],
        }
        .task_id(),
        ("luigi.NumericalParameter", _) => normalized(InRange { p: 3 }),
        ("luigi.PathParameter", "PosixPath('x')") => id(PathBuf::from("x")),
        ("luigi.PathParameter", _) => id(PathBuf::from(quoted)),
        ("luigi.OptionalParameter", "None") => id(None::<String>),
        ("luigi.OptionalParameter", _) => id(Some(quoted)),
        ("luigi.OptionalIntParameter", "None") => id(None::<i64>),
        ("luigi.OptionalIntParameter", _) => id(input.parse::<i64>().ok()),
        _ => return None,
    })
}

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("golden/task_ids.json")).unwrap()
}

#[test]
fn ids_are_luigis_for_every_class_of_parameter() {
    let mut without_type = BTreeSet::new();
    let mut compared = 0;
    for vector in vectors() {
        let (Some(param), Some(input)) = (vector["param"].as_str(), vector["input"].as_str())
        else {
            continue;
        };
        match rust_id(param, input) {
            Some(id) => {
                assert_eq!(id, vector["task_id"], "{param} {input}");
                compared += 1;
            }
            None => {
                without_type.insert((param.to_owned(), input.to_owned()));
            }
        }
    }
    let expected = WITHOUT_TYPE.map(|(param, input, _)| (param.to_owned(), input.to_owned()));
    assert_eq!(without_type, BTreeSet::from(expected));
    assert_eq!(compared, 52);
}

#[test]
fn ids_are_luigis_for_given_families_and_values() {
    let mut compared = 0;
    for vector in vectors() {
        let (Some(family), Some(params)) =
            (vector["family"].as_str(), vector["params"].as_object())
        else {
            continue;
        };
        let mut params: Vec<(&str, &str)> = params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        assert_eq!(task_id(family, &mut params), vector["task_id"]);
        compared += 1;
    }
    assert_eq!(compared, 4);
}

#[derive(Task)]
struct Vis {
    a: String,
    #[param(visibility = hidden)]
    h: String,
    #[param(visibility = private)]
    pr: String,
    #[param(significant = false)]
    ins: String,
}

#[task]
impl Task for Vis {}

#[test]
fn only_what_is_significant_and_public_is_in_the_id() {
    let vector = vectors().pop().unwrap();
    let task = Vis {
        a: "A".into(),
        h: "H".into(),
        pr: "PR".into(),
        ins: "I".into(),
    };
    assert_eq!(task.task_id(), vector["task_id"]);
    let task = AnyTask::new(task);
    assert_eq!(format!("{task:?}"), vector["repr"]);
}
