//! Tasks as rules of a makefile: some say themselves whether they are complete, some only run.
//!
//! `cargo run --release --example make_like -- MyTask --local-scheduler`
//!
//! `cargo run --release --example make_like -- Book --local-scheduler`, with two files `one.txt` and
//! `two.txt` in the folder, writes `book.txt`; again when one of them has changed, as `make` would.

use std::{
    fs,
    path::{Path, PathBuf},
};

use condotta::prelude::*;

/// Has no output and does not say when it is complete: it runs each time.
#[derive(Task)]
struct MyTask {
    /// Who is greeted with the world.
    #[param(default = "hello")]
    some_parameter: String,
}

#[task]
impl Task for MyTask {
    fn run(&self, _run: &Run<Self>) -> Result<()> {
        println!("{} world", self.some_parameter);
        Ok(())
    }
}

/// Writes a text in capital letters. It is complete when the result is newer than the text.
#[derive(Task)]
struct Chapter {
    /// The file's name without its ending.
    name: String,
}

impl Chapter {
    fn source(&self) -> PathBuf {
        format!("{}.txt", self.name).into()
    }
}

#[task]
impl Task for Chapter {
    fn complete(&self) -> Result<bool> {
        is_newer(self.output().path(), &self.source())
    }

    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("{}.upper", self.name))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let text = fs::read_to_string(self.source())?;
        Ok(run.output().write(text.to_uppercase())?)
    }
}

/// Binds the chapters to one file. It is complete when that is newer than all of their sources, for
/// nobody asks the chapters once the book is complete.
#[derive(Task)]
struct Book;

#[task]
impl Task for Book {
    fn requires(&self) -> [Chapter; 2] {
        ["one", "two"].map(|name| Chapter { name: name.into() })
    }

    fn complete(&self) -> Result<bool> {
        for chapter in self.requires() {
            if !is_newer(self.output().path(), &chapter.source())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn output(&self) -> LocalTarget {
        LocalTarget::new("book.txt")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let mut book = String::new();
        for chapter in run.input() {
            book += &chapter.read::<String>()?;
        }
        Ok(run.output().write(book)?)
    }
}

/// Whether a file is there and was written after its source.
fn is_newer(file: &Path, source: &Path) -> Result<bool> {
    if !file.exists() {
        return Ok(false);
    }
    Ok(fs::metadata(file)?.modified()? > fs::metadata(source)?.modified()?)
}

fn main() -> ExitCode {
    condotta::run()
}
