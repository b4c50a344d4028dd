"""The scheduler: decides which task runs next, on which worker. The engine decides; this is its door.

Each remote method is a method of :py:class:`Scheduler` and can be called in process, replaced, or wrapped. The clock
is ``time.time``, asked at each call. Who else is to hear of what happened (task history, metrics, people by e-mail) is
told here.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from typing import Any

from condotta import _engine
from luigi import configuration, notifications, parameter
from luigi import task_history as history
from luigi._engine_keys import KeysOfTheEngine
from luigi._rpc_method import RPC_METHODS, rpc_method
from luigi._scheduler_state import (
    WORKER_STATE_ACTIVE,
    WORKER_STATE_DISABLED,
    OrderedSet,
    RetryPolicy,
    SimpleTaskState,
    Task,
    Worker,
    _get_empty_retry_policy,
    kept_task,
)
from luigi.batch_notifier import BatchNotifier
from luigi.metrics import MetricsCollectors
from luigi.parameter import ParameterVisibility
from luigi.task import Config
from luigi.task_status import BATCH_RUNNING, DISABLED, DONE, FAILED, PENDING, RUNNING, SUSPENDED, UNKNOWN

__all__ = [
    "BATCH_RUNNING",
    "DISABLED",
    "DONE",
    "FAILED",
    "PENDING",
    "RPC_METHODS",
    "RUNNING",
    "SUSPENDED",
    "UNKNOWN",
    "WORKER_STATE_ACTIVE",
    "WORKER_STATE_DISABLED",
    "OrderedSet",
    "ParameterVisibility",
    "RetryPolicy",
    "Scheduler",
    "SimpleTaskState",
    "Task",
    "Worker",
    "_get_empty_retry_policy",
    "rpc_method",
    "scheduler",
]

logger = logging.getLogger(__name__)

UPSTREAM_RUNNING = "UPSTREAM_RUNNING"
UPSTREAM_MISSING_INPUT = "UPSTREAM_MISSING_INPUT"
UPSTREAM_FAILED = "UPSTREAM_FAILED"
UPSTREAM_DISABLED = "UPSTREAM_DISABLED"

#: From the least to the worst.
UPSTREAM_SEVERITY_ORDER = ("", UPSTREAM_RUNNING, UPSTREAM_MISSING_INPUT, UPSTREAM_FAILED, UPSTREAM_DISABLED)
UPSTREAM_SEVERITY_KEY = UPSTREAM_SEVERITY_ORDER.index
#: What a task of each status means to those that wait for it.
STATUS_TO_UPSTREAM_MAP = {
    FAILED: UPSTREAM_FAILED,
    RUNNING: UPSTREAM_RUNNING,
    BATCH_RUNNING: UPSTREAM_RUNNING,
    PENDING: UPSTREAM_MISSING_INPUT,
    DISABLED: UPSTREAM_DISABLED,
}


class scheduler(Config):  # noqa: N801 - the name of the section
    """The section ``[scheduler]``."""

    ignore_unconsumed = KeysOfTheEngine(lambda: scheduler.get_param_names())
    retry_delay = parameter.FloatParameter(
        default=900.0, description="Seconds until a failed task is pending again; below zero for ever"
    )
    remove_delay = parameter.FloatParameter(
        default=600.0, description="Seconds until a task is dropped in which no worker has a stake"
    )
    worker_disconnect_delay = parameter.FloatParameter(
        default=60.0, description="Seconds of silence after which a worker counts as lost"
    )
    state_path = parameter.Parameter(
        default="/var/lib/luigi-server/state.pickle", description="The file in which the state is kept"
    )
    batch_emails = parameter.BoolParameter(
        default=False, description="Tell failures in groups, every so often, and not one by one"
    )
    disable_window = parameter.IntParameter(default=3600, description="Seconds for which a failure counts")
    retry_count = parameter.IntParameter(
        default=999999999, description="So many failures within the window disable a task"
    )
    disable_hard_timeout = parameter.IntParameter(
        default=999999999, description="A failure so many seconds after the first one disables a task"
    )
    disable_persist = parameter.IntParameter(
        default=86400, description="Seconds for which a task that failed too often is disabled"
    )
    max_shown_tasks = parameter.IntParameter(default=100000, description="The most tasks in a list")
    max_graph_nodes = parameter.IntParameter(default=100000, description="The most nodes in a graph")
    record_task_history = parameter.BoolParameter(
        default=False, description="Write to a database when tasks are scheduled, start and finish"
    )
    prune_on_get_work = parameter.BoolParameter(default=False, description="Prune at each request for work")
    pause_enabled = parameter.BoolParameter(default=True, description="Let people pause the scheduler")
    send_messages = parameter.BoolParameter(default=True, description="Let people send messages to running tasks")
    metrics_collector = parameter.EnumParameter(
        enum=MetricsCollectors, default=MetricsCollectors.default, description="Who counts what tasks do"
    )
    metrics_custom_import = parameter.OptionalStrParameter(
        default=None, description="The class of a custom metrics collector, with its module"
    )
    stable_done_cooldown_secs = parameter.IntParameter(
        default=10, description="Seconds for which a finished task cannot be announced as pending"
    )

    def _get_retry_policy(self) -> RetryPolicy:
        return RetryPolicy(self.retry_count, self.disable_hard_timeout, self.disable_window)


class Scheduler:
    """The scheduler, for any number of workers, in their process or behind a server."""

    def __init__(
        self, config: Any = None, resources: dict[str, int] | None = None, task_history_impl: Any = None, **kwargs: Any
    ) -> None:
        """Start with nothing known.

        :param config: the settings; by default those of the section ``[scheduler]``, with `kwargs` in their place.
        :param resources: how much there is of each resource; by default the section ``[resources]``.
        :param task_history_impl: who writes the task history, whatever the settings say.
        """
        self._config = config or scheduler(**kwargs)
        history_impl = task_history_impl or self._configured_history()
        self._resources = resources or configuration.get_config().getintdict("resources")
        collector = MetricsCollectors.get(self._config.metrics_collector, self._config.metrics_custom_import)
        self._engine = _engine.Scheduler(self._config, dict(self._resources))
        self._state = SimpleTaskState(self._config.state_path, self._engine)
        self._state._metrics_collector = collector
        self._task_history = history_impl
        if self._config.batch_emails:
            self._email_batcher = BatchNotifier()

    def _configured_history(self) -> Any:
        if not self._config.record_task_history:
            return history.NopHistory()
        from luigi import db_task_history  # needs SQLAlchemy

        return db_task_history.DbTaskHistory()

    def load(self) -> None:
        """Take up what ``dump`` wrote."""
        self._state.load()

    def dump(self) -> None:
        """Write all that is known to the state's file, and tell failures that were not told yet."""
        self._state.dump()
        if self._config.batch_emails:
            self._email_batcher.send_email()

    @property
    def task_history(self) -> Any:
        """Who writes the task history."""
        return self._task_history

    @property
    def _task_history(self) -> Any:
        return self._history

    @_task_history.setter
    def _task_history(self, writer: Any) -> None:
        self._history = writer
        self._state.wants_history = type(writer) is not history.NopHistory

    @property
    def _paused(self) -> bool:
        return self._ask("is_paused", {})["paused"]

    # What workers call.

    @rpc_method()
    def add_task(
        self,
        task_id: str | None = None,
        status: str = PENDING,
        runnable: bool | None = True,
        deps: Iterable[str] | None = None,
        new_deps: Iterable[str] | None = None,
        expl: str | None = None,
        resources: dict[str, int] | None = None,
        priority: float = 0,
        family: str = "",
        module: str | None = None,
        params: dict[str, str] | None = None,
        param_visibilities: dict[str, int] | None = None,
        accepts_messages: bool | None = None,
        assistant: bool = False,
        tracking_url: str | None = None,
        worker: str | None = None,
        batchable: bool | None = None,
        batch_id: str | None = None,
        retry_policy_dict: dict[str, Any] | None = None,
        owners: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Announce a task, or report on it.

        `deps` replace the dependencies that are known, `new_deps` are added to them. Priorities only rise, and raise
        those of dependencies.
        """
        assert worker is not None
        engine = self._engine
        engine.add_task(
            time.time(),
            task_id,
            status,
            runnable,
            deps,
            new_deps,
            expl,
            resources,
            priority,
            family,
            module,
            params,
            param_visibilities,
            accepts_messages,
            assistant,
            tracking_url,
            worker,
            batchable,
            batch_id,
            retry_policy_dict,
            kwargs.get("attempt") if kwargs else None,
        )
        if engine.noted:
            self._tell()
        if status == FAILED and self._config.batch_emails:
            self._gather_failure(task_id, worker, family, expl, owners)

    @rpc_method(allow_null=False)
    def get_work(
        self,
        host: str | None = None,
        assistant: bool = False,
        current_tasks: Iterable[str] | None = None,
        worker: str | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Hand out the best task that `worker` may run now, and count those that wait.

        A task of `current_tasks` that is missing there was lost on the way, and is handed out again. The reply names
        the attempt when ``attempts=True`` is given, too.
        """
        if self._config.prune_on_get_work:
            self.prune()
        assert worker is not None
        engine = self._engine
        reply = engine.get_work(time.time(), host, assistant, current_tasks, worker, bool(kwargs.get("attempts")))
        if self._state.wants_metrics and reply["task_id"] is not None:
            self.update_metrics_task_started(kept_task(engine, reply["task_id"]))
        if engine.noted:
            self._tell()
        return reply

    @rpc_method()
    def count_pending(self, worker: str) -> dict[str, Any]:
        """How many tasks wait for `worker`, and which of its tasks run."""
        return self._ask("count_pending", {"worker": worker})

    @rpc_method(attempts=1)
    def ping(self, **kwargs: Any) -> dict[str, Any]:
        """The worker lives; its messages."""
        return {"rpc_messages": self._state.fetch_rpc_messages(kwargs["worker"])}

    @rpc_method()
    def add_worker(self, worker: str, info: Any, **kwargs: Any) -> None:
        """Keep what a worker says of itself, a dictionary or a list of pairs."""
        self._ask("add_worker", {"worker": worker, "info": info})

    @rpc_method()
    def add_task_batcher(
        self, worker: str, task_family: str, batched_args: Iterable[str], max_batch_size: float = float("inf")
    ) -> None:
        """Say that `worker` runs tasks of a family together, whatever their values of `batched_args` are."""
        self._state.set_batcher(worker, task_family, batched_args, max_batch_size)

    @rpc_method()
    def announce_scheduling_failure(
        self, task_name: str, family: str, params: dict[str, str], expl: str, owners: Iterable[str], **kwargs: Any
    ) -> None:
        """A worker could not find out what a task needs."""
        if self._config.batch_emails:
            unbatched = self._unbatched(kwargs["worker"], family, params)
            self._email_batcher.add_scheduling_fail(task_name, family, unbatched, expl, owners)

    @rpc_method()
    def set_task_status_message(self, task_id: str, status_message: str) -> None:
        """Show what a run says."""
        self._ask("set_task_status_message", {"task_id": task_id, "status_message": status_message})

    @rpc_method()
    def set_task_progress_percentage(self, task_id: str, progress_percentage: float) -> None:
        """Show how far a run is."""
        self._ask("set_task_progress_percentage", {"task_id": task_id, "progress_percentage": progress_percentage})

    @rpc_method()
    def decrease_running_task_resources(self, task_id: str, decrease_resources: dict[str, int]) -> None:
        """Give back a part of what a run takes."""
        self._ask("decrease_running_task_resources", {"task_id": task_id, "decrease_resources": decrease_resources})

    @rpc_method()
    def add_scheduler_message_response(self, task_id: str, message_id: str, response: str) -> None:
        """Keep a task's answer to a message."""
        self._ask(
            "add_scheduler_message_response", {"task_id": task_id, "message_id": message_id, "response": response}
        )

    @rpc_method()
    def update_metrics_task_started(self, task: Any) -> None:
        """Tell the metrics collector that a task starts."""
        self._state._metrics_collector.handle_task_started(task)

    @rpc_method()
    def report_task_statistics(self, task_id: str, statistics: Any) -> None:
        """Tell the metrics collector what a task measured."""
        task = kept_task(self._engine, task_id)
        if task is not None:
            self._state._metrics_collector.handle_task_statistics(task, statistics)

    # What operators call.

    @rpc_method()
    def prune(self) -> None:
        """Do what is due: drop lost workers and old tasks, fail what they ran, try failed tasks again."""
        self._engine.prune(time.time())
        if self._engine.noted:
            self._tell()
        if self._config.batch_emails:
            self._email_batcher.update()

    @rpc_method()
    def forgive_failures(self, task_id: str | None = None) -> dict[str, Any]:
        """Make a failed task pending."""
        return self._ask("forgive_failures", {"task_id": task_id})

    @rpc_method()
    def mark_as_done(self, task_id: str | None = None) -> dict[str, Any]:
        """Take a task that runs, failed or is disabled for done."""
        return self._ask("mark_as_done", {"task_id": task_id})

    @rpc_method()
    def re_enable_task(self, task_id: str) -> dict[str, Any]:
        """Enable a task that the scheduler disabled."""
        return self._ask("re_enable_task", {"task_id": task_id})

    @rpc_method()
    def disable_worker(self, worker: str) -> None:
        """Give a worker no more work."""
        self._ask("disable_worker", {"worker": worker})

    @rpc_method()
    def set_worker_processes(self, worker: str, n: int) -> None:
        """Ask a worker to run so many tasks at once."""
        self._ask("set_worker_processes", {"worker": worker, "n": n})

    @rpc_method()
    def send_scheduler_message(self, worker: str, task: str, content: str) -> dict[str, Any]:
        """Send a message to a running task."""
        return self._ask("send_scheduler_message", {"worker": worker, "task": task, "content": content})

    @rpc_method()
    def get_scheduler_message_response(self, task_id: str, message_id: str) -> dict[str, Any]:
        """Take a task's answer to a message."""
        return self._ask("get_scheduler_message_response", {"task_id": task_id, "message_id": message_id})

    @rpc_method()
    def has_task_history(self) -> bool:
        """Whether a task history is written."""
        return self._config.record_task_history

    @rpc_method()
    def is_pause_enabled(self) -> dict[str, bool]:
        """Whether people can pause the scheduler."""
        return self._ask("is_pause_enabled", {})

    @rpc_method()
    def is_paused(self) -> dict[str, bool]:
        """Whether no work is handed out."""
        return self._ask("is_paused", {})

    @rpc_method()
    def pause(self) -> None:
        """Hand out no work."""
        self._ask("pause", {})

    @rpc_method()
    def unpause(self) -> None:
        """Hand out work again."""
        self._ask("unpause", {})

    @rpc_method()
    def update_resources(self, **resources: int) -> None:
        """Set how much there is of some resources."""
        self._engine.update_resources(time.time(), resources)
        self._resources.update(resources)

    @rpc_method()
    def update_resource(self, resource: str, amount: int) -> bool:
        """Set how much there is of a resource; false for what is no amount."""
        if not isinstance(amount, int) or amount < 0:
            return False
        self.update_resources(**{resource: amount})
        return True

    # What shows something.

    @rpc_method()
    def graph(self, **kwargs: Any) -> dict[str, Any]:
        """All tasks with their dependencies, by id."""
        return self._show("graph", {})

    @rpc_method()
    def dep_graph(self, task_id: str, include_done: bool = True, **kwargs: Any) -> dict[str, Any]:
        """A task with all that it depends on, by id."""
        return self._show("dep_graph", {"task_id": task_id, "include_done": include_done})

    @rpc_method()
    def inverse_dep_graph(self, task_id: str, include_done: bool = True, **kwargs: Any) -> dict[str, Any]:
        """A task with all that depends on it, by id."""
        return self._show("inverse_dep_graph", {"task_id": task_id, "include_done": include_done})

    @rpc_method()
    def task_list(
        self,
        status: str | None = "",
        upstream_status: str | None = "",
        limit: bool = True,
        search: str | None = None,
        max_shown_tasks: int | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The tasks of a status, by id, or how many there are when they are too many to show."""
        status, upstream_status = status or "", upstream_status or ""
        if (
            search
            or not limit
            or self._state.get_active_task_count_for_status(status) <= (max_shown_tasks or self._config.max_shown_tasks)
        ):
            self.prune()
        arguments = {
            "status": status,
            "upstream_status": upstream_status,
            "limit": limit,
            "search": search,
            "max_shown_tasks": max_shown_tasks,
        }
        if upstream_status in UPSTREAM_SEVERITY_ORDER:
            return self._ask("task_list", arguments)
        # No pending task waits for what there is not.
        found = self._ask("task_list", {**arguments, "upstream_status": UPSTREAM_DISABLED})
        return (
            found
            if "num_tasks" in found
            else {task_id: task for task_id, task in found.items() if task["status"] != PENDING}
        )

    @rpc_method()
    def task_search(self, task_str: str, **kwargs: Any) -> dict[str, Any]:
        """The tasks whose id contains a text, by status and id."""
        return self._show("task_search", {"task_str": task_str})

    @rpc_method()
    def worker_list(self, include_running: bool = True, **kwargs: Any) -> list[dict[str, Any]]:
        """The workers, the latest first."""
        return self._show("worker_list", {"include_running": include_running})

    @rpc_method()
    def resource_list(self) -> list[dict[str, Any]]:
        """The resources, with what runs take of them."""
        return self._show("resource_list", {})

    @rpc_method()
    def fetch_error(self, task_id: str, **kwargs: Any) -> dict[str, Any]:
        """What a task's last run said."""
        return self._ask("fetch_error", {"task_id": task_id})

    @rpc_method()
    def get_task_status_message(self, task_id: str) -> dict[str, Any]:
        """What a run says."""
        return self._ask("get_task_status_message", {"task_id": task_id})

    @rpc_method()
    def get_task_progress_percentage(self, task_id: str) -> dict[str, Any]:
        """How far a run is, in percent."""
        return self._ask("get_task_progress_percentage", {"task_id": task_id})

    @rpc_method()
    def get_running_task_resources(self, task_id: str) -> dict[str, Any]:
        """What a run takes."""
        return self._ask("get_running_task_resources", {"task_id": task_id})

    def resources(self) -> dict[str, dict[str, int]]:
        """How much there is of each resource, and how much runs take."""
        listed = self._ask("resource_list", {})
        return {resource["name"]: {"total": resource["num_total"], "used": resource["num_used"]} for resource in listed}

    # Within.

    def _upstream_status(self, task_id: str, upstream_status_table: Any) -> str:
        """The worst that a task waits for."""
        return self._engine.upstream_status(task_id)

    def _ask(self, method: str, arguments: dict[str, Any]) -> Any:
        """Put a request to the engine, and tell what happened by it."""
        reply = self._engine.call(method, time.time(), arguments)
        if self._engine.noted:
            self._tell()
        return reply

    def _show(self, method: str, arguments: dict[str, Any]) -> Any:
        """A view that does first what is due."""
        self.prune()
        return self._ask(method, arguments)

    def _tell(self) -> None:
        """Tell history, metrics and people what happened."""
        for kind, task_id, *details in self._engine.take_events():
            task = kept_task(self._engine, task_id)
            if task is None:
                continue
            if kind == "history":
                self._update_task_history(task, *details)
            elif kind == "status":
                self._count(task, details[0])
            elif not self._config.batch_emails:
                self._email_disabled(task)

    def _update_task_history(self, task: Any, status: str, host: str | None = None) -> None:
        try:
            if status == PENDING:
                self._task_history.task_scheduled(task)
            elif status == RUNNING:
                self._task_history.task_started(task, host)
            elif status in (DONE, FAILED):
                self._task_history.task_finished(task, status == DONE)
        except BaseException:
            logger.warning("Error saving Task history", exc_info=True)

    def _count(self, task: Any, status: str) -> None:
        collector = self._state._metrics_collector
        if status == DONE:
            collector.handle_task_done(task)
        elif status == FAILED:
            collector.handle_task_failed(task)
        elif status == DISABLED:
            collector.handle_task_disabled(task, self._config)

    def _email_disabled(self, task: Any) -> None:
        policy = task.retry_policy
        notifications.send_error_email(
            f"Luigi Scheduler: DISABLED {task.id} due to excessive failures",
            f"{task.id} failed {policy.retry_count} times in the last {policy.disable_window} seconds, "
            f"so it is being disabled for {self._config.disable_persist} seconds",
        )

    def _gather_failure(self, task_id: str | None, worker: str, family: str, expl: Any, owners: Any) -> None:
        """Keep a failure until failures are told."""
        task = kept_task(self._engine, task_id) if task_id is not None else None
        if task is None:
            return
        unbatched = self._unbatched(worker, family, task.params)
        try:
            said = json.loads(expl)
        except ValueError:
            said = expl
        self._email_batcher.add_failure(task.pretty_id, task.family, unbatched, said, owners)
        if task.status == DISABLED:
            self._email_batcher.add_disable(task.pretty_id, task.family, unbatched, owners)

    def _unbatched(self, worker: str, family: str, params: dict[str, str]) -> dict[str, str]:
        """The parameters that tasks of one batch have in common."""
        batched, _ = self._state.get_batcher(worker, family)
        return {name: value for name, value in params.items() if name not in (batched or ())}

    def _generate_retry_policy(self, task_retry_policy_dict: dict[str, Any]) -> RetryPolicy:
        own = {name: value for name, value in task_retry_policy_dict.items() if value is not None}
        return RetryPolicy(**{**self._config._get_retry_policy()._asdict(), **own})
