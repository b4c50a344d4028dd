"""Any database that SQLAlchemy knows: a target with a marker table, and a task that inserts rows.

A task names the columns of its table as arguments of `sqlalchemy.Column`, and yields rows:

    class Items(sqla.CopyToTable):
        connection_string = "sqlite:///items.db"
        table = "items"
        columns = [(["name", sqlalchemy.String(64)], {"primary_key": True}), (["size", sqlalchemy.Integer], {})]

        def rows(self):
            yield "small", 1

With `reflect = True` the columns are read from the table, which then must exist. Works with SQLAlchemy 1.3 to 2.
"""

from __future__ import annotations

import abc
import collections
import datetime
import itertools
import logging
import os
from collections.abc import Iterator
from typing import Any

import sqlalchemy

import luigi


def _marker_columns() -> list[Any]:
    """The columns of a new marker table: which update, of which table, and when (local time)."""
    text, moment = sqlalchemy.String(128), sqlalchemy.DateTime()
    return [
        sqlalchemy.Column("update_id", text, primary_key=True),
        sqlalchemy.Column("target_table", text),
        sqlalchemy.Column("inserted", moment, default=datetime.datetime.now),
    ]


class SQLAlchemyTarget(luigi.Target):
    """An update of a table. `output` of the task below makes it; it is rarely made by hand."""

    #: The name of the marker table; None reads `[sqlalchemy] marker-table` when it is needed.
    marker_table: str | None = None

    #: One engine for each connection string, and the process that made it.
    _engine_dict: dict[str, Any] = {}
    Connection = collections.namedtuple("Connection", "engine pid")

    #: Engines that a parent process made. Collecting them would close connections that the parent still uses.
    _inherited_engines: list[Any] = []

    def __init__(
        self,
        connection_string: str,
        target_table: str,
        update_id: str,
        echo: bool = False,
        connect_args: dict[str, Any] | None = None,
    ) -> None:
        """
        :param connection_string: the database, as SQLAlchemy's URL.
        :param target_table: the table that the marker mentions.
        :param update_id: tells this update from others; at most 128 characters.
        :param echo: whether SQLAlchemy logs its statements.
        :param connect_args: further arguments of the driver's `connect`.
        """
        self.target_table = target_table
        self.update_id = update_id
        self.connection_string = connection_string
        self.echo = echo
        self.connect_args = {} if connect_args is None else connect_args
        self.marker_table_bound: Any = None

    def __str__(self) -> str:
        return self.target_table

    @property
    def engine(self) -> Any:
        """This process's engine for the connection string. A forked process makes its own."""
        known = self._engine_dict.get(self.connection_string)
        if known is not None and known.pid == os.getpid():
            return known.engine
        if known is not None:
            self._inherited_engines.append(known.engine)
        engine = sqlalchemy.create_engine(self.connection_string, connect_args=self.connect_args, echo=self.echo)
        self._engine_dict[self.connection_string] = self.Connection(engine, os.getpid())
        return engine

    def touch(self) -> None:
        """Marks the update as done, in a transaction of its own."""
        self._bind_marker_table()
        with self.engine.begin() as connection:
            self._write_marker(connection)
        assert self.exists(), f"the marker {self.update_id} was not written as it is"

    def exists(self) -> bool:
        """Whether the update is marked as done. The marker table is created where it is missing."""
        self._bind_marker_table()
        with self.engine.begin() as connection:
            return self._has_marker(connection)

    def create_marker_table(self) -> None:
        """Creates the marker table if it is missing, and binds to it."""
        if self.marker_table is None:
            self.marker_table = luigi.configuration.get_config().get("sqlalchemy", "marker-table", "table_updates")
        try:
            self._create_or_reflect_marker_table()
        except sqlalchemy.exc.DBAPIError:
            # Another worker may have created the table since we looked. If that was not it, this fails likewise.
            self._create_or_reflect_marker_table()

    def _create_or_reflect_marker_table(self) -> None:
        name = str(self.marker_table)
        metadata = sqlalchemy.MetaData()
        with self.engine.begin() as connection:
            if connection.dialect.has_table(connection, name):
                metadata.reflect(only=[name], bind=connection)
            else:
                sqlalchemy.Table(name, metadata, *_marker_columns())
                metadata.create_all(connection)
        self.marker_table_bound = metadata.tables[name]

    def open(self, mode: str) -> Any:
        """A table is no file: always refused."""
        raise NotImplementedError("Cannot open() SQLAlchemyTarget")

    def _bind_marker_table(self) -> None:
        if self.marker_table_bound is None:
            self.create_marker_table()

    def _mine(self) -> Any:
        """The condition that picks this update's row."""
        columns = self.marker_table_bound.c
        return sqlalchemy.and_(columns.update_id == self.update_id, columns.target_table == self.target_table)

    def _has_marker(self, connection: Any) -> bool:
        rows = connection.execute(self.marker_table_bound.select().where(self._mine()).limit(1))
        return rows.fetchone() is not None

    def _write_marker(self, connection: Any) -> None:
        table = self.marker_table_bound
        row = {"update_id": self.update_id, "target_table": self.target_table, "inserted": datetime.datetime.now()}
        if self._has_marker(connection):
            connection.execute(table.update().where(self._mine()).values(**row))
        else:
            connection.execute(table.insert().values(**row))


class CopyToTable(luigi.Task):
    """Inserts rows into a table; rows and marker are one transaction.

    A subclass gives `connection_string`, `table`, and `columns` (or sets `reflect`), and either a `requires` whose
    output has one line per row or its own `rows`.
    """

    _logger = logging.getLogger("luigi-interface")

    #: Whether SQLAlchemy logs its statements.
    echo: Any = False

    #: Further arguments of the driver's `connect`.
    connect_args: Any = {}

    #: For each column a tuple of the positional and the named arguments of `sqlalchemy.Column`.
    columns: list[Any] = []

    #: The schema that holds the table, where the database has schemas. It must exist. The marker table ignores it.
    schema: Any = ""

    #: What stands between two columns in the lines of the input.
    column_separator: Any = "\t"

    #: How many rows one statement inserts.
    chunk_size: Any = 5000

    #: Whether the table exists already and tells its columns itself.
    reflect: Any = False

    @property
    @abc.abstractmethod
    def connection_string(self) -> Any:
        """The database, as SQLAlchemy's URL."""
        return None

    @property
    @abc.abstractmethod
    def table(self) -> Any:
        """The table that is written to."""
        return None

    def create_table(self, engine: Any) -> None:
        """Binds `table_bound` to the table, which is created from `columns` if it is missing.

        An override sets `table_bound` too.

        :raises NotImplementedError: if `columns` does not say what the table looks like, and `reflect` is not set.
        """
        if not self.reflect and (not self.columns or any(len(column) != 2 for column in self.columns)):
            raise NotImplementedError(
                f"create_table() not implemented for {self.table!r} and columns types not specified"
            )
        try:
            self._create_or_reflect_table(engine)
        except sqlalchemy.exc.DBAPIError:
            # Another worker may have created the table since we looked. If that was not it, this fails likewise.
            self._create_or_reflect_table(engine)

    def _create_or_reflect_table(self, engine: Any) -> None:
        schema = self.schema or None
        metadata = sqlalchemy.MetaData(schema=schema)
        with engine.begin() as connection:
            if connection.dialect.has_table(connection, self.table, schema):
                metadata.reflect(only=[self.table], bind=connection)
                self.table_bound = metadata.tables[f"{schema}.{self.table}" if schema else self.table]
            else:
                columns = [sqlalchemy.Column(*arguments, **named) for arguments, named in self.columns]
                self.table_bound = sqlalchemy.Table(self.table, metadata, *columns)
                metadata.create_all(connection)

    def update_id(self) -> Any:
        """Tells this update from others in the marker table."""
        return self.task_id

    def output(self) -> Any:
        """The marker of this update; rarely overridden."""
        return SQLAlchemyTarget(
            connection_string=self.connection_string,
            target_table=self.table,
            update_id=self.update_id(),
            connect_args=self.connect_args,
            echo=self.echo,
        )

    def rows(self) -> Iterator[Any]:
        """Yields each row as a tuple or list, in the order of the table's columns."""
        with self.input().open("r") as lines:
            for line in lines:
                yield line.strip("\n").split(self.column_separator)

    def run(self) -> None:
        """Creates the table where it is missing, inserts the rows and marks the output, all or nothing."""
        self._logger.info("Running task copy to table for update id %s for table %s", self.update_id(), self.table)
        output = self.output()
        engine = output.engine
        self.create_table(engine)
        # A target with its own way of marking is asked afterwards, as Luigi does it.
        marks_itself = not isinstance(output, SQLAlchemyTarget) or type(output).touch is not SQLAlchemyTarget.touch
        if not marks_itself:
            output._bind_marker_table()
        with engine.begin() as connection:
            for chunk in self._chunks():
                self.copy(connection, chunk, self.table_bound)
                self._logger.info("Finished inserting %d rows into SQLAlchemy target", len(chunk))
            if not marks_itself:
                output._write_marker(connection)
        if marks_itself:
            output.touch()
        self._logger.info("Finished inserting rows into SQLAlchemy target")

    def _chunks(self) -> Iterator[list[dict[str, Any]]]:
        keys = ["_" + column.key for column in self.table_bound.c]
        rows = iter(self.rows())
        while chunk := [dict(zip(keys, row)) for row in itertools.islice(rows, self.chunk_size)]:  # noqa: B905
            yield chunk

    def copy(self, conn: Any, ins_rows: list[dict[str, Any]], table_bound: Any) -> None:
        """Inserts one chunk. Override it to update rows instead.

        :param conn: the connection, in the transaction of the whole copy.
        :param ins_rows: one dictionary per row; the value of the column `size` has the key `_size`, for `bindparam`.
        :param table_bound: the table.
        """
        values: Any = {column: sqlalchemy.bindparam("_" + column.key) for column in table_bound.columns}
        conn.execute(table_bound.insert().values(values), ins_rows)
