"""Run containers on Amazon's ECS, through ``boto3``.

What to run is a task definition: one that is registered with AWS, named by its ARN, or a dictionary that is registered
first. boto3 finds credentials and region as it always does.
"""

from __future__ import annotations

import copy
import logging
import time
from typing import Any

import luigi

logger = logging.getLogger("luigi-interface")

try:
    import boto3
except ImportError:
    logger.warning("boto3 is not installed. ECSTasks require boto3")

#: Seconds between two looks at the tasks.
POLL_TIME = 2


def __getattr__(name: str) -> Any:
    """Make ``client`` when it is first wanted, so that importing this module needs neither region nor credentials."""
    if name != "client":
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    globals()["client"] = made = boto3.client("ecs")
    return made


def _client() -> Any:
    return globals().get("client") or __getattr__("client")


def _get_task_statuses(task_ids: list[str], cluster: str) -> list[str]:
    """The last status of each task: ``PENDING``, ``RUNNING`` or ``STOPPED``.

    :raises Exception: if AWS does not know a task or does not answer as it should.
    """
    response = _client().describe_tasks(tasks=task_ids, cluster=cluster)
    if response["failures"]:
        raise Exception("There were some failures:\n{0}".format(response["failures"]))
    status_code = response["ResponseMetadata"]["HTTPStatusCode"]
    if status_code != 200:
        raise Exception("Task status request received status code {0}:\n{1}".format(status_code, response))
    tasks = response["tasks"]
    if all(task["lastStatus"] == "STOPPED" for task in tasks):
        _warn_of_failed_containers(tasks)
    return [task["lastStatus"] for task in tasks]


def _warn_of_failed_containers(tasks: list[dict[str, Any]]) -> None:
    """Say which containers failed. As in Luigi, that does not make the task fail; its output decides."""
    for task in tasks:
        for container in task.get("containers", []):
            if container.get("exitCode"):
                name, code = container.get("name"), container["exitCode"]
                logger.warning("Container %s of ECS task %s ended with code %s", name, task.get("taskArn"), code)


def _track_tasks(task_ids: list[str], cluster: str) -> None:
    """Wait until all tasks have stopped."""
    while True:
        statuses = _get_task_statuses(task_ids, cluster)
        if all(status == "STOPPED" for status in statuses):
            logger.info("ECS tasks %s STOPPED", ",".join(task_ids))
            return
        time.sleep(POLL_TIME)
        logger.debug("ECS task status for tasks %s: %s", task_ids, statuses)


class ECSTask(luigi.Task):
    """Runs a task of ECS and waits until it has stopped."""

    task_def_arn = luigi.OptionalParameter(default=None, description="ARN of a registered task definition")
    task_def: Any = luigi.OptionalParameter(
        default=None, description="task definition, as a dictionary, to be registered"
    )
    cluster = luigi.Parameter(default="default", description="name of the cluster to run on")

    _registered_arn: str | None = None

    @property
    def ecs_task_ids(self) -> list[str] | None:
        """The ids that AWS gave the tasks, once they are started."""
        return getattr(self, "_task_ids", None)

    @property
    def command(self) -> list[dict[str, Any]] | None:
        """Commands for containers, each a dictionary of ``name`` (of the container) and ``command`` (a list)."""
        return None

    @staticmethod
    def update_container_overrides_command(container_overrides: list[dict[str, Any]], command: dict[str, Any]) -> None:
        """Put ``command`` among the overrides, in place of what the first for its container says if there is one."""
        for override in container_overrides:
            if override["name"] == command["name"]:
                override["command"] = command["command"]
                return
        container_overrides.append(command)

    @property
    def combined_overrides(self) -> dict[str, Any]:
        """What :py:attr:`run_task_kwargs` overrides, with the commands of :py:attr:`command`."""
        overrides = copy.deepcopy(self.run_task_kwargs.get("overrides", {}))
        for command in copy.deepcopy(self.command or []):
            self.update_container_overrides_command(overrides.setdefault("containerOverrides", []), command)
        return overrides

    @property
    def run_task_kwargs(self) -> dict[str, Any]:
        """Further arguments of boto3's ``run_task``, such as ``launchType`` and ``networkConfiguration``."""
        return {}

    def run(self) -> None:
        """Run the task.

        :raises ValueError: unless exactly one of ``task_def`` and ``task_def_arn`` is given.
        :raises Exception: if AWS does not start it.
        """
        given_arn = None if self.task_def_arn == self._registered_arn else self.task_def_arn
        if bool(self.task_def) == bool(given_arn):
            raise ValueError("Either (but not both) a task_def (dict) ortask_def_arn (string) must be assigned")
        if not self.task_def_arn:
            response = _client().register_task_definition(**self.task_def)
            self.task_def_arn = self._registered_arn = response["taskDefinition"]["taskDefinitionArn"]

        response = _client().run_task(
            **{
                **self.run_task_kwargs,
                "taskDefinition": self.task_def_arn,
                "cluster": self.cluster,
                "overrides": self.combined_overrides,
            }
        )
        if response["failures"]:
            reasons = ("fail to run task {arn} reason: {reason}".format(**failure) for failure in response["failures"])
            raise Exception(", ".join(reasons))
        self._task_ids = [task["taskArn"] for task in response["tasks"]]
        _track_tasks(self._task_ids, self.cluster)
