//! The cases, each played on both servers.

mod failing;
mod operating;
mod running;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    outcome::{self, Outcome},
    processes::{Ended, Kind},
    stage::Stage,
    trial,
};

/// A case: what to do with some graph, and what has to come of it.
struct Case {
    name: &'static str,
    /// More of luigi.cfg.
    config: &'static str,
    /// Whether it is settled which worker does what, so that each worker's summary can be compared.
    is_steady: bool,
    /// Runs workers to their ends, and says what else there was to see.
    play: fn(&Stage) -> (Vec<Ended>, Value),
    check: fn(&Outcome, &str),
}

/// A test of each case.
pub(crate) fn trials() -> Vec<Trial> {
    let test = |case: &'static Case| trial(case.name, move || compare(case));
    let cases = [running::CASES, failing::CASES, operating::CASES];
    cases.into_iter().flatten().map(test).collect()
}

/// Plays a case on both servers: each passes its check, and both come to the same.
fn compare(case: &Case) {
    let [stock, ours] = [Kind::Stock, Kind::Ours].map(|kind| {
        let more = match kind {
            // It tries tasks again only once a minute otherwise.
            Kind::Stock => "prune_on_get_work = true\n",
            Kind::Ours => "",
        };
        let stage = Stage::new(kind, &format!("{more}{}", case.config));
        let (ended, seen) = (case.play)(&stage);
        let outcome = Outcome {
            statuses: outcome::statuses(&stage.tasks()),
            tasks: outcome::tasks(&stage.rpc().call("graph", &json!({}))),
            summaries: ended.iter().map(outcome::summary).collect(),
            codes: ended.iter().map(|worker| worker.code).collect(),
            runs: outcome::runs(&stage.runs()),
            seen,
        };
        (case.check)(&outcome, &stage.runs());
        outcome
    });
    assert_eq!(ours.statuses, stock.statuses, "ours, then stock's");
    assert_eq!(ours.runs, stock.runs, "ours, then stock's");
    assert_eq!(ours.codes, stock.codes, "ours, then stock's");
    if case.is_steady {
        assert_eq!(ours.summaries, stock.summaries, "ours, then stock's");
        for (task_id, task) in &stock.tasks {
            let also = ours.tasks.get(task_id);
            assert_eq!(also, Some(task), "{task_id}: ours, then stock's");
        }
    }
    assert_eq!(ours.seen, stock.seen, "ours, then stock's");
}

/// Every task is done and was started once.
#[track_caller]
fn all_once(outcome: &Outcome, count: usize) {
    all_are(outcome, "DONE", count);
    assert!(outcome.runs.values().all(|runs| *runs == 1), "{outcome:#?}");
    assert_eq!(outcome.runs.len(), count, "{outcome:#?}");
}

#[track_caller]
fn all_are(outcome: &Outcome, status: &str, count: usize) {
    let all = outcome.statuses.values().all(|found| found == status);
    assert!(all, "{outcome:#?}");
    assert_eq!(outcome.statuses.len(), count, "{outcome:#?}");
}

/// How often tasks of a family were started.
fn runs_of(outcome: &Outcome, family: &str) -> usize {
    let runs = outcome.runs.iter();
    runs.filter(|(id, _)| id.starts_with(family))
        .map(|(_, runs)| runs)
        .sum()
}

/// The status of the only task of a family.
fn status_of<'a>(outcome: &'a Outcome, family: &str) -> &'a str {
    let mut found = outcome
        .statuses
        .iter()
        .filter(|(id, _)| id.starts_with(&format!("{family}__")));
    found.next().expect("the task is known").1
}
