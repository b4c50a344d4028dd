//! Reads what the plugin `condotta_report` wrote of a run of pytest.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use crate::tally::Tally;

/// What became of one test, from the best to the worst: of several phases the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// It passed, or failed as it was expected to.
    Passed,
    /// It was not run.
    Skipped,
    /// It failed, or could not be set up or collected.
    Failed,
}

/// What became of one test, and what pytest said of it.
#[derive(Clone, Debug)]
pub(crate) struct Result {
    pub(crate) outcome: Outcome,
    pub(crate) message: String,
}

/// All tests of a run by their ids.
pub(crate) type Results = BTreeMap<String, Result>;

/// The results in a report file; none if the run wrote nothing.
pub(crate) fn read(path: &Path) -> Results {
    parse(&std::fs::read_to_string(path).unwrap_or_default())
}

/// A line that is cut off, as a killed run may leave it, is left out.
fn parse(text: &str) -> Results {
    let mut results = Results::new();
    for line in text.lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let outcome = match line["outcome"].as_str() {
            Some("passed") => Outcome::Passed,
            Some("skipped") => Outcome::Skipped,
            _ => Outcome::Failed,
        };
        let text_of = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let result = Result {
            outcome,
            message: text_of("message"),
        };
        match results.get(&text_of("test")) {
            Some(earlier) if earlier.outcome >= outcome => {}
            _ => {
                results.insert(text_of("test"), result);
            }
        }
    }
    results
}

/// Counts the results of a run that ended well or not. A run that failed without a failing test is
/// one failure; so is one without any test.
pub(crate) fn tally(results: &Results, success: bool) -> Tally {
    let count = |outcome| results.values().filter(|r| r.outcome == outcome).count();
    let skipped = results
        .iter()
        .filter(|(_, result)| result.outcome == Outcome::Skipped)
        .map(|(test, _)| test.clone());
    let mut tally = Tally {
        passed: count(Outcome::Passed),
        failed: count(Outcome::Failed),
        skipped: skipped.collect(),
    };
    if (!success || tally.passed == 0) && tally.failed == 0 {
        tally.failed = 1;
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"
{"test": "a.py::one", "outcome": "passed", "message": ""}
{"test": "a.py::one", "outcome": "failed", "message": "teardown"}
{"test": "a.py::two", "outcome": "skipped", "message": "no server"}
{"test": "a.py::three", "outcome": "passed", "message": ""}
{"test": "a.py::fo"#;

    #[test]
    fn the_worst_phase_of_a_test_counts() {
        let results = parse(REPORT);
        assert_eq!(results["a.py::one"].outcome, Outcome::Failed);
        assert_eq!(results["a.py::one"].message, "teardown");
        assert_eq!(results.len(), 3);
    }

    #[test]
    fn skips_are_counted_by_name() {
        let tally = tally(&parse(REPORT), false);
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert_eq!(tally.skipped, ["a.py::two"]);
    }

    #[test]
    fn a_run_that_tells_nothing_has_failed() {
        assert_eq!(tally(&Results::new(), true).failed, 1);
        let passed = parse(r#"{"test": "a", "outcome": "passed", "message": ""}"#);
        assert_eq!(tally(&passed, false).failed, 1);
        assert_eq!(tally(&passed, true).failed, 0);
    }
}
