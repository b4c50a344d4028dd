//! Tasks that fail, are tried again or disabled, and what is not there.

use serde_json::{Value, json};

use super::{Case, all_are, runs_of, status_of};

/// The cases.
pub(super) const CASES: &[Case] = &[
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
        name: "failing_batch",
        config: "",
        is_steady: true,
        play: |stage| {
            let ended = stage.run("worker", "operated NeedsBrokenBatch");
            (vec![ended], Value::Null)
        },
        check: |outcome, _| {
            let failed = outcome
                .statuses
                .values()
                .filter(|status| *status == "FAILED");
            assert_eq!(failed.count(), 3);
            assert_eq!(status_of(outcome, "NeedsBrokenBatch"), "PENDING");
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
        name: "time_out",
        config: "",
        is_steady: true,
        play: |stage| {
            let words = "operated Slow --worker-force-multiprocessing";
            (vec![stage.run("worker", words)], Value::Null)
        },
        check: |outcome, _| all_are(outcome, "FAILED", 1),
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
];
