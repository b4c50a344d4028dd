"""Small parts of a worker: what a run says, the messages it gets, queues and pools."""

from __future__ import annotations

import collections
import functools
import json
from typing import TYPE_CHECKING, Any, Callable

from condotta import _engine
from luigi._private import shown
from luigi.task_status import RUNNING

if TYPE_CHECKING:
    from luigi._runners import Runners


class _Nobody:
    """Takes the place of a scheduler within the worker's process, for processes that do not share its memory."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


def _sendable(said: Any) -> Any:
    """What JSON has as it is, and anything else as text."""
    try:
        json.dumps(said)
    except (TypeError, ValueError):
        return str(said)
    return said


class TaskStatusReporter:
    """Passes on to the scheduler what a running task says of itself."""

    #: What of that only this worker may see.
    private: _engine.Private | None = None

    def __init__(self, scheduler: Any, task_id: str, worker_id: str, scheduler_messages: Any) -> None:
        self._task_id = task_id
        self._worker_id = worker_id
        self._scheduler = scheduler
        self.scheduler_messages = scheduler_messages

    def update_tracking_url(self, tracking_url: str) -> None:
        """Says where the run can be watched."""
        self._scheduler.add_task(
            task_id=self._task_id,
            worker=self._worker_id,
            status=RUNNING,
            tracking_url=shown(self.private, None if tracking_url is None else str(tracking_url)),
        )

    def update_status_message(self, message: str) -> None:
        """Says what the run does."""
        self._scheduler.set_task_status_message(self._task_id, shown(self.private, _sendable(message)))

    def update_progress_percentage(self, percentage: float) -> None:
        """Says how far the run is, in percent."""
        number = percentage if isinstance(percentage, (int, float, type(None))) else float(percentage)
        self._scheduler.set_task_progress_percentage(self._task_id, number)

    def decrease_running_resources(self, decrease_resources: dict[str, int]) -> None:
        """Gives back a part of what the run takes."""
        self._scheduler.decrease_running_task_resources(self._task_id, decrease_resources)

    def __getstate__(self) -> dict[str, Any]:
        from luigi.scheduler import Scheduler

        state = dict(self.__dict__)
        if isinstance(self._scheduler, Scheduler):
            state["_scheduler"] = _Nobody()
        return state

    def report_task_statistics(self, statistics: Any) -> None:
        """Gives the scheduler's metrics something to count."""
        self._scheduler.report_task_statistics(self._task_id, statistics)


class LentAttributes:
    """What a task can use of the status reporter of its ``process``, for the time of a run."""

    def __init__(self, process: Any) -> None:
        self.process = process

    def __enter__(self) -> Any:
        process = self.process
        for reporter_attribute, task_attribute in process.forward_reporter_attributes.items():
            setattr(process.task, task_attribute, getattr(process.status_reporter, reporter_attribute))
        return process

    def __exit__(self, *exc_info: object) -> None:
        for task_attribute in self.process.forward_reporter_attributes.values():
            setattr(self.process.task, task_attribute, None)


class SchedulerMessage:
    """A message that somebody sent to a running task."""

    #: What of its answer only this worker may see.
    private: _engine.Private | None = None

    def __init__(self, scheduler: Any, task_id: str, message_id: str, content: Any, **payload: Any) -> None:
        self._scheduler = scheduler
        self._task_id = task_id
        self._message_id = message_id
        self.content = content
        self.payload = payload

    def __str__(self) -> str:
        return str(self.content)

    def __eq__(self, other: object) -> bool:
        return bool(self.content == other)

    def respond(self, response: str) -> None:
        """Answers whoever sent it."""
        response = shown(self.private, _sendable(response))
        self._scheduler.add_scheduler_message_response(self._task_id, self._message_id, response)


class SingleProcessPool:
    """A pool that does at once, here, what it is given."""

    def apply_async(self, function: Callable[..., Any], args: Any) -> Any:
        return function(*args)

    def close(self) -> None:
        pass

    def join(self) -> None:
        pass


class DequeQueue(collections.deque):
    """A queue of one thread, which gives the newest first."""

    def put(self, obj: Any, block: bool | None = None, timeout: float | None = None) -> None:
        self.append(obj)

    def get(self, block: bool | None = None, timeout: float | None = None) -> Any:
        if not self:
            import queue

            raise queue.Empty
        return self.pop()


@functools.cache
def starter() -> Callable[[Any], Any]:
    """What starts processes. Workers that run their tasks themselves do not need it."""
    from luigi import _forks

    return _forks.start


def runners_of_its_own() -> Runners:
    """Processes that a worker keeps. Few do, and what it takes to start them is not imported for the others."""
    from luigi._runners import Runners

    return Runners()


class AsyncCompletionException(Exception):
    """A check whether a task is complete failed elsewhere; ``trace`` is the traceback's text."""

    def __init__(self, trace: str) -> None:
        self.trace = trace


class TracebackWrapper:
    """A traceback's text, apart from any other text."""

    def __init__(self, trace: str) -> None:
        self.trace = trace


def call_handling(error: BaseException, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Calls as an ``except`` block does: the error is what is being handled meanwhile."""
    trace = error.__traceback__
    try:
        raise error
    except BaseException:
        error.__traceback__ = trace
        return function(*args)
