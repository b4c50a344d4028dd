//! Numbers of tasks over time.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Live;

/// The samples, once the last one has so many pending tasks.
fn samples(live: &Live, pending: u64) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let series = live.got("/counts/series");
        assert_eq!(series["every"], 5);
        let samples = series["samples"].as_array().expect("a list");
        let last = samples.last().map(|sample| &sample["counts"]["PENDING"]);
        if last.is_some_and(|count| *count == pending) {
            return series["samples"].clone();
        }
        assert!(Instant::now() < deadline, "{series}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn counts_over_time_begin_before_anybody_asks() {
    let live = Live::start();
    let first = samples(&live, 0)[0].clone();
    live.add_tasks((0..3).map(|n| json!({"task_id": format!("A_{n}"), "family": "A"})));
    let whole = samples(&live, 3);
    assert_eq!(whole[0], first);
    assert!(whole[0]["at"].as_f64() < whole[1]["at"].as_f64());
    let day = live.got("/counts/series?span=day");
    assert_eq!((&day["every"], &day["samples"][0]), (&json!(120), &first));
    assert_eq!(live.get("/counts/series?span=year").0, 400);
}
