"""luigi.contrib.postgres against a real PostgreSQL, with both drivers."""

from __future__ import annotations

import importlib
from contextlib import closing

import pytest

import luigi
from luigi.contrib import postgres

psycopg2 = pytest.importorskip("psycopg2")


def run_sql(server, statement, *arguments):
    """Runs one statement and gives its rows, if it has any."""
    with closing(
        psycopg2.connect(host="127.0.0.1", port=server.port, user=server.user, dbname=server.database)
    ) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(statement, arguments or None)
        return cursor.fetchall() if cursor.description else None


@pytest.fixture(params=["psycopg2", "pg8000"])
def module(request, monkeypatch):
    """The module, loaded with one driver or the other."""
    pytest.importorskip(request.param)
    monkeypatch.setenv("LUIGI_PGSQL_DRIVER", request.param)
    importlib.reload(postgres)
    assert postgres.dbapi.__name__.split(".")[0] == request.param
    yield postgres
    monkeypatch.undo()
    importlib.reload(postgres)


@pytest.fixture
def server(postgres_server):
    """The server, with nothing left of the test before."""
    run_sql(postgres_server, "DROP TABLE IF EXISTS numbers, table_updates")
    return postgres_server


def target(module, server, update_id="first"):
    return module.PostgresTarget(server.address, server.database, server.user, server.password, "numbers", update_id)


def copy_task(module, server, given_rows, **attributes):
    """A task class that copies `given_rows` into the table `numbers`."""
    members = {
        "host": server.address,
        "database": server.database,
        "user": server.user,
        "password": server.password,
        "table": "numbers",
        "columns": [("name", "text"), ("value", "int")],
        "key": luigi.Parameter(default="k"),
        "rows": lambda self: iter(given_rows),
        **attributes,
    }
    return type("CopyNumbers", (module.CopyToTable,), members)


def test_a_marker_is_absent_until_touched(module, server):
    first, second = target(module, server), target(module, server, "second")
    assert not first.exists()
    first.touch()
    assert first.exists()
    assert not second.exists()
    assert run_sql(server, "SELECT update_id, target_table, inserted IS NOT NULL FROM table_updates") == [
        ("first", "numbers", True)
    ]


def test_touching_twice_is_refused(module, server):
    target(module, server).touch()
    with pytest.raises(module.dbapi.DatabaseError):
        target(module, server).touch()


def test_a_marker_in_a_transaction_that_is_rolled_back_is_gone(module, server):
    first = target(module, server)
    with closing(first.connect()) as connection:
        first.touch(connection)
        assert first.exists(connection)
        assert not first.exists()
        connection.rollback()
    assert not first.exists()


def test_a_marker_id_is_a_value_and_no_sql(module, server):
    odd = target(module, server, "x'; DROP TABLE table_updates; --")
    odd.touch()
    assert odd.exists()
    assert run_sql(server, "SELECT count(*) FROM table_updates") == [(1,)]


def test_an_unreachable_server_is_an_error_and_not_absence(module, server):
    nowhere = module.PostgresTarget("127.0.0.1:1", "d", "u", "p", "numbers", "first")
    with pytest.raises(Exception, match="(?i)connect"):
        nowhere.exists()


def test_rows_arrive_as_they_are_and_the_table_is_made(module, server):
    rows = [("plain", 1), (None, None), ("tab\tline\nreturn\r\\N", 3), ("éцү我", 4), ("", r"\N")]
    task = copy_task(module, server, rows)()
    assert luigi.build([task], local_scheduler=True)
    assert run_sql(server, "SELECT name, value FROM numbers") == [*rows[:4], ("", None)]
    assert task.complete()
    assert run_sql(server, "SELECT update_id FROM table_updates") == [(task.task_id,)]


def test_a_second_run_of_a_complete_task_adds_nothing(module, server):
    task_class = copy_task(module, server, [("a", 1)])
    for _ in range(2):
        assert luigi.build([task_class()], local_scheduler=True)
    assert run_sql(server, "SELECT count(*) FROM numbers") == [(1,)]


def test_a_value_may_hold_the_column_separator(module, server):
    task = copy_task(module, server, [("a,b,c", 1), ("it's", 2)], column_separator=",")()
    task.run()
    assert run_sql(server, "SELECT name, value FROM numbers ORDER BY value") == [("a,b,c", 1), ("it's", 2)]


def test_nothing_is_left_of_a_run_that_fails_after_the_copy(module, server):
    run_sql(server, "CREATE TABLE numbers (name text, value int)")

    def fail(self, connection):
        raise RuntimeError("after the copy")

    task = copy_task(module, server, [("a", 1)], post_copy=fail)()
    with pytest.raises(RuntimeError, match="after the copy"):
        task.run()
    assert run_sql(server, "SELECT count(*) FROM numbers") == [(0,)]
    assert not task.complete()


def test_two_runs_at_a_time_copy_once(module, server):
    run_sql(server, "CREATE TABLE numbers (name text, value int)")
    task_class = copy_task(module, server, [("a", 1)])

    def overtake(self, connection):
        task_class().run()

    late = copy_task(module, server, [("a", 1)], init_copy=overtake)()
    assert late.task_id == task_class().task_id
    with pytest.raises(module.dbapi.DatabaseError):
        late.run()
    assert run_sql(server, "SELECT count(*) FROM numbers") == [(1,)]


def test_the_second_try_copies_everything(module, server):
    """The first one fails after the rows were read, since a later statement lacks its table."""

    def create(self, connection):
        connection.cursor().execute("CREATE TABLE IF NOT EXISTS numbers (name text, value int)")
        connection.cursor().execute("CREATE TABLE needed_later (x int)")

    def use(self, connection):
        connection.cursor().execute("INSERT INTO needed_later VALUES (1)")

    run_sql(server, "DROP TABLE IF EXISTS needed_later")
    run_sql(server, "CREATE TABLE numbers (name text, value int)")
    copy_task(module, server, [("a", 1), ("b", 2)], create_table=create, post_copy=use)().run()
    assert run_sql(server, "SELECT count(*) FROM numbers") == [(2,)]
    run_sql(server, "DROP TABLE needed_later")


def test_the_lines_of_the_input_are_rows(module, server, tmp_path):
    (tmp_path / "in.tsv").write_text("a\t1\nb\t2\n")

    class Lines(luigi.ExternalTask):
        def output(self):
            return luigi.LocalTarget(str(tmp_path / "in.tsv"))

    task_class = copy_task(module, server, [], requires=lambda self: Lines())
    del task_class.rows
    task_class().run()
    assert run_sql(server, "SELECT name, value FROM numbers") == [("a", 1), ("b", 2)]


def test_column_names_alone_fill_an_existing_table_but_create_none(module, server):
    task_class = copy_task(module, server, [("a", 1)], columns=["name", "value"])
    with pytest.raises(NotImplementedError, match="numbers"):
        task_class().run()
    run_sql(server, "CREATE TABLE numbers (value int, name text)")
    task_class().run()
    assert run_sql(server, "SELECT name, value FROM numbers") == [("a", 1)]


def test_metadata_columns_are_added_once_and_filled(module, server):
    attributes = {
        "enable_metadata_columns": True,
        "metadata_columns": [("note", "text")],
        "metadata_queries": ["UPDATE numbers SET note = 'seen' WHERE note IS NULL"],
    }
    run_sql(server, "CREATE TABLE numbers (name text, value int)")
    task_class = copy_task(module, server, [("a", 1)], **attributes)
    for key in ("k1", "k2"):
        task_class(key=key).run()
    assert run_sql(server, "SELECT name, value, note FROM numbers") == [("a", 1, "seen")] * 2


def query_task(module, server, **attributes):
    members = {
        "host": "127.0.0.1",
        "port": server.port,
        "database": server.database,
        "user": server.user,
        "password": server.password,
        "table": "numbers",
        **attributes,
    }
    return type("RunQuery", (module.PostgresQuery,), members)()


def test_a_query_runs_and_is_marked(module, server):
    run_sql(server, "CREATE TABLE numbers (name text, value int)")
    task = query_task(module, server, query="INSERT INTO numbers VALUES ('q', 7)")
    assert not task.complete()
    task.run()
    assert task.complete()
    assert run_sql(server, "SELECT value FROM numbers") == [(7,)]


def test_a_query_and_its_marker_are_one_transaction(module, server):
    run_sql(server, "CREATE TABLE numbers (name text, value int)")
    task = query_task(module, server, query="INSERT INTO numbers VALUES ('q', 7)")
    task.output().touch()
    with pytest.raises(module.dbapi.DatabaseError):
        task.run()
    assert run_sql(server, "SELECT value FROM numbers") == []


def test_vacuum_needs_autocommit(module, server):
    run_sql(server, "CREATE TABLE numbers (name text, value int)")
    with pytest.raises(module.dbapi.DatabaseError, match="VACUUM"):
        query_task(module, server, query="VACUUM numbers").run()
    task = query_task(module, server, query="VACUUM numbers", autocommit=True)
    task.run()
    assert task.complete()


def test_a_target_is_no_file(module, server):
    with pytest.raises(NotImplementedError):
        target(module, server).open("r")


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("db", None, ("db", 5432)),
        ("db", 6000, ("db", 6000)),
        ("db:6001", 6000, ("db", "6001")),
        ("::1", None, ("::1", 5432)),
        ("[::1]:6001", None, ("::1", "6001")),
    ],
)
def test_where_the_port_comes_from(host, port, expected):
    made = postgres.PostgresTarget(host, "d", "u", "p", "t", "i", port=port)
    assert (made.host, made.port) == expected


def test_replacing_in_one_pass():
    assert postgres.MultiReplacer([("a", "b"), ("b", "c")])("abcd") == "bccd"
    assert postgres.MultiReplacer([("ab", "x"), ("a", "y")])("aab") == "yx"
    assert postgres.default_escape("\\\t\n\r\v\b\f") == "\\\\\\t\\n\\r\\v\\b\\f"
