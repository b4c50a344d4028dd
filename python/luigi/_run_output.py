"""What a run prints, for a scheduler that keeps it.

A run in a process of its own has its standard output and error on pipes, so what its programs print counts, too; a
thread of the engine reads them, prints all that where the worker itself prints, and sends it. A run in the worker's
own process is listened to in Python. Records of the log are taken as records, whatever handlers there are.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from condotta import _engine

# So long the end of a run waits for what it printed: until the pipes are closed, and until it was sent.
_LAST_OUTPUT_SECONDS = 1.0
_FLUSH_SECONDS = 2.0

_SOURCES = ("stdout", "stderr")


class RunOutput:
    """What one run prints, at both of its ends: the worker's, and the process of the run."""

    def __init__(self, log: _engine.RunLog) -> None:
        self._log: Any = log
        self._writers: list[int] = []
        self._readers: list[int] = []
        self._worker = -1
        self._orphan: _engine.OrphanOutput | None = None
        # Whose pipes they are, in a process that is kept.
        self._lender: RunOutput | None = None

    # At the worker's end.

    def open(self) -> None:
        """Makes pipes for a process that is about to start: standard output, standard error, records."""
        self._writers, self._readers, self._worker = self._log.open()

    def started(self) -> None:
        """Leaves the writing ends to the process, and begins to read."""
        writers, self._writers = self._writers, []
        for writer in writers:
            os.close(writer)
        self._log.read()

    def record(self, level: int, logger: str, message: str) -> None:
        """Adds a record of the log."""
        self._log.record(level, logger, message)

    def write(self, source: str, data: bytes) -> None:
        """Adds what was printed to ``stdout`` or ``stderr`` of another machine."""
        self._log.write(source, data)

    def lend(self, run: RunOutput) -> None:
        """Takes for another run what is printed into these pipes, as it takes place in the same process."""
        if run is not self:
            self._log.lend(run._log)
        run._lender = self

    def finish(self) -> None:
        """Sends what is left. Waits a little for it, but not for a scheduler that is away."""
        if self._lender is not None:
            # They do not end with the run.
            self._lender._log.drain()
        self._log.finish(_LAST_OUTPUT_SECONDS if self._lender is None else 0.0, _FLUSH_SECONDS)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Takes what is printed in this process, from Python, and what is logged."""
        taps = [_Tap(name, self._log) for name in _SOURCES]
        for tap in taps:
            tap.open()
        restore = _take_records(self._log.record)
        last_resort = logging.lastResort
        _keep_last_resort(taps[1].stream)
        try:
            yield
        finally:
            logging.lastResort = last_resort
            restore()
            for tap in reversed(taps):
                tap.close()

    # In the process of the run.

    def enter(self) -> None:
        """Has this process, which is of the run alone, print to the pipes."""
        stdout, stderr, records = self._writers
        _keep_console_handlers()
        if self._log is not None:
            self._log.leave()
        with contextlib.suppress(OSError):  # Where files cannot be opened once more.
            self._orphan = _engine.OrphanOutput(self._worker, self._readers)
        for stream, writer in ((sys.stdout, stdout), (sys.stderr, stderr)):
            # Whoever follows the run wants to see a line when it is printed.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(line_buffering=True)
            os.dup2(writer, 1 if writer == stdout else 2)
            os.close(writer)

        def send(level: int, logger: str, message: str) -> None:
            data = json.dumps([level, logger, message]).encode() + b"\n"
            while data:
                data = data[os.write(records, data) :]

        _take_records(send)

    def settle(self) -> None:
        """Sees at the end that what was printed is in the pipes, and not lost if the worker has gone."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, OSError, ValueError):
                stream.flush()
        if self._orphan is not None:
            self._orphan.settle()

    def __getstate__(self) -> dict[str, Any]:
        # What a process that is not forked takes.
        from multiprocessing.reduction import DupFd

        files = [*self._writers, *self._readers, self._worker]
        return {"files": [DupFd(file) for file in files]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        files = [file.detach() for file in state["files"]]
        self._log = self._orphan = self._lender = None
        self._writers, self._readers, self._worker = files[:3], files[3:6], files[6]


class _Tap:
    """Stands in front of a stream of this process, and takes what is written to it."""

    def __init__(self, name: str, log: Any) -> None:
        self._name = name
        self._log = log
        self.stream: Any = None

    def open(self) -> None:
        self.stream = getattr(sys, self._name)
        if self.stream is not None:
            setattr(sys, self._name, self)

    def close(self) -> None:
        # Whoever put something else there meanwhile takes it away himself.
        if getattr(sys, self._name) is self:
            setattr(sys, self._name, self.stream)

    def write(self, text: Any) -> Any:
        written = self.stream.write(text)
        if isinstance(text, str):
            self._log.write(self._name, text.encode("utf-8", "surrogateescape" if _is_encodable(text) else "replace"))
        return written

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> Any:
        return _TappedBuffer(self.stream.buffer, self._name, self._log)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.stream)

    def __enter__(self) -> _Tap:
        return self

    def __exit__(self, *_: Any) -> None:
        self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _TappedBuffer:
    def __init__(self, buffer: Any, name: str, log: Any) -> None:
        self._buffer = buffer
        self._name = name
        self._log = log

    def write(self, data: Any) -> Any:
        self._log.write(self._name, bytes(data))
        return self._buffer.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._buffer, name)


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


_FORMATTER = logging.Formatter()


def _take_records(take: Callable[[int, str, str], None]) -> Callable[[], None]:
    """Passes on each record that a logger makes. A handler would change what ``basicConfig`` does."""
    from luigi._keep_alive import KeepAliveThread

    make_record = logging.getLogRecordFactory()

    def make_and_pass_on(*args: Any, **kwargs: Any) -> Any:
        record = make_record(*args, **kwargs)
        if not isinstance(threading.current_thread(), KeepAliveThread):
            # What cannot be shown is the handlers' business.
            with contextlib.suppress(Exception):
                take(record.levelno, record.name, _text(record))
        return record

    logging.setLogRecordFactory(make_and_pass_on)

    def restore() -> None:
        if logging.getLogRecordFactory() is make_and_pass_on:
            logging.setLogRecordFactory(make_record)

    return restore


def _text(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if record.exc_info and record.exc_info[0] is not None:
        text += "\n" + _FORMATTER.formatException(record.exc_info)
    return text


def _keep_last_resort(stream: Any) -> None:
    """Has what no handler takes printed there, and not to what ``sys.stderr`` is then: it is taken as a record."""
    if logging.lastResort is not None and stream is not None:
        handler = logging.StreamHandler(stream)
        handler.setLevel(logging.lastResort.level)
        logging.lastResort = handler


def _keep_console_handlers() -> None:
    """Has handlers that print go on printing where they did: their records are taken already."""
    streams: dict[int, Any] = {}

    def kept(stream: Any) -> Any:
        descriptor = 1 if stream in (sys.stdout, sys.__stdout__) else 2
        if descriptor not in streams:
            streams[descriptor] = open(
                os.dup(descriptor), "w", buffering=1, encoding="utf-8", errors="backslashreplace"
            )
        return streams[descriptor]

    ours = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    for reference in list(logging._handlerList):  # type: ignore[attr-defined]
        handler = reference()
        stream = getattr(handler, "stream", None) if isinstance(handler, logging.StreamHandler) else None
        if stream is not None and stream in ours:
            with contextlib.suppress(Exception):
                handler.stream = kept(stream)
    _keep_last_resort(kept(sys.stderr))
