"""Loads Avro files from Cloud Storage into BigQuery, and gives the table the description in their schema."""

from __future__ import annotations

import logging
from typing import Any

from luigi.contrib.bigquery import BigQueryLoadTask, SourceFormat
from luigi.contrib.gcs import GCSClient
from luigi.task import flatten

logger = logging.getLogger("luigi-interface")

try:
    import avro
    import avro.datafile
    import avro.io
except ImportError:
    avro = None
    logger.warning(
        "bigquery_avro module imported, but avro is not installed. "
        "Any BigQueryLoadAvro task will fail to propagate schema documentation"
    )

#: How much of a file is fetched at a time, in bytes, until its schema can be read.
_CHUNK_BYTES = 64 * 1024


class BigQueryLoadAvro(BigQueryLoadTask):
    """Loads Avro files into a table.

    A subclass gives `requires`, whose outputs are targets in Cloud Storage (an `.avro` file, or a folder of them),
    and an `output` that is a `BigQueryTarget`. BigQuery itself takes the fields' descriptions from the schema.
    """

    source_format = SourceFormat.AVRO

    def _avro_uri(self, target: Any) -> str:
        uri = target.uri if hasattr(target, "uri") else target.path
        return uri if uri.endswith(".avro") else uri.rstrip("/") + "/*.avro"

    def source_uris(self) -> list[str]:
        """The files, as `gs://` URLs, with a wildcard for each folder."""
        return [self._avro_uri(target) for target in flatten(self.input())]

    def _get_input_schema(self) -> Any:
        """The schema of one of the files; any one, since all have to fit the table."""
        assert avro, "avro module required"
        first = flatten(self.input())[0]
        client = first.fs if hasattr(first, "fs") else GCSClient()
        uri: str = self.source_uris()[0]
        if "*" in uri:
            found = next(iter(client.list_wildcard(uri)), None)
            if found is None:
                raise RuntimeError("No match for " + uri)
            uri = found
        schemas: list[Any] = []
        failures: list[Exception] = []

        def has_schema(part: Any) -> bool:
            """Called with what was fetched so far; true ends the download. A part that is too short fails to parse."""
            try:
                reader = avro.datafile.DataFileReader(part, avro.io.DatumReader())
                schemas.append(self._get_writer_schema(reader.datum_reader))
            except Exception as error:
                failures.append(error)
                return False
            return True

        client.download(uri, _CHUNK_BYTES, has_schema).close()
        if not schemas:
            raise failures[-1]
        return schemas[-1]

    @staticmethod
    def _get_writer_schema(datum_reader: Any) -> Any:
        """The schema that a file was written with. Each of the packages avro and avro-python3 has a name for it."""
        name = "writers_schema" if hasattr(datum_reader, "writers_schema") else "writer_schema"
        return getattr(datum_reader, name)

    def _set_output_doc(self, avro_schema: Any) -> None:
        output = self.output()
        table = output.table
        output.client.client.tables().patch(
            projectId=table.project_id,
            datasetId=table.dataset_id,
            tableId=table.table_id,
            body={"description": avro_schema.doc},
        ).execute()

    def run(self) -> None:
        """Loads the files, then tries once to describe the table. A table without a description is no failure."""
        super().run()
        try:
            self._set_output_doc(self._get_input_schema())
        except Exception as error:
            logger.warning("Could not propagate Avro doc to BigQuery table description: %r", error)
