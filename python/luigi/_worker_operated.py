"""What a worker does for whoever operates the scheduler: it sends what runs print, and ends runs on demand."""

from __future__ import annotations

import multiprocessing
import threading
import time
from typing import TYPE_CHECKING, Any

from condotta import _engine
from luigi._interface_logger import interface_logger
from luigi._worker_messages import rpc_message_callback
from luigi.rpc import RemoteScheduler

if TYPE_CHECKING:
    from luigi._run_output import RunOutput
    from luigi.task import Task

logger = interface_logger()

# How long the processes of a run have between SIGTERM and SIGKILL.
_KILL_GRACE_SECONDS = 5.0
# Most are gone in this time. The worker's other runs do not wait longer for it.
_AT_ONCE_SECONDS = 0.5
# So long the end of a worker waits for what the processes of its runs have left to do and to say.
_LAST_WORDS_SECONDS = 5.0


class Operated:
    """A part of :py:class:`luigi.worker.Worker`."""

    _id: str
    _scheduler: Any
    _config: Any
    _running_tasks: dict[str, Any]

    def _abilities(self) -> list[tuple[str, bool]]:
        """What the scheduler is told that this worker can do; nothing to stock Luigi's."""
        if not self._is_operated():
            return []
        abilities = [("cancels", True)]
        if self._run_logs() is not None:
            abilities.append(("sends_logs", True))
        return abilities

    def _is_operated(self) -> bool:
        return isinstance(self._scheduler, RemoteScheduler) and self._scheduler.is_ours(self._id)

    def _run_logs(self) -> Any:
        """Where what runs print is sent, ``None`` where nobody takes it."""
        try:
            return self.__dict__["_logs"]
        except KeyError:
            pass
        logs = None
        if self._config.send_logs and self._is_operated():
            logs = self._scheduler.run_logs(self._id)
        self.__dict__["_logs"] = logs
        return logs

    def _work_watch(self) -> Any:
        """Who says while runs go on that there may be more to run, ``None`` where this worker has to ask."""
        try:
            return self.__dict__["_watch"]
        except KeyError:
            pass
        watch = self.__dict__["_watch"] = self._scheduler.work_watch(self._id) if self._is_operated() else None
        return watch

    def _begin_output(self, task: Task, private: _engine.Private | None = None) -> RunOutput | None:
        logs = self._run_logs()
        if logs is None:
            return None
        from luigi._run_output import RunOutput

        return RunOutput(logs.begin(task.task_id, self._attempt_of(task.task_id), private))

    def _note_attempt(self, task_id: str, attempt: int | None) -> None:
        """Remembers the scheduler's number of a run that was handed out."""
        self.__dict__.setdefault("_attempts", {})[task_id] = attempt

    def _attempt_of(self, task_id: str) -> int | None:
        return self.__dict__.get("_attempts", {}).get(task_id)

    @rpc_message_callback
    def cancel_task(self, task_id: str, attempt: int | None = None, by: str = "an operator", **_: Any) -> None:
        """Ends the run of a task, with all processes that it started."""
        task_id = str(task_id)
        refusal = self._cannot_cancel(task_id, attempt)
        answer = refusal or self._cancel(task_id, attempt, by)
        logger.info("Asked to cancel %s: %s", task_id, answer)
        if isinstance(self._scheduler, RemoteScheduler):
            self._scheduler.answer_cancel(self._id, task_id, attempt, answer, refused=refusal is not None)

    def _cannot_cancel(self, task_id: str, attempt: int | None) -> str | None:
        """Why a run that is there cannot be ended, ``None`` if it can, or is not there."""
        process = self._running_tasks.get(task_id)
        if process is None or process.use_multiprocessing or self._is_other_attempt(task_id, attempt):
            return None
        return (
            "it runs in the worker's own process, which cannot be ended without the worker; "
            "[worker] force_multiprocessing gives each run a process of its own"
        )

    def _is_other_attempt(self, task_id: str, attempt: int | None) -> bool:
        current = self._attempt_of(task_id)
        return attempt is not None and current is not None and attempt != current

    def _cancel(self, task_id: str, attempt: int | None, by: str) -> str:
        process = self._running_tasks.get(task_id)
        if process is None:
            return "the worker does not run it any more"
        if self._is_other_attempt(task_id, attempt):
            return "the worker does not run that attempt any more"
        process.cancelled_by = by
        end_run = getattr(process, "cancel", None)
        if end_run is not None:
            return str(end_run())
        pid = process.pid
        if pid is None:
            return "its process has not started yet"
        # The thread that fetched the message has to go on telling the scheduler that the worker lives.
        _begin_to_end(process)
        return "its process and all that it started are being ended"

    def _wait_for_last_words(self) -> None:
        """Waits a while for the processes of runs, and until what they printed has been passed on."""
        until = time.monotonic() + _LAST_WORDS_SECONDS
        for child in multiprocessing.active_children():
            if getattr(child, "worker_id", None) == self._id:
                child.join(max(0.0, until - time.monotonic()))
        logs = self.__dict__.get("_logs")
        if logs is not None:
            logs.settle(_LAST_WORDS_SECONDS)


def _begin_to_end(process: Any) -> threading.Thread:
    """Has a run ended, with all processes that it started."""
    arguments = (process.pid, _KILL_GRACE_SECONDS)
    thread = process.ending = threading.Thread(target=_engine.end_processes, args=arguments, daemon=True)
    thread.start()
    return thread


def ending(process: Any) -> bool:
    """Whether a run is being ended, and something of it is left."""
    thread = getattr(process, "ending", None)
    return isinstance(thread, threading.Thread) and thread.is_alive()


def end_overdue(process: Any) -> bool:
    """Ends a run that takes too long. Returns whether it has gone already, with all that it started."""
    from luigi.worker import PLAIN_TERMINATE

    own = (getattr(process, name, None) for name in ("terminate", "_recursive_terminate"))
    if process.pid is None or tuple(getattr(method, "__func__", None) for method in own) != PLAIN_TERMINATE:
        # Somebody has another way.
        process.terminate()
        return True
    process.is_overdue = True
    thread = _begin_to_end(process)
    thread.join(_AT_ONCE_SECONDS)
    return not thread.is_alive()


def cancelled(process: Any, task_id: Any) -> str | None:
    """What is said of a run that was cancelled, ``None`` if it was not."""
    by = getattr(process, "cancelled_by", None)
    return f"Task {task_id} was cancelled by {by}." if by is not None else None
