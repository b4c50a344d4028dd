//! What a task with a file costs in a whole run, beside a bare loop that makes the same system calls.
//!
//! Tasks and loop take turns, each time in a new folder of the same disk; the table has the medians of
//! the rounds. How long a disk takes varies more than anything else here, so the CPU time stands
//! beside it, the kernel's share included.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use condotta::{BuildOptions, prelude::*};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeVal,
};

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
    let (size, rounds) = if measured { (1_000, 15) } else { (100, 1) };
    println!("One small file a task, one worker; medians of {rounds} rounds");
    println!("fsync    tasks |      wall      loop  ratio |       CPU      loop  ratio");
    compare(size, false, rounds)?;
    compare(10 * size, false, rounds)?;
    compare(size / 5, true, rounds)
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
    let each = |spent: &[Spent], part: fn(&Spent) -> Duration| {
        let mut parts: Vec<Duration> = spent.iter().map(part).collect();
        parts.sort_unstable();
        parts[parts.len() / 2].as_secs_f64() * 1e6 / f64::from(size)
    };
    print!("{:<5} {size:>8}", if fsync { "yes" } else { "no" });
    for part in [|spent: &Spent| spent.wall, |spent: &Spent| spent.cpu] {
        let (tasks, bare) = (each(&by_tasks, part), each(&by_loop, part));
        print!(" | {tasks:>6.1} µs {bare:>6.1} µs {:>6.2}", tasks / bare);
    }
    println!();
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

/// What something took.
struct Spent {
    wall: Duration,
    cpu: Duration,
}

fn time(work: impl FnOnce() -> Result<()>) -> Result<Spent> {
    let (start, cpu) = (Instant::now(), cpu_time()?);
    work()?;
    Ok(Spent {
        wall: start.elapsed(),
        cpu: cpu_time()? - cpu,
    })
}

/// The time of all threads so far, in the program and in the kernel.
fn cpu_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = |time: TimeVal| time.tv_sec() * 1_000_000 + time.tv_usec();
    let total = micros(usage.user_time()) + micros(usage.system_time());
    Ok(Duration::from_micros(total.try_into()?))
}
