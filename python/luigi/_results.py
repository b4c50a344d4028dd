"""How the results of runs reach the worker: from its own process, and from processes of single tasks.

Each process has a pipe of its own, so that one that is killed while it writes spoils nobody else's
result, and the worker notices at once when one of them ends.
"""

from __future__ import annotations

import collections
import os
import pickle
import queue
import threading
import time
from typing import Any


class ResultQueue:
    """The results that wait for the worker, oldest first."""

    def __init__(self) -> None:
        self._here: collections.deque[Any] = collections.deque()
        self._arrived = threading.Condition()
        self._channels: list[Channel] = []
        self._pid = os.getpid()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Adds a result from the worker's own process. It never blocks.

        Raises RuntimeError in another process, where nobody would see the result.
        """
        if os.getpid() != self._pid:
            raise RuntimeError("results from another process go through the queue's for_process()")
        with self._arrived:
            self._here.append(item)
            self._arrived.notify()

    def for_process(self, process: Any) -> Channel:
        """The way for the results of ``process``, which is not started yet."""
        channel = Channel(process)
        self._channels.append(channel)
        return channel

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Takes the oldest result, for which it waits up to ``timeout`` seconds.

        Raises ``queue.Empty`` when there is none by then, or as soon as a process ended without one.
        """
        if self._here:
            return self._here.popleft()
        timeout = timeout if block else 0.0
        waiting = [channel for channel in self._channels if channel.is_open()]
        self._channels = waiting
        if waiting:
            return self._receive(waiting, timeout)
        with self._arrived:
            if self._arrived.wait_for(lambda: bool(self._here), timeout):
                return self._here.popleft()
        raise queue.Empty

    def _receive(self, waiting: list[Channel], timeout: float | None) -> Any:
        from multiprocessing.connection import wait

        sources = {source: channel for channel in waiting for source in channel.sources()}
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready = wait(list(sources), left)
            if self._here:
                return self._here.popleft()
            if not ready:
                raise queue.Empty
            channel = sources[ready[0]]
            channel.receive(self._here)
            if self._here:
                return self._here.popleft()
            if channel.is_lost():
                # Whoever looks after the processes deals with that.
                raise queue.Empty
            sources = {source: channel for channel in waiting for source in channel.sources()}

    def close(self) -> None:
        """Takes no more results from other processes."""
        for channel in self._channels:
            channel.close()
        self._channels = []


class Channel:
    """The results of one process, at both of its ends."""

    def __init__(self, process: Any) -> None:
        from multiprocessing.connection import Pipe

        self._process = process
        self._delivered = self._read_all = self._closed = False
        self._reader: Any
        self._writer: Any
        self._reader, self._writer = Pipe(duplex=False)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Sends a result to the worker, in full before it returns."""
        try:
            data = pickle.dumps(item)
        except Exception as error:
            data = pickle.dumps(_unsendable(item, error))
        self._writer.send_bytes(data)

    def started(self) -> None:
        """Leaves the writing end to the process, so that its end can be seen."""
        self._writer.close()

    def is_open(self) -> bool:
        return not self._closed

    def sources(self) -> list[Any]:
        """What becomes ready when there is something to receive or the process has ended."""
        if self._closed:
            return []
        ends = [] if self._process.pid is None else [self._process.sentinel]
        return ends if self._read_all else [self._reader, *ends]

    def receive(self, into: collections.deque[Any]) -> None:
        """Takes what there is. The channel closes when nothing more can come."""
        ended = not self._process.is_alive()
        try:
            while not self._read_all and self._reader.poll():
                into.append(pickle.loads(self._reader.recv_bytes()))
                self._delivered = True
        except (EOFError, OSError):
            self._read_all = True
        # A process that closed its end and lives on is waited for: how it ends is of interest.
        if ended or (self._read_all and self._delivered):
            self.close()

    def close(self) -> None:
        self._closed = True
        self._reader.close()

    def is_lost(self) -> bool:
        """Whether the process ended, and nothing more can come, before it sent a result."""
        return not self._delivered and not self.is_open()

    def __getstate__(self) -> dict[str, Any]:
        # The process that is started takes the writing end only.
        return {"_process": None, "_reader": None, "_writer": self._writer}


def _unsendable(item: Any, error: Exception) -> Any:
    """A failure in place of a result that cannot be sent to another process."""
    task_id = item[0] if isinstance(item, tuple) and item else None
    names = ("task_id", "status", "the message of on_success() or on_failure()", "missing", "new dependencies")
    culprit = "the result"
    for name, part in zip(names, item):
        try:
            pickle.dumps(part)
        except Exception:
            culprit = name
            break
    text = f"Task {task_id} ran, but {culprit} cannot be sent to the worker's process: {error!r}. Return a plain text or value."
    return (task_id, "FAILED", text, [], [])
