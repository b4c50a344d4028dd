//! Runs a scenario of `tests/golden` as `generate.py` there runs it on Luigi.

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

use crate::tasks::{Builders, Memory, quick, worker_with};

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
    let batched = !task.batch_params.is_empty();
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
        if batched {
            finish_batch(&for_run);
        }
        task.finish();
        Ok(RunOutcome::Done)
    })
}

/// A combined task makes what its members would make.
fn finish_batch(world: &Weak<World>) {
    let world = crate::tasks::upgrade(world);
    for task in world.made.lock().unwrap().values() {
        let batched = !task.batch_params.is_empty();
        task.done.fetch_or(batched, Ordering::SeqCst);
    }
}

fn next_int(value: &str) -> Option<String> {
    Some((value.parse::<i64>().ok()? + 1).to_string())
}

fn next_day(value: &str) -> Option<String> {
    let day: jiff::civil::Date = value.parse().ok()?;
    Some(day.tomorrow().ok()?.to_string())
}

/// Where the scenarios are, and what Luigi makes of them.
pub fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// All scenarios by name.
pub fn all() -> Map<String, Value> {
    let text = std::fs::read_to_string(dir().join("scenarios.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Runs a scenario. Returns what `generate.py` writes for it.
pub fn run(scenario: &Value) -> String {
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
                finish_batch(&made);
                Ok(RunOutcome::Done)
            })
            .share() as TaskHandle)
    });
    builders
}
