//! Jobs of Kubernetes, on a stand-in for a cluster that runs them on this machine.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    thread,
    time::Duration,
};

use condotta_programs::{
    Attempt, Detached, Stream,
    kubernetes::{KubernetesError, KubernetesJob, KubernetesSettings},
};
use condotta_test_servers::kubernetes::Server;
use tempfile::TempDir;

/// A run, which may die when it hears a word.
struct Run {
    said: Detached,
    dies_at: Option<&'static str>,
}

impl Run {
    fn new() -> Self {
        Self {
            said: Detached::default(),
            dies_at: None,
        }
    }
}

impl Attempt for Run {
    fn task_id(&self) -> &str {
        "Task_of_a_test_99914b932b"
    }
    fn printed(&self, stream: Stream, text: &[u8]) {
        self.said.printed(stream, text);
        if let Some(word) = self.dies_at {
            assert!(!self.said.stdout().contains(word), "it was to die here");
        }
    }
    fn stop_requested(&self) -> bool {
        self.said.stop_requested()
    }
    fn set_tracking_url(&self, _: &str) {}
    fn set_status_message(&self, message: &str) {
        self.said.set_status_message(message);
    }
    fn set_progress_percentage(&self, _: f64) {}
    fn secrets(&self) -> Vec<String> {
        vec!["hunter22".to_owned()]
    }
}

struct Place {
    server: Server,
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            server: Server::start(),
            folder: tempfile::tempdir().unwrap(),
        };
        place.server.write_kubeconfig(&place.kubeconfig());
        place
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    fn job<'a>(&self, run: &'a Run, image: &str, script: &str) -> KubernetesJob<'a> {
        let settings = KubernetesSettings {
            kubeconfig: Some(self.kubeconfig()),
            image: image.to_owned(),
            memory: Some("1Gi".to_owned()),
            volume: Some(("claim".to_owned(), "/shared".into())),
            node_selector: vec![("disk".to_owned(), "ssd".to_owned())],
            patience: Some(Duration::from_secs(1)),
            ..KubernetesSettings::default()
        };
        KubernetesJob::new("sh", run, settings)
            .args(["-c", script])
            .env("NAME", "value")
            .current_dir(self.folder.path())
    }

    fn run(&self, image: &str, script: &str) -> (Run, Result<(), KubernetesError>) {
        let run = Run::new();
        let result = self.job(&run, image, script).run();
        (run, result)
    }

    fn deleted(&self) -> Vec<(String, String)> {
        self.server.state().deleted.clone()
    }
}

#[test]
fn a_job_runs_and_what_it_prints_is_heard() {
    let place = Place::new();
    let (run, result) = place.run(
        "good",
        "echo one; echo \"two $NAME\" >&2; echo hunter22; pwd; printf end",
    );
    result.unwrap();
    let folder = place.folder.path().canonicalize().unwrap();
    let expected = format!("one\ntwo value\n***\n{}\nend\n", folder.display());
    assert_eq!(run.said.stdout(), expected);
    let job = place.server.state().created[0].clone();
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["restartPolicy"], "Never");
    assert_eq!(pod["containers"][0]["resources"]["limits"]["memory"], "1Gi");
    assert_eq!(pod["nodeSelector"]["disk"], "ssd");
    assert_eq!(
        pod["volumes"][0]["persistentVolumeClaim"]["claimName"],
        "claim"
    );
    assert_eq!(
        pod["containers"][0]["volumeMounts"][0]["mountPath"],
        "/shared"
    );
    assert_eq!(job["spec"]["backoffLimit"], 0);
    assert_eq!(
        job["metadata"]["annotations"]["condotta/task-id"],
        "Task_of_a_test_99914b932b"
    );
    // Its output was read, so it goes, with its pod.
    let name = job["metadata"]["name"].as_str().unwrap();
    assert_eq!(
        place.deleted(),
        [(name.to_owned(), "Foreground".to_owned())]
    );
    assert!(place.server.jobs().is_empty());
}

#[test]
fn a_job_that_fails_says_why_and_stays() {
    let place = Place::new();
    let (run, result) = place.run("good", "echo half; echo 'out of hunter22'; exit 7");
    let error = result.unwrap_err().to_string();
    assert!(
        error.ends_with(
            "failed with exit code 7\n  the last lines that it printed:\n    half\n    out of ***"
        ),
        "{error}"
    );
    assert!(
        run.said
            .status_message()
            .unwrap()
            .ends_with(": failed with exit code 7")
    );
    assert_eq!(place.server.jobs().len(), 1);
}

#[test]
fn a_job_that_wants_too_much_memory_says_so() {
    let (_, result) = Place::new().run("hungry", "exit 137");
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("wanted more memory than it may have (OOMKilled)"),
        "{error}"
    );
}

#[test]
fn an_image_that_cannot_be_fetched_is_told_and_not_waited_for_for_ever() {
    let place = Place::new();
    let (run, result) = place.run("missing", "true");
    let error = result.unwrap_err();
    let text = "the image missing cannot be fetched (ImagePullBackOff): Back-off pulling image \"missing\"";
    assert!(
        matches!(error, KubernetesError::CannotBegin { .. }),
        "{error}"
    );
    assert!(error.to_string().ends_with(text), "{error}");
    assert!(run.said.status_message().unwrap().ends_with(text));
    assert_eq!(place.deleted().len(), 1);
}

#[test]
fn what_the_cluster_refuses_is_an_error_with_its_reason() {
    let place = Place::new();
    let (_, result) = place.run("forbidden", "true");
    let error = result.unwrap_err().to_string();
    assert_eq!(
        error,
        "Kubernetes cannot create the job: jobs.batch is forbidden: exceeded quota: compute"
    );
    let nowhere = Place::new();
    let text = std::fs::read_to_string(nowhere.kubeconfig()).unwrap();
    let port = text
        .split("127.0.0.1:")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    std::fs::write(nowhere.kubeconfig(), text.replace(port, "1")).unwrap();
    let (_, result) = nowhere.run("good", "true");
    let error = result.unwrap_err().to_string();
    assert!(
        error.starts_with("Kubernetes cannot list the jobs of the task: "),
        "{error}"
    );
    std::fs::remove_file(nowhere.kubeconfig()).unwrap();
    let (_, result) = nowhere.run("good", "true");
    let error = result.unwrap_err().to_string();
    assert!(
        error.starts_with("no Kubernetes cluster can be used: "),
        "{error}"
    );
}

#[test]
fn a_run_that_is_to_stop_deletes_its_job_with_its_pod() {
    let place = Place::new();
    let run = Run::new();
    let result = thread::scope(|scope| {
        let job = place.job(&run, "good", "echo begun; exec sleep 1000");
        scope.spawn(|| {
            place
                .server
                .wait_until("it prints", |state| state.printed() == 1);
            run.said.stop();
        });
        job.run()
    });
    assert!(
        matches!(result, Err(KubernetesError::Stopped { .. })),
        "{result:?}"
    );
    let deleted = place.deleted();
    assert_eq!((deleted.len(), deleted[0].1.as_str()), (1, "Foreground"));
}

#[test]
fn a_run_that_died_is_gone_on_with() {
    let place = Place::new();
    let dies = Run {
        dies_at: Some("one"),
        ..Run::new()
    };
    let go = place.folder.path().join("go");
    let script = format!(
        "echo one; until [ -e {} ]; do sleep 0.05; done; echo two",
        go.display()
    );
    let died = catch_unwind(AssertUnwindSafe(|| place.job(&dies, "good", &script).run()));
    died.unwrap_err();
    assert_eq!(place.deleted(), []);
    std::fs::write(&go, "").unwrap();
    let (run, result) = place.run("good", &script);
    result.unwrap();
    assert_eq!(run.said.stdout(), "one\ntwo\n", "from the start");
    assert_eq!(place.server.state().created.len(), 1, "it ran once");
}

#[test]
fn another_command_of_the_task_deletes_the_old_job() {
    let place = Place::new();
    let (_, result) = place.run("good", "exit 1");
    result.unwrap_err();
    let old = place.server.jobs();
    let (_, result) = place.run("good", "exit 0");
    result.unwrap();
    assert_eq!(
        place.deleted()[0],
        (old[0].clone(), "Background".to_owned())
    );
}

#[test]
fn a_job_that_somebody_deletes_has_failed() {
    let place = Place::new();
    let run = Run::new();
    let result = thread::scope(|scope| {
        let job = place.job(&run, "good", "echo begun; exec sleep 1000");
        scope.spawn(|| {
            place
                .server
                .wait_until("it prints", |state| state.printed() == 1);
            place.server.delete(&place.server.jobs()[0]);
        });
        job.run()
    });
    assert!(
        matches!(result, Err(KubernetesError::Deleted { .. })),
        "{result:?}"
    );
}

#[test]
fn connections_that_break_lose_nothing_and_repeat_nothing() {
    let place = Place::new();
    {
        let mut state = place.server.state();
        state.log_breaks_after = Some(3);
        state.watches_expire = 2;
    }
    let (run, result) = place.run(
        "good",
        "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done",
    );
    result.unwrap();
    assert_eq!(run.said.stdout(), "1\n2\n3\n4\n5\n6\n7\n8\n");
    let requests = place.server.state().requests.clone();
    assert!(
        requests.iter().any(|request| request.contains("sinceTime")),
        "{requests:#?}"
    );
    let asked = |part: &str| {
        requests
            .iter()
            .filter(|request| request.contains(part))
            .count()
    };
    assert!(
        asked("watch=true") < 12,
        "it watches, and does not ask again and again: {requests:#?}"
    );
}
