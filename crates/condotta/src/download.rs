//! A task that downloads what others publish.
//!
//! For a program that is to require it, or to offer it on its command line; with the feature `http`.
//!
//! ```text
//! pipeline condotta.Download --url https://example.com/months.csv --to data/months.csv --local-scheduler
//! ```
//!
//! ```
//! use condotta::{download::Download, prelude::*};
//!
//! /// Counts the lines of a file that others publish.
//! #[derive(Task)]
//! struct Lines;
//!
//! #[task]
//! impl Task for Lines {
//!     fn requires(&self) -> Download {
//!         Download::from("https://example.com/months.csv").to("data/months.csv")
//!     }
//!
//!     fn output(&self) -> LocalTarget {
//!         LocalTarget::new("data/lines")
//!     }
//!
//!     fn run(&self, run: &Run<Self>) -> Result<()> {
//!         Ok(run.output().write(run.input().lines()?.count())?)
//!     }
//! }
//! ```
//!
//! The task's own documentation is the text of its `--help`, so the example is here.

use condotta_targets::Download as Transfer;

use crate::prelude::*;

/// Downloads what is at a URL, whole and checked, to a file or into a store.
#[derive(Task)]
pub struct Download {
    /// What to download. It is shown to whoever sees the task: a password does not belong in it.
    pub url: String,
    /// Where to: a path, or the URL of a store that the program is built with.
    pub to: String,
    /// The SHA-256 that it has to have, in hexadecimal digits.
    #[param(default = "", significant = false)]
    pub sha256: String,
    /// A file of this machine that keeps what there is when a run fails, for the next to go on with.
    #[param(default = "", significant = false)]
    pub partial: String,
}

impl Download {
    /// A download of a URL; say where [`to`](Self::to).
    pub fn from(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            to: String::new(),
            sha256: String::new(),
            partial: String::new(),
        }
    }

    /// Where to: a path, or the URL of a store.
    pub fn to(mut self, place: impl Into<String>) -> Self {
        self.to = place.into();
        self
    }

    /// The SHA-256 that it has to have, in hexadecimal digits.
    pub fn sha256(mut self, digits: impl Into<String>) -> Self {
        self.sha256 = digits.into();
        self
    }

    /// A file of this machine that keeps what there is when a run fails, for the next to go on with.
    pub fn partial(mut self, path: impl Into<String>) -> Self {
        self.partial = path.into();
        self
    }
}

#[task(namespace = "condotta")]
impl Task for Download {
    fn output(&self) -> UrlTarget {
        UrlTarget::new(&self.to)
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let mut transfer = Transfer::new(&self.url).progress(|progress| {
            if let Some(percent) = progress.percent() {
                run.set_progress_percentage(percent.floor());
            }
        });
        if !self.sha256.is_empty() {
            transfer = transfer.sha256(&self.sha256);
        }
        if !self.partial.is_empty() {
            transfer = transfer.partial(&self.partial);
        }
        transfer.to(&run.output())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_help_is_for_users_of_the_command() {
        let class = crate::registry::find("condotta.Download").expect("it is there by itself");
        assert_eq!(
            class.description.trim(),
            "Downloads what is at a URL, whole and checked, to a file or into a store."
        );
    }
}
