//! Exit codes: section `[retcode]`, with Luigi's rules.

use condotta_worker::{Category, Summary};

use super::settings::{SettingError, Settings};

/// Exit code when the program cannot do its work, as long as no setting says another.
pub(crate) const UNHANDLED: u8 = 4;

/// The codes of section `[retcode]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReturnCodes {
    pub(crate) unhandled_exception: u8,
    pub(crate) missing_data: u8,
    pub(crate) task_failed: u8,
    pub(crate) already_running: u8,
    pub(crate) scheduling_error: u8,
    pub(crate) not_run: u8,
}

impl ReturnCodes {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingError> {
        let code = |name| settings.require("retcode", name);
        Ok(Self {
            unhandled_exception: code("unhandled_exception")?,
            missing_data: code("missing_data")?,
            task_failed: code("task_failed")?,
            already_running: code("already_running")?,
            scheduling_error: code("scheduling_error")?,
            not_run: code("not_run")?,
        })
    }

    /// The highest code of what happened. A run in which nothing of that kind happened, but after
    /// which the root task is not complete, counts as not run.
    pub(crate) fn of(&self, summary: &Summary, root: &str) -> u8 {
        self.choose(
            |category| !summary.tasks(category).is_empty(),
            is_complete(summary, root),
        )
    }

    fn choose(&self, happened: impl Fn(Category) -> bool, root_complete: bool) -> u8 {
        let highest = [
            (self.missing_data, Category::StillPendingExt),
            (self.task_failed, Category::Failed),
            (self.already_running, Category::RunByOtherWorker),
            (self.scheduling_error, Category::SchedulingError),
            (self.not_run, Category::NotRun),
        ]
        .into_iter()
        .filter(|(_, category)| happened(*category))
        .map(|(code, _)| code)
        .max();
        match highest {
            Some(code) if code > 0 => code,
            _ if root_complete => 0,
            _ => self.not_run,
        }
    }
}

/// Whether the root task is complete after the run.
pub(crate) fn is_complete(summary: &Summary, root: &str) -> bool {
    summary.contains(Category::Completed, root) || summary.contains(Category::AlreadyDone, root)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: ReturnCodes = ReturnCodes {
        unhandled_exception: 4,
        missing_data: 20,
        task_failed: 30,
        already_running: 10,
        scheduling_error: 35,
        not_run: 25,
    };

    #[test]
    fn the_highest_code_of_what_happened_counts() {
        let code = |happened: &[Category], complete| {
            CODES.choose(|category| happened.contains(&category), complete)
        };
        assert_eq!(code(&[], true), 0);
        assert_eq!(code(&[Category::AlreadyDone, Category::Completed], true), 0);
        assert_eq!(code(&[Category::StillPendingExt], false), 20);
        assert_eq!(
            code(&[Category::StillPendingExt, Category::Failed], false),
            30
        );
        assert_eq!(
            code(&[Category::SchedulingError, Category::NotRun], false),
            35
        );
        assert_eq!(code(&[Category::RunByOtherWorker], false), 10);
        assert_eq!(code(&[], false), 25);
    }

    #[test]
    fn codes_of_nought_do_not_hide_a_root_that_did_not_run() {
        let codes = ReturnCodes {
            task_failed: 0,
            ..CODES
        };
        assert_eq!(
            codes.choose(|category| category == Category::Failed, false),
            25
        );
        assert_eq!(
            codes.choose(|category| category == Category::Failed, true),
            0
        );
    }
}
