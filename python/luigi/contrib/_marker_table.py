"""What the targets with a marker table share: where the server is, and when a marker is read or written.

A marker table holds one row for each finished update. The row is written in the transaction that changes the data,
so that data and marker appear together or not at all. How a statement reads in SQL is left to each database.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import luigi


def split_address(host: str) -> tuple[str, str | None]:
    """Takes `host:port` apart; the port is None if the text names none.

    An IPv6 address stands in brackets if a port follows it: `[::1]:5432`. Without brackets it is all host.
    """
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        return name, rest[1:] if rest.startswith(":") else None
    if host.count(":") != 1:
        return host, None
    name, port = host.split(":")
    return name, port


def sql_literal(value: object) -> str:
    """Doubles single quotes, so that `value` can stand between two of them in a statement that takes no arguments."""
    return str(value).replace("'", "''")


def column_names(columns: Sequence[Any]) -> list[str]:
    """The names in a task's `columns`, whose entries are plain names or tuples that start with the name."""
    return [column if isinstance(column, str) else column[0] for column in columns]


def marker_arguments(task: Any, table: str | None = None) -> dict[str, Any]:
    """What a task says about its server and its update, as the named arguments of a target.

    :param table: the table that the marker mentions, if it is not the task's.
    """
    names = ("host", "database", "user", "password", "update_id")
    return {**{name: getattr(task, name) for name in names}, "table": task.table if table is None else table}


class MarkerTableTarget(luigi.Target, metaclass=abc.ABCMeta):
    """A data set in a database, which exists as soon as the marker table has a row with its `update_id`."""

    #: The name of the table that holds the markers; each database reads its own configuration section.
    marker_table: str
    table: str
    update_id: str

    def __str__(self) -> str:
        return self.table

    def touch(self, connection: Any = None) -> None:
        """Marks the update as done, with `connection` as part of the caller's transaction, else in one of its own.

        The marker table is created first where it is missing.
        """
        self.create_marker_table()
        with self._borrowed_or_own(connection) as usable:
            self._write_marker(usable)

    def exists(self, connection: Any = None) -> bool:
        """Whether the update is marked as done. A missing marker table means that nothing was done yet."""
        with self._borrowed_or_own(connection) as usable:
            return self._has_marker(usable)

    @abc.abstractmethod
    def connect(self) -> Any:
        """Opens a new connection to the database that holds the data and the markers."""

    @abc.abstractmethod
    def create_marker_table(self) -> None:
        """Creates the marker table if it is missing, on a connection of its own, whose failure harms no other."""

    @abc.abstractmethod
    def _write_marker(self, connection: Any) -> None:
        """Writes this update's row."""

    @abc.abstractmethod
    def _has_marker(self, connection: Any) -> bool:
        """Looks for this update's row."""

    def _connect_alone(self) -> Any:
        """A connection whose every statement is committed at once."""
        return self.connect()

    @contextmanager
    def _borrowed_or_own(self, connection: Any) -> Iterator[Any]:
        """Yields the caller's connection as it is, or one of our own that is closed afterwards."""
        if connection is not None:
            yield connection
            return
        own = self._connect_alone()
        try:
            yield own
        finally:
            own.close()
