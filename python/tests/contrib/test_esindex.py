"""luigi.contrib.esindex with the real client and a stand-in for the server."""

from __future__ import annotations

import json

import pytest

import luigi

from .servers.elasticsearch import Cluster, ElasticsearchHandler
from .servers.http import serve

elasticsearch = pytest.importorskip("elasticsearch", exc_type=ImportError)
from luigi.contrib import esindex  # noqa: E402

MARKERS = "update_log"


@pytest.fixture
def cluster():
    return Cluster()


@pytest.fixture
def port(cluster):
    with serve(ElasticsearchHandler, cluster=cluster) as address:
        yield int(address.rpartition(":")[2])


@pytest.fixture
def target(port):
    """A function that makes a target for an update."""

    def make(update_id="first", index="titles", **arguments):
        return esindex.ElasticsearchTarget("127.0.0.1", port, index, "default", update_id, **arguments)

    return make


@pytest.fixture
def copy_task(port):
    """A function that makes a class of tasks which index the given documents."""

    def make(documents, **attributes):
        members = {
            "host": "127.0.0.1",
            "port": port,
            "index": "titles",
            "key": luigi.Parameter(default="k"),
            "docs": lambda self: documents,
            **attributes,
        }
        return type("CopyTitles", (esindex.CopyToIndex,), members)

    return make


def stored(cluster, index="titles"):
    return {name: document["_source"] for name, document in cluster.indices[index].documents.items()}


def test_a_marker_is_absent_until_touched(cluster, target):
    assert not target().exists()
    target().touch()
    assert target().exists()
    assert not target("second").exists()
    (marker,) = stored(cluster, MARKERS).values()
    assert (marker["update_id"], marker["target_index"], marker["target_doc_type"]) == ("first", "titles", "default")
    assert list(stored(cluster, MARKERS)) == [target().marker_index_document_id()]


def test_a_server_that_does_not_answer_counts_as_absent():
    nowhere = esindex.ElasticsearchTarget("127.0.0.1", 1, "titles", "default", "first")
    assert not nowhere.exists()


def test_only_the_newest_markers_of_the_index_are_kept(cluster, target, monkeypatch):
    monkeypatch.setattr(esindex, "_MARKERS_PER_PAGE", 2)
    for index in ("titles", "titles-old"):
        for number in range(5):
            target(str(number), index).touch()
    target("5", marker_index_hist_size=2).touch()
    kept = sorted((m["target_index"], m["update_id"]) for m in stored(cluster, MARKERS).values())
    assert kept == [("titles", "4"), ("titles", "5"), *(("titles-old", str(number)) for number in range(5))]


def test_documents_are_indexed_in_chunks(cluster, copy_task):
    documents = [{"_id": number, "title": f"t{number}"} for number in range(5)]
    task = copy_task(documents, chunk_size=2, settings={"settings": {"number_of_shards": 1}})()
    assert luigi.build([task], local_scheduler=True)
    assert task.complete()
    assert cluster.bulk_sizes == [2, 2, 1]
    assert stored(cluster) == {str(number): {"title": f"t{number}"} for number in range(5)}
    index = cluster.indices["titles"]
    assert index.settings == {"number_of_shards": 1}
    assert index.intervals == ["-1", "1s"]
    assert index.visible == index.documents


def test_lines_of_json(cluster, copy_task):
    with open("in.json", "w") as file:
        file.writelines(json.dumps({"_id": name, "title": name}) + "\n" for name in "ab")

    class Lines(luigi.ExternalTask):
        def output(self):
            return luigi.LocalTarget("in.json")

    task_class = copy_task([], requires=lambda self: Lines())
    del task_class.docs
    task_class().run()
    assert stored(cluster) == {"a": {"title": "a"}, "b": {"title": "b"}}


def test_a_document_may_name_index_and_type(cluster, copy_task):
    copy_task([{"_id": 1, "_index": "other", "_type": "kind"}, {"_id": 2}], doc_type="mine")().run()
    assert cluster.indices["other"].documents == {"1": {"_type": "kind", "_source": {}}}
    assert cluster.indices["titles"].documents == {"2": {"_type": "mine", "_source": {}}}


def test_no_documents_make_an_empty_index(cluster, copy_task):
    task = copy_task([])()
    task.run()
    assert task.complete()
    assert stored(cluster) == {}


def test_what_is_no_document_is_refused(copy_task):
    with pytest.raises(RuntimeError, match="JSON strings or dict"):
        copy_task([1])().run()


def test_an_existing_index_is_purged_on_request(cluster, copy_task):
    copy_task([{"_id": 1}])(key="one").run()
    copy_task([{"_id": 2}])(key="two").run()
    assert set(stored(cluster)) == {"1", "2"}
    copy_task([{"_id": 3}], purge_existing_index=True)(key="three").run()
    assert set(stored(cluster)) == {"3"}


def test_a_mapping_is_put(cluster, copy_task):
    mapping = {"properties": {"title": {"type": "keyword"}}}
    copy_task([], mapping=mapping)().run()
    assert cluster.indices["titles"].mapping == mapping


def test_a_refused_document_fails_the_task_and_the_index_goes_on_refreshing(cluster, copy_task):
    task = copy_task([{"_id": 1, "forbidden": True}])()
    with pytest.raises(elasticsearch.helpers.BulkIndexError):
        task.run()
    assert cluster.indices["titles"].intervals == ["-1", "1s"]
    assert not task.complete()


def test_a_refused_document_may_be_left_out(cluster, copy_task):
    task = copy_task([{"_id": 1, "forbidden": True}, {"_id": 2}], raise_on_error=False)()
    task.run()
    assert task.complete()
    assert set(stored(cluster)) == {"2"}
