"""How the results of runs reach the worker: from its own process, and from processes of single tasks.

Each process has a pipe of its own, so that one that is killed while it writes spoils nobody else's
result, and the worker notices at once when one of them ends.
"""

from __future__ import annotations

import collections
import marshal
import math
import os
import pickle
import queue
import select
import threading
import time
from typing import Any, Callable

# How many bytes say how many follow.
_HEAD = 8
_PLAIN = b"m"
_PICKLED = b"p"


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
        self._channels = [channel for channel in self._channels if not channel.closed]
        if sources := self._sources():
            return self._receive(sources, timeout)
        with self._arrived:
            if self._arrived.wait_for(lambda: bool(self._here), timeout):
                return self._here.popleft()
        raise queue.Empty

    def _sources(self) -> dict[int, Channel]:
        return {source: channel for channel in self._channels for source in channel.sources()}

    def _receive(self, sources: dict[int, Channel], timeout: float | None) -> Any:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready = _first_ready(sources, left)
            if self._here:
                return self._here.popleft()
            if ready is None:
                raise queue.Empty
            channel = sources[ready]
            channel.receive(self._here)
            if self._here:
                return self._here.popleft()
            if channel.is_lost():
                # Whoever looks after the processes deals with that.
                raise queue.Empty
            sources = self._sources()

    def close(self) -> None:
        """Takes no more results from other processes."""
        for channel in self._channels:
            channel.close()
        self._channels = []


def _first_ready(files: Any, seconds: float | None) -> int | None:
    """One of the files that has something to read or has ended, ``None`` if there is none in time."""
    poll = select.poll()
    for file in files:
        poll.register(file, select.POLLIN)
    ready = poll.poll(None if seconds is None else math.ceil(seconds * 1000))
    return ready[0][0] if ready else None


class Channel:
    """The results of one run in another process, at both of its ends."""

    def __init__(self, process: Any) -> None:
        self._process = process
        # The ends of the pipe; whose they are in a process that is kept, its connections close.
        self._reader: int | None = None
        self._writer: int = -1
        self._when_done: Callable[[], None] | None = None
        self._delivered = self._read_all = self.closed = False

    def open(self) -> None:
        """Makes a pipe for a process that is about to start."""
        self._reader, self._writer = os.pipe()

    def started(self) -> None:
        """Leaves the writing end to the process, so that its end can be seen."""
        os.close(self._writer)

    def read_from(self, reader: Any, when_done: Callable[[], None]) -> None:
        """Takes the one result of a run in a process that is kept, and calls ``when_done`` when it is there."""
        self._reader = reader.fileno()
        self._when_done = when_done

    def write_to(self, writer: Any) -> None:
        """Sends the result of a run in a process that is kept, from there."""
        self._writer = writer.fileno()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Sends a result to the worker, in full before it returns; a failure in its place if it cannot be sent."""
        data = _packed(item)
        left = memoryview(len(data).to_bytes(_HEAD, "little") + data)
        while left:
            left = left[os.write(self._writer, left) :]

    def sources(self) -> list[int]:
        """What becomes ready when there is something to receive or the process has ended."""
        if self.closed or self._reader is None:
            return []
        ends = [] if self._process.pid is None else [self._process.sentinel]
        return ends if self._read_all else [self._reader, *ends]

    def receive(self, into: collections.deque[Any]) -> None:
        """Takes what there is. The channel closes when nothing more can come."""
        ended = not self._process.is_alive()
        try:
            while not self._read_all and _first_ready((self._reader,), 0.0) is not None:
                into.append(self._next())
                self._delivered = True
                self._read_all = self._when_done is not None
        except (EOFError, OSError):
            self._read_all = True
        # A process that closed its end and lives on is waited for: how it ends is of interest.
        if ended or (self._read_all and self._delivered):
            self.close()

    def _next(self) -> Any:
        size = int.from_bytes(self._bytes(_HEAD), "little")
        return _unpacked(self._bytes(size))

    def _bytes(self, size: int) -> bytes:
        assert self._reader is not None
        parts = []
        while size:
            part = os.read(self._reader, size)
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Takes nothing more."""
        if self.closed:
            return
        self.closed = True
        # Without the circle the process's files are closed as soon as the worker has done with it.
        self._process = None
        if self._when_done is None:
            if self._reader is not None:
                os.close(self._reader)
        elif self._delivered:
            self._when_done()

    def is_lost(self) -> bool:
        """Whether the process ended, and nothing more can come, before it sent a result."""
        return self.closed and not self._delivered

    def __getstate__(self) -> dict[str, Any]:
        # The process that is started takes the writing end only.
        from multiprocessing.reduction import DupFd

        return {"_writer": DupFd(self._writer)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._writer = state["_writer"].detach()


def _packed(item: Any) -> bytes:
    # Most results are a few texts, for which pickle would have to be woken up first.
    if type(item) is tuple and all(map(_is_plain, item)):
        return _PLAIN + marshal.dumps(item)
    try:
        return _PICKLED + pickle.dumps(item)
    except Exception as error:
        return _PICKLED + pickle.dumps(_unsendable(item, error))


def _is_plain(part: Any) -> bool:
    return part is None or type(part) is str or (type(part) is list and not part)


def _unpacked(data: bytes) -> Any:
    kind, data = data[:1], data[1:]
    return marshal.loads(data) if kind == _PLAIN else pickle.loads(data)


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
    text = f"Task {task_id} ran, but {culprit} cannot be sent to the worker's process: {error!r}. Return plain values."
    return (task_id, "FAILED", text, [], [])
