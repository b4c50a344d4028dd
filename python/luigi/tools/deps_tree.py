"""The command `luigi-deps-tree`: draws a task and all it requires as a tree, and runs nothing.

It takes a task as `luigi` does. Each line shows a task's class, its significant parameters, and
whether it is complete.
"""

from __future__ import annotations

import sys
import warnings

import luigi.interface  # noqa: F401  (its settings are flags of the command line)
from luigi.cmdline_parser import CmdlineParser
from luigi.task import Task, flatten


class bcolors:
    """The terminal's colours for a status: blue for pending, green for complete, and their end."""

    OKBLUE = "\033[94m"
    OKGREEN = "\033[92m"
    ENDC = "\033[0m"


def _status(task: Task) -> str:
    with warnings.catch_warnings():
        # That a task without outputs is never complete needs no saying here.
        warnings.filterwarnings("ignore", message="Task .* without outputs has no custom complete\\(\\) method")
        complete = task.complete()
    coloured = bcolors.OKGREEN + "COMPLETE" if complete else bcolors.OKBLUE + "PENDING"
    return coloured + bcolors.ENDC


def print_tree(task: Task, indent: str = "", last: bool = True) -> str:
    """The tree below `task` as text, a line per task, each after a newline.

    `indent` stands before every line; `last` says that no sibling follows.
    """
    branch, below = ("└─--", "    ") if last else ("|---", "|   ")
    params = task.to_str_params(only_significant=True)
    lines = [f"\n{indent}{branch}[{type(task).__name__}-{params} ({_status(task)})]"]
    children = flatten(task.requires())
    for position, child in enumerate(children, start=1):
        lines.append(print_tree(child, indent + below, position == len(children)))
    return "".join(lines)


def main() -> None:
    """Prints the tree of the task on the command line."""
    with CmdlineParser.global_instance(sys.argv[1:]) as parser:
        print(print_tree(parser.get_task_obj()))


if __name__ == "__main__":
    main()
