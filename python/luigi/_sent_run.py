"""The other side of a run that takes place on another machine: ``python -m luigi._sent_run REQUEST``.

It builds the task anew, runs it as a worker would, and writes down what it says.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import queue
import sys
import threading
import time
import traceback
from multiprocessing import spawn
from typing import Any

from luigi._shared_folder import RunFolder
from luigi.cmdline_parser import CmdlineParser
from luigi.interface import core
from luigi.setup_logging import InterfaceLogging
from luigi.task_register import load_task
from luigi.task_status import FAILED
from luigi.worker import ContextManagedTaskProcess, SchedulerMessage, TaskException

# How often it is looked for messages.
_LOOK_SECONDS = 0.5


class _Reporter:
    """What a task says while it runs, as words."""

    def __init__(self, run: RunFolder, task_id: str) -> None:
        self._run = run
        self._task_id = task_id
        self.scheduler_messages: queue.Queue[SchedulerMessage] = queue.Queue()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *arguments: self._run.words.append([name, arguments])

    def add_scheduler_message_response(self, *arguments: Any) -> None:
        """Answers whoever sent a message."""
        self._run.words.append(["respond", arguments])

    def hear(self) -> None:
        """Takes messages as long as this process lives."""
        while True:
            for message_id, content, payload in self._run.messages.next():
                self.scheduler_messages.put(SchedulerMessage(self, self._task_id, message_id, content, **payload))
            time.sleep(_LOOK_SECONDS)


class _Result:
    """Takes the one result of the run."""

    def __init__(self) -> None:
        self.value: Any = None

    def put(self, value: Any) -> None:
        """Takes it."""
        self.value = value


def _build(request: dict[str, Any]) -> Any:
    task_id, module, family, params = request["task"]
    task = load_task(module, family, params)
    if task.task_id != task_id:
        raise TaskException(f"the parameters of {task_id} make {task.task_id} on the other machine")
    return task


def _carry_out(request: dict[str, Any], run: RunFolder) -> Any:
    task_id, module = request["task"][:2]
    settings = core()
    InterfaceLogging.setup(settings)
    if request["log_level"]:
        logging.getLogger("luigi-interface").setLevel(request["log_level"])
    reporter = _Reporter(run, task_id)
    result = _Result()
    process = ContextManagedTaskProcess(
        request["context"],
        _build(request),
        request["worker_id"],
        result,
        reporter,
        check_unfulfilled_deps=request["check_unfulfilled_deps"],
        check_complete_on_run=request["check_complete_on_run"],
    )
    if process.task.accepts_messages:
        threading.Thread(target=reporter.hear, daemon=True).start()
    run.words.append(["start", []])
    process.run()
    return result.value


def _run(path: str) -> int:
    for stream in (sys.stdout, sys.stderr):
        # Whoever follows the run wants to see a line when it is printed.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    run = RunFolder(path.rpartition("/")[0])
    request = run.request()
    run.words.begin()
    task_id, module = request["task"][:2]
    result: Any = None
    try:
        spawn.prepare(request["main"])
        if module != "__main__":
            importlib.import_module(module)
        for name in {*request["modules"]} - {"__main__"}:
            # One that was made on the way cannot be imported, and only the task's own has to be.
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        arguments = request["arguments"]
        line: Any = contextlib.nullcontext() if arguments is None else CmdlineParser.global_instance(arguments)
        with line:
            result = _carry_out(request, run)
    except (Exception, SystemExit):
        traceback.print_exc()
        text = f"The run cannot begin on the other machine:\n{traceback.format_exc()}"
        result = (task_id, FAILED, text, [], [])
    run.words.append(["result", result])
    return 1 if result[1] == FAILED else 0


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1]))
