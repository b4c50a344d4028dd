//! `condotta history`: attempts that are over, and how long things usually take.

use serde_json::Value;

use super::{
    answer::{Answer, facts, table},
    arguments::HistoryArguments,
    connection::{Scheduler, escaped, now},
    find,
    harmless::harmless_lines,
    time::{length, moment, relative},
};
use crate::error::{Failure, Kind};

/// How far back durations are looked at.
const DAYS: &str = "30";

pub(super) fn run(arguments: &HistoryArguments) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    if let Some(said) = &arguments.task
        && is_attempt_id(said)
    {
        return one(&scheduler, said);
    }
    // A task may be in the history and nowhere else.
    let mut unknown = None;
    let task = match arguments.task.as_deref() {
        Some(said) => match find::task(&scheduler, said) {
            Ok(task) => Some(task.id),
            Err(failure) if failure.kind() == Kind::NotFound => {
                unknown = Some(failure);
                Some(said.to_owned())
            }
            Err(failure) => return Err(failure),
        },
        None => None,
    };
    let answer = match (arguments.durations, &task, &arguments.family) {
        (true, Some(task), _) => durations(&scheduler, &format!("tasks/{}", escaped(task))),
        (true, None, Some(family)) => {
            durations(&scheduler, &format!("families/{}", escaped(family)))
        }
        (true, None, None) => families(&scheduler),
        (false, ..) => list(&scheduler, arguments, task),
    }?;
    let is_nothing = match arguments.durations {
        true => answer.json["count"] == 0,
        false => asks_for_all(arguments) && items(&answer.json).next().is_none(),
    };
    match unknown {
        Some(failure) if is_nothing => Err(failure),
        _ => Ok(answer),
    }
}

/// Whether all attempts of a task are asked for.
fn asks_for_all(arguments: &HistoryArguments) -> bool {
    arguments.outcome.is_empty()
        && arguments.param.is_empty()
        && arguments.family.is_none()
        && arguments.worker.is_none()
        && arguments.since.is_none()
        && arguments.after.is_none()
}

fn ask(scheduler: &Scheduler, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
    let answer = scheduler.get(path, query)?;
    answer.ok_or_else(|| scheduler.only_ours("cannot be asked for its history"))
}

fn list(
    scheduler: &Scheduler,
    arguments: &HistoryArguments,
    task: Option<String>,
) -> Result<Answer, Failure> {
    let worker = arguments.worker.as_deref();
    let worker = worker.map(|said| find::worker(scheduler, said).unwrap_or(said.to_owned()));
    let since = arguments.since.map(|secs| (now() - secs).to_string());
    let limit = arguments.limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    let said = [
        ("task", task.as_deref()),
        ("family", arguments.family.as_deref()),
        ("worker", worker.as_deref()),
        ("since", since.as_deref()),
        ("after", arguments.after.as_deref()),
    ];
    query.extend(said.into_iter().filter_map(|(name, it)| Some((name, it?))));
    query.extend(arguments.outcome.iter().map(|it| ("outcome", it.as_str())));
    query.extend(arguments.param.iter().map(|it| ("param", it.as_str())));
    let page = ask(scheduler, "attempts", &query)?;
    let rows: Vec<Vec<String>> = items(&page).map(row).collect();
    let mut text = if rows.is_empty() {
        "no attempts\n".to_owned()
    } else {
        let headers = ["ATTEMPT", "BEGAN", "TOOK", "OUTCOME", "WORKER", "TASK"];
        table(&headers, &rows)
    };
    if let Some(next) = page["next"].as_str() {
        text += &format!("\nThere are more: go on with --after {next}\n");
    }
    Ok(Answer { text, json: page })
}

fn items(page: &Value) -> impl Iterator<Item = &Value> {
    page["items"].as_array().into_iter().flatten()
}

fn row(attempt: &Value) -> Vec<String> {
    let text = |name: &str| attempt[name].as_str().unwrap_or("-").to_owned();
    vec![
        text("id"),
        attempt["began"]
            .as_f64()
            .map_or("-".to_owned(), |at| relative(at, now())),
        attempt["secs"].as_f64().map_or("-".to_owned(), took),
        text("outcome"),
        text("worker"),
        text("task_id"),
    ]
}

/// An attempt, with what is known of it.
fn one(scheduler: &Scheduler, id: &str) -> Result<Answer, Failure> {
    let attempt = ask(scheduler, &format!("attempts/{id}"), &[])?;
    let text = |name: &str| attempt[name].as_str().unwrap_or_default().to_owned();
    let at = |name: &str| attempt[name].as_f64().map(|at| moment(at, now()));
    let pairs = |name: &str| -> String {
        let pairs = attempt[name].as_object().into_iter().flatten();
        let pairs = pairs.map(|(name, value)| match value {
            Value::String(text) => format!("{name}={text}"),
            other => format!("{name}={other}"),
        });
        pairs.collect::<Vec<_>>().join(", ")
    };
    let lines = [
        (
            "attempt",
            format!("{}, number {} of the task", text("id"), attempt["attempt"]),
        ),
        ("task", text("task_id")),
        ("family", text("family")),
        ("module", text("module")),
        ("parameters", pairs("params")),
        ("hidden", pairs("hidden_params")),
        ("outcome", text("outcome")),
        ("worker", text("worker")),
        ("host", text("host")),
        ("announced", at("scheduled").unwrap_or_default()),
        (
            "waited",
            attempt["waited_secs"]
                .as_f64()
                .map(took)
                .unwrap_or_default(),
        ),
        ("began", at("began").unwrap_or_default()),
        ("ended", at("ended").unwrap_or_default()),
        (
            "took",
            attempt["secs"].as_f64().map(took).unwrap_or_default(),
        ),
        ("resources", pairs("resources")),
        ("batch", text("batch_id")),
        (
            "measured",
            attempt["statistics"]
                .as_object()
                .map(|_| attempt["statistics"].to_string())
                .unwrap_or_default(),
        ),
    ];
    let known: Vec<(&str, String)> = lines
        .into_iter()
        .filter(|line| !line.1.is_empty())
        .collect();
    let mut out = facts(&known);
    if let Some(error) = attempt["error"].as_str() {
        out += &format!("\n{}\n", harmless_lines(error));
    }
    Ok(Answer {
        text: out,
        json: attempt,
    })
}

/// How long a task or a family usually takes.
fn durations(scheduler: &Scheduler, of: &str) -> Result<Answer, Failure> {
    let found = ask(scheduler, &format!("{of}/durations"), &[("days", DAYS)])?;
    let count = found["count"].as_u64().unwrap_or_default();
    let secs = |value: &Value| value.as_f64().map_or("-".to_owned(), took);
    let mut text = format!("{count} attempts succeeded in the last {DAYS} days\n");
    if count > 0 {
        text = format!(
            "usually takes {} (median of {count} in the last {DAYS} days); 90 of 100 at most {}, 95 at \
             most {}, the longest {}\n\n",
            secs(&found["median"]),
            secs(&found["p90"]),
            secs(&found["p95"]),
            secs(&found["max"]),
        );
        let days = found["days"].as_array().into_iter().flatten();
        let rows: Vec<Vec<String>> = days
            .map(|day| {
                vec![
                    date(&day["began"]),
                    day["count"].to_string(),
                    secs(&day["median"]),
                    secs(&day["p95"]),
                    secs(&day["max"]),
                ]
            })
            .collect();
        text += &table(&["DAY", "DONE", "MEDIAN", "95%", "LONGEST"], &rows);
    }
    Ok(Answer { text, json: found })
}

/// How long the tasks of each family usually take.
fn families(scheduler: &Scheduler) -> Result<Answer, Failure> {
    let found = ask(scheduler, "history/families", &[("days", DAYS)])?;
    let secs = |value: &Value| value.as_f64().map_or("-".to_owned(), took);
    let rows: Vec<Vec<String>> = items(&found)
        .map(|family| {
            let (outcomes, durations) = (&family["outcomes"], &family["durations"]);
            let of = |name: &str| outcomes[name].as_u64().unwrap_or_default();
            let all = outcomes.as_object().into_iter().flatten();
            let all: u64 = all.filter_map(|(_, count)| count.as_u64()).sum();
            vec![
                family["family"].as_str().unwrap_or_default().to_owned(),
                all.to_string(),
                (of("failed") + of("timed_out") + of("lost")).to_string(),
                secs(&durations["median"]),
                secs(&durations["p95"]),
                secs(&durations["max"]),
            ]
        })
        .collect();
    let text = if rows.is_empty() {
        format!("no attempt ended in the last {DAYS} days\n")
    } else {
        table(
            &["FAMILY", "ATTEMPTS", "FAILED", "MEDIAN", "95%", "LONGEST"],
            &rows,
        )
    };
    Ok(Answer { text, json: found })
}

/// Short times with fractions, long ones in the two units that say most.
fn took(secs: f64) -> String {
    if secs < 60.0 {
        format!("{secs:.1}s")
    } else {
        length(secs)
    }
}

/// The day, of UTC, that began then.
fn date(began: &Value) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole seconds of these years"
    )]
    let began = began.as_f64().unwrap_or_default() as i64;
    jiff::Timestamp::from_second(began).map_or_else(
        |_| String::new(),
        |began| began.to_string().chars().take(10).collect(),
    )
}

/// Whether a text looks like an attempt's name, which no task's id does.
pub(super) fn is_attempt_id(text: &str) -> bool {
    text.parse::<condotta_server::attempt_id::AttemptId>()
        .is_ok()
}

/// A length of time such as `90m`, `12h` or `7d`, in seconds.
pub(crate) fn length_of(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no length of time: write for example 90m, 12h or 7d");
    let split = text.len() - text.chars().last().map_or(0, char::len_utf8);
    let (number, unit) = text.split_at(split);
    let unit = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    if !(0.0..1e6).contains(&number) {
        return Err(wrong());
    }
    Ok(number * unit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lengths_of_time_have_units() {
        for (text, secs) in [
            ("90m", 5400.0),
            ("1.5h", 5400.0),
            ("7d", 604_800.0),
            ("3s", 3.0),
        ] {
            assert_eq!(length_of(text), Ok(secs));
        }
        for wrong in ["", "7", "d", "-1d", "1w", "nand", "1e300d", "ü"] {
            assert!(length_of(wrong).unwrap_err().contains("12h"), "{wrong}");
        }
    }

    #[test]
    fn names_of_attempts_are_told_from_tasks() {
        assert!(is_attempt_id("0193a5c2b7e-5f3c09aa"));
        for other in ["Load_2026_11_27_abc", "Hello__99914b932b", "a-b"] {
            assert!(!is_attempt_id(other), "{other}");
        }
        let page = json!({"items": [{"id": "x"}]});
        assert_eq!(row(items(&page).next().unwrap())[2], "-");
    }
}
