//! Applications on a real Spark: in one process, and on a cluster that this test starts for itself.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod cluster;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::{Arc, Mutex},
};

use cluster::{Cluster, home, python, wait_until};
use condotta_programs::{Attempt, Detached, Ended, Stream, spark::SparkSubmit};
use condotta_targets::{LocalTarget, ReadWrite as _};
use libtest_mimic::{Arguments, Trial};

/// Set for a process that submits an application and is killed: the folder and the master's address.
const VICTIM: &str = "TEST_VICTIM";

/// Adds up numbers, in tasks that take a while.
const SUM: &str = "
import sys, time
from pyspark.sql import SparkSession

context = SparkSession.builder.getOrCreate().sparkContext
def slowly(number):
    time.sleep(0.5)
    return number
print(context.parallelize(range(int(sys.argv[1])), 6).map(slowly).sum(), context.getConf().get('spark.note'))
";
/// Has a task that never ends.
const HANG: &str = "
import time
from pyspark.sql import SparkSession

context = SparkSession.builder.getOrCreate().sparkContext
print('hangs', flush=True)
context.parallelize(range(2), 2).map(lambda _: time.sleep(10000)).sum()
";

type Test = fn(&Cluster);

fn main() -> ExitCode {
    if let Ok(victim) = std::env::var(VICTIM) {
        let (folder, master) = victim.split_once(' ').unwrap();
        let ended = submit(
            &Detached::default(),
            &Path::new(folder).join("app.py"),
            master,
        )
        .run();
        panic!("{ended:?}");
    }
    let arguments = Arguments::from_args();
    let cluster = Arc::new(Cluster::start());
    let tests: [(&str, Test); 4] = [
        ("an_application_runs_on_the_cluster_and_is_heard", runs),
        ("an_application_that_fails_says_why", fails),
        ("a_run_that_is_to_stop_kills_its_application", stopped),
        (
            "a_worker_that_is_killed_takes_its_application_along",
            killed,
        ),
    ];
    // One after the other: the cluster has two cores.
    let turn = Arc::new(Mutex::new(()));
    let trials = tests.into_iter().map(|(name, test)| {
        let (cluster, turn) = (Arc::clone(&cluster), Arc::clone(&turn));
        Trial::test(name, move || {
            let _turn = turn.lock().unwrap_or_else(|turn| turn.into_inner());
            test(&cluster);
            Ok(())
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    drop(cluster);
    conclusion.exit_code()
}

fn submit<'a>(attempt: &'a dyn Attempt, app: &Path, master: &str) -> SparkSubmit<'a> {
    let settings = [
        (
            "spark-submit",
            home().join("bin/spark-submit").display().to_string(),
        ),
        ("master", master.to_owned()),
        ("executor_memory", "512m".to_owned()),
        ("conf", "spark.note=set by conf|spark.ui.port=0".to_owned()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    SparkSubmit::new(app, attempt, settings)
        .unwrap()
        .env("SPARK_HOME", home())
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        // Which also finds Spark for its own scripts.
        .env("PYSPARK_PYTHON", python())
}

fn app(code: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.py");
    fs::write(&path, code).unwrap();
    (folder, path)
}

/// Keeps all that it was told.
#[derive(Default)]
struct Heard {
    run: Detached,
    messages: Mutex<Vec<String>>,
    progress: Mutex<Vec<f64>>,
}

impl Attempt for Heard {
    fn task_id(&self) -> &str {
        "heard"
    }
    fn printed(&self, stream: Stream, text: &[u8]) {
        self.run.printed(stream, text);
    }
    fn stop_requested(&self) -> bool {
        false
    }
    fn set_tracking_url(&self, url: &str) {
        self.run.set_tracking_url(url);
    }
    fn set_status_message(&self, message: &str) {
        self.messages.lock().unwrap().push(message.to_owned());
    }
    fn set_progress_percentage(&self, percentage: f64) {
        self.progress.lock().unwrap().push(percentage);
    }
}

fn runs(cluster: &Cluster) {
    let (folder, app) = app(SUM);
    let output = LocalTarget::new(folder.path().join("sum"));
    let heard = Heard::default();
    submit(&heard, &app, &cluster.url())
        .name("The sum")
        .arg(10)
        .stdout(&output)
        .run()
        .unwrap();
    assert_eq!(output.read_to_string().unwrap(), "45 set by conf\n");
    let url = heard.run.tracking_url().unwrap();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    let messages = heard.messages.lock().unwrap();
    assert!(
        messages[0].starts_with("Spark application app-"),
        "{messages:?}"
    );
    assert!(
        messages
            .iter()
            .any(|message| message.contains(" of 6 tasks")),
        "{messages:?}"
    );
    let progress = heard.progress.lock().unwrap();
    assert!(
        progress
            .iter()
            .all(|percentage| (0.0..=100.0).contains(percentage)),
        "{progress:?}"
    );
    assert!(
        cluster.ask().contains("\"name\" : \"The sum\""),
        "{}",
        cluster.ask()
    );
}

fn fails(_: &Cluster) {
    let (_folder, app) = app("raise SystemExit('out of luck')");
    let attempt = Detached::default();
    let error = submit(&attempt, &app, "local[1]").run().unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!(failure.ended, Ended::Code(1));
    assert!(
        failure
            .stdout
            .iter()
            .any(|line| line.contains("out of luck")),
        "{error}"
    );
}

fn is_idle(cluster: &Cluster) -> bool {
    cluster.ask().contains("\"activeapps\" : [ ]")
}

fn stopped(cluster: &Cluster) {
    let (_folder, app) = app(HANG);
    let attempt = Detached::default();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| submit(&attempt, &app, &cluster.url()).run());
        wait_until("the application is on the cluster", || !is_idle(cluster));
        wait_until("it hangs", || attempt.stdout() == "hangs\n");
        attempt.stop();
        let error = run.join().unwrap().unwrap_err();
        assert_eq!(error.failure().unwrap().ended, Ended::Stopped);
    });
    wait_until("the cluster has ended it", || is_idle(cluster));
}

fn killed(cluster: &Cluster) {
    let (folder, _app) = app(HANG);
    let log = folder.path().join("log");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .env(
            VICTIM,
            format!("{} {}", folder.path().display(), cluster.url()),
        )
        .stdout(Stdio::null())
        .stderr(fs::File::create(log).unwrap())
        .spawn()
        .unwrap();
    wait_until("the application is on the cluster", || !is_idle(cluster));
    victim.kill().unwrap();
    victim.wait().unwrap();
    wait_until("the cluster has ended it", || is_idle(cluster));
}
