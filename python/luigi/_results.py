"""How the results of runs reach the worker: from its own process, and from processes of single tasks.

Each process has a pipe of its own, so that one that is killed while it writes spoils nobody else's
result, and the worker notices at once when one of them ends.
"""

from __future__ import annotations

import collections
import os
import pickle
import threading
from typing import Any

from condotta import _engine
from condotta._engine import Channel


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
        item = _engine.next_result(self._here, self._channels, timeout)
        if item is None:
            raise _empty()
        if item is not NotImplemented:
            return item
        with self._arrived:
            if self._arrived.wait_for(lambda: bool(self._here), timeout):
                return self._here.popleft()
        raise _empty()

    def disregard(self, channel: Any) -> None:
        """Takes nothing more from one process: its task may be running again by the time when it says something."""
        if channel in self._channels:
            self._channels.remove(channel)
            channel.close()

    def close(self) -> None:
        """Takes no more results from other processes."""
        for channel in self._channels:
            channel.close()
        self._channels = []


def _empty() -> Exception:
    """What a queue raises that has nothing."""
    import queue

    return queue.Empty()


def pickled(item: Any) -> bytes:
    """A result that is more than a few texts; a failure in its place if it cannot be sent to another process."""
    try:
        return pickle.dumps(item)
    except Exception as error:
        return pickle.dumps(_unsendable(item, error))


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
