//! Commands that look: `tasks`, `task`, `why`, `workers`, `resources`, `graph`, and how tasks are found.

use serde_json::{Value, json};

use super::{Operator, Play};
use crate::processes::Kind;

pub(super) const PLAYS: &[(&str, &str, Play)] = &[
    ("tasks", "", tasks),
    ("task", "", task),
    ("finds_tasks", "", finds_tasks),
    ("why", "", why),
    ("workers", "", workers),
    ("resources", "[resources]\ngpu = 2\n", resources),
    ("graph", "", graph),
    ("nothing", "", nothing),
    ("harmless", "", harmless),
];

/// A task of each of four statuses: failed, running, pending, done.
fn four(operator: &Operator) -> [String; 4] {
    let failed = operator.task("Load", "1", &json!({"priority": 9}));
    assert_eq!(operator.get_work("worker-a"), json!(failed));
    operator.fail(&failed, "Traceback:\n  no such table");
    let running = operator.task("Load", "2", &json!({"priority": 8}));
    assert_eq!(operator.get_work("worker-a"), json!(running));
    let pending = operator.task("Report", "3", &json!({"deps": [failed]}));
    let done = operator.task("Loader", "4", &json!({"status": "DONE"}));
    [failed, running, pending, done]
}

/// The ids in an answer of `tasks`.
fn ids(answer: &Value) -> Vec<&str> {
    let tasks = answer["tasks"].as_array().expect("a list of tasks");
    let ids = tasks
        .iter()
        .map(|task| task["task_id"].as_str().unwrap_or_default());
    ids.collect()
}

fn tasks(operator: &Operator) {
    let [failed, running, pending, done] = four(operator);
    let text = operator.prints(&["tasks"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "1 FAILED, 1 RUNNING, 1 PENDING, 1 DONE");
    let words: Vec<&str> = lines[2].split_whitespace().collect();
    assert_eq!(words, ["STATUS", "SINCE", "WORKER", "TASK", "ID", "TASK"]);
    for (line, start, end) in [
        (lines[3], "FAILED", "Load_1_0123456789  Load(day=1)"),
        (
            lines[4],
            "RUNNING",
            "worker-a  Load_2_0123456789  Load(day=2)",
        ),
        (lines[5], "PENDING", "Report_3_0123456789  Report(day=3)"),
        (lines[6], "DONE", "Loader_4_0123456789  Loader(day=4)"),
    ] {
        let squeezed = line.split("  ").filter(|cell| !cell.is_empty());
        let squeezed: Vec<&str> = squeezed.map(str::trim).collect();
        let squeezed = squeezed.join("  ");
        assert!(
            squeezed.starts_with(start) && squeezed.ends_with(end),
            "{text}"
        );
    }
    let all = operator.json(&["tasks"]);
    assert_eq!(ids(&all), [&failed, &running, &pending, &done]);
    assert_eq!(all["counts"]["FAILED"], 1);
    assert_eq!(all["counts"]["DISABLED"], 0);
    assert_eq!(all["is_cut"], false);
    assert_eq!(all["tasks"][1]["worker_running"], "worker-a");
    assert_eq!(all["tasks"][1]["params"], json!({"day": "2"}));
    for (words, expected) in [
        (
            &["--status", "failed", "--status", "DONE"][..],
            vec![&failed, &done],
        ),
        (&["--family", "Load"], vec![&failed, &running]),
        (&["--search", "day=3"], vec![&pending]),
        (&["--search", "load =4"], vec![&done]),
        (
            &["--worker", "worker-a", "--status", "running"],
            vec![&running],
        ),
        (&["--worker", "worker-b"], vec![]),
        (&["--limit", "2"], vec![&failed, &running]),
        (&["--limit", "0"], vec![&failed, &running, &pending, &done]),
    ] {
        let words = [&["tasks"], words].concat();
        assert_eq!(ids(&operator.json(&words)), expected, "{words:?}");
    }
    let cut = operator.prints(&["tasks", "--limit", "1"]);
    assert!(cut.contains("These are the first 1."), "{cut}");
    operator.fails(&["tasks", "--status", "broken"], 2, "broken");
}

fn task(operator: &Operator) {
    let [failed, running, pending, _] = four(operator);
    let text = operator.prints(&["task", &failed]);
    for line in [
        "task:        Load(day=1)",
        "id:          Load_1_0123456789",
        "status:      FAILED, since ",
        "last run on: worker-a, since ",
        "priority:    9",
        "module:      pipeline",
        "\nTraceback:\n  no such table\n",
    ] {
        assert!(text.contains(line), "no {line:?} in {text}");
    }
    let text = operator.prints(&["task", &running]);
    assert!(text.contains("running on: worker-a, since "), "{text}");
    let text = operator.prints(&["task", &pending]);
    assert!(text.contains("depends on: 1 task (1 FAILED)"), "{text}");
    let json = operator.json(&["task", &failed]);
    assert_eq!(json["error"], "Traceback:\n  no such table");
    assert_eq!(json["status"], "FAILED");
    let json = operator.json(&["task", &pending]);
    let dependency = json!([{"task_id": failed, "status": "FAILED"}]);
    assert_eq!(json["dependencies"], dependency);
}

fn finds_tasks(operator: &Operator) {
    let [failed, _, pending, _] = four(operator);
    for said in [pending.as_str(), "Report", "Report_3", "Report(day=3)"] {
        assert_eq!(
            operator.json(&["task", said])["task_id"],
            json!(pending),
            "{said}"
        );
    }
    let text = "3 tasks begin with or are named Load: say more of the id\n  Load_1_0123456789\n  \
                Load_2_0123456789\n  Loader_4_0123456789";
    operator.fails(&["task", "Load"], 5, text);
    operator.fails(&["task", "Nothing"], 5, "there is no task Nothing");
    // An id may be the beginning of another one.
    operator.task("Load", "1_0123456789_more", &json!({}));
    assert_eq!(operator.json(&["task", &failed])["task_id"], json!(failed));
}

fn why(operator: &Operator) {
    let [failed, _, pending, _] = four(operator);
    if operator.kind == Kind::Stock {
        let text = "is Luigi's own, which does not say what holds a task up";
        operator.fails(&["why", &pending], 6, text);
        operator.fails(&["why", "Nothing"], 6, text);
        return;
    }
    let text = operator.prints(&["why", "Report"]);
    let start = "Report(day=3) waits for its only dependency. Load(day=1) failed at ";
    assert!(text.starts_with(start), "{text}");
    let middle = ") on worker worker-a (1 failure), and is tried again at ";
    assert!(text.contains(middle), "{text}");
    let is_soon = text.ends_with("(in 15m).\n") || text.contains(" (in 14m ");
    assert!(is_soon, "{text}");
    let json = operator.json(&["why", &pending]);
    assert_eq!(json["hold"]["kind"], "dependencies");
    assert_eq!(
        json["hold"]["causes"][0]["path"]["tasks"][0]["task_id"],
        json!(failed)
    );
    operator.task(
        "Needs",
        "5",
        &json!({"deps": ["Missing_1"], "worker": "worker-b"}),
    );
    let text = operator.prints(&["why", "Missing_1"]);
    assert!(
        text.starts_with("Missing_1 is not announced yet: worker worker-b "),
        "{text}"
    );
    operator.fails(&["why", "Nothing"], 5, "there is no task Nothing");
}

fn workers(operator: &Operator) {
    let info = json!({"workers": 3, "host": "here", "pid": 7});
    let arguments = json!({"worker": "worker-a", "info": info});
    operator.server.rpc.call("add_worker", &arguments);
    four(operator);
    let text = operator.prints(&["workers"]);
    let mut lines = text.lines();
    let headers: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    let expected = "WORKER STATE RUNS OF PENDING ALONE STARTED HEARD OF HOST";
    assert_eq!(headers.join(" "), expected);
    let cells: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(cells[..4], ["worker-a", "active", "1", "3"]);
    assert_eq!(cells.last(), Some(&"here"));
    let json = operator.json(&["workers"]);
    let worker = &json["workers"][0];
    assert_eq!(worker["running"], json!(["Load_2_0123456789"]));
    assert_eq!(
        (&worker["processes"], &worker["num_pending"]),
        (&json!(3), &json!(1))
    );
}

fn resources(operator: &Operator) {
    let task = operator.task("Train", "1", &json!({"resources": {"gpu": 1}}));
    operator.get_work("worker-a");
    let text = operator.prints(&["resources"]);
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["RESOURCE", "USED", "LIMIT", "BY"]);
    assert_eq!(rows[1], ["gpu", "1", "2", &task]);
    let json = operator.json(&["resources"]);
    let gpu = json!({"resource": "gpu", "limit": 2, "used": 1, "running": [task]});
    assert_eq!(json["resources"], json!([gpu]));
}

fn graph(operator: &Operator) {
    let base = operator.task("Base", "1", &json!({"status": "DONE"}));
    let left = operator.task("Left", "1", &json!({"deps": [base]}));
    let right = operator.task("Right", "1", &json!({"deps": [base]}));
    let top = operator.task("Top", "1", &json!({"deps": [left, right]}));
    let text = operator.prints(&["graph", "Top"]);
    let expected = "\
PENDING Top_1_0123456789
├─ PENDING Left_1_0123456789
│  └─ DONE Base_1_0123456789
└─ PENDING Right_1_0123456789
   └─ DONE Base_1_0123456789
";
    assert_eq!(text, expected);
    let text = operator.prints(&["graph", "Top", "--hide-done"]);
    assert!(!text.contains("Base"), "{text}");
    let text = operator.prints(&["graph", "Base", "--inverse", "--limit", "2"]);
    let expected = "DONE Base_1_0123456789\n├─ PENDING Left_1_0123456789\n… and more: see them with \
                    --limit, or all of them with --json\n";
    assert_eq!(text, expected);
    let json = operator.json(&["graph", "Top"]);
    assert_eq!(json["root"], json!(top));
    assert_eq!(json["tasks"].as_array().map(Vec::len), Some(4));
}

fn nothing(operator: &Operator) {
    for (words, text) in [
        ("tasks", "no tasks\n"),
        ("workers", "no workers\n"),
        ("resources", "no resource has a limit\n"),
        ("messages", "no running task takes messages\n"),
    ] {
        assert_eq!(operator.prints(&[words]), text);
    }
}

/// What tasks and workers say moves no cursor.
fn harmless(operator: &Operator) {
    let evil = "\u{1b}[2J\u{202e}\u{9b}";
    let task = operator.task(&format!("Evil{evil}"), "1", &json!({"worker": evil}));
    operator.get_work(evil);
    let message = json!({"task_id": task, "status_message": format!("{evil}\nmore")});
    operator
        .server
        .rpc
        .call("set_task_status_message", &message);
    let mut words = vec![
        vec!["tasks"],
        vec!["task", "Evil"],
        vec!["graph", "Evil"],
        vec!["workers"],
    ];
    words.push(vec!["task", evil]);
    words.push(vec!["done", "Evil"]);
    if operator.kind == Kind::Ours {
        words.push(vec!["why", "Evil"]);
    }
    for words in words {
        let ended = operator.run(&words);
        let said = ended.stdout + &ended.stderr;
        let obeyed = said.contains(['\u{1b}', '\u{202e}', '\u{9b}']);
        assert!(!obeyed && said.contains("\\u{1b}"), "{words:?}: {said:?}");
    }
}
