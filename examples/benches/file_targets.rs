//! What a task with a file costs in a whole run, beside a bare loop that makes the same system calls.
//!
//! Tasks and loop take turns, each time in a new folder of the same disk; the table has the median of
//! the rounds. What a disk takes for one `fsync` varies more than anything else here.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use condotta::{BuildOptions, prelude::*};

/// One task that requires a number of files.
#[derive(Task)]
struct Files {
    folder: PathBuf,
    size: u32,
    fsync: bool,
}

/// One of the files.
#[derive(Task)]
struct OneFile {
    folder: PathBuf,
    number: u32,
    fsync: bool,
}

#[task(wrapper)]
impl Task for Files {
    fn requires(&self) -> Vec<OneFile> {
        let file = |number| OneFile {
            folder: self.folder.clone(),
            number,
            fsync: self.fsync,
        };
        (0..self.size).map(file).collect()
    }
}

#[task]
impl Task for OneFile {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(self.folder.join(self.number.to_string())).fsync(self.fsync)
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(run.output().write(self.number)?)
    }
}

fn main() -> Result<()> {
    // Under `cargo test` once and small, to see that it works.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let (sizes, rounds): (&[u32], usize) = match measured {
        true => (&[1_000, 10_000], 5),
        false => (&[100], 1),
    };
    println!("One small file a task, one worker; medians of {rounds} rounds");
    println!("fsync    tasks    a task    bare loop    ratio");
    for fsync in [false, true] {
        for &size in sizes {
            compare(size, fsync, rounds)?;
        }
    }
    Ok(())
}

/// Prints what a file takes by tasks and by the loop.
fn compare(size: u32, fsync: bool, rounds: usize) -> Result<()> {
    let (mut by_loop, mut by_tasks) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        by_loop.push(time(|| {
            Ok((0..size).try_for_each(|number| write_file(folder.path(), number, fsync))?)
        })?);
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let folder = folder.path().to_owned();
        by_tasks.push(time(|| {
            build(Files {
                folder,
                size,
                fsync,
            })
        })?);
    }
    let (by_loop, by_tasks) = (median(by_loop), median(by_tasks));
    println!(
        "{:<5} {size:>8} {:>6.1} µs {:>9.1} µs {:>8.2}",
        if fsync { "yes" } else { "no" },
        by_tasks.as_secs_f64() * 1e6 / f64::from(size),
        by_loop.as_secs_f64() * 1e6 / f64::from(size),
        by_tasks.as_secs_f64() / by_loop.as_secs_f64(),
    );
    Ok(())
}

/// What is asked of the system for a file, with nothing around it: look whether it is there, write
/// beside it under a lock, rename, and look again, as the task above does before it runs.
fn write_file(folder: &Path, number: u32, fsync: bool) -> io::Result<()> {
    let path = folder.join(number.to_string());
    path.try_exists()?;
    let temporary = folder.join(format!("{number}-luigi-tmp-{number:020}"));
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .open(&temporary)?;
    file.try_lock()?;
    file.metadata()?;
    write!(file, "{number}")?;
    if fsync {
        file.sync_all()?;
    }
    fs::rename(&temporary, &path)?;
    if fsync {
        File::open(folder)?.sync_all()?;
    }
    path.try_exists()?;
    Ok(())
}

fn build(files: Files) -> Result<()> {
    let options = BuildOptions::new().local_scheduler().log_level("ERROR");
    let result = condotta::build(files, options)?;
    if !result.succeeded() {
        return Err(result.summary_text().into());
    }
    Ok(())
}

fn time(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
