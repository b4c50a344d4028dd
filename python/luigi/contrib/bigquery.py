"""Google BigQuery: a client, a target for tables, and tasks that load, query, extract and make views.

The client library is google-api-python-client; `luigi.contrib.gcp` says how it logs in.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any

from tenacity import retry, retry_if_exception, stop_after_attempt, wait_exponential

import luigi
import luigi.target
from luigi.contrib import gcp
from luigi.contrib._bigquery_terms import (
    BQDataset,
    BQTable,
    Compression,
    CreateDisposition,
    DestinationFormat,
    Encoding,
    FieldDelimiter,
    PrintHeader,
    QueryMode,
    SourceFormat,
    WriteDisposition,
)
from luigi.task import flatten

logger = logging.getLogger("luigi-interface")

#: What may go wrong on the way and is worth another try.
RETRYABLE_ERRORS: tuple[Any, ...] = ()
try:
    import httplib2
    from googleapiclient import discovery, errors
except ImportError:
    logger.warning(
        "BigQuery module imported, but google-api-python-client is not installed. Any BigQuery task will fail"
    )
else:
    RETRYABLE_ERRORS = (OSError, httplib2.HttpLib2Error)

#: Seconds between two questions whether a job has ended.
_POLL_SECS = 5

#: How many names one page of a listing holds.
_PAGE_SIZE = 1000


def is_error_5xx(err: BaseException) -> bool:
    """Whether the server failed, and not the request."""
    return isinstance(err, errors.HttpError) and err.resp.status >= 500


#: Repeats a method of `BigQueryClient` up to twice, with a new connection each time, if server or network failed.
bq_retry = retry(
    retry=retry_if_exception(lambda error: isinstance(error, RETRYABLE_ERRORS) or is_error_5xx(error)),
    wait=wait_exponential(multiplier=1, min=1, max=10),
    stop=stop_after_attempt(3),
    reraise=True,
    after=lambda state: state.args[0]._initialise_client(),
)


def _dataset_path(dataset: Any) -> dict[str, str]:
    """The API's arguments that name a dataset; they name that of a table too."""
    return {"projectId": dataset.project_id, "datasetId": dataset.dataset_id}


def _table_path(table: BQTable) -> dict[str, str]:
    """The API's arguments that name a table."""
    return {**_dataset_path(table), "tableId": table.table_id}


class BigQueryClient:
    """Talks to BigQuery."""

    def __init__(self, oauth_credentials: Any = None, descriptor: Any = "", http_: Any = None) -> None:
        """
        :param oauth_credentials: credentials to log in with; None takes the machine's.
        :param descriptor: the API's description, as a document; without one the library finds it.
        :param http_: the HTTP client to use, if no credentials are given.
        """
        self.oauth_credentials = oauth_credentials
        self.descriptor = descriptor
        self.http_ = http_
        self._initialise_client()

    def _initialise_client(self) -> None:
        """Makes the API's client, anew after a connection broke."""
        login = gcp.get_authenticate_kwargs(self.oauth_credentials, self.http_)
        self.client = (
            discovery.build_from_document(self.descriptor, **login)
            if self.descriptor
            else discovery.build("bigquery", "v2", cache_discovery=False, **login)
        )

    @staticmethod
    def _execute_if_found(request: Any) -> Any:
        """The answer to a request, or None if it says that there is no such thing."""
        try:
            return request.execute()
        except errors.HttpError as error:
            if error.resp.status == 404:
                return None
            raise

    @bq_retry
    def dataset_exists(self, dataset: BQDataset) -> bool:
        """Whether the dataset exists.

        :raises Exception: if it does, but elsewhere than at the `location` that the dataset names.
        """
        found = self._execute_if_found(self.client.datasets().get(**_dataset_path(dataset)))
        if found is None:
            return False
        location = found.get("location")
        if dataset.location is not None and dataset.location != location:
            raise Exception(
                f"Dataset already exists with regional location {location or 'unspecified'}. "
                f"Can't use {dataset.location}."
            )
        return True

    @bq_retry
    def table_exists(self, table: BQTable) -> bool:
        """Whether the table exists; see `dataset_exists`."""
        if not self.dataset_exists(table.dataset):
            return False
        return self._execute_if_found(self.client.tables().get(**_table_path(table))) is not None

    def make_dataset(
        self, dataset: BQDataset, raise_if_exists: bool = False, body: dict[str, Any] | None = None
    ) -> None:
        """Creates a dataset with the default permissions.

        :param body: further fields of the dataset.
        :raises luigi.target.FileAlreadyExists: if it exists and `raise_if_exists` is set.
        """
        resource = {**(body or {}), "datasetReference": _dataset_path(dataset)}
        if dataset.location is not None:
            resource["location"] = dataset.location
        try:
            self.client.datasets().insert(projectId=dataset.project_id, body=resource).execute()
        except errors.HttpError as error:
            if error.resp.status != 409:
                raise
            if raise_if_exists:
                raise luigi.target.FileAlreadyExists() from error

    def delete_dataset(self, dataset: BQDataset, delete_nonempty: bool = True) -> None:
        """Deletes a dataset if it exists.

        :param delete_nonempty: whether tables in it are deleted with it; else they make it fail.
        """
        if self.dataset_exists(dataset):
            self.client.datasets().delete(**_dataset_path(dataset), deleteContents=delete_nonempty).execute()

    def delete_table(self, table: BQTable) -> None:
        """Deletes a table if it exists."""
        if self.table_exists(table):
            self.client.tables().delete(**_table_path(table)).execute()

    @staticmethod
    def _pages(collection: Any, **arguments: Any) -> Iterator[dict[str, Any]]:
        """The pages of a listing."""
        request = collection.list(maxResults=_PAGE_SIZE, **arguments)
        while request is not None:
            page = request.execute()
            if page is None:
                return
            yield page
            request = collection.list_next(request, page)

    def list_datasets(self, project_id: str) -> Iterator[str]:
        """Yields the ids of a project's datasets."""
        for page in self._pages(self.client.datasets(), projectId=project_id):
            for item in page.get("datasets", []):
                yield item["datasetReference"]["datasetId"]

    def list_tables(self, dataset: BQDataset) -> Iterator[str]:
        """Yields the ids of a dataset's tables."""
        for page in self._pages(self.client.tables(), **_dataset_path(dataset)):
            for item in page.get("tables", []):
                yield item["tableReference"]["tableId"]

    def get_view(self, table: BQTable) -> str | None:
        """The query of a view; None if there is no such table or it is no view."""
        found = self._execute_if_found(self.client.tables().get(**_table_path(table)))
        return found["view"]["query"] if found and "view" in found else None

    def update_view(self, table: BQTable, view: str) -> None:
        """Makes `table` a view with the query `view`, in place of what is there."""
        body = {"tableReference": _table_path(table), "view": {"query": view}}
        if self.table_exists(table):
            self.client.tables().update(**_table_path(table), body=body).execute()
        else:
            self.client.tables().insert(**_dataset_path(table), body=body).execute()

    def run_job(self, project_id: str, body: dict[str, Any], dataset: BQDataset | None = None) -> str:
        """Runs a job to its end. The tasks below describe theirs.

        :param body: the job, as the API has it.
        :param dataset: a dataset to create first if it is missing.
        :return: the job's id.
        :raises BigQueryExecutionError: if the job fails.
        """
        if dataset and not self.dataset_exists(dataset):
            self.make_dataset(dataset)
        job_id = self.client.jobs().insert(projectId=project_id, body=body).execute()["jobReference"]["jobId"]
        logger.info("Started import job %s:%s", project_id, job_id)
        problem = self._wait_for_job(project_id, job_id).get("errorResult")
        if problem:
            raise BigQueryExecutionError(job_id, problem)
        return job_id

    def _wait_for_job(self, project_id: str, job_id: str) -> dict[str, Any]:
        """The status of a job that has ended, for better or worse."""
        while True:
            status = self.client.jobs().get(jobId=job_id, projectId=project_id).execute(num_retries=10)["status"]
            if status["state"] == "DONE":
                return status
            logger.info("Waiting for job %s:%s to complete...", project_id, job_id)
            time.sleep(_POLL_SECS)

    def copy(
        self,
        source_table: BQTable,
        dest_table: BQTable,
        create_disposition: str = CreateDisposition.CREATE_IF_NEEDED,
        write_disposition: str = WriteDisposition.WRITE_TRUNCATE,
    ) -> None:
        """Copies the rows of a table to another one; see `CreateDisposition` and `WriteDisposition`."""
        configuration = {
            "sourceTable": _table_path(source_table),
            "destinationTable": _table_path(dest_table),
            "createDisposition": create_disposition,
            "writeDisposition": write_disposition,
        }
        job = {"configuration": {"copy": configuration}}
        self.run_job(dest_table.project_id, job, dataset=dest_table.dataset)


class BigQueryTarget(luigi.target.Target):
    """A table."""

    def __init__(
        self,
        project_id: str,
        dataset_id: str,
        table_id: str,
        client: BigQueryClient | None = None,
        location: str | None = None,
    ) -> None:
        """
        :param client: the client to use; None makes one.
        :param location: where the dataset is, for a regional one.
        """
        self.table = BQTable(project_id=project_id, dataset_id=dataset_id, table_id=table_id, location=location)
        self.client = client or BigQueryClient()

    @classmethod
    def from_bqtable(cls, table: BQTable, client: BigQueryClient | None = None) -> BigQueryTarget:
        """The target of a table that is known as a `BQTable`."""
        return cls(table.project_id, table.dataset_id, table.table_id, client=client, location=table.location)

    def exists(self) -> bool:
        """Whether the table exists."""
        return self.client.table_exists(self.table)

    def __str__(self) -> str:
        return str(self.table)


def _checked(target: Any, what: str = "Output must be a BigQueryTarget") -> BigQueryTarget:
    """Refuses what is no table."""
    assert isinstance(target, BigQueryTarget), f"{what}, not {target}"
    return target


def _announce(*lines: str) -> None:
    """Says what is about to run."""
    for line in lines:
        logger.info("%s", line)


class MixinBigQueryBulkComplete:
    """Asks for the tables of many tasks at once, which the tasks of `luigi.tools.range` make use of.

    Give it to every task whose output is a `BigQueryTarget`.
    """

    @classmethod
    def bulk_complete(cls, parameter_tuples: Iterable[Any]) -> Iterator[Any]:
        """Yields those parameters whose task's table exists. Each dataset is listed once."""
        tables: list[tuple[Any, BQTable]] = []
        client = None
        for parameters in parameter_tuples:
            output = cls(parameters).output()  # type: ignore[call-arg, attr-defined]
            client = client or output.client
            tables.append((parameters, output.table))
        if client is None:
            return
        datasets = {table.dataset for _, table in tables}
        logger.info("Checking datasets %s for available tables", datasets)
        available = {each: set(client.list_tables(each)) for each in datasets if client.dataset_exists(each)}
        for parameters, table in tables:
            if table.table_id in available.get(table.dataset, ()):
                yield parameters


class _JobTask:
    """What the tasks that run a job share."""

    def configure_job(self, configuration: dict[str, Any]) -> dict[str, Any]:
        """Changes the job's `configuration` for what the properties do not cover, and returns it."""
        return configuration

    def _run_job(self, client: BigQueryClient, table: BQTable, kind: str, settings: dict[str, Any]) -> None:
        job = {"configuration": self.configure_job({kind: settings})}
        client.run_job(table.project_id, job, dataset=table.dataset)


class BigQueryLoadTask(MixinBigQueryBulkComplete, _JobTask, luigi.Task):
    """Loads files from Cloud Storage, the task's input, into a table, its output."""

    @property
    def source_format(self) -> Any:
        """The files' format; see `SourceFormat`."""
        return SourceFormat.NEWLINE_DELIMITED_JSON

    @property
    def encoding(self) -> Any:
        """The files' character encoding; see `Encoding`."""
        return Encoding.UTF_8

    @property
    def write_disposition(self) -> Any:
        """What happens to a table that has rows: an error, unless overridden; see `WriteDisposition`."""
        return WriteDisposition.WRITE_EMPTY

    @property
    def schema(self) -> Any:
        """The table's fields, as the API has them; if empty, BigQuery finds them out."""
        return []

    @property
    def max_bad_records(self) -> Any:
        """How many records that cannot be read are passed over before the job fails."""
        return 0

    @property
    def field_delimiter(self) -> Any:
        """What stands between two fields of CSV; see `FieldDelimiter`."""
        return FieldDelimiter.COMMA

    @property
    def skip_leading_rows(self) -> Any:
        """How many rows at the start of CSV are headers."""
        return 0

    @property
    def allow_jagged_rows(self) -> Any:
        """Whether rows of CSV may end early, the missing fields being null."""
        return False

    @property
    def ignore_unknown_values(self) -> Any:
        """Whether values that the schema does not have are passed over, instead of making the record a bad one."""
        return False

    @property
    def allow_quoted_new_lines(self) -> Any:
        """Whether quoted fields of CSV may hold line breaks."""
        return False

    def source_uris(self) -> list[str]:
        """The files, as `gs://` URLs; each may have one `*` after the bucket."""
        return [target.path for target in flatten(self.input())]

    def run(self) -> None:
        """Loads the files."""
        output = _checked(self.output())
        source_uris = self.source_uris()
        assert all(uri.startswith("gs://") for uri in source_uris), source_uris
        settings = {
            "destinationTable": _table_path(output.table),
            "encoding": self.encoding,
            "sourceFormat": self.source_format,
            "writeDisposition": self.write_disposition,
            "sourceUris": source_uris,
            "maxBadRecords": self.max_bad_records,
            "ignoreUnknownValues": self.ignore_unknown_values,
        }
        if self.source_format == SourceFormat.CSV:
            settings["fieldDelimiter"] = self.field_delimiter
            settings["skipLeadingRows"] = self.skip_leading_rows
            settings["allowJaggedRows"] = self.allow_jagged_rows
            settings["allowQuotedNewlines"] = self.allow_quoted_new_lines
        settings.update({"schema": {"fields": self.schema}} if self.schema else {"autodetect": True})
        self._run_job(output.client, output.table, "load", settings)


class BigQueryRunQueryTask(MixinBigQueryBulkComplete, _JobTask, luigi.Task):
    """Runs a query and writes the result into a table, the task's output."""

    @property
    def write_disposition(self) -> Any:
        """What happens to a table that has rows: they are replaced, unless overridden; see `WriteDisposition`."""
        return WriteDisposition.WRITE_TRUNCATE

    @property
    def create_disposition(self) -> Any:
        """Whether a missing table is created; see `CreateDisposition`."""
        return CreateDisposition.CREATE_IF_NEEDED

    @property
    def flatten_results(self) -> Any:
        """Whether legacy SQL flattens nested and repeated fields."""
        return True

    @property
    def query(self) -> Any:
        """The text of the query."""
        raise NotImplementedError()

    @property
    def query_mode(self) -> Any:
        """Whether the query runs at once; see `QueryMode`."""
        return QueryMode.INTERACTIVE

    @property
    def udf_resource_uris(self) -> Any:
        """Code of functions that the query uses, as `gs://` URLs."""
        return []

    @property
    def use_legacy_sql(self) -> Any:
        """Whether the query is legacy SQL."""
        return True

    def run(self) -> None:
        """Runs the query."""
        output = _checked(self.output())
        sql = self.query
        assert sql, "No query was provided"
        _announce("Launching Query", f"Query destination: {output} ({self.write_disposition})", f"Query SQL: {sql}")
        settings = {
            "query": sql,
            "priority": self.query_mode,
            "destinationTable": _table_path(output.table),
            "allowLargeResults": True,
            "createDisposition": self.create_disposition,
            "writeDisposition": self.write_disposition,
            "flattenResults": self.flatten_results,
            "userDefinedFunctionResources": [{"resourceUri": uri} for uri in self.udf_resource_uris],
            "useLegacySql": self.use_legacy_sql,
        }
        self._run_job(output.client, output.table, "query", settings)


class BigQueryCreateViewTask(luigi.Task):
    """Makes the output a view, in place of what is there. It is complete when the view has exactly this query."""

    @property
    def view(self) -> Any:
        """The view's query."""
        raise NotImplementedError()

    def complete(self) -> bool:
        """Whether the view is there with the same query."""
        output = _checked(self.output())
        return output.exists() and output.client.get_view(output.table) == self.view

    def run(self) -> None:
        """Makes the view."""
        output = _checked(self.output())
        sql = self.view
        assert sql, "No view was provided"
        _announce("Create view", f"Destination: {output}", f"View SQL: {sql}")
        output.client.update_view(output.table, sql)


class ExternalBigQueryTask(MixinBigQueryBulkComplete, luigi.ExternalTask):
    """A table that something else makes."""


class BigQueryExtractTask(_JobTask, luigi.Task):
    """Writes a table, the task's only input, to files in Cloud Storage, its output."""

    @property
    def destination_uris(self) -> Any:
        """The files, as `gs://` URLs; each may have one `*` after the bucket, for tables that need several files."""
        return [target.path for target in flatten(self.output())]

    @property
    def print_header(self) -> Any:
        """Whether CSV starts with the names of the columns; see `PrintHeader`."""
        return PrintHeader.TRUE

    @property
    def field_delimiter(self) -> Any:
        """What stands between two fields of CSV; see `FieldDelimiter`."""
        return FieldDelimiter.COMMA

    @property
    def destination_format(self) -> Any:
        """The files' format; see `DestinationFormat`."""
        return DestinationFormat.CSV

    @property
    def compression(self) -> Any:
        """How the files are compressed; see `Compression`."""
        return Compression.NONE

    def run(self) -> None:
        """Writes the files."""
        source = _checked(flatten(self.input())[0], "Input must be exactly one BigQueryTarget")
        destination_uris = self.destination_uris
        assert all(uri.startswith("gs://") for uri in destination_uris), destination_uris
        _announce("Launching Extract Job", f"Extract source: {source}", f"Extract destination: {destination_uris}")
        settings = {
            "sourceTable": _table_path(source.table),
            "destinationUris": destination_uris,
            "destinationFormat": self.destination_format,
            "compression": self.compression,
        }
        if self.destination_format == DestinationFormat.CSV:
            settings["printHeader"] = self.print_header
            settings["fieldDelimiter"] = self.field_delimiter
        self._run_job(source.client, source.table, "extract", settings)


class BigQueryExecutionError(Exception):
    """A job failed; `job_id` says which, and `error_message` is the API's report."""

    def __init__(self, job_id: str, error_message: Any) -> None:
        super().__init__(f"BigQuery job {job_id} failed: {error_message}")
        self.error_message = error_message
        self.job_id = job_id


# Luigi's older spellings.
BigqueryClient = BigQueryClient
BigqueryTarget = BigQueryTarget
MixinBigqueryBulkComplete = MixinBigQueryBulkComplete
BigqueryLoadTask = BigQueryLoadTask
BigqueryRunQueryTask = BigQueryRunQueryTask
BigqueryCreateViewTask = BigQueryCreateViewTask
ExternalBigqueryTask = ExternalBigQueryTask
