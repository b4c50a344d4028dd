"""Finds the missing outputs of a range by listing folders, instead of asking for each output.

Where a task puts a date into its output's path is found out by trying dates on it.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from luigi.target import FileSystem, FileSystemTarget
from luigi.task import Task, flatten_output

logger = logging.getLogger("luigi-interface")

_DIGIT = "[0-9]"

# Dates spread so that no path holds digits of all of them by chance.
_SAMPLE_DATETIMES = [
    datetime(year, month, day, hour)
    for year in range(2000, 2050, 10)
    for month in (1, 2, 3)
    for day in (5, 6, 7)
    for hour in (21, 22, 23)
]


def most_common(items: Iterable[Any]) -> tuple[Any, int]:
    """The item that occurs most often, and how often; the first of several. There must be one."""
    [(item, count)] = Counter(items).most_common(1)
    return item, count


def _digit_class(digits: Sequence[str]) -> str:
    """A glob for one of the sorted `digits`, as a span if they follow each other."""
    if len(digits) > 1 and ord(digits[-1]) - ord(digits[0]) == len(digits) - 1:
        return f"[{digits[0]}-{digits[-1]}]"
    return "[{}]".format("".join(digits))


def _constrain_glob(glob: str, paths: Sequence[str], limit: int = 5) -> list[str]:
    """Splits `glob` into at most `limit` narrower ones that still cover `paths`.

    From the left, each `[0-9]` is replaced by the digits that occur there, which keeps years of other
    data out of the listing. Where that would give too many globs, each gets a class of digits and stays.
    """
    current = {glob: paths}
    while True:
        position = next(iter(current)).find(_DIGIT)
        if position == -1:
            return list(current)
        digits = {each: sorted({path[position] for path in covered}) for each, covered in current.items()}
        if sum(map(len, digits.values())) > limit:
            return [each.replace(_DIGIT, _digit_class(digits[each]), 1) for each in current]
        current = {
            each.replace(_DIGIT, digit, 1): [path for path in covered if path[position] == digit]
            for each, covered in current.items()
            for digit in digits[each]
        }


def _get_per_location_glob(
    tasks: Sequence[Task], outputs: Sequence[FileSystemTarget], regexes: Sequence[re.Pattern[str]]
) -> str:
    """A glob for the folder of one output: its path with a class of digits wherever the date shows."""
    matches = []
    for task, output, regex in zip(tasks, outputs, regexes):
        match = regex.search(output.path)
        if match is None:
            raise NotImplementedError(
                f"Couldn't deduce datehour representation in output path {output.path!r} of task {task}"
            )
        matches.append(match)

    # A sample can match other digits of a path by chance; the place where most match is the date's.
    glob = list(outputs[0].path)
    for group in range(1, len(matches[0].groups()) + 1):
        (start, end), _ = most_common(match.span(group) for match in matches)
        glob[start:end] = [_DIGIT] * (end - start)
    return "".join(glob).rsplit("/", 1)[0]


def _get_filesystems_and_globs(
    datetime_to_task: Callable[[datetime], Task], datetime_to_re: Callable[[datetime], str]
) -> Iterator[tuple[FileSystem, str]]:
    """The file system and the folder's glob of each output of a task (of its requirements, for a wrapper).

    Raises `NotImplementedError` if the outputs are not files, differ in number, or show no date.
    """
    regexes = [re.compile(datetime_to_re(sample)) for sample in _SAMPLE_DATETIMES]
    tasks = [datetime_to_task(sample) for sample in _SAMPLE_DATETIMES]
    outputs = [flatten_output(task) for task in tasks]
    for task, task_outputs in zip(tasks, outputs):
        if len(task_outputs) != len(outputs[0]):
            raise NotImplementedError(
                f"Outputs must be consistent over time, sorry; was {task_outputs!r} for {task!r} "
                f"and {outputs[0]!r} for {tasks[0]!r}"
            )
        for output in task_outputs:
            if not isinstance(output, FileSystemTarget):
                raise NotImplementedError(
                    f"Output targets must be instances of FileSystemTarget; was {output!r} for {task!r}"
                )
    for over_time in zip(*outputs):
        yield over_time[0].fs, _get_per_location_glob(tasks, over_time, regexes)


def _list_existing(filesystem: FileSystem, glob: str, paths: Sequence[str]) -> set[str]:
    """What lies in the folders of `glob` that are needed for `paths`."""
    folders = sorted(_constrain_glob(glob, paths))
    started = time.time()
    items = [item for folder in folders for item in _items_of(filesystem, folder)]
    kind, seconds = type(filesystem).__name__, time.time() - started
    logger.debug("%d %s listings took %f s to return %d items", len(folders), kind, seconds, len(items))
    return set(items)


def _items_of(filesystem: FileSystem, folder: str) -> Iterable[str]:
    """What lies in a folder, or in the folders of a pattern; nothing where there is none."""
    logger.debug("Listing %s", folder)
    return filesystem.listdir(folder) if filesystem.exists(folder) else ()


def infer_bulk_complete_from_fs(
    datetimes: Sequence[datetime],
    datetime_to_task: Callable[[datetime], Task],
    datetime_to_re: Callable[[datetime], str],
) -> list[datetime]:
    """Those of `datetimes` for which an output of the task is missing, found with few listings.

    The outputs must be files with the date in their paths, and the task must have no `complete` of its
    own. `datetime_to_re` gives a regular expression whose groups are the parts of the date.
    """
    locations = list(_get_filesystems_and_globs(datetime_to_task, datetime_to_re))
    paths = [[output.path for output in flatten_output(datetime_to_task(each))] for each in datetimes]
    of_each_output = zip(locations, zip(*paths))
    existing = set().union(*(_list_existing(*location, over_time) for location, over_time in of_each_output))
    return [each for each, needed in zip(datetimes, paths) if not existing.issuperset(needed)]
