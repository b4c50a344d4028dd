"""Flat lists of what is in structures of tasks or targets. They are used as functions of :mod:`luigi.task`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def flatten(struct: Any) -> list[Any]:
    """Returns all items in ``struct`` as a flat list: a dict's values, and what is in other iterables at every depth.

    ``None`` has no items; a string, and what can not be iterated over, is an item itself.
    """
    flat: list[Any] = []
    _collect((struct,), flat)
    return flat


def _collect(structs: Iterable[Any], flat: list[Any]) -> None:
    atom: type | None = None
    for struct in structs:
        kind = type(struct)
        if kind is atom:
            flat.append(struct)
        elif struct is None:
            continue
        elif isinstance(struct, dict):
            _collect([value for _, value in struct.items()], flat)
        elif isinstance(struct, str):
            flat.append(struct)
        elif hasattr(kind, "__iter__") or hasattr(kind, "__getitem__"):
            try:
                items = iter(struct)
            except TypeError:  # such as an array without dimensions
                flat.append(struct)
            else:
                _collect(items, flat)
        else:
            # Most structures are long lists of one kind of task or target; it is asked about once.
            atom = kind
            flat.append(struct)


def flatten_output(task: Any) -> list[Any]:
    """Returns the outputs of a task as a flat list, or if it has none those of the tasks that it requires."""
    with_outputs: list[Any] = []
    level = [task]
    while level:
        next_level: list[Any] = []
        for each in level:
            if flatten(each.output()):
                with_outputs.append(each)
            else:
                next_level += flatten(each.requires())
        level = next_level
    return flatten(found.output() for found in dict.fromkeys(with_outputs))
