"""A target for tasks that are to run once in every execution, whatever earlier executions did."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
import time
from multiprocessing import Value
from typing import Any

import luigi

logger = logging.getLogger("luigi-interface")


class RunAnywayTarget(luigi.Target):
    """Exists as soon as the task has run in this execution, and never before.

    A task returns ``RunAnywayTarget(self)`` from ``output`` and calls ``self.output().done()`` at the end of ``run``.
    The mark is an empty file below ``temp_dir``, in a folder named after the process that made the first such target;
    its worker processes share the folder, the next execution has another one.
    """

    # Where the marks are kept. Subclasses may set another place.
    temp_dir = os.path.join(tempfile.gettempdir(), "luigi-simulate")
    # Age in seconds after which the marks of earlier executions are cleared away.
    temp_time = 24 * 3600
    # The execution's number, shared with child processes; 0 until the first target is made.
    unique = Value("i", 0)

    def __init__(self, task_obj: Any) -> None:
        """Make the target of ``task_obj`` and clear away marks that are too old."""
        self.task_id = task_obj.task_id
        if not self.unique.value:
            with self.unique.get_lock():
                self.unique.value = self.unique.value or os.getpid()
        self._clear_old_marks()

    def _clear_old_marks(self) -> None:
        oldest_kept = time.time() - self.temp_time
        try:
            folders = [entry for entry in os.scandir(self.temp_dir) if entry.is_dir()]
        except OSError:
            return
        for folder in folders:
            # Another process may be clearing the same folder, so that it is gone already is no error.
            try:
                if folder.stat().st_mtime >= oldest_kept:
                    continue
            except FileNotFoundError:
                continue
            shutil.rmtree(folder.path, ignore_errors=True)
            logger.debug("Deleted temporary directory %s", folder.path)

    def __str__(self) -> str:
        return self.task_id

    def get_path(self) -> str:
        """Return the path of the mark: this execution's folder and a digest of the task id."""
        digest = hashlib.new("md5", self.task_id.encode(), usedforsecurity=False).hexdigest()
        logger.debug("Hash %s corresponds to task %s", digest, self.task_id)
        return os.path.join(self.temp_dir, str(self.unique.value), digest)

    def exists(self) -> bool:
        """Return whether ``done`` was called in this execution."""
        return os.path.isfile(self.get_path())

    def done(self) -> None:
        """Count the task as complete for the rest of this execution."""
        logger.info("Marking %s as done", self)
        path = self.get_path()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w"):
            pass
