"""Amazon Redshift: tasks that copy from S3, unload to S3, run queries and end sessions, with a marker table.

Redshift speaks PostgreSQL's protocol, so the target is that of `luigi.contrib.postgres`; the driver is psycopg2.
Credentials for S3 come from the task, from `[redshift]`, or from the environment.
"""

from __future__ import annotations

import abc
import json
import logging
import os
import time
from contextlib import closing
from typing import Any

import luigi
from luigi.contrib import postgres, rdbms
from luigi.contrib._marker_table import column_names, marker_arguments, sql_literal
from luigi.contrib.s3 import S3PathTask, S3Target

logger = logging.getLogger("luigi-interface")

try:
    import psycopg2
    import psycopg2.errorcodes
except ImportError:
    logger.warning(
        "Loading postgres module without psycopg2 installed. Will crash at runtime if postgres functionality is used."
    )


class _CredentialsMixin:
    """How Redshift logs in to S3: by a role, or by a key with its secret.

    Each value is a property to override; else it is read from the configuration, else from the environment, where
    its name is in capitals.
    """

    @property
    def configuration_section(self) -> str:
        """The configuration section that holds the credentials."""
        return "redshift"

    @property
    def aws_access_key_id(self) -> Any:
        """The key's id."""
        return self._get_configuration_attribute("aws_access_key_id")

    @property
    def aws_secret_access_key(self) -> Any:
        """The key's secret."""
        return self._get_configuration_attribute("aws_secret_access_key")

    @property
    def aws_account_id(self) -> Any:
        """The account that has the role."""
        return self._get_configuration_attribute("aws_account_id")

    @property
    def aws_arn_role_name(self) -> Any:
        """The role's name."""
        return self._get_configuration_attribute("aws_arn_role_name")

    @property
    def aws_session_token(self) -> Any:
        """The token that belongs to a temporary key."""
        return self._get_configuration_attribute("aws_session_token")

    def _get_configuration_attribute(self, attribute: str) -> str | None:
        configured = luigi.configuration.get_config().get(self.configuration_section, attribute, default=None)
        return configured or os.environ.get(attribute.upper())

    def _credentials(self) -> str:
        """The text after `CREDENTIALS` in a statement. A role wins over a key.

        :raises NotImplementedError: if neither is complete.
        """
        if self.aws_account_id and self.aws_arn_role_name:
            return f"aws_iam_role=arn:aws:iam::{self.aws_account_id}:role/{self.aws_arn_role_name}"
        if self.aws_access_key_id and self.aws_secret_access_key:
            key = f"aws_access_key_id={self.aws_access_key_id};aws_secret_access_key={self.aws_secret_access_key}"
            return f"{key};token={self.aws_session_token}" if self.aws_session_token else key
        raise NotImplementedError(
            "Missing Credentials. Set 'aws_access_key_id' AND 'aws_secret_access_key', or 'aws_account_id' AND "
            f"'aws_arn_role_name': in the task, in the section [{self.configuration_section}] or in the environment."
        )


class RedshiftTarget(postgres.PostgresTarget):
    """An update of a table in Redshift."""

    marker_table = luigi.configuration.get_config().get("redshift", "marker-table", "table_updates")

    DEFAULT_DB_PORT = 5439

    #: Redshift has no clock that a column's default could use, so the client's tells.
    use_db_timestamps = False


def _target_of(task: Any, table: str) -> RedshiftTarget:
    """The marker of a task's update. A port goes along only where the task names one."""
    arguments = marker_arguments(task, table)
    if getattr(task, "port", None) is not None:
        arguments["port"] = task.port
    return RedshiftTarget(**arguments)


def _copy_statement(*lines: str) -> str:
    """Lays a statement out as Luigi does, which tests of pipelines compare with."""
    return "".join("\n         " + line for line in (*lines, ";"))


class S3CopyToTable(rdbms.CopyToTable, _CredentialsMixin):
    """Copies objects from S3 into a table; preparation, rows, queries and marker are one transaction.

    A subclass gives `host`, `database`, `user`, `password`, `table`, `columns`, `s3_load_path` and `copy_options`.
    Columns are tuples of name and type, with the compression encoding as a third entry.
    """

    @abc.abstractmethod
    def s3_load_path(self) -> Any:
        """The object, prefix or manifest to copy, as an S3 URL."""
        return None

    @property
    @abc.abstractmethod
    def copy_options(self) -> Any:
        """Further options of COPY, for example `TIMEFORMAT 'auto'` or `IGNOREHEADER 1`."""
        return ""

    @property
    def prune_table(self) -> Any:
        """The table from which rows are deleted before the copy: those with `prune_column` at or after `prune_date`.

        Give all three or none. With a temporary table to copy to, `queries` can then bring the new rows over.
        """
        return None

    @property
    def prune_column(self) -> Any:
        """The column that tells which rows are deleted; see `prune_table`."""
        return None

    @property
    def prune_date(self) -> Any:
        """The SQL expression from which on rows are deleted, for example `current_date - 30`; see `prune_table`."""
        return None

    @property
    def table_attributes(self) -> Any:
        """What follows the columns of a table that is created, for example `DISTKEY (a) SORTKEY (b, c)`."""
        return ""

    @property
    def table_constraints(self) -> Any:
        """Constraints of a table that is created, for example `PRIMARY KEY (a, b)`."""
        return ""

    @property
    def do_truncate_table(self) -> Any:
        """Whether the table is emptied first. In Redshift that commits what was done before it."""
        return False

    @property
    def table_type(self) -> Any:
        """The kind of a table that is created, for example `TEMP`."""
        return ""

    @property
    def queries(self) -> Any:
        """Statements to run after the copy, in order."""
        return []

    def do_prune(self) -> bool:
        """Whether rows are deleted first.

        :raises Exception: if only some of `prune_table`, `prune_column` and `prune_date` are given.
        """
        given = [bool(value) for value in (self.prune_table, self.prune_column, self.prune_date)]
        if any(given) and not all(given):
            raise Exception("override zero or all prune variables")
        return all(given)

    def truncate_table(self, connection: Any) -> None:
        """Empties the table."""
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"truncate {self.table}")

    def prune(self, connection: Any) -> None:
        """Deletes the rows that `prune_table`, `prune_column` and `prune_date` describe."""
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"delete from {self.prune_table} where {self.prune_column} >= {self.prune_date}")

    def create_schema(self, connection: Any) -> None:
        """Creates the schema that the table's name starts with, if it has one."""
        schema, dot, _ = self.table.partition(".")
        if dot:
            connection.cursor().execute(f"CREATE SCHEMA IF NOT EXISTS {schema};")

    def create_table(self, connection: Any) -> None:
        """Creates the table from `columns`, `table_type`, `table_constraints` and `table_attributes`.

        :raises NotImplementedError: if `columns` gives no types.
        :raises ValueError: if its entries have more than three parts.
        """
        definitions = ",".join(self._column_definition(column) for column in self.columns)
        constraints = f", {self.table_constraints}" if self.table_constraints else ""
        connection.cursor().execute(
            f"CREATE {self.table_type} TABLE {self.table} ({definitions} {constraints}) {self.table_attributes}"
        )

    def _column_definition(self, column: Any) -> str:
        if isinstance(column, str) or len(column) == 1:
            raise NotImplementedError(
                f"create_table() not implemented for {self.table!r} and columns types not specified"
            )
        if len(column) > 3:
            raise ValueError(f"create_table() found no columns for {self.table!r}")
        name, kind, *encoding = column
        return f"{name} {kind} ENCODE {encoding[0]}" if encoding else f"{name} {kind}"

    def does_schema_exist(self, connection: Any) -> bool:
        """Whether the schema that the table's name starts with exists; yes, if it starts with none."""
        schema, dot, _ = self.table.partition(".")
        if not dot:
            return True
        with closing(connection.cursor()) as cursor:
            cursor.execute("select 1 as schema_exists from pg_namespace where nspname = lower(%s) limit 1", [schema])
            return bool(cursor.fetchone())

    def does_table_exist(self, connection: Any) -> bool:
        """Whether the table exists."""
        source, condition = "pg_table_def", "tablename = lower(%s)"
        if "." in self.table:
            source, condition = "information_schema.tables", "table_schema = lower(%s) and table_name = lower(%s)"
        with closing(connection.cursor()) as cursor:
            cursor.execute(
                f"select 1 as table_exists from {source} where {condition} limit 1", tuple(self.table.split("."))
            )
            return bool(cursor.fetchone())

    def init_copy(self, connection: Any) -> None:
        """Creates schema, table and metadata columns that are missing, then truncates and prunes, as asked for."""
        for exists, message, create in (
            (self.does_schema_exist, "Creating schema for %s", self.create_schema),
            (self.does_table_exist, "Creating table %s", self.create_table),
        ):
            if not exists(connection):
                logger.info(message, self.table)
                create(connection)
        if self.enable_metadata_columns:
            self._add_metadata_columns(connection)
        self._remove_rows(connection)

    def _remove_rows(self, connection: Any) -> None:
        """Makes room for the new rows, as far as the task asks for it."""
        if self.do_truncate_table:
            logger.info("Truncating table %s", self.table)
            self.truncate_table(connection)
        if self.do_prune():
            logger.info("Removing %s older than %s from %s", self.prune_column, self.prune_date, self.prune_table)
            self.prune(connection)

    def copy(self, cursor: Any, f: Any) -> None:
        """Lets Redshift copy from `f`."""
        logger.info("Inserting file: %s", f)
        names = f"({','.join(column_names(self.columns))})" if self.columns else ""
        cursor.execute(
            _copy_statement(
                f"COPY {self.table} {names} from '{sql_literal(f)}'",
                f"CREDENTIALS '{sql_literal(self._credentials())}'",
                self.copy_options,
            )
        )

    def post_copy(self, cursor: Any) -> None:
        """Runs the `queries`."""
        logger.info("Executing post copy queries")
        for query in self.queries:
            cursor.execute(query)

    def post_copy_metacolums(self, cursor: Any) -> None:
        """The same as `post_copy_metacolumns`, under the name that Luigi misspelt here."""
        self.post_copy_metacolumns(cursor)

    def run(self) -> None:
        """Prepares, copies, and marks the output, all or nothing but for what truncating commits."""
        if not self.table:
            raise Exception("table need to be specified")
        path, marker = self.s3_load_path(), self.output()
        afterwards = [self.post_copy, *([self.post_copy_metacolumns] if self.enable_metadata_columns else [])]
        with closing(marker.connect()) as connection:
            cursor = connection.cursor()
            self.init_copy(connection)
            self.copy(cursor, path)
            for step in afterwards:
                step(cursor)
            marker.touch(connection)
            connection.commit()

    def output(self) -> Any:
        """The marker of this update; rarely overridden."""
        return _target_of(self, self.table)


class S3CopyJSONToTable(S3CopyToTable, _CredentialsMixin):
    """Copies JSON from S3 into a table. A subclass gives `jsonpath` and `copy_json_options` as well."""

    @property
    @abc.abstractmethod
    def jsonpath(self) -> Any:
        """The JSONPaths file that maps fields to columns, as an S3 URL, or `auto`."""
        return ""

    @property
    @abc.abstractmethod
    def copy_json_options(self) -> Any:
        """Options that follow the JSON format, for example `GZIP`."""
        return ""

    def copy(self, cursor: Any, f: Any) -> None:
        """Lets Redshift copy JSON from `f`."""
        logger.info("Inserting file: %s", f)
        cursor.execute(
            _copy_statement(
                f"COPY {self.table} from '{sql_literal(f)}'",
                f"CREDENTIALS '{sql_literal(self._credentials())}'",
                f"JSON AS '{sql_literal(self.jsonpath)}' {self.copy_json_options}",
                self.copy_options,
            )
        )


class RedshiftManifestTask(S3PathTask):
    """Writes a manifest, at `path`, of what lies in several S3 folders, so that one COPY can load it all."""

    #: The S3 URLs of the folders.
    folder_paths: Any = luigi.Parameter()

    #: Whether the output takes text; else it is given bytes.
    text_target: Any = True

    def run(self) -> None:
        """Lists the folders and writes the manifest."""
        entries = []
        for folder_path in self.folder_paths:
            folder = S3Target(folder_path)
            for name in folder.fs.list(folder.path):
                entries.append({"url": f"{folder_path}/{name}", "mandatory": True})
        manifest = json.dumps({"entries": entries})
        target = self.output().open("w")
        target.write(manifest if self.text_target else manifest.encode("utf-8"))
        target.close()


class KillOpenRedshiftSessions(rdbms.Login, luigi.Task):
    """Ends all other sessions of a database, whose open transactions would block dropping or truncating a table.

    A subclass gives `host`, `database`, `user` and `password`. Ending the sessions of others needs a superuser.
    """

    #: How long to wait, in seconds, before connecting again if our own session was ended too.
    connection_reset_wait_seconds = luigi.IntParameter(default=60)

    @property
    def update_id(self) -> Any:
        """Tells this run from others in the marker table."""
        return self.task_id

    def output(self) -> Any:
        """The marker of this run, which mentions the task's class in place of a table."""
        return _target_of(self, type(self).__name__)

    def run(self) -> None:
        """Ends the sessions and marks the output."""
        logger.info("Killing all open Redshift sessions for database: %s", self.database)
        connection = self.output().connect()
        try:
            try:
                self._end_sessions(connection)
            except psycopg2.DatabaseError as error:
                if "EOF" not in str(error):
                    raise
                connection.close()
                connection = self._connect_again()
            self.output().touch(connection)
            connection.commit()
        finally:
            connection.close()
        logger.info("Done killing all open Redshift sessions for database: %s", self.database)

    def _end_sessions(self, connection: Any) -> None:
        # The sessions of rdsdb are Redshift's own.
        with closing(connection.cursor()) as cursor:
            cursor.execute(
                "select pg_terminate_backend(process) from STV_SESSIONS "
                "where db_name=%s and user_name != 'rdsdb' and process != pg_backend_pid()",
                (self.database,),
            )
        connection.commit()

    def _connect_again(self) -> Any:
        logger.info("Pausing %s seconds for Redshift to reset connection", self.connection_reset_wait_seconds)
        time.sleep(self.connection_reset_wait_seconds)
        logger.info("Reconnecting to Redshift")
        return self.output().connect()


class RedshiftQuery(postgres.PostgresQuery):
    """Runs a statement once and marks that it ran; see `luigi.contrib.postgres.PostgresQuery`."""

    def output(self) -> Any:
        """The marker of this run; rarely overridden."""
        return _target_of(self, self.table)


class RedshiftUnloadTask(postgres.PostgresQuery, _CredentialsMixin):
    """Writes the result of a query to S3 with UNLOAD, and marks that it ran.

    A subclass gives `host`, `database`, `user`, `password`, `table`, `query` and `s3_unload_path`.
    """

    @property
    def s3_unload_path(self) -> Any:
        """The prefix of the objects to write, as an S3 URL."""
        return ""

    @property
    def unload_options(self) -> Any:
        """The options of UNLOAD."""
        return "DELIMITER '|' ADDQUOTES GZIP ALLOWOVERWRITE PARALLEL ON"

    @property
    def unload_query(self) -> Any:
        """The statement, with places for `query`, `s3_unload_path`, `credentials` and `unload_options`."""
        return "UNLOAD ( '{query}' ) TO '{s3_unload_path}' credentials '{credentials}' {unload_options};"

    def run(self) -> None:
        """Unloads, marks the output and commits."""
        statement = self.unload_query.format(
            query=self._query_text().replace("'", r"\'"),
            s3_unload_path=self.s3_unload_path,
            unload_options=self.unload_options,
            credentials=self._credentials(),
        )
        with closing(self.output().connect()) as connection:
            connection.autocommit = self.autocommit
            logger.info("Executing unload query from task: %s", self.__class__)
            cursor = connection.cursor()
            cursor.execute(statement)
            logger.info(cursor.statusmessage)
            self.output().touch(connection)
            connection.commit()

    def output(self) -> Any:
        """The marker of this run; rarely overridden."""
        return _target_of(self, self.table)
