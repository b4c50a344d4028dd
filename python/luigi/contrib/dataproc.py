"""Make and delete clusters of Google Dataproc, and run Spark and PySpark jobs on them."""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import Any

import luigi

logger = logging.getLogger("luigi-interface")

try:
    import google.auth
    from googleapiclient import discovery
    from googleapiclient.errors import HttpError

    from luigi.contrib import gcp
except ImportError:
    logger.warning(
        "Loading Dataproc module without the python packages googleapiclient & google-auth. "
        "This will crash at runtime if Dataproc functionality is used."
    )

_dataproc_client: Any = None

_CLUSTER_POLL_SECONDS = 10
_JOB_POLL_SECONDS = 5


def __getattr__(name: str) -> Any:
    """Google's default login, found when it is first wanted, so that importing this module needs none."""
    if name == "DEFAULT_CREDENTIALS":
        found, _ = google.auth.default()
    elif name == "authenticate_kwargs":
        found = gcp.get_authenticate_kwargs(sys.modules[__name__].DEFAULT_CREDENTIALS)
    else:
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    return globals().setdefault(name, found)


def get_dataproc_client() -> Any:
    """The client that all tasks use; made with Google's default login when it is first wanted."""
    global _dataproc_client
    if _dataproc_client is None:
        login = sys.modules[__name__].authenticate_kwargs
        _dataproc_client = discovery.build("dataproc", "v1", cache_discovery=False, **login)
    return _dataproc_client


def set_dataproc_client(client: Any) -> None:
    """Have all tasks use ``client``."""
    global _dataproc_client
    _dataproc_client = client


class _CurrentClient:
    """An attribute that is always the client in use; a task or class may put its own in its place.

    Luigi looks at all attributes of a class for its parameters, which must not log in; so only a task makes the client.
    """

    def __get__(self, task: Any, owner: type) -> Any:
        return _dataproc_client if task is None else get_dataproc_client()


class _DataprocBaseTask(luigi.Task):
    gcloud_project_id = luigi.Parameter(significant=False, positional=False)
    dataproc_cluster_name = luigi.Parameter(significant=False, positional=False)
    dataproc_region = luigi.Parameter(default="global", significant=False, positional=False)

    dataproc_client: Any = _CurrentClient()

    def _clusters(self) -> Any:
        return self.dataproc_client.projects().regions().clusters()

    def _jobs(self) -> Any:
        return self.dataproc_client.projects().regions().jobs()

    def _place(self) -> dict[str, str]:
        return {"projectId": self.gcloud_project_id, "region": self.dataproc_region}


class DataprocBaseTask(_DataprocBaseTask):
    """What tasks have in common that run a job; derive from it for kinds of jobs that have no task here."""

    _job: Any = None
    _job_name: str | None = None
    _job_id: str | None = None

    def submit_job(self, job_config: dict[str, Any]) -> Any:
        """Submit the job that ``job_config`` describes, and return what Dataproc says of it."""
        self._job = self._jobs().submit(**self._place(), body=job_config).execute()
        self._job_id = self._job["reference"]["jobId"]
        return self._job

    def submit_spark_job(self, jars: list[str], main_class: str, job_args: list[str] | None = None) -> Any:
        """Submit a job whose class ``main_class`` is in one of ``jars``."""
        job = {"args": job_args or [], "mainClass": main_class, "jarFileUris": jars}
        return self._submit("sparkJob", job, name_key="mainClass")

    def submit_pyspark_job(
        self, job_file: str, extra_files: list[str] | None = None, job_args: list[str] | None = None
    ) -> Any:
        """Submit the Python file ``job_file``, with further files that it imports."""
        job = {"mainPythonFileUri": job_file, "pythonFileUris": extra_files or [], "args": job_args or []}
        return self._submit("pysparkJob", job, name_key="mainPythonFileUri")

    def _submit(self, kind: str, job: dict[str, Any], name_key: str) -> Any:
        self.submit_job({"job": {"placement": {"clusterName": self.dataproc_cluster_name}, kind: job}})
        self._job_name = os.path.basename(self._job[kind][name_key])
        logger.info("Submitted new dataproc job:{} id:{}".format(self._job_name, self._job_id))
        return self._job

    def wait_for_job(self) -> None:
        """Wait for the job's end.

        :raises Exception: if it fails or is cancelled, or if there is no job.
        """
        if self._job is None:
            raise Exception("You must submit a job before you can wait for it")
        while True:
            status = self._jobs().get(**self._place(), jobId=self._job_id).execute()["status"]
            state = status["state"]
            logger.info("Current dataproc status: {} job:{} id:{}".format(state, self._job_name, self._job_id))
            if state == "DONE":
                return
            if state in ("ERROR", "CANCELLED", "ATTEMPT_FAILURE"):
                raise Exception(_details(status))
            time.sleep(_JOB_POLL_SECONDS)


def _details(status: dict[str, Any]) -> str:
    """Why a job or cluster is in its state; Dataproc does not always say."""
    return status.get("details") or status.get("detail") or "status %s" % status["state"]


def _split(text: str) -> list[str]:
    return text.split(",") if text else []


class DataprocSparkTask(DataprocBaseTask):
    """Runs a Spark job."""

    main_class = luigi.Parameter(description="class to start")
    jars = luigi.Parameter(default="", description="addresses of jars, parted by commas")
    job_args = luigi.Parameter(default="", description="arguments of the job, parted by commas")

    def run(self) -> None:
        """Run the job and wait for its end."""
        self.submit_spark_job(main_class=self.main_class, jars=_split(self.jars), job_args=_split(self.job_args))
        self.wait_for_job()


class DataprocPysparkTask(DataprocBaseTask):
    """Runs a PySpark job."""

    job_file = luigi.Parameter(description="address of the Python file to run")
    extra_files = luigi.Parameter(default="", description="addresses of further Python files, parted by commas")
    job_args = luigi.Parameter(default="", description="arguments of the job, parted by commas")

    def run(self) -> None:
        """Run the job and wait for its end."""
        self.submit_pyspark_job(
            job_file=self.job_file, extra_files=_split(self.extra_files), job_args=_split(self.job_args)
        )
        self.wait_for_job()


class CreateDataprocClusterTask(_DataprocBaseTask):
    """Makes a cluster; it is complete when there is one of that name."""

    gcloud_zone = luigi.Parameter(default="europe-west1-c")
    gcloud_network = luigi.Parameter(default="default")

    master_node_type = luigi.Parameter(default="n1-standard-2")
    master_disk_size = luigi.Parameter(default="100")
    worker_node_type = luigi.Parameter(default="n1-standard-2")
    worker_disk_size = luigi.Parameter(default="100")
    worker_normal_count = luigi.Parameter(default="2")
    worker_preemptible_count = luigi.Parameter(default="0")
    image_version = luigi.Parameter(default="")

    def _get_cluster_status(self) -> Any:
        return self._clusters().get(**self._place(), clusterName=self.dataproc_cluster_name).execute()

    def complete(self) -> bool:
        """Whether there is a cluster of that name."""
        try:
            self._get_cluster_status()
        except HttpError as error:
            if error.resp.status == 404:
                return False
            raise
        return True

    def run(self) -> None:
        """Make the cluster and wait until it runs.

        :raises Exception: if it cannot be made.
        """
        self._clusters().create(**self._place(), body=self._cluster_definition()).execute()
        while True:
            time.sleep(_CLUSTER_POLL_SECONDS)
            status = self._get_cluster_status()["status"]
            state = status["state"]
            logger.info("Creating new dataproc cluster: {} status: {}".format(self.dataproc_cluster_name, state))
            if state == "RUNNING":
                return
            if state == "ERROR":
                raise Exception(_details(status))

    def _cluster_definition(self) -> dict[str, Any]:
        project = "https://www.googleapis.com/compute/v1/projects/{}".format(self.gcloud_project_id)
        zone = "{}/zones/{}".format(project, self.gcloud_zone)

        def nodes(count: Any, node_type: str, disk_size: str) -> dict[str, Any]:
            return {
                "numInstances": count,
                "machineTypeUri": "{}/machineTypes/{}".format(zone, node_type),
                "diskConfig": {"bootDiskSizeGb": disk_size, "numLocalSsds": 0},
            }

        config = {
            "configBucket": "",
            "gceClusterConfig": {
                "networkUri": "{}/global/networks/{}".format(project, self.gcloud_network),
                "zoneUri": zone,
                "serviceAccountScopes": ["https://www.googleapis.com/auth/cloud-platform"],
            },
            "masterConfig": nodes(1, self.master_node_type, self.master_disk_size),
            "workerConfig": nodes(self.worker_normal_count, self.worker_node_type, self.worker_disk_size),
            "secondaryWorkerConfig": {"numInstances": self.worker_preemptible_count, "isPreemptible": True},
            "softwareConfig": {"imageVersion": self.image_version} if self.image_version else {},
        }
        return {"clusterName": self.dataproc_cluster_name, "projectId": self.gcloud_project_id, "config": config}


class DeleteDataprocClusterTask(_DataprocBaseTask):
    """Deletes a cluster; it is complete when there is none of that name.

    Let it require the job, and the job require the cluster, to have a cluster for as long as the job takes.
    """

    def _get_cluster_status(self) -> Any:
        """What Dataproc says of the cluster, or ``None`` if there is none."""
        request = self._clusters().get(**self._place(), clusterName=self.dataproc_cluster_name, fields="status")
        try:
            return request.execute()
        except HttpError as error:
            if error.resp.status == 404:
                return None
            raise

    def complete(self) -> bool:
        """Whether there is no cluster of that name."""
        return self._get_cluster_status() is None

    def run(self) -> None:
        """Delete the cluster and wait until it has gone."""
        self._clusters().delete(**self._place(), clusterName=self.dataproc_cluster_name).execute()
        while True:
            time.sleep(_CLUSTER_POLL_SECONDS)
            status = self._get_cluster_status()
            if status is None:
                logger.info("Finished shutting down cluster: {}".format(self.dataproc_cluster_name))
                return
            state = status["status"]["state"]
            logger.info("Shutting down cluster: {} current status: {}".format(self.dataproc_cluster_name, state))
