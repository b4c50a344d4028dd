"""Microsoft SQL Server: a target with a marker table. The driver is pymssql, by its low-level module."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import Any

import luigi
from luigi.contrib._marker_table import MarkerTableTarget, split_address

logger = logging.getLogger("luigi-interface")

try:
    from pymssql import _mssql
except ImportError:
    logger.warning(
        "Loading MSSQL module without the python package pymssql. "
        "This will crash at runtime if SQL Server functionality is used."
    )

#: The server's numbers for two refusals that are expected here.
_NO_SUCH_TABLE = 208
_TABLE_EXISTS = 2714


class MSSqlTarget(MarkerTableTarget):
    """An update of a table in SQL Server."""

    marker_table = luigi.configuration.get_config().get("mssql", "marker-table", "table_updates")

    def __init__(self, host: str, database: str, user: str, password: str, table: str, update_id: str) -> None:
        """
        :param host: the server, possibly as `host:port`; the port is 1433 unless said.
        :param table: the table that the marker mentions.
        :param update_id: tells this update from others; at most 128 characters.
        """
        self.host, port = split_address(host)
        self.port = int(port or 1433)
        self.database = database
        self.user = user
        self.password = password
        self.table = table
        self.update_id = update_id

    def connect(self) -> Any:
        """Opens a connection to the database that holds the table; its statements are committed one by one."""
        connect: Any = _mssql.connect
        return connect(user=self.user, password=self.password, server=self.host, port=self.port, database=self.database)

    def create_marker_table(self) -> None:
        """Creates the marker table if it is missing, on a connection of its own."""
        statement = (
            f"CREATE TABLE {self.marker_table} ("
            "id BIGINT NOT NULL IDENTITY(1,1), update_id VARCHAR(128) NOT NULL, target_table VARCHAR(128), "
            "inserted DATETIME DEFAULT(GETDATE()), PRIMARY KEY (update_id))"
        )
        with closing(self.connect()) as connection:
            try:
                connection.execute_non_query(statement)
            except _mssql.MssqlDatabaseException as error:
                if error.number != _TABLE_EXISTS:
                    raise

    def _write_marker(self, connection: Any) -> None:
        known = f"SELECT 1 FROM {self.marker_table} WHERE update_id = %(update_id)s"
        insert = f"INSERT INTO {self.marker_table} (update_id, target_table) VALUES (%(update_id)s, %(table)s)"
        renew = (
            f"UPDATE {self.marker_table} SET target_table = %(table)s, inserted = GETDATE() "
            "WHERE update_id = %(update_id)s"
        )
        connection.execute_non_query(
            f"IF NOT EXISTS({known}) {insert} ELSE {renew}", {"update_id": self.update_id, "table": self.table}
        )
        assert self.exists(connection), f"the marker {self.update_id} was not written as it is"

    def _has_marker(self, connection: Any) -> bool:
        statement = f"SELECT 1 FROM {self.marker_table} WHERE update_id = %s"
        try:
            return connection.execute_row(statement, (self.update_id,)) is not None
        except _mssql.MssqlDatabaseException as error:
            if error.number == _NO_SUCH_TABLE:
                return False
            raise
