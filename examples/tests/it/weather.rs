//! The weather pipeline: its numbers, and what runs again when something is missing.

use std::process::Command;

use crate::program::{Program, assert_counts};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data");

/// Where the pipeline keeps its outputs when nothing is said.
const FOLDER: &str = "target/weather";

/// Computes each month's line from the data, with nothing of the pipeline's.
const MONTHS_BY_PYTHON: &str = r#"
import csv, sys
from collections import defaultdict

data = sys.argv[1]
normal = defaultdict(list)
for row in csv.DictReader(open(data + "/seattle-temps.csv")):
    normal[row["date"][5:7]].append((float(row["temp"]) - 32) * 5 / 9)
days = defaultdict(list)
for row in csv.DictReader(open(data + "/seattle-weather.csv")):
    days[row["date"][:7].replace("/", "-")].append(row)
for month, rows in days.items():
    temperatures = normal[month[5:7]]
    print("%s|%d|%.1f|%.1f|%.1f" % (
        month,
        sum(float(row["precipitation"]) > 0 for row in rows),
        max(float(row["temp_max"]) for row in rows),
        min(float(row["temp_min"]) for row in rows),
        sum(temperatures) / len(temperatures),
    ))
"#;

fn months_by_python() -> Vec<String> {
    let output = Command::new("python3")
        .args(["-c", MONTHS_BY_PYTHON, DATA])
        .output()
        .expect("python3 computes the expected values");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The months in the database, in the order of their ranks.
fn months_in_database(program: &Program) -> Vec<(u32, String)> {
    let path = program.path(FOLDER).join("warehouse.sqlite");
    let database = rusqlite::Connection::open(path).expect("there is a database");
    let mut query = database
        .prepare(
            "SELECT rank, printf('%s|%d|%.1f|%.1f|%.1f', month, rain_days, highest, lowest, normal)
             FROM monthly_weather ORDER BY rank",
        )
        .expect("the table is there");
    let rows = query
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("the query has no parameters");
    rows.collect::<Result<_, _>>()
        .expect("rows have this shape")
}

#[test]
fn the_numbers_are_those_of_the_data() {
    let program = Program::example("weather");
    let ran = program.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_counts(&ran, 0, 5);

    let months = months_in_database(&program);
    let ranks: Vec<u32> = months.iter().map(|(rank, _)| *rank).collect();
    assert_eq!(ranks, (1..=48).collect::<Vec<u32>>());
    let rain_days = |line: &str| line.split('|').nth(1).unwrap().parse::<u32>().unwrap();
    assert!(
        months.is_sorted_by(|(_, a), (_, b)| rain_days(a) >= rain_days(b)),
        "the wettest months come first: {months:?}"
    );
    let mut found: Vec<String> = months.into_iter().map(|(_, line)| line).collect();
    found.sort();
    assert_eq!(found, months_by_python());

    let wettest = found.iter().max_by_key(|line| rain_days(line)).unwrap();
    let month = wettest.split('|').next().unwrap();
    assert!(ran.stdout.contains("rain days"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains(month),
        "{month} is not in:\n{}",
        ran.stdout
    );
}

#[test]
fn a_second_run_does_nothing() {
    let program = Program::example("weather");
    assert_counts(&program.run(&[]), 0, 5);
    let second = program.run(&[]);
    assert_counts(&second, 1, 0);
    assert!(second.summary().contains("Did not run any tasks"));
}

/// A complete root stops the planning, and a complete task in between stops it there, as in Luigi:
/// what has gone missing below is neither missed nor made.
#[test]
fn what_is_missing_is_made_again_where_it_is_asked_for() {
    let program = Program::example("weather");
    assert_counts(&program.run(&[]), 0, 5);
    let output = |name: &str| program.path(FOLDER).join(name);

    std::fs::remove_file(output("monthly.csv")).unwrap();
    assert_counts(&program.run(&[]), 1, 0);
    assert!(!output("monthly.csv").exists());

    std::fs::remove_file(output("warehouse.sqlite")).unwrap();
    assert_counts(&program.run(&[]), 1, 1);

    std::fs::remove_file(output("warehouse.sqlite")).unwrap();
    std::fs::remove_file(output("ranked.csv")).unwrap();
    assert_counts(&program.run(&[]), 2, 3);
    assert_eq!(months_in_database(&program).len(), 48);
}

/// Rows and marker are one transaction: a load that fails half-way leaves what was there before.
#[test]
fn a_load_that_fails_changes_nothing() {
    let program = Program::example("weather");
    assert_counts(&program.run(&[]), 0, 5);
    let before = months_in_database(&program);

    let database =
        rusqlite::Connection::open(program.path(FOLDER).join("warehouse.sqlite")).unwrap();
    database.execute("DELETE FROM table_updates", ()).unwrap();
    let ranked = program.path(FOLDER).join("ranked.csv");
    let text = std::fs::read_to_string(&ranked).unwrap();
    std::fs::write(
        &ranked,
        text.replacen("2015-01", "2099-01", 1) + "2016-01,many\n",
    )
    .unwrap();

    let ran = program.run(&[]);
    assert!(
        ran.summary()
            .contains("* 1 failed:\n    - 1 IngestToDatabase("),
        "{}",
        ran.stderr
    );
    assert_eq!(months_in_database(&program), before);
    let marks = "SELECT count(*) FROM table_updates";
    assert_eq!(database.query_row(marks, (), |row| row.get(0)), Ok(0_u32));
    assert!(
        ran.stdout.is_empty(),
        "a result that is not loaded is not shown: {}",
        ran.stdout
    );
}

#[test]
fn the_report_may_come_from_elsewhere() {
    let server = tiny_http::Server::http("127.0.0.1:0").unwrap();
    let address = format!("http://{}/report.csv", server.server_addr());
    let days = "date,precipitation,temp_max,temp_min,wind,weather\n\
                2016/02/01,1.5,9.0,-2.0,1.0,rain\n\
                2016/02/02,0.0,11.0,3.0,1.0,sun\n";
    std::thread::spawn(move || {
        for request in server.incoming_requests() {
            request
                .respond(tiny_http::Response::from_string(days))
                .unwrap();
        }
    });
    let program = Program::example("weather");
    assert_counts(
        &program.run(&["IngestToDatabase", "--report-url", &address]),
        0,
        5,
    );
    let months = months_in_database(&program);
    assert_eq!(months.len(), 1);
    assert!(
        months[0].1.starts_with("2016-02|1|11.0|-2.0|"),
        "{months:?}"
    );
}

#[test]
fn a_report_that_is_not_there_fails_its_task_and_leaves_nothing() {
    let program = Program::example("weather");
    let server = tiny_http::Server::http("127.0.0.1:0").unwrap();
    let address = format!("http://{}/report.csv", server.server_addr());
    std::thread::spawn(move || {
        for request in server.incoming_requests() {
            request.respond(tiny_http::Response::empty(404)).unwrap();
        }
    });
    let ran = program.run(&["IngestToDatabase", "--report-url", &address]);
    let summary = ran.summary();
    assert!(
        summary.contains("* 1 failed:\n    - 1 WgetWeatherReport("),
        "{summary}"
    );
    assert!(summary.ends_with("This progress looks :( because there were failed tasks"));
    assert!(ran.stderr.contains("404"), "{}", ran.stderr);
    assert_eq!(program.files(FOLDER), ["source.sqlite", "temperatures.csv"]);
}
