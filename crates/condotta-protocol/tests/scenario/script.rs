//! Reads scenario files; the grammar is in `scenarios/README.md`. Knows nothing of the scheduler.

use condotta_protocol::{Json, Object, read_json};

/// One line of a scenario file, comments aside.
pub(crate) enum Line {
    /// `config key=value …`
    Config(Vec<(String, String)>),
    /// `resources name=limit …`
    Resources(Vec<(String, u64)>),
    /// `wall +2h`
    Wall(f64),
    /// A request and its reply.
    Request(RequestLine),
}

/// A request and its reply.
pub(crate) struct RequestLine {
    /// Seconds since the start.
    pub(crate) time: f64,
    /// Who speaks.
    pub(crate) worker: Option<String>,
    /// Verb and arguments.
    pub(crate) request: String,
    /// What condotta answers.
    pub(crate) reply: String,
    /// Why Luigi answers something else.
    pub(crate) deviation: Option<String>,
}

/// Reads `text` as one line; `None` for comments and blank lines.
pub(crate) fn line(text: &str) -> Result<Option<Line>, String> {
    let text = text.trim();
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    Ok(Some(match first {
        "" => return Ok(None),
        comment if comment.starts_with('#') => return Ok(None),
        "config" => Line::Config(pairs(rest)?),
        "resources" => Line::Resources(
            pairs(rest)?
                .into_iter()
                .map(|(name, limit)| Ok((name, limit.parse().map_err(|_| "a limit is a number")?)))
                .collect::<Result<_, String>>()?,
        ),
        "wall" => match rest.trim().split_at_checked(1) {
            Some(("+", span)) => Line::Wall(seconds(span)?),
            Some(("-", span)) => Line::Wall(-seconds(span)?),
            _ => return Err("expected `wall +2h` or `wall -2h`".into()),
        },
        _ => Line::Request(request(text)?),
    }))
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    text.split_whitespace()
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err(format!("expected key=value, not {pair}")),
        })
        .collect()
}

fn seconds(text: &str) -> Result<f64, String> {
    let unit = match text.chars().last() {
        Some('s') => 1.0,
        Some('m') => 60.0,
        Some('h') => 3600.0,
        Some('d') => 86400.0,
        _ => return Err(format!("{text} is no time such as 5s")),
    };
    let number = text[..text.len() - 1].parse::<f64>();
    Ok(number.map_err(|_| format!("{text} is no time such as 5s"))? * unit)
}

fn request(text: &str) -> Result<RequestLine, String> {
    let usage = "not a request: <time> <worker or -> <verb> <arguments> -> <reply>";
    let (left, right) = text.split_once(" -> ").ok_or(usage)?;
    let mut parts = left.split_whitespace();
    let (time, worker) = parts.next().zip(parts.next()).ok_or(usage)?;
    let after_worker = left[time.len()..].trim_start()[worker.len()..].trim();
    let (reply, deviation) = reply(right.trim())?;
    Ok(RequestLine {
        time: seconds(time)?,
        worker: (worker != "-").then(|| worker.to_owned()),
        request: after_worker.to_owned(),
        reply,
        deviation,
    })
}

/// The reply expected of us, and the name of the deviation if Luigi's differs.
fn reply(text: &str) -> Result<(String, Option<String>), String> {
    let Some(ours) = text.strip_prefix("ours: ") else {
        return Ok((text.to_owned(), None));
    };
    let usage = "expected `ours: X | stock: Y (deviation: name)`";
    let (ours, stock) = ours.split_once(" | stock: ").ok_or(usage)?;
    let (_, name) = stock.rsplit_once(" (deviation: ").ok_or(usage)?;
    let name = name.strip_suffix(')').ok_or(usage)?;
    Ok((ours.to_owned(), Some(name.to_owned())))
}

/// Splits at blanks that are not within quotes, braces or brackets.
pub(crate) fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut depth, mut quoted) = (Vec::new(), String::new(), 0, false);
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth -= 1,
            _ => {}
        }
        if character.is_whitespace() && !quoted && depth == 0 {
            words.push(std::mem::take(&mut word));
        } else {
            word.push(character);
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Positional arguments of each method.
fn positional(method: &str) -> &'static [&'static str] {
    match method {
        "add_task_batcher" => &["task_family"],
        "add_scheduler_message_response" => &["task_id", "response"],
        "announce_scheduling_failure" => &["task_name"],
        "send_scheduler_message" => &["task", "content"],
        "set_task_progress_percentage" => &["task_id", "progress_percentage"],
        "set_task_status_message" => &["task_id", "status_message"],
        "set_worker_processes" => &["n"],
        "task_search" => &["task_str"],
        "update_resource" => &["resource", "amount"],
        _ => &["task_id"],
    }
}

const LISTS: [&str; 5] = [
    "deps",
    "new_deps",
    "current_tasks",
    "batched_args",
    "owners",
];
const MAPS: [&str; 6] = [
    "resources",
    "decrease_resources",
    "params",
    "param_visibilities",
    "retry_policy_dict",
    "statistics",
];

/// A JSON value if it is one, else the text itself.
pub(crate) fn scalar(text: &str) -> Json {
    read_json(text).unwrap_or_else(|_| Json::Text(text.to_owned()))
}

/// The value of `name=text`.
fn value(name: &str, text: &str) -> Result<Json, String> {
    let items = || text.split(',').filter(|item| !item.is_empty());
    if text.starts_with(['"', '{', '[']) || text == "null" {
        return read_json(text).map_err(|error| error.to_string());
    }
    if LISTS.contains(&name) {
        return Ok(Json::List(
            items().map(|item| Json::Text(item.to_owned())).collect(),
        ));
    }
    if MAPS.contains(&name) {
        let entries = items().map(|item| {
            let (key, text) = item.split_once(':').ok_or("expected key:value")?;
            let value = match name {
                "params" => Json::Text(text.to_owned()),
                _ => scalar(text),
            };
            Ok((key.to_owned(), value))
        });
        return Ok(Json::Object(Object::new(
            entries.collect::<Result<_, String>>()?,
        )));
    }
    Ok(scalar(text))
}

/// The method and keyword arguments that `verb` with `words` stands for.
pub(crate) fn call(
    verb: &str,
    worker: Option<&str>,
    words: &[String],
) -> Result<(String, Object), String> {
    let mut arguments = Vec::new();
    if let Some(worker) = worker {
        arguments.push(("worker".to_owned(), Json::Text(worker.to_owned())));
    }
    let mut verb = verb;
    if let "done" | "failed" = verb {
        // What a stock worker sends when a run ends.
        for (name, value) in [
            ("status", Json::Text(verb.to_uppercase())),
            ("runnable", Json::Null),
            ("new_deps", Json::List(Vec::new())),
        ] {
            arguments.push((name.to_owned(), value));
        }
        verb = "add-task";
    }
    let method = verb.replace('-', "_");
    let mut unnamed = positional(&method).iter();
    let mut named = Vec::new();
    for word in words {
        match word.split_once('=') {
            Some((key, text)) if is_name(key) => named.push((key.to_owned(), value(key, text)?)),
            _ => {
                let name = *unnamed.next().ok_or("too many plain words")?;
                arguments.push((name.to_owned(), value(name, word)?));
            }
        }
    }
    match method.as_str() {
        "add_worker" => {
            let pairs = named
                .into_iter()
                .map(|(key, value)| Json::List(vec![Json::Text(key), value]));
            arguments.push(("info".to_owned(), Json::List(pairs.collect())));
        }
        "decrease_running_task_resources" => arguments.push((
            "decrease_resources".to_owned(),
            Json::Object(Object::new(named)),
        )),
        _ => arguments.extend(named),
    }
    Ok((method, Object::new(arguments)))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
