"""Presto: a task that runs a query and shows its progress, and a target for tables that have rows.

The client is pyhive. The section `[presto]` says where the server is, unless a task does.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from enum import Enum
from time import sleep
from typing import Any, ClassVar

import luigi
from luigi.contrib import rdbms
from luigi.task_register import Register

logger = logging.getLogger("luigi-interface")

try:
    from pyhive.exc import DatabaseError
    from pyhive.presto import Connection, Cursor
except ImportError:
    logger.warning("pyhive[presto] is not installed.")


class presto(luigi.Config):
    """The section `[presto]`: where the server is and how to ask it."""

    host = luigi.Parameter(default="localhost", description="machine that Presto runs on")
    port = luigi.IntParameter(default=8090, description="port that Presto listens on")
    user = luigi.Parameter(default="anonymous", description="who asks")
    catalog = luigi.Parameter(default="hive", description="catalog of tables whose task names none")
    password = luigi.OptionalParameter(default=None, description="what the user logs in with")
    protocol = luigi.Parameter(default="https", description="http or https")
    poll_interval = luigi.FloatParameter(default=1.0, description="Seconds between two questions for the progress")


class _Mode(Enum):
    """What `PrestoClient.execute` yields."""

    watch = "watch"
    fetch = "fetch"


class PrestoClient:
    """Runs queries on a pyhive connection and remembers how far the latest one is."""

    def __init__(self, connection: Any, sleep_time: float = 1) -> None:
        """:param sleep_time: seconds between two questions for the progress."""
        self.sleep_time = sleep_time
        self._connection = connection
        self._status: dict[str, Any] = {"state": "initial"}

    @property
    def percentage_progress(self) -> float:
        """How much of the query is done, in percent; 0.1 while the server has not said."""
        return self._status.get("stats", {}).get("progressPercentage", 0.1)

    @property
    def info_uri(self) -> str | None:
        """The server's page about the query."""
        return self._status.get("infoUri")

    def execute(self, query: str, parameters: Any = None, mode: str | None = None) -> Iterator[Any]:
        """Runs a query to its end.

        :param parameters: what the driver puts into the query, quoted.
        :param mode: `watch`, the default, yields the server's reports; `fetch` yields the rows.
        :raises ValueError: if there is no such mode.
        """
        wanted = _Mode(mode or "watch")
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(query, parameters)
            sleep(self.sleep_time)
            while status := cursor.poll():
                self._status = status
                if wanted is _Mode.watch:
                    yield status
                sleep(self.sleep_time)
            if wanted is _Mode.fetch:
                yield from cursor.fetchall()


def _client_of(task: Any) -> PrestoClient:
    """The task's client, made once from its attributes, so that the progress shown is that of its own query."""
    if "_presto_client" not in task.__dict__:
        names = inspect.getfullargspec(Cursor.__init__).args[1:]
        arguments = {name: getattr(task, name, None) for name in names}
        connection = Connection(**{name: value for name, value in arguments.items() if value})
        task._presto_client = PrestoClient(connection=connection)
    return task._presto_client


class WithPrestoClient(Register):
    """Gives each task of the class a `_client`.

    The task's attributes that are named as arguments of `pyhive.presto.Cursor` say how to connect.
    """

    def __new__(mcs, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> Any:
        attrs.setdefault("_client", property(_client_of))
        return super().__new__(mcs, name, bases, attrs)


class PrestoTarget(luigi.Target):
    """A table, or a partition of one, which exists as soon as it has rows."""

    def __init__(
        self,
        client: PrestoClient,
        catalog: str,
        database: str,
        table: str,
        partition: Mapping[str, Any] | None = None,
    ) -> None:
        """:param partition: values by column that rows must have; None takes all rows."""
        self.catalog = catalog
        self.database = database
        self.table = table
        self.partition = partition
        self._client = client
        self._count: int | None = None

    def __str__(self) -> str:
        return self.table

    @property
    def _count_query(self) -> tuple[str, list[Any]]:
        always: Mapping[Any, Any] = {1: 1}
        partition = self.partition or always
        condition = " AND ".join(f"{column} = %s" for column in partition)
        table = f"{self.catalog}.{self.database}.{self.table}"
        return f"SELECT COUNT(*) AS cnt FROM {table} WHERE {condition} LIMIT 1", list(partition.values())

    def _table_doesnot_exist(self, exception: Any) -> bool:
        """Whether the server's error is about a table, or its schema, that is not there."""
        report = getattr(exception, "message", None) or next(iter(exception.args), None)
        if not isinstance(report, Mapping):
            return False
        table = re.escape(f"{self.catalog}.{self.database}.{self.table}")
        absent = rf"line \d+:\d+: (Table '?{table}'?|Schema '?{re.escape(self.database)}'?) does not exist"
        return re.match(absent, report.get("message") or "") is not None

    def count(self) -> int:
        """How many rows there are. Once there are some, the server is not asked again."""
        if not self._count:
            self._count = next(iter(self._client.execute(*self._count_query, mode="fetch")))[0]
        return self._count

    def exists(self) -> bool:
        """Whether table and rows are there.

        :raises pyhive.exc.DatabaseError: for any other error than a missing table.
        """
        try:
            return self.count() > 0
        except DatabaseError as error:
            if self._table_doesnot_exist(error):
                return False
            raise


class PrestoTask(rdbms.Query, metaclass=WithPrestoClient):
    """Runs a query, and shows the server's page about it and its progress.

    A subclass gives `database`, `table` and `query`; the rest comes from `[presto]` unless it is overridden.
    """

    #: Made by the metaclass.
    _client: ClassVar[Any]
    _tracking_url_set = False

    query: Any = None

    @property
    def host(self) -> Any:
        """The server's name or address."""
        return presto().host

    @property
    def port(self) -> Any:
        """The server's port."""
        return presto().port

    @property
    def user(self) -> Any:
        """Who asks."""
        return presto().user

    @property
    def username(self) -> Any:
        """The user, as the driver calls it."""
        return self.user

    @property
    def schema(self) -> Any:
        """The database, as the driver calls it."""
        return self.database

    @property
    def password(self) -> Any:
        """The user's password; with one, the connection is HTTPS."""
        return presto().password

    @property
    def catalog(self) -> Any:
        """The catalog of the database."""
        return presto().catalog

    @property
    def poll_interval(self) -> Any:
        """Seconds between two questions of the driver for rows."""
        return presto().poll_interval

    @property
    def source(self) -> Any:
        """Which program asks, as the server notes it."""
        return "pyhive"

    @property
    def partition(self) -> Any:
        """Values by column that rows of the output must have; None takes all rows."""
        return None

    @property
    def protocol(self) -> Any:
        """`http` or `https`."""
        return "https" if self.password else presto().protocol

    @property
    def session_props(self) -> Any:
        """Session properties of the query."""
        return None

    @property
    def requests_session(self) -> Any:
        """A `requests.Session` to use."""
        return None

    @property
    def requests_kwargs(self) -> Any:
        """Arguments of each HTTP request. As in Luigi, certificates are not checked unless this is overridden."""
        return {"verify": False}

    def _maybe_set_tracking_url(self) -> None:
        if not self._tracking_url_set:
            self.set_tracking_url(self._client.info_uri)
            self._tracking_url_set = True

    def _set_progress(self) -> None:
        self.set_progress_percentage(self._client.percentage_progress)

    def run(self) -> None:
        """Runs the query to its end."""
        for _ in self._client.execute(self._query_text()):
            self._maybe_set_tracking_url()
            self._set_progress()

    def output(self) -> Any:
        """The table that the query fills."""
        return PrestoTarget(
            client=self._client,
            catalog=self.catalog,
            database=self.database,
            table=self.table,
            partition=self.partition,
        )
