//! Counts what test runners say of themselves.

/// How many tests ended how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: usize,
    /// Tests that failed.
    pub(crate) failed: usize,
    /// The names of those that were not run.
    pub(crate) skipped: Vec<String>,
}

impl Tally {
    /// One test that passed or failed.
    pub(crate) fn one(passed: bool) -> Self {
        Self {
            passed: usize::from(passed),
            failed: usize::from(!passed),
            skipped: Vec::new(),
        }
    }

    /// One test that was not run.
    pub(crate) fn skip(name: &str) -> Self {
        Self {
            skipped: vec![name.to_owned()],
            ..Self::default()
        }
    }

    /// Adds another count.
    pub(crate) fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped.extend(other.skipped);
    }

    /// Reads what `cargo test` printed. A run that failed without a failing test, such as one that
    /// did not compile, is one failure; so is one without any test.
    pub(crate) fn of_cargo_test(text: &str, success: bool) -> Self {
        let mut tally = Self::default();
        for line in text.lines() {
            if let Some(result) = line.strip_prefix("test result: ") {
                tally.passed += count_before(result, " passed");
                tally.failed += count_before(result, " failed");
            } else if let Some((name, _)) = line
                .strip_prefix("test ")
                .and_then(|rest| rest.split_once(" ... ignored"))
            {
                // Some runners align what follows.
                tally.skipped.push(name.trim_end().to_owned());
            }
        }
        tally.checked_against(success)
    }

    /// Reads what Playwright's line reporter printed last: `3 failed`, `19 passed (1.2m)`.
    pub(crate) fn of_playwright(text: &str, success: bool) -> Self {
        let mut tally = Self::default();
        for line in text.lines().map(str::trim) {
            let Some((count, what)) = line.split_once(' ') else {
                continue;
            };
            let Ok(count) = count.parse::<usize>() else {
                continue;
            };
            match what.split(' ').next() {
                Some("passed") => tally.passed += count,
                Some("failed" | "flaky" | "interrupted") => tally.failed += count,
                Some("skipped" | "did") => {
                    let skipped = std::iter::repeat_n("page".to_owned(), count);
                    tally.skipped.extend(skipped);
                }
                _ => {}
            }
        }
        tally.checked_against(success)
    }

    /// Reads a last line `N passed, N failed`.
    pub(crate) fn of_closing_line(text: &str, success: bool) -> Self {
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        let last = last.unwrap_or_default();
        let tally = Self {
            passed: count_before(last, " passed"),
            failed: count_before(last, " failed"),
            skipped: Vec::new(),
        };
        tally.checked_against(success)
    }

    fn checked_against(mut self, success: bool) -> Self {
        let ran = self.passed + self.failed;
        if (!success || ran == 0) && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

/// The number that stands before a word: 3 for `" passed"` in `ok. 3 passed; 0 failed`.
fn count_before(text: &str, word: &str) -> usize {
    let Some((before, _)) = text.split_once(word) else {
        return 0;
    };
    let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    before[before.len() - digits..].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_RUNS: &str = "\
     Running unittests src/lib.rs (target/debug/deps/a-1)
running 3 tests
test a::slow ... ignored, needs a cluster
test a::one ... ok
test a::two ... FAILED
test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
   Doc-tests a
test src/lib.rs - a (line 3) ... ok
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
";

    #[test]
    fn adds_up_the_runs_of_cargo_test() {
        let tally = Tally::of_cargo_test(TWO_RUNS, false);
        assert_eq!((tally.passed, tally.failed), (13, 1));
        assert_eq!(tally.skipped, ["a::slow"]);
    }

    #[test]
    fn takes_a_run_that_did_not_compile_for_a_failure() {
        assert_eq!(Tally::of_cargo_test("error: no", false).failed, 1);
    }

    #[test]
    fn takes_a_run_without_tests_for_a_failure() {
        assert_eq!(Tally::of_cargo_test("", true).failed, 1);
        assert_eq!(
            Tally::of_closing_line("0 passed, 0 failed\n", true).failed,
            1
        );
    }

    #[test]
    fn reads_the_closing_line() {
        let tally = Tally::of_closing_line("9 failed\n41 passed, 2 failed\n\n", false);
        assert_eq!((tally.passed, tally.failed), (41, 2));
    }

    #[test]
    fn believes_the_exit_code_more_than_the_words() {
        assert_eq!(
            Tally::of_closing_line("41 passed, 0 failed", false).failed,
            1
        );
    }
}
