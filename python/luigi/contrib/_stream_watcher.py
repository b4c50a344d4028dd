"""Read a running program's output line by line beside the thread that waits for the program.

The reader copies what it reads to a file if asked to, and shows each line to a function. It does not hang on a pipe
that a left-behind grandchild keeps open: once the program has ended, it takes what is there and stops.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from typing import IO, Any, Callable

logger = logging.getLogger("luigi-interface")

_POLL_MILLISECONDS = 100
_DRAIN_SECONDS = 1.0


class StreamWatcher:
    """Shows each line of ``stream`` to ``on_line`` from a thread of its own, and copies all of it to ``copy_to``."""

    def __init__(self, stream: Any, on_line: Callable[[str], None], copy_to: IO[bytes] | None = None) -> None:
        self._stream = stream
        self._on_line: Callable[[str], None] | None = on_line
        self._copy_to = copy_to
        self._partial_line = b""
        self._program_ended = threading.Event()
        self._thread = threading.Thread(target=self._read, name="luigi-output", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def finish(self) -> None:
        """Read what the program, which has ended, left in the pipe. Returns after about a second at the latest."""
        self._program_ended.set()
        self._thread.join(2 * _DRAIN_SECONDS)
        if not self._thread.is_alive():
            self._stream.close()

    def _read(self) -> None:
        descriptor = _descriptor(self._stream)
        if descriptor is None:
            self._read_lines()
        else:
            self._read_pipe(descriptor)
        self._show(self._partial_line)

    def _read_lines(self) -> None:
        """Reads a stream that cannot be waited for with ``poll``, such as one in memory."""
        while True:
            line = self._stream.readline()
            if not line or not isinstance(line, bytes):
                return
            self._take(line)

    def _read_pipe(self, descriptor: int) -> None:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        give_up_at = float("inf")
        while time.monotonic() < give_up_at:
            ended = self._program_ended.is_set()
            if ended and give_up_at == float("inf"):
                give_up_at = time.monotonic() + _DRAIN_SECONDS
            if poller.poll(0 if ended else _POLL_MILLISECONDS):
                data = os.read(descriptor, 65536)
                if not data:
                    return
                self._take(data)
            elif ended:
                return

    def _take(self, data: bytes) -> None:
        if self._copy_to is not None:
            self._copy_to.write(data)
        *lines, self._partial_line = (self._partial_line + data).split(b"\n")
        for line in lines:
            self._show(line + b"\n")

    def _show(self, line: bytes) -> None:
        if self._on_line is None or not line:
            return
        try:
            self._on_line(line.decode("utf-8", errors="replace"))
        except Exception:
            # The output still has to be read, or the program would wait for ever on a full pipe.
            logger.exception("Looking at a program's output failed; its further lines are not looked at")
            self._on_line = None


def _descriptor(stream: Any) -> int | None:
    """The file descriptor behind ``stream`` if there is one that ``poll`` can wait for."""
    if not hasattr(select, "poll"):
        return None
    try:
        descriptor = stream.fileno()
    except (AttributeError, OSError):
        return None
    return descriptor if isinstance(descriptor, int) else None
