"""The process that follows jobs for a worker, where the client of their cluster starts threads: the worker's side.

The worker forks, and that process never does. There is one for all runs of a worker; each run has a socket of its own
to it, where ``condotta._follow`` is at the other end.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from multiprocessing.connection import Connection
from typing import Any

import condotta
from luigi._interface_logger import interface_logger
from luigi._keep_alive import fork_lock

logger = interface_logger()

# How often it is asked whether a run is to stop.
_LOOK_SECONDS = 0.1
# So long the end of a worker waits for a process that has nothing left to do.
_END_SECONDS = 1.0


class FollowerGone(Exception):
    """Nobody follows a job any more, which may go on."""


class Follower:
    """The process, which is started when it is needed and ends with the worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def run(self, sections: Any, call: list[Any], listener: Any) -> None:
        """Does what ``condotta._engine.Engines.run`` does, for engines of these sections.

        Raises RuntimeError as that does, and FollowerGone.
        """
        ours, theirs = socket.socketpair()
        with Connection(ours.detach()) as connection:
            with theirs:
                self._hand_over(theirs)
            try:
                connection.send_bytes(json.dumps({"sections": sections, "call": call}).encode())
                error = _hear(connection, listener)
            except (EOFError, OSError):
                raise FollowerGone("the process that follows its job has ended") from None
        if error is not None:
            raise RuntimeError(error)

    def _hand_over(self, theirs: socket.socket) -> None:
        with self._lock:
            if self._control is None or self._process is None or self._process.poll() is not None:
                self._control, self._process = _start()
                weakref.finalize(self, _end, self._control, self._process)
            socket.send_fds(self._control, [b"."], [theirs.fileno()])


def _start() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    ours, theirs = socket.socketpair()
    program = os.path.join(os.path.dirname(condotta.__file__), "_follow.py")
    # What there is to be warned of, the worker said.
    command = [sys.executable, "-W", "ignore", program, str(theirs.fileno()), str(os.getpid())]
    # What is forked meanwhile would have the pipe by which is heard that it has started.
    with theirs, fork_lock:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            # The terminal's Ctrl-C is for the worker, which says what is to end.
            start_new_session=True,
        )
    return ours, process


def _end(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    control.close()
    # It may still have to end jobs.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_SECONDS)


def _hear(connection: Connection, listener: Any) -> Any:
    """Passes on what a run says. Returns how it ended."""
    next_look, is_told = 0.0, False
    while True:
        if time.monotonic() >= next_look:
            if _call(listener.stop_requested) and not is_told:
                connection.send_bytes(b"stop")
                is_told = True
            next_look = time.monotonic() + _LOOK_SECONDS
        if not connection.poll(_LOOK_SECONDS):
            continue
        name, *arguments = json.loads(connection.recv_bytes())
        if name == "ended":
            return arguments[0]
        if name == "printed":
            arguments[1] = arguments[1].encode("latin-1")
        _call(getattr(listener, name), *arguments)


def _call(method: Any, *arguments: Any) -> Any:
    # As where the engine calls it: what is wrong here does not end the run.
    try:
        return method(*arguments)
    except Exception:
        logger.warning("What a run says cannot be passed on", exc_info=True)
        return None
