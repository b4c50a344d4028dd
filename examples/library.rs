//! Tasks to share: other programs use them as any item of a crate.

use std::fs;

use condotta::prelude::*;

/// Counts the words of one text.
#[derive(Task)]
pub struct CountWords {
    /// The file.
    pub text: String,
}

#[task]
impl Task for CountWords {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("{}.words", self.text))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let text = fs::read_to_string(&self.text)?;
        Ok(run.output().write(text.split_whitespace().count())?)
    }
}

/// Counts the lines of one text.
#[derive(Task)]
pub struct CountLines {
    /// The file.
    pub text: String,
}

#[task]
impl Task for CountLines {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("{}.lines", self.text))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let text = fs::read_to_string(&self.text)?;
        Ok(run.output().write(text.lines().count())?)
    }
}
