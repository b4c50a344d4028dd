//! `messages` with a real worker, and `watch` while something happens.

use nix::sys::signal::Signal;
use serde_json::json;

use super::{Operator, Play};
use crate::{
    processes::{Kind, stock_python, wait_until},
    stage::pipelines,
};

pub(super) const PLAYS: &[(&str, &str, Play)] = &[
    ("messages", "", messages),
    (
        "messages_switched_off",
        "[scheduler]\nsend_messages = false\n",
        messages_switched_off,
    ),
    ("watch", "", watch),
    ("address", "", address),
];

fn messages(operator: &Operator) {
    let python = stock_python().expect("tests that need it look for it before");
    operator.place.write(
        "worker.cfg",
        &format!(
            "[core]\nscheduler_port = {}\nno_lock = true\n[worker]\nping_interval = 0.1\n",
            operator.server.port
        ),
    );
    let mut worker = operator.place.command(python);
    worker.args(["-m", "luigi", "--module", "messages", "Listener"]);
    worker.env("LUIGI_CONFIG_PATH", operator.place.path("worker.cfg"));
    worker
        .env("PYTHONPATH", pipelines())
        .env("WORKER_NAME", "w");
    let worker = operator.place.start("worker", &mut worker);
    wait_until("the task takes messages", || {
        operator.prints(&["messages"]).contains("Listener_")
    });
    let send = |content: &str| operator.prints(&["messages", "send", "Listener", content]);
    assert_eq!(send("hello"), "heard hello\n");
    let json = operator.json(&["messages", "send", "Listener", "end"]);
    assert_eq!(json["response"], "heard end");
    worker.end().with_code(0);
    let text = "is DONE: only running tasks hear messages";
    operator.fails(&["messages", "send", "Listener", "hello"], 6, text);
}

fn messages_switched_off(operator: &Operator) {
    operator.task("Load", "1", &json!({"accepts_messages": true}));
    operator.get_work("worker-a");
    let text =
        "takes no messages: its class does not set accepts_messages, or [scheduler] send_messages";
    operator.fails(&["messages", "send", "Load", "hello"], 6, text);
    assert_eq!(
        operator.prints(&["messages"]),
        "no running task takes messages\n"
    );
}

fn watch(operator: &Operator) {
    let task = operator.task("Load", "1", &json!({}));
    let mut command = operator.place.command(env!("CARGO_BIN_EXE_condotta"));
    let watch = operator
        .place
        .start("watch", command.args(["watch", "--interval", "0.1"]));
    let said = || operator.place.read("watch.out");
    wait_until("the numbers are told", || said().contains("1 PENDING\n"));
    operator.get_work("worker-a");
    let run = format!("RUNNING {task} on worker-a\n");
    wait_until("the run is told", || said().contains(&run));
    operator.fail(&task, "no");
    let failure = format!("FAILED {task}");
    wait_until("the failure is told", || said().contains(&failure));
    wait_until("the numbers are told", || said().contains("1 FAILED\n"));
    if operator.kind == Kind::Ours {
        operator.prints(&["resources", "set", "gpu", "3"]);
        operator.prints(&["pause"]);
        wait_until("the limit is told", || {
            said().contains("there is 3 of gpu now\n")
        });
        wait_until("the pause is told", || said().contains("  paused\n"));
    }
    watch.send(Signal::SIGTERM);
    watch.end();
    let lines = operator.prints(&["watch", "--count", "1", "--json"]);
    let line: serde_json::Value = serde_json::from_str(&lines).expect("it is one line of JSON");
    assert_eq!(line["event"], "counts");
    assert_eq!(line["counts"]["FAILED"], 1);
}

/// Somebody watches while the scheduler is started anew.
pub(super) fn watch_through_a_restart(kind: Kind) {
    let mut operator = Operator::new(kind, "");
    operator.task("Load", "1", &json!({}));
    let mut command = operator.place.command(env!("CARGO_BIN_EXE_condotta"));
    let watch = operator
        .place
        .start("watch", command.args(["watch", "--interval", "0.1"]));
    let said = |operator: &Operator| operator.place.read("watch.out");
    wait_until("the numbers are told", || {
        said(&operator).contains("1 PENDING\n")
    });
    operator
        .server
        .stop_and_start(&operator.place, kind, Signal::SIGTERM, || {
            wait_until("it is told that nobody answers", || {
                watch
                    .stderr()
                    .contains(" does not answer; waiting up to 120 s for it")
            });
        });
    if kind == Kind::Ours {
        // It cannot tell what happened meanwhile.
        wait_until("the numbers are told again", || {
            said(&operator).matches("1 PENDING\n").count() == 2
        });
    }
    let task = operator.task("Load", "2", &json!({"priority": 1}));
    operator.get_work("worker-a");
    let run = format!("RUNNING {task} on worker-a\n");
    wait_until("the run is told", || said(&operator).contains(&run));
    watch.send(Signal::SIGTERM);
    watch.end();
}

/// Where the scheduler is.
fn address(operator: &Operator) {
    let port = operator.server.port;
    operator.place.write(
        "luigi.cfg",
        &format!("[core]\nscheduler_url = http://127.0.0.1:{port}/\n"),
    );
    operator.prints(&["tasks"]);
    operator
        .place
        .write("luigi.cfg", "[core]\nscheduler_url = http://127.0.0.1:1/\n");
    operator.fails(
        &["tasks"],
        7,
        "the scheduler at http://127.0.0.1:1/ cannot be asked",
    );
    let url = format!("http://me:secret@127.0.0.1:{port}");
    operator.prints(&["tasks", "--scheduler-url", &url]);
    let elsewhere = format!("http://me:secret@127.0.0.1:{port}/elsewhere");
    let ended = operator
        .run(&["tasks", "--scheduler-url", &elsewhere])
        .with_code(7);
    ended.says(&format!(
        "there is no scheduler at http://127.0.0.1:{port}/elsewhere"
    ));
    assert!(!ended.stderr.contains("secret"), "{ended:?}");
    operator.fails(
        &["tasks", "--scheduler-url", "localhost"],
        2,
        "is no address of a scheduler",
    );
    if operator.kind == Kind::Ours {
        let core = format!("[core]\nscheduler_port = {port}\n");
        operator.place.write("luigi.cfg", &core);
        let ended = operator.run(&["resources", "set", "", "5"]).with_code(6);
        ended.says("refuses");
    }
}
