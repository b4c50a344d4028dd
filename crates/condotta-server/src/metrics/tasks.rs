//! Counts of what happened to tasks, as Luigi's Prometheus collector names and writes them.
//!
//! Fed with the scheduler's events. Labels come from tasks, so the number of their combinations is
//! bounded.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use condotta_scheduler::{DeadEnd, Event, Scheduler, Status, TaskBrief, Timestamp};

use super::text::{Text, braced};
use crate::observer::Observer;

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

/// The counts. Cheap to clone; all clones are the same.
#[derive(Clone, Debug)]
pub(super) struct TaskCounts {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    params: Vec<String>,
    family: bool,
    counts: Mutex<Counts>,
}

#[derive(Clone, Debug, Default)]
struct Counts {
    series: BTreeMap<Vec<String>, Series>,
    /// Moments that were not counted since there were too many combinations of labels.
    left_out: u64,
    incidents: Incidents,
}

/// What was counted under one combination of labels.
#[derive(Clone, Debug, Default)]
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

impl TaskCounts {
    /// Nothing has happened yet.
    ///
    /// # Errors
    ///
    /// When the labels are none that Prometheus takes.
    pub(super) fn new(config: MetricsConfig) -> Result<Self, MetricsError> {
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

    /// Writes all of them.
    pub(super) fn write(&self, text: &mut Text) {
        // A copy, since the scheduler's thread must not wait for the writing.
        let counts = self.counts().clone();
        let labels: Vec<(&Series, String)> = counts
            .series
            .iter()
            .map(|(values, series)| (series, self.labels(values)))
            .collect();
        for moment in Moment::ALL {
            write_counter(text, moment, &labels);
        }
        write_execution_time(text, &labels);
        write_incidents(text, &counts);
    }

    /// `{a="x",b="y"}`, in the order of the names.
    fn labels(&self, values: &[String]) -> String {
        let family = self.shared.family.then_some("family");
        let names = self.shared.params.iter().map(String::as_str).chain(family);
        let values = values.iter().map(String::as_str);
        let mut pairs: Vec<(&str, &str)> = names.zip(values).collect();
        pairs.sort_unstable();
        braced(&pairs)
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

impl Observer for TaskCounts {
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

fn write_counter(text: &mut Text, moment: Moment, series: &[(&Series, String)]) {
    let word = moment.word();
    let help = format!("number of {word} luigi tasks");
    let counters: Vec<(Counter, &str)> = series
        .iter()
        .filter_map(|(series, labels)| Some((series.counters[moment as usize]?, labels.as_str())))
        .collect();
    let name = format!("luigi_task_{word}_total");
    text.head(&name, "counter", &help);
    for (counter, labels) in &counters {
        text.sample(
            &format!("{name}{labels}"),
            &[],
            format!("{}.0", counter.count),
        );
    }
    if counters.is_empty() {
        return;
    }
    let name = format!("luigi_task_{word}_created");
    text.head(&name, "gauge", &help);
    for (counter, labels) in &counters {
        text.sample(
            &format!("{name}{labels}"),
            &[],
            format!("{:?}", counter.created),
        );
    }
}

fn write_execution_time(text: &mut Text, series: &[(&Series, String)]) {
    let name = "luigi_task_execution_time_seconds";
    text.head(name, "gauge", "luigi task execution time in seconds");
    for (series, labels) in series {
        if let Some(time) = series.execution_time {
            text.sample(&format!("{name}{labels}"), &[], format!("{time:?}"));
        }
    }
}

/// Metrics that Luigi does not have, under this project's name.
fn write_incidents(text: &mut Text, counts: &Counts) {
    let Incidents {
        workers_lost,
        cycles,
        never_announced,
        needs_above_limit,
    } = counts.incidents;
    text.single(
        "condotta_workers_lost_total",
        "counter",
        "workers that were silent for too long",
        workers_lost,
    );
    let name = "condotta_tasks_that_can_never_run_total";
    text.head(
        name,
        "counter",
        "tasks that were found to have no way to run",
    );
    for (reason, count) in [
        ("cycle", cycles),
        ("never_announced", never_announced),
        ("need_above_limit", needs_above_limit),
    ] {
        text.sample(name, &[("reason", reason)], count);
    }
    text.single(
        "condotta_metrics_left_out_total",
        "counter",
        "moments of tasks not counted, since there were too many combinations of labels",
        counts.left_out,
    );
}

#[cfg(test)]
mod tests {
    use condotta_scheduler::{AddTask, Config, GetWork, Now, Param, Visibility};

    use super::*;

    /// A scheduler whose events are counted.
    struct Counted {
        scheduler: Scheduler,
        metrics: TaskCounts,
    }

    impl Counted {
        fn new(metrics: MetricsConfig) -> Self {
            let config = Config {
                keep_events: true,
                retry_count: 2,
                ..Config::default()
            };
            Self {
                scheduler: Scheduler::new(config, BTreeMap::new(), 0),
                metrics: TaskCounts::new(metrics).expect("good labels"),
            }
        }

        fn add(&mut self, secs: f64, id: &str, status: Status, params: &[(&str, &str)]) {
            let param = |&(name, value): &(&str, &str)| Param {
                name: name.to_owned(),
                value: value.to_owned(),
                visibility: Visibility::Public,
            };
            let request = AddTask {
                status,
                family: id.split('_').next().unwrap_or_default().to_owned(),
                params: Some(params.iter().map(param).collect()),
                ..AddTask::new("w", id)
            };
            let added = self.scheduler.add_task(Now::at(secs), request);
            added.expect("a good task");
            self.count();
        }

        fn run(&mut self, secs: f64) {
            let request = GetWork {
                worker: "w".to_owned(),
                ..GetWork::default()
            };
            let work = self.scheduler.get_work(Now::at(secs), request);
            work.expect("a good worker");
            self.count();
        }

        fn count(&mut self) {
            while let Some(event) = self.scheduler.poll_event() {
                self.metrics.observe(&event, &self.scheduler);
            }
        }

        fn text(&self) -> String {
            let mut text = Text::default();
            self.metrics.write(&mut text);
            text.0
        }

        /// The samples, without those that tell when something was first seen.
        fn samples(&self, start: &str) -> Vec<String> {
            let text = self.text();
            let samples = text.lines().filter(|line| line.starts_with(start));
            let timeless = samples.filter(|line| !line.contains("_created{"));
            timeless.map(str::to_owned).collect()
        }
    }

    #[test]
    fn what_happens_to_tasks_is_counted_by_family() {
        let mut counted = Counted::new(MetricsConfig::default());
        assert_eq!(counted.samples("luigi"), [""; 0]);
        counted.add(0.0, "A_1", Status::Pending, &[]);
        counted.run(1.0);
        counted.add(3.5, "A_1", Status::Done, &[]);
        counted.add(4.0, "A_2", Status::Pending, &[]);
        counted.run(5.0);
        counted.add(6.0, "A_2", Status::Failed, &[]);
        counted.add(7.0, "B_1", Status::Done, &[]);
        assert_eq!(
            counted.samples("luigi"),
            [
                r#"luigi_task_started_total{family="A"} 2.0"#,
                r#"luigi_task_failed_total{family="A"} 1.0"#,
                r#"luigi_task_done_total{family="A"} 1.0"#,
                r#"luigi_task_done_total{family="B"} 1.0"#,
                r#"luigi_task_execution_time_seconds{family="A"} 1.0"#,
            ]
        );
        counted.add(8.0, "A_2", Status::Pending, &[]);
        counted.run(9.0);
        counted.add(11.0, "A_2", Status::Failed, &[]);
        assert_eq!(
            counted.samples("luigi_task_disabled"),
            [r#"luigi_task_disabled_total{family="A"} 1.0"#]
        );
    }

    #[test]
    fn the_text_is_prometheus_own() {
        let mut counted = Counted::new(MetricsConfig::default());
        counted.add(0.0, "A_1", Status::Done, &[]);
        let text = counted.text();
        let start = "# HELP luigi_task_started_total number of started luigi tasks\n\
                     # TYPE luigi_task_started_total counter\n\
                     # HELP luigi_task_failed_total number of failed luigi tasks\n";
        assert!(text.starts_with(start), "{text}");
        let done = "luigi_task_done_total{family=\"A\"} 1.0\n\
                    # HELP luigi_task_done_created number of done luigi tasks\n\
                    # TYPE luigi_task_done_created gauge\n\
                    luigi_task_done_created{family=\"A\"} ";
        assert!(text.contains(done), "{text}");
    }

    #[test]
    fn labels_are_parameters_and_escaped() {
        let mut counted = Counted::new(MetricsConfig {
            use_task_family_in_labels: true,
            task_parameters_to_use_in_labels: vec!["z".to_owned(), "day".to_owned()],
        });
        let params = [("day", "a\\b\"c\nd"), ("other", "x")];
        counted.add(0.0, "A_1", Status::Done, &params);
        assert_eq!(
            counted.samples("luigi_task_done"),
            [r#"luigi_task_done_total{day="a\\b\"c\nd",family="A",z="None"} 1.0"#]
        );
    }

    #[test]
    fn combinations_of_labels_are_bounded() {
        let mut counted = Counted::new(MetricsConfig::default());
        for index in 0..MOST_SERIES + 5 {
            counted.add(0.0, &format!("F{index}_1"), Status::Done, &[]);
        }
        counted.add(1.0, "F0_2", Status::Done, &[]);
        assert_eq!(counted.samples("luigi_task_done").len(), MOST_SERIES);
        assert_eq!(
            counted.samples("luigi_task_done_total{family=\"F0\"}"),
            [r#"luigi_task_done_total{family="F0"} 2.0"#]
        );
        assert_eq!(
            counted.samples("condotta_metrics_left_out"),
            ["condotta_metrics_left_out_total 5"]
        );
    }

    #[test]
    fn what_an_operator_has_to_know_is_counted() {
        let mut counted = Counted::new(MetricsConfig::default());
        let mut cycle = AddTask::new("w", "A_1");
        cycle.deps = Some(["A_1".to_owned()].into());
        let added = counted.scheduler.add_task(Now::at(0.0), cycle);
        added.expect("cycles are accepted, as in Luigi");
        counted.scheduler.prune(Now::at(10.0));
        counted.scheduler.prune(Now::at(1000.0));
        counted.count();
        let samples = counted.samples("condotta");
        assert_eq!(samples[0], "condotta_workers_lost_total 1");
        assert_eq!(
            samples[1],
            r#"condotta_tasks_that_can_never_run_total{reason="cycle"} 1"#
        );
    }

    #[test]
    fn labels_that_prometheus_does_not_take_are_refused() {
        let labels = |family: bool, names: &[&str]| {
            let metrics = TaskCounts::new(MetricsConfig {
                use_task_family_in_labels: family,
                task_parameters_to_use_in_labels: names.iter().map(ToString::to_string).collect(),
            });
            metrics.map(drop)
        };
        assert_eq!(labels(false, &[]), Err(MetricsError::NoLabels));
        assert_eq!(labels(false, &["a", "_b2"]), Ok(()));
        for names in [
            &["2a"][..],
            &["a-b"],
            &["__a"],
            &[""],
            &["a", "a"],
            &["family"],
        ] {
            let error = labels(true, names).expect_err("bad labels");
            assert!(
                error.to_string().contains("cannot be a label"),
                "{names:?}: {error}"
            );
        }
    }
}
