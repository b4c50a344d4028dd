"""Read both output streams of a program line by line, each line as soon as it is there."""

from __future__ import annotations

import queue
import threading
from typing import IO, Iterator


def read_both(stdout: IO[bytes], stderr: IO[bytes]) -> Iterator[tuple[bool, str]]:
    """Yield every line of both streams up to their ends, with whether it came from ``stderr``."""
    lines: queue.SimpleQueue[tuple[bool, str | None]] = queue.SimpleQueue()
    for is_stderr, stream in ((False, stdout), (True, stderr)):
        threading.Thread(target=_read, args=(stream, is_stderr, lines), daemon=True).start()
    open_streams = 2
    while open_streams:
        is_stderr, line = lines.get()
        if line is None:
            open_streams -= 1
        else:
            yield is_stderr, line


def _read(stream: IO[bytes], is_stderr: bool, lines: queue.SimpleQueue[tuple[bool, str | None]]) -> None:
    try:
        for line in stream:
            lines.put((is_stderr, line.decode("utf-8", errors="backslashreplace")))
    finally:
        lines.put((is_stderr, None))
