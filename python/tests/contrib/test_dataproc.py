"""Dataproc tasks: Google's real client against a stand-in for the service."""

import pytest
from google.auth.credentials import AnonymousCredentials
from googleapiclient import discovery
from googleapiclient.errors import HttpError

import luigi
from luigi.contrib import dataproc
from luigi.contrib.dataproc import (
    CreateDataprocClusterTask,
    DataprocBaseTask,
    DataprocPysparkTask,
    DataprocSparkTask,
    DeleteDataprocClusterTask,
)

from .http_service import http_service

PLACE = {"gcloud_project_id": "project", "dataproc_cluster_name": "cluster"}
BASE = "/v1/projects/project/regions/global/"


class Service:
    """Keeps a cluster and a job; their states follow as the test sets them, the last of them for ever."""

    def __init__(self):
        self.cluster = None
        self.states = ["CREATING", "RUNNING"]
        self.job = None
        self.job_states = [{"state": "PENDING"}, {"state": "RUNNING"}, {"state": "DONE"}]
        self.broken = False

    def next(self, states):
        return states.pop(0) if len(states) > 1 else states[0]

    def __call__(self, request):
        path = request.path.replace(BASE, "")
        if self.broken:
            return 403, {"error": {"message": "not allowed"}}
        if path == "jobs:submit":
            self.job = request.body["job"]
            return 200, {**self.job, "reference": {"jobId": "job-1"}}
        if path == "jobs/job-1":
            return 200, {"status": self.next(self.job_states)}
        if request.method == "POST":
            self.cluster = request.body
            return 200, {}
        if request.method == "DELETE":
            self.states = ["DELETING", None]
            return 200, {}
        state = self.next(self.states) if self.cluster else None
        if state is None:
            self.cluster = None
            return 404, {"error": {"message": "not found"}}
        return 200, {"status": {"state": state, "detail": "why"}}


@pytest.fixture
def service(monkeypatch):
    """A service that the tasks' client leads to; nobody waits between two looks."""
    monkeypatch.setattr(dataproc.time, "sleep", lambda seconds: None)
    service = Service()
    with http_service(service) as (port, requests):
        service.requests = requests
        client = discovery.build(
            "dataproc",
            "v1",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": "http://127.0.0.1:%d" % port},
            static_discovery=True,
        )
        monkeypatch.setattr(dataproc, "_dataproc_client", client)
        yield service


def test_a_cluster_is_made_once(service):
    task = CreateDataprocClusterTask(**PLACE, image_version="1.0", worker_normal_count="3")
    assert not task.complete()
    task.run()
    assert service.states == ["RUNNING"] and task.complete()
    base = "https://www.googleapis.com/compute/v1/projects/project"
    zone = base + "/zones/europe-west1-c"
    nodes = {
        "machineTypeUri": zone + "/machineTypes/n1-standard-2",
        "diskConfig": {"bootDiskSizeGb": "100", "numLocalSsds": 0},
    }
    assert service.cluster == {
        "clusterName": "cluster",
        "projectId": "project",
        "config": {
            "configBucket": "",
            "gceClusterConfig": {
                "networkUri": base + "/global/networks/default",
                "zoneUri": zone,
                "serviceAccountScopes": ["https://www.googleapis.com/auth/cloud-platform"],
            },
            "masterConfig": {"numInstances": 1, **nodes},
            "workerConfig": {"numInstances": "3", **nodes},
            "secondaryWorkerConfig": {"numInstances": "0", "isPreemptible": True},
            "softwareConfig": {"imageVersion": "1.0"},
        },
    }


def test_a_cluster_that_cannot_be_made_fails_the_task(service):
    service.states = ["CREATING", "ERROR"]
    with pytest.raises(Exception, match="^why$"):
        CreateDataprocClusterTask(**PLACE).run()


def test_a_cluster_is_deleted_once(service):
    service.cluster, service.states = {"clusterName": "cluster"}, ["RUNNING"]
    task = DeleteDataprocClusterTask(**PLACE)
    assert not task.complete()
    task.run()
    assert task.complete()
    assert [request.method for request in service.requests] == ["GET", "DELETE", "GET", "GET", "GET"]
    assert service.requests[0].query["fields"] == ["status"]


def test_a_spark_job_runs(service, luigi_log):
    DataprocSparkTask(**PLACE, main_class="org/Main", jars="a.jar,b.jar", job_args="x,y").run()
    job = {"args": ["x", "y"], "mainClass": "org/Main", "jarFileUris": ["a.jar", "b.jar"]}
    assert service.job == {"placement": {"clusterName": "cluster"}, "sparkJob": job}
    assert "Submitted new dataproc job:Main id:job-1" in luigi_log.messages
    assert luigi_log.messages[-1] == "Current dataproc status: DONE job:Main id:job-1"


def test_a_pyspark_job_runs(service):
    DataprocPysparkTask(**PLACE, job_file="main.py", dataproc_region="global").run()
    job = {"mainPythonFileUri": "main.py", "pythonFileUris": [], "args": []}
    assert service.job == {"placement": {"clusterName": "cluster"}, "pysparkJob": job}


@pytest.mark.parametrize(
    "status, message",
    [
        ({"state": "ERROR", "details": "out of luck"}, "^out of luck$"),
        ({"state": "CANCELLED"}, "^status CANCELLED$"),
    ],
)
def test_a_failed_job_fails_the_task(service, status, message):
    service.job_states = [status]
    with pytest.raises(Exception, match=message):
        DataprocSparkTask(**PLACE, main_class="M").run()


def test_a_job_has_to_be_submitted_first():
    with pytest.raises(Exception, match="You must submit a job before you can wait for it"):
        DataprocBaseTask(**PLACE).wait_for_job()


@pytest.mark.parametrize("kind", [CreateDataprocClusterTask, DeleteDataprocClusterTask])
def test_other_refusals_are_told(service, kind):
    service.broken = True
    with pytest.raises(HttpError, match="not allowed"):
        kind(**PLACE).complete()


def test_the_client_can_be_replaced(monkeypatch):
    monkeypatch.setattr(dataproc, "_dataproc_client", None)
    client = object()
    dataproc.set_dataproc_client(client)
    task = DataprocBaseTask(**PLACE)
    assert task.dataproc_client is client is dataproc.get_dataproc_client()
    task.dataproc_client = "own"
    assert task.dataproc_client == "own"
    assert isinstance(task, luigi.Task)


def test_the_default_login_is_used_when_a_client_is_first_wanted(monkeypatch):
    monkeypatch.setattr(dataproc, "_dataproc_client", None)
    monkeypatch.setattr(dataproc.google.auth, "default", lambda: (AnonymousCredentials(), "project"))
    client = dataproc.get_dataproc_client()
    assert client is dataproc.get_dataproc_client()
    assert client.projects().regions().jobs()


def test_the_default_login_is_found_when_it_is_first_wanted(monkeypatch):
    login, asked = AnonymousCredentials(), []
    monkeypatch.setattr(dataproc.google.auth, "default", lambda: asked.append("login") or (login, "project"))
    monkeypatch.setattr(dataproc.discovery, "build", lambda *args, **kwargs: kwargs)
    monkeypatch.setattr(dataproc, "_dataproc_client", None)
    for name in ("DEFAULT_CREDENTIALS", "authenticate_kwargs"):
        monkeypatch.setitem(dataproc.__dict__, name, None)
        del dataproc.__dict__[name]
    made = dataproc.get_dataproc_client()
    assert dataproc.DEFAULT_CREDENTIALS is login
    assert dataproc.authenticate_kwargs.items() <= made.items()
    assert asked == ["login"]
