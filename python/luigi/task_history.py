"""Where the scheduler writes down what became of its tasks. Without a database it writes nothing."""

from __future__ import annotations

import abc
import logging
from typing import Any

logger = logging.getLogger("luigi-interface")


class StoredTask:
    """One task as the history knows it: the scheduler's task, its status, and the host that ran it.

    `record_id` is the key of its record, once there is one.
    """

    def __init__(self, task: Any, status: str, host: str | None = None) -> None:
        self._task = task
        self.status = status
        self.record_id: int | None = None
        self.host = host

    @property
    def task_family(self) -> str:
        """The family of the scheduler's task."""
        return self._task.family

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the scheduler's task, as strings."""
        return self._task.params


class TaskHistory(metaclass=abc.ABCMeta):
    """What the scheduler tells a history. `task` is the scheduler's: it has `id`, `family` and `params`."""

    @abc.abstractmethod
    def task_scheduled(self, task: Any) -> None:
        """The task became PENDING."""

    @abc.abstractmethod
    def task_finished(self, task: Any, successful: bool) -> None:
        """The task is DONE or FAILED."""

    @abc.abstractmethod
    def task_started(self, task: Any, worker_host: str) -> None:
        """A worker on `worker_host` was given the task."""


class NopHistory(TaskHistory):
    """A history that keeps nothing."""

    def task_scheduled(self, task: Any) -> None:
        """Does nothing."""

    def task_finished(self, task: Any, successful: bool) -> None:
        """Does nothing."""

    def task_started(self, task: Any, worker_host: str) -> None:
        """Does nothing."""
