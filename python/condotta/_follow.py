"""Follows jobs for a worker, in a process of its own: ``_follow.py FILE WORKER``.

A worker forks, which a process must not that has threads of a cluster's client. So it sends a socket for each run, with
what is to run, and hears from there what the run says. Once the worker has gone, nothing is followed any more and the
jobs go on; only those that were to end are still ended.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

# How often it is looked whether the worker is there. A process that it forked may keep its sockets open.
_LOOK_SECONDS = 0.5


class _Run:
    """One run: what the engine asks of it and says of it goes to the worker."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._is_to_stop = False
        self.thread = threading.Thread(target=self._follow, daemon=True)

    def printed(self, stream: str, data: bytes) -> None:
        """Takes what was printed."""
        self._say("printed", stream, data.decode("latin-1"))

    def set_tracking_url(self, url: str) -> None:
        """Takes a URL."""
        self._say("set_tracking_url", url)

    def set_status_message(self, message: str) -> None:
        """Takes a message."""
        self._say("set_status_message", message)

    def set_progress_percentage(self, percentage: float) -> None:
        """Takes a number."""
        self._say("set_progress_percentage", percentage)

    def stop_requested(self) -> bool:
        """Whether the worker wants it to end."""
        is_to_stop = self.hear()
        if is_to_stop is None:
            _wait_for_the_end()
        return bool(is_to_stop)

    def hear(self) -> bool | None:
        """Whether the worker wants it to end, which is all it says; ``None`` if it has gone without that."""
        with self._lock:
            try:
                if not self._is_to_stop and self._connection.poll():
                    self._connection.recv_bytes()
                    self._is_to_stop = True
            except (EOFError, OSError):
                return None
        return self._is_to_stop

    def _follow(self) -> None:
        from condotta import _engine

        try:
            asked = json.loads(self._connection.recv_bytes())
            sections = [(name, [(key, value) for key, value in entries]) for name, entries in asked["sections"]]
            arguments = [*asked["call"], self]
            _engine.Engines(sections).run(*arguments)
        except Exception as error:
            self._say("ended", str(error))
        else:
            self._say("ended", None)
        self._connection.close()

    def _say(self, *word: Any) -> None:
        try:
            self._connection.send_bytes(json.dumps(word).encode())
        except OSError:
            if not self.hear():
                _wait_for_the_end()


def _wait_for_the_end() -> None:
    """Keeps a run from going on, as a job that ended would be deleted under whoever follows it now."""
    threading.Event().wait()


def _serve(control: socket.socket, worker: int) -> None:
    runs: list[_Run] = []
    control.settimeout(_LOOK_SECONDS)
    while os.getppid() == worker:
        try:
            _, files, _, _ = socket.recv_fds(control, 1, 1)
        except TimeoutError:
            continue
        if not files:
            break
        os.set_inheritable(files[0], False)
        runs = [run for run in runs if run.thread.is_alive()]
        runs.append(_Run(Connection(files[0])))
        runs[-1].thread.start()
    for run in runs:
        if run.hear():
            run.thread.join()


if __name__ == "__main__":
    # The package is found wherever the worker had it from.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    # It is the worker that is interrupted, and says what is to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    given = socket.socket(fileno=int(sys.argv[1]))
    given.set_inheritable(False)
    _serve(given, int(sys.argv[2]))
    # Without what the threads of runs would do.
    os._exit(0)
