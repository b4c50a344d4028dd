//! Plays one scenario file on a scheduler and says where its answers differ.

use std::{collections::BTreeMap, fs, path::Path};

use condotta_protocol::{Object, dispatch, read_json};
use condotta_scheduler::{Config, Now, Scheduler, Timestamp};
use serde_json::Value;

use crate::{
    script::{self, Line, RequestLine},
    short::{self, EPOCH},
};

/// The differences between the replies in the file and those of the scheduler, each with its place.
pub(crate) fn file(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a readable file");
    let name = path.file_name().expect("a file name").to_string_lossy();
    let mut player = Player::default();
    let mut differences = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let place = format!("scenarios/{name}:{}: {}", index + 1, text.trim());
        let outcome = script::line(text).and_then(|line| match line {
            Some(line) => player.line(line),
            None => Ok(None),
        });
        match outcome {
            Ok(None) => {}
            Ok(Some((expected, actual))) => differences.push(format!(
                "{place}\n    expected: {expected}\n    actual:   {actual}"
            )),
            Err(error) => differences.push(format!("{place}\n    {error}")),
        }
    }
    differences
}

/// Expected and actual reply where they differ.
type Difference = Option<(String, String)>;

#[derive(Default)]
struct Player {
    config: Config,
    resources: BTreeMap<String, u64>,
    scheduler: Option<Scheduler>,
    wall_jump: f64,
    /// What `$batch` and `$message` stand for.
    names: BTreeMap<&'static str, String>,
}

impl Player {
    fn line(&mut self, line: Line) -> Result<Difference, String> {
        match line {
            Line::Config(pairs) => {
                for (key, value) in pairs {
                    configure(&mut self.config, &key, &value)?;
                }
            }
            Line::Resources(limits) => self.resources.extend(limits),
            Line::Wall(jump) => self.wall_jump += jump,
            Line::Request(request) => return self.request(request),
        }
        Ok(None)
    }

    fn request(&mut self, line: RequestLine) -> Result<Difference, String> {
        let monotonic = EPOCH + line.time;
        let now = Now {
            monotonic: Timestamp(monotonic),
            wall: Timestamp(monotonic + self.wall_jump),
        };
        let mut request = line.request;
        for (name, text) in &self.names {
            request = request.replace(name, text);
        }
        let (verb, rest) = request.split_once(' ').unwrap_or((&request, ""));
        let words = script::words(rest);
        let actual = match verb {
            "raw" => self.raw(now, rest, &line.reply)?,
            "status" => self.each(&words, |task| short::show("", &task["status"])),
            "show" => {
                let (task_id, fields) = words.split_first().ok_or("show what?")?;
                match self.task(task_id) {
                    Some(task) => show(&task, fields),
                    None => vec!["-"; fields.len()].join(" "),
                }
            }
            "worker" => self.worker(now, &words)?,
            _ => self.short(now, verb, line.worker.as_deref(), &words)?,
        };
        Ok((actual != line.reply).then_some((line.reply, actual)))
    }

    fn scheduler(&mut self) -> &mut Scheduler {
        self.scheduler
            .get_or_insert_with(|| Scheduler::new(self.config.clone(), self.resources.clone(), 0))
    }

    fn call(&mut self, now: Now, method: &str, arguments: Object) -> Result<Value, String> {
        dispatch(self.scheduler(), now, method, arguments).map_err(|error| error.to_string())
    }

    fn raw(&mut self, now: Now, rest: &str, expected: &str) -> Result<String, String> {
        let (method, arguments) = rest.split_once(' ').ok_or("raw method {…}")?;
        let arguments = read_json(arguments).map_err(|error| error.to_string())?;
        let condotta_protocol::Json::Object(arguments) = arguments else {
            return Err("arguments are an object".into());
        };
        Ok(match self.call(now, method, arguments) {
            Err(_) => "refused".into(),
            Ok(reply) => {
                let same = serde_json::from_str(expected)
                    .is_ok_and(|expected: Value| short::equal(&expected, &reply));
                if same {
                    expected.to_owned()
                } else {
                    reply.to_string()
                }
            }
        })
    }

    fn short(
        &mut self,
        now: Now,
        verb: &str,
        worker: Option<&str>,
        words: &[String],
    ) -> Result<String, String> {
        let is_flag = |word: &&String| word.starts_with("with-");
        let flags: Vec<String> = words.iter().filter(is_flag).cloned().collect();
        let words: Vec<String> = words
            .iter()
            .filter(|word| !is_flag(word))
            .cloned()
            .collect();
        let (method, arguments) = script::call(verb, worker, &words)?;
        let Ok(reply) = self.call(now, &method, arguments) else {
            return Ok("refused".into());
        };
        for (name, key) in [("$batch", "batch_id"), ("$message", "message_id")] {
            if let Some(text) = reply.get(key).and_then(Value::as_str) {
                self.names.insert(name, text.to_owned());
            }
        }
        Ok(short::project(&method, &reply, &flags))
    }

    fn worker(&mut self, now: Now, words: &[String]) -> Result<String, String> {
        let (name, fields) = words.split_first().ok_or("which worker?")?;
        let reply = self.call(now, "worker_list", Object::default())?;
        let workers = reply.as_array().into_iter().flatten();
        let found = workers.into_iter().find(|worker| worker["name"] == **name);
        Ok(match found {
            Some(worker) => show(worker, fields),
            None => "-".into(),
        })
    }

    fn each(&mut self, task_ids: &[String], shown: fn(&Value) -> String) -> String {
        let tasks = task_ids.iter().map(|task_id| match self.task(task_id) {
            Some(task) => shown(&task),
            None => "-".into(),
        });
        tasks.collect::<Vec<_>>().join(" ")
    }
}

fn show(value: &Value, fields: &[String]) -> String {
    let shown = fields
        .iter()
        .map(|field| short::show(field, value.get(field).unwrap_or(&Value::Null)));
    shown.collect::<Vec<_>>().join(" ")
}

impl Player {
    /// A look at a task that, unlike the views, does not prune first.
    fn task(&mut self, task_id: &str) -> Option<Value> {
        let task = self.scheduler().shown_task(task_id)?;
        Some(condotta_protocol::task_value(task))
    }
}

fn configure(config: &mut Config, key: &str, value: &str) -> Result<(), String> {
    let number = || {
        value
            .parse::<f64>()
            .map_err(|_| format!("{key} is a number"))
    };
    let count = || {
        value
            .parse::<u64>()
            .map_err(|_| format!("{key} is a whole number"))
    };
    let flag = || {
        value
            .parse::<bool>()
            .map_err(|_| format!("{key} is true or false"))
    };
    match key {
        "retry_delay" => config.retry_delay = number()?,
        "remove_delay" => config.remove_delay = number()?,
        "worker_disconnect_delay" => config.worker_disconnect_delay = number()?,
        "disable_window" => config.disable_window = number()?,
        "retry_count" => config.retry_count = count()?,
        "disable_hard_timeout" => config.disable_hard_timeout = number()?,
        "disable_persist" => config.disable_persist = number()?,
        "max_shown_tasks" => config.max_shown_tasks = count()?,
        "max_graph_nodes" => config.max_graph_nodes = count()?,
        "prune_on_get_work" => config.prune_on_get_work = flag()?,
        "pause_enabled" => config.pause_enabled = flag()?,
        "send_messages" => config.send_messages = flag()?,
        "stable_done_cooldown_secs" => config.stable_done_cooldown_secs = number()?,
        _ => return Err(format!("{key} is no key that scenarios use")),
    }
    Ok(())
}
