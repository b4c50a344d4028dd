//! A job from its creation to its end: watched, its pod's output passed on, and deleted when the run is to
//! stop.

use std::{
    path::Path,
    pin::pin,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::{
    Client, Config,
    api::{Api, DeleteParams, ListParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use tokio::sync::{mpsc::UnboundedReceiver, watch};

use super::{
    KubernetesError,
    error::with_causes,
    logs,
    pods::{self, PodState},
};
use crate::{Attempt, Stream, secrets::Secrets, tail::Tail};

/// How often it is asked whether the run is to stop.
const LOOK: Duration = Duration::from_millis(200);
/// So long a job that was deleted is waited for.
const DELETED: Duration = Duration::from_secs(60);
/// So long what a pod printed may take to come after its end, and its pod to be seen after the job's.
const LATE: Duration = Duration::from_secs(10);

/// What is followed.
pub(super) struct Follow<'a> {
    pub(super) attempt: &'a dyn Attempt,
    pub(super) secrets: &'a Secrets,
    pub(super) kubeconfig: Option<&'a Path>,
    pub(super) context: Option<&'a str>,
    pub(super) namespace: Option<&'a str>,
    /// The label of all jobs of the task.
    pub(super) task: String,
    /// The label of the one for this call.
    pub(super) call: String,
    pub(super) patience: Duration,
}

/// What has been seen.
#[derive(Default)]
struct Seen {
    pod: Option<PodState>,
    output: Output,
    tail: Tail,
    told: String,
    stuck_since: Option<Instant>,
    /// The job has ended: well, or not.
    ended: Option<bool>,
    ended_at: Option<Instant>,
    deleted: bool,
}

/// What the pod prints.
#[derive(Default)]
struct Output {
    is_begun: bool,
    /// Whether the pod has ended.
    has_ended: watch::Sender<bool>,
    lines: Option<UnboundedReceiver<Vec<u8>>>,
}

impl Output {
    /// The next line, or the end of them. While there is nothing to read it waits for ever.
    async fn next(&mut self) -> Option<Vec<u8>> {
        match &mut self.lines {
            Some(lines) => lines.recv().await,
            None => std::future::pending().await,
        }
    }

    fn is_read(&self) -> bool {
        self.is_begun && self.lines.is_none()
    }
}

impl Follow<'_> {
    pub(super) async fn run(self, job: Job) -> Result<(), KubernetesError> {
        let client = self.client().await?;
        let jobs: Api<Job> = match self.namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::default_namespaced(client.clone()),
        };
        let pods: Api<Pod> = match self.namespace {
            Some(namespace) => Api::namespaced(client, namespace),
            None => Api::default_namespaced(client),
        };
        let name = self.begin(&jobs, job).await?;
        let result = self.follow(&jobs, &pods, &name).await;
        match &result {
            // What did not end well can be looked at for a day.
            Err(KubernetesError::Failed { .. } | KubernetesError::Deleted { .. }) => {}
            _ => self.delete(&jobs, &name).await,
        }
        result
    }

    async fn client(&self) -> Result<Client, KubernetesError> {
        let no_cluster =
            |error: &dyn std::error::Error| KubernetesError::NoCluster(with_causes(error));
        let options = KubeConfigOptions {
            context: self.context.map(str::to_owned),
            ..KubeConfigOptions::default()
        };
        let config = if let Some(path) = self.kubeconfig {
            let known = Kubeconfig::read_from(path).map_err(|error| no_cluster(&error))?;
            let config = Config::from_custom_kubeconfig(known, &options).await;
            config.map_err(|error| no_cluster(&error))?
        } else if self.context.is_some() {
            let config = Config::from_kubeconfig(&options).await;
            config.map_err(|error| no_cluster(&error))?
        } else {
            Config::infer().await.map_err(|error| no_cluster(&error))?
        };
        Client::try_from(config).map_err(|error| no_cluster(&error))
    }

    /// Creates the job, unless it is there. Those of the task that do something else go. Returns its name.
    async fn begin(&self, jobs: &Api<Job>, job: Job) -> Result<String, KubernetesError> {
        let of_task = ListParams::default().labels(&format!("condotta/task={}", self.task));
        let known = jobs.list(&of_task).await;
        let mut found = None;
        for known in known.map_err(KubernetesError::refused("list the jobs of the task"))? {
            let name = known.metadata.name.unwrap_or_default();
            let labels = known.metadata.labels.unwrap_or_default();
            if known.metadata.deletion_timestamp.is_some() {
                continue;
            }
            if labels.get("condotta/call") == Some(&self.call) {
                found = Some(name);
            } else {
                tracing::info!(
                    target: "luigi-interface",
                    "Deleting Kubernetes job {name}, which an earlier run of the task left",
                );
                let _ = jobs.delete(&name, &DeleteParams::background()).await;
            }
        }
        if let Some(name) = found {
            tracing::info!(target: "luigi-interface", "Going on with Kubernetes job {name}");
            return Ok(name);
        }
        let name = job.metadata.name.clone().unwrap_or_default();
        let created = jobs.create(&PostParams::default(), &job).await;
        created.map_err(KubernetesError::refused("create the job"))?;
        tracing::info!(target: "luigi-interface", "Created Kubernetes job {name}");
        self.attempt
            .set_status_message(&format!("Kubernetes job {name}"));
        Ok(name)
    }

    async fn follow(
        &self,
        jobs: &Api<Job>,
        pods: &Api<Pod>,
        name: &str,
    ) -> Result<(), KubernetesError> {
        let of_job = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let of_call = watcher::Config::default().labels(&format!("condotta/call={}", self.call));
        let mut of_job = pin!(watcher(jobs.clone(), of_job).default_backoff());
        let mut of_call = pin!(watcher(pods.clone(), of_call).default_backoff());
        let mut clock = tokio::time::interval(LOOK);
        let mut seen = Seen::default();
        let mut listed = None;
        loop {
            tokio::select! {
                event = of_job.next() => match event {
                    Some(Ok(Event::Init)) => listed = Some(false),
                    Some(Ok(Event::InitApply(job))) => {
                        listed = Some(true);
                        seen.see_job(&job);
                    }
                    Some(Ok(Event::InitDone)) => seen.deleted |= listed == Some(false),
                    Some(Ok(Event::Apply(job))) => seen.see_job(&job),
                    Some(Ok(Event::Delete(_))) => seen.deleted = true,
                    Some(Err(error)) => complain(&error),
                    None => {}
                },
                event = of_call.next() => match event {
                    Some(Ok(Event::Apply(pod) | Event::InitApply(pod))) => self.see_pod(&pod, pods, name, &mut seen),
                    Some(Err(error)) => complain(&error),
                    _ => {}
                },
                line = seen.output.next() => self.pass_on(line, &mut seen),
                _ = clock.tick() => {
                    if self.attempt.stop_requested() {
                        return Err(KubernetesError::Stopped { job: name.to_owned() });
                    }
                }
            }
            if let Some(end) = self.end(name, &mut seen) {
                return end;
            }
        }
    }

    fn see_pod(&self, pod: &Pod, pods: &Api<Pod>, job: &str, seen: &mut Seen) {
        let state = pods::state(pod);
        let text = match &state {
            PodState::Pending(text) | PodState::Stuck(text) | PodState::Hopeless(text) => text,
            PodState::Running => "running",
            PodState::Done => "ended",
            PodState::Failed(text) => text,
        };
        let text = self.secrets.hide(&format!("Kubernetes job {job}: {text}"));
        if text != seen.told {
            tracing::info!(target: "luigi-interface", "{text}");
            self.attempt.set_status_message(&text);
            seen.told = text;
        }
        match &state {
            PodState::Stuck(_) => _ = seen.stuck_since.get_or_insert_with(Instant::now),
            PodState::Pending(_) | PodState::Hopeless(_) => {}
            PodState::Running | PodState::Done | PodState::Failed(_) => {
                seen.stuck_since = None;
                if !seen.output.is_begun
                    && let Some(name) = &pod.metadata.name
                {
                    seen.output.is_begun = true;
                    seen.output.lines = Some(logs::start(
                        pods.clone(),
                        name.clone(),
                        seen.output.has_ended.subscribe(),
                    ));
                }
                let has_ended = state != PodState::Running;
                seen.output.has_ended.send_replace(has_ended);
            }
        }
        seen.pod = Some(state);
    }

    fn pass_on(&self, line: Option<Vec<u8>>, seen: &mut Seen) {
        let Some(mut line) = line else {
            seen.output.lines = None;
            return;
        };
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        if let Some(hidden) = self.secrets.hide_bytes(&line) {
            line = hidden;
        }
        seen.tail.push(line.trim_ascii_end());
        self.attempt.printed(Stream::Stdout, &line);
    }

    /// The end of it, if it has come.
    fn end(&self, name: &str, seen: &mut Seen) -> Option<Result<(), KubernetesError>> {
        let job = name.to_owned();
        if seen.deleted {
            return Some(Err(KubernetesError::Deleted { job }));
        }
        match &seen.pod {
            Some(PodState::Hopeless(reason)) => {
                let reason = reason.clone();
                return Some(Err(KubernetesError::CannotBegin { job, reason }));
            }
            Some(PodState::Stuck(reason))
                if seen
                    .stuck_since
                    .is_some_and(|since| since.elapsed() >= self.patience) =>
            {
                let reason = reason.clone();
                return Some(Err(KubernetesError::CannotBegin { job, reason }));
            }
            _ => {}
        }
        let ended_well = seen.ended?;
        let late = seen.ended_at.is_some_and(|at| at.elapsed() > LATE);
        // Of a job that failed, its pod says why, and may say it later than the job.
        let is_told = ended_well || matches!(seen.pod, Some(PodState::Failed(_)));
        if !(seen.output.is_read() && is_told || late) {
            return None;
        }
        if ended_well {
            return Some(Ok(()));
        }
        let reason = match seen.pod.take() {
            Some(PodState::Failed(reason)) => reason,
            _ => "failed".to_owned(),
        };
        Some(Err(KubernetesError::Failed {
            job,
            reason: self.secrets.hide(&reason),
            last_lines: std::mem::take(&mut seen.tail).into_lines(),
        }))
    }

    /// With its pods. It is gone when they are.
    async fn delete(&self, jobs: &Api<Job>, name: &str) {
        let begun = Instant::now();
        let deleted = jobs.delete(name, &DeleteParams::foreground()).await;
        if let Err(error) = deleted {
            tracing::warn!(target: "luigi-interface", "Kubernetes job {name} cannot be deleted: {error}");
            return;
        }
        while begun.elapsed() < DELETED {
            match jobs.get_opt(name).await {
                Ok(Some(_)) => tokio::time::sleep(LOOK).await,
                Ok(None) | Err(_) => return,
            }
        }
    }
}

impl Seen {
    fn see_job(&mut self, job: &Job) {
        let conditions = job
            .status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten());
        for condition in conditions.filter(|condition| condition.status == "True") {
            match condition.type_.as_str() {
                "Complete" => self.ended = Some(true),
                "Failed" => self.ended = Some(false),
                _ => continue,
            }
            self.ended_at.get_or_insert_with(Instant::now);
        }
    }
}

/// The watch goes on by itself.
fn complain(error: &watcher::Error) {
    tracing::warn!(target: "luigi-interface", "Kubernetes is asked again: {error}");
}
