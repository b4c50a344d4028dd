"""Hand a task to a batch system: the folder it travels in, and the wait that ends with it."""

from __future__ import annotations

import importlib
import os
from typing import Any, Callable

from luigi.contrib._compute_node import PACKAGES_FILE
from luigi.contrib._job_archive import create_packages_archive, luigi_packages
from luigi.contrib._run_context import RunContext


class ClusterJobContext(RunContext):
    """Takes the job from the batch system if the wait for it is cut short."""

    def __init__(self, kill: Callable[[], Any]) -> None:
        self._kill = kill

    def _stop_job(self) -> None:
        self._kill()


def make_job_folder(parent: str, name: str) -> str:
    """Create the folder ``name`` in ``parent``, cut to what the file system takes for a name."""
    os.makedirs(parent, exist_ok=True)
    folder = os.path.join(parent, name[: os.statvfs(parent).f_namemax])
    os.makedirs(folder)
    return folder


def pack_for(task: Any, folder: str) -> None:
    """Write the archive of what ``task`` needs to be imported on a node."""
    packages = [*luigi_packages(), importlib.import_module(task.__module__)]
    create_packages_archive(packages, os.path.join(folder, PACKAGES_FILE))


def as_text(output: Any) -> str:
    """What a command wrote, as text."""
    return output.decode("utf-8", errors="replace") if isinstance(output, bytes) else str(output)


def lines_of(path: str) -> list[str]:
    """The lines of a log file, which may not be there."""
    try:
        with open(path, errors="backslashreplace") as file:
            return file.readlines()
    except FileNotFoundError:
        return []
