//! The cases, each played on both servers.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    outcome::{self, Outcome},
    processes::{Ended, Kind, wait_until},
    stage::Stage,
    trial,
};

/// A case: what to do with some graph, and what has to come of it.
struct Case {
    name: &'static str,
    /// More of luigi.cfg.
    config: &'static str,
    /// Whether each worker's summary is the same each time; else only what all of them ran is.
    is_steady: bool,
    /// Runs workers to their ends, and says what else there was to see.
    play: fn(&Stage) -> (Vec<Ended>, Value),
    check: fn(&Outcome, &str),
}

const CASES: &[Case] = &[
    Case {
        name: "plain",
        config: "",
        is_steady: true,
        play: |stage| {
            let first = stage.run("first", "plain Root");
            let again = stage.run("again", "plain Root");
            (vec![first, again], Value::Null)
        },
        check: |outcome, _| {
            all_once(outcome, 4);
            assert!(outcome.summaries[0].contains("4 ran successfully"));
            assert!(outcome.summaries[1].contains("1 complete ones were encountered"));
        },
    },
    Case {
        name: "many_workers",
        config: "",
        is_steady: false,
        play: |stage| {
            let words = [
                "wide Root --workers 2",
                "wide Root --workers 2",
                "wide Root",
            ];
            let names = ["one", "two", "three"];
            let start = |(name, words)| stage.worker(name, words);
            let workers: Vec<_> = names.into_iter().zip(words).map(start).collect();
            let ended = workers.into_iter().map(|worker| worker.end()).collect();
            (ended, Value::Null)
        },
        check: |outcome, _| all_once(outcome, 46),
    },
    Case {
        name: "dynamic_dependencies",
        config: "",
        is_steady: true,
        play: |stage| (vec![stage.run("worker", "dynamic Root")], Value::Null),
        check: |outcome, _| {
            all_are(outcome, "DONE", 5);
            // It starts again from the top each time that it finds something.
            assert_eq!(runs_of(outcome, "Finder"), 3);
            assert_eq!(runs_of(outcome, "Part"), 3);
        },
    },
    Case {
        name: "batches",
        config: "",
        is_steady: true,
        play: |stage| (vec![stage.run("worker", "batches Root")], Value::Null),
        check: |outcome, _| {
            let listed: Vec<&String> = outcome
                .runs
                .keys()
                .filter(|id| id.contains("Listed"))
                .collect();
            assert_eq!(listed.len(), 3, "{listed:?}");
            assert_eq!(outcome.runs["Latest[4]"], 1);
            assert_eq!(runs_of(outcome, "Latest"), 1);
            assert!(outcome.statuses.values().all(|status| status == "DONE"));
        },
    },
    Case {
        name: "failing_tasks",
        config: "",
        is_steady: true,
        play: |stage| {
            let ended = stage.run("worker", "failing Root");
            let error = stage
                .rpc()
                .call("fetch_error", &json!({"task_id": stage.task_of("Bad")}));
            let seen = json!([
                error["displayName"],
                error["taskModule"],
                error["taskFamily"]
            ]);
            assert!(error["error"].as_str().unwrap().contains("as always"));
            (vec![ended], seen)
        },
        check: |outcome, _| {
            assert_eq!(status_of(outcome, "Bad"), "FAILED");
            assert_eq!(status_of(outcome, "Good"), "DONE");
            assert_eq!(status_of(outcome, "NeedsBad"), "PENDING");
            assert_eq!(status_of(outcome, "Unclear"), "UNKNOWN");
        },
    },
    Case {
        name: "retried_tasks",
        config: "retry_delay = 0.3\n",
        is_steady: true,
        play: |stage| {
            let words = "failing NeedsFlaky --worker-keep-alive";
            (vec![stage.run("worker", words)], Value::Null)
        },
        check: |outcome, _| {
            all_are(outcome, "DONE", 3);
            assert_eq!(runs_of(outcome, "Flaky"), 3);
        },
    },
    Case {
        name: "disabled_tasks",
        config: "retry_delay = 0.3\nretry_count = 2\n",
        is_steady: true,
        play: |stage| {
            let ended = stage.run("worker", "failing NeedsHopeless --worker-keep-alive");
            (vec![ended], Value::Null)
        },
        check: |outcome, _| {
            assert_eq!(runs_of(outcome, "Bad"), 2);
            assert_eq!(status_of(outcome, "Bad"), "DISABLED");
            assert_eq!(status_of(outcome, "Hopeless"), "DISABLED");
            assert_eq!(status_of(outcome, "NeedsHopeless"), "PENDING");
        },
    },
    Case {
        name: "resources",
        config: "\n[resources]\ndouble = 2\n",
        is_steady: false,
        play: |stage| {
            let workers = ["one", "two"]
                .map(|name| stage.worker(name, "resources Root --workers 3 --worker-keep-alive"));
            let ended = workers.map(|worker| worker.end()).into();
            (ended, stage.rpc().call("resource_list", &json!({})))
        },
        check: |outcome, runs| {
            all_once(outcome, 9);
            assert_eq!(outcome::most_at_once(runs, "Single"), 1);
            assert!(outcome::most_at_once(runs, "Double") <= 2);
        },
    },
    Case {
        name: "external_task",
        config: "retry_delay = 0.3\n",
        is_steady: true,
        play: |stage| {
            let words = "external Root --worker-keep-alive --worker-retry-external-tasks";
            let mut worker = stage.worker("worker", words);
            worker.says("Delivery__99914b932b   has status   FAILED", 2);
            stage.place.write("delivery", "here");
            (vec![worker.end()], Value::Null)
        },
        check: |outcome, _| all_are(outcome, "DONE", 2),
    },
    Case {
        name: "external_task_that_never_comes",
        config: "",
        is_steady: true,
        play: |stage| (vec![stage.run("worker", "external Root")], Value::Null),
        check: |outcome, _| {
            all_are(outcome, "PENDING", 2);
            assert!(outcome.summaries[0].contains("left pending"));
        },
    },
    Case {
        name: "assistant",
        config: "",
        is_steady: false,
        play: |stage| {
            let owner = stage.worker("owner", "helped Whole");
            wait_until("the first piece runs", || stage.runs().contains("start"));
            let helper = stage.run("helper", "plain Base --assistant");
            (vec![owner.end(), helper], Value::Null)
        },
        check: |outcome, runs| {
            all_once(outcome, 14);
            let helped = outcome::runs_by_worker(runs)["helper"];
            assert!(helped > 1, "{runs}");
        },
    },
    Case {
        name: "messages",
        config: "",
        is_steady: true,
        play: |stage| {
            let worker = stage.worker("worker", "messages Listener");
            stage.wait_for(1, "RUNNING");
            let task = stage.task_of("Listener");
            let answers = ["hello", "end"].map(|content| ask(stage, &task, content));
            let accepts = worker.end();
            (vec![accepts], json!(answers))
        },
        check: |outcome, _| {
            all_once(outcome, 1);
            assert_eq!(outcome.seen, json!(["heard hello", "heard end"]));
        },
    },
    Case {
        name: "progress",
        config: "",
        is_steady: true,
        play: |stage| {
            let worker = stage.worker("worker", "waiting Watched");
            wait_until("half of it is done", || {
                progress(stage) == json!([50, "half-way, é😀 </b>", "http://example.com/run"])
            });
            stage.place.write("go", "");
            let ended = worker.end();
            (vec![ended], progress(stage))
        },
        check: |outcome, _| {
            all_once(outcome, 1);
            assert_eq!(outcome.seen[0], 100);
        },
    },
    Case {
        name: "set_worker_processes",
        config: "",
        is_steady: true,
        play: |stage| {
            let worker = stage.worker("worker", "waiting Root --worker-force-multiprocessing");
            stage.wait_for(1, "RUNNING");
            let arguments = json!({"worker": stage.worker_id(), "n": 3});
            stage.rpc().call("set_worker_processes", &arguments);
            stage.wait_for(3, "RUNNING");
            stage.place.write("go", "");
            let ended = worker.end();
            let workers = stage.rpc().call("worker_list", &json!({}));
            (vec![ended], workers[0]["workers"].clone())
        },
        check: |outcome, _| {
            all_once(outcome, 5);
            assert_eq!(outcome.seen, 3);
        },
    },
    Case {
        name: "disabled_worker",
        config: "",
        is_steady: true,
        play: |stage| {
            let worker = stage.worker("worker", "waiting Root --worker-keep-alive");
            stage.wait_for(1, "RUNNING");
            let arguments = json!({"worker": stage.worker_id()});
            stage.rpc().call("disable_worker", &arguments);
            stage.place.write("go", "");
            let ended = worker.end();
            let workers = stage.rpc().call("worker_list", &json!({}));
            (vec![ended], workers[0]["state"].clone())
        },
        check: |outcome, _| {
            let done = outcome.statuses.values().filter(|status| *status == "DONE");
            assert_eq!((done.count(), outcome.statuses.len()), (1, 5));
            assert_eq!(outcome.seen, "disabled");
        },
    },
    Case {
        name: "pause",
        config: "",
        is_steady: true,
        play: |stage| {
            stage.rpc().call("pause", &json!({}));
            let mut worker = stage.worker("worker", "plain Root --worker-keep-alive");
            worker.says("There are 4 pending tasks", 3);
            let paused = json!([stage.rpc().call("is_paused", &json!({})), stage.runs()]);
            stage.rpc().call("unpause", &json!({}));
            (vec![worker.end()], paused)
        },
        check: |outcome, _| {
            all_once(outcome, 4);
            assert_eq!(outcome.seen, json!([{"paused": true}, ""]));
        },
    },
    Case {
        name: "the_talk",
        config: "",
        is_steady: false,
        play: |stage| {
            let workers = ["one", "two"].map(|name| stage.worker(name, "talk ParentTask"));
            let ended: Vec<Ended> = workers.map(|worker| worker.end()).into();
            for worker in &ended {
                let summary = outcome::summary(worker);
                let is_well = summary.contains(":)") || summary.contains(":|");
                assert!(is_well, "{summary}");
            }
            (ended, json!(stage.place.read("presentation/final_result")))
        },
        check: |outcome, _| {
            all_once(outcome, 3);
            assert_eq!(outcome.seen, "21");
        },
    },
];

/// A test of each case.
pub(crate) fn trials() -> Vec<Trial> {
    let test = |case: &'static Case| trial(case.name, move || compare(case));
    CASES.iter().map(test).collect()
}

/// Plays a case on both servers: each passes its check, and both come to the same.
fn compare(case: &Case) {
    let [stock, ours] = [Kind::Stock, Kind::Ours].map(|kind| {
        // Stock's server tidies up once a minute otherwise.
        let config = format!("prune_on_get_work = true\n{}", case.config);
        let stage = Stage::new(kind, &config);
        let (ended, seen) = (case.play)(&stage);
        let outcome = Outcome {
            statuses: outcome::statuses(&stage.tasks()),
            summaries: ended.iter().map(outcome::summary).collect(),
            codes: ended.iter().map(|worker| worker.code).collect(),
            runs: outcome::runs(&stage.runs()),
            seen,
        };
        (case.check)(&outcome, &stage.runs());
        outcome
    });
    let comparable = |mut outcome: Outcome| {
        if !case.is_steady {
            outcome.summaries.clear();
        }
        outcome
    };
    assert_eq!(comparable(ours), comparable(stock), "ours, then stock's");
}

/// Every task is done and was started once.
#[track_caller]
fn all_once(outcome: &Outcome, count: usize) {
    all_are(outcome, "DONE", count);
    assert!(outcome.runs.values().all(|runs| *runs == 1), "{outcome:#?}");
    assert_eq!(outcome.runs.len(), count, "{outcome:#?}");
}

#[track_caller]
fn all_are(outcome: &Outcome, status: &str, count: usize) {
    let all = outcome.statuses.values().all(|found| found == status);
    assert!(all, "{outcome:#?}");
    assert_eq!(outcome.statuses.len(), count, "{outcome:#?}");
}

/// How often tasks of a family were started.
fn runs_of(outcome: &Outcome, family: &str) -> usize {
    let runs = outcome.runs.iter();
    runs.filter(|(id, _)| id.starts_with(family))
        .map(|(_, runs)| runs)
        .sum()
}

/// The status of the only task of a family.
fn status_of<'a>(outcome: &'a Outcome, family: &str) -> &'a str {
    let mut found = outcome
        .statuses
        .iter()
        .filter(|(id, _)| id.starts_with(&format!("{family}__")));
    found.next().expect("the task is known").1
}

/// Sends a message to a running task and waits for its answer.
fn ask(stage: &Stage, task: &str, content: &str) -> Value {
    let message = json!({"worker": stage.worker_id(), "task": task, "content": content});
    let sent = stage.rpc().call("send_scheduler_message", &message);
    let question = json!({"task_id": task, "message_id": sent["message_id"]});
    let mut answer = Value::Null;
    wait_until("the task answers", || {
        let reply = stage
            .rpc()
            .call("get_scheduler_message_response", &question);
        answer = reply["response"].clone();
        !answer.is_null()
    });
    answer
}

/// What task `Watched` says of itself.
fn progress(stage: &Stage) -> Value {
    let tasks = stage.tasks();
    let Some(task) = tasks.as_object().and_then(|tasks| tasks.values().next()) else {
        return Value::Null;
    };
    let task_id = json!({"task_id": stage.task_of("Watched")});
    let percentage = stage.rpc().call("get_task_progress_percentage", &task_id);
    let message = stage.rpc().call("get_task_status_message", &task_id);
    json!([
        percentage["progressPercentage"],
        message["statusMessage"],
        task["tracking_url"]
    ])
}
