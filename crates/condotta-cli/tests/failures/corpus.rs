//! Malformed requests: what a broken client, a careless operator or a prankster may send.

/// A request that is well, and the arguments in it that are replaced by odd values.
pub(crate) struct Honest {
    pub(crate) method: &'static str,
    pub(crate) data: &'static str,
    pub(crate) arguments: &'static [&'static str],
}

const fn honest(
    method: &'static str,
    data: &'static str,
    arguments: &'static [&'static str],
) -> Honest {
    Honest {
        method,
        data,
        arguments,
    }
}

/// Every method that takes arguments.
pub(crate) const HONEST: &[Honest] = &[
    honest(
        "add_task",
        r#"{"worker": "odd", "task_id": "Odd", "family": "F", "params": {"d": "1"}}"#,
        &[
            "worker",
            "task_id",
            "status",
            "runnable",
            "deps",
            "new_deps",
            "expl",
            "resources",
            "priority",
            "family",
            "module",
            "params",
            "param_visibilities",
            "accepts_messages",
            "assistant",
            "tracking_url",
            "batchable",
            "batch_id",
            "retry_policy_dict",
            "owners",
            "attempt",
        ],
    ),
    honest(
        "add_tasks",
        r#"{"worker": "odd", "tasks": [{"task_id": "Odd"}]}"#,
        &["worker", "tasks"],
    ),
    honest(
        "add_task_batcher",
        r#"{"worker": "odd", "task_family": "F", "batched_args": ["d"], "max_batch_size": 3}"#,
        &["worker", "task_family", "batched_args", "max_batch_size"],
    ),
    honest(
        "add_worker",
        r#"{"worker": "odd", "info": {"workers": 2}}"#,
        &["worker", "info", "info.workers"],
    ),
    honest(
        "get_work",
        r#"{"worker": "idle", "host": "h", "current_tasks": []}"#,
        &["worker", "host", "assistant", "current_tasks"],
    ),
    honest("ping", r#"{"worker": "odd"}"#, &["worker"]),
    honest("count_pending", r#"{"worker": "odd"}"#, &["worker"]),
    honest("release_worker", r#"{"worker": "odd"}"#, &["worker"]),
    honest(
        "await_work",
        r#"{"worker": "odd", "seconds": 0}"#,
        &["worker"],
    ),
    honest(
        "announce_scheduling_failure",
        r#"{"worker": "odd", "task_name": "t", "family": "F", "params": {}, "expl": "e", "owners": []}"#,
        &["worker", "task_name", "family", "params", "expl", "owners"],
    ),
    honest(
        "set_task_status_message",
        r#"{"task_id": "A", "status_message": "m"}"#,
        &["task_id", "status_message"],
    ),
    honest(
        "set_task_progress_percentage",
        r#"{"task_id": "A", "progress_percentage": 5}"#,
        &["task_id", "progress_percentage"],
    ),
    honest(
        "decrease_running_task_resources",
        r#"{"task_id": "A", "decrease_resources": {"gpu": 1}}"#,
        &["task_id", "decrease_resources", "decrease_resources.gpu"],
    ),
    honest(
        "get_running_task_resources",
        r#"{"task_id": "A"}"#,
        &["task_id"],
    ),
    honest(
        "add_scheduler_message_response",
        r#"{"task_id": "A", "message_id": "m", "response": "r"}"#,
        &["task_id", "message_id", "response"],
    ),
    honest(
        "report_task_statistics",
        r#"{"task_id": "A", "statistics": {}}"#,
        &["task_id", "statistics"],
    ),
    honest("update_metrics_task_started", r#"{"task": "A"}"#, &["task"]),
    honest(
        "task_list",
        r#"{"status": "PENDING", "upstream_status": ""}"#,
        &[
            "status",
            "upstream_status",
            "limit",
            "search",
            "max_shown_tasks",
        ],
    ),
    honest("task_search", r#"{"task_str": "A"}"#, &["task_str"]),
    honest(
        "dep_graph",
        r#"{"task_id": "B"}"#,
        &["task_id", "include_done"],
    ),
    honest(
        "inverse_dep_graph",
        r#"{"task_id": "A"}"#,
        &["task_id", "include_done"],
    ),
    honest("worker_list", "{}", &["include_running"]),
    honest("fetch_error", r#"{"task_id": "A"}"#, &["task_id"]),
    honest(
        "get_task_status_message",
        r#"{"task_id": "A"}"#,
        &["task_id"],
    ),
    honest(
        "get_task_progress_percentage",
        r#"{"task_id": "A"}"#,
        &["task_id"],
    ),
    honest("re_enable_task", r#"{"task_id": "Odd"}"#, &["task_id"]),
    honest("forgive_failures", r#"{"task_id": "Odd"}"#, &["task_id"]),
    honest("mark_as_done", r#"{"task_id": "Odd"}"#, &["task_id"]),
    honest("disable_worker", r#"{"worker": "disabled"}"#, &["worker"]),
    honest(
        "set_worker_processes",
        r#"{"worker": "odd", "n": 3}"#,
        &["worker", "n"],
    ),
    honest(
        "send_scheduler_message",
        r#"{"worker": "odd", "task": "A", "content": "c"}"#,
        &["worker", "task", "content"],
    ),
    honest(
        "get_scheduler_message_response",
        r#"{"task_id": "A", "message_id": "none"}"#,
        &["task_id", "message_id"],
    ),
    honest("update_resources", r#"{"odd": 2}"#, &["odd"]),
    honest(
        "update_resource",
        r#"{"resource": "odd", "amount": 2}"#,
        &["resource", "amount"],
    ),
];

/// What an argument is replaced by, as JSON of Python's kind.
pub(crate) const ODD_VALUES: &[&str] = &[
    "null",
    "true",
    "-1",
    "0.5",
    "1e400",
    "NaN",
    "-Infinity",
    "\"\"",
    "\"x\"",
    "\"\\ud800 </script>\\u0000\"",
    "[]",
    "[1]",
    "[[\"a\"]]",
    "{}",
    "{\"a\": null}",
    "{\"a\": [-1]}",
];

/// What poisons the state of luigid: from then on requests of everybody fail, often also after a
/// restart. All are to be refused.
pub(crate) const POISON: &[(&str, &str)] = &[
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "priority": "high"}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "priority": null}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "priority": [1]}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "priority": NaN}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "resources": {"gpu": "one"}}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "resources": {"gpu": null}}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "resources": {"gpu": [1]}}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "resources": {"gpu": -100}}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "resources": ["gpu"]}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "status": "SLEEPING"}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "status": null}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "params": [1]}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "deps": "ABC"}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "deps": [["A"]]}"#,
    ),
    ("add_task", r#"{"worker": "p", "task_id": ["P"]}"#),
    ("add_task", r#"{"worker": {"p": 1}, "task_id": "P"}"#),
    ("add_task", r#"{"task_id": "P"}"#),
    ("add_task", r#"{"worker": "p"}"#),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "retry_policy_dict": {"retry_count": "x"}}"#,
    ),
    (
        "add_task",
        r#"{"worker": "p", "task_id": "P", "status": "RUNNING", "batch_id": "none"}"#,
    ),
    ("add_worker", r#"{"worker": "p", "info": {"workers": "x"}}"#),
    (
        "add_worker",
        r#"{"worker": "p", "info": {"workers": null}}"#,
    ),
    ("add_worker", r#"{"worker": "p", "info": 7}"#),
    (
        "add_task_batcher",
        r#"{"worker": "p", "task_family": "F", "batched_args": 7}"#,
    ),
    (
        "add_task_batcher",
        r#"{"worker": "p", "task_family": "F", "batched_args": ["d"], "max_batch_size": "x"}"#,
    ),
    ("update_resources", r#"{"gpu": "many"}"#),
    ("update_resources", r#"{"gpu": null}"#),
    ("update_resources", r#"{"gpu": 1, "odd": [2]}"#),
    ("set_worker_processes", r#"{"worker": "w", "n": "x"}"#),
    ("set_worker_processes", r#"{"worker": "w", "n": null}"#),
    (
        "set_task_progress_percentage",
        r#"{"task_id": "A", "progress_percentage": "much"}"#,
    ),
    (
        "set_task_progress_percentage",
        r#"{"task_id": "A", "progress_percentage": NaN}"#,
    ),
    ("get_work", r#"{"worker": null}"#),
    ("get_work", "{}"),
    ("ping", "{}"),
];

/// What is no object of arguments at all.
pub(crate) const NO_ARGUMENTS: &[&str] = &[
    "",
    " ",
    "null",
    "7",
    "\"text\"",
    "[]",
    "[{\"worker\": \"w\"}]",
    "{",
    "{\"worker\": \"w\"",
    "{\"worker\": \"w\"}}",
    "{\"worker\" \"w\"}",
    "{worker: \"w\"}",
    "{'worker': 'w'}",
    "{\"worker\": \"w\",}",
    "{\"worker\": \"w\\",
    "{\"worker\": \"\\x\"}",
    "{\"worker\": \"\\u12\"}",
    "{\"worker\": 01}",
    "{\"worker\": +1}",
    "{\"worker\": .5}",
    "{\"worker\": nan}",
    "{\"worker\": undefined}",
    "{\"worker\": True}",
    "{1: 2}",
    "<worker>w</worker>",
    "worker=w",
];

/// Requests that break HTTP or the form in it, with the status that refuses each; without one, the
/// connection may end without an answer, too.
pub(crate) const TRANSPORT: &[(&[u8], Option<u16>)] = &[
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\ndata=%ff", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n\r\ndata=\xff", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\ndata=%z", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"worker\": \"w\"}", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data\r\nContent-Length: 1\r\n\r\nx", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=X\r\nContent-Length: 5\r\n\r\n--X\r\n", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", Some(400)),
    (b"GET /api/ping HTTP/1.1\r\nHost: localhost\r\n\r\n", Some(405)),
    (b"PUT /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", Some(405)),
    (b"DELETE /api/graph HTTP/1.1\r\nHost: localhost\r\n\r\n", Some(405)),
    (b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", Some(405)),
    (b"POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", Some(404)),
    (b"POST /api/__init__ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", Some(404)),
    (b"POST /api/dump HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", Some(404)),
    (b"POST /api/_state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", Some(404)),
    (b"POST /api/PING HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", Some(404)),
    (b"POST /api/ping%00 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", Some(404)),
    (b"POST /api/ping/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", Some(404)),
    (b"POST /API/ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", Some(404)),
    (b"GET /static/../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", Some(404)),
    (b"GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", Some(404)),
    (b"POST /api/ping HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n", Some(403)),
    (b"POST /api/ping HTTP/1.1\r\nContent-Length: 0\r\n\r\n", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nx\r\n0\r\n\r\n", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n\r\n", Some(413)),
    (b"POST /api/ping HTTP/9.9\r\nHost: localhost\r\n\r\n", Some(400)),
    (b"POST\r\n\r\n", Some(400)),
    (b"\x00\x01\x02\x03\r\n\r\n", Some(400)),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost : localhost\r\n\r\n", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n", Some(400)),
    (b"POST /api/ping HTTP/1.1\r\nHost: local\x00host\r\n\r\n", Some(400)),
    // Cut off in the middle.
    (b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\ndata", None),
    (b"POST /api/ping HTTP/1.1\r\nHost: localh", None),
    (b"\r\n\r\n", None),
    (b"", None),
];
