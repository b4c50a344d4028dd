"""The command `luigi-deps`: the tasks between a task and those of one family that it depends on.

It takes a task as `luigi` does, and the family as `--upstream-family`; without a family it lists
everything upstream. For each task it prints where the output is.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import luigi.interface  # noqa: F401  (its settings are flags of the command line)
from luigi import parameter
from luigi.cmdline_parser import CmdlineParser
from luigi.target import FileSystemTarget
from luigi.task import Config, Task, flatten


class upstream(Config):
    """Gives the command line its flag `--upstream-family`."""

    family = parameter.OptionalParameter(default=None)


def get_task_requires(task: Task) -> set[Task]:
    """The tasks that `task` requires directly."""
    return set(flatten(task.requires()))


def dfs_paths(start_task: Task, goal_task_family: str | None, path: list[Task] | None = None) -> Iterator[Task]:
    """The tasks of every path from `start_task` to a task of the family, path after path.

    A task comes once for each path it is on, which can be very often; `find_deps` has each once.
    """
    path = [start_task] if path is None else path
    if goal_task_family is None or start_task.task_family == goal_task_family:
        yield from path
    for required in get_task_requires(start_task) - set(path):
        yield from dfs_paths(required, goal_task_family, [*path, required])


def find_deps(task: Task, upstream_task_family: str | None) -> set[Task]:
    """The tasks on the paths from `task` to tasks of the family; all upstream tasks if it is None."""
    required_by: dict[Task, list[Task]] = defaultdict(list)
    reached = {task}
    waiting = [task]
    while waiting:
        current = waiting.pop()
        for required in get_task_requires(current):
            required_by[required].append(current)
            if required not in reached:
                reached.add(required)
                waiting.append(required)
    if upstream_task_family is None:
        return reached

    # From the tasks of the family back to all that need them.
    found: set[Task] = set()
    waiting = [each for each in reached if each.task_family == upstream_task_family]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(required_by[current])
    return found


def find_deps_cli() -> set[Task]:
    """`find_deps` for the task and the family of this process's command line."""
    with CmdlineParser.global_instance(sys.argv[1:]) as parser:
        return find_deps(parser.get_task_obj(), upstream().family)


def _is_a(output: Any, module: str, name: str) -> bool:
    """Says whether `output` is of a class of a module, which need not be imported to say no."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(output, getattr(loaded, name))


def get_task_output_description(task_output: Any) -> str:
    """Says in a line where an output is."""
    if _is_a(task_output, "luigi.contrib.ssh", "RemoteTarget"):
        return f"[SSH] {task_output._fs.remote_context.host}:{task_output.path}"
    if _is_a(task_output, "luigi.contrib.s3", "S3Target"):
        return f"[S3] {task_output.path}"
    if isinstance(task_output, FileSystemTarget):
        return f"[FileSystem] {task_output.path}"
    if _is_a(task_output, "luigi.contrib.postgres", "PostgresTarget"):
        return f"[DB] {task_output.host}:{task_output.table}"
    return "to be determined"


def main() -> None:
    """Prints the tasks found and their outputs."""
    for task in find_deps_cli():
        output = task.output()
        if isinstance(output, dict):
            outputs: Iterable[Any] = output.values()
        elif isinstance(output, Iterable):
            outputs = output
        else:
            outputs = [output]
        print(f"   TASK: {task}")
        for each in outputs:
            print(f"                       : {get_task_output_description(each)}")


if __name__ == "__main__":
    main()
