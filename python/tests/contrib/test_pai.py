"""OpenPAI tasks against a stand-in for its REST server."""

import pytest
from requests.exceptions import HTTPError

from luigi import configuration
from luigi.contrib.pai import PaiJob, PaiTask, Port, TaskRole, slot_to_dict

from .http_service import http_service


class Job(PaiTask):
    _PaiTask__POLL_TIME = 0
    name = "the-job"
    image = "an/image"
    tasks = [TaskRole("role", "run it", memoryMB=4096, portList=[Port("web", 80)])]
    gpu_type = "big"
    data_dir = "hdfs://data"


class Server:
    """Knows one job; tells the states that the test sets, the last of them for ever."""

    def __init__(self):
        self.states = ["WAITING", "UNKNOWN", "RUNNING", "SUCCEED"]
        self.job = None
        self.login = (200, {"token": "secret"})
        self.accepts = (202, {})

    def __call__(self, request):
        if request.path == "/api/v1/token":
            self.asked_login = request.body
            return self.login
        if request.method == "POST":
            assert request.headers["Authorization"] == "Bearer secret"
            self.job = request.body
            return self.accepts
        assert request.path == "/api/v1/jobs/the-job"
        if self.job is None:
            return 404, {}
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return (500, {}) if state is None else (200, {"jobStatus": {"state": state}})


@pytest.fixture
def server():
    """A server to which the configuration leads."""
    server = Server()
    config = configuration.get_config()
    with http_service(server) as (port, requests):
        config.set("OpenPai", "pai_url", "http://127.0.0.1:%d" % port)
        config.set("OpenPai", "password", "pass")
        yield server
        config.remove_option("OpenPai", "pai_url")
        config.remove_option("OpenPai", "password")


def test_a_job_runs(server):
    task = Job()
    assert server.asked_login == {"username": "admin", "password": "pass", "expiration": 3600}
    assert not task.complete()
    task.run()
    assert server.states == ["SUCCEED"] and task.complete()
    role = {"name": "role", "command": "run it", "taskNumber": 1, "cpuNumber": 1, "memoryMB": 4096, "shmMB": 64}
    role.update(gpuNumber=0, portList=[{"label": "web", "beginAt": 80, "portNumber": 1}])
    assert server.job == {
        "jobName": "the-job",
        "image": "an/image",
        "dataDir": "hdfs://data",
        "outputDir": "$PAI_DEFAULT_FS_URI/the-job/output",
        "virtualCluster": "default",
        "taskRoles": [role],
        "gpuType": "big",
        "retryCount": 0,
    }


@pytest.mark.parametrize("state", ["FAILED", "STOPPED"])
def test_a_failed_job_fails_the_task(server, state):
    server.states = ["RUNNING", state]
    with pytest.raises(RuntimeError, match="Job the-job finished in state %s" % state):
        Job().run()
    assert not Job().complete()


def test_what_the_server_refuses_is_said(server):
    server.accepts = (400, {"message": "no"})
    with pytest.raises(HTTPError, match="Submit job failed, response code is 400, body is .*no"):
        Job().run()
    server.accepts, server.states = (202, {}), [None]
    with pytest.raises(HTTPError, match="Get job request failed"):
        Job().run()


def test_a_refused_login_is_said(server):
    server.login = (401, {"message": "who?"})
    with pytest.raises(Exception, match="Get token request failed, response is .*who?"):
        Job()


def test_output_is_the_folder_on_hdfs(server):
    assert Job().output().path == "$PAI_DEFAULT_FS_URI/the-job/output"


def test_a_job_needs_a_role():
    with pytest.raises(TypeError, match="you must specify one task at least."):
        PaiJob("n", "i", [])
    # Roles do not share their ports.
    assert TaskRole("a", "c").portList is not TaskRole("b", "c").portList
    assert slot_to_dict(Port("l")) == {"label": "l", "beginAt": 0, "portNumber": 1}
