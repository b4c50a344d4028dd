"""Hashable stand-ins for dicts and lists, so that such values can identify a task."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any


class FrozenOrderedDict(Mapping):
    """A mapping that keeps its order, can not be changed and can be hashed.

    Equality is that of mappings: the order does not matter, and a plain dict with the same items is equal.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.__dict = OrderedDict(*args, **kwargs)
        self.__hash: int | None = None

    def __getitem__(self, key: Any) -> Any:
        return self.__dict[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.__dict)

    def __len__(self) -> int:
        return len(self.__dict)

    def __repr__(self) -> str:
        return repr(dict(self.__dict))

    def __hash__(self) -> int:
        if self.__hash is None:
            combined = 0
            for item in self.__dict.items():
                combined ^= hash(item)
            self.__hash = combined
        return self.__hash

    def get_wrapped(self) -> OrderedDict:
        """Returns the ordered dict inside, not a copy of it."""
        return self.__dict


def recursively_freeze(value: Any) -> Any:
    """Turns mappings into :class:`FrozenOrderedDict` and lists into tuples, at every depth."""
    if isinstance(value, (list, tuple)):
        return tuple(map(recursively_freeze, value))
    if isinstance(value, Mapping):
        return FrozenOrderedDict((key, recursively_freeze(item)) for key, item in value.items())
    return value


def recursively_unfreeze(value: Any) -> Any:
    """Turns mappings into dicts and tuples into lists, at every depth."""
    if isinstance(value, (list, tuple)):
        return list(map(recursively_unfreeze, value))
    if isinstance(value, Mapping):
        return {key: recursively_unfreeze(item) for key, item in value.items()}
    return value
