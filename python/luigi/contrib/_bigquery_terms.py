"""The words of BigQuery's API that tasks choose from, and the names of datasets and tables.

`luigi.contrib.bigquery` offers them all.
"""

from __future__ import annotations

import collections


class CreateDisposition:
    """Whether a missing table is created."""

    CREATE_IF_NEEDED = "CREATE_IF_NEEDED"
    CREATE_NEVER = "CREATE_NEVER"


class WriteDisposition:
    """What happens to a table that has rows: they are replaced, kept, or an error."""

    WRITE_TRUNCATE = "WRITE_TRUNCATE"
    WRITE_APPEND = "WRITE_APPEND"
    WRITE_EMPTY = "WRITE_EMPTY"


class QueryMode:
    """Whether a query runs at once or when there is room."""

    INTERACTIVE = "INTERACTIVE"
    BATCH = "BATCH"


class SourceFormat:
    """The format of files that are loaded."""

    AVRO = "AVRO"
    CSV = "CSV"
    DATASTORE_BACKUP = "DATASTORE_BACKUP"
    NEWLINE_DELIMITED_JSON = "NEWLINE_DELIMITED_JSON"
    PARQUET = "PARQUET"


class FieldDelimiter:
    """What stands between two fields of CSV. Any character of one byte in ISO-8859-1 will do."""

    COMMA = ","
    TAB = "\t"
    PIPE = "|"


class PrintHeader:
    """Whether extracted CSV starts with the names of the columns."""

    TRUE = True
    FALSE = False


class DestinationFormat:
    """The format of files that are extracted."""

    AVRO = "AVRO"
    CSV = "CSV"
    NEWLINE_DELIMITED_JSON = "NEWLINE_DELIMITED_JSON"


class Compression:
    """How extracted files are compressed."""

    GZIP = "GZIP"
    NONE = "NONE"


class Encoding:
    """The character encoding of files that are loaded."""

    UTF_8 = "UTF-8"
    ISO_8859_1 = "ISO-8859-1"


#: A dataset; a `location` of None means any.
BQDataset = collections.namedtuple("BQDataset", "project_id dataset_id location")


class BQTable(collections.namedtuple("BQTable", "project_id dataset_id table_id location")):
    """A table; a `location` of None means any."""

    __slots__ = ()

    @property
    def dataset(self) -> BQDataset:
        """The dataset that holds the table."""
        return BQDataset(project_id=self.project_id, dataset_id=self.dataset_id, location=self.location)

    @property
    def uri(self) -> str:
        """The table as `bq://project/dataset/table`."""
        return f"bq://{self.project_id}/{self.dataset_id}/{self.table_id}"
