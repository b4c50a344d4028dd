"""Hive: clients that ask for tables and partitions, targets for them, and a task that runs a query.

`[hive] release` picks the client: the command line (`cdh4`, `apache`), the `metastore`'s Thrift service, or the
folders of the `warehouse` in HDFS.
"""

from __future__ import annotations

import abc
import logging
import os
import re
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import luigi
import luigi.contrib.hadoop
from luigi.contrib._program_error import ProgramError
from luigi.contrib.hdfs import get_autoconfig_client
from luigi.target import FileAlreadyExists, FileSystemTarget
from luigi.task import flatten

logger = logging.getLogger("luigi-interface")


class HiveCommandError(ProgramError):
    """The `hive` command failed; `out` and `err` are what it printed, as bytes."""


def load_hive_cmd() -> list[str]:
    """The command line that starts Hive: `[hive] command`, taken apart at spaces."""
    return luigi.configuration.get_config().get("hive", "command", "hive").split(" ")


def get_hive_syntax() -> str:
    """`[hive] release`, which picks the client."""
    return luigi.configuration.get_config().get("hive", "release", "cdh4")


def get_hive_warehouse_location() -> str:
    """`[hive] warehouse_location`: the folder in HDFS that holds the managed tables."""
    return luigi.configuration.get_config().get("hive", "warehouse_location", "/user/hive/warehouse")


def get_ignored_file_masks() -> str | None:
    """`[hive] ignored_file_masks`: the pattern of files that do not make a table exist."""
    return luigi.configuration.get_config().get("hive", "ignored_file_masks", None)


def run_hive(args: list[str], check_return_code: bool = True) -> str:
    """Runs the `hive` command and gives what it printed.

    :param check_return_code: whether an exit code other than 0 is an error. Apache's Hive exits with one for a
        question about a table that is missing, while the answer can be read.
    :raises HiveCommandError: if the command failed.
    """
    command = load_hive_cmd() + args
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate()
    if check_return_code and process.returncode != 0:
        raise HiveCommandError(
            f"Hive command: {' '.join(command)} failed with error code: {process.returncode}", out, err
        )
    return out.decode("utf-8")


def run_hive_cmd(hivecmd: str, check_return_code: bool = True) -> str:
    """Runs statements and gives what was printed."""
    return run_hive(["-e", hivecmd], check_return_code)


def run_hive_script(script: str) -> str:
    """Runs a file of statements and gives what was printed.

    :raises RuntimeError: if there is no such file.
    """
    if not os.path.isfile(script):
        raise RuntimeError(f"Hive script: {script} does not exist.")
    return run_hive(["-f", script])


def _validate_partition(partition: Any) -> None:
    """A partition of several columns is a path in the warehouse, and so needs their order."""
    if partition and len(partition) > 1 and not isinstance(partition, Mapping):
        raise ValueError("Unable to restore table/partition location")


class HiveClient(metaclass=abc.ABCMeta):
    """What the targets ask of Hive. A `partition` maps the partition's columns to their values."""

    @abc.abstractmethod
    def table_location(self, table: str, database: str = "default", partition: Any = None) -> Any:
        """Where the table, or its partition, lies."""

    @abc.abstractmethod
    def table_schema(self, table: str, database: str = "default") -> Any:
        """A tuple of name and type for each column."""

    @abc.abstractmethod
    def table_exists(self, table: str, database: str = "default", partition: Any = None) -> Any:
        """Whether the table, or its partition, exists."""

    @abc.abstractmethod
    def partition_spec(self, partition: Any) -> str:
        """The partition as this way of asking writes it."""


class HiveCommandClient(HiveClient):
    """Asks the `hive` command."""

    #: Whether a question for a table's columns may end with any exit code, and how the answer says "missing".
    _describe_checks_exit_code = True
    _describe_says_missing = "does not exist"

    def table_location(self, table: str, database: str = "default", partition: Any = None) -> str | None:
        command = f"use {database}; describe formatted {table}"
        if partition:
            command += f" PARTITION ({self.partition_spec(partition)})"
        for line in run_hive_cmd(command).split("\n"):
            if "Location:" in line:
                return line.split("\t")[1]
        return None

    def table_exists(self, table: str, database: str = "default", partition: Any = None) -> bool:
        if partition:
            spec = self.partition_spec(partition)
            return bool(run_hive_cmd(f"use {database}; show partitions {table} partition ({spec})"))
        return table.lower() in run_hive_cmd(f'use {database}; show tables like "{table}";')

    def table_schema(self, table: str, database: str = "default") -> list[tuple[str, ...]] | None:
        text = run_hive_cmd(f"use {database}; describe {table}", self._describe_checks_exit_code)
        if not text or self._describe_says_missing in text:
            return None
        return [tuple(cell.strip() for cell in line.strip().split("\t")) for line in text.strip().split("\n")]

    def partition_spec(self, partition: Any) -> str:
        """Columns and quoted values, by the columns' names."""
        return ",".join(f"`{column}`='{self._quoted(value)}'" for column, value in sorted(partition.items()))

    @staticmethod
    def _quoted(value: Any) -> str:
        return str(value).replace("\\", "\\\\").replace("'", "\\'")


class ApacheHiveCommandClient(HiveCommandClient):
    """Asks the `hive` command of Apache's release, which exits with an error for a table that is missing."""

    _describe_checks_exit_code = False
    _describe_says_missing = "Table not found"


class MetastoreClient(HiveClient):
    """Asks the metastore's Thrift service."""

    def table_location(self, table: str, database: str = "default", partition: Any = None) -> str:
        with HiveThriftContext() as client:
            if not partition:
                return client.get_table(database, table).sd.location
            from hive_metastore.ttypes import NoSuchObjectException

            try:
                return client.get_partition_by_name(database, table, self.partition_spec(partition)).sd.location
            except NoSuchObjectException:
                return ""

    def table_exists(self, table: str, database: str = "default", partition: Any = None) -> bool:
        with HiveThriftContext() as client:
            if not partition:
                return table in client.get_all_tables(database)
            wanted = {column: str(value) for column, value in partition.items()}
            return wanted in self._existing_partitions(table, database, client)

    def _existing_partitions(self, table: str, database: str, client: Any) -> list[dict[str, str]]:
        """The partitions, twice each: with values as the metastore escapes them in names, and as they are."""
        all_of_them = -1
        names = client.get_partition_names(database, table, all_of_them)
        escaped = [dict(part.split("=", 1) for part in name.split("/")) for name in names]
        return escaped + [{unquote(column): unquote(value) for column, value in each.items()} for each in escaped]

    def table_schema(self, table: str, database: str = "default") -> list[tuple[str, str]]:
        with HiveThriftContext() as client:
            return [(column.name, column.type) for column in client.get_schema(database, table)]

    def partition_spec(self, partition: Any) -> str:
        """Columns and values as in the partition's name, by the columns' names."""
        return "/".join(f"{column}={value}" for column, value in sorted(partition.items()))


class HiveThriftContext:
    """A connection to the metastore at `[hive] metastore_host` and `metastore_port`, for the time of a block."""

    def __enter__(self) -> Any:
        try:
            # These bindings come with Cloudera's release.
            from hive_metastore import ThriftHiveMetastore
            from thrift.protocol import TBinaryProtocol
            from thrift.transport import TSocket, TTransport
        except ImportError as error:
            raise Exception(f"Could not import Hive thrift library: {error}") from error
        config = luigi.configuration.get_config()
        socket = TSocket.TSocket(config.get("hive", "metastore_host"), config.getint("hive", "metastore_port"))
        self.transport = TTransport.TBufferedTransport(socket)
        self.transport.open()
        return ThriftHiveMetastore.Client(TBinaryProtocol.TBinaryProtocol(self.transport))

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        self.transport.close()


class WarehouseHiveClient(HiveClient):
    """Looks at the folders of managed tables in HDFS, and so needs no Hive."""

    def __init__(self, hdfs_client: Any = None, warehouse_location: str | None = None) -> None:
        """
        :param hdfs_client: the client to look with; None takes the configured one.
        :param warehouse_location: the folder of the managed tables; None takes the configured one.
        """
        self.hdfs_client = hdfs_client or get_autoconfig_client()
        self.warehouse_location = warehouse_location or get_hive_warehouse_location()

    def table_schema(self, table: str, database: str = "default") -> Any:
        """Folders do not tell: always `NotImplemented`, as in Luigi."""
        return NotImplemented

    def table_location(self, table: str, database: str = "default", partition: Any = None) -> str:
        return os.path.join(self.warehouse_location, f"{database}.db", table, self.partition_spec(partition))

    def table_exists(self, table: str, database: str = "default", partition: Any = None) -> bool:
        """Whether the folder exists and has a file that `[hive] ignored_file_masks` does not match."""
        path = self.table_location(table, database, partition)
        if not self.hdfs_client.exists(path):
            return False
        ignored = get_ignored_file_masks()
        if ignored is None:
            return True
        return any(not re.match(ignored, name) for name in self.hdfs_client.listdir(path))

    def partition_spec(self, partition: Any) -> str:
        """Columns and values as folders, in the order of the mapping."""
        _validate_partition(partition)
        return "/".join(f"{column}={value}" for column, value in (partition or {}).items())


def get_default_client() -> HiveClient:
    """A new client of the configured kind."""
    kinds = {"apache": ApacheHiveCommandClient, "metastore": MetastoreClient, "warehouse": WarehouseHiveClient}
    return kinds.get(get_hive_syntax(), HiveCommandClient)()


client = get_default_client()


class HiveQueryTask(luigi.contrib.hadoop.BaseHadoopJobTask):
    """Runs a query with the `hive` command."""

    #: How many reducers, at most how many, and how many bytes for each; None leaves it to Hive.
    n_reduce_tasks: Any = None
    reducers_max: Any = None
    bytes_per_reducer: Any = None

    @abc.abstractmethod
    def query(self) -> Any:
        """The text of the query."""
        raise RuntimeError("Must implement query!")

    def hiverc(self) -> Any:
        """A file, or a list of files, of statements to run first: `[hive] hiverc-location` unless overridden."""
        return luigi.configuration.get_config().get("hive", "hiverc-location", default=None)

    def hivevars(self) -> dict[str, Any]:
        """Variables of the query, which get a namespace of their own: `--hivevar`."""
        return {}

    def hiveconfs(self) -> dict[str, Any]:
        """Settings of the run: `--hiveconf`. They name the job, its pool and its reducers."""
        settings = {
            "mapred.job.name": f"'{self.task_id}'",
            "mapred.reduce.tasks": self.n_reduce_tasks,
            "hive.exec.reducers.bytes.per.reducer": self.bytes_per_reducer,
            "hive.exec.reducers.max": self.reducers_max,
        }
        scheduler = luigi.configuration.get_config().get("hadoop", "scheduler", "fair")
        pool_key = {"fair": "mapred.fairscheduler.pool", "capacity": "mapred.job.queue.name"}.get(scheduler)
        if pool_key:
            settings[pool_key] = self.pool
        return {key: value for key, value in settings.items() if value is not None}

    def job_runner(self) -> Any:
        """What runs the query."""
        return HiveQueryRunner()


class HiveQueryRunner(luigi.contrib.hadoop.JobRunner):
    """Runs a `HiveQueryTask` with the `hive` command."""

    def prepare_outputs(self, job: Any) -> None:
        """Creates the folders that the outputs are to lie in, without which Hive fails."""
        for target in flatten(job.output()):
            folder = os.path.dirname(target.path) if isinstance(target, FileSystemTarget) else ""
            if not folder or target.fs.exists(folder):
                continue
            logger.info("Creating parent directory %r", folder)
            try:
                target.fs.mkdir(folder)
            except FileAlreadyExists:
                pass  # another job was faster

    def get_arglist(self, f_name: str, job: Any) -> list[str]:
        """The command line that runs the statements in the file `f_name`."""
        arguments = load_hive_cmd() + ["-f", f_name]
        first = job.hiverc() or []
        for path in [first] if isinstance(first, str) else first:
            arguments += ["-i", path]
        for option, values in (("--hiveconf", job.hiveconfs()), ("--hivevar", job.hivevars())):
            for key, value in (values or {}).items():
                arguments += [option, f"{key}={value}"]
        logger.info(arguments)
        return arguments

    def run_job(self, job: Any, tracking_url_callback: Any = None) -> Any:
        """Runs the query to its end and shows the job's page.

        :param tracking_url_callback: no longer used.
        """
        if tracking_url_callback is not None:
            warnings.warn(
                "tracking_url_callback argument is deprecated, task.set_tracking_url is used instead.",
                DeprecationWarning,
                stacklevel=2,
            )
        self.prepare_outputs(job)
        query = job.query()
        with tempfile.NamedTemporaryFile() as script:
            script.write(query.encode("utf-8") if isinstance(query, str) else query)
            script.flush()
            arguments = self.get_arglist(script.name, job)
            return luigi.contrib.hadoop.run_and_track_hadoop_job(arguments, job.set_tracking_url)


class HivePartitionTarget(luigi.Target):
    """A partition of a table; with no partition given, the table."""

    def __init__(
        self,
        table: str,
        partition: Any,
        database: str = "default",
        fail_missing_table: bool = True,
        client: HiveClient | None = None,
    ) -> None:
        """
        :param partition: values by column; None or empty means the table as a whole.
        :param fail_missing_table: whether a missing table is an error, and not only a partition that is missing.
        :param client: whom to ask; None takes the configured kind.
        """
        self.database = database
        self.table = table
        self.partition = partition
        self.client = client or get_default_client()
        self.fail_missing_table = fail_missing_table

    def __str__(self) -> str:
        return self.path

    def exists(self) -> Any:
        """Whether partition or table exists.

        :raises HiveCommandError: if Hive could not tell.
        """
        logger.debug("Checking Hive table '%s.%s' for partition %s", self.database, self.table, self.partition or {})
        try:
            return self.client.table_exists(self.table, self.database, self.partition)
        except HiveCommandError:
            if self.fail_missing_table or self.client.table_exists(self.table, self.database):
                raise
            return False

    @property
    def path(self) -> str:
        """Where the data lies.

        :raises Exception: if Hive does not say.
        """
        location = self.client.table_location(self.table, self.database, self.partition)
        if not location:
            raise Exception(f"Couldn't find location for table: {self.database}.{self.table} {self.partition or ''}")
        return location


class HiveTableTarget(HivePartitionTarget):
    """A table; a missing one is no error."""

    def __init__(self, table: str, database: str = "default", client: HiveClient | None = None) -> None:
        super().__init__(table=table, partition=None, database=database, fail_missing_table=False, client=client)


class ExternalHiveTask(luigi.ExternalTask):
    """A table, or a partition, that something else makes."""

    database: Any = luigi.Parameter(default="default")
    table: Any = luigi.Parameter()
    partition: Any = luigi.DictParameter(
        default={}, description='The partition\'s values by column, for example {"date": "2013-01-25"}'
    )

    def output(self) -> Any:
        """The partition or table."""
        return HivePartitionTarget(database=self.database, table=self.table, partition=self.partition)
