//! Counts of what happened to tasks, as Luigi's Prometheus collector names and writes them.
//!
//! Fed with the scheduler's events; read by whoever asks for `/metrics`. Labels come from tasks, so
//! they are escaped, and the number of their combinations is bounded.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::observer::Observer;
use condotta_scheduler::{DeadEnd, Event, Scheduler, Status, TaskBrief, Timestamp};

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "text/plain; version=1.0.0; charset=utf-8";

/// The most combinations of labels that are counted apart.
const MOST_SERIES: usize = 10_000;

/// Which labels the metrics have, as in Luigi's section `[prometheus]`.
#[derive(Clone, Debug)]
pub struct MetricsConfig {
    /// Whether the label `family` is there.
    pub use_task_family_in_labels: bool,
    /// Parameters of tasks whose values are labels.
    pub task_parameters_to_use_in_labels: Vec<String>,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            use_task_family_in_labels: true,
            task_parameters_to_use_in_labels: Vec::new(),
        }
    }
}

/// Why there can be no metrics with such labels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricsError {
    /// No label at all.
    #[error(
        "metrics need a label: in section [prometheus] set use_task_family_in_labels to true or name parameters in task_parameters_to_use_in_labels"
    )]
    NoLabels,
    /// A label that Prometheus does not take.
    #[error(
        "`{0}` cannot be a label of metrics (section [prometheus], task_parameters_to_use_in_labels): give each name once, of letters, digits and `_`, not beginning with a digit or `__`"
    )]
    BadLabel(String),
}

/// What happens to a task and is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Started,
    Failed,
    Disabled,
    Done,
}

impl Moment {
    const ALL: [Self; 4] = [Self::Started, Self::Failed, Self::Disabled, Self::Done];

    const fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Failed => "failed",
            Self::Disabled => "disabled",
            Self::Done => "done",
        }
    }
}

/// The metrics. Cheap to clone; all clones show the same.
#[derive(Clone, Debug)]
pub struct Metrics {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    params: Vec<String>,
    family: bool,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    series: BTreeMap<Vec<String>, Series>,
    /// Moments that were not counted since there were too many combinations of labels.
    left_out: u64,
    incidents: Incidents,
}

/// What was counted under one combination of labels.
#[derive(Debug, Default)]
struct Series {
    counters: [Option<Counter>; 4],
    execution_time: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
struct Counter {
    count: u64,
    created: f64,
}

/// What the scheduler did besides, that an operator may want to be told of.
#[derive(Clone, Copy, Debug, Default)]
struct Incidents {
    workers_lost: u64,
    cycles: u64,
    never_announced: u64,
    needs_above_limit: u64,
}

impl Metrics {
    /// Metrics in which nothing has happened yet.
    ///
    /// # Errors
    ///
    /// When the labels are none that Prometheus takes.
    pub fn new(config: MetricsConfig) -> Result<Self, MetricsError> {
        let params = config.task_parameters_to_use_in_labels;
        let family = config.use_task_family_in_labels;
        if params.is_empty() && !family {
            return Err(MetricsError::NoLabels);
        }
        for (index, label) in params.iter().enumerate() {
            let repeated = params[..index].contains(label) || (family && label == "family");
            if repeated || !is_label(label) {
                return Err(MetricsError::BadLabel(label.clone()));
            }
        }
        Ok(Self {
            shared: Arc::new(Shared {
                params,
                family,
                counts: Mutex::default(),
            }),
        })
    }

    /// All metrics as Prometheus reads them.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let counts = self.counts();
        let labels: Vec<(&Series, String)> = counts
            .series
            .iter()
            .map(|(values, series)| (series, self.labels(values)))
            .collect();
        for moment in Moment::ALL {
            write_counter(&mut out, moment, &labels);
        }
        write_execution_time(&mut out, &labels);
        write_incidents(&mut out, &counts);
        out
    }

    /// `{a="x",b="y"}`, in the order of the names.
    fn labels(&self, values: &[String]) -> String {
        let family = self.shared.family.then_some("family");
        let names = self.shared.params.iter().map(String::as_str).chain(family);
        let mut pairs: Vec<(&str, &String)> = names.zip(values).collect();
        pairs.sort_unstable();
        let mut text = String::from("{");
        for (index, (name, value)) in pairs.into_iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(text, "{comma}{name}=\"");
            escape(value, &mut text);
            text.push('"');
        }
        text.push('}');
        text
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        let lock = self.shared.counts.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, moment: Moment, at: Timestamp, task: &TaskBrief) {
        let mut values: Vec<String> = self
            .shared
            .params
            .iter()
            .map(|name| param(task, name))
            .collect();
        if self.shared.family {
            values.push(task.family.clone());
        }
        let mut counts = self.counts();
        let full = counts.series.len() >= MOST_SERIES;
        let series = match counts.series.entry(values) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) if !full => entry.insert(Series::default()),
            Entry::Vacant(_) => {
                counts.left_out += 1;
                return;
            }
        };
        let new = Counter {
            count: 0,
            created: seconds_now(),
        };
        series.counters[moment as usize].get_or_insert(new).count += 1;
        match (moment, task.time_running) {
            (Moment::Started, _) => {
                series.execution_time.get_or_insert(0.0);
            }
            (_, Some(began)) => series.execution_time = Some(at.since(began)),
            // It was complete, or failed, before it ever ran.
            (_, None) => {}
        }
    }
}

impl Observer for Metrics {
    fn observe(&mut self, event: &Event, scheduler: &Scheduler) {
        let (task_id, at, moment) = match event {
            Event::StatusChanged {
                task_id, at, to, ..
            } => match to {
                Some(Status::Running) => (task_id, *at, Moment::Started),
                Some(Status::Failed) => (task_id, *at, Moment::Failed),
                Some(Status::Disabled) => (task_id, *at, Moment::Disabled),
                Some(Status::Done) => (task_id, *at, Moment::Done),
                _ => return,
            },
            Event::WorkerLost { .. } => return self.counts().incidents.workers_lost += 1,
            Event::DeadEnd { reason, .. } => {
                let mut counts = self.counts();
                *match reason {
                    DeadEnd::Cycle(_) => &mut counts.incidents.cycles,
                    DeadEnd::NeverAnnounced => &mut counts.incidents.never_announced,
                    DeadEnd::NeedAboveLimit { .. } => &mut counts.incidents.needs_above_limit,
                } += 1;
                return;
            }
            _ => return,
        };
        if let Some(task) = scheduler.task_brief(task_id) {
            self.count(moment, at, &task);
        }
    }
}

/// The value of a parameter; Python's name for nothing if the task has no such parameter.
fn param(task: &TaskBrief, name: &str) -> String {
    let found = task.params.iter().find(|(param, _)| param == name);
    found.map_or_else(|| "None".to_owned(), |(_, value)| value.clone())
}

fn is_label(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes
        .next()
        .is_some_and(|byte| byte == b'_' || byte.is_ascii_alphabetic());
    first
        && !name.starts_with("__")
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

fn seconds_now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs_f64()
}

fn escape(value: &str, text: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            plain => text.push(plain),
        }
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn write_counter(out: &mut String, moment: Moment, series: &[(&Series, String)]) {
    let word = moment.word();
    let help = format!("number of {word} luigi tasks");
    let counters: Vec<(Counter, &str)> = series
        .iter()
        .filter_map(|(series, labels)| Some((series.counters[moment as usize]?, labels.as_str())))
        .collect();
    head(out, &format!("luigi_task_{word}_total"), "counter", &help);
    for (counter, labels) in &counters {
        let _ = writeln!(out, "luigi_task_{word}_total{labels} {}.0", counter.count);
    }
    if counters.is_empty() {
        return;
    }
    head(out, &format!("luigi_task_{word}_created"), "gauge", &help);
    for (counter, labels) in &counters {
        let _ = writeln!(
            out,
            "luigi_task_{word}_created{labels} {:?}",
            counter.created
        );
    }
}

fn write_execution_time(out: &mut String, series: &[(&Series, String)]) {
    let name = "luigi_task_execution_time_seconds";
    head(out, name, "gauge", "luigi task execution time in seconds");
    for (series, labels) in series {
        if let Some(time) = series.execution_time {
            let _ = writeln!(out, "{name}{labels} {time:?}");
        }
    }
}

/// Metrics that Luigi does not have, under this project's name.
fn write_incidents(out: &mut String, counts: &Counts) {
    let Incidents {
        workers_lost,
        cycles,
        never_announced,
        needs_above_limit,
    } = counts.incidents;
    let name = "condotta_workers_lost_total";
    head(
        out,
        name,
        "counter",
        "workers that were silent for too long",
    );
    let _ = writeln!(out, "{name} {workers_lost}");
    let name = "condotta_tasks_that_can_never_run_total";
    head(
        out,
        name,
        "counter",
        "tasks that were found to have no way to run",
    );
    for (reason, count) in [
        ("cycle", cycles),
        ("never_announced", never_announced),
        ("need_above_limit", needs_above_limit),
    ] {
        let _ = writeln!(out, "{name}{{reason=\"{reason}\"}} {count}");
    }
    let name = "condotta_metrics_left_out_total";
    let help = "moments of tasks not counted, since there were too many combinations of labels";
    head(out, name, "counter", help);
    let _ = writeln!(out, "{name} {}", counts.left_out);
}
