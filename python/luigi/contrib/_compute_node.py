"""What a batch system's job does on the node it runs on: unpack, rebuild the task, work, and say how that went.

A batch system forgets a job when it has ended, so how it ended is left in a file in the job's folder.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import IO, Any, Callable

from luigi.safe_extractor import SafeExtractor

TASK_FILE = "job-instance.pickle"
PACKAGES_FILE = "packages.tar"
_OUTCOME_FILE = "job-outcome"
_DONE = "done"


def unpack_packages(folder: str) -> None:
    """Unpack the archive of packages in the job's folder, if there is one, and let Python import from there."""
    archive = os.path.join(folder, PACKAGES_FILE)
    if not os.path.exists(archive):
        return
    SafeExtractor(folder).safe_extract(archive)
    if "" not in sys.path:
        sys.path.insert(0, "")


def work_in(folder: str, load: Callable[[IO[bytes]], Any]) -> None:
    """Rebuild the task of the job's folder with ``load``, call its ``work()`` there, and leave the outcome."""
    os.chdir(folder)
    try:
        with open(TASK_FILE, "rb") as file:
            task = load(file)
        task.work()
    except BaseException:
        _leave_outcome(folder, traceback.format_exc())
        raise
    _leave_outcome(folder, _DONE)


def _leave_outcome(folder: str, outcome: str) -> None:
    # Renaming lets nobody see half of a file.
    with open(os.path.join(folder, _OUTCOME_FILE + ".new"), "w") as file:
        file.write(outcome)
    os.rename(file.name, os.path.join(folder, _OUTCOME_FILE))


def outcome_of(folder: str) -> tuple[bool | None, str]:
    """Whether the job in ``folder`` worked, with its traceback if not; ``None`` if it did not get to say so."""
    try:
        with open(os.path.join(folder, _OUTCOME_FILE)) as file:
            outcome = file.read()
    except OSError:
        return None, ""
    return outcome == _DONE, "" if outcome == _DONE else outcome
