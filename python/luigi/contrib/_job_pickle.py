"""Write a task into a file from which another machine can rebuild it.

A class of the script that Python was started with is named ``__main__.Class``, and that name means something else
where the file is read. It is therefore written as ``module:Class``, with the module that the script's file is.
"""

from __future__ import annotations

import os
import pickle
import pkgutil
import sys
from typing import IO, Any


class _MainByFileName(pickle.Pickler):
    """Writes what is defined in ``__main__`` under the name that its file has as a module."""

    def __init__(self, file: IO[bytes], protocol: int, module_name: str) -> None:
        super().__init__(file, protocol=protocol)
        self._module_name = module_name

    def reducer_override(self, obj: Any) -> Any:
        if getattr(obj, "__module__", None) != "__main__" or not _is_named(obj):
            return NotImplemented
        return pkgutil.resolve_name, ("{}:{}".format(self._module_name, obj.__qualname__),)


def _is_named(obj: Any) -> bool:
    """Whether ``obj`` is a class or function, which pickle writes by name."""
    return isinstance(obj, type) or callable(obj) and hasattr(obj, "__qualname__")


def main_module_name() -> str:
    """The name under which the script that Python was started with can be imported."""
    return os.path.basename(sys.argv[0]).rsplit(".", 1)[0]


def dump_task(task: Any, file: IO[bytes], protocol: int = pickle.DEFAULT_PROTOCOL) -> None:
    """Write ``task`` to ``file``, without what only the worker that runs it can use."""
    with task.no_unpicklable_properties():
        if task.__module__ == "__main__":
            _MainByFileName(file, protocol, main_module_name()).dump(task)
        else:
            pickle.dump(task, file, protocol=protocol)
