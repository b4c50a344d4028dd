"""A file system client made of several, each standing in for the one before it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from luigi.target import FileSystemException

logger = logging.getLogger("luigi-interface")


class CascadingClient:
    """Passes each call to the first client that can answer it.

    A client that fails for technical reasons is skipped with a warning. A
    :class:`~luigi.target.FileSystemException` is an answer ("exists already", "no such parent"), so it is raised
    at once, and so is what the last client raises.
    """

    # The methods an instance gets unless ``method_names`` says otherwise.
    ALL_METHOD_NAMES = [
        "exists",
        "rename",
        "remove",
        "chmod",
        "chown",
        "count",
        "copy",
        "get",
        "put",
        "mkdir",
        "list",
        "listdir",
        "getmerge",
        "isdir",
        "rename_dont_move",
        "touchz",
    ]

    def __init__(self, clients: Sequence[Any], method_names: Iterable[str] | None = None) -> None:
        """Ask ``clients`` in the order given; ``method_names`` restricts or extends what can be called."""
        self.clients = clients
        for name in self.ALL_METHOD_NAMES if method_names is None else method_names:
            setattr(self, name, self._make_method(name))

    def _make_method(self, method_name: str) -> Any:
        return functools.partial(self._chained_call, method_name)

    def _chained_call(self, method_name: str, *args: Any, **kwargs: Any) -> Any:
        remaining = list(self.clients)
        while remaining:
            client = remaining.pop(0)
            try:
                return getattr(client, method_name)(*args, **kwargs)
            except FileSystemException:
                raise
            except Exception:
                if not remaining:
                    raise
                logger.warning(
                    "The %s failed to %s, using fallback class %s",
                    type(client).__name__,
                    method_name,
                    type(remaining[0]).__name__,
                )
        return None
