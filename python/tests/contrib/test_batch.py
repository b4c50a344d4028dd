"""AWS Batch tasks with the real client, answered by moto, which lets jobs succeed or fail at once."""

import json

import boto3
import moto
import pytest

from luigi.contrib import batch
from luigi.contrib.batch import BatchClient, BatchJobException, BatchTask


def _aws():
    """All of AWS as moto has it: one context since its version 5, one for each service before."""
    if hasattr(moto, "mock_aws"):
        return [moto.mock_aws(config={"batch": {"use_docker": False}})]
    return [getattr(moto, "mock_" + service)() for service in ("batch_simple", "iam", "ec2", "ecs", "logs")]


@pytest.fixture
def aws(monkeypatch):
    """Credentials, a region and an empty AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    services = _aws()
    for service in services:
        service.start()
    yield
    for service in reversed(services):
        service.stop()


@pytest.fixture
def queue(aws):
    """A queue that takes jobs and one that does not."""
    role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client = boto3.client("batch")
    environment = client.create_compute_environment(
        computeEnvironmentName="environment", type="UNMANAGED", state="ENABLED", serviceRole=role
    )["computeEnvironmentArn"]
    for name, state in (("closed", "DISABLED"), ("open", "ENABLED")):
        client.create_job_queue(
            jobQueueName=name,
            state=state,
            priority=1,
            computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment}],
        )
    return client


@pytest.fixture
def definition(queue, tmp_path):
    """The name of a registered job definition."""
    path = tmp_path / "definition.json"
    container = {"image": "busybox", "vcpus": 1, "memory": 128, "command": ["echo", "Ref::word"]}
    path.write_text(
        json.dumps({"jobDefinitionName": "definition", "type": "container", "containerProperties": container})
    )
    return BatchClient().register_job_definition(str(path))["jobDefinitionName"]


class Job(BatchTask):
    parameters = {"word": "hello"}


def test_a_job_runs(queue, definition):
    Job(job_definition=definition, job_name="mine", poll_time=0).run()
    (summary,) = queue.list_jobs(jobQueue="open", jobStatus="SUCCEEDED")["jobSummaryList"]
    assert summary["jobName"] == "mine"
    (job,) = queue.describe_jobs(jobs=[summary["jobId"]])["jobs"]
    assert job["jobDefinition"].split("/")[1].startswith("definition")


def test_a_job_without_a_name_gets_one(queue, definition):
    client = BatchClient()
    job_id = client.submit_job(definition, {}, queue="open")
    (job,) = queue.describe_jobs(jobs=[job_id])["jobs"]
    assert job["jobName"].startswith("batch-job-") and len(job["jobName"]) == 18
    assert client.get_job_status(job_id) == "SUCCEEDED"
    assert client.get_job_id_from_name(job["jobName"]) is None


def test_without_a_queue_there_is_no_client(aws):
    with pytest.raises(Exception, match="No job queues with state=ENABLED and status=VALID"):
        BatchClient()


class Recorded:
    """A client of AWS whose answers are given; the last one stays."""

    def __init__(self, **answers):
        self.answers = answers
        self.calls = []

    def __getattr__(self, name):
        def call(**arguments):
            self.calls.append((name, arguments))
            answers = self.answers[name]
            return answers.pop(0) if len(answers) > 1 else answers[0]

        return call


def _jobs(status, **more):
    return {"ResponseMetadata": {"HTTPStatusCode": 200}, "jobs": [{"status": status, **more}]}


def _client(monkeypatch, *described, **answers):
    queues = {"jobQueues": [{"jobQueueName": "q", "state": "ENABLED", "status": "VALID"}]}
    service = Recorded(describe_job_queues=[queues], describe_jobs=list(described), **answers)
    logs = Recorded(get_log_events=[{"events": [{"message": "line %d" % number} for number in range(60)]}])
    monkeypatch.setattr(batch.boto3, "client", lambda name: {"batch": service, "logs": logs}[name])
    return BatchClient(poll_time=0), service, logs


def test_a_job_is_waited_for(monkeypatch):
    client, service, _ = _client(monkeypatch, _jobs("SUBMITTED"), _jobs("RUNNING"), _jobs("SUCCEEDED"))
    assert client.wait_on_job("1") is True
    assert [name for name, _ in service.calls] == ["describe_job_queues"] + 3 * ["describe_jobs"]


def test_a_failed_job_tells_what_it_wrote(monkeypatch):
    attempts = [{"container": {"logStreamName": "stream"}}]
    client, _, logs = _client(monkeypatch, _jobs("FAILED", attempts=attempts))
    with pytest.raises(BatchJobException) as caught:
        client.wait_on_job("1")
    assert str(caught.value) == "Job 1 failed: " + "\n".join("line %d" % number for number in range(10, 60))
    wanted = {"logGroupName": "/aws/batch/job", "logStreamName": "stream", "startFromHead": False}
    assert logs.calls == [("get_log_events", wanted)]


def test_a_job_that_never_started_tells_why(monkeypatch):
    client, _, _ = _client(monkeypatch, _jobs("FAILED", attempts=[], statusReason="no such image"))
    with pytest.raises(BatchJobException, match="Job 1 failed: no such image"):
        client.wait_on_job("1")


def test_running_jobs_are_found_by_name(monkeypatch):
    found = {"jobSummaryList": [{"jobName": "a", "jobId": "1"}, {"jobName": "b", "jobId": "2"}]}
    client, service, _ = _client(monkeypatch, _jobs("RUNNING"), list_jobs=[found])
    assert (client.get_job_id_from_name("b"), client.get_job_id_from_name("c")) == ("2", None)
    assert service.calls[-1] == ("list_jobs", {"jobQueue": "q", "jobStatus": "RUNNING"})


def test_an_answer_that_is_none_is_an_error(monkeypatch):
    client, _, _ = _client(monkeypatch, {"ResponseMetadata": {"HTTPStatusCode": 500}})
    with pytest.raises(Exception, match="Job status request received status code 500:\n"):
        client.get_job_status("1")
