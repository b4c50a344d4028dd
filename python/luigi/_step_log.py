"""Lines that the engine logs: functions with the names of the worker's steps, which records of the log show."""

from __future__ import annotations

import functools
import types
from typing import Any, Callable


def _say(log: Callable[..., Any], line: tuple[Any, ...]) -> None:
    log(*line)


@functools.cache
def sayer(step: str) -> Callable[[Callable[..., Any], tuple[Any, ...]], None]:
    """A function that logs in the name of a step of ``luigi.worker.Worker``."""
    from luigi import worker

    # The line is one of the class that has the steps: they have none of their own in Python.
    made = getattr(worker.Worker.__init__, "__code__", _say.__code__)
    code = _say.__code__.replace(co_name=step, co_filename=worker.__file__, co_firstlineno=made.co_firstlineno)
    return types.FunctionType(code, {"__name__": worker.__name__}, step)
