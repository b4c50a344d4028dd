//! The execution summary, to the letter: each scenario of `tests/golden` is run here and compared with
//! what Luigi prints for it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, Weak, atomic::Ordering},
};

use condotta_scheduler::{AddTask, Config, GetWork};
use condotta_worker::{
    BoxError, LocalScheduler, RunOutcome, Scheduler as _, TaskHandle, WorkerConfig, WorkerOptions,
};
use serde_json::{Map, Value};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

use crate::{
    quick,
    tasks::{Builders, Memory},
    worker_with,
};

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

#[test]
fn summaries_are_luigis_to_the_letter() {
    let text = std::fs::read_to_string(dir().join("scenarios.json")).unwrap();
    let scenarios: Map<String, Value> = serde_json::from_str(&text).unwrap();
    let mut wrong = Vec::new();
    for (name, scenario) in &scenarios {
        let expected = std::fs::read_to_string(dir().join(format!("{name}.txt"))).unwrap();
        let actual = run(scenario);
        if actual != expected {
            wrong.push(format!("{name}: expected\n{expected}\nbut got\n{actual}"));
        }
    }
    assert!(scenarios.len() > 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Announcements travel together, so that "Informed scheduler" comes in groups while planning; apart
/// from that the log is Luigi's.
#[test]
fn the_log_is_luigis_to_the_letter() {
    let text = std::fs::read_to_string(dir().join("scenarios.json")).unwrap();
    let scenarios: Value = serde_json::from_str(&text).unwrap();
    let expected = std::fs::read_to_string(dir().join("everything.log")).unwrap();
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    tracing::subscriber::with_default(subscriber, || run(&scenarios["everything"]));
    let actual = lines.0.lock().unwrap().clone();
    let (planned, ran) = phases(actual);
    let (expected_planned, expected_ran) = phases(expected.lines().map(str::to_owned).collect());
    for informed in [true, false] {
        let only = |lines: &[String]| -> Vec<String> {
            let wanted = |line: &&String| line.contains("Informed scheduler") == informed;
            lines.iter().filter(wanted).cloned().collect()
        };
        assert_eq!(only(&planned), only(&expected_planned));
    }
    assert_eq!(ran, expected_ran);
}

/// Before and from the start of the main loop.
fn phases(mut lines: Vec<String>) -> (Vec<String>, Vec<String>) {
    let start = lines
        .iter()
        .position(|line| line.contains("Running Worker"));
    let ran = lines.split_off(start.unwrap());
    (lines, ran)
}

/// Keeps the first line of each message, with its level.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Message(String);
        impl tracing::field::Visit for Message {
            fn record_debug(&mut self, _: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 = format!("{value:?}");
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        assert_eq!(event.metadata().target(), "luigi-interface");
        let level = match *event.metadata().level() {
            tracing::Level::WARN => "WARNING".to_owned(),
            level => level.to_string(),
        };
        let text = message.0.lines().next().unwrap_or_default();
        let text = text.replace(&format!("[pid {}]", std::process::id()), "[pid N]");
        self.0.lock().unwrap().push(format!("{level}: {text}"));
    }
}

/// The tasks of one scenario, each made when it is first asked for.
struct World {
    specs: Map<String, Value>,
    made: Mutex<BTreeMap<String, Arc<Memory>>>,
}

impl World {
    fn task(self: &Arc<Self>, key: &str) -> Arc<Memory> {
        if let Some(task) = self.made.lock().unwrap().get(key) {
            return task.clone();
        }
        let task = make(key, &self.specs[key], &Arc::downgrade(self)).share();
        self.made
            .lock()
            .unwrap()
            .insert(key.to_owned(), task.clone());
        task
    }

    fn tasks(self: &Arc<Self>, keys: &Value) -> Vec<TaskHandle> {
        let task = |key: &Value| self.task(key.as_str().unwrap()) as TaskHandle;
        keys.as_array().into_iter().flatten().map(task).collect()
    }
}

fn make(key: &str, spec: &Value, world: &Weak<World>) -> Memory {
    let mut task = Memory::new(spec["family"].as_str().unwrap_or(key));
    for param in spec["params"].as_array().into_iter().flatten() {
        let name = param[0].as_str().unwrap();
        task = match &param[1] {
            Value::Number(number) => task.param(name, &number.to_string(), Some(next_int)),
            Value::String(text) if text.parse::<jiff::civil::Date>().is_ok() => {
                task.param(name, text, Some(next_day))
            }
            text => task.param(name, text.as_str().unwrap(), None),
        };
    }
    let does = spec["does"].as_str().unwrap_or("ok").to_owned();
    task.external = does == "external";
    task.disabled = spec["disabled"].as_bool().unwrap_or(false);
    *task.done.get_mut() = does == "complete";
    for (name, amount) in spec["resources"].as_object().into_iter().flatten() {
        task.resources
            .insert(name.clone(), amount.as_u64().unwrap());
    }
    let batched = spec["batch"].as_array().into_iter().flatten();
    task.batch_params = batched
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    if does == "broken-complete" {
        return task.complete_if(|_| Err("complete".into()));
    }
    let (deps, dynamic) = (spec["deps"].clone(), spec["dynamic"].clone());
    let (for_deps, for_run) = (world.clone(), world.clone());
    let broken = does == "broken-deps";
    task.dependencies(move || {
        if broken {
            return Err("deps".into());
        }
        Ok(crate::tasks::upgrade(&for_deps).tasks(&deps))
    })
    .runs(move |task, _| {
        let first = task.run_count() == 1;
        if does == "fail" || (does == "fail-once" && first) {
            return Err(BoxError::from("run"));
        }
        let needed = crate::tasks::upgrade(&for_run).tasks(&dynamic);
        if needed.iter().any(|task| !task.complete().unwrap()) {
            return Ok(RunOutcome::Requires(needed));
        }
        task.finish();
        Ok(RunOutcome::Done)
    })
}

fn next_int(value: &str) -> Option<String> {
    Some((value.parse::<i64>().ok()? + 1).to_string())
}

fn next_day(value: &str) -> Option<String> {
    let day: jiff::civil::Date = value.parse().ok()?;
    Some(day.tomorrow().ok()?.to_string())
}

fn run(scenario: &Value) -> String {
    let world = Arc::new(World {
        specs: scenario["tasks"].as_object().unwrap().clone(),
        made: Mutex::default(),
    });
    let scheduler = Arc::new(scheduler(scenario));
    for (other, keys) in scenario["other"].as_object().into_iter().flatten() {
        for task in world.tasks(keys) {
            scheduler
                .add_task(AddTask::new(other, task.task_id()))
                .unwrap();
            let request = GetWork {
                worker: other.clone(),
                ..GetWork::default()
            };
            scheduler.get_work(request).unwrap();
        }
    }
    let options = WorkerOptions {
        loader: Some(Arc::new(batches(&world))),
        ..WorkerOptions::default()
    };
    let mut worker = worker_with(&scheduler, config(scenario), options);
    let first = Value::from(vec![world.specs.keys().next().unwrap().clone()]);
    let roots = scenario.get("add").unwrap_or(&first);
    let mut success = true;
    for root in world.tasks(roots) {
        success &= worker.add(root).unwrap();
    }
    success &= worker.run().unwrap();
    let summary = worker.summary();
    let success = if success { "True" } else { "False" };
    format!("{} {success}\n{summary}", summary.status().name())
}

fn scheduler(scenario: &Value) -> LocalScheduler {
    let mut config = Config::default();
    if let Some(delay) = scenario["scheduler"]["retry_delay"].as_f64() {
        config.retry_delay = delay;
    }
    let limits = scenario["resources"].as_object().into_iter().flatten();
    let limits = limits.map(|(name, limit)| (name.clone(), limit.as_u64().unwrap()));
    LocalScheduler::new(config, limits.collect())
}

fn config(scenario: &Value) -> WorkerConfig {
    let config = &scenario["config"];
    let flag = |name: &str| config[name].as_bool().unwrap_or(false);
    WorkerConfig {
        task_limit: config["task_limit"].as_u64(),
        keep_alive: flag("keep_alive"),
        retry_external_tasks: flag("retry_external_tasks"),
        ..quick()
    }
}

/// Builds combined tasks: numbers take the greatest, texts are joined.
fn batches(world: &Arc<World>) -> Builders {
    let builders = Builders::default();
    let weak = Arc::downgrade(world);
    builders.family("Bat", move |params| {
        let world = crate::tasks::upgrade(&weak);
        let mut task = Memory::new("Bat");
        let names = world.specs["B1"]["params"].as_array().unwrap();
        for name in names.iter().map(|param| param[0].as_str().unwrap()) {
            let values = &params[name];
            let numbers: Result<Vec<i64>, _> = values.iter().map(|value| value.parse()).collect();
            task = match numbers {
                Ok(numbers) => {
                    let greatest = numbers.into_iter().max().unwrap();
                    task.param(name, &greatest.to_string(), Some(next_int))
                }
                Err(_) => task.param(name, &values.join(","), None),
            };
        }
        let made = Arc::downgrade(&world);
        Ok(task
            .runs(move |_, _| {
                let world = crate::tasks::upgrade(&made);
                for task in world.made.lock().unwrap().values() {
                    let batched = !task.batch_params.is_empty();
                    task.done.fetch_or(batched, Ordering::SeqCst);
                }
                Ok(RunOutcome::Done)
            })
            .share() as TaskHandle)
    });
    builders
}
