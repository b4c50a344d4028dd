"""Kubernetes tasks: the real client against a stand-in for the cluster, which knows the calls that are needed."""

import copy
import json

import pytest

import luigi
from luigi import configuration
from luigi.contrib.kubernetes import KubernetesJobTask, kubernetes
from luigi.mock import MockTarget

from .http_service import http_service

RUNNING = {"state": {"running": {}}}


class Cluster:
    """Keeps one job; tells its pods and its status in the order that the test sets, the last of them for ever."""

    def __init__(self):
        self.job = None
        self.deleted = None
        self.scaled_to = None
        self.pod_statuses = [{"containerStatuses": [RUNNING]}]
        self.job_statuses = [{"active": 1}, {"succeeded": 1}]
        self.asked = []

    def __call__(self, request):
        self.asked.append((request.method, request.path))
        if request.path == "/version":
            return 200, {"major": "1", "minor": "25"}
        kind = request.path.split("/namespaces/")[1].split("/")[1]
        if kind == "pods":
            return self.pods(request)
        if request.method == "POST":
            self.submitted = copy.deepcopy(request.body)
            self.job = request.body
            # Kubernetes fills in what was not said.
            self.job["spec"]["parallelism"] = 1
            return 201, self.job
        if request.method == "DELETE":
            self.deleted = request.body
            return 200, {"kind": "Status"}
        if request.method == "PATCH":
            self.scaled_to = self.job["spec"]["parallelism"] = request.body["spec"]["parallelism"]
            return 200, self.job
        if request.path.endswith("/jobs"):
            assert request.query["labelSelector"] == [
                "luigi_task_id=" + self.job["metadata"]["labels"]["luigi_task_id"]
            ]
            status = self.job_statuses.pop(0) if len(self.job_statuses) > 1 else self.job_statuses[0]
            self.job["status"] = status
            return 200, {"kind": "JobList", "items": [self.job]}
        return 200, self.job

    def pods(self, request):
        if request.path.endswith("/log"):
            return 200, b"first line\nsecond line\n"
        assert request.query["labelSelector"] == ["job-name=" + self.job["metadata"]["name"]]
        status = self.pod_statuses.pop(0) if len(self.pod_statuses) > 1 else self.pod_statuses[0]
        if status is None:
            return 200, {"kind": "PodList", "items": []}
        metadata = {"name": "pod-1", "namespace": "spaces"}
        return 200, {"kind": "PodList", "items": [{"kind": "Pod", "metadata": metadata, "status": status}]}


class Job(KubernetesJobTask):
    name = "job"
    spec_schema = {"containers": [{"name": "c", "image": "i", "command": ["true"]}]}
    poll_interval = 0
    pod_creation_wait_interal = 0

    def signal_complete(self):
        with self.output().open("w") as file:
            file.write("")

    def output(self):
        return MockTarget("kubernetes-job")


class FullJob(Job):
    labels = {"team": "one"}
    backoff_limit = 2
    active_deadline_seconds = 9
    print_pod_logs_on_exit = True
    delete_on_success = False
    spec_schema = {"containers": [], "restartPolicy": "OnFailure"}


@pytest.fixture
def cluster(tmp_path):
    """A cluster, and a configuration that leads to it."""
    MockTarget.fs.clear()
    cluster = Cluster()
    config = configuration.get_config()
    with http_service(cluster) as (port, _):
        address = "http://127.0.0.1:%d" % port
        (tmp_path / "kubeconfig").write_text(
            json.dumps(
                {
                    "clusters": [{"name": "c", "cluster": {"server": address}}],
                    "users": [{"name": "u", "user": {"token": "t"}}],
                    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "spaces"}}],
                    "current-context": "x",
                }
            )
        )
        config.set("kubernetes", "kubeconfig_path", str(tmp_path / "kubeconfig"))
        yield cluster
        config.remove_option("kubernetes", "kubeconfig_path")


def test_a_job_runs_and_goes(cluster, luigi_log):
    task = Job()
    task.run()
    assert task.complete()
    job = cluster.submitted
    assert job["metadata"]["name"] == task.uu_name and task.uu_name.startswith("job-20")
    assert task.uu_name.endswith(task.job_uuid[:16])
    assert job["metadata"]["labels"] == {"spawned_by": "luigi", "luigi_task_id": task.job_uuid}
    template = {"metadata": {"name": task.uu_name, "labels": {}}, "spec": {**Job.spec_schema, "restartPolicy": "Never"}}
    assert job["spec"] == {"backoffLimit": 6, "template": template}
    assert cluster.scaled_to == 0
    assert cluster.deleted["propagationPolicy"] == "Background"
    assert "`kubectl logs -f pod/pod-1 -n spaces`" in luigi_log.messages
    assert luigi_log.messages[-1] == "Kubernetes job %s succeeded" % task.uu_name
    # What the class says of all its tasks is as it was.
    assert "restartPolicy" not in Job.spec_schema


def test_all_settings_reach_the_cluster(cluster, luigi_log):
    config = configuration.get_config()
    config.set("kubernetes", "kubernetes_namespace", "other")
    try:
        FullJob().run()
    finally:
        config.remove_option("kubernetes", "kubernetes_namespace")
    job = cluster.submitted
    assert job["metadata"]["namespace"] == "other" and job["metadata"]["labels"]["team"] == "one"
    assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"]) == (2, 9)
    assert job["spec"]["template"]["metadata"]["labels"] == {"team": "one"}
    assert job["spec"]["template"]["spec"] == FullJob.spec_schema
    assert ("POST", "/apis/batch/v1/namespaces/other/jobs") in cluster.asked
    assert "first line" in luigi_log.messages and "second line" in luigi_log.messages
    assert cluster.deleted is None


def test_a_pod_is_waited_for(cluster):
    creating = {"state": {"waiting": {"reason": "ContainerCreating"}}}
    not_ready = {"reason": "ContainersNotReady", "status": "False", "message": "wait"}
    cluster.pod_statuses = [
        None,
        {"containerStatuses": [creating], "conditions": [not_ready]},
        {"containerStatuses": [RUNNING], "conditions": [{"reason": "r", "status": "True", "message": "m"}]},
    ]
    Job().run()
    assert cluster.pod_statuses == cluster.pod_statuses[-1:]


@pytest.mark.parametrize(
    "status, message",
    [
        (None, "No pod scheduled by job-"),
        (
            {"containerStatuses": [{"state": {"terminated": {"reason": "Error", "exitCode": 2}}}]},
            r"Pod pod-1 Error \(exit code 2\). Logs: `kubectl logs pod/pod-1`",
        ),
        (
            {"containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]},
            "Pod pod-1 ErrImagePull. Logs: `kubectl logs pod/pod-1`",
        ),
        (
            {"conditions": [{"reason": "Unschedulable", "status": "False", "message": "no room"}]},
            r"\[ERROR\] Unschedulable - no room",
        ),
    ],
)
def test_a_pod_that_cannot_run_fails_the_task(cluster, status, message):
    cluster.pod_statuses = [status]
    with pytest.raises(AssertionError, match=message):
        Job().run()


def test_a_job_fails_when_more_pods_failed_than_may(cluster):
    cluster.job_statuses = [{"active": 1}, {"active": 1}, {"failed": 1, "active": 1}]
    with pytest.raises(AssertionError, match="Kubernetes job job-.* failed"):
        Job().run()
    assert cluster.scaled_to == 0 and not Job().complete()


def test_failed_pods_may_be_followed_by_one_that_works(cluster):
    class Patient(Job):
        max_retrials = 2

    cluster.job_statuses = [{"active": 1}, {"active": 1}, {"failed": 2, "active": 1}, {"failed": 2, "succeeded": 1}]
    Patient().run()
    assert cluster.deleted is not None


def test_settings_and_what_must_be_given():
    config = kubernetes()
    assert (config.auth_method, config.max_retrials, config.kubernetes_namespace) == ("kubeconfig", 0, None)
    with pytest.raises(NotImplementedError, match="subclass must define name"):
        assert KubernetesJobTask().name
    with pytest.raises(NotImplementedError, match="subclass must define spec_schema"):
        assert KubernetesJobTask().spec_schema

    class Wrong(Job):
        auth_method = "password"

    with pytest.raises(ValueError, match="Illegal auth_method"):
        Wrong().run()
    assert issubclass(KubernetesJobTask, luigi.Task)
