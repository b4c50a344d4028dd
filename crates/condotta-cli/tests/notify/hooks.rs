//! Webhooks of the server.

use serde_json::{Value, json};

use crate::{
    certificate,
    processes::{Kind, Place, stock_python, wait_until},
    receiver::Receiver,
    story::Story,
};

fn hook(port: u16, more: &str) -> String {
    format!(
        "\n[webhook ops]\nurl = http://127.0.0.1:{port}/T000/key-in-path\ninterval = 0.05\n{more}"
    )
}

/// Reports a failure, as workers do.
fn fail(story: &Story, task_id: &str) {
    let task = json!({"worker": "w", "task_id": task_id, "family": task_id.split('_').next(),
                      "params": {}, "status": "FAILED", "expl": "\"it broke\"", "owners": []});
    story.server.rpc.call("add_task", &task);
}

/// What fails on stock workers is told with all that is documented, signed, and with no secret.
#[test]
fn failures_of_stock_workers_are_told_as_json() {
    let receiver = Receiver::start();
    let more = "events = [\"failed\", \"disabled\", \"done\", \"scheduling_failed\"]\n\
                secret = sign-key\nheaders = {\"X-Team\": \"data\", \"Authorization\": \"Bearer header-key\"}\n";
    let config = format!("retry_count = 1\n{}", hook(receiver.port, more));
    let story = Story::new(Place::new(), Kind::Ours, &config);
    story.run("All --days 1");
    story.run("Good");
    let (events, more) = receiver.wait_for_events(4);
    assert_eq!(more, 0);
    let mut kinds: Vec<&str> = events
        .iter()
        .map(|it| it["event"].as_str().unwrap())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["disabled", "done", "failed", "scheduling_failed"]);
    let failed = events.iter().find(|it| it["event"] == "failed").unwrap();
    assert_eq!(failed["family"], "Load");
    assert_eq!(failed["params"], json!({"day": "0"}));
    assert_eq!(failed["message"], "Load(day=0) failed");
    let error = failed["error"].as_str().unwrap();
    assert!(error.ends_with("ValueError: day 0 <broke>\n"), "{error}");
    assert!(
        failed["worker"].as_str().unwrap().starts_with("Worker("),
        "{failed}"
    );
    assert!(failed["attempt"].as_str().unwrap().len() > 15, "{failed}");
    let url = format!(
        "http://127.0.0.1:{}/static/visualiser/index.html#tab=graph&taskId=",
        story.server.port
    );
    assert!(
        failed["url"].as_str().unwrap().starts_with(&url),
        "{failed}"
    );
    for message in receiver.arrived() {
        assert_eq!(message.path, "/T000/key-in-path");
        assert_eq!(message.json()["version"], 1);
        assert_eq!(message.headers["x-team"], "data");
        assert_eq!(message.headers["authorization"], "Bearer header-key");
        assert_eq!(message.headers["x-condotta-message"], message.json()["id"]);
        let text = String::from_utf8(message.body.clone()).unwrap();
        assert!(
            !text.contains("hidden-value") && !text.contains("private-value"),
            "{text}"
        );
        assert_eq!(message.headers["x-condotta-signature"], signature(&text));
    }
    let log = story.log();
    for secret in ["key-in-path", "sign-key", "header-key"] {
        assert!(!log.contains(secret), "{log}");
    }
}

/// Computed by another implementation.
fn signature(body: &str) -> String {
    let script = "import hmac,sys; print('sha256=' + hmac.new(b'sign-key', sys.argv[1].encode(), 'sha256').hexdigest())";
    let python = stock_python().unwrap();
    let output = std::process::Command::new(python)
        .args(["-c", script, body])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn people_read_the_same_in_their_chat() {
    let receiver = Receiver::start();
    let config = hook(receiver.port, "format = slack\nfamilies = [\"Load\"]\n");
    let story = Story::new(Place::new(), Kind::Ours, &config);
    fail(&story, "Other_1");
    fail(&story, "Load_1");
    let message = receiver.wait_for(1).remove(0).json();
    let text = message["text"].as_str().unwrap();
    assert!(
        text.starts_with("*failed*: Load() failed (<http://127.0.0.1:"),
        "{text}"
    );
    assert!(text.ends_with("\n```it broke```"), "{text}");
    assert_eq!(message.as_object().unwrap().len(), 1);
}

/// A receiver that is away, or in trouble, is asked again, and then hears of all that happened meanwhile: the first
/// events one by one, the others counted.
#[test]
fn what_a_receiver_missed_is_told_when_it_is_back() {
    let receiver = Receiver::start();
    receiver.answer(500, None);
    let config = hook(receiver.port, "max_events = 5\n");
    let story = Story::new(Place::new(), Kind::Ours, &config);
    fail(&story, "Load_first");
    receiver.wait_for(2);
    for number in 0..300 {
        fail(&story, &format!("Load_{number}"));
    }
    wait_until("all of it waits", || {
        let text = story.server.rpc.get("/metrics").unwrap().body;
        text.contains("condotta_webhooks_dropped_total{webhook=\"ops\"} 295\n")
    });
    receiver.answer(200, None);
    let ids = |messages: &[Value]| -> std::collections::BTreeSet<String> {
        messages
            .iter()
            .map(|message| message["id"].to_string())
            .collect()
    };
    wait_until("all was told", || {
        let messages: Vec<Value> = receiver.arrived().iter().map(|it| it.json()).collect();
        ids(&messages).len() == 2
    });
    let last = receiver.arrived().pop().unwrap().json();
    assert_eq!(last["events"].as_array().unwrap().len(), 5);
    assert_eq!(last["more"], json!({"failed": 295}));
    let log = story.log();
    assert!(
        log.contains("webhook ops: a message could not be sent to http://127.0.0.1:"),
        "{log}"
    );
    assert!(
        log.contains("it answers 500") && !log.contains("key-in-path"),
        "{log}"
    );
    wait_until("it is said that it is taken again", || {
        story.log().contains(" takes messages again, after ")
    });
}

/// It is said that a receiver is back also if what it missed was given up meanwhile.
#[test]
fn a_receiver_that_was_away_for_long_is_said_to_be_back() {
    let receiver = Receiver::start();
    receiver.answer(500, None);
    let config = hook(receiver.port, "retry_for = 0.1\n");
    let story = Story::new(Place::new(), Kind::Ours, &config);
    for number in 1..=2 {
        fail(&story, &format!("Load_{number}"));
        wait_until("it was given up", || {
            story.log().matches("is given up").count() == number
        });
    }
    receiver.answer(200, None);
    fail(&story, "Load_3");
    wait_until("it is said that it is taken again", || {
        story.log().contains(" takes messages again, after ")
    });
    let (log, came) = (story.log(), receiver.arrived().len());
    assert!(log.contains(&format!("after {came} attempts in ")), "{log}");
    fail(&story, "Load_4");
    receiver.wait_for(came + 1);
    assert_eq!(story.log().matches("takes messages again").count(), 1);
}

/// It is said who did not get what; the message is not sent elsewhere.
#[test]
fn refusals_and_redirects_are_final() {
    let elsewhere = Receiver::start();
    let receiver = Receiver::start();
    let location = format!("http://127.0.0.1:{}/", elsewhere.port);
    receiver.answer(302, Some(("Location", location)));
    let story = Story::new(Place::new(), Kind::Ours, &hook(receiver.port, ""));
    fail(&story, "Load_1");
    wait_until("it was given up", || {
        story.log().contains("redirects are not followed")
    });
    receiver.answer(403, None);
    fail(&story, "Load_2");
    wait_until("it was given up", || story.log().contains("it answers 403"));
    assert_eq!(
        (receiver.arrived().len(), elsewhere.arrived().len()),
        (2, 0)
    );
    let text = story.server.rpc.get("/metrics").unwrap().body;
    assert!(
        text.contains("condotta_webhooks_failed_total{webhook=\"ops\"} 2\n"),
        "{text}"
    );
}

/// A receiver that never answers costs its hook time, and nobody else.
#[test]
fn a_silent_receiver_is_given_up_in_time_and_holds_up_nobody() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let receiver = Receiver::start();
    let second = hook(receiver.port, "").replace("ops", "second");
    let config = hook(port, "timeout = 0.2\nretry_for = 0.1\n") + &second;
    let story = Story::new(Place::new(), Kind::Ours, &config);
    fail(&story, "Load_1");
    receiver.wait_for(1);
    wait_until("it was given up", || {
        story
            .log()
            .contains("webhook ops: a message of 1 events is given up")
    });
    assert!(!story.log().contains("key-in-path"), "{}", story.log());
}

#[test]
fn what_waits_is_told_before_the_server_stops() {
    let receiver = Receiver::start();
    let config = hook(receiver.port, "").replace("interval = 0.05", "interval = 600");
    let mut story = Story::new(Place::new(), Kind::Ours, &config);
    fail(&story, "Load_1");
    receiver.wait_for(1);
    fail(&story, "Load_2");
    story.restart();
    assert_eq!(receiver.wait_for_events(2).0.len(), 2);
}

/// Users and passwords of addresses go into the header, and certificates of one's own are trusted.
#[test]
fn receivers_with_tls_are_sure_whom_they_are() {
    let folder = Place::new();
    certificate::write(&folder, "localhost");
    folder.write("receiver.py", include_str!("https_receiver.py"));
    let mut command = folder.command(stock_python().unwrap());
    command.arg(folder.path("receiver.py")).arg(folder.path(""));
    let _receiver = folder.start("receiver", &mut command);
    wait_until("it listens", || folder.path("https-port").is_file());
    let port = folder.read("https-port");
    let url = format!("https://me:hunter2@localhost:{port}/x");
    let ca = folder.path("ca.pem").display().to_string();
    let config =
        format!("\n[webhook sure]\nurl = {url}\nca_file = {ca}\n[webhook doubtful]\nurl = {url}\n");
    let story = Story::new(Place::new(), Kind::Ours, &config);
    fail(&story, "Load_1");
    wait_until("it came", || !folder.read("messages.jsonl").is_empty());
    wait_until("the other is refused", || {
        story
            .log()
            .contains("webhook doubtful: a message could not be sent")
    });
    let messages = folder.read("messages.jsonl");
    let message: Value = serde_json::from_str(messages.lines().next().unwrap()).unwrap();
    assert_eq!(message["webhook"], "sure");
    assert_eq!(messages.lines().count(), 1);
    assert!(!story.log().contains("hunter2"), "{}", story.log());
}

/// The worker's end is what the tasks that it ran failed of.
#[test]
fn a_lost_worker_and_a_dead_end_are_told() {
    let receiver = Receiver::start();
    let config = format!("worker_disconnect_delay = 1\n{}", hook(receiver.port, ""));
    let story = Story::new(Place::new(), Kind::Ours, &config);
    let rpc = &story.server.rpc;
    rpc.call(
        "add_task",
        &json!({"worker": "v", "task_id": "Ring_1", "deps": ["Ring_1"]}),
    );
    // It ran nothing, so nobody has to know.
    wait_until("the first is gone", || {
        let log = story.log();
        log.contains("worker v has not been heard of for") && log.contains("s and ran nothing")
    });
    rpc.call(
        "add_task",
        &json!({"worker": "w", "task_id": "Load_1", "family": "Load"}),
    );
    rpc.call("get_work", &json!({"worker": "w"}));
    let told = || receiver.wait_for_events(1).0;
    let has = |kind: &str| told().into_iter().find(|it| it["event"] == kind);
    wait_until("all is told", || {
        ["failed", "worker_lost", "dead_end"]
            .iter()
            .all(|kind| has(kind).is_some())
    });
    let told_lost = told().into_iter().filter(|it| it["event"] == "worker_lost");
    let lost: Vec<Value> = told_lost.map(|it| it["worker"].clone()).collect();
    assert_eq!(lost, [json!("w")]);
    let failed = has("failed").unwrap();
    assert_eq!(
        failed["message"],
        "Load() failed: the worker that ran it was silent for too long"
    );
    let dead_end = has("dead_end").unwrap();
    assert_eq!(dead_end["task_id"], "Ring_1");
    let message = dead_end["message"].as_str().unwrap();
    assert!(
        message.contains("can never run: it waits for itself"),
        "{message}"
    );
}

#[test]
fn an_operator_tries_a_webhook_from_the_command_line() {
    let receiver = Receiver::start();
    let story = Story::new(Place::new(), Kind::Ours, &hook(receiver.port, ""));
    let webhook = |story: &Story, words: &[&str]| {
        let url = format!("http://127.0.0.1:{}", story.server.port);
        let mut command = story.place.command(env!("CARGO_BIN_EXE_condotta"));
        command.arg("webhook").args(words);
        command.args(["--scheduler-url", &url]);
        story.place.start("command", &mut command).end()
    };
    let run = |story: &Story, name: &str| webhook(story, &["test", name]);
    let ended = run(&story, "ops").with_code(0);
    ended.says("the receiver of webhook ops took the message");
    let message = receiver.wait_for(1).remove(0).json();
    assert_eq!(message["events"][0]["event"], "test");
    receiver.answer(500, None);
    let ended = run(&story, "ops");
    ended.says("webhook ops does not work: http://127.0.0.1:");
    ended.says("it answers 500");
    assert_eq!(ended.code, Some(6), "{ended:?}");
    let ended = run(&story, "none").with_code(5);
    ended.says("there is no webhook none");
    let listed = webhook(&story, &[]).with_code(0);
    listed
        .says("WEBHOOK  HOST")
        .says("ops      http://127.0.0.1:");
    assert!(!listed.stdout.contains("key-in-path"), "{listed:?}");
    let listed = webhook(&story, &["--json"]).with_code(0).stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["webhooks"][0]["name"], "ops");
    assert_eq!(listed["webhooks"][0]["queued"], 0);
    let luigid = Story::new(Place::new(), Kind::Stock, "");
    for ended in [run(&luigid, "ops"), webhook(&luigid, &[])] {
        ended
            .with_code(6)
            .says("is Luigi's own, which has no webhooks");
    }
}
