//! `/metrics`, read by the parser of Prometheus's own library for Python.

use std::{collections::BTreeSet, process::Command};

use serde_json::json;

use crate::{
    processes::{Kind, Place, stock_python},
    receiver::Receiver,
    story::Story,
};

/// The page that lists all metrics.
const DOCS: &str = include_str!("../../../../docs/how-to/metrics.md");

const PARSE: &str = "
import json, sys
from prometheus_client.parser import text_string_to_metric_families as parse
families = list(parse(sys.stdin.read()))
names = [family.name for family in families]
assert len(names) == len(set(names)), names
samples = {}
for family in families:
    assert family.documentation and family.type != 'unknown', family
    for sample in family.samples:
        key = (sample.name, tuple(sorted(sample.labels.items())))
        assert key not in samples, key
        samples[key] = sample.value
print(json.dumps({family.name: family.type for family in families}))
";

/// The value of a sample without labels; 0 when it is not there.
pub(crate) fn value(text: &str, name: &str) -> f64 {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    value.unwrap_or_default()
}

fn parsed(text: &str) -> serde_json::Map<String, serde_json::Value> {
    use std::io::Write as _;
    let python = stock_python().unwrap();
    let packages = python.parent().unwrap().with_file_name("receivers");
    let mut child = Command::new(python)
        .args(["-c", PARSE])
        .env("PYTHONPATH", packages)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{text}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Everything that is shown is valid, and documented; everything that is documented is shown.
#[test]
fn all_metrics_are_valid_and_documented() {
    let receiver = Receiver::start();
    let config = format!(
        "[resources]\n\"odd\\name\" = 3\n[email]\nreceiver = a@example.com\n[webhook ops]\nurl = http://127.0.0.1:{}/\n",
        receiver.port
    );
    let story = Story::new(Place::new(), Kind::Ours, &config);
    let rpc = &story.server.rpc;
    rpc.call(
        "add_task",
        &json!({"worker": "w", "task_id": "Load_1", "family": "Load"}),
    );
    rpc.call("get_work", &json!({"worker": "w"}));
    for status in ["FAILED", "DONE"] {
        rpc.call(
            "add_task",
            &json!({"worker": "w", "task_id": "Load_1", "status": status}),
        );
    }
    let text = rpc.get("/metrics").unwrap().body;
    let shown: BTreeSet<String> = parsed(&text).keys().cloned().collect();
    let documented: BTreeSet<String> = DOCS
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(|name| name.strip_suffix("_total").unwrap_or(name).to_owned())
        .collect();
    let shown: BTreeSet<String> = shown
        .into_iter()
        // Luigi's own, beside each of its counters.
        .filter(|name| !name.ends_with("_created"))
        .collect();
    assert_eq!(shown, documented);
}

#[test]
fn figures_are_those_of_what_happened() {
    let story = Story::new(Place::new(), Kind::Ours, "[resources]\ngpu = 3\n");
    let rpc = &story.server.rpc;
    for number in 0..3 {
        let id = format!("Load_{number}");
        let task = json!({"worker": "w", "task_id": id, "family": "Load", "resources": {"gpu": 1}});
        rpc.call("add_task", &task);
    }
    rpc.call("get_work", &json!({"worker": "w"}));
    rpc.call("disable_worker", &json!({"worker": "w"}));
    let text = rpc.get("/metrics").unwrap().body;
    for line in [
        "condotta_tasks{status=\"PENDING\"} 2",
        "condotta_tasks{status=\"RUNNING\"} 1",
        "condotta_tasks{status=\"DISABLED\"} 0",
        "condotta_workers{state=\"active\"} 0",
        "condotta_workers{state=\"disabled\"} 1",
        "condotta_resource_limit{resource=\"gpu\"} 3",
        "condotta_resource_used{resource=\"gpu\"} 1",
        "condotta_requests_total{method=\"get_work\",status=\"200\"} 1",
        "condotta_request_seconds_count{method=\"get_work\"} 1",
        "condotta_paused 0",
        "condotta_task_wait_seconds_count 1",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in {text}");
    }
    assert!(
        value(&text, "condotta_journal_bytes_total") > 100.0,
        "{text}"
    );
    assert!(
        value(&text, "condotta_journal_sync_seconds_count") >= 5.0,
        "{text}"
    );
    assert!(value(&text, "condotta_connections") >= 1.0, "{text}");
}
