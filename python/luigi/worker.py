"""The worker: plans tasks, asks a scheduler for work, runs it and reports.

The steps and their order are the engine's. Here is what users subclass and look into: what a worker
holds, the process of a task, the keep-alive thread, the settings and the exceptions.
"""

from __future__ import annotations

import collections
import collections.abc
import contextlib
import datetime
import functools
import importlib
import json
import multiprocessing
import os
import signal
import socket
import time
import traceback
from collections.abc import Iterator
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

from condotta import _engine
from luigi._interface_logger import interface_logger
from luigi._keep_alive import KeepAliveThread, fork_lock
from luigi._private import all_params, hide_in_expl, private_of  # noqa: F401  the steps look up the second here
from luigi._results import Channel, ResultQueue
from luigi._worker_config import worker
from luigi._worker_identity import WorkerIdentity
from luigi._worker_mails import FailureMails
from luigi._worker_messages import Messages, rpc_message_callback
from luigi._worker_operated import Operated, cancelled, end_overdue, ending
from luigi._worker_parts import (
    AsyncCompletionException,
    DequeQueue,
    LentAttributes,
    SchedulerMessage,
    SingleProcessPool,
    TaskStatusReporter,
    TracebackWrapper,
    runners_of_its_own,
    starter,
)
from luigi.configuration import get_config
from luigi.event import Event
from luigi.rpc import RemoteScheduler
from luigi.scheduler import (
    DISABLED,
    DONE,
    FAILED,
    PENDING,
    UNKNOWN,
    WORKER_STATE_ACTIVE,
    WORKER_STATE_DISABLED,
    RetryPolicy,
    Scheduler,
)
from luigi.target import Target
from luigi.task import DynamicRequirements, Task, flatten
from luigi.task_register import TaskClassException, load_task  # noqa: F401  the exception is looked up here, too
from luigi.task_status import RUNNING

if TYPE_CHECKING:
    from luigi._run_output import RunOutput
    from luigi._runners import Runners

__all__ = [
    "AsyncCompletionException",
    "ContextManagedTaskProcess",
    "DequeQueue",
    "GetWorkResponse",
    "KeepAliveThread",
    "SchedulerMessage",
    "SingleProcessPool",
    "TaskException",
    "TaskProcess",
    "TaskStatusReporter",
    "TracebackWrapper",
    "Worker",
    "check_complete",
    "check_complete_cached",
    "rpc_message_callback",
    "worker",
]

# The engine finds these here under their names, as do projects that have a copy of this module.
_ENGINE_READS = (
    json,
    cancelled,
    end_overdue,
    ending,
    fork_lock,
    DISABLED,
    PENDING,
    UNKNOWN,
    DONE,
    RUNNING,
    WORKER_STATE_ACTIVE,
    WORKER_STATE_DISABLED,
)

logger = interface_logger()

# No wait for a result is shorter.
_WAIT_INTERVAL_EPS = 0.00001


def _is_external(task: Task) -> bool:
    run = task.run
    return run is None or run == NotImplemented


def _get_retry_policy_dict(task: Task) -> dict[str, Any]:
    return dict(zip(RetryPolicy._fields, (task.retry_count, task.disable_hard_timeout, task.disable_window)))


class TaskException(Exception):
    """A task cannot be scheduled, or is not complete after its run."""


GetWorkResponse = collections.namedtuple(
    "GetWorkResponse",
    "task_id running_tasks n_pending_tasks n_unique_pending n_pending_last_scheduled worker_state",
)


class TaskProcess(multiprocessing.Process):
    """One run of a task: in a process of its own, or in the worker's."""

    # What of the status reporter the task can use while it runs, under which of its own names.
    forward_reporter_attributes = {
        "update_tracking_url": "set_tracking_url",
        "update_status_message": "set_status_message",
        "update_progress_percentage": "set_progress_percentage",
        "decrease_running_resources": "decrease_running_resources",
        "scheduler_messages": "scheduler_messages",
    }

    #: The processes that are kept, if any are.
    runners: Runners | None = None
    #: Where what the run prints goes, if somebody keeps it.
    output: RunOutput | None = None
    #: Who wanted the run ended.
    cancelled_by: str | None = None

    def __init__(
        self,
        task: Task,
        worker_id: str,
        result_queue: Any,
        status_reporter: Any,
        use_multiprocessing: bool = False,
        worker_timeout: float = 0,
        check_unfulfilled_deps: bool = True,
        check_complete_on_run: bool = False,
        task_completion_cache: Any = None,
    ) -> None:
        super().__init__()
        self.task = task
        self.worker_id = worker_id
        self.status_reporter = status_reporter
        self.worker_timeout = worker_timeout if task.worker_timeout is None else task.worker_timeout
        self.timeout_time = time.time() + self.worker_timeout if self.worker_timeout else None
        self.use_multiprocessing = use_multiprocessing or self.timeout_time is not None
        self.check_unfulfilled_deps = check_unfulfilled_deps
        self.check_complete_on_run = check_complete_on_run
        self.task_completion_cache = task_completion_cache
        self.check_complete = functools.partial(check_complete_cached, completion_cache=task_completion_cache)
        if self.use_multiprocessing and isinstance(result_queue, ResultQueue):
            result_queue = result_queue.for_process(self)
        self.result_queue = result_queue

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        return starter()(process_obj)

    def start(self) -> None:
        """Starts the process, whose ``run()`` puts the result on the queue.

        A task that cannot be sent to its process has failed.
        """
        if isinstance(self.result_queue, Channel):
            if self.runners is not None and not self.task.accepts_messages and self.runners.start(self):
                return
            self.result_queue.open()
        if self.output is not None:
            self.output.open()
        try:
            super().start()
        except (AttributeError, TypeError, PicklingError) as error:
            self._report_unsendable(error)
        finally:
            # Also if a signal ends the worker: what prints while it is ended must not wait for a reader.
            if isinstance(self.result_queue, Channel):
                self.result_queue.started()
            if self.output is not None:
                self.output.started()

    def _after_fork(self) -> None:
        super()._after_fork()  # type: ignore[misc]
        if self.output is not None:
            self.output.enter()

    def _report_unsendable(self, error: Exception) -> None:
        try:
            from luigi._runners import unsendable

            # To be handled, as what a run raises is: the explanation may be made of what is being handled.
            raise TaskException(f"{self.task} cannot run in a new process: {unsendable(self, error)}") from error
        except TaskException as explained:
            explanation = self._handle_run_exception(explained)
        self.result_queue.put((self.task.task_id, FAILED, explanation, [], []))

    def is_lost(self) -> bool:
        """Whether the process ended without a result."""
        return isinstance(self.result_queue, Channel) and self.result_queue.is_lost()

    def _run_get_new_deps(self) -> list[tuple[str, str, dict[str, str]]] | None:
        steps = self.task.run()
        return None if steps is None else self._requirements_of(steps)

    def _requirements_of(self, steps: Any) -> list[tuple[str, str, dict[str, str]]] | None:
        if not isinstance(steps, collections.abc.Generator):
            return None
        paths = None
        while (wanted := _next_requirements(steps, paths)) is not None:
            if not wanted.complete(self.check_complete):
                # The run starts from the top when these are complete.
                return [(task.task_module, task.task_family, all_params(task)) for task in wanted.flat_requirements]
            paths = wanted.paths
        return None

    def _run_within(self) -> list[tuple[str, str, dict[str, str]]] | None:
        with self._forward_attributes():
            return self._run_get_new_deps()

    def run(self) -> None:
        """Runs the task and puts ``(task_id, status, explanation, missing, new dependencies)`` on the queue."""
        _engine.run_task_process(self)

    def _refuse_for(self, missing: list[str]) -> None:
        noun = "dependency" if len(missing) == 1 else "dependencies"
        raise RuntimeError(f"Unfulfilled {noun} at run time: {', '.join(missing)}")

    def _missing_dependencies(self) -> list[str]:
        missing = []
        for dependency in self.task.deps():
            if not self.check_complete(dependency):
                absent = [str(output) for output in flatten(dependency.output()) if not output.exists()]
                missing.append(f"{dependency.task_id} ({', '.join(absent)})" if absent else dependency.task_id)
        return missing

    def _look_for_external(self) -> tuple[str, str]:
        if self.check_complete(self.task):
            return DONE, ""
        return FAILED, "Task is an external data dependency and data does not exist (yet?)."

    def _status_after_run(self) -> str:
        if not self.check_complete_on_run:
            if self.task_completion_cache is not None:
                self.task_completion_cache[self.task.task_id] = True
        elif not self.check_complete(self.task):
            raise TaskException("Task finished running, but complete() is still returning false.")
        return DONE

    def _handle_run_exception(self, ex: BaseException) -> Any:
        logger.exception("[pid %s] Worker %s failed    %s", os.getpid(), self.worker_id, self.task)
        self.task.trigger_event(Event.FAILURE, self.task, ex)
        return self.task.on_failure(ex)

    def _recursive_terminate(self) -> None:
        import psutil

        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            descendants = process.children(recursive=True)
            # The process first, so that it can clean up; then what it left behind.
            super().terminate()
            process.wait()
            for descendant in descendants:
                with contextlib.suppress(psutil.NoSuchProcess):
                    descendant.terminate()

    def terminate(self) -> None:
        """Terminates the process, and with ``psutil`` installed all that it started."""
        try:
            self._recursive_terminate()
        except ImportError:
            super().terminate()

    def _forward_attributes(self) -> contextlib.AbstractContextManager[TaskProcess]:
        return LentAttributes(self)

    def __getstate__(self) -> dict[str, Any]:
        # A process that is not forked for it builds the task anew, like one that the scheduler handed out.
        state = dict(self.__dict__)
        state.pop("runners", None)
        task = state.pop("task")
        return {
            "attributes": state,
            "task_id": task.task_id,
            "recipe": (task.task_module, task.task_family, all_params(task)),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state["attributes"], task=None)
        try:
            task = load_task(*state["recipe"])
            if task.task_id != state["task_id"]:
                raise TaskException(f"the parameters of {state['task_id']} make {task.task_id} in a new process")
            self.task = task
        except Exception:
            logger.exception("[pid %s] Worker %s cannot build %s", os.getpid(), self.worker_id, state["task_id"])
            self._not_loaded = (
                state["task_id"],
                FAILED,
                f"The task cannot be built in a new process:\n{traceback.format_exc()}",
            )


#: What a process does after its fork, and to be ended, where nobody put something else there.
PLAIN_AFTER_FORK = TaskProcess._after_fork
PLAIN_TERMINATE = (TaskProcess.terminate, TaskProcess._recursive_terminate)


class ContextManagedTaskProcess(TaskProcess):
    """A run within the context manager that ``[worker] task_process_context`` names."""

    def __init__(self, context: str | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.context = context

    def run(self) -> None:
        """Runs the task as :py:meth:`TaskProcess.run` does."""
        if not self.context:
            super().run()
            return
        logger.debug("Importing module and instantiating %s", self.context)
        module, _, name = self.context.rpartition(".")
        # The run has not ended before the context manager has been left, so the worker hears of its end then.
        results, self.result_queue = self.result_queue, DequeQueue()
        held = self.result_queue
        try:
            with getattr(importlib.import_module(module), name)(self):
                super().run()
        finally:
            self.result_queue = results
            for result in held:
                results.put(result)


def check_complete_cached(task: Task, completion_cache: Any = None) -> Any:
    """Whether the task is complete. What was complete once is not looked at again if there is a cache."""
    if completion_cache is None:
        return task.complete()
    if completion_cache.get(task.task_id):
        return True
    is_complete = task.complete()
    if is_complete:
        completion_cache[task.task_id] = is_complete
    return is_complete


def _next_requirements(steps: collections.abc.Generator, answer: Any) -> DynamicRequirements | None:
    """Goes on with a run and returns what it asks for next, ``None`` if it has ended."""
    try:
        wanted = steps.send(answer)
    except StopIteration:
        return None
    return wanted if isinstance(wanted, DynamicRequirements) else DynamicRequirements(wanted)


def check_complete(task: Task, out_queue: Any, completion_cache: Any = None) -> None:
    """Puts the task on the queue with whether it is complete, or with the traceback of the check."""
    logger.debug("Checking if %s is complete", task)
    try:
        answer = (task, check_complete_cached(task, completion_cache))
    except Exception:
        answer = (task, TracebackWrapper(traceback.format_exc()))
    out_queue.put(answer)


def _engines() -> Any:
    config = get_config()
    # Few programs have such a section.
    if not any(name.startswith("engine") for name in getattr(config, "data", None) or config.sections()):
        return None
    from luigi import _elsewhere

    return _elsewhere.engines_of(config)


class Worker(WorkerIdentity, FailureMails, Operated, Messages, _engine.WorkerSteps):
    """Plans tasks and runs them, as a scheduler says.

    Each step is a method, looked up when it is called. ``_add``, ``_add_task``, ``_add_task_batcher``,
    ``_add_worker``, ``_get_work``, ``_get_work_task_id``, ``_handle_next_task``, ``_keep_alive``,
    ``_log_remote_tasks``, ``_purge_children``, ``_run_task``, ``_start_phasing_out`` and ``run`` are the engine's.
    """

    def __init__(
        self,
        scheduler: Any = None,
        worker_id: str | None = None,
        worker_processes: int = 1,
        assistant: bool = False,
        **kwargs: Any,
    ) -> None:
        self.worker_processes = int(worker_processes)
        if self.worker_processes < 0:
            raise ValueError(
                f"--workers is {worker_processes}: a worker runs a number of tasks at a time, or 0 to run none"
            )
        self._worker_info = self._generate_worker_info()
        self._config = worker(**kwargs)
        assert self._config.wait_interval >= _WAIT_INTERVAL_EPS, "[worker] wait_interval must be positive"
        assert self._config.wait_jitter >= 0.0, "[worker] wait_jitter must be equal or greater than zero"
        self._id = worker_id or self._config.id or self._generate_worker_id(self._worker_info)
        self._scheduler = Scheduler() if scheduler is None else scheduler
        self._assistant = assistant
        self._stop_requesting_work = False
        self.host = socket.gethostname()

        # What was planned or loaded, by task id; runs that have not ended, and those that were found dead; members of
        # batches that run.
        self._scheduled_tasks: dict[str, Task] = {}
        self._suspended_tasks: dict[str, Task] = {}
        self._running_tasks: dict[str, TaskProcess] = {}
        self._purged: dict[str, TaskProcess] = {}
        self._batch_running_tasks: dict[str, Any] = {}
        self._batch_families_sent: set[str] = set()
        self._first_task: str | None = None
        self._task_result_queue: Any = ResultQueue()
        self._runners = runners_of_its_own() if self._config.reuse_processes else None
        self._idle_since: datetime.datetime | None = None
        self.unfulfilled_counts: dict[str, int] = collections.defaultdict(int)
        self._task_completion_cache = None
        if self._config.cache_task_completion:
            # Processes of tasks share it.
            self._task_completion_cache = multiprocessing.Manager().dict()

        # Where tasks run, if not here.
        self._engines = _engines()

        # What the execution summary is made of.
        self.add_succeeded = True
        self.run_succeeded = True
        self._add_task_history: list[tuple[Task, str, bool | None]] = []
        self._get_work_response_history: list[dict[str, Any]] = []

        if not self._config.no_install_shutdown_handler:
            self._install_shutdown_handler()

    def _install_shutdown_handler(self) -> None:
        # A platform may lack the signal, and only the main thread may have a handler.
        with contextlib.suppress(AttributeError, ValueError):
            signal.signal(signal.SIGUSR1, self.handle_interrupt)
            signal.siginterrupt(signal.SIGUSR1, False)

    def __enter__(self) -> Worker:
        interval = self._config.ping_interval
        self._keep_alive_thread = KeepAliveThread(self._scheduler, self._id, interval, self._handle_rpc_message)
        self._keep_alive_thread.start()
        return self

    def __exit__(self, type: Any, value: Any, traceback: Any) -> Any:
        self._keep_alive_thread.stop()
        self._keep_alive_thread.join()
        for process in self._running_tasks.values():
            if process.is_alive():
                process.terminate()
        if type is None:
            # The execution summary comes next.
            self._wait_for_last_words()
        if self._is_operated():
            # Else it counts as active until it was silent for a minute.
            self._scheduler.release_worker(self._id)
        self._task_result_queue.close()
        if self._runners is not None:
            self._runners.close()
        return False

    def _validate_task(self, task: Any) -> None:
        if not isinstance(task, Task):
            raise TaskException(f"Can not schedule non-task {task}")
        if not task.initialized():
            name = type(task).__name__
            raise TaskException(
                f"Task of class {name} not initialized. "
                "Did you override __init__ and forget to call super(...).__init__?"
            )

    def _validate_dependency(self, dependency: Any) -> None:
        if isinstance(dependency, Task):
            return
        if isinstance(dependency, Target):
            raise Exception("requires() can not return Target objects. Wrap it in an ExternalTask class")
        raise Exception(f"requires() must return Task objects but {dependency} is a {type(dependency)}")

    def _check_complete_value(self, is_complete: Any) -> None:
        if is_complete in (True, False):
            return
        if isinstance(is_complete, TracebackWrapper):
            raise AsyncCompletionException(is_complete.trace)
        raise Exception(f"Return value of Task.complete() must be boolean (was {is_complete!r})")

    def add(self, task: Task, multiprocess: bool = False, processes: int = 0) -> bool:
        """Plans ``task`` with all that it needs, and announces what has to run.

        With ``multiprocess`` completeness is checked in ``processes`` processes, 0 for one of each CPU.
        Returns True if all of them could be scheduled or were complete.
        """
        if self._first_task is None and hasattr(task, "task_id"):
            self._first_task = task.task_id
        self.add_succeeded = True
        pool: Any = SingleProcessPool()
        queue: Any = DequeQueue()
        if multiprocess:
            queue = multiprocessing.Manager().Queue()
            pool = multiprocessing.Pool(processes=processes if processes > 0 else None)
        self._validate_task(task)
        try:
            # A scheduler behind a server may be told of many tasks at once.
            announcing = getattr(type(self._scheduler), "announcing", contextlib.nullcontext)
            with announcing(self._scheduler):
                _engine.plan_graph(self, task, pool, queue)
        except (KeyboardInterrupt, TaskException):
            raise
        except Exception as error:
            self.add_succeeded = False
            formatted_traceback = traceback.format_exc()
            self._log_unexpected_error(task)
            task.trigger_event(Event.BROKEN_TASK, task, error)
            self._email_unexpected_error(task, formatted_traceback)
            raise
        finally:
            pool.close()
            pool.join()
        return self.add_succeeded

    def _create_task_process(self, task: Task) -> TaskProcess:
        kind: Any = ContextManagedTaskProcess
        messages: Any = None
        if self._engines is not None and self._engines.folder(task.task_family) and not _is_external(task):
            from luigi import _elsewhere

            kind = functools.partial(_elsewhere.ElsewhereProcess, self._engines)
            messages = _elsewhere.MessageFile() if task.accepts_messages else None
        elif task.accepts_messages:
            messages = multiprocessing.Queue()
        reporter = TaskStatusReporter(self._scheduler, task.task_id, self._id, messages)
        reporter.private = private_of(task)
        process: TaskProcess = kind(
            self._config.task_process_context,
            task,
            self._id,
            self._task_result_queue,
            reporter,
            use_multiprocessing=self._config.force_multiprocessing or self.worker_processes > 1,
            worker_timeout=self._config.timeout,
            check_unfulfilled_deps=self._config.check_unfulfilled_deps,
            check_complete_on_run=self._config.check_complete_on_run,
            task_completion_cache=self._task_completion_cache,
        )
        process.runners = self._runners
        process.output = self._begin_output(task, reporter.private)
        return process

    def _sleeper(self) -> Iterator[None]:
        while True:
            # Where somebody put another one in its place, that is asked.
            random = globals().get("random") or importlib.import_module("random")
            seconds = self._config.wait_interval + random.uniform(0, self._config.wait_jitter)
            logger.debug("Sleeping for %f seconds", seconds)
            if isinstance(self._scheduler, RemoteScheduler):
                self._scheduler.wait_for_work(self._id, seconds)
            else:
                time.sleep(seconds)
            yield

    def handle_interrupt(self, signum: int, _: Any) -> None:
        """On SIGUSR1 the worker asks for no more work and leaves when its runs have ended."""
        if signum == signal.SIGUSR1:
            self._start_phasing_out()


def __getattr__(name: str) -> Any:
    """The modules that Luigi's worker shows as well. What is loaded is copied for each process."""
    modules = {"Queue": "queue", "random": "random"}
    if name in modules:
        return importlib.import_module(modules[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_engine.remember_built_in()
