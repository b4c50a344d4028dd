"""Run jobs on Microsoft's OpenPAI, through its REST server (with the package ``requests``).

The section ``[OpenPai]`` says where the server is and who logs in.
"""

from __future__ import annotations

import abc
import json
import logging
import time
from typing import Any
from urllib.parse import urljoin

import luigi

logger = logging.getLogger("luigi-interface")

try:
    import requests as rs
    from requests.exceptions import HTTPError
except ImportError:
    logger.warning("requests is not installed. PaiTask requires requests.")


_UNFINISHED = ("UNKNOWN", "WAITING", "RUNNING")

# Where in a job's description the values of a task go, by the names that OpenPAI and Luigi have for them.
_JOB_FIELDS = {
    "virtualCluster": "virtual_cluster",
    "authFile": "auth_file_path",
    "codeDir": "code_dir",
    "dataDir": "data_dir",
    "outputDir": "output_dir",
    "retryCount": "retry_count",
    "gpuType": "gpu_type",
}


def slot_to_dict(o: Any) -> dict[str, Any]:
    """The slots of ``o`` that have a value, by name."""
    values = ((name, getattr(o, name, None)) for name in o.__slots__ if not name.startswith("__"))
    return {name: value for name, value in values if value is not None}


class PaiJob:
    """A job: what it is called, its image, and the roles of its tasks; the slots are the fields of OpenPAI's format.

    :raises TypeError: if ``tasks`` is not a list of one role or more.
    """

    __slots__ = (
        "jobName",
        "image",
        "authFile",
        "dataDir",
        "outputDir",
        "codeDir",
        "virtualCluster",
        "taskRoles",
        "gpuType",
        "retryCount",
    )

    authFile: str | None
    dataDir: str | None
    outputDir: str | None
    codeDir: str | None
    virtualCluster: str | None
    gpuType: str | None
    retryCount: int

    def __init__(self, jobName: str, image: str, tasks: list[TaskRole]) -> None:
        if not isinstance(tasks, list) or not tasks:
            raise TypeError("you must specify one task at least.")
        self.jobName = jobName
        self.image = image
        self.taskRoles = tasks


class Port:
    """Ports that a role needs: how many (``port_number``), from which on (``begin_at``; 0 for any), under a label."""

    __slots__ = ("label", "beginAt", "portNumber")

    def __init__(self, label: str, begin_at: int = 0, port_number: int = 1) -> None:
        self.label = label
        self.beginAt = begin_at
        self.portNumber = port_number


class TaskRole:
    """Tasks of a job that do the same: ``taskNumber`` of them run ``command``, each with so many processors and so on.

    Memory is in megabytes (``memoryMB`` at least 100, ``shmMB`` of it shared), ``portList`` holds :py:class:`Port`.
    """

    __slots__ = (
        "name",
        "taskNumber",
        "cpuNumber",
        "memoryMB",
        "shmMB",
        "gpuNumber",
        "portList",
        "command",
        "minFailedTaskCount",
        "minSucceededTaskCount",
    )

    def __init__(
        self,
        name: str,
        command: str,
        taskNumber: int = 1,
        cpuNumber: int = 1,
        memoryMB: int = 2048,
        shmMB: int = 64,
        gpuNumber: int = 0,
        portList: list[Port] | None = None,
    ) -> None:
        self.name = name
        self.command = command
        self.taskNumber = taskNumber
        self.cpuNumber = cpuNumber
        self.memoryMB = memoryMB
        self.shmMB = shmMB
        self.gpuNumber = gpuNumber
        self.portList = [] if portList is None else portList


class OpenPai(luigi.Config):
    """The section ``[OpenPai]``."""

    pai_url = luigi.Parameter(default="http://127.0.0.1:9186", description="address of the REST server")
    username = luigi.Parameter(default="admin", description="who logs in")
    password = luigi.OptionalParameter(default=None, description="the password to log in with")
    expiration = luigi.IntParameter(default=3600, description="how long the login holds, in seconds")


class PaiTask(luigi.Task):
    """Runs a job and waits for its end; the job's name tells whether it is done.

    A task logs in when it is made.

    :raises Exception: if the login is refused.
    """

    __POLL_TIME = 5

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The job's name, which no other job may have."""

    @property
    @abc.abstractmethod
    def image(self) -> str:
        """The Docker image of all tasks."""

    @property
    @abc.abstractmethod
    def tasks(self) -> list[TaskRole]:
        """The roles of the job's tasks."""

    @property
    def auth_file_path(self) -> str | None:
        """A file on HDFS with the login for the image's registry."""
        return None

    @property
    def data_dir(self) -> str | None:
        """The data's folder on HDFS."""
        return None

    @property
    def code_dir(self) -> str | None:
        """The code's folder on HDFS, with less than 200 MB in it."""
        return None

    @property
    def output_dir(self) -> str:
        """The output's folder on HDFS."""
        return "$PAI_DEFAULT_FS_URI/{0}/output".format(self.name)

    @property
    def virtual_cluster(self) -> str:
        """The part of the cluster to run on."""
        return "default"

    @property
    def gpu_type(self) -> str | None:
        """The kind of GPU, if only one kind will do."""
        return None

    @property
    def retry_count(self) -> int:
        """How often OpenPAI tries again."""
        return 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.__openpai = OpenPai()
        self.__token = self.__log_in()

    def __log_in(self) -> str:
        login = {
            "username": self.__openpai.username,
            "password": self.__openpai.password,
            "expiration": self.__openpai.expiration,
        }
        logger.debug("Requesting token from OpenPai")
        response = self.__post("/api/v1/token", json.dumps(login))
        logger.debug("Get token response {0}".format(response.text))
        if response.status_code != 200:
            message = "Get token request failed, response is {}".format(response.text)
            logger.error(message)
            raise Exception(message)
        return response.json()["token"]

    def __post(self, path: str, body: str, **headers: str) -> Any:
        url = urljoin(self.__openpai.pai_url, path)
        return rs.post(url, headers={"Content-Type": "application/json", **headers}, data=body)

    def __check_job_status(self) -> bool:
        """Whether the job has succeeded; ``False`` while it is not at its end."""
        response = rs.get(urljoin(self.__openpai.pai_url, f"/api/v1/jobs/{self.name}"))
        logger.debug(f"Check job response {response.text}")
        refusal = self.__refusal(response)
        if refusal:
            raise HTTPError(refusal, response=response)
        state = response.json()["jobStatus"]["state"]
        if state in _UNFINISHED:
            logger.debug(f"Job {self.name} is running in state {state}")
            return False
        outcome = f"Job {self.name} finished in state {state}"
        logger.info(outcome)
        if state == "SUCCEED":
            return True
        raise RuntimeError(outcome)

    def __refusal(self, response: Any) -> str:
        """Why the answer tells no status, also logged; empty if it tells one."""
        if response.status_code == 200:
            return ""
        if response.status_code == 404:
            level, reason = logging.DEBUG, f"Job {self.name} is not found"
        else:
            level, reason = logging.ERROR, f"Get job request failed, response is {response.text}"
        logger.log(level, reason)
        return reason

    def __job(self) -> PaiJob:
        job = PaiJob(self.name, self.image, self.tasks)
        for field, attribute in _JOB_FIELDS.items():
            setattr(job, field, getattr(self, attribute))
        return job

    def run(self) -> None:
        """Run the job.

        :raises requests.exceptions.HTTPError: if the server refuses the job.
        :raises RuntimeError: if the job fails.
        """
        body = json.dumps(self.__job(), default=slot_to_dict)
        logger.debug("Submit job request {0}".format(body))
        response = self.__post("/api/v1/jobs", body, Authorization="Bearer {}".format(self.__token))
        logger.debug("Submit job response {0}".format(response.text))
        if response.status_code != 202:
            message = "Submit job failed, response code is {0}, body is {1}".format(response.status_code, response.text)
            logger.error(message)
            raise HTTPError(message, response=response)
        while not self.__check_job_status():
            time.sleep(self.__POLL_TIME)

    def output(self) -> Any:
        """The output's folder on HDFS."""
        import luigi.contrib.hdfs

        return luigi.contrib.hdfs.HdfsTarget(self.output_dir)

    def complete(self) -> bool:
        """Whether the job has succeeded."""
        try:
            return self.__check_job_status()
        except (HTTPError, RuntimeError):
            return False
