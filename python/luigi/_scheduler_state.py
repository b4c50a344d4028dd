"""What the scheduler knows, as objects to look into: tasks, workers, and the state that holds them.

The truth is in the engine. What is here reads it when asked, so that a task or worker that somebody keeps a hold of
stays up to date; attributes that are assigned stay with that one object and change nothing in the engine.
"""

from __future__ import annotations

import collections
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, MutableSet
from typing import Any

from condotta import _engine
from luigi.metrics import NoMetricsCollector
from luigi.parameter import ParameterVisibility
from luigi.task_status import PENDING

logger = logging.getLogger("luigi.scheduler")

WORKER_STATE_DISABLED = "disabled"
WORKER_STATE_ACTIVE = "active"

RetryPolicy = collections.namedtuple("RetryPolicy", ["retry_count", "disable_hard_timeout", "disable_window"])
RetryPolicy.__module__ = "luigi.scheduler"


def _get_empty_retry_policy() -> RetryPolicy:
    return RetryPolicy(None, None, None)


class OrderedSet(MutableSet):
    """A set that remembers in which order its elements came."""

    def __init__(self, iterable: Iterable[Any] | None = None) -> None:
        self._elements: dict[Any, None] = dict.fromkeys(iterable or ())

    def __len__(self) -> int:
        return len(self._elements)

    def __contains__(self, key: object) -> bool:
        return key in self._elements

    def __iter__(self) -> Iterator[Any]:
        return iter(self._elements)

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self._elements)

    def add(self, key: Any) -> None:
        """Put `key` at the end, unless it is in."""
        self._elements.setdefault(key)

    def discard(self, key: Any) -> None:
        """Take `key` out, if it is in."""
        self._elements.pop(key, None)

    def peek(self, last: bool = True) -> Any:
        """The last element, or the first; `KeyError` when there is none."""
        for key in reversed(self._elements) if last else self._elements:
            return key
        raise KeyError("set is empty")

    def pop(self, last: bool = True) -> Any:
        """Take the last element out, or the first; `KeyError` when there is none."""
        key = self.peek(last)
        del self._elements[key]
        return key

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self) if self._elements else ''})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, OrderedSet):
            return list(self) == list(other)
        return set(self) == set(other)  # type: ignore[call-overload]

    __hash__ = None  # type: ignore[assignment]


class Task:
    """A task as the scheduler sees it."""

    DEFAULT_PRIORITY = 0

    def __init__(
        self,
        task_id: str,
        status: str,
        deps: Iterable[str] | None,
        resources: dict[str, int] | None = None,
        priority: float = DEFAULT_PRIORITY,
        family: str = "",
        module: str | None = None,
        params: dict[str, str] | None = None,
        param_visibilities: dict[str, int] | None = None,
        accepts_messages: bool = False,
        tracking_url: str | None = None,
        status_message: str | None = None,
        progress_percentage: float | None = None,
        retry_policy: Any = "notoptional",
    ) -> None:
        self.__dict__.update(_NOTHING_HAPPENED)
        self.first_failure_time: float | None
        self.batch_id: str | None
        self.id = task_id
        self.status = status
        self.deps = set(deps or ())
        self.stakeholders: set[str] = set()
        self.workers = OrderedSet()
        self.time = self.updated = time.time()
        self.priority = priority
        self.resources = {} if resources is None else resources
        self.family = family
        self.module = module
        self.param_visibilities = {} if param_visibilities is None else param_visibilities
        self.set_params(params)
        self.accepts_messages = accepts_messages
        self.tracking_url = tracking_url
        self.status_message = status_message
        self.progress_percentage = progress_percentage
        self.retry_policy = retry_policy
        self.failures: collections.deque[float] = collections.deque()
        self.scheduler_message_responses: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Task({vars(self)!r})"

    def set_params(self, params: dict[str, str] | None) -> None:
        """Take these parameters, sorted by who may see them."""
        self.params = {} if params is None else params
        self.public_params = self._params_seen_by(ParameterVisibility.PUBLIC)
        self.hidden_params = self._params_seen_by(ParameterVisibility.HIDDEN)

    def _params_seen_by(self, wanted: ParameterVisibility) -> dict[str, str]:
        visibility = self.param_visibilities.get
        return {
            name: value for name, value in self.params.items() if visibility(name, ParameterVisibility.PUBLIC) == wanted
        }

    def is_batchable(self) -> bool:
        """Whether the task may run in a batch."""
        return getattr(self, "batchable", False)

    def add_failure(self) -> None:
        """Note that the task failed now."""
        now = time.time()
        self.first_failure_time = self.first_failure_time or now
        failures = self.failures
        failures.append(now)
        self.failures = failures

    def num_failures(self) -> int:
        """How often the task failed within the window of its retry policy."""
        since = time.time() - self.retry_policy.disable_window
        failures = self.failures
        while failures and failures[0] < since:
            failures.popleft()
        return len(failures)

    def has_excessive_failures(self) -> bool:
        """Whether the task failed so often, or for so long, that it is to be disabled."""
        first = self.first_failure_time
        if first is not None and time.time() >= first + self.retry_policy.disable_hard_timeout:
            return True
        return self.num_failures() >= self.retry_policy.retry_count

    def clear_failures(self) -> None:
        """Forget that the task ever failed."""
        self.failures = collections.deque()
        self.first_failure_time = None

    @property
    def pretty_id(self) -> str:
        """The family with the public parameters, as people read it."""
        params = ", ".join(f"{name}={value}" for name, value in sorted(self.public_params.items()))
        return f"{self.family}({params})"


# What a task has of which nothing is known yet.
_NOTHING_HAPPENED: dict[str, Any] = {
    "retry": None,
    "remove": None,
    "worker_running": None,
    "time_running": None,
    "expl": None,
    "first_failure_time": None,
    "scheduler_disable_time": None,
    "runnable": False,
    "batchable": False,
    "batch_id": None,
}


def _as_luigi(seen: dict[str, Any]) -> dict[str, Any]:
    """The attributes that the engine gave, in Luigi's own types."""
    seen["workers"] = OrderedSet(seen["workers"])
    seen["failures"] = collections.deque(seen["failures"])
    seen["retry_policy"] = RetryPolicy(**seen["retry_policy"])
    del seen["pretty_id"]
    return seen


class _EngineTask(Task):
    """A task of the engine; those of one id are one task."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _EngineTask) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)


class _LiveTask(_EngineTask):
    """A task of the engine: every attribute that was not assigned is asked for when it is looked at."""

    def __init__(self, engine: _engine.Scheduler, task_id: str) -> None:
        self.__dict__.update(id=task_id, _engine=engine)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_engine" not in self.__dict__:
            raise AttributeError(name)
        seen = self._engine.task(self.id)
        if seen is None or name not in seen:
            raise AttributeError(f"task {self.id!r} is not known to the scheduler, or has no {name!r}")
        return _as_luigi(seen)[name]

    def __repr__(self) -> str:
        seen = self._engine.task(self.id)
        return f"Task({_as_luigi(seen) if seen else vars(self)!r})"


def kept_task(engine: _engine.Scheduler, task_id: str) -> Task | None:
    """The task as it is now, which later requests do not change; `None` when there is none."""
    seen = engine.task(task_id)
    if seen is None:
        return None
    task = _EngineTask.__new__(_EngineTask)
    task.__dict__.update(_as_luigi(seen))
    return task


class Worker:
    """A worker as the scheduler sees it."""

    def __init__(self, worker_id: str, last_active: float | None = None) -> None:
        self.id = worker_id
        self.reference: dict[str, Any] | None = None
        self.last_active = last_active or time.time()
        self.last_get_work: float | None = None
        self.started = time.time()
        self.tasks: set[Task] = set()
        self.info: dict[str, Any] = {}
        self.disabled = False
        self.rpc_messages: list[dict[str, Any]] = []

    def add_info(self, info: Any) -> None:
        """Take what the worker says of itself, as a dictionary or as pairs."""
        self.info.update(info)

    def update(self, worker_reference: dict[str, Any] | None, get_work: bool = False) -> None:
        """Note that the worker was heard from."""
        self.reference = worker_reference or self.reference
        self.last_active = time.time()
        if get_work:
            self.last_get_work = self.last_active

    def prune(self, config: Any) -> bool:
        """Whether the worker was silent for so long that it counts as lost."""
        return time.time() > self.last_active + config.worker_disconnect_delay

    def get_tasks(self, state: SimpleTaskState, *statuses: str) -> Iterator[Task]:
        """The tasks of these statuses that the worker can run."""
        return (task for task in state.get_active_tasks_by_status(*statuses) if self.id in task.workers)

    def is_trivial_worker(self, state: SimpleTaskState) -> bool:
        """Whether the worker is no assistant and none of its pending tasks needs a resource."""
        return not self.assistant and not any(task.resources for task in self.get_tasks(state, PENDING))

    @property
    def assistant(self) -> bool:
        """Whether the worker runs tasks that only others announced."""
        return self.info.get("assistant", False)

    @property
    def enabled(self) -> bool:
        """Whether the worker gets work."""
        return not self.disabled

    @property
    def state(self) -> str:
        """`active` or `disabled`."""
        return WORKER_STATE_ACTIVE if self.enabled else WORKER_STATE_DISABLED

    def add_rpc_message(self, name: str, **kwargs: Any) -> None:
        """Leave a message that the worker fetches with its next ping."""
        self.rpc_messages.append({"name": name, "kwargs": kwargs})

    def fetch_rpc_messages(self) -> list[dict[str, Any]]:
        """Take the messages that the worker has not fetched."""
        messages = self.rpc_messages
        self.rpc_messages = []
        return messages

    def __str__(self) -> str:
        return self.id


class _LiveWorker(Worker):
    """A worker of the engine: every attribute that was not assigned is asked for when it is looked at."""

    def __init__(self, state: SimpleTaskState, worker_id: str) -> None:
        self.__dict__.update(id=worker_id, _state=state)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_state" not in self.__dict__:
            raise AttributeError(name)
        state = self._state
        if name == "tasks":
            return {state.get_task(task_id) for task_id in state._engine.tasks_of(self.id)}
        if name == "last_get_work":
            return None
        seen = state._engine.worker(self.id)
        if seen is None or name not in seen:
            raise AttributeError(f"worker {self.id!r} is not known to the scheduler, or has no {name!r}")
        if name == "rpc_messages":
            return seen[name] + state._messages.get(self.id, [])
        return seen[name]

    def add_info(self, info: Any) -> None:
        self._state._engine.call("add_worker", time.time(), {"worker": self.id, "info": info})

    def update(self, worker_reference: dict[str, Any] | None, get_work: bool = False) -> None:
        self._state._engine.call("ping", time.time(), {"worker": self.id})

    def add_rpc_message(self, name: str, **kwargs: Any) -> None:
        self._state._messages.setdefault(self.id, []).append({"name": name, "kwargs": kwargs})

    def fetch_rpc_messages(self) -> list[dict[str, Any]]:
        return self._state.fetch_rpc_messages(self.id)


class SimpleTaskState:
    """The state of a scheduler: what to look into, and what is written to its file."""

    def __init__(self, state_path: str, engine: _engine.Scheduler | None = None) -> None:
        self._state_path = state_path
        self._engine = engine or _engine.Scheduler(None, {})
        # Messages of other kinds than the engine has.
        self._messages: dict[str, list[dict[str, Any]]] = {}
        self._collector: Any = None
        self._wants = [False, False]

    @property
    def wants_history(self) -> bool:
        """Whether somebody writes a task history."""
        return self._wants[0]

    @wants_history.setter
    def wants_history(self, wants: bool) -> None:
        self._wants[0] = wants
        self._engine.want(*self._wants)

    @property
    def wants_metrics(self) -> bool:
        """Whether somebody counts what tasks do."""
        return self._wants[1]

    @property
    def _metrics_collector(self) -> Any:
        return self._collector

    @_metrics_collector.setter
    def _metrics_collector(self, collector: Any) -> None:
        self._collector = collector
        self._wants[1] = type(collector) is not NoMetricsCollector
        self._engine.want(*self._wants)

    @property
    def _tasks(self) -> dict[str, Task]:
        return {task_id: _LiveTask(self._engine, task_id) for task_id in self._engine.task_ids()}

    @_tasks.setter
    def _tasks(self, tasks: Iterable[str]) -> None:
        self._engine.keep_tasks(list(tasks))

    @property
    def _active_workers(self) -> dict[str, Worker]:
        return {worker: _LiveWorker(self, worker) for worker in self._engine.worker_ids()}

    def get_active_tasks(self) -> Iterable[Task]:
        """All tasks."""
        return self._tasks.values()

    def get_active_tasks_by_status(self, *statuses: str) -> Iterator[Task]:
        """The tasks of these statuses."""
        if not statuses:
            return iter(())
        return (_LiveTask(self._engine, task_id) for task_id in self._engine.task_ids(*statuses))

    def get_active_task_count_for_status(self, status: str | None) -> int:
        """How many tasks have this status, or how many there are."""
        return self._engine.task_count(status or None)

    def get_batch_running_tasks(self, batch_id: str) -> list[Task]:
        """The tasks that run together under this id."""
        return [task for task in self.get_active_tasks_by_status("BATCH_RUNNING") if task.batch_id == batch_id]

    def num_pending_tasks(self) -> int:
        """How many tasks are pending or running."""
        return self._engine.task_count("PENDING") + self._engine.task_count("RUNNING")

    def get_task(self, task_id: str, default: Task | None = None) -> Task | None:
        """The task of this id, or `default` when there is none."""
        return _LiveTask(self._engine, task_id) if self._engine.has_task(task_id) else default

    def has_task(self, task_id: str) -> bool:
        """Whether there is such a task."""
        return self._engine.has_task(task_id)

    def set_batcher(self, worker_id: str, family: str, batcher_args: Iterable[str], max_batch_size: float) -> None:
        """Say which parameters of a family this worker can run together."""
        arguments = {
            "worker": worker_id,
            "task_family": family,
            "batched_args": batcher_args,
            "max_batch_size": max_batch_size,
        }
        self._engine.call("add_task_batcher", time.time(), arguments)

    def get_batcher(self, worker_id: str, family: str) -> tuple[list[str] | None, float]:
        """The parameters that this worker can run together, and the most tasks of one batch."""
        found = self._engine.batcher(worker_id, family)
        if found is None:
            return None, 1
        names, size = found
        return names, float("inf") if size is None else size

    def get_active_workers(
        self, last_active_lt: float | None = None, last_get_work_gt: float | None = None
    ) -> Iterator[Worker]:
        """The workers that were heard from of late."""
        for worker in self._active_workers.values():
            if last_active_lt is None or worker.last_active < last_active_lt:
                yield worker

    def get_assistants(self, last_active_lt: float | None = None) -> Iterator[Worker]:
        """The workers that are assistants."""
        return (worker for worker in self.get_active_workers(last_active_lt) if worker.assistant)

    def get_worker_ids(self) -> Iterable[str]:
        """The ids of the workers."""
        return self._active_workers.keys()

    def get_worker(self, worker_id: str) -> Worker:
        """The worker of this id, which is made when there is none."""
        if self._engine.worker(worker_id) is None:
            self._engine.call("add_worker", time.time(), {"worker": worker_id, "info": {}})
        return _LiveWorker(self, worker_id)

    def disable_workers(self, worker_ids: Iterable[str]) -> None:
        """Give these workers no more work."""
        for worker_id in worker_ids:
            self._engine.call("disable_worker", time.time(), {"worker": worker_id})

    def fetch_rpc_messages(self, worker_id: str) -> list[dict[str, Any]]:
        """Take the messages that this worker has not fetched, which counts as contact."""
        reply = self._engine.call("ping", time.time(), {"worker": worker_id})
        return reply["rpc_messages"] + self._messages.pop(worker_id, [])

    def dump(self) -> None:
        """Write all that is known to the state's file, whole or not at all."""
        try:
            _write_whole(self._state_path, lambda: self._engine.dump(time.time()))
        except OSError:
            logger.warning("Failed saving scheduler state", exc_info=True)
        else:
            logger.info("Saved state in %s", self._state_path)

    def load(self) -> None:
        """Read what `dump` wrote, or Luigi itself. A file that holds something else is said so, and not read."""
        if not os.path.exists(self._state_path):
            logger.info("No prior state file exists at %s. Starting with empty state", self._state_path)
            return
        logger.info("Attempting to load state from %s", self._state_path)
        try:
            self._engine.load(time.time(), read_state(self._state_path))
        except (OSError, ValueError):
            logger.exception("Error when loading state. Starting from empty state.")


def read_state(path: str) -> bytes:
    """The state in a file, in the engine's format; ``ValueError`` when the file holds no state."""
    from luigi import _luigi_state

    with open(path, "rb") as file:
        content = file.read()
        written = os.fstat(file.fileno()).st_mtime
    if content.startswith(_luigi_state.EXPORT):
        return content
    return _luigi_state.export_of(content, written)


def _write_whole(path: str, content: Callable[[], bytes]) -> None:
    """Put the content in the place of the file in one step."""
    partial = f"{path}.{os.getpid()}.partial"
    try:
        with open(partial, "wb") as file:
            file.write(content())
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        if os.path.exists(partial):
            os.unlink(partial)
        raise


for _public in (OrderedSet, Task, Worker, SimpleTaskState):
    _public.__module__ = "luigi.scheduler"
