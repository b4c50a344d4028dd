//! Many attempts as one piece of compressed JSON, a column for each thing that is known of them.
//!
//! Texts that repeat are there once, and times are differences, so that an attempt takes tens of bytes.
//! Knows nothing of databases. What was written once is read for ever: a change needs a new version.

use std::{
    collections::{BTreeSet, HashMap},
    io::{Read as _, Write as _},
};

use condotta_scheduler::Timestamp;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use serde::{Deserialize, Serialize};

use crate::{
    attempt::{Attempt, Began, Outcome},
    attempt_id::AttemptId,
    keys,
    pages::Filter,
    texts,
};

/// The version that this program writes.
const VERSION: u32 = 1;

/// What is no pack, or one of a newer version.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadPack {
    #[error("a pack of attempts is damaged: {0}")]
    Damaged(Box<dyn std::error::Error + Send + Sync>),
    #[error("a pack of attempts has version {0}, and this program knows versions up to {VERSION}")]
    Newer(u32),
}

/// Attempts in columns of equal length. Texts are numbers of places in `texts`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Pack {
    version: u32,
    texts: Vec<String>,
    tasks: Vec<Task>,
    /// Places in `tasks`.
    task: Vec<usize>,
    /// Milliseconds since 1970; of each but the first since the one before.
    began: Vec<i64>,
    /// What tells an attempt from others of that moment, as far as task and number do not tell it.
    hash: Vec<i64>,
    attempt: Vec<u64>,
    /// Milliseconds since it began.
    ended: Vec<Option<i64>>,
    outcome: Vec<i64>,
    /// Milliseconds until it began.
    scheduled: Vec<Option<i64>>,
    ready: Vec<Option<i64>>,
    priority: Vec<f64>,
    worker: Vec<Option<usize>>,
    host: Vec<Option<usize>>,
    /// JSON text.
    resources: Vec<Option<usize>>,
    batch: Vec<Option<usize>>,
    error: Vec<Option<usize>>,
    statistics: Vec<Option<usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Task {
    id: String,
    family: usize,
    module: Option<usize>,
    params: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hidden: Vec<(String, String)>,
}

/// What is there already while a pack is made.
#[derive(Default)]
struct Known {
    texts: HashMap<String, usize>,
    tasks: HashMap<Task, usize>,
}

impl Pack {
    /// Of attempts in the order of their ids.
    pub(crate) fn of(attempts: &[Attempt]) -> Self {
        let mut pack = Self {
            version: VERSION,
            ..Self::default()
        };
        let mut known = Known::default();
        let mut before = 0;
        for attempt in attempts {
            let began = attempt.id.millis();
            pack.began.push(began - before);
            before = began;
            pack.add(attempt, began, &mut known);
        }
        pack
    }

    fn add(&mut self, attempt: &Attempt, millis: i64, known: &mut Known) {
        let Attempt {
            id,
            began,
            ended,
            outcome,
            error,
            statistics,
        } = attempt;
        let task = Task {
            id: began.task_id.clone(),
            family: self.text(&began.family, known),
            module: self.maybe(began.module.as_deref(), known),
            params: began.params.clone(),
            hidden: began.hidden_params.clone(),
        };
        let place = self.tasks.len();
        let place = *known.tasks.entry(task).or_insert_with_key(|task| {
            self.tasks.push(task.clone());
            place
        });
        self.task.push(place);
        self.hash
            .push(id.hash() ^ usual_hash(&began.task_id, began.attempt));
        self.attempt.push(began.attempt);
        let after = |time: &Option<Timestamp>| time.map(|time| keys::whole_millis(time) - millis);
        self.ended.push(after(ended));
        self.outcome.push(outcome.code());
        self.scheduled.push(after(&began.scheduled).map(|it| -it));
        self.ready.push(after(&began.ready).map(|it| -it));
        self.priority.push(began.priority);
        let resources = (!began.resources.is_empty()).then(|| texts::resources(began));
        let worker = self.maybe(began.worker.as_deref(), known);
        let host = self.maybe(began.host.as_deref(), known);
        let resources = self.maybe(resources.as_deref(), known);
        let batch = self.maybe(began.batch_id.as_deref(), known);
        let error = self.maybe(error.as_deref(), known);
        let statistics = self.maybe(statistics.as_deref(), known);
        self.worker.push(worker);
        self.host.push(host);
        self.resources.push(resources);
        self.batch.push(batch);
        self.error.push(error);
        self.statistics.push(statistics);
    }

    fn text(&mut self, text: &str, known: &mut Known) -> usize {
        if let Some(&place) = known.texts.get(text) {
            return place;
        }
        let place = self.texts.len();
        self.texts.push(text.to_owned());
        known.texts.insert(text.to_owned(), place);
        place
    }

    fn maybe(&mut self, text: Option<&str>, known: &mut Known) -> Option<usize> {
        text.map(|text| self.text(text, known))
    }

    /// As it is stored.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("names, numbers and lists are JSON");
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        let written = encoder.write_all(&json).and_then(|()| encoder.finish());
        written.expect("memory takes everything")
    }

    /// What was stored.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, BadPack> {
        let mut json = Vec::new();
        let unpacked = ZlibDecoder::new(bytes).read_to_end(&mut json);
        unpacked.map_err(|error| BadPack::Damaged(error.into()))?;
        let pack: Self =
            serde_json::from_slice(&json).map_err(|error| BadPack::Damaged(error.into()))?;
        if pack.version > VERSION {
            return Err(BadPack::Newer(pack.version));
        }
        if pack.is_sound() {
            Ok(pack)
        } else {
            Err(BadPack::Damaged("its columns do not fit".into()))
        }
    }

    /// Whether all columns are equally long, and what they refer to is there.
    fn is_sound(&self) -> bool {
        let texts = [
            &self.worker,
            &self.host,
            &self.resources,
            &self.batch,
            &self.error,
            &self.statistics,
        ];
        let is_text = |place: &usize| *place < self.texts.len();
        let lengths = [
            self.began.len(),
            self.hash.len(),
            self.attempt.len(),
            self.ended.len(),
            self.outcome.len(),
            self.scheduled.len(),
            self.ready.len(),
            self.priority.len(),
        ];
        let count = self.task.len();
        lengths.iter().all(|&length| length == count)
            && texts
                .iter()
                .all(|column| column.len() == count && column.iter().flatten().all(is_text))
            && self.task.iter().all(|&place| place < self.tasks.len())
            && self
                .tasks
                .iter()
                .all(|task| is_text(&task.family) && task.module.iter().all(is_text))
    }

    /// The attempts that a filter takes, in the order of their ids.
    pub(crate) fn attempts(&self, filter: &Wanted) -> Vec<Attempt> {
        let mut millis = 0;
        let mut found = Vec::new();
        for (index, began) in self.began.iter().enumerate() {
            millis += began;
            if filter.takes(self, index, millis) {
                found.push(self.attempt(index, millis));
            }
        }
        found
    }

    /// When each began, when it ended if that is known, its family and how it ended.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (i64, Option<i64>, &str, Outcome)> {
        let mut millis = 0;
        self.began.iter().enumerate().map(move |(index, began)| {
            millis += began;
            let ended = self.ended[index].map(|after| millis + after);
            let family = &self.texts[self.task_of(index).family];
            (millis, ended, family.as_str(), self.outcome_of(index))
        })
    }

    fn attempt(&self, index: usize, millis: i64) -> Attempt {
        let task = self.task_of(index);
        let text = |place: Option<usize>| place.map(|place| self.texts[place].clone());
        let name = |place: Option<usize>| place.map(|place| self.texts[place].as_str().into());
        let before = |time: Option<i64>| time.map(|time| keys::timestamp(millis - time));
        let number = self.attempt[index];
        let id = AttemptId::of_parts(millis, self.hash_of(index));
        Attempt {
            began: Began {
                began: id.began(),
                task_id: task.id.clone(),
                family: self.texts[task.family].as_str().into(),
                module: name(task.module),
                params: task.params.clone(),
                hidden_params: task.hidden.clone(),
                attempt: number,
                worker: name(self.worker[index]),
                host: name(self.host[index]),
                scheduled: before(self.scheduled[index]),
                ready: before(self.ready[index]),
                priority: self.priority[index],
                resources: texts::amounts(self.resources[index].map(|it| &*self.texts[it])),
                batch_id: text(self.batch[index]),
            },
            id,
            ended: self.ended[index].map(|after| keys::timestamp(millis + after)),
            outcome: self.outcome_of(index),
            error: text(self.error[index]),
            statistics: text(self.statistics[index]),
        }
    }

    fn task_of(&self, index: usize) -> &Task {
        &self.tasks[self.task[index]]
    }

    fn hash_of(&self, index: usize) -> i64 {
        self.hash[index] ^ usual_hash(&self.task_of(index).id, self.attempt[index])
    }

    fn outcome_of(&self, index: usize) -> Outcome {
        Outcome::from_code(self.outcome[index])
    }

    /// The keys under which it is found.
    pub(crate) fn keys(&self) -> BTreeSet<i64> {
        let tasks = self.tasks.iter().map(|task| task_key(&task.id));
        let families = self.tasks.iter().map(|task| &self.texts[task.family]);
        let mut found: BTreeSet<i64> = tasks.collect();
        found.extend(families.map(|family| family_key(family)));
        let workers: BTreeSet<usize> = self.worker.iter().flatten().copied().collect();
        found.extend(workers.iter().map(|&place| worker_key(&self.texts[place])));
        for (_, _, family, outcome) in self.ends() {
            if outcome != Outcome::Done {
                found.insert(outcome_key(None, outcome));
                found.insert(outcome_key(Some(family), outcome));
            }
        }
        found
    }
}

/// The hash that ids of attempts have, but for task ids that the history had to change.
fn usual_hash(task_id: &str, attempt: u64) -> i64 {
    AttemptId::new(task_id, attempt, Timestamp(0.0)).hash()
}

/// A filter as packs are asked.
pub(crate) struct Wanted {
    task_id: Option<String>,
    family: Option<String>,
    worker: Option<String>,
    outcomes: BTreeSet<i64>,
    params: Vec<(String, String)>,
    /// The first that is too late.
    pub(crate) before: [i64; 2],
    /// The earliest.
    pub(crate) since: i64,
}

impl Wanted {
    pub(crate) fn new(filter: &Filter, after: Option<&AttemptId>) -> Self {
        let name = |name: &Option<String>| name.as_deref().map(|it| texts::clean(it).into_owned());
        let until = filter.until.map_or(i64::MAX, keys::millis);
        let params = filter.params.iter();
        Self {
            task_id: name(&filter.task_id),
            family: name(&filter.family),
            worker: name(&filter.worker),
            outcomes: filter.outcomes.iter().map(|it| it.code()).collect(),
            params: params
                .map(|(name, value)| (name.clone(), texts::value(value).into_owned()))
                .collect(),
            before: after.map_or([i64::MAX, 0], keys::attempt).min([until, 0]),
            since: filter.since.map_or(i64::MIN, keys::millis),
        }
    }

    /// Only the attempt of this name.
    pub(crate) fn one(id: &AttemptId) -> Self {
        let filter = Filter::default();
        let [millis, hash] = keys::attempt(id);
        Self {
            before: [millis, hash.saturating_add(1)],
            since: millis,
            ..Self::new(&filter, None)
        }
    }

    fn takes(&self, pack: &Pack, index: usize, millis: i64) -> bool {
        let task = pack.task_of(index);
        let is = |place: usize, wanted: &Option<String>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| pack.texts[place] == *wanted)
        };
        let has = |wanted: &(String, String)| task.params.contains(wanted);
        let is_of_worker = match pack.worker[index] {
            Some(worker) => is(worker, &self.worker),
            None => self.worker.is_none(),
        };
        (self.since..=self.before[0]).contains(&millis)
            && (self.outcomes.is_empty() || self.outcomes.contains(&pack.outcome[index]))
            && self.task_id.as_ref().is_none_or(|id| *id == task.id)
            && is(task.family, &self.family)
            && is_of_worker
            && self.params.iter().all(has)
            && [millis, pack.hash_of(index)] < self.before
    }

    /// The keys that a pack has with something that is wanted: one of each list.
    pub(crate) fn keys(&self) -> Vec<Vec<i64>> {
        let mut keys = Vec::new();
        keys.extend(self.task_id.as_ref().map(|id| vec![task_key(id)]));
        keys.extend(self.worker.as_ref().map(|worker| vec![worker_key(worker)]));
        let ends = !self.outcomes.is_empty() && !self.outcomes.contains(&Outcome::Done.code());
        if ends {
            let outcomes = self.outcomes.iter().map(|&code| Outcome::from_code(code));
            let family = self.family.as_deref();
            keys.push(
                outcomes
                    .map(|outcome| outcome_key(family, outcome))
                    .collect(),
            );
        } else {
            keys.extend(self.family.as_ref().map(|family| vec![family_key(family)]));
        }
        // The fewer a pack can be found by, the better it begins with it.
        keys.sort_by_key(Vec::len);
        keys
    }
}

fn task_key(task_id: &str) -> i64 {
    keys::in_packs("task", &[task_id])
}

fn family_key(family: &str) -> i64 {
    keys::in_packs("family", &[family])
}

fn worker_key(worker: &str) -> i64 {
    keys::in_packs("worker", &[worker])
}

fn outcome_key(family: Option<&str>, outcome: Outcome) -> i64 {
    keys::in_packs("outcome", &[outcome.name(), family.unwrap_or_default()])
}
