//! A chain of tasks that alternate between two workers: how long a task waits that is ready.

use std::{
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use condotta_worker::{
    BoxError, ParamInfo, RemoteOptions, RemoteScheduler, RunContext, RunOutcome, Runnable,
    TaskHandle, Worker, WorkerConfig, WorkerOptions,
};

use crate::servers::{Kind, Server, stock_python};

/// When each task started and ended.
type Times = Arc<Mutex<Vec<Option<(Instant, Instant)>>>>;

struct Link {
    id: String,
    number: usize,
    /// The other worker runs it.
    is_others: bool,
    deps: Vec<TaskHandle>,
    times: Times,
}

fn link(number: usize, is_others: bool, times: &Times) -> TaskHandle {
    let deps = match number.checked_sub(1) {
        Some(before) if !is_others => vec![link(before, true, times)],
        _ => Vec::new(),
    };
    Arc::new(Link {
        id: format!("Link_{number}"),
        number,
        is_others,
        deps,
        times: times.clone(),
    })
}

impl Runnable for Link {
    fn task_id(&self) -> &str {
        &self.id
    }

    fn family(&self) -> &str {
        "Link"
    }

    fn params(&self) -> Vec<ParamInfo> {
        Vec::new()
    }

    fn complete(&self) -> Result<bool, BoxError> {
        Ok(self.times.lock().unwrap()[self.number].is_some())
    }

    fn dependencies(&self) -> Result<Vec<TaskHandle>, BoxError> {
        Ok(self.deps.clone())
    }

    fn is_external(&self) -> bool {
        self.is_others
    }

    fn run(&self, _: &RunContext<'_>) -> Result<RunOutcome, BoxError> {
        let now = Instant::now();
        self.times.lock().unwrap()[self.number] = Some((now, now));
        Ok(RunOutcome::Done)
    }
}

/// From the end of each task to the start of the next, shortest first, with two of our workers.
pub(crate) fn ours(tasks: usize) -> Vec<Duration> {
    let server = Server::start(Kind::Condotta);
    let times: Times = Arc::new(Mutex::new(vec![None; tasks]));
    let workers: Vec<_> = (0..2)
        .map(|mine| {
            let times = times.clone();
            let url = format!("http://{}", server.address);
            std::thread::spawn(move || work(&url, mine, tasks, &times))
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    let times = times.lock().unwrap();
    let times: Vec<_> = times.iter().map(|time| time.expect("all ran")).collect();
    sorted(times.windows(2).map(|pair| pair[1].0 - pair[0].1))
}

fn work(url: &str, mine: usize, tasks: usize, times: &Times) {
    let scheduler = RemoteScheduler::new(url, RemoteOptions::default()).unwrap();
    let config = WorkerConfig {
        keep_alive: true,
        ..WorkerConfig::default()
    };
    let options = WorkerOptions {
        worker_id: Some(format!("chain-{mine}")),
        ..WorkerOptions::default()
    };
    let mut worker = Worker::new(Arc::new(scheduler), config, options).unwrap();
    for number in (mine..tasks).step_by(2) {
        worker.add(link(number, false, times)).unwrap();
    }
    worker.run().unwrap();
}

/// The same with two stock workers on stock luigid, all with default settings.
pub(crate) fn stock(tasks: usize) -> Vec<Duration> {
    let server = Server::start(Kind::Stock);
    let folder = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/server/chain.py");
    let workers: Vec<_> = (0..2)
        .map(|mine| {
            Command::new(stock_python().unwrap())
                .arg(script)
                .arg(format!("http://{}", server.address))
                .arg(folder.path())
                .args([tasks.to_string(), mine.to_string()])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    let times: Vec<Vec<f64>> = (0..tasks)
        .map(|number| {
            let text = std::fs::read_to_string(folder.path().join(format!("done-{number}")));
            let text = text.expect("all ran");
            text.split(' ').map(|time| time.parse().unwrap()).collect()
        })
        .collect();
    let hops = times
        .windows(2)
        .map(|pair| (pair[1][0] - pair[0][1]).max(0.0));
    sorted(hops.map(Duration::from_secs_f64))
}

fn sorted(hops: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut hops: Vec<_> = hops.collect();
    hops.sort_unstable();
    hops
}
