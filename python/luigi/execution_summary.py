"""What became of the tasks of a run, for people to read: ``summary`` and the result of ``luigi.build``.

The engine sorts the tasks and writes the text. The steps are functions here, looked up when they are called.
"""

from __future__ import annotations

import enum
from typing import Any

from condotta import _engine
from luigi.parameter import IntParameter
from luigi.task import Config


class execution_summary(Config):  # noqa: N801 - the name of the section
    """The section ``[execution_summary]``."""

    summary_length = IntParameter(default=5, description="So many families are listed of each kind; 0 is all of them")


class LuigiStatusCode(enum.Enum):
    """How a run went, with the face and the reason that the summary's last line gives."""

    SUCCESS = (":)", "there were no failed tasks or missing dependencies")
    SUCCESS_WITH_RETRY = (":)", "there were failed tasks but they all succeeded in a retry")
    FAILED = (":(", "there were failed tasks")
    FAILED_AND_SCHEDULING_FAILED = (":(", "there were failed tasks and tasks whose scheduling failed")
    SCHEDULING_FAILED = (":(", "there were tasks whose scheduling failed")
    NOT_RUN = (":|", "there were tasks that were not granted run permission by the scheduler")
    MISSING_EXT = (":|", "there were missing external dependencies")


class LuigiRunResult:
    """What ``luigi.build`` and ``luigi.run`` give when they are asked for a detailed summary.

    ``status`` is a :py:class:`LuigiStatusCode`, ``summary_text`` the whole summary, ``one_line_summary`` its last line,
    ``worker`` the worker, and ``scheduling_succeeded`` whether all tasks could be scheduled.
    """

    def __init__(self, worker: Any, worker_add_run_status: bool = True) -> None:
        tasks = _summary_dict(worker)
        self.worker = worker
        self.scheduling_succeeded = worker_add_run_status
        self.status = _tasks_status(tasks)
        self.one_line_summary = _create_one_line_summary(self.status)
        self.summary_text = _summary_wrap(_summary_format(tasks, worker))

    def __str__(self) -> str:
        return f"LuigiRunResult with status {self.status}"

    def __repr__(self) -> str:
        return (
            f"LuigiRunResult(status={self.status!r},worker={self.worker!r},"
            f"scheduling_succeeded={self.scheduling_succeeded!r})"
        )


#: What tasks are sorted into, in the order of the text. A task can be in several.
_ORDERED_STATUSES = (
    "already_done",
    "completed",
    "ever_failed",
    "failed",
    "scheduling_error",
    "still_pending",
    "still_pending_ext",
    "run_by_other_worker",
    "upstream_failure",
    "upstream_missing_dependency",
    "upstream_run_by_other_worker",
    "upstream_scheduling_error",
    "not_run",
)


def summary(worker: Any) -> str:
    """The summary of all that `worker` did so far."""
    return _summary_wrap(_summary_format(_summary_dict(worker), worker))


def _root_task(worker: Any) -> Any:
    """The task that was scheduled first."""
    return worker._add_task_history[0][0]


def _summary_dict(worker: Any) -> dict[str, set[Any]]:
    """The tasks of `worker`, sorted."""
    return _engine.sort_tasks(worker._add_task_history, _get_run_by_other_worker(worker))


def _summary_format(set_tasks: dict[str, set[Any]], worker: Any) -> str:
    """The text within the frame, of tasks that were sorted."""
    others = [(other, len(tasks)) for other, tasks in _get_external_workers(worker).items()]
    one_line = _create_one_line_summary(_tasks_status(set_tasks))
    return _engine.summary_text(set_tasks, others, max(0, execution_summary().summary_length), one_line)


def _summary_wrap(str_output: str) -> str:
    frame = "===== Luigi Execution Summary ====="
    return f"\n{frame}\n\n{str_output}\n\n{frame}\n"


def _create_one_line_summary(status_code: LuigiStatusCode) -> str:
    """The summary's last line."""
    face, reason = status_code.value
    return f"This progress looks {face} because {reason}"


def _tasks_status(set_tasks: dict[str, set[Any]]) -> LuigiStatusCode:
    """How the run went, from tasks that were sorted."""
    unscheduled = set_tasks["scheduling_error"]
    if set_tasks["ever_failed"]:
        if not set_tasks["failed"]:
            return LuigiStatusCode.SUCCESS_WITH_RETRY
        return LuigiStatusCode.FAILED_AND_SCHEDULING_FAILED if unscheduled else LuigiStatusCode.FAILED
    if unscheduled:
        return LuigiStatusCode.SCHEDULING_FAILED
    if set_tasks["not_run"]:
        return LuigiStatusCode.NOT_RUN
    return LuigiStatusCode.MISSING_EXT if set_tasks["still_pending_ext"] else LuigiStatusCode.SUCCESS


def _get_run_by_other_worker(worker: Any) -> set[Any]:
    """The tasks of `worker` that others ran while there was nothing to do for it."""
    return set().union(*_get_external_workers(worker).values())


def _get_external_workers(worker: Any) -> dict[str, set[Any]]:
    """The same by the others' ids."""
    others: dict[str, set[Any]] = {}
    scheduled, own_id = worker._scheduled_tasks, worker._id
    for response in worker._get_work_response_history:
        if response["task_id"] is not None:
            continue
        for running in response["running_tasks"]:
            task = scheduled.get(running["task_id"])
            if task is not None and running["worker"] != own_id:
                others.setdefault(running["worker"], set()).add(task)
    return others
