//! Our worker says to a server what a stock worker says, in the same order.

use std::{collections::BTreeMap, process::Command};

use condotta_worker::{RunOutcome, WorkerOptions};
use serde_json::Value;

use crate::{
    Test, any,
    relay::{Passed, Relay},
    server::{Server, Which, client, stock_python},
    tasks::{Memory, quick, worker_with},
};

pub const TESTS: &[(&str, Test)] = &[("a_worker_says_what_a_stock_worker_says", same_words)];

fn same_words(which: Which) {
    let ours = passed(which, |url| {
        let mut worker = worker_with(&client(url), quick(), WorkerOptions::default());
        worker.add(graph()).unwrap();
        assert!(!worker.run().unwrap());
    });
    let (extension, ours): (Vec<Passed>, Vec<Passed>) = ours.into_iter().partition(|passed| {
        ["add_tasks", "await_work", "release_worker"].contains(&passed.method.as_str())
    });
    match which {
        Which::Stock => {
            assert_eq!(
                extension.len(),
                1,
                "it asks once whether the server is ours"
            );
            compare(&lines(&ours), &lines(&stock_worker(which)));
        }
        Which::Ours => {
            let reports = ours.iter().map(|passed| &passed.keywords);
            let mut reports =
                reports.filter(|keywords| keywords.get("runnable") == Some(&Value::Null));
            assert!(reports.all(|report| report["attempt"].as_u64() >= Some(1)));
        }
    }
}

fn stock_worker(which: Which) -> Vec<Passed> {
    passed(which, |url| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/remote/same_words.py");
        let ran = Command::new(stock_python())
            .args([script, url])
            .output()
            .unwrap();
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
    })
}

fn compare(ours: &[String], theirs: &[String]) {
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
    assert_eq!(theirs.len(), 25);
}

fn passed(which: Which, run: impl FnOnce(&str)) -> Vec<Passed> {
    let server = Server::start(which);
    let relay = Relay::start(server.port(), |_, _| false);
    run(&relay.url());
    relay.passed()
}

/// One line for each request, without what has to differ.
fn lines(passed: &[Passed]) -> Vec<String> {
    let lines = passed.iter().map(|passed| {
        let mut keywords: BTreeMap<String, Value> =
            serde_json::from_value(passed.keywords.clone()).unwrap();
        // Ours asks for the number of the run, and sends none to a server that has none.
        assert!(!keywords.contains_key("attempt"));
        keywords.remove("attempts");
        // Where the code is, and what an error looks like, is the language's business.
        keywords.remove("module");
        if keywords.get("status") == Some(&Value::from("FAILED")) {
            keywords.remove("expl");
        }
        if keywords.get("runnable") == Some(&Value::Null) {
            // Ours leaves the permission to send messages as it was, where Luigi takes it away.
            keywords.remove("accepts_messages");
        }
        if let Some(info) = keywords.get_mut("info") {
            let names = info.as_array().unwrap().iter().map(|pair| pair[0].clone());
            *info = names.collect();
        }
        if keywords.get("tracking_url").is_some_and(Value::is_string) {
            // Ours says again what the task takes, which Luigi's server would forget.
            for name in [
                "resources",
                "owners",
                "retry_policy_dict",
                "accepts_messages",
            ] {
                keywords.remove(name);
            }
        }
        format!(
            "{} {}",
            passed.method,
            serde_json::to_string(&keywords).unwrap()
        )
    });
    lines.collect()
}

/// The graph of `same_words.py`.
fn graph() -> condotta_worker::TaskHandle {
    let ranked =
        |family: &str, priority: f64| Memory::new(family).with(|it| it.priority = priority);
    let first = ranked("First", 9.0).with(|task| {
        task.resources.insert("seat".to_owned(), 1);
    });
    let first = first.runs(|task, run| {
        run.set_tracking_url("http://there/");
        run.set_status_message("half way");
        run.set_progress_percentage(50.0);
        task.finish();
        Ok(RunOutcome::Done)
    });
    let late = ranked("Late", 2.0).share();
    let asks = ranked("Asks", 5.0).runs(move |task, _| {
        if late.run_count() == 0 {
            return Ok(RunOutcome::Requires(vec![any(&late)]));
        }
        task.finish();
        Ok(RunOutcome::Done)
    });
    let made = Memory::new("Made").share();
    made.finish();
    let deps = [any(&first.share()), any(&asks.share()), any(&made)];
    let middle = ranked("Middle", 4.0).needs(&deps).share();
    let bad = ranked("Bad", 3.0).fails().share();
    let outside = Memory::new("Outside")
        .with(|task| task.external = true)
        .share();
    let deps = [any(&middle), any(&bad), any(&outside)];
    ranked("Root", 1.5).needs(&deps).share()
}
