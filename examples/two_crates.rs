//! A program whose tasks build on those of a library in another crate.
//!
//! `cargo run --release --example two_crates -- TotalWords --local-scheduler`, with two files `one.txt` and
//! `two.txt` in the folder, writes `total.txt`. `CountWords --text one.txt` runs a task of the library alone.

use condotta::{App, prelude::*};
use condotta_examples::library::{CountLines, CountWords};

/// Adds up the words of two texts.
#[derive(Task)]
struct TotalWords;

#[task]
impl Task for TotalWords {
    fn requires(&self) -> [CountWords; 2] {
        ["one.txt", "two.txt"].map(|text| CountWords { text: text.into() })
    }

    fn output(&self) -> LocalTarget {
        LocalTarget::new("total.txt")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let mut total = 0;
        for words in run.input() {
            total += words.read::<u64>()?;
        }
        Ok(run.output().write(total)?)
    }
}

fn main() -> ExitCode {
    // `CountWords` is there because a task here requires it. Nothing here uses `CountLines`, so it is named.
    App::new().register::<CountLines>().main()
}
