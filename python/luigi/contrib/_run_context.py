"""Stop a job when the process that waits for it has to stop.

A run context surrounds the wait: SIGTERM, Ctrl-C or any other exception ends the job before it ends the wait, so no
program goes on without anybody who looks at its result. What "ending" means for a job is for each subclass to say.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any


class RunContext:
    """While inside, SIGTERM ends the job and then this process, with the exit code of a signal.

    Python lets only the main thread set signal handlers; in any other thread the exceptions alone end the job.
    """

    _previous_handler: Any = None
    _watches_signal = False
    _stopped = False

    def __enter__(self) -> Any:
        self._watches_signal = threading.current_thread() is threading.main_thread()
        if self._watches_signal:
            self._previous_handler = signal.signal(signal.SIGTERM, self.kill_job)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        try:
            if exc_type is not None and not self._stopped:
                self.kill_job()
        finally:
            if self._watches_signal:
                # ``None`` stands for a handler that was not set from Python, which cannot be put back.
                signal.signal(signal.SIGTERM, self._previous_handler or signal.SIG_DFL)

    def kill_job(self, captured_signal: int | None = None, stack_frame: FrameType | None = None) -> None:
        """End the job; as a signal handler, also leave this process with 128 plus the signal's number."""
        self._stopped = True
        self._stop_job()
        if captured_signal is not None:
            sys.exit(128 + captured_signal)

    def _stop_job(self) -> None:
        raise NotImplementedError


def kill_process_tree(process: Any) -> None:
    """Kill what a running ``subprocess.Popen`` has started, then the process itself.

    Programs are often shell scripts around the program that does the work; killing the script alone would leave the
    work going on. Descendants are found through ``/proc``, so elsewhere only the process itself is killed.
    """
    pid = getattr(process, "pid", None)
    if isinstance(pid, int) and process.poll() is None:
        for descendant in _descendants(pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(descendant, signal.SIGKILL)
    process.kill()


def _descendants(pid: int) -> list[int]:
    """The processes below ``pid``, nearest first."""
    children: dict[int, list[int]] = {}
    try:
        entries = os.listdir("/proc")
    except OSError:
        return []
    for entry in entries:
        parent = _parent_of(entry) if entry.isdigit() else None
        if parent is not None:
            children.setdefault(parent, []).append(int(entry))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _parent_of(entry: str) -> int | None:
    """The parent of the process with the entry ``entry`` in ``/proc``, or ``None`` if it has gone."""
    try:
        with open(f"/proc/{entry}/stat", "rb") as stat:
            # The program's name stands in brackets and may hold anything, brackets and blanks included.
            return int(stat.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return None
