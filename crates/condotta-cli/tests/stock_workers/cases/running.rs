//! What becomes of graphs when nothing goes wrong.

use serde_json::{Value, json};

use super::{Case, all_are, all_once, runs_of};
use crate::{
    outcome,
    processes::{Ended, wait_until},
};

/// The cases.
pub(super) const CASES: &[Case] = &[
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
        name: "resources_given_back",
        config: "",
        is_steady: true,
        play: |stage| {
            let worker = stage.worker("worker", "shaped AllSharing --workers 2");
            stage.wait_for(2, "RUNNING");
            let used = stage.rpc().call(
                "get_running_task_resources",
                &json!({
                    "task_id": stage.task_of_params("Sharing", &json!({"number": "1"})),
                }),
            );
            stage.place.write("go", "");
            (vec![worker.end()], used["resources"].clone())
        },
        check: |outcome, _| {
            all_once(outcome, 3);
            assert_eq!(outcome.seen, json!({"single": 0}));
        },
    },
    Case {
        name: "priorities",
        config: "",
        is_steady: true,
        play: |stage| {
            let ended = stage.run("worker", "shaped AllRanked");
            let runs = stage.runs();
            let started = runs.lines().filter(|line| line.starts_with("start"));
            (vec![ended], started.collect::<Vec<_>>().into())
        },
        check: |outcome, _| {
            all_once(outcome, 6);
            for (place, rank) in (1..=5).rev().enumerate() {
                let line = outcome.seen[place].as_str().unwrap();
                assert!(line.starts_with(&format!("start Ranked_{rank}_")), "{line}");
            }
        },
    },
    Case {
        name: "all_shapes",
        config: "",
        is_steady: true,
        play: |stage| {
            let ended = stage.run("worker", "shaped Root");
            let tasks = stage.tasks();
            let ids = tasks.as_object().unwrap().keys().cloned();
            let ids: std::collections::BTreeSet<String> = ids.collect();
            let errors: Vec<Value> = ids
                .into_iter()
                .map(|id| stage.rpc().call("fetch_error", &json!({"task_id": id})))
                .collect();
            (vec![ended], errors.into())
        },
        check: |outcome, _| {
            all_once(outcome, 4);
            let shaped = outcome
                .tasks
                .values()
                .find(|task| task["params"]["text"] == "plain");
            let params = &shaped.unwrap()["params"];
            assert_eq!(params["day"], "2026-05-17");
            assert!(params.get("hidden").is_none() && params.get("private").is_none());
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
    Case {
        name: "tasks_that_nobody_wants",
        config: "worker_disconnect_delay = 0.3\nremove_delay = 0.3\n",
        is_steady: true,
        play: |stage| {
            let ended = stage.run("worker", "plain Root");
            wait_until("all tasks are forgotten", || {
                stage.tasks().as_object().unwrap().is_empty()
            });
            (vec![ended], stage.rpc().call("worker_list", &json!({})))
        },
        check: |outcome, _| {
            assert!(outcome.statuses.is_empty());
            assert_eq!(outcome.seen, json!([]));
        },
    },
];
