//! A job for Kubernetes, described step by step.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::PathBuf,
    time::Duration,
};

use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use super::{KubernetesError, follow::Follow};
use crate::{Argument, Attempt, secrets::Secrets};

/// Where jobs go, and what they get.
#[derive(Clone, Debug, Default)]
pub struct KubernetesSettings {
    /// The configuration of `kubectl`, if it is not in its usual place.
    pub kubeconfig: Option<PathBuf>,
    /// Which context of the configuration of `kubectl`; by default the current one, or, within a cluster,
    /// that of the pod.
    pub context: Option<String>,
    /// The namespace, by default that of the context.
    pub namespace: Option<String>,
    /// The container's image.
    pub image: String,
    /// When the image is fetched: `Always`, `IfNotPresent` or `Never`.
    pub image_pull_policy: Option<String>,
    /// CPUs, as Kubernetes counts them.
    pub cpus: Option<String>,
    /// Memory, as Kubernetes counts it.
    pub memory: Option<String>,
    /// The account that the pod has.
    pub service_account: Option<String>,
    /// A claim to a volume, and the path at which the pod sees it.
    pub volume: Option<(String, PathBuf)>,
    /// Labels that a node must have.
    pub node_selector: Vec<(String, String)>,
    /// So long a pod may be unable to begin, as when its image cannot be fetched.
    pub patience: Option<Duration>,
}

/// A program as a job of Kubernetes. Nothing happens before [`run`](Self::run).
#[must_use = "nothing happens before `run`"]
pub struct KubernetesJob<'a> {
    attempt: &'a dyn Attempt,
    settings: KubernetesSettings,
    command: Vec<OsString>,
    environment: Vec<(String, String)>,
    folder: Option<PathBuf>,
    secrets: Secrets,
}

impl<'a> KubernetesJob<'a> {
    /// A program in a run.
    pub fn new(
        program: impl Argument,
        attempt: &'a dyn Attempt,
        settings: KubernetesSettings,
    ) -> Self {
        Self {
            attempt,
            settings,
            command: vec![program.to_argument()],
            environment: Vec::new(),
            folder: None,
            secrets: Secrets::of(attempt),
        }
    }

    /// Adds arguments. The cluster shows them to whoever may look at jobs.
    pub fn args<A: Argument>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter();
        self.command
            .extend(arguments.map(|argument| argument.to_argument()));
        self
    }

    /// Sets an environment variable. The cluster shows it, too.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The folder in which the program works.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Creates the job, or goes on with the one that an earlier run created for the same call, and waits for
    /// its end.
    ///
    /// # Errors
    /// There is no cluster, or it does not take the job; it failed, or was deleted.
    pub fn run(self) -> Result<(), KubernetesError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| KubernetesError::NoCluster(error.to_string()))?;
        let job = self.manifest()?;
        let follow = Follow {
            attempt: self.attempt,
            secrets: &self.secrets,
            kubeconfig: self.settings.kubeconfig.as_deref(),
            context: self.settings.context.as_deref(),
            namespace: self.settings.namespace.as_deref(),
            task: self.task_label(),
            call: self.call_label(),
            patience: self.settings.patience.unwrap_or(Duration::from_secs(120)),
        };
        runtime.block_on(follow.run(job))
    }

    /// Labels may have 63 letters of a small choice: tasks have longer ids.
    fn task_label(&self) -> String {
        hashed(&[OsStr::new(&self.attempt.job_id())])
    }

    /// Equal for equal calls.
    fn call_label(&self) -> String {
        let words: Vec<&OsStr> = self.command.iter().map(OsString::as_os_str).collect();
        hashed(&words)
    }

    fn manifest(&self) -> Result<Job, KubernetesError> {
        let settings = &self.settings;
        let call = self.call_label();
        let command: Vec<_> = self
            .command
            .iter()
            .map(|word| word.to_string_lossy())
            .collect();
        let labels = json!({
            "app.kubernetes.io/managed-by": "condotta",
            "condotta/task": self.task_label(),
            "condotta/call": call,
        });
        let environment = self.environment.iter();
        let environment: Vec<Value> = environment
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        let mut resources = serde_json::Map::new();
        for (name, value) in [("cpu", &settings.cpus), ("memory", &settings.memory)] {
            if let Some(value) = value {
                resources.insert(name.to_owned(), json!(value));
            }
        }
        let mut container = json!({
            "name": "task",
            "image": settings.image,
            "command": command,
            "env": environment,
            "resources": {"requests": resources, "limits": resources},
        });
        let mut pod = json!({"restartPolicy": "Never"});
        if let Some(policy) = &settings.image_pull_policy {
            container["imagePullPolicy"] = json!(policy);
        }
        if let Some(folder) = &self.folder {
            container["workingDir"] = json!(folder);
        }
        if let Some((claim, path)) = &settings.volume {
            container["volumeMounts"] = json!([{"name": "shared", "mountPath": path}]);
            pod["volumes"] =
                json!([{"name": "shared", "persistentVolumeClaim": {"claimName": claim}}]);
        }
        if let Some(account) = &settings.service_account {
            pod["serviceAccountName"] = json!(account);
        }
        if !settings.node_selector.is_empty() {
            let labels = settings.node_selector.iter().cloned();
            pod["nodeSelector"] = labels.map(|(name, value)| (name, json!(value))).collect();
        }
        pod["containers"] = json!([container]);
        let job = json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": format!("condotta-{call}"),
                "labels": labels,
                "annotations": {"condotta/task-id": self.attempt.task_id()},
            },
            "spec": {
                // Whether it is tried again is for the scheduler to say.
                "backoffLimit": 0,
                // A job that nobody asks for any more goes by itself.
                "ttlSecondsAfterFinished": 86_400,
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        });
        serde_json::from_value(job).map_err(|error| KubernetesError::Refused {
            action: "be given the job",
            reason: error.to_string(),
        })
    }
}

/// The same in every process of one build of the program.
fn hashed(words: &[&OsStr]) -> String {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

impl fmt::Debug for KubernetesJob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KubernetesJob")
            .field(&self.settings.image)
            .finish()
    }
}
