//! The page about the history: its commands are run in their order, after a task that failed once and then
//! did well, and its SQL is asked of the file that the scheduler wrote.

use serde_json::json;

use super::reader::Reader;
use crate::processes::{stock_python, wait_until};

const PAGE: &str = include_str!("../../../../../docs/how-to/history.md");

/// An attempt's name on the page.
const ATTEMPT: &str = "0193a5c2b7e-5f3c09aa";

pub(super) fn follow() {
    let mut reader = Reader::of(PAGE, "[resources]\ndatabase = 1\n");
    let loader = reader.stage.worker(
        "loader",
        "nightly Load --day 2026-11-24 --worker-keep-alive",
    );
    reader.wait_for_one("FAILED");
    reader.stage.place.write("mended", "");
    let load = json!({"task_id": reader.stage.task_of("Load")});
    reader.stage.rpc().call("forgive_failures", &load);
    loader.end().with_code(0);
    let attempts = "/api/v1/attempts?outcome=done&outcome=failed";
    wait_until("both attempts are in the history", || {
        let answer = reader.stage.rpc().get(attempts).unwrap();
        answer.body.contains("\"done\"") && answer.body.contains("\"failed\"")
    });
    reader
        .run("condotta history\n")
        .says(" done ")
        .says(" failed ");
    let failed = reader
        .run("condotta history --family Load --since 7d")
        .stdout;
    assert!(
        failed.contains("failed") && !failed.contains("done"),
        "{failed}"
    );
    let attempt = failed
        .lines()
        .nth(1)
        .and_then(|line| line.split(' ').next());
    reader.replace(ATTEMPT, attempt.expect("a line for it"));
    reader
        .run("condotta history 'Load")
        .says("ValueError: no such table: sales");
    let durations = reader.run("condotta history --durations").stdout;
    assert!(
        durations.contains("Load") && durations.contains("usually takes"),
        "{durations}"
    );
    asks_the_api(&mut reader);
    asks_in_sql(&reader);
    reader.is_through();
}

fn asks_the_api(reader: &mut Reader) {
    let failed = reader.json("curl");
    let items = failed["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["outcome"]), (1, &json!("failed")));
    let attempt = reader.json("curl");
    assert_eq!(attempt["id"], items[0]["id"]);
    assert!(attempt["error"].as_str().unwrap().contains("no such table"));
    let of_task = reader.json("curl");
    let outcomes = of_task["items"].as_array().unwrap().iter();
    let outcomes: Vec<&str> = outcomes.filter_map(|it| it["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["done", "failed"]);
    // The durations are of what went well.
    for _ in ["the task's", "the family's"] {
        let durations = reader.json("curl");
        assert_eq!(durations["count"], 1, "{durations}");
    }
    let counts = json!({"done": 1, "failed": 1});
    let families = reader.json("curl");
    assert_eq!(families["items"][0]["outcomes"], counts, "{families}");
    let by_hour = reader.json("curl");
    let hours = by_hour["items"].as_array().unwrap();
    let all = |outcome: &str| -> u64 {
        let counts = hours.iter().map(|hour| &hour["outcomes"][outcome]);
        counts.filter_map(serde_json::Value::as_u64).sum()
    };
    assert_eq!((all("done"), all("failed")), (1, 1), "{by_hour}");
}

/// The page's question, asked beside the scheduler that writes the file.
fn asks_in_sql(reader: &Reader) {
    let (_, sql) = PAGE
        .split_once("```sql\n")
        .expect("the page has a question");
    let (sql, _) = sql.split_once("```").expect("it has an end");
    let script = "import json, sqlite3, sys\n\
                  print(json.dumps(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall()))";
    let mut command = reader.stage.place.command(stock_python().unwrap());
    command.args(["-c", script]);
    command
        .arg(reader.stage.place.path("state/history.sqlite"))
        .arg(sql);
    let answer = reader
        .stage
        .place
        .start("sql", &mut command)
        .end()
        .with_code(0);
    let rows: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 2, "{rows:?}");
    // Newest first: 1 is done, 2 is failed.
    assert_eq!(
        (&rows[0][5], &rows[1][5]),
        (&json!(1), &json!(2)),
        "{rows:?}"
    );
    assert_eq!((&rows[0][1], &rows[0][4]), (&json!("Load"), &json!(2)));
    assert!(rows[1][8].as_str().unwrap().contains("no such table"));
}
