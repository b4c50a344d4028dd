"""Runs that take place on another machine, as section ``[engine]`` of the configuration says.

The worker's side. It writes a request into a folder that both machines share, has the engine start
``python -m luigi._sent_run`` there, and passes on what that says. What runs there outlives the worker: whoever runs
the task next goes on with it.
"""

from __future__ import annotations

import difflib
import logging
import os
import sys
import threading
import time
from multiprocessing import spawn
from typing import TYPE_CHECKING, Any

from condotta import _engine
from luigi._follower import Follower
from luigi._interface_logger import interface_logger
from luigi._keep_alive import fork_lock
from luigi._private import all_params, shown
from luigi._shared_folder import RunFolder, TaskFolder
from luigi._worker_operated import cancelled
from luigi.cmdline_parser import CmdlineParser
from luigi.parameter import ParameterVisibility
from luigi.task_register import Register
from luigi.task_status import DONE, FAILED
from luigi.worker import ContextManagedTaskProcess, SchedulerMessage, TaskException

if TYPE_CHECKING:
    from luigi.task import Task

logger = interface_logger()

# A result may come from another machine so long after the end of what wrote it.
_LATE_WORDS_SECONDS = 10.0
# So long whoever ends a run waits until the engine was told.
_END_SECONDS = 5.0


def engines_of(config: Any) -> Any:
    """What a configuration says of engines, ``None`` where it says nothing.

    Raises ValueError for what makes no sense.
    """
    sections = list(_sections(config))
    if not sections:
        return None
    engines = Engines(sections)
    known = [*Register.task_names(), "default"]
    for family in engines.families:
        near = difflib.get_close_matches(family, known, n=1, cutoff=0.8)
        # One that looks like nothing here is another program's that reads the same file.
        if near and near[0] != family and family not in known:
            raise ValueError(f"[engine] names {family}, which is no task here; did you mean {near[0]}?")
    return engines


def _sections(config: Any) -> Any:
    content = config.data if hasattr(config, "data") else config._sections
    for name, entries in content.items():
        if _engine.Engines.reads(name):
            yield name, [(key, str(config.get(name, key))) for key in entries]


class Engines:
    """Where tasks run, if not here."""

    def __init__(self, sections: list[tuple[str, list[tuple[str, str]]]]) -> None:
        self._sections = sections
        self._engines = _engine.Engines(sections)
        self.families = self._engines.families
        self.folder = self._engines.folder
        self._follower = Follower()

    def run(self, listener: _Listener, family: str, *call: Any) -> None:
        """Starts a program for a task, or goes on with what runs already, and follows it to its end."""
        if self._engines.starts_threads(family):
            self._follower.run(self._sections, [family, *call], listener)
        else:
            arguments: list[Any] = [family, *call, listener]
            self._engines.run(*arguments)


class MessageFile:
    """Takes the messages to a task, as a queue does, for a run on another machine."""

    folder: RunFolder | None = None

    def put(self, message: SchedulerMessage) -> None:
        """Sends a message on."""
        if self.folder is not None:
            self.folder.messages.append([message._message_id, message.content, message.payload])


class ElsewhereProcess(ContextManagedTaskProcess):
    """A run on another machine, which is followed by a thread of the worker."""

    def __init__(self, engines: Any, context: str | None, task: Task, *args: Any, **kwargs: Any) -> None:
        # Results come from a thread of this process, so the queue is to be as for a run in it.
        super().__init__(context, task, *args, **kwargs | {"use_multiprocessing": False, "worker_timeout": 0})
        wanted = task.worker_timeout
        self.worker_timeout = kwargs["worker_timeout"] if wanted is None else wanted
        # The time counts from the start of the task there.
        self.timeout_time = None
        self.use_multiprocessing = True
        self._engines = engines
        self._stop = threading.Event()
        self._result: Any = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins, and leaves the rest to a thread."""
        self._thread = threading.Thread(target=self._follow, name=f"elsewhere-{self.task.task_id}", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether the run goes on."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def exitcode(self) -> int | None:
        """Zero when it is over: how it ended is in its result."""
        return None if self._thread is None or self._thread.is_alive() else 0

    def is_lost(self) -> bool:
        """It always has a result."""
        return False

    def terminate(self) -> None:
        """Ends the run for good, whose result nobody wants any more."""
        self._result = ()
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_END_SECONDS)

    def cancel(self) -> str:
        """Has the run ended, which then has failed. Returns what is being done."""
        self._stop.set()
        return "it is being ended on the machine where it runs"

    def _follow(self) -> None:
        task = self.task
        try:
            result = self._run_there()
        except Exception as error:
            logger.exception("Worker %s cannot run %s elsewhere", self.worker_id, task)
            result = (task.task_id, FAILED, f"Task {task.task_id} cannot run elsewhere: {error}", [], [])
        if self._result is None:
            self.result_queue.put(result)

    def _run_there(self) -> tuple[Any, ...]:
        task = self.task
        folder = TaskFolder(str(self._engines.folder(task.task_family)), task.task_id)
        run = folder.run(self._request())
        messages = self.status_reporter.scheduler_messages
        if isinstance(messages, MessageFile):
            messages.folder = run
        listener = _Listener(self, run)
        arguments = [sys.executable, "-m", "luigi._sent_run", run.request_path]
        error = None
        try:
            self._engines.run(
                listener, task.task_family, task.task_id, arguments, os.getcwd(), folder.path, _secrets(task)
            )
        except RuntimeError as failed:
            error = failed
        result = listener.last_word(_LATE_WORDS_SECONDS if error is None else 0.0)
        run.forget()
        if result is None:
            said = f"died unexpectedly: {error}" if error else "ended on the other machine without a result"
            text = cancelled(self, task.task_id) or f"Task {task.task_id} {said}"
            logger.error(text)
            return (task.task_id, FAILED, text, [], [])
        if result[1] != FAILED:
            folder.forget()
        if result[1] == DONE and self.task_completion_cache is not None:
            self.task_completion_cache[task.task_id] = True
        return result

    def _request(self) -> dict[str, Any]:
        task = self.task
        parser = CmdlineParser.get_instance()
        main = spawn.get_preparation_data("luigi")
        kept = ("sys_path", "sys_argv", "orig_dir", "init_main_from_name", "init_main_from_path")
        if task.task_module == "__main__" and not ("init_main_from_path" in main or "init_main_from_name" in main):
            raise TaskException(f"{task.task_family} is in no module that another process could import")
        return {
            "task": [task.task_id, task.task_module, task.task_family, all_params(task)],
            "main": {key: main[key] for key in kept if key in main},
            # Those whose parameters the command line may have.
            "modules": sorted({each.__module__ for each in Register._reg}),
            "arguments": None if parser is None else parser.arguments,
            "worker_id": self.worker_id,
            "context": self.context,
            "check_unfulfilled_deps": self.check_unfulfilled_deps,
            "check_complete_on_run": self.check_complete_on_run,
            "log_level": logging.getLogger("luigi-interface").level,
        }


def _secrets(task: Task) -> list[str]:
    values = all_params(task)
    private = (name for name, param in task.get_params() if param.visibility == ParameterVisibility.PRIVATE)
    return [values[name] for name in private if name in values]


class _Listener:
    """Hears what the run says, and what the engine says of it."""

    def __init__(self, process: ElsewhereProcess, run: RunFolder) -> None:
        self._process = process
        self._run = run
        self._result: tuple[Any, ...] | None = None
        self._says_how_it_goes = False

    def printed(self, stream: str, data: bytes) -> None:
        """Takes what was printed there."""
        if self._process.output is not None:
            self._process.output.write(stream, data)
        os.write(1 if stream == "stdout" else 2, data)

    def stop_requested(self) -> bool:
        """The engine asks this all the time, so it is here that the run is listened to."""
        self._hear()
        return self._result is None and self._process._stop.is_set()

    def set_tracking_url(self, url: str) -> None:
        """Of the engine."""
        self._report("update_tracking_url", [url])

    def set_status_message(self, message: str) -> None:
        """Of the engine, which is of no interest once the run has said how it goes."""
        logger.info("%s: %s", self._process.task.task_id, message)
        self._hear()
        if not self._says_how_it_goes:
            self._report("update_status_message", [message])

    def set_progress_percentage(self, percentage: float) -> None:
        """Of the engine."""
        self._report("update_progress_percentage", [percentage])

    def last_word(self, seconds: float) -> tuple[Any, ...] | None:
        """The result of the run, which may come late."""
        until = time.monotonic() + seconds
        self._hear()
        while self._result is None and time.monotonic() < until:
            time.sleep(0.1)
            self._hear()
        return self._result

    def _hear(self) -> None:
        process = self._process
        for name, arguments in self._run.words.next():
            if name == "result":
                task_id, status, explanation, missing, new_deps = arguments
                # A recipe is a tuple to whoever builds the task.
                self._result = (task_id, status, explanation, missing, [tuple(recipe) for recipe in new_deps or ()])
            elif name == "start":
                if process.worker_timeout:
                    process.timeout_time = time.time() + process.worker_timeout
            elif name == "respond":
                *which, response = arguments
                response = shown(process.status_reporter.private, response)
                self._call(process.status_reporter._scheduler.add_scheduler_message_response, [*which, response])
            else:
                self._says_how_it_goes |= name == "update_status_message"
                self._report(name, arguments)

    def _report(self, name: str, arguments: list[Any]) -> None:
        self._call(getattr(self._process.status_reporter, name), arguments)

    @staticmethod
    def _call(function: Any, arguments: list[Any]) -> None:
        # Whoever forks waits until the scheduler has answered.
        try:
            with fork_lock:
                function(*arguments)
        except Exception:
            logger.warning("The scheduler cannot be told what a run says", exc_info=True)
