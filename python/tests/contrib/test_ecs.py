"""ECS tasks: the real client answered by moto, and waiting with given answers."""

import subprocess
import sys

import boto3
import moto
import pytest

import luigi
from luigi.contrib import ecs
from luigi.contrib.ecs import ECSTask

DEFINITION = {
    "family": "hello",
    "volumes": [],
    "containerDefinitions": [{"memory": 1, "essential": True, "name": "one", "image": "i", "command": ["a"]}],
}


class Job(ECSTask):
    command_of_one = luigi.BoolParameter()

    @property
    def command(self):
        return [{"name": "one", "command": ["b"]}] if self.command_of_one else None


@pytest.fixture
def aws(monkeypatch):
    """Credentials, a region, and an ECS without machines."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(ecs, "POLL_TIME", 0)
    ecs.__dict__.pop("client", None)
    service = moto.mock_aws() if hasattr(moto, "mock_aws") else moto.mock_ecs()
    with service:
        yield
    ecs.__dict__.pop("client", None)


class Recorded:
    """The calls that moto cannot answer without machines; all others go to moto."""

    def __init__(self, real, statuses, failures=(), exit_code=0):
        self.real, self.statuses, self.failures, self.exit_code = real, list(statuses), list(failures), exit_code
        self.calls = []

    def __getattr__(self, name):
        return getattr(self.real, name)

    def run_task(self, **arguments):
        self.calls.append(arguments)
        return {"failures": self.failures, "tasks": [{"taskArn": "arn:1"}, {"taskArn": "arn:2"}]}

    def describe_tasks(self, tasks, cluster):
        assert (tasks, cluster) == (["arn:1", "arn:2"], "place")
        status = self.statuses.pop(0)
        containers = [{"name": "one", "exitCode": self.exit_code}]
        found = [{"taskArn": "arn:1", "lastStatus": status, "containers": containers}, {"lastStatus": "STOPPED"}]
        return {"failures": [], "ResponseMetadata": {"HTTPStatusCode": 200}, "tasks": found}


def test_a_definition_is_registered_and_run(aws, monkeypatch):
    client = Recorded(boto3.client("ecs"), ["PENDING", "RUNNING", "STOPPED"])
    monkeypatch.setattr(ecs, "client", client)
    task = Job(task_def=DEFINITION, cluster="place", command_of_one=True)
    task.run()
    arn = client.real.describe_task_definition(taskDefinition="hello")["taskDefinition"]["taskDefinitionArn"]
    overrides = {"containerOverrides": [{"name": "one", "command": ["b"]}]}
    assert client.calls == [{"taskDefinition": arn, "cluster": "place", "overrides": overrides}]
    assert task.ecs_task_ids == ["arn:1", "arn:2"] and client.statuses == []
    # A second try uses the definition that is registered by now.
    client.statuses = ["STOPPED"]
    task.run()
    assert len(client.real.list_task_definitions()["taskDefinitionArns"]) == 1


class Fargate(Job):
    settings = {"launchType": "FARGATE", "overrides": {"cpu": "1", "containerOverrides": [{"name": "two"}]}}

    @property
    def run_task_kwargs(self):
        return self.settings


def test_further_arguments_are_kept_as_they_are(aws, monkeypatch):
    client = Recorded(None, ["STOPPED"])
    monkeypatch.setattr(ecs, "client", client)
    Fargate(task_def_arn="arn:given", cluster="place", command_of_one=True).run()
    wanted = {"cpu": "1", "containerOverrides": [{"name": "two"}, {"name": "one", "command": ["b"]}]}
    assert client.calls == [
        {"launchType": "FARGATE", "taskDefinition": "arn:given", "cluster": "place", "overrides": wanted}
    ]
    assert Fargate.settings["overrides"] == {"cpu": "1", "containerOverrides": [{"name": "two"}]}


def test_a_command_comes_in_place_of_one_for_the_same_container():
    overrides = [{"name": "one", "command": ["a"], "cpu": 1}, {"name": "two", "command": ["a"]}]
    ECSTask.update_container_overrides_command(overrides, {"name": "one", "command": ["b"]})
    assert overrides == [{"name": "one", "command": ["b"], "cpu": 1}, {"name": "two", "command": ["a"]}]


def test_a_failed_container_is_named(aws, monkeypatch, luigi_log):
    monkeypatch.setattr(ecs, "client", Recorded(None, ["STOPPED"], exit_code=4))
    Job(task_def_arn="arn", cluster="place").run()
    assert "Container one of ECS task arn:1 ended with code 4" in luigi_log.messages


def test_a_task_that_aws_does_not_start_fails(aws, monkeypatch):
    failures = [{"arn": "arn:m", "reason": "RESOURCE:MEMORY"}]
    monkeypatch.setattr(ecs, "client", Recorded(None, [], failures=failures))
    with pytest.raises(Exception, match="fail to run task arn:m reason: RESOURCE:MEMORY"):
        Job(task_def_arn="arn", cluster="place").run()


@pytest.mark.parametrize(
    "answer, message",
    [
        ({"failures": [{"reason": "MISSING"}]}, "There were some failures:\n.*MISSING"),
        ({"failures": [], "ResponseMetadata": {"HTTPStatusCode": 500}}, "Task status request received status code 500"),
    ],
)
def test_what_aws_does_not_tell_is_an_error(monkeypatch, answer, message):
    class Client:
        @staticmethod
        def describe_tasks(tasks, cluster):
            return answer

    monkeypatch.setattr(ecs, "client", Client, raising=False)
    with pytest.raises(Exception, match=message):
        ecs._get_task_statuses(["arn"], "default")


@pytest.mark.parametrize("given", [{}, {"task_def": DEFINITION, "task_def_arn": "arn"}])
def test_exactly_one_definition_is_wanted(given):
    with pytest.raises(ValueError, match=r"Either \(but not both\) a task_def"):
        Job(**given).run()


def test_importing_needs_no_region():
    code = (
        "import os\n"
        "for name in [n for n in os.environ if n.startswith('AWS_')]: del os.environ[name]\n"
        "os.environ['AWS_CONFIG_FILE'] = '/nonexistent'\n"
        "import luigi.contrib.ecs"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
