"""PostgreSQL: a target with a marker table, a task that copies rows with COPY, and a task that runs a query.

The driver is psycopg2, or pg8000 if psycopg2 is missing or the environment says `LUIGI_PGSQL_DRIVER=pg8000`.
"""

from __future__ import annotations

import datetime
import logging
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import luigi
from luigi.contrib import rdbms
from luigi.contrib._marker_table import (
    MarkerTableTarget,
    column_names,
    marker_arguments,
    split_address,
    sql_literal,
)

logger = logging.getLogger("luigi-interface")

DB_DRIVER = os.environ.get("LUIGI_PGSQL_DRIVER", "psycopg2")

ERROR_DUPLICATE_TABLE = "duplicate_table"
ERROR_UNDEFINED_TABLE = "undefined_table"
#: SQLSTATE to the two refusals that are expected here; both drivers report SQLSTATE.
DB_ERROR_CODES = {"42P07": ERROR_DUPLICATE_TABLE, "42P01": ERROR_UNDEFINED_TABLE}

dbapi: Any = None
if DB_DRIVER == "psycopg2":
    try:
        import psycopg2 as dbapi  # type: ignore[no-redef]
    except ImportError:
        pass
if dbapi is None or DB_DRIVER == "pg8000":
    try:
        import pg8000.dbapi as dbapi  # type: ignore[no-redef]  # noqa: F811
    except ImportError:
        pass
if dbapi is None:
    logger.warning(
        "Loading postgres module without psycopg2 nor pg8000 installed. "
        "Will crash at runtime if postgres functionality is used."
    )


def db_error_code(exception: BaseException) -> str | None:
    """What a driver's error means here: one of the `ERROR_…` names, or None for any other error."""
    code = getattr(exception, "pgcode", None)
    if code is None and exception.args and isinstance(exception.args[0], dict):
        code = exception.args[0].get("C")  # pg8000 hands on the fields of the server's message
    return DB_ERROR_CODES.get(code) if isinstance(code, str) else None


def _start_over(connection: Any) -> None:
    """Leaves a transaction that an error has aborted, with the session as it was after connecting."""
    if hasattr(connection, "reset"):
        connection.reset()
    else:
        connection.rollback()


class MultiReplacer:
    """Replaces several words in one pass: what was put in is not looked at again. Earlier pairs win over later ones.

    >>> MultiReplacer([("a", "b"), ("b", "c")])("abcd")
    'bccd'
    >>> MultiReplacer([("ab", "x"), ("a", "y")])("aab")
    'yx'
    """

    def __init__(self, replace_pairs: Iterable[tuple[str, str]]) -> None:
        """:param replace_pairs: pairs of a word and what takes its place."""
        pairs = list(replace_pairs)
        self._replace_dict = dict(pairs)
        self._search_re = re.compile("|".join(re.escape(word) for word, _ in pairs))

    def __call__(self, search_string: str) -> str:
        return self._search_re.sub(lambda match: self._replace_dict[match.group()], search_string)


#: Escapes what the text format of COPY reads as something else.
default_escape = MultiReplacer(("\b\f\n\r\t\v\\"[place], "\\" + letter) for place, letter in enumerate("bfnrtv\\"))

#: How COPY sees NULL. The backslash is doubled, as escaping does it, so that a value `\\N` is NULL too: Luigi's way.
_NULL = r"\\N"


class PostgresTarget(MarkerTableTarget):
    """An update of a table in PostgreSQL. `output` of the tasks below makes it; it is rarely made by hand."""

    marker_table = luigi.configuration.get_config().get("postgres", "marker-table", "table_updates")

    #: The port if neither `host` nor `port` says one.
    DEFAULT_DB_PORT = 5432

    #: Whether the server's clock (else the client's) tells when a marker was written.
    use_db_timestamps = True

    def __init__(
        self,
        host: str,
        database: str,
        user: str,
        password: str | None,
        table: str,
        update_id: str,
        port: int | str | None = None,
    ) -> None:
        """
        :param host: the server, possibly as `host:port`.
        :param table: the table that the marker mentions.
        :param update_id: tells this update from others.
        :param port: the server's port if `host` names none.
        """
        self.host, port_in_host = split_address(host)
        self.port = port_in_host or port or self.DEFAULT_DB_PORT
        self.database = database
        self.user = user
        self.password = password
        self.table = table
        self.update_id = update_id

    def connect(self) -> Any:
        """Opens a connection to the database that holds the table."""
        connection = dbapi.connect(
            host=self.host, port=self.port, database=self.database, user=self.user, password=self.password
        )
        if hasattr(connection, "set_client_encoding"):  # pg8000 speaks UTF-8 in any case
            connection.set_client_encoding("utf-8")
        return connection

    def create_marker_table(self) -> None:
        """Creates the marker table if it is missing, on a connection of its own."""
        default = " DEFAULT NOW()" if self.use_db_timestamps else ""
        columns = f"update_id TEXT PRIMARY KEY, target_table TEXT, inserted TIMESTAMP{default}"
        with closing(self._connect_alone()) as connection:
            try:
                connection.cursor().execute(f"CREATE TABLE {self.marker_table} ({columns})")
            except dbapi.DatabaseError as error:
                if db_error_code(error) != ERROR_DUPLICATE_TABLE:
                    raise

    def open(self, mode: str) -> Any:
        """A table is no file: always refused."""
        raise NotImplementedError("Cannot open() PostgresTarget")

    def _connect_alone(self) -> Any:
        connection = self.connect()
        connection.autocommit = True
        return connection

    def _write_marker(self, connection: Any) -> None:
        # A plain INSERT on purpose: if two workers do the same update at a time, the second one fails here,
        # and its rows are rolled back with it.
        row: dict[str, Any] = {"update_id": self.update_id, "target_table": self.table}
        if not self.use_db_timestamps:
            row["inserted"] = datetime.datetime.now()
        places = ", ".join(["%s"] * len(row))
        connection.cursor().execute(
            f"INSERT INTO {self.marker_table} ({', '.join(row)}) VALUES ({places})", tuple(row.values())
        )

    def _has_marker(self, connection: Any) -> bool:
        cursor = connection.cursor()
        try:
            cursor.execute(f"SELECT 1 FROM {self.marker_table} WHERE update_id = %s LIMIT 1", (self.update_id,))
            return cursor.fetchone() is not None
        except dbapi.DatabaseError as error:
            if db_error_code(error) == ERROR_UNDEFINED_TABLE:
                return False
            raise


class CopyToTable(rdbms.CopyToTable):
    """Copies rows into a table with COPY; rows, queries and marker are one transaction.

    A subclass gives `host`, `database`, `user`, `password`, `table` and `columns`, and either a `requires` whose output
    has one line per row, with tabs between the columns, or its own `rows`.
    """

    def rows(self) -> Iterator[Any]:
        """Yields each row as a tuple or list, in the order of `columns`."""
        with self.input().open("r") as lines:
            for line in lines:
                yield line.strip("\n").split("\t")

    def map_column(self, value: Any) -> str:
        """Writes one value for COPY: `null_values` as NULL, everything else escaped."""
        if value in self.null_values:
            return _NULL
        text = default_escape(str(value))
        separator = self.column_separator
        return text if separator == "\t" else text.replace(separator, "\\" + separator)

    def output(self) -> Any:
        """The marker of this update; rarely overridden."""
        return PostgresTarget(**marker_arguments(self), port=self.port)

    def copy(self, cursor: Any, file: Any) -> None:
        """Sends `file`, as `run` wrote it, through COPY.

        :raises Exception: if `columns` holds neither names nor tuples of name and type.
        """
        first = self.columns[0]
        if not isinstance(first, str) and len(first) != 2:
            raise Exception(f"columns must be column strings or (name string, type string) tuples (was {first!r} ...)")
        names = ", ".join(column_names(self.columns))
        delimiter = sql_literal(self.column_separator)
        options = f"FORMAT text, NULL '{_NULL}', DELIMITER '{delimiter}'"
        statement = f"COPY {self.table} ({names}) FROM STDIN WITH ({options})"
        if hasattr(cursor, "copy_expert"):
            cursor.copy_expert(statement, file)
        else:
            cursor.execute(statement, stream=file)

    def run(self) -> None:
        """Writes the rows to a temporary file, copies it, and marks the output, all or nothing.

        If the table is missing, `create_table` is asked for it once. `[postgres] local-tmp-dir` says where the
        temporary file lies.
        """
        if not (self.table and self.columns):
            raise Exception("table and columns need to be specified")
        tmp_dir = luigi.configuration.get_config().get("postgres", "local-tmp-dir", None)
        with tempfile.TemporaryFile(dir=tmp_dir) as tmp_file, closing(self.output().connect()) as connection:
            self._write_rows(tmp_file)
            logger.info("Done writing, importing at %s", datetime.datetime.now())
            try:
                self._copy_once(connection, tmp_file)
            except dbapi.DatabaseError as error:
                if db_error_code(error) != ERROR_UNDEFINED_TABLE:
                    raise
                logger.info("Creating table %s", self.table)
                _start_over(connection)
                self.create_table(connection)
                self._copy_once(connection, tmp_file)
            self.output().touch(connection)
            connection.commit()

    def _write_rows(self, file: Any) -> None:
        for count, row in enumerate(self.rows(), start=1):
            if count % 100000 == 0:
                logger.info("Wrote %d lines", count)
            file.write((self.column_separator.join(map(self.map_column, row)) + "\n").encode("utf-8"))

    def _copy_once(self, connection: Any, file: Any) -> None:
        """The steps that a subclass can override, in their order; `file` is read from its start."""
        file.seek(0)
        cursor = connection.cursor()
        self.init_copy(connection)
        self.copy(cursor, file)
        self.post_copy(connection)
        if self.enable_metadata_columns:
            self.post_copy_metacolumns(cursor)


class PostgresQuery(rdbms.Query):
    """Runs a statement once and marks that it ran, in one transaction unless `autocommit` is set.

    A subclass gives `host`, `database`, `user`, `password`, `table` and `query`. The marker's `update_id` is the
    task's id: a task without parameters runs once only, unless `update_id` is overridden. Override `run` to use
    the statement's result.
    """

    def run(self) -> None:
        """Runs the statement, marks the output and commits."""
        with closing(self.output().connect()) as connection:
            connection.autocommit = self.autocommit
            logger.info("Executing query from task: %s", self.__class__)
            connection.cursor().execute(self._query_text())
            self.output().touch(connection)
            connection.commit()

    def output(self) -> Any:
        """The marker of this run; rarely overridden."""
        return PostgresTarget(**marker_arguments(self), port=self.port)
