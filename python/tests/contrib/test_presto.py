"""luigi.contrib.presto with the real client and a stand-in for the server."""

from __future__ import annotations

import pytest

import luigi

from .servers.http import serve
from .servers.presto import Presto, PrestoHandler

presto_client = pytest.importorskip("pyhive.presto")
DatabaseError = pytest.importorskip("pyhive.exc").DatabaseError
from luigi.contrib import presto  # noqa: E402

COUNT = "SELECT COUNT(*) AS cnt FROM hive.sales.orders WHERE {} LIMIT 1"


@pytest.fixture
def server():
    return Presto()


@pytest.fixture
def port(server):
    with serve(PrestoHandler, presto=server) as address:
        yield int(address.rpartition(":")[2])


@pytest.fixture
def connection(port):
    return presto_client.Connection(host="127.0.0.1", port=port, username="me", poll_interval=0.01)


@pytest.fixture
def client(connection):
    return presto.PrestoClient(connection, sleep_time=0)


@pytest.fixture
def task_class(port, monkeypatch):
    monkeypatch.setattr(presto, "sleep", lambda seconds: None)

    class Fill(presto.PrestoTask):
        host = "127.0.0.1"
        port = 0
        user = "me"
        protocol = "http"
        poll_interval = 0.01
        database = "sales"
        table = "orders"
        query = "INSERT"

    Fill.port = port
    return Fill


def in_a_worker(task):
    """The task with the calls that a worker gives it; what they are told is in `urls` and `progress`."""
    task.urls, task.progress = [], []
    task.set_tracking_url, task.set_progress_percentage = task.urls.append, task.progress.append
    return task


def missing(what):
    return {"message": f"line 1:33: {what} does not exist", "errorName": "SYNTAX_ERROR"}


def test_watching_gives_reports_and_fetching_gives_rows(server, client):
    server.answers["SELECT 1"] = [[1], [2]]
    reports = list(client.execute("SELECT 1"))
    assert [report["stats"]["progressPercentage"] for report in reports] == [50.0, 100.0]
    assert client.percentage_progress == 100.0
    assert client.info_uri.endswith("?q0")
    assert list(client.execute("SELECT 1", mode="fetch")) == [(1,), (2,)]


def test_before_a_query_nothing_is_known(client):
    assert (client.percentage_progress, client.info_uri) == (0.1, None)


def test_an_unknown_mode_is_refused(client):
    with pytest.raises(ValueError):
        list(client.execute("SELECT 1", mode="other"))


def test_parameters_are_quoted(server, client):
    server.answers["SELECT 'it''s'"] = [[1]]
    assert list(client.execute("SELECT %s", ["it's"], mode="fetch")) == [(1,)]


def test_a_table_exists_once_it_has_rows(server, client):
    target = presto.PrestoTarget(client, "hive", "sales", "orders")
    server.answers[COUNT.format("1 = 1")] = [[0]]
    assert not target.exists()
    server.answers[COUNT.format("1 = 1")] = [[7]]
    assert target.exists()
    assert target.count() == 7
    assert len(server.queries) == 2


def test_a_partition_is_a_condition(server, client):
    target = presto.PrestoTarget(client, "hive", "sales", "orders", {"day": "2024-01-01", "shop": 3})
    server.answers[COUNT.format("day = '2024-01-01' AND shop = 3")] = [[1]]
    assert target.exists()


@pytest.mark.parametrize("what", ["Table hive.sales.orders", "Table 'hive.sales.orders'", "Schema sales"])
def test_a_missing_table_is_no_error(server, client, what):
    server.answers[COUNT.format("1 = 1")] = missing(what)
    assert presto.PrestoTarget(client, "hive", "sales", "orders").exists() is False


@pytest.mark.parametrize(
    "error", [missing("Table hive.sales.ordersX"), missing("Column 'day'"), {"message": "Access Denied"}]
)
def test_any_other_error_is_raised(server, client, error):
    server.answers[COUNT.format("1 = 1")] = error
    with pytest.raises(DatabaseError):
        presto.PrestoTarget(client, "hive", "sales", "orders").exists()


def test_a_task_shows_its_own_querys_page_and_progress(server, task_class):
    server.answers["INSERT"] = [[1]]
    task = in_a_worker(task_class())
    task.run()
    assert [url.rpartition("/")[2] for url in task.urls] == ["query.html?q0"]
    assert task.progress == [50.0, 100.0]
    assert server.headers["x-presto-user"] == "me"
    assert server.headers["x-presto-schema"] == "sales"


def test_a_task_is_run_until_its_table_has_rows(server, task_class):
    counts = iter([[[0]], [[5]]])
    server.answers["INSERT"] = [[1]]

    class Answers(dict):
        def __getitem__(self, query):
            return server.answers_for_count if query.startswith("SELECT COUNT") else dict.__getitem__(self, query)

    server.answers = Answers(server.answers)
    server.answers_for_count = next(counts)
    task = in_a_worker(task_class())
    assert not task.complete()
    task.run()
    server.answers_for_count = next(counts)
    assert task.complete()


def test_a_failed_query_fails_the_task(server, task_class):
    server.answers["INSERT"] = {"message": "Access Denied"}
    with pytest.raises(DatabaseError):
        in_a_worker(task_class()).run()


def test_settings_come_from_the_configuration(configure):
    configure({"presto": {"host": "db", "port": "9000", "user": "etl", "catalog": "lake", "protocol": "http"}})

    class Configured(presto.PrestoTask):
        database = "sales"
        table = "orders"

    task = Configured()
    assert (task.host, task.port, task.username, task.catalog, task.protocol) == ("db", 9000, "etl", "lake", "http")
    with_password = type("WithPassword", (Configured,), {"password": "secret"})()
    assert with_password.protocol == "https"
    assert with_password._client is with_password._client
    assert with_password._client._connection._kwargs["password"] == "secret"


def test_a_subclass_may_bring_its_own_client():
    own = object()

    class Own(presto.PrestoTask):
        database = "sales"
        table = "orders"
        _client = own

    assert Own().output()._client is own


def test_the_section_has_the_defaults_of_luigi():
    section = presto.presto()
    assert (section.host, section.port, section.user, section.catalog) == ("localhost", 8090, "anonymous", "hive")
    assert (section.password, section.protocol, section.poll_interval) == (None, "https", 1.0)
    assert isinstance(section, luigi.Config)
