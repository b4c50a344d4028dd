"""luigi.contrib.mongodb on mongomock, which answers in memory as MongoDB would."""

from __future__ import annotations

import pytest

mongomock = pytest.importorskip("mongomock")
pytest.importorskip("pymongo")

from luigi.contrib.mongodb import (  # noqa: E402
    MongoCellTarget,
    MongoCollectionTarget,
    MongoCountTarget,
    MongoRangeTarget,
)

PEOPLE = [
    {"_id": "mike", "age": 11, "infos": {"family": "single", "none": None}},
    {"_id": "laura", "age": 12, "surname": ""},
    {"_id": "rose"},
]


@pytest.fixture
def client():
    client = mongomock.MongoClient()
    client["pipelines"]["people"].insert_many(PEOPLE)
    return client


@pytest.mark.parametrize(
    ("document", "path", "value"),
    [
        ("mike", "age", 11),
        ("mike", "infos.family", "single"),
        ("mike", "infos", {"family": "single", "none": None}),
        ("laura", "surname", ""),
        ("mike", "surname", None),
        ("mike", "infos.none", None),
        ("laura", "infos.family", None),
        ("nobody", "age", None),
    ],
)
def test_reading_a_cell(client, document, path, value):
    target = MongoCellTarget(client, "pipelines", "people", document, path)
    assert target.read() == value
    assert target.exists() == (value is not None)


@pytest.mark.parametrize(
    ("document", "path"), [("mike", "age"), ("mike", "infos.family"), ("laura", "infos.x.y"), ("nobody", "age")]
)
def test_writing_a_cell(client, document, path):
    target = MongoCellTarget(client, "pipelines", "people", document, path)
    target.write([1, {"two": 2}])
    assert target.read() == [1, {"two": 2}]
    assert MongoCellTarget(client, "pipelines", "people", "rose", "age").read() is None


def test_a_range_exists_if_all_documents_have_the_field(client):
    def target(*documents):
        return MongoRangeTarget(client, "pipelines", "people", documents, "age")

    assert target("mike", "laura").exists()
    assert target().exists()
    assert not target("mike", "rose").exists()
    assert target("mike", "rose", "nobody").get_empty_ids() == {"rose", "nobody"}
    assert target("mike", "rose", "nobody").read() == {"mike": 11}


def test_writing_a_range_leaves_other_documents_alone(client):
    target = MongoRangeTarget(client, "pipelines", "people", ["mike", "nobody"], "age")
    target.write({"mike": 21, "nobody": 22, "laura": 23})
    assert target.read() == {"mike": 21, "nobody": 22}
    assert MongoCellTarget(client, "pipelines", "people", "laura", "age").read() == 12
    assert MongoCellTarget(client, "pipelines", "people", "mike", "infos.family").read() == "single"


def test_writing_nothing(client):
    target = MongoRangeTarget(client, "pipelines", "people", [], "age")
    target.write({"mike": 21})
    assert MongoCellTarget(client, "pipelines", "people", "mike", "age").read() == 11


def test_a_collection_exists_once_it_is_listed(client):
    assert MongoCollectionTarget(client, "pipelines", "people").exists()
    assert not MongoCollectionTarget(client, "pipelines", "places").exists()
    assert not MongoCollectionTarget(client, "elsewhere", "people").exists()


def test_a_client_that_lists_collections_under_the_older_name():
    class Database:
        def collection_names(self):
            return ["people"]

    assert MongoCollectionTarget({"pipelines": Database()}, "pipelines", "people").exists()


def test_a_count_is_exact(client):
    def target(count):
        return MongoCountTarget(client, "pipelines", "people", count)

    assert target(3).exists()
    assert not target(2).exists()
    assert not target(4).exists()


def test_what_a_target_is_called(client):
    assert str(MongoCollectionTarget(client, "pipelines", "people")) == "pipelines/people"
