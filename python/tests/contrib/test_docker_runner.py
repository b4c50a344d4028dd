"""Docker tasks: the real client against a stand-in for the daemon, which knows the calls that are needed."""

import logging
import os
import struct

import docker
import pytest

import luigi
from luigi.contrib.docker_runner import DockerTask

from .http_service import http_service


class Daemon:
    """Answers as Docker's daemon does; what there is and how a container ends is for the test to set."""

    def __init__(self):
        self.images = {"alpine:latest"}
        self.known_images = {"alpine:latest", "tool:2"}
        self.exit_code = 0
        self.said = b""
        self.on_start = lambda body: None
        self.created = None

    def __call__(self, request):
        path = request.path.split("/", 2)[2] if request.path.startswith("/v1") else request.path.lstrip("/")
        call = (request.method, path)
        if call == ("GET", "version"):
            return 200, {"ApiVersion": "1.41", "MinAPIVersion": "1.12"}
        if call == ("GET", "images/json"):
            (wanted,) = request.query.get("filter") or [request.query["filters"][0].split('"')[3]]
            return 200, [{"Id": "1"}] if wanted in self.images else []
        if call == ("POST", "images/create"):
            image = "%s:%s" % (request.query["fromImage"][0], request.query["tag"][0])
            if image not in self.known_images:
                return 404, {"message": "repository does not exist: " + image}
            self.images.add(image)
            return 200, b'{"status": "pulled"}\r\n'
        if call == ("POST", "containers/create"):
            if request.query.get("name") == ["taken"]:
                return 409, {"message": "name is taken"}
            self.created = request.body
            return 201, {"Id": "c1", "Warnings": []}
        if call == ("POST", "containers/c1/start"):
            self.on_start(self.created)
            return 204, b""
        if call == ("POST", "containers/c1/wait"):
            return 200, {"StatusCode": self.exit_code}
        if call == ("GET", "containers/c1/json"):
            return 200, {"Config": {"Tty": False}}
        if call == ("GET", "containers/c1/logs"):
            return 200, struct.pack(">BxxxL", 2, len(self.said)) + self.said
        if request.method == "DELETE":
            return (204, b"") if path == "containers/c1" else (404, {"message": "no such container"})
        raise AssertionError("unexpected call %r" % (call,))


class Task(DockerTask):
    """Takes its settings from the test."""

    url = luigi.Parameter()
    settings = luigi.Parameter(default="")
    image = "alpine"
    command = "do it"
    name = None
    binds = None
    environment = {"A": "1"}

    @property
    def docker_url(self):
        return self.url


@pytest.fixture
def daemon():
    """A daemon, the requests that it got, and its address."""
    daemon = Daemon()
    with http_service(daemon) as (port, requests):
        daemon.requests, daemon.url = requests, "tcp://127.0.0.1:%d" % port
        yield daemon


def calls(daemon):
    """What was asked, without versions."""
    return ["%s %s" % (r.method, r.path.split("/", 2)[2]) for r in daemon.requests if not r.path.endswith("/version")]


def test_a_container_runs_and_goes(daemon):
    seen = {}

    def look(body):
        seen["folder"] = body["HostConfig"]["Binds"][0].split(":")[0]
        seen["there"] = os.path.isdir(seen["folder"])

    daemon.on_start = look
    Task(daemon.url).run()
    assert calls(daemon) == ["GET images/json", "POST containers/create", "POST containers/c1/start"] + [
        *["POST containers/c1/wait", "DELETE containers/c1"]
    ]
    body = daemon.created
    assert (body["Image"], body["Cmd"]) == ("alpine:latest", ["do", "it"])
    assert sorted(body["Env"]) == ["A=1", "LUIGI_TMP_DIR=/tmp/luigi"]
    assert body["HostConfig"]["Binds"] == [seen["folder"] + ":/tmp/luigi"]
    assert seen["folder"].startswith("/tmp/luigi-docker-tmp-dir-")
    # The folder is there while the container runs, and only then.
    assert seen["there"] and not os.path.exists(seen["folder"])
    # What the class says of all its tasks is as it was.
    assert Task.environment == {"A": "1"}


def test_all_settings_reach_docker(daemon):
    class Full(Task):
        image = "tool:2"
        name = "mine"
        network_mode = "host"
        binds = ["/a:/b", "/c:/d:ro"]
        mount_tmp = False
        auto_remove = False
        force_pull = True
        environment = ["X=y"]
        host_config_options = {"shm_size": 5}
        container_options = {"user": "me"}

    Full(daemon.url).run()
    assert calls(daemon) == ["POST images/create", "POST containers/create"] + [
        *["POST containers/c1/start", "POST containers/c1/wait"]
    ]
    body = daemon.created
    assert daemon.requests[-3].query["name"] == ["mine"]
    assert body["Volumes"] == {"/b": {}, "/d": {}} and body["Env"] == ["X=y", "LUIGI_TMP_DIR=/tmp/luigi"]
    assert body["HostConfig"] == {"Binds": ["/a:/b", "/c:/d:ro"], "NetworkMode": "host", "ShmSize": 5}
    assert body["User"] == "me"


def test_one_bind_may_be_a_string(daemon):
    class OneBind(Task):
        binds = "/one:/file"

    OneBind(daemon.url).run()
    assert daemon.created["HostConfig"]["Binds"][1] == "/one:/file"


def test_an_image_that_is_not_here_is_pulled(daemon):
    class Pulled(Task):
        image = "tool:2"

    Pulled(daemon.url).run()
    assert calls(daemon)[:2] == ["GET images/json", "POST images/create"]
    assert "tool:2" in daemon.images


def test_an_unknown_image_fails_the_task(daemon, luigi_log):
    class Unknown(Task):
        image = "nothing"

    with pytest.raises(docker.errors.ImageNotFound):
        Unknown(daemon.url).run()
    assert "Error in Docker API: repository does not exist: nothing:latest" in luigi_log.messages


def test_a_failing_container_fails_the_task(daemon, luigi_log):
    daemon.exit_code, daemon.said = 3, b"went wrong"
    folders = []
    daemon.on_start = lambda body: folders.append(body["HostConfig"]["Binds"][0].split(":")[0])
    with pytest.raises(docker.errors.ContainerError) as caught:
        Task(daemon.url).run()
    assert (caught.value.exit_status, caught.value.stderr) == (3, b"went wrong")
    assert calls(daemon)[-1] == "DELETE containers/c1"
    assert any(message.startswith("Container  exited with non zero code: ") for message in luigi_log.messages)
    assert not os.path.exists(folders[0])


def test_a_container_of_the_same_name_is_removed_first(daemon, luigi_log):
    class Named(Task):
        name = "mine"

    Named(daemon.url).run()
    assert calls(daemon)[1] == "DELETE containers/mine"
    assert daemon.requests[-5].query["force"] == ["True"]
    # That there was none is no matter.
    assert "Ignored error in Docker API: no such container" in luigi_log.messages


def test_what_docker_refuses_fails_the_task(daemon, luigi_log):
    class Taken(Task):
        name = "taken"

    with pytest.raises(docker.errors.APIError):
        Taken(daemon.url).run()
    assert ("ERROR", "Error in Docker API: name is taken") in [
        (logging.getLevelName(record.levelno), record.getMessage()) for record in luigi_log.records
    ]


def test_a_task_that_need_not_run_needs_no_docker():
    before = set(os.listdir("/tmp"))
    task = Task("tcp://127.0.0.1:1")
    assert task._image == "alpine:latest"
    assert not {name for name in set(os.listdir("/tmp")) - before if name.startswith("luigi-docker-tmp-dir-")}
