"""Flat lists of what is in structures of tasks or targets. They are used as functions of :mod:`luigi.task`."""

from __future__ import annotations

from collections import deque
from typing import Any


def flatten(struct: Any) -> list[Any]:
    """Returns all items in ``struct`` as a flat list: a dict's values, and what is in other iterables at every depth.

    ``None`` has no items; a string, and what can not be iterated over, is an item itself.
    """
    flat: list[Any] = []
    _collect(struct, flat)
    return flat


def _collect(struct: Any, flat: list[Any]) -> None:
    if struct is None:
        return
    if isinstance(struct, dict):
        for _, value in struct.items():
            _collect(value, flat)
    elif isinstance(struct, str) or not _may_iterate(type(struct)):
        flat.append(struct)
    else:
        try:
            items = iter(struct)
        except TypeError:
            flat.append(struct)
            return
        for item in items:
            _collect(item, flat)


def _may_iterate(kind: type) -> bool:
    # Asked first because the TypeError of iter() costs more, and most items are tasks and targets.
    return hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")


def flatten_output(task: Any) -> list[Any]:
    """Returns the outputs of a task as a flat list, or if it has none those of the tasks that it requires."""
    with_outputs: dict[Any, None] = {}
    waiting = deque([task])
    while waiting:
        current = waiting.popleft()
        if flatten(current.output()):
            with_outputs[current] = None
        else:
            waiting.extend(flatten(current.requires()))
    return flatten(found.output() for found in with_outputs)
