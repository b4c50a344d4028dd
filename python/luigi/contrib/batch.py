"""Run jobs on AWS Batch, through ``boto3``.

A job needs a definition (how to run which container) that is registered with AWS, and a queue; boto3 finds credentials
and region as it always does.
"""

from __future__ import annotations

import json
import logging
import random
import string
import time
from typing import Any

import luigi

logger = logging.getLogger(__name__)

try:
    import boto3
except ImportError:
    logger.warning("boto3 is not installed. BatchTasks require boto3")


class BatchJobException(Exception):
    """A job failed."""


#: Seconds between two looks at a job.
POLL_TIME = 10


def _random_id() -> str:
    return "batch-job-" + "".join(random.sample(string.ascii_lowercase, 8))


def _check(response: dict[str, Any], what: str) -> dict[str, Any]:
    """Return the answer of AWS if it is one.

    :raises Exception: if its code is another than 200.
    """
    status_code = response["ResponseMetadata"]["HTTPStatusCode"]
    if status_code != 200:
        raise Exception("{0} request received status code {1}:\n{2}".format(what, status_code, response))
    return response


class BatchClient:
    """Submits jobs and follows them.

    :param poll_time: seconds between two looks at a job.
    """

    def __init__(self, poll_time: float = POLL_TIME) -> None:
        self.poll_time = poll_time
        self._client = boto3.client("batch")
        self._log_client = boto3.client("logs")
        self._queue = self.get_active_queue()

    def get_active_queue(self) -> str:
        """The name of the first queue that takes jobs.

        :raises Exception: if there is none.
        """
        for queue in self._client.describe_job_queues()["jobQueues"]:
            if queue["state"] == "ENABLED" and queue["status"] == "VALID":
                return queue["jobQueueName"]
        raise Exception("No job queues with state=ENABLED and status=VALID")

    def get_job_id_from_name(self, job_name: str) -> str | None:
        """The id of the first running job of that name."""
        jobs = self._client.list_jobs(jobQueue=self._queue, jobStatus="RUNNING")["jobSummaryList"]
        return next((job["jobId"] for job in jobs if job["jobName"] == job_name), None)

    def get_job_status(self, job_id: str) -> str:
        """A job's status in the words of AWS: ``SUBMITTED``, ``PENDING``, … ``SUCCEEDED`` or ``FAILED``."""
        return _check(self._client.describe_jobs(jobs=[job_id]), "Job status")["jobs"][0]["status"]

    def get_logs(self, log_stream_name: str, get_last: int = 50) -> str:
        """The last lines of what a job wrote."""
        events = self._log_client.get_log_events(
            logGroupName="/aws/batch/job", logStreamName=log_stream_name, startFromHead=False
        )["events"]
        return "\n".join(event["message"] for event in events[-get_last:])

    def submit_job(
        self, job_definition: str, parameters: dict[str, str], job_name: str | None = None, queue: str | None = None
    ) -> str:
        """Submit a job and return its id; name and queue are chosen here if they are not given."""
        response = self._client.submit_job(
            jobName=_random_id() if job_name is None else job_name,
            jobQueue=queue or self.get_active_queue(),
            jobDefinition=job_definition,
            parameters=parameters,
        )
        return response["jobId"]

    def wait_on_job(self, job_id: str) -> bool:
        """Wait for a job's end and return ``True``.

        :raises BatchJobException: if the job fails, with the last lines of what it wrote.
        """
        while True:
            status = self.get_job_status(job_id)
            if status == "SUCCEEDED":
                logger.info("Batch job %s SUCCEEDED", job_id)
                return True
            if status == "FAILED":
                raise BatchJobException("Job {} failed: {}".format(job_id, self._why_failed(job_id)))
            time.sleep(self.poll_time)
            logger.debug("Batch job status for job %s: %s", job_id, status)

    def _why_failed(self, job_id: str) -> str:
        jobs = self._client.describe_jobs(jobs=[job_id])["jobs"]
        logger.debug("Job details:\n%s", json.dumps(jobs, indent=4, default=str))
        for attempt in jobs[0].get("attempts", []):
            log_stream_name = attempt.get("container", {}).get("logStreamName")
            if log_stream_name:
                return self.get_logs(log_stream_name)
        # The job did not get as far as to write anything.
        return jobs[0].get("statusReason", "")

    def register_job_definition(self, json_fpath: str) -> dict[str, Any]:
        """Register the job definition in a JSON file."""
        with open(json_fpath) as file:
            job_definition = json.load(file)
        return _check(self._client.register_job_definition(**job_definition), "Register job definition")


class BatchTask(luigi.Task):
    """Runs a job on AWS Batch and waits for its end."""

    job_definition = luigi.Parameter(description="name of a registered job definition")
    job_name = luigi.OptionalParameter(default=None, description="name of the job, to be found in queue and logs")
    job_queue = luigi.OptionalParameter(default=None, description="name of the queue to submit to")
    poll_time = luigi.IntParameter(default=POLL_TIME, description="seconds between two looks at the job")

    def run(self) -> None:
        """Run the job.

        :raises BatchJobException: if it fails.
        """
        client = BatchClient(self.poll_time)
        job_id = client.submit_job(self.job_definition, self.parameters, job_name=self.job_name, queue=self.job_queue)
        client.wait_on_job(job_id)

    @property
    def parameters(self) -> dict[str, str]:
        """Values for the parameters of the job definition. To be overridden."""
        return {}
