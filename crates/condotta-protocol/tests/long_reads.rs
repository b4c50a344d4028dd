//! Long reads: whatever the steps, the answer is the one of a single step; and what changes in between
//! hides nothing that stays.

use std::collections::BTreeMap;

use condotta_protocol::{Json, LongRead, Object, dispatch, long_read, read_json, write_json};
use condotta_scheduler::{Config, Now, Scheduler};
use serde_json::{Value, json};

fn object(value: Value) -> Object {
    match Json::from(value) {
        Json::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

fn begin(method: &str, arguments: &Value) -> Box<dyn LongRead> {
    long_read(method, &object(arguments.clone()))
        .expect("a long read")
        .expect("good arguments")
}

fn written(read: Box<dyn LongRead>) -> String {
    let mut text = Vec::new();
    read.write(&mut text);
    String::from_utf8(text).expect("it is ASCII")
}

/// A scheduler and the time.
struct Play {
    scheduler: Scheduler,
    secs: f64,
}

impl Play {
    fn new(config: Config) -> Self {
        Self {
            scheduler: Scheduler::new(config, [("r".to_owned(), 3)].into(), 0),
            secs: 1000.0,
        }
    }

    fn now(&mut self) -> Now {
        self.secs += 1.0;
        Now::at(self.secs)
    }

    fn call(&mut self, method: &str, arguments: Value) -> Value {
        let now = self.now();
        let text = arguments.to_string();
        dispatch(&mut self.scheduler, now, method, object(arguments))
            .unwrap_or_else(|error| panic!("{method} {text}: {error}"))
    }
}

/// Tasks of all kinds, also rings and what is only mentioned.
fn random_play(rng: &mut fastrand::Rng) -> Play {
    let config = Config {
        max_shown_tasks: [5, 100_000][rng.usize(..2)],
        max_graph_nodes: [3, 100_000][rng.usize(..2)],
        retry_count: 2,
        ..Config::default()
    };
    let mut play = Play::new(config);
    let tasks = rng.usize(..40);
    let id = |rng: &mut fastrand::Rng| format!("F{}_{}", rng.u8(..3), rng.usize(..tasks + 1));
    for _ in 0..tasks {
        let task_id = id(rng);
        let worker = ["x", "y", "zä</"][rng.usize(..3)];
        let statuses = [
            "PENDING", "PENDING", "PENDING", "DONE", "DISABLED", "UNKNOWN",
        ];
        let mut task = json!({
            "task_id": task_id,
            "worker": worker,
            "status": statuses[rng.usize(..statuses.len())],
            "priority": rng.i8(-2..3),
            "params": {"date": format!("</{}", rng.u8(..4)), "p": "😀"},
            "deps": (0..rng.usize(..4)).map(|_| id(rng)).collect::<Vec<_>>(),
            // Otherwise what nobody has a stake in could be missing from the start.
            "assistant": rng.u8(..8) == 0,
        });
        if rng.u8(..5) > 0 {
            task["family"] = task_id[..2].into();
        }
        if rng.bool() {
            task["resources"] = json!({"r": 1, "q": rng.u8(..2)});
        }
        play.call("add_task", task);
    }
    let info = json!({"workers": 2, "running": [1], "first_task": "F0_1"});
    play.call("add_worker", json!({"worker": "x", "info": info}));
    for _ in 0..rng.usize(..8) {
        let worker = ["x", "y"][rng.usize(..2)];
        let work = play.call("get_work", json!({"worker": worker}));
        if let Some(task_id) = work["task_id"].as_str()
            && rng.bool()
        {
            let status = ["DONE", "FAILED"][rng.usize(..2)];
            let report = json!({
                "worker": worker, "task_id": task_id, "runnable": null,
                "status": status, "expl": "\"it is\"",
            });
            play.call("add_task", report);
        }
    }
    play
}

/// Questions that meet every rule of these views.
fn questions() -> Vec<(&'static str, Value)> {
    let mut questions = vec![
        ("graph", json!({})),
        ("worker_list", json!({})),
        ("worker_list", json!({"include_running": false})),
        ("resource_list", json!({})),
        ("task_search", json!({"task_str": "F"})),
        ("task_search", json!({"task_str": "_1"})),
        ("task_search", json!({"task_str": "none"})),
        ("dep_graph", json!({"task_id": "nobody"})),
    ];
    for task_id in ["F0_0", "F1_1", "F2_2", "F0_3", "F1_4"] {
        for include_done in [true, false] {
            let arguments = json!({"task_id": task_id, "include_done": include_done});
            questions.push(("dep_graph", arguments.clone()));
            questions.push(("inverse_dep_graph", arguments));
        }
        questions.push(("why", json!({"task_id": task_id})));
    }
    let upstream = [
        "",
        "UPSTREAM_RUNNING",
        "UPSTREAM_MISSING_INPUT",
        "UPSTREAM_FAILED",
        "UPSTREAM_DISABLED",
    ];
    for status in ["", "PENDING", "DONE", "RUNNING", "FAILED", "DISABLED"] {
        for upstream_status in upstream {
            for limit in [true, false] {
                for search in ["", "f1", "F1 date=</1"] {
                    let arguments = json!({
                        "status": status, "upstream_status": upstream_status,
                        "limit": limit, "search": search,
                    });
                    questions.push(("task_list", arguments));
                }
            }
        }
    }
    questions.push(("task_list", json!({"max_shown_tasks": 2})));
    questions.push(("task_list", json!({"max_shown_tasks": 2, "search": "F"})));
    questions.push(("task_list", json!({"max_shown_tasks": 0})));
    questions
}

/// The ids that `task_list` shows, found by asking for each task.
fn listed(play: &Play, arguments: &Value) -> Vec<String> {
    let text = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
    let (status, search) = (text("status"), text("search").to_lowercase());
    let ids = (0..3).flat_map(|family| (0..41).map(move |at| format!("F{family}_{at}")));
    let mut ids: Vec<String> = ids
        .filter(|id| {
            play.scheduler.shown_task(id).is_some_and(|task| {
                let name = task.display_name().to_string().to_lowercase();
                (status.is_empty() || task.status().name() == status)
                    && search.split(' ').all(|term| name.contains(term))
            })
        })
        .collect();
    ids.sort();
    ids
}

#[test]
fn steps_of_any_size_give_one_answer() {
    let mut rng = fastrand::Rng::with_seed(3);
    let mut too_many = 0;
    let mut in_steps = 0;
    for _ in 0..12 {
        let mut play = random_play(&mut rng);
        for (method, arguments) in questions() {
            let now = Now::at(play.secs);
            let answer = dispatch(&mut play.scheduler, now, method, object(arguments.clone()));
            let answer = answer.expect("good arguments");
            let is_too_many = answer.get("num_tasks").is_some();
            too_many += u32::from(is_too_many);
            if method == "task_list" && !is_too_many && arguments["upstream_status"] == "" {
                let shown = answer.as_object().expect("an object").keys();
                let expected = listed(&play, &arguments);
                assert!(shown.eq(&expected), "{arguments}: {answer}");
            }
            let mut expected = Vec::new();
            write_json(&mut expected, &answer);
            let expected = String::from_utf8(expected).expect("it is ASCII");
            for tasks in [1, 2, 3, 7, 64, usize::MAX] {
                let mut read = begin(method, &arguments);
                let mut steps = 1;
                while !read.step(&play.scheduler, Now::at(play.secs), tasks) {
                    steps += 1;
                    assert!(steps < 10_000, "{method} {arguments} does not end");
                }
                in_steps += u32::from(steps > 3);
                let text = written(read);
                assert_eq!(text, expected, "{method} {arguments}, steps of {tasks}");
            }
        }
    }
    // The cases are not all trivial.
    assert!(too_many > 50 && in_steps > 1000, "{too_many}, {in_steps}");
}

/// What a single step looks at is bounded.
#[test]
fn a_step_shows_about_as_many_tasks_as_it_may() {
    let mut play = Play::new(Config::default());
    for index in 0..500 {
        let task_id = format!("T{index}");
        let mut deps = vec![format!("T{}", index + 1)];
        deps.truncate(usize::from(index < 499));
        let task = json!({"task_id": task_id, "worker": "x", "family": "T", "deps": deps});
        play.call("add_task", task);
    }
    let upstream = json!({"upstream_status": "UPSTREAM_MISSING_INPUT"});
    let done = json!({"status": "DONE"});
    let cases = [
        ("task_list", json!({}), 40..=60),
        ("task_list", upstream, 60..=200),
        ("task_list", done, 1..=1),
        ("task_search", json!({"task_str": "T"}), 40..=60),
        ("graph", json!({}), 40..=70),
        ("dep_graph", json!({"task_id": "T0"}), 40..=70),
        ("resource_list", json!({}), 1..=1),
        ("worker_list", json!({}), 1..=1),
    ];
    for (method, arguments, expected) in cases {
        let mut read = begin(method, &arguments);
        let mut steps = 1;
        while !read.step(&play.scheduler, Now::at(play.secs), 10) {
            steps += 1;
        }
        assert!(expected.contains(&steps), "{method}: {steps} steps");
    }
}

/// Each step is followed by requests that make and drop tasks, so that places are used again.
struct Churn {
    play: Play,
    rng: fastrand::Rng,
    next: usize,
}

const STABLE: usize = 30;

impl Churn {
    fn new(seed: u64) -> Self {
        let config = Config {
            remove_delay: 1.0,
            worker_disconnect_delay: 1000.0,
            ..Config::default()
        };
        let mut churn = Self {
            play: Play::new(config),
            rng: fastrand::Rng::with_seed(seed),
            next: 0,
        };
        for index in 0..STABLE {
            churn.come_and_go();
            let mut deps = vec![format!("S{}", index + 1)];
            deps.truncate(usize::from(index + 1 < STABLE));
            let task = json!({
                "task_id": format!("S{index}"), "worker": "x", "family": "S", "deps": deps,
                "params": {"kind": "stable"},
            });
            churn.play.call("add_task", task);
        }
        churn
    }

    /// A worker comes with some tasks, another goes and its tasks with it.
    fn come_and_go(&mut self) {
        self.next += 1;
        let worker = format!("w{}", self.next);
        for _ in 0..self.rng.usize(1..6) {
            // Few ids, so that they come again.
            let id = self.rng.usize(..25);
            let dep = self.rng.usize(..25);
            let task = json!({
                "task_id": format!("C{id}"), "worker": worker, "family": "C",
                "deps": [format!("C{dep}"), "S9"],
            });
            self.play.call("add_task", task);
        }
        self.play.call("ping", json!({"worker": "x"}));
        let gone = format!("w{}", self.next.saturating_sub(3));
        self.play.call("release_worker", json!({"worker": gone}));
        self.play.secs += 5.0;
        self.play.call("prune", json!({}));
    }

    /// The text of an answer that was read while others came and went.
    fn read(&mut self, method: &str, arguments: &Value, tasks: usize) -> String {
        let mut read = begin(method, arguments);
        let mut steps = 0;
        while !read.step(&self.play.scheduler, Now::at(self.play.secs), tasks) {
            self.come_and_go();
            steps += 1;
            assert!(steps < 10_000, "{method} does not end");
        }
        assert!(steps > 1, "{method} was read at once");
        written(read)
    }
}

/// The answer's object, after it was checked that each of its keys is there once.
fn unique(text: &str) -> BTreeMap<String, Json> {
    let Ok(Json::Object(answer)) = read_json(text) else {
        panic!("no object: {text}");
    };
    let answer: BTreeMap<String, Json> = answer.into_entries().into_iter().collect();
    for key in answer.keys() {
        let times = text.matches(&format!("\"{key}\": {{")).count();
        assert_eq!(times, 1, "{key} in {text}");
    }
    answer
}

#[test]
fn what_stays_is_seen_whatever_comes_and_goes() {
    let cases = [
        ("task_list", json!({"limit": false}), STABLE),
        (
            "task_list",
            json!({"status": "PENDING", "limit": false}),
            STABLE,
        ),
        (
            "task_list",
            json!({"search": "stable", "limit": false}),
            STABLE,
        ),
        (
            "task_list",
            json!({"upstream_status": "UPSTREAM_MISSING_INPUT", "limit": false}),
            STABLE,
        ),
        ("graph", json!({}), STABLE),
        ("dep_graph", json!({"task_id": "S0"}), STABLE),
        ("inverse_dep_graph", json!({"task_id": "S9"}), 10),
    ];
    for seed in 0..10 {
        let mut churn = Churn::new(seed);
        for (method, arguments, stable) in &cases {
            for tasks in [1, 3] {
                let answer = unique(&churn.read(method, arguments, tasks));
                for index in 0..*stable {
                    let id = format!("S{index}");
                    assert!(answer.contains_key(&id), "{id} in {method} {arguments}");
                }
            }
        }
    }
}

#[test]
fn a_search_shows_each_task_under_one_status() {
    for seed in 0..10 {
        let mut churn = Churn::new(seed);
        let text = churn.read("task_search", &json!({"task_str": ""}), 1);
        for (prefix, count) in [("S", STABLE), ("C", 25)] {
            for index in 0..count {
                let times = text.matches(&format!("\"{prefix}{index}\": {{")).count();
                assert!(times <= 1 && (times == 1 || prefix == "C"), "{text}");
            }
        }
    }
}

#[test]
fn arguments_are_checked_before_anything_is_read() {
    let refused = long_read("dep_graph", &object(json!({})));
    let error = refused.expect("a long read").err().expect("no task");
    assert_eq!(error.to_string(), "dep_graph needs the argument `task_id`");
    assert!(long_read("get_work", &object(json!({}))).is_none());
}

/// What a worker says of itself is no reason to show it worse than it is, nor to fail.
#[test]
fn odd_infos_leave_the_list_readable() {
    let mut play = Play::new(Config::default());
    let deep = "[".repeat(125) + &"]".repeat(125);
    let info =
        format!(r#"{{"worker": "x", "info": {{"deep": {deep}, "num_running": 7, "a": [1]}}}}"#);
    let Ok(Json::Object(arguments)) = read_json(&info) else {
        panic!("an object");
    };
    let now = play.now();
    dispatch(&mut play.scheduler, now, "add_worker", arguments).expect("good arguments");
    let workers = play.call("worker_list", json!({}));
    assert_eq!(workers[0]["num_running"], 0);
    assert_eq!(workers[0]["a"], json!([1]));
    assert!(workers[0]["deep"].is_string() || workers[0]["deep"].is_array());
}
