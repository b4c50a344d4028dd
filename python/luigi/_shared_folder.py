"""The files of a run that takes place on another machine, in a folder that both sides see at the same path.

One side writes lines of JSON, the other reads them while they come. Nobody else may look into the folder: the
request has private parameters in it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from typing import Any


class TaskFolder:
    """What is known of one task."""

    def __init__(self, top: str, task_id: str) -> None:
        self.path = os.path.join(top, task_id)
        os.makedirs(top, exist_ok=True)
        try:
            os.mkdir(self.path, 0o700)
        except FileExistsError:
            pass

    def run(self, request: dict[str, Any]) -> RunFolder:
        """The folder of a run for this request: that of an earlier worker, if it asked for the same task."""
        for name in os.listdir(self.path):
            known = RunFolder(os.path.join(self.path, name))
            try:
                asked = known.request()
            except (OSError, ValueError):
                # It is the engine's.
                continue
            if asked["task"] == request["task"]:
                return known
            # Another run's, of which nobody wants to know any more.
            known.forget()
        run = RunFolder(os.path.join(self.path, secrets.token_hex(8)))
        os.mkdir(run.path, 0o700)
        run.write_request(request)
        return run

    def forget(self) -> None:
        """Nothing of it is needed any more. What stays does no harm."""
        shutil.rmtree(self.path, ignore_errors=True)


class RunFolder:
    """One run."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.request_path = os.path.join(path, "request")
        self.words = Lines(os.path.join(path, "words"))
        self.messages = Lines(os.path.join(path, "messages"))

    def request(self) -> dict[str, Any]:
        """What was asked for."""
        with open(self.request_path, encoding="utf-8") as file:
            return dict(json.load(file))

    def write_request(self, request: dict[str, Any]) -> None:
        """Writes it whole or not at all, and for nobody else to read."""
        new = self.request_path + ".new"
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(request, file)
            file.flush()
            os.fsync(file.fileno())
        os.rename(new, self.request_path)

    def forget(self) -> None:
        """Nothing of it is needed any more."""
        shutil.rmtree(self.path, ignore_errors=True)


class Lines:
    """A file of lines that one side writes and the other reads while it grows."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._read = 0
        self._waiting = b""
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Begins a line of its own, also after somebody who was ended in the middle of one."""
        if os.path.exists(self._path):
            self._write(b"\n")

    def append(self, word: Any) -> None:
        """Adds one."""
        self._write(json.dumps(word, default=str).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        # Closed each time: a network file system shows others what is in a file that was closed.
        with self._lock, open(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "wb") as file:
            file.write(data)

    def next(self) -> Iterator[Any]:
        """Those that have come since it was asked last."""
        with self._lock:
            try:
                with open(self._path, "rb") as file:
                    file.seek(self._read)
                    data = file.read()
            except FileNotFoundError:
                data = b""
            self._read += len(data)
            *lines, self._waiting = (self._waiting + data).split(b"\n")
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                # Somebody was ended in the middle of it.
                continue
