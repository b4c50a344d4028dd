//! Attempts by what they have in common, newest first, page by page.

use condotta_scheduler::Timestamp;
use sqlx::{Row as _, any::AnyRow};

use crate::{
    attempt::{Attempt, Began, Outcome},
    attempt_id::AttemptId,
    database::Value,
    dialect::Dialect,
    keys, texts,
};

/// Which attempts are asked for; all without any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Those of this task.
    pub task_id: Option<String>,
    /// Those of tasks of this family.
    pub family: Option<String>,
    /// Those that this worker ran.
    pub worker: Option<String>,
    /// Those that ended so; all when there are none.
    pub outcomes: Vec<Outcome>,
    /// Those of tasks with these public parameters among others, by name and value. What is hidden cannot be
    /// guessed at.
    pub params: Vec<(String, String)>,
    /// Those that began then or later.
    pub since: Option<Timestamp>,
    /// Those that began before.
    pub until: Option<Timestamp>,
}

/// Which of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The most that are wanted.
    pub limit: u32,
    /// Those that come after this one, which was the last of the page before.
    pub after: Option<AttemptId>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// A page of attempts, newest first.
    pub attempts: Vec<Attempt>,
    /// It was looked for long enough before the page was full: there may be more after this place.
    pub goes_on_after: Option<AttemptId>,
}

/// In how many rows it is looked for parameters, for one answer.
const MOST_ROWS: u32 = 50_000;
/// What is read of an attempt.
const COLUMNS: &str = "a.worker AS worker_key, a.began, a.hash, a.attempt, a.ended, a.outcome, a.scheduled, a.ready, \
    a.priority, a.resources, a.batch, a.error, a.statistics, a.task_id, a.params, a.hidden, \
    f.family, f.module, w.worker, w.host";

/// Conditions with their values.
#[derive(Default)]
struct Conditions {
    texts: Vec<String>,
    values: Vec<Value<'static>>,
}

impl Conditions {
    fn add(&mut self, text: impl Into<String>, values: impl IntoIterator<Item = Value<'static>>) {
        self.texts.push(text.into());
        self.values.extend(values);
    }

    fn whole(self) -> (String, Vec<Value<'static>>) {
        let Self { texts, values } = self;
        if texts.is_empty() {
            return (String::new(), values);
        }
        (format!("WHERE {}", texts.join(" AND ")), values)
    }
}

/// The statement of a page, and its values; only of attempts that began at `at_least` or later.
pub(crate) fn select(
    dialect: Dialect,
    filter: &Filter,
    page: &Page,
    at_least: Option<i64>,
) -> (String, Vec<Value<'static>>) {
    let mut conditions = conditions(filter, page);
    if let Some(at_least) = at_least {
        conditions.add("a.began >= ?", [at_least.into()]);
    }
    for (name, value) in &filter.params {
        let param = texts::param(name, value);
        conditions.add(dialect.contains("a.params"), [param.into()]);
    }
    let limit = page.limit;
    let (condition, values) = conditions.whole();
    let sql = joined(&format!(
        "SELECT a.* FROM condotta_attempts a {condition} ORDER BY a.began DESC, a.hash DESC LIMIT {limit}"
    ));
    (sql, values)
}

/// The statement that says (as `whole`) when the attempt began that is the first of too many in which to look
/// for parameters, if there are so many.
pub(crate) fn too_many(filter: &Filter, page: &Page) -> (String, Vec<Value<'static>>) {
    let (condition, values) = conditions(filter, page).whole();
    let sql = format!(
        "SELECT a.began AS whole FROM condotta_attempts a {condition} \
         ORDER BY a.began DESC, a.hash DESC LIMIT 1 OFFSET {MOST_ROWS}"
    );
    (sql, values)
}

/// All but those about parameters.
fn conditions(filter: &Filter, page: &Page) -> Conditions {
    let mut conditions = Conditions::default();
    if let Some(task_id) = &filter.task_id {
        conditions.add("a.task = ?", [keys::task(task_id).into()]);
    }
    if let Some(family) = &filter.family {
        conditions.add("a.family = ?", [keys::family(family).into()]);
    }
    if let Some(worker) = &filter.worker {
        conditions.add("a.worker = ?", [keys::worker(worker).into()]);
    }
    outcomes(&filter.outcomes, &mut conditions);
    if let Some(since) = filter.since {
        conditions.add("a.began >= ?", [keys::millis(since).into()]);
    }
    if let Some(until) = filter.until {
        conditions.add("a.began < ?", [keys::millis(until).into()]);
    }
    if let Some(after) = &page.after {
        let [began, hash] = keys::attempt(after);
        // The first condition alone is what an index serves.
        let text = "a.began <= ? AND (a.began < ? OR a.hash < ?)";
        conditions.add(text, [began, began, hash].map(Value::from));
    }
    conditions
}

/// The statement that reads one attempt.
pub(crate) fn select_one(id: &AttemptId) -> (String, Vec<Value<'static>>) {
    let one = joined("SELECT * FROM condotta_attempts WHERE began = ? AND hash = ?");
    (one, keys::attempt(id).map(Value::from).into())
}

/// Names for the keys, once the few attempts are found.
pub(crate) fn joined(attempts: &str) -> String {
    format!(
        "SELECT {COLUMNS} FROM ({attempts}) a \
         LEFT JOIN condotta_families f ON f.id = a.family \
         LEFT JOIN condotta_workers w ON w.id = a.worker \
         ORDER BY a.began DESC, a.hash DESC"
    )
}

fn outcomes(outcomes: &[Outcome], conditions: &mut Conditions) {
    if outcomes.is_empty() {
        return;
    }
    let codes: Vec<String> = outcomes.iter().map(|it| it.code().to_string()).collect();
    let mut text = format!("a.outcome IN ({})", codes.join(", "));
    if !outcomes.contains(&Outcome::Done) {
        // The condition of the index.
        text.push_str(" AND a.outcome <> 1");
    }
    conditions.add(text, []);
}

pub(crate) fn read(row: &AnyRow) -> Result<Attempt, sqlx::Error> {
    let text = |column: &str| row.try_get::<Option<String>, _>(column);
    let time = |column: &str| -> Result<_, sqlx::Error> {
        let millis: Option<i64> = row.try_get(column)?;
        Ok(millis.map(keys::timestamp))
    };
    let id = AttemptId::of_parts(row.try_get("began")?, row.try_get("hash")?);
    let attempt: i64 = row.try_get("attempt")?;
    Ok(Attempt {
        began: Began {
            began: id.began(),
            task_id: text("task_id")?.unwrap_or_default(),
            family: text("family")?.unwrap_or_default().into(),
            module: text("module")?.map(Into::into),
            params: pairs(text("params")?),
            hidden_params: pairs(text("hidden")?),
            attempt: attempt.unsigned_abs(),
            worker: text("worker")?.map(Into::into),
            host: text("host")?.map(Into::into),
            scheduled: time("scheduled")?,
            ready: time("ready")?,
            priority: row.try_get("priority")?,
            resources: texts::amounts(text("resources")?.as_deref()),
            batch_id: text("batch")?,
        },
        id,
        ended: time("ended")?,
        outcome: Outcome::from_code(row.try_get("outcome")?),
        error: text("error")?,
        statistics: text("statistics")?,
    })
}

/// Parameters as [`texts`] stored them.
fn pairs(text: Option<String>) -> Vec<(String, String)> {
    let read = text.and_then(|text| serde_json::from_str(&text).ok());
    let map: serde_json::Map<String, serde_json::Value> = read.unwrap_or_default();
    map.into_iter()
        .map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()))
        .collect()
}
