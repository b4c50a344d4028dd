"""luigi.contrib.bigquery and bigquery_avro with Google's client and a stand-in for the server."""

from __future__ import annotations

import pytest

import luigi
from luigi.target import FileAlreadyExists

from .servers.http import serve

pytest.importorskip("googleapiclient.discovery")
errors = pytest.importorskip("googleapiclient.errors")
AnonymousCredentials = pytest.importorskip("google.auth.credentials").AnonymousCredentials
from luigi.contrib import bigquery  # noqa: E402

from .servers.bigquery import BigQueryHandler, Warehouse, descriptor  # noqa: E402


@pytest.fixture
def warehouse():
    return Warehouse()


@pytest.fixture
def client(warehouse):
    with serve(BigQueryHandler, warehouse=warehouse) as address:
        yield bigquery.BigQueryClient(AnonymousCredentials(), descriptor(address))


@pytest.fixture(autouse=True)
def naps(monkeypatch):
    """The seconds that would have been slept."""
    taken = []
    monkeypatch.setattr(bigquery.time, "sleep", taken.append)
    for method in (bigquery.BigQueryClient.dataset_exists, bigquery.BigQueryClient.table_exists):
        monkeypatch.setattr(method.retry, "sleep", taken.append)
    return taken


def dataset(name="sales", location=None):
    return bigquery.BQDataset("shop", name, location)


def table(name="orders", location=None):
    return bigquery.BQTable("shop", "sales", name, location)


def target(client, name="orders"):
    return bigquery.BigQueryTarget("shop", "sales", name, client=client)


def test_what_exists(warehouse, client):
    warehouse.add("sales", "orders")
    assert client.dataset_exists(dataset())
    assert not client.dataset_exists(dataset("other"))
    assert client.table_exists(table())
    assert not client.table_exists(table("other"))
    assert not client.table_exists(bigquery.BQTable("shop", "other", "orders", None))


def test_a_dataset_elsewhere_is_an_error(warehouse, client):
    warehouse.add("sales", "orders", location="EU")
    assert client.table_exists(table(location="EU"))
    with pytest.raises(Exception, match="regional location EU. Can't use US"):
        client.table_exists(table(location="US"))


def test_a_failure_of_the_server_is_tried_again(warehouse, client, naps):
    warehouse.add("sales")
    warehouse.failures = [500, 503]
    before = client.client
    assert client.dataset_exists(dataset())
    assert len(naps) == 2
    assert client.client is not before


def test_other_failures_are_not(warehouse, client, naps):
    warehouse.failures = [403]
    with pytest.raises(errors.HttpError):
        client.dataset_exists(dataset())
    assert naps == []


def test_a_third_failure_is_raised(warehouse, client):
    warehouse.failures = [500] * 3
    with pytest.raises(errors.HttpError):
        client.dataset_exists(dataset())
    assert len(warehouse.requests) == 3


def test_making_a_dataset(warehouse, client):
    body = {"description": "what was sold"}
    client.make_dataset(dataset(location="EU"), body=body)
    assert warehouse.datasets["sales"] == {
        "datasetReference": {"projectId": "shop", "datasetId": "sales"},
        "description": "what was sold",
        "location": "EU",
    }
    assert body == {"description": "what was sold"}
    client.make_dataset(dataset())
    with pytest.raises(FileAlreadyExists):
        client.make_dataset(dataset(), raise_if_exists=True)


def test_deleting(warehouse, client):
    warehouse.add("sales", "orders", "items")
    client.delete_table(table())
    client.delete_table(table())
    assert list(warehouse.tables["sales"]) == ["items"]
    with pytest.raises(errors.HttpError):
        client.delete_dataset(dataset(), delete_nonempty=False)
    client.delete_dataset(dataset())
    client.delete_dataset(dataset())
    assert warehouse.datasets == {}


def test_listings_take_several_pages(warehouse, client):
    names = [f"t{number}" for number in range(5)]
    warehouse.add("sales", *names)
    warehouse.add("other")
    warehouse.add("third")
    assert list(client.list_tables(dataset())) == names
    assert list(client.list_tables(dataset("other"))) == []
    assert list(client.list_datasets("shop")) == ["sales", "other", "third"]


def test_copying_makes_the_dataset(warehouse, client):
    client.copy(table(), bigquery.BQTable("shop", "backup", "orders", None))
    assert "backup" in warehouse.datasets
    assert warehouse.jobs[0]["configuration"] == {
        "copy": {
            "sourceTable": {"projectId": "shop", "datasetId": "sales", "tableId": "orders"},
            "destinationTable": {"projectId": "shop", "datasetId": "backup", "tableId": "orders"},
            "createDisposition": "CREATE_IF_NEEDED",
            "writeDisposition": "WRITE_TRUNCATE",
        }
    }


def test_a_job_is_asked_for_until_it_is_done(warehouse, client, naps):
    warehouse.questions_until_done = 3
    assert client.run_job("shop", {"configuration": {}}) == "job0"
    assert naps == [5, 5, 5]


def test_a_job_that_fails_says_why(warehouse, client):
    warehouse.job_error = {"reason": "invalid"}
    with pytest.raises(bigquery.BigQueryExecutionError, match="job0 failed.*invalid") as caught:
        client.run_job("shop", {"configuration": {}})
    assert (caught.value.job_id, caught.value.error_message) == ("job0", {"reason": "invalid"})


def test_a_target_is_its_table(warehouse, client):
    warehouse.add("sales", "orders")
    assert target(client).exists()
    assert not target(client, "other").exists()
    again = bigquery.BigQueryTarget.from_bqtable(table(location="US"), client)
    assert again.table == table(location="US")
    assert again.table.uri == "bq://shop/sales/orders"
    assert again.table.dataset == dataset(location="US")


def test_a_range_lists_each_dataset_once(warehouse, client):
    warehouse.add("sales", "t1", "t3")

    class Daily(bigquery.ExternalBigQueryTask):
        number = luigi.IntParameter()

        def output(self):
            return target(client, f"t{self.number}")

    assert list(Daily.bulk_complete([1, 2, 3])) == [1, 3]
    assert sum(request.endswith("/sales/tables") for request in warehouse.requests) == 1
    assert list(Daily.bulk_complete([])) == []


class Uris(luigi.ExternalTask):
    uri = luigi.Parameter(default="gs://bucket/in.json")

    def output(self):
        found = luigi.LocalTarget("unused")
        found.path = self.uri
        return found


def run(task_class, client, **attributes):
    members = {"output": lambda self: target(client), "requires": lambda self: Uris(), **attributes}
    task = type("Run" + task_class.__name__, (task_class,), members)()
    task.run()
    return task


def test_loading(warehouse, client):
    run(bigquery.BigQueryLoadTask, client, schema=[{"name": "a"}])
    assert warehouse.jobs[0]["configuration"]["load"] == {
        "destinationTable": {"projectId": "shop", "datasetId": "sales", "tableId": "orders"},
        "encoding": "UTF-8",
        "sourceFormat": "NEWLINE_DELIMITED_JSON",
        "writeDisposition": "WRITE_EMPTY",
        "sourceUris": ["gs://bucket/in.json"],
        "maxBadRecords": 0,
        "ignoreUnknownValues": False,
        "schema": {"fields": [{"name": "a"}]},
    }


def test_loading_csv(warehouse, client):
    run(bigquery.BigQueryLoadTask, client, source_format="CSV", skip_leading_rows=1, field_delimiter="\t")
    load = warehouse.jobs[0]["configuration"]["load"]
    assert {key: load[key] for key in ("skipLeadingRows", "fieldDelimiter", "autodetect")} == {
        "skipLeadingRows": 1,
        "fieldDelimiter": "\t",
        "autodetect": True,
    }
    assert (load["allowJaggedRows"], load["allowQuotedNewlines"]) == (False, False)


def test_only_cloud_storage_can_be_loaded_from(client):
    with pytest.raises(AssertionError, match="file"):
        run(bigquery.BigQueryLoadTask, client, source_uris=lambda self: ["file:///in"])


def test_the_output_must_be_a_table(client):
    with pytest.raises(AssertionError, match="must be a BigQueryTarget"):
        run(bigquery.BigQueryLoadTask, client, output=lambda self: luigi.LocalTarget("out"))


def test_querying(warehouse, client):
    def configure_job(self, configuration):
        configuration["query"]["parameterMode"] = "NAMED"
        return configuration

    run(bigquery.BigQueryRunQueryTask, client, query="SELECT 1", use_legacy_sql=False, configure_job=configure_job)
    query = warehouse.jobs[0]["configuration"]["query"]
    assert (query["query"], query["useLegacySql"], query["parameterMode"]) == ("SELECT 1", False, "NAMED")
    assert (query["priority"], query["writeDisposition"]) == ("INTERACTIVE", "WRITE_TRUNCATE")
    with pytest.raises(AssertionError, match="No query"):
        run(bigquery.BigQueryRunQueryTask, client, query="")


def test_a_view_is_complete_with_the_same_query_only(warehouse, client):
    warehouse.add("sales")
    first = run(bigquery.BigQueryCreateViewTask, client, view="SELECT 1")
    assert first.complete()
    second = run(bigquery.BigQueryCreateViewTask, client, view="SELECT 2")
    assert second.complete()
    assert not first.complete()
    warehouse.tables["sales"]["orders"].pop("view")
    assert client.get_view(table()) is None
    assert client.get_view(table("other")) is None


def test_extracting(warehouse, client):
    attributes = {"input": lambda self: target(client), "output": lambda self: Uris("gs://bucket/out-*.csv").output()}
    run(bigquery.BigQueryExtractTask, client, **attributes)
    run(bigquery.BigQueryExtractTask, client, **attributes, destination_format="AVRO", compression="GZIP")
    first, second = (job["configuration"]["extract"] for job in warehouse.jobs)
    assert first == {
        "sourceTable": {"projectId": "shop", "datasetId": "sales", "tableId": "orders"},
        "destinationUris": ["gs://bucket/out-*.csv"],
        "destinationFormat": "CSV",
        "compression": "NONE",
        "printHeader": True,
        "fieldDelimiter": ",",
    }
    assert "printHeader" not in second
    assert second["compression"] == "GZIP"


def test_the_older_spellings_are_the_same():
    assert bigquery.BigqueryTarget is bigquery.BigQueryTarget
    assert bigquery.BigqueryLoadTask is bigquery.BigQueryLoadTask


class Files:
    """A file system with one Avro file, which it hands out in pieces."""

    def __init__(self, names, content):
        self.names, self.content, self.pieces = names, content, 0

    def list_wildcard(self, pattern):
        assert pattern == "gs://bucket/folder/*.avro"
        return iter(self.names)

    def download(self, path, chunksize, chunk_callback):
        assert path == self.names[0]
        file = open("part", "w+b")
        for start in range(0, len(self.content), 50):
            file.seek(start)
            file.write(self.content[start : start + 50])
            self.pieces += 1
            if chunk_callback(file):
                break
        return file


@pytest.fixture
def avro_content():
    """An Avro file with a description in its schema, many times longer than its head."""
    avro = pytest.importorskip("avro.schema")
    datafile = pytest.importorskip("avro.datafile")
    parse = getattr(avro, "parse", None) or avro.Parse
    schema = parse('{"type": "record", "name": "Order", "doc": "An order.", "fields": [{"name": "n", "type": "int"}]}')
    with datafile.DataFileWriter(open("whole.avro", "wb"), pytest.importorskip("avro.io").DatumWriter(), schema) as out:
        for number in range(2000):
            out.append({"n": number})
    with open("whole.avro", "rb") as file:
        return file.read()


def load_avro(client, files, uri="gs://bucket/folder"):
    from luigi.contrib.bigquery_avro import BigQueryLoadAvro

    class Source(luigi.ExternalTask):
        def output(self):
            found = Uris(uri).output()
            found.fs = files
            return found

    return run(BigQueryLoadAvro, client, requires=lambda self: Source())


def test_the_description_of_avro_becomes_the_tables(warehouse, client, avro_content):
    warehouse.add("sales", "orders")
    files = Files(["gs://bucket/folder/a.avro"], avro_content)
    load_avro(client, files)
    load = warehouse.jobs[0]["configuration"]["load"]
    assert (load["sourceFormat"], load["sourceUris"]) == ("AVRO", ["gs://bucket/folder/*.avro"])
    assert warehouse.tables["sales"]["orders"]["description"] == "An order."
    assert 1 < files.pieces < len(avro_content) / 50


def test_without_a_schema_the_rows_are_loaded_all_the_same(warehouse, client, luigi_log):
    warehouse.add("sales", "orders")
    load_avro(client, Files(["gs://bucket/a.avro"], b"no avro"), "gs://bucket/a.avro")
    assert warehouse.jobs[0]["configuration"]["load"]["sourceUris"] == ["gs://bucket/a.avro"]
    assert "description" not in warehouse.tables["sales"]["orders"]
    assert "Could not propagate Avro doc" in luigi_log.text


def test_a_folder_without_files_is_said(warehouse, client, luigi_log):
    pytest.importorskip("avro.datafile")
    warehouse.add("sales", "orders")
    load_avro(client, Files([], b""))
    assert "No match for gs://bucket/folder/*.avro" in luigi_log.text
