//! A task around a program that was there before all of us.
//!
//! `cargo run --example legacy_tool -- CallLegacyTool --script old.sh --local-scheduler` runs the script and
//! keeps what it prints.

use std::{path::PathBuf, time::Duration};

use condotta::prelude::*;

/// Calls a script, which prints the result and says on its standard error where it can be watched.
#[derive(Task)]
struct CallLegacyTool {
    /// The script.
    script: PathBuf,
    /// The month to work on.
    #[param(default = "2012-01")]
    month: Month,
    /// What the script needs to know, and nobody else.
    #[param(default = "", significant = false, visibility = private)]
    password: String,
    /// The longest time that it may take, in seconds. Zero is for ever.
    #[param(default = 0, significant = false)]
    limit: u64,
}

#[task]
impl Task for CallLegacyTool {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("legacy-{}.csv", self.month))
    }

    fn worker_timeout(&self) -> Duration {
        Duration::from_secs(self.limit)
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        run.program("sh")
            .arg(&self.script)
            .arg("--month")
            .arg(self.month)
            .env("PASSWORD", &self.password)
            .stdout(&run.output())
            .tracking_url(r"can be watched at (https?://\S+)")
            .run()?;
        Ok(())
    }
}

fn main() -> ExitCode {
    condotta::run()
}
