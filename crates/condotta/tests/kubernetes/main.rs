//! Tasks whose engine is Kubernetes, on a stand-in for a cluster that runs pods on this machine.
//!
//! The program is the test and, started by the test or by a pod, the pipeline.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, dead_code, reason = "tests")]

#[path = "../../../condotta-cli/tests/slurm/pipeline.rs"]
mod pipeline;

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, ExitCode, Stdio},
};

use condotta_test_servers::kubernetes::Server;
use libtest_mimic::{Arguments, Trial};
use tempfile::TempDir;

const PIPELINE: &str = "TEST_PIPELINE";

const TESTS: &[(&str, fn())] = &[
    ("a_pipeline_makes_the_same_on_kubernetes", same),
    ("a_task_on_kubernetes_fails_with_its_own_error", failure),
    ("a_pod_that_cannot_begin_fails_its_task", cannot_begin),
    (
        "a_worker_that_was_killed_finds_its_job_by_the_label",
        killed,
    ),
    ("a_run_whose_time_is_over_deletes_its_job", timed_out),
    ("what_makes_no_sense_is_said_before_anything_runs", refused),
];

fn main() -> ExitCode {
    if std::env::var_os(PIPELINE).is_some() {
        return condotta::run();
    }
    let trials = TESTS.iter().map(|(name, test)| {
        Trial::test(*name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

struct Place {
    server: Server,
    folder: TempDir,
}

impl Place {
    fn new(image: &str) -> Self {
        let place = Self {
            server: Server::start(),
            folder: tempfile::tempdir().unwrap(),
        };
        place.server.write_kubeconfig(&place.path("kubeconfig"));
        let at = place.folder.path().display();
        place.write(
            "luigi.cfg",
            &format!(
                "[engine]\nSum = kubernetes\nFails = kubernetes\nSleeps = kubernetes\n\
                 [engine:kubernetes]\nfolder = {at}/runs\nkubeconfig = {at}/kubeconfig\nimage = {image}\n\
                 environment = {PIPELINE}\npatience = 1\n[engine:Sum]\nmemory = 1Gi\n"
            ),
        );
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(arguments.split_whitespace())
            .args(["--local-scheduler", "--no-lock"])
            .args(["--worker-wait-interval", "0.1", "--worker-wait-jitter", "0"])
            .current_dir(self.folder.path())
            .env(PIPELINE, "1")
            .env_remove("LUIGI_CONFIG_PATH")
            .stdin(Stdio::null());
        command
    }

    /// The code, and all that was printed: a pod has one stream for both.
    fn run(&self, arguments: &str) -> (i32, String) {
        let ran = self.command(arguments).output().unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        (ran.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    fn start(&self, arguments: &str) -> Worker {
        let log = fs::File::create(self.path("log")).unwrap();
        let mut command = self.command(arguments);
        Worker(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }
}

/// Does not outlive the test.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn same() {
    let place = Place::new("good");
    let (code, said) = place.run("Report --count 4 --password x --retcode-task-failed 1");
    assert_eq!(code, 2, "Report has no such parameter: {said}");
    let (code, said) = place.run("Report --count 4");
    assert_eq!(code, 0, "{said}");
    assert_eq!(place.read("report.4"), "the sum is 10");
    assert!(
        place.read("ran.Sum").starts_with("condotta-"),
        "{}",
        place.read("ran.Sum")
    );
    assert_eq!(
        place.read("ran.Numbers"),
        "\n",
        "it is not named, so it runs here"
    );
    assert!(said.contains("* 3 ran successfully:"), "{said}");
    for line in ["complained, by ***\n", "INFO: logged\n"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let job = place.server.state().created[0].to_string();
    assert!(
        job.contains("--condotta-run") && job.contains("1Gi"),
        "{job}"
    );
    assert!(
        !job.contains("hunter22") && !job.contains("--count"),
        "{job}"
    );
    assert_eq!(fs::read_dir(place.path("runs")).unwrap().count(), 0);
}

fn failure() {
    let (_, said) = Place::new("good").run("Fails --how error");
    assert!(
        said.contains("out of cheese\n  caused by: out of milk\n"),
        "{said}"
    );
    assert!(said.contains("* 1 failed:"), "{said}");
}

fn cannot_begin() {
    let (_, said) = Place::new("missing").run("Fails --how error");
    assert!(
        said.contains("the image missing cannot be fetched (ImagePullBackOff)"),
        "{said}"
    );
    let (_, said) = Place::new("hungry").run("Fails --how exit");
    assert!(said.contains("(OOMKilled)"), "{said}");
}

fn killed() {
    let place = Place::new("good");
    let worker = place.start("Sleeps");
    place
        .server
        .wait_until("it runs", |_| !place.read("ran.Sleeps").is_empty());
    drop(worker);
    let mut worker = place.start("Sleeps");
    place.server.wait_until("it is found", |_| {
        place
            .read("log")
            .contains("Going on with Kubernetes job condotta-")
    });
    place.write("go", "");
    assert!(worker.0.wait().unwrap().success());
    assert_eq!(place.read("slept"), "well");
    assert_eq!(place.server.state().created.len(), 1, "it ran once");
}

fn timed_out() {
    let place = Place::new("good");
    let (_, said) = place.run("Sleeps --timeout 1");
    assert!(
        said.contains(" timed out after 1 seconds and was terminated."),
        "{said}"
    );
    assert_eq!(place.server.state().deleted[0].1, "Foreground");
    assert!(place.server.jobs().is_empty());
}

fn refused() {
    let place = Place::new("good");
    place.write(
        "luigi.cfg",
        "[engine]\nSum = kubernetes\n[engine:Sum]\nfolder = /runs\n",
    );
    let (code, said) = place.run("Sum --count 2");
    assert_eq!(code, 4);
    assert!(
        said.contains("Sum is to run on kubernetes, which needs image ("),
        "{said}"
    );
    assert_eq!(place.read("ran.Numbers"), "");
}
