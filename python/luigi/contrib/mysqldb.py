"""MySQL and MariaDB: a target with a marker table, and a task that inserts rows. The driver is mysql-connector."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import luigi
from luigi.contrib import rdbms
from luigi.contrib._marker_table import MarkerTableTarget, column_names, marker_arguments, split_address

logger = logging.getLogger("luigi-interface")

try:
    import mysql.connector
    from mysql.connector import Error, errorcode
except ImportError:
    logger.warning(
        "Loading MySQL module without the python package mysql-connector-python. "
        "This will crash at runtime if MySQL functionality is used."
    )


class MySqlTarget(MarkerTableTarget):
    """An update of a table in MySQL."""

    marker_table = luigi.configuration.get_config().get("mysql", "marker-table", "table_updates")

    def __init__(
        self,
        host: str,
        database: str,
        user: str | None,
        password: str | None,
        table: str,
        update_id: str,
        **cnx_kwargs: Any,
    ) -> None:
        """
        :param host: the server, possibly as `host:port`; the port is 3306 unless said.
        :param table: the table that the marker mentions.
        :param update_id: tells this update from others; at most 128 characters.
        :param cnx_kwargs: further arguments of `mysql.connector.connect`.
        """
        self.host, port = split_address(host)
        self.port = int(port or 3306)
        self.database = database
        self.user = user
        self.password = password
        self.table = table
        self.update_id = update_id
        self.cnx_kwargs = cnx_kwargs

    def connect(self, autocommit: bool = False) -> Any:
        """Opens a connection to the database that holds the table."""
        return mysql.connector.connect(
            user=self.user,
            password=self.password,
            host=self.host,
            port=self.port,
            database=self.database,
            autocommit=autocommit,
            **self.cnx_kwargs,
        )

    def create_marker_table(self) -> None:
        """Creates the marker table if it is missing, on a connection of its own: DDL would commit the caller's work."""
        statement = (
            f"CREATE TABLE {self.marker_table} ("
            "id BIGINT(20) NOT NULL AUTO_INCREMENT, update_id VARCHAR(128) NOT NULL, target_table VARCHAR(128), "
            "inserted TIMESTAMP DEFAULT NOW(), PRIMARY KEY (update_id), KEY id (id))"
        )
        with closing(self.connect(autocommit=True)) as connection:
            try:
                connection.cursor().execute(statement)
            except mysql.connector.Error as error:
                if error.errno != errorcode.ER_TABLE_EXISTS_ERROR:
                    raise

    def _connect_alone(self) -> Any:
        connection = self.connect()
        connection.autocommit = True
        return connection

    def _write_marker(self, connection: Any) -> None:
        connection.cursor().execute(
            f"INSERT INTO {self.marker_table} (update_id, target_table) VALUES (%s, %s) "
            "ON DUPLICATE KEY UPDATE update_id = VALUES(update_id)",
            (self.update_id, self.table),
        )
        assert self.exists(connection), f"the marker {self.update_id} was not written as it is"

    def _has_marker(self, connection: Any) -> bool:
        cursor = connection.cursor()
        try:
            cursor.execute(f"SELECT 1 FROM {self.marker_table} WHERE update_id = %s LIMIT 1", (self.update_id,))
            return cursor.fetchone() is not None
        except mysql.connector.Error as error:
            if error.errno == errorcode.ER_NO_SUCH_TABLE:
                return False
            raise


class CopyToTable(rdbms.CopyToTable):
    """Inserts rows into a table; rows, queries and marker are one transaction (on tables that have transactions).

    A subclass gives `host`, `database`, `user`, `password`, `table` and `columns`, and either a `requires` whose output
    has one line per row, with tabs between the columns, or its own `rows`.
    """

    @property
    def bulk_size(self) -> int:
        """How many rows one statement inserts."""
        return 10000

    def rows(self) -> Iterator[Any]:
        """Yields each row as a tuple or list, in the order of `columns`."""
        with self.input().open("r") as lines:
            for line in lines:
                yield line.strip("\n").split("\t")

    def output(self) -> Any:
        """The marker of this update; rarely overridden."""
        # A port comes with the host here, since every further argument of the target goes to the driver.
        host = self.host
        if self.port is not None and split_address(host)[1] is None:
            host = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        return MySqlTarget(**{**marker_arguments(self), "host": host})

    def copy(self, cursor: Any, file: Any = None) -> None:
        """Inserts what `rows` yields, `bulk_size` rows at a time."""
        names = ",".join(column_names(self.columns))
        places = ",".join(["%s"] * len(self.columns))
        statement = f"INSERT INTO {self.table} ({names}) VALUES ({places})"
        batch: list[Any] = []
        for row in self.rows():
            batch.append(row)
            if len(batch) >= self.bulk_size:
                cursor.executemany(statement, batch)
                batch = []
        if batch:
            cursor.executemany(statement, batch)

    def run(self) -> None:
        """Inserts the rows and marks the output, all or nothing. A missing table is asked of `create_table` once."""
        if not (self.table and self.columns):
            raise Exception("table and columns need to be specified")
        with closing(self.output().connect()) as connection:
            try:
                self._copy_once(connection)
            except Error as error:
                if error.errno != errorcode.ER_NO_SUCH_TABLE:
                    raise
                logger.info("Creating table %s", self.table)
                connection.reconnect()  # which drops what the first try did, and results that were not read
                self.create_table(connection)
                self._copy_once(connection)
            self.output().touch(connection)
            connection.commit()

    def _copy_once(self, connection: Any) -> None:
        """The steps that a subclass can override, in their order."""
        cursor = connection.cursor()
        self.init_copy(connection)
        self.copy(cursor)
        self.post_copy(connection)
        if self.enable_metadata_columns:
            self.post_copy_metacolumns(cursor)
