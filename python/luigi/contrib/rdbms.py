"""Abstract tasks for relational databases: copy rows into a table, or run a query.

They fix which attributes a subclass gives and which steps it may override; the modules of the single databases
(`postgres`, `mysqldb`, `redshift`, `presto`) bring the connection and the way rows travel.
"""

from __future__ import annotations

import abc
import logging
from typing import Any

import luigi
import luigi.task
from luigi.contrib._marker_table import sql_literal

logger = logging.getLogger("luigi-interface")


class _MetadataColumnsMixin:
    """Adds columns that every table of a project has, such as the time at which a row was written.

    Switch it on with `enable_metadata_columns`; name the columns in `metadata_columns` and fill them with
    `metadata_queries`, which run after the copy and in its transaction.
    """

    table: Any

    @property
    def metadata_columns(self) -> list[Any]:
        """Tuples of name and type, with the encoding as a third entry where the database (Redshift) knows encodings."""
        return []

    @property
    def metadata_queries(self) -> list[str]:
        """Statements that fill the metadata columns after the copy."""
        return []

    @property
    def enable_metadata_columns(self) -> bool:
        """Whether the metadata columns are added and filled."""
        return False

    def _add_metadata_columns(self, connection: Any) -> None:
        cursor = connection.cursor()
        for column in self.metadata_columns:
            if not column:
                raise ValueError(f"a metadata column of {self.table} has neither name nor type: {column!r}")
            if not self._column_exists(cursor, column[0]):
                logger.info("Adding missing metadata column %s to %s", column, self.table)
                self._add_column_to_table(cursor, column)

    def _column_exists(self, cursor: Any, column_name: str) -> bool:
        schema, _, table = self.table.rpartition(".")
        conditions = [f"table_schema = LOWER('{sql_literal(schema)}')"] if schema else []
        conditions.append(f"table_name = LOWER('{sql_literal(table)}')")
        conditions.append(f"column_name = LOWER('{sql_literal(column_name)}')")
        where = " AND ".join(conditions)
        cursor.execute(f"SELECT 1 AS column_exists FROM information_schema.columns WHERE {where} LIMIT 1;")
        return bool(cursor.fetchone())

    def _add_column_to_table(self, cursor: Any, column: Any) -> None:
        if len(column) == 1:
            raise ValueError(f"the metadata column {column[0]} of {self.table} has no type")
        if len(column) not in (2, 3):
            raise ValueError(f"a metadata column is (name, type) or (name, type, encoding), not {column!r}")
        encoding = f" ENCODE {column[2]}" if len(column) == 3 else ""
        cursor.execute(f"ALTER TABLE {self.table} ADD COLUMN {column[0]} {column[1]}{encoding};")

    def post_copy_metacolumns(self, cursor: Any) -> None:
        """Runs the `metadata_queries`, in order."""
        logger.info("Executing post copy metadata queries")
        for query in self.metadata_queries:
            cursor.execute(query)


class Login(metaclass=abc.ABCMeta):
    """Where the database is and who logs in: what a subclass has to give."""

    @property
    @abc.abstractmethod
    def host(self) -> Any:
        """The server's name or address, possibly with `:port`."""
        return None

    @property
    @abc.abstractmethod
    def database(self) -> Any:
        """The database to use on the server."""
        return None

    @property
    @abc.abstractmethod
    def user(self) -> Any:
        """Who logs in."""
        return None

    @property
    @abc.abstractmethod
    def password(self) -> Any:
        """The user's password."""
        return None


class _Connected(Login):
    """Which table is worked on, and where."""

    @property
    @abc.abstractmethod
    def table(self) -> Any:
        """The table that is written to; markers mention it too."""
        return None

    @property
    def port(self) -> Any:
        """The server's port, unless `host` names it or the default fits."""
        return None

    @property
    def update_id(self) -> Any:
        """Tells this update from others in the marker table: the task's id, unless a subclass says otherwise."""
        return self.task_id  # type: ignore[attr-defined]


class CopyToTable(luigi.task.MixinNaiveBulkComplete, _MetadataColumnsMixin, _Connected, luigi.Task):
    """Inserts a data set into a table.

    A subclass gives `host`, `database`, `user`, `password`, `table` and `columns`, and `port` where needed.
    """

    #: The columns to fill: names, or tuples of name and type, from which a missing table can be created.
    columns: list[Any] = []

    #: Values that are written as NULL.
    null_values: Any = (None,)

    #: What stands between two columns in the file that is copied.
    column_separator = "\t"

    def create_table(self, connection: Any) -> None:
        """Creates the table from `columns`. Override it for a table that needs more than names and types.

        Use the connection that is given, so that the table belongs to the transaction that fills it.

        :raises NotImplementedError: if `columns` gives no types.
        """
        if any(isinstance(column, str) or len(column) != 2 for column in self.columns):
            raise NotImplementedError(
                f"create_table() not implemented for {self.table!r} and columns types not specified"
            )
        definitions = ",".join(f"{name} {kind}" for name, kind in self.columns)
        connection.cursor().execute(f"CREATE TABLE {self.table} ({definitions})")

    @abc.abstractmethod
    def output(self) -> Any:
        """The target whose marker says that the rows are in the table."""
        raise NotImplementedError("a task that copies into a table needs an output")

    def init_copy(self, connection: Any) -> None:
        """Runs before the copy and in its transaction: the place to empty the table or to remove old rows.

        An override that wants the metadata columns calls this one as well.
        """
        if hasattr(self, "clear_table"):
            # Luigi dropped the attribute and fails aloud, so that nobody relies on a table that is not emptied.
            raise Exception("The clear_table attribute has been removed. Override init_copy instead!")
        if self.enable_metadata_columns:
            self._add_metadata_columns(connection)

    def post_copy(self, connection: Any) -> None:
        """Runs after the copy and in its transaction, for example to clean what was copied."""

    @abc.abstractmethod
    def copy(self, cursor: Any, file: Any) -> Any:
        """Brings the rows of `file` into the table."""
        raise NotImplementedError("a task that copies into a table needs a way to copy")


class Query(luigi.task.MixinNaiveBulkComplete, _Connected, luigi.Task):
    """Runs a query.

    A subclass gives `host`, `database`, `user`, `password`, `table`, `query`, `run` and `output`; it may give `port`,
    `autocommit` and `update_id`.
    """

    @property
    @abc.abstractmethod
    def query(self) -> Any:
        """The statement to run."""
        return None

    @property
    def autocommit(self) -> bool:
        """Whether the statement runs outside of a transaction, as `VACUUM` must."""
        return False

    def _query_text(self) -> Any:
        """The statement, for subclasses that give `query` as an attribute and for those that give it as a method."""
        return self.query() if callable(self.query) else self.query

    @abc.abstractmethod
    def run(self) -> Any:
        """Runs the statement and marks the output."""
        raise NotImplementedError("a task that queries needs run")

    @abc.abstractmethod
    def output(self) -> Any:
        """The target that records the run in a marker table."""
        raise NotImplementedError("a task that queries needs an output")
