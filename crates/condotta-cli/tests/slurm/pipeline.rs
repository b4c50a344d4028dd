//! Tasks that say where they ran.

use std::{fs, io::Write as _, path::Path, thread, time::Duration};

use condotta::prelude::*;

/// Where this is: the job's number or the pod's name, or nothing.
fn here() -> String {
    let names = ["SLURM_JOB_ID", "TEST_POD"];
    names
        .into_iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_default()
}

/// Notes that a task ran, and where.
fn note(name: &str) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .append(true)
        .create(true)
        .open(format!("ran.{name}"))?;
    writeln!(file, "{}", here())?;
    Ok(())
}

/// Waits until the test wants it to go on, or to stop.
fn wait_for(path: &str, mut each: impl FnMut() -> bool) -> Result<()> {
    while !Path::new(path).exists() {
        if each() {
            return Err("it was told to stop".into());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Some numbers.
#[derive(Clone, Task)]
struct Numbers {
    count: u32,
}

#[task]
impl Task for Numbers {
    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("numbers.{}", self.count))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        note("Numbers")?;
        let numbers: Vec<String> = (1..=self.count).map(|number| number.to_string()).collect();
        Ok(run.output().write(numbers.join("\n"))?)
    }
}

/// Their sum. It prints and logs, too.
#[derive(Clone, Task)]
struct Sum {
    count: u32,
    #[param(default = "hunter22", visibility = private, significant = false)]
    password: String,
}

#[task]
impl Task for Sum {
    fn requires(&self) -> Numbers {
        Numbers { count: self.count }
    }

    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("sum.{}", self.count))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        note("Sum")?;
        println!("printed");
        eprintln!("complained, by {}", self.password);
        tracing::info!(target: "luigi-interface", "logged");
        let numbers = run.input().read_to_string()?;
        let numbers = numbers.lines().map(str::parse::<u64>);
        let sum: u64 = numbers.sum::<Result<_, _>>()?;
        run.output().write(sum)?;
        Ok(fs::write("password", &self.password)?)
    }
}

/// The sum again, made elsewhere from elsewhere.
#[derive(Clone, Task)]
struct Report {
    count: u32,
}

#[task]
impl Task for Report {
    fn requires(&self) -> Result<Sum, condotta::class::ParamError> {
        Sum::builder().count(self.count).build()
    }

    fn output(&self) -> LocalTarget {
        LocalTarget::new(format!("report.{}", self.count))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        note("Report")?;
        Ok(run
            .output()
            .write(format!("the sum is {}", run.input().read::<u64>()?))?)
    }
}

/// Fails in one of the ways there are.
#[derive(Clone, Task)]
struct Fails {
    how: String,
}

#[derive(Debug)]
struct OutOf(&'static str, Option<Box<OutOf>>);

impl std::fmt::Display for OutOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "out of {}", self.0)
    }
}

impl std::error::Error for OutOf {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

#[task]
impl Task for Fails {
    fn output(&self) -> LocalTarget {
        LocalTarget::new("never")
    }

    fn run(&self, _: &Run<Self>) -> Result<()> {
        note("Fails")?;
        match self.how.as_str() {
            "error" => Err(OutOf("cheese", Some(Box::new(OutOf("milk", None)))).into()),
            "panic" => panic!("there is no cheese"),
            "exit" => std::process::exit(7),
            _ => Ok(fs::write("never", "")?),
        }
    }
}

/// Finds out while it runs what it needs.
#[derive(Clone, Task)]
struct Grows;

#[task]
impl Task for Grows {
    fn output(&self) -> LocalTarget {
        LocalTarget::new("grown")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        note("Grows")?;
        let parts: Vec<LocalTarget> =
            run.require([2, 3].map(|count| Numbers { count }).to_vec())?;
        let sizes = parts
            .iter()
            .map(|part| Ok(part.read_to_string()?.lines().count()));
        let sizes: Vec<usize> = sizes.collect::<Result<_>>()?;
        Ok(run.output().write(sizes.iter().sum::<usize>())?)
    }
}

/// Says how it goes, until it may end.
#[derive(Clone, Task)]
struct Talks;

#[task]
impl Task for Talks {
    fn output(&self) -> LocalTarget {
        LocalTarget::new("talked")
    }

    fn accepts_messages(&self) -> bool {
        true
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        note("Talks")?;
        run.set_status_message("half way");
        run.set_progress_percentage(50.0);
        run.set_tracking_url("http://cluster/42");
        let message = run.messages().recv_timeout(Duration::from_secs(60));
        let message = message.ok_or("nobody writes")?;
        message.respond(&format!("heard {}", message.content()));
        Ok(run.output().write(message.content())?)
    }
}

/// Takes as long as the test wants.
#[derive(Clone, Task)]
struct Sleeps {
    #[param(default = 0)]
    timeout: u64,
}

#[task]
impl Task for Sleeps {
    fn output(&self) -> LocalTarget {
        LocalTarget::new("slept")
    }

    fn worker_timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        note("Sleeps")?;
        wait_for("go", || run.stop_requested())?;
        Ok(run.output().write("well")?)
    }
}
