//! A graph of tasks in two languages, on one scheduler: `Extract` (Rust), `Clean` (Python, in `clean.py`), `Report` (Rust).
//!
//! What the other language makes is an external task here: equal family and parameters make it the same task.
//!
//! ```sh
//! condotta scheduler &
//! cargo run --release --example with_python -- All --day 2026-03-01 --worker-keep-alive &
//! PYTHONPATH=examples/with_python luigi --module clean Clean --day 2026-03-01 --worker-keep-alive
//! ```

use condotta::prelude::*;

/// Takes the day's numbers from where they are.
#[derive(Task)]
struct Extract {
    day: Date,
}

#[task]
impl Task for Extract {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("extract-{}.txt", self.day))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(run.output().write("12\nn/a\n30\n")?)
    }
}

/// The numbers without what is none: a task of `clean.py`.
#[derive(Task)]
struct Clean {
    day: Date,
}

#[task(external)]
impl Task for Clean {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("clean-{}.txt", self.day))
    }
}

/// Adds up the clean numbers.
#[derive(Task)]
struct Report {
    day: Date,
}

#[task]
impl Task for Report {
    fn requires(&self) -> Clean {
        Clean { day: self.day }
    }

    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("report-{}.txt", self.day))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let numbers: String = run.input().read()?;
        let sum: i64 = numbers
            .lines()
            .map(str::parse::<i64>)
            .sum::<Result<_, _>>()?;
        Ok(run.output().write(sum)?)
    }
}

/// What this program has to do of the graph.
#[derive(Task)]
struct All {
    day: Date,
}

#[task(wrapper)]
impl Task for All {
    fn requires(&self) -> (Extract, Report) {
        (Extract { day: self.day }, Report { day: self.day })
    }
}

fn main() -> ExitCode {
    condotta::run()
}
