//! Whole runs of Python pipelines, with stock Luigi and with the wheel in turns, in CPU time.
//!
//! CPU time is that of the program and all its children, user and system, as the kernel counts it.

use std::{
    cell::Cell,
    fmt::Write,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::sys::resource::{UsageWho, getrusage};

use super::{
    venv::{Interpreter, Venv},
    wheel::{self, Profile},
};
use crate::{project::Project, setup::LUIGI};

/// The graphs, as `bench_tasks.py` names them.
const SHAPES: [&str; 3] = ["Fan", "Chain", "Layers"];
/// Up to this many tasks, stock is measured too: its cost grows with their square.
const MOST_FOR_STOCK: usize = 5_000;
const SIZES: [usize; 4] = [1_000, 5_000, 20_000, 100_000];
/// How often a small run is repeated; the median counts.
const ROUNDS: usize = 3;
/// The same where each task has a process of its own, which takes now more, now less.
const ROUNDS_OF_PROCESSES: usize = 7;
const STARTS: usize = 15;

/// What one run took.
#[derive(Clone, Copy)]
struct Taken {
    cpu: Duration,
    wall: Duration,
}

/// The programs and the folders of a bench.
///
/// Each run has a folder of its own, and nothing is removed before all have ended: ext4 does not use
/// the inode of a file that was removed in the last minutes again, and passes over all of them, one
/// by one, for each new file. That took more time than all that is measured here.
struct Bench {
    stock: PathBuf,
    ours: PathBuf,
    script: PathBuf,
    folder: PathBuf,
    /// How many folders there are.
    folders: Cell<usize>,
}

/// Measures all and keeps the tables under `target/bench`.
pub(crate) fn run(project: &Project) -> anyhow::Result<()> {
    let interpreter = Interpreter::at_hand()?;
    let stock = Venv::with(project, "bench-stock", &interpreter, &[LUIGI.to_owned()])?;
    let ours = Venv::with(project, "bench-ours", &interpreter, &[])?;
    wheel::install(&ours, &wheel::build(project, Profile::Release)?)?;
    for venv in [&stock, &ours] {
        venv.compile()?;
    }
    let folder = project.target().join("python/bench");
    let bench = Bench {
        stock: stock.python(),
        ours: ours.python(),
        script: project.root().join("xtask/python/bench_tasks.py"),
        // What a bench that was cut short left is removed with the rest.
        folders: Cell::new(last(&folder)?),
        folder,
    };
    let mut text = format!(
        "Python {}, CPU seconds (user and system, with children)\n\n",
        interpreter.release
    );
    let mut show = |part: String| {
        println!("{part}");
        text.push_str(&part);
        text.push('\n');
    };
    show(bench.starts()?);
    show(bench.one_worker()?);
    show(bench.more_workers()?);
    bench.remove()?;
    let kept = project.target().join("bench");
    std::fs::create_dir_all(&kept)?;
    std::fs::write(kept.join("python.txt"), text)?;
    println!("kept in {}", kept.join("python.txt").display());
    Ok(())
}

impl Bench {
    /// A finished HelloWorld, an import, and Python itself.
    fn starts(&self) -> anyhow::Result<String> {
        let hello = |python| -> anyhow::Result<Taken> {
            let arguments = ["HelloWorld", "--local-scheduler"];
            self.prepare()?;
            self.script(python, &arguments)?;
            median(STARTS, || self.script(python, &arguments))
        };
        let line = |python, code: &str| median(STARTS, || self.time(python, &["-c", code]));
        let rows = [
            (
                "finished HelloWorld",
                hello(&self.stock)?,
                hello(&self.ours)?,
            ),
            (
                "import luigi",
                line(&self.stock, "import luigi")?,
                line(&self.ours, "import luigi")?,
            ),
            (
                "Python alone",
                line(&self.stock, "pass")?,
                line(&self.ours, "pass")?,
            ),
        ];
        let mut text = "| Start | stock CPU | ours CPU | stock wall | ours wall |\n\
                        | --- | ---: | ---: | ---: | ---: |\n"
            .to_owned();
        for (name, stock, ours) in rows {
            let seconds =
                [stock.cpu, ours.cpu, stock.wall, ours.wall].map(|time| time.as_secs_f64());
            let [a, b, c, d] = seconds;
            writeln!(text, "| {name} | {a:.3} | {b:.3} | {c:.3} | {d:.3} |")?;
        }
        Ok(text)
    }

    /// Each graph at each size, with one worker.
    fn one_worker(&self) -> anyhow::Result<String> {
        let mut text = head("Graph");
        for count in SIZES {
            let rounds = if count == SIZES[0] { ROUNDS } else { 1 };
            let bare = median(rounds, || {
                self.prepare()?;
                self.script(&self.ours, &["loop", &count.to_string()])
            })?;
            let per_file = milliseconds(bare.cpu, count);
            writeln!(text, "| bare loop, {count} files | | | | {per_file:.3} | |")?;
            for shape in SHAPES {
                let stock = match count <= MOST_FOR_STOCK {
                    true => Some(self.graph(&self.stock, shape, count, 1, rounds)?),
                    false => None,
                };
                let ours = self.graph(&self.ours, shape, count, 1, rounds)?;
                text += &row(&format!("{shape}, {count} tasks"), count, stock, ours)?;
            }
        }
        Ok(text)
    }

    /// A fan of 1,000 with two and four workers, which run each task in a process of its own; both packages in turns.
    fn more_workers(&self) -> anyhow::Result<String> {
        let mut text = head("Workers");
        for workers in [2, 4] {
            let count = SIZES[0];
            let (mut stock, mut ours) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS_OF_PROCESSES {
                stock.push(self.graph(&self.stock, "Fan", count, workers, 1)?);
                ours.push(self.graph(&self.ours, "Fan", count, workers, 1)?);
            }
            text += &row(
                &format!("{workers}, Fan, {count} tasks"),
                count,
                Some(middle(stock)),
                middle(ours),
            )?;
        }
        Ok(text)
    }

    fn graph(
        &self,
        python: &Path,
        shape: &str,
        count: usize,
        workers: usize,
        rounds: usize,
    ) -> anyhow::Result<Taken> {
        let (count, workers) = (count.to_string(), workers.to_string());
        let arguments = [
            shape,
            "--count",
            &count,
            "--local-scheduler",
            "--workers",
            &workers,
        ];
        median(rounds, || {
            self.prepare()?;
            let taken = self.script(python, &arguments)?;
            let made = std::fs::read_dir(self.now().join("out"))?.count();
            anyhow::ensure!(
                made.to_string() == count,
                "{shape}: {made} files instead of {count}"
            );
            Ok(taken)
        })
    }

    /// An empty folder.
    fn prepare(&self) -> anyhow::Result<()> {
        self.folders.set(self.folders.get() + 1);
        Ok(std::fs::create_dir_all(self.now())?)
    }

    /// The folder of what runs now.
    fn now(&self) -> PathBuf {
        self.folder.join(self.folders.get().to_string())
    }

    fn remove(&self) -> anyhow::Result<()> {
        match self.folder.exists() {
            true => Ok(std::fs::remove_dir_all(&self.folder)?),
            false => Ok(()),
        }
    }

    fn script(&self, python: &Path, arguments: &[&str]) -> anyhow::Result<Taken> {
        let script = self
            .script
            .to_str()
            .context("the script's path is not UTF-8")?;
        self.time(python, &[&[script], arguments].concat())
    }

    /// Runs Python, with what it logs in a file.
    fn time(&self, python: &Path, arguments: &[&str]) -> anyhow::Result<Taken> {
        let log = self.now().join("log");
        let output = File::create(&log)?;
        let before = children_cpu()?;
        let start = Instant::now();
        let status = Command::new(python)
            .args(arguments)
            .current_dir(self.now())
            .env_remove("LUIGI_CONFIG_PATH")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .status()?;
        let wall = start.elapsed();
        anyhow::ensure!(
            status.success(),
            "{arguments:?} failed: see {}",
            log.display()
        );
        Ok(Taken {
            cpu: children_cpu()? - before,
            wall,
        })
    }
}

/// The highest number of a run's folder that is there.
fn last(folder: &Path) -> anyhow::Result<usize> {
    if !folder.exists() {
        return Ok(0);
    }
    let names = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let names = names.collect::<std::io::Result<Vec<_>>>()?;
    let numbers = names.iter().filter_map(|name| name.to_str()?.parse().ok());
    Ok(numbers.max().unwrap_or(0))
}

fn head(what: &str) -> String {
    format!(
        "| {what} | stock s | ours s | stock ms a task | ours ms a task | ratio |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n"
    )
}

fn row(name: &str, count: usize, stock: Option<Taken>, ours: Taken) -> anyhow::Result<String> {
    let mut text = String::new();
    let (seconds, each) = (ours.cpu.as_secs_f64(), milliseconds(ours.cpu, count));
    match stock.map(|stock| stock.cpu) {
        Some(stock) => writeln!(
            text,
            "| {name} | {:.2} | {seconds:.2} | {:.3} | {each:.3} | {:.1} |",
            stock.as_secs_f64(),
            milliseconds(stock, count),
            stock.as_secs_f64() / seconds
        )?,
        None => writeln!(text, "| {name} | | {seconds:.2} | | {each:.3} | |")?,
    }
    Ok(text)
}

fn milliseconds(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e3 / count as f64
}

/// The CPU time of all children that have ended, and of theirs.
fn children_cpu() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = |value: nix::sys::time::TimeVal| {
        let micros = value.tv_sec() * 1_000_000 + value.tv_usec();
        Duration::from_micros(u64::try_from(micros).expect("time that was used is not negative"))
    };
    Ok(time(usage.user_time()) + time(usage.system_time()))
}

/// The run that took the median CPU time.
fn median(rounds: usize, mut once: impl FnMut() -> anyhow::Result<Taken>) -> anyhow::Result<Taken> {
    let mut all = Vec::new();
    for _ in 0..rounds {
        all.push(once()?);
    }
    Ok(middle(all))
}

fn middle(mut all: Vec<Taken>) -> Taken {
    all.sort_by_key(|taken| taken.cpu);
    all[all.len() / 2]
}
