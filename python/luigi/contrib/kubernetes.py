"""Run Kubernetes jobs, through the package ``pykube-ng``; the section ``[kubernetes]`` leads to the cluster."""

from __future__ import annotations

import copy
import logging
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import luigi

logger = logging.getLogger("luigi-interface")

try:
    from pykube.config import KubeConfig
    from pykube.http import HTTPClient
    from pykube.objects import Job, Pod
except ImportError:
    logger.warning("pykube is not installed. KubernetesJobTask requires pykube.")


class kubernetes(luigi.Config):
    """The section ``[kubernetes]``."""

    auth_method = luigi.Parameter(default="kubeconfig", description="how to log in: kubeconfig or service-account")
    kubeconfig_path = luigi.Parameter(default="~/.kube/config", description="file that holds address and login")
    max_retrials = luigi.IntParameter(default=0, description="how many pods of a job may fail")
    kubernetes_namespace = luigi.OptionalParameter(default=None, description="namespace in which jobs run")


class KubernetesJobTask(luigi.Task):
    """Runs a job and waits for its end; give it a :py:attr:`name` and a :py:attr:`spec_schema`."""

    __DEFAULT_POLL_INTERVAL = 5
    __DEFAULT_POD_CREATION_INTERVAL = 5

    __logger = logger
    _kubernetes_config: Any = None

    @property
    def auth_method(self) -> str:
        """How to log in: ``kubeconfig`` (with a file) or ``service-account`` (as a pod of the cluster)."""
        return self.kubernetes_config.auth_method

    @property
    def kubeconfig_path(self) -> str:
        """The file that holds the cluster's address and the login."""
        return self.kubernetes_config.kubeconfig_path

    @property
    def kubernetes_namespace(self) -> str | None:
        """The namespace in which the job runs; that of the login if it is ``None``."""
        return self.kubernetes_config.kubernetes_namespace

    @property
    def name(self) -> str:
        """What the job's name begins with; time and a random part follow. To be overridden."""
        raise NotImplementedError("subclass must define name")

    @property
    def labels(self) -> dict[str, str]:
        """Further labels of job and pod."""
        return {}

    @property
    def spec_schema(self) -> dict[str, Any]:
        """The specification of the pod, with ``containers``. To be overridden.

        ``restartPolicy`` is ``Never`` unless given. With ``OnFailure`` Kubernetes restarts the container without end,
        whatever :py:attr:`max_retrials` says.
        """
        raise NotImplementedError("subclass must define spec_schema")

    @property
    def max_retrials(self) -> int:
        """How many pods may fail before the job has failed."""
        return self.kubernetes_config.max_retrials

    @property
    def backoff_limit(self) -> int:
        """How many pods may fail before Kubernetes makes no more."""
        return 6

    @property
    def delete_on_success(self) -> bool:
        """Whether job and pods are deleted when the job has succeeded."""
        return True

    @property
    def print_pod_logs_on_exit(self) -> bool:
        """Whether the pods' output is logged at the end."""
        return False

    @property
    def active_deadline_seconds(self) -> int | None:
        """How long the job may take, in seconds."""
        return None

    @property
    def kubernetes_config(self) -> kubernetes:
        """The section ``[kubernetes]``, read when it is first wanted."""
        if not self._kubernetes_config:
            self._kubernetes_config = kubernetes()
        return self._kubernetes_config

    @property
    def poll_interval(self) -> float:
        """Seconds between two looks at the job."""
        return self.__DEFAULT_POLL_INTERVAL

    @property
    def pod_creation_wait_interal(self) -> float:
        """Seconds that Kubernetes has to make a pod for a new job."""
        return self.__DEFAULT_POD_CREATION_INTERVAL

    def signal_complete(self) -> None:
        """Called when the job has succeeded; the place to make an output that the job does not make."""

    def output(self) -> Any:
        """What shows that the job is done. To be overridden, unless ``complete`` is."""

    def run(self) -> None:
        """Run the job.

        :raises AssertionError: if it fails or its pods cannot run; the text says why.
        """
        self._init_kubernetes()
        self.__logger.info("Submitting Kubernetes Job: " + self.uu_name)
        Job(self.__kube_api, self.__job_definition()).create()
        self.__logger.info("Start tracking Kubernetes Job: " + self.uu_name)
        self.__track_job()

    def _init_kubernetes(self) -> None:
        """Log in and choose the job's name."""
        self.__logger.debug("Kubernetes auth method: " + self.auth_method)
        if self.auth_method == "kubeconfig":
            config = KubeConfig.from_file(self.kubeconfig_path)
        elif self.auth_method == "service-account":
            config = KubeConfig.from_service_account()
        else:
            raise ValueError("Illegal auth_method")
        self.__kube_api = HTTPClient(config)
        self.job_uuid = uuid.uuid4().hex
        now = datetime.now(timezone.utc).strftime("%Y%m%d%H%M%S")
        self.uu_name = "%s-%s-%s" % (self.name, now, self.job_uuid[:16])

    def __job_definition(self) -> dict[str, Any]:
        pod_spec = {"restartPolicy": "Never", **copy.deepcopy(self.spec_schema)}
        metadata: dict[str, Any] = {
            "name": self.uu_name,
            "labels": {"spawned_by": "luigi", "luigi_task_id": self.job_uuid, **self.labels},
        }
        if self.kubernetes_namespace is not None:
            metadata["namespace"] = self.kubernetes_namespace
        spec: dict[str, Any] = {
            "backoffLimit": self.backoff_limit,
            "template": {"metadata": {"name": self.uu_name, "labels": dict(self.labels)}, "spec": pod_spec},
        }
        if self.active_deadline_seconds is not None:
            spec["activeDeadlineSeconds"] = self.active_deadline_seconds
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}

    def __track_job(self) -> None:
        """Wait until the job runs, then until it has ended."""
        job = "Kubernetes job " + self.uu_name
        self.__wait_while(False, self.__verify_job_has_started, f"Waiting for {job} to start")
        self.__print_kubectl_hints()
        status = self.__wait_while("RUNNING", self.__get_job_status, f"{job} is running")
        _require(status != "FAILED", f"{job} failed")
        self.__logger.info(f"{job} succeeded")
        self.signal_complete()

    def __wait_while(self, answer: Any, ask: Callable[[], Any], message: str) -> Any:
        """Ask again and again as long as ``answer`` comes; return the other answer that ended this."""
        while (latest := ask()) == answer:
            self.__logger.debug(message)
            time.sleep(self.poll_interval)
        return latest

    def __get_pods(self) -> list[Any]:
        return self.__select(Pod, "job-name=" + self.uu_name)

    def __get_job(self) -> Any:
        found = self.__select(Job, "luigi_task_id=" + self.job_uuid)
        _require(len(found) == 1, f"Kubernetes job {self.uu_name} not found")
        return found[0]

    def __select(self, kind: Any, selector: str) -> list[Any]:
        """Return the objects of a kind, in the job's namespace, that have the label of the selector."""
        objects = kind.objects(self.__kube_api, namespace=self.kubernetes_namespace)
        return [kind(self.__kube_api, found) for found in objects.filter(selector=selector).response["items"]]

    def __print_pod_logs(self) -> None:
        for pod in self.__get_pods():
            text = pod.logs(timestamps=True).strip()
            lines = text.split("\n") if text else []
            for line in (f"Fetching logs from {pod.name}", *lines):
                self.__logger.info(line)

    def __print_kubectl_hints(self) -> None:
        self.__logger.info("To stream Pod logs, use:")
        for pod in self.__get_pods():
            self.__logger.info(f"`kubectl logs -f pod/{pod.name} -n {pod.namespace}`")

    def __verify_job_has_started(self) -> bool:
        """Whether all pods of the job run, or have run.

        :raises AssertionError: if a pod cannot run.
        """
        self.__get_job()
        pods = self.__get_pods()
        if not pods:
            self.__logger.debug(
                "No pods found for %s, waiting for cluster state to match the job definition", self.uu_name
            )
            time.sleep(self.pod_creation_wait_interal)
            pods = self.__get_pods()
        _require(len(pods) > 0, "No pod scheduled by " + self.uu_name)
        return all(self.__verify_pod(pod) for pod in pods)

    def __verify_pod(self, pod: Any) -> bool:
        status = pod.obj["status"]
        for container in status.get("containerStatuses", []):
            ended, waiting = container["state"].get("terminated"), container["state"].get("waiting")
            if ended:
                what = "%s (exit code %d)" % (ended["reason"], ended["exitCode"])
                _require(ended["exitCode"] == 0, _with_hint(pod, what))
            if waiting:
                _require(waiting["reason"] == "ContainerCreating", _with_hint(pod, waiting["reason"]))
        for condition in status.get("conditions", []):
            if "message" not in condition:
                continue
            if condition["reason"] == "ContainersNotReady":
                return False
            _require(condition["status"] != "False", "[ERROR] %s - %s" % (condition["reason"], condition["message"]))
        return True

    def __get_job_status(self) -> str:
        """``RUNNING``, ``SUCCEEDED`` or ``FAILED``; a job that has ended is cleared up."""
        job = self.__get_job()
        status = job.obj["status"]
        if status.get("succeeded", 0) > 0:
            job.scale(replicas=0)
            if self.print_pod_logs_on_exit:
                self.__print_pod_logs()
            if self.delete_on_success:
                self.__delete_job_cascade(job)
            return "SUCCEEDED"
        if "failed" in status:
            self.__logger.debug("Kubernetes job %s status.failed: %s", self.uu_name, status["failed"])
            if self.print_pod_logs_on_exit:
                self.__print_pod_logs()
            if status["failed"] > self.max_retrials:
                # Kubernetes would go on to make pods.
                job.scale(replicas=0)
                return "FAILED"
        return "RUNNING"

    def __delete_job_cascade(self, job: Any) -> None:
        """Delete the job and its pods."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        response = self.__kube_api.delete(json=options, **job.api_kwargs())
        if response.status_code != 200:
            self.__kube_api.raise_for_status(response)


def _require(holds: bool, message: str) -> None:
    """Fail as an ``assert`` does, but also where Python leaves those out."""
    if not holds:
        raise AssertionError(message)


def _with_hint(pod: Any, what: str) -> str:
    return "Pod %s %s. Logs: `kubectl logs pod/%s`" % (pod.name, what, pod.name)
