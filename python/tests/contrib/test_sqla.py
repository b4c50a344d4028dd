"""luigi.contrib.sqla on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os

import pytest

import luigi

sqlalchemy = pytest.importorskip("sqlalchemy")
from luigi.contrib import sqla  # noqa: E402

COLUMNS = [
    (["name", sqlalchemy.String(64)], {"primary_key": True}),
    (["size", sqlalchemy.Integer], {}),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/items.db"
        return
    server = request.getfixturevalue("postgres_server")
    found = f"postgresql+psycopg2://{server.user}@{server.address}/{server.database}"
    run_sql(found, "DROP TABLE IF EXISTS items, table_updates", "DROP SCHEMA IF EXISTS other CASCADE")
    yield found


@pytest.fixture(autouse=True)
def engines():
    """Leaves no engine, and so no connection, to the test after."""
    yield
    for known in sqla.SQLAlchemyTarget._engine_dict.values():
        known.engine.dispose()
    sqla.SQLAlchemyTarget._engine_dict.clear()


def run_sql(url, *statements):
    """Runs statements and gives the rows of the last one."""
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements:
                result = connection.execute(sqlalchemy.text(statement))
            return [tuple(row) for row in result] if result.returns_rows else None
    finally:
        engine.dispose()


def copy_task(url, given_rows, **attributes):
    members = {
        "connection_string": url,
        "table": "items",
        "columns": COLUMNS,
        "key": luigi.Parameter(default="k"),
        "rows": lambda self: iter(given_rows),
        **attributes,
    }
    return type("CopyItems", (sqla.CopyToTable,), members)


def test_a_marker_is_absent_until_touched(url):
    first, second = (sqla.SQLAlchemyTarget(url, "items", name) for name in ("first", "second"))
    assert not first.exists()
    first.touch()
    assert first.exists()
    assert not second.exists()
    assert run_sql(url, "SELECT update_id, target_table FROM table_updates") == [("first", "items")]


def test_touching_again_renews_the_time(url):
    target = sqla.SQLAlchemyTarget(url, "items", "first")
    target.touch()
    before = run_sql(url, "SELECT inserted FROM table_updates")
    target.touch()
    after = run_sql(url, "SELECT inserted FROM table_updates")
    assert len(after) == 1
    assert after > before


def test_the_marker_table_is_created_by_whoever_comes_first(url):
    late = sqla.SQLAlchemyTarget(url, "items", "late")
    look = late._create_or_reflect_marker_table
    tries = []

    def overtaken():
        tries.append("try")
        if len(tries) == 1:
            sqla.SQLAlchemyTarget(url, "items", "early").create_marker_table()
            raise sqlalchemy.exc.OperationalError("CREATE TABLE", {}, Exception("table exists"))
        look()

    late._create_or_reflect_marker_table = overtaken
    late.touch()
    assert late.exists()
    assert len(tries) == 2


def test_the_table_is_created_by_whoever_comes_first(url):
    task = copy_task(url, [("a", 1)])()
    look = task._create_or_reflect_table
    tries = []

    def overtaken(engine):
        tries.append("try")
        if len(tries) == 1:
            run_sql(url, "CREATE TABLE items (name VARCHAR(64), size INTEGER)")
            raise sqlalchemy.exc.OperationalError("CREATE TABLE", {}, Exception("table exists"))
        look(engine)

    task._create_or_reflect_table = overtaken
    task.run()
    assert run_sql(url, "SELECT name, size FROM items") == [("a", 1)]
    assert len(tries) == 2


def test_a_server_that_is_not_there_is_an_error(tmp_path):
    target = sqla.SQLAlchemyTarget(f"sqlite:///{tmp_path}/no/such/folder.db", "items", "first")
    with pytest.raises(sqlalchemy.exc.OperationalError):
        target.exists()


def test_rows_arrive_in_chunks_and_the_table_is_made(url):
    rows = [(f"item{i}", i) for i in range(7)] + [("éцү我", None)]
    task = copy_task(url, rows, chunk_size=3)()
    assert luigi.build([task], local_scheduler=True)
    assert sorted(run_sql(url, "SELECT name, size FROM items")) == sorted(rows)
    assert task.complete()
    assert luigi.build([copy_task(url, rows)()], local_scheduler=True)
    assert run_sql(url, "SELECT count(*) FROM items") == [(8,)]


def test_the_lines_of_the_input_are_rows(url, tmp_path):
    (tmp_path / "in.csv").write_text("a,1\nb,2\n")

    class Lines(luigi.ExternalTask):
        def output(self):
            return luigi.LocalTarget(str(tmp_path / "in.csv"))

    task_class = copy_task(url, [], requires=lambda self: Lines(), column_separator=",")
    del task_class.rows
    task_class().run()
    assert run_sql(url, "SELECT name, size FROM items ORDER BY name") == [("a", 1), ("b", 2)]


def test_rows_and_marker_are_one_transaction(url):
    def rows(self):
        yield "a", 1
        yield "b", 2
        raise RuntimeError("half way")

    task = copy_task(url, [], rows=rows, chunk_size=1)()
    with pytest.raises(RuntimeError, match="half way"):
        task.run()
    assert run_sql(url, "SELECT count(*) FROM items") == [(0,)]
    assert not task.complete()


def test_rows_are_rolled_back_if_the_marker_cannot_be_written(url, monkeypatch):
    def refuse(self, connection):
        raise RuntimeError("no marker")

    monkeypatch.setattr(sqla.SQLAlchemyTarget, "_write_marker", refuse)
    with pytest.raises(RuntimeError, match="no marker"):
        copy_task(url, [("a", 1)])().run()
    assert run_sql(url, "SELECT count(*) FROM items") == [(0,)]


def test_a_target_that_marks_in_its_own_way_is_asked(url):
    touched = []

    class Own(sqla.SQLAlchemyTarget):
        def touch(self):
            touched.append(self.update_id)
            super().touch()

    task = copy_task(url, [("a", 1)], output=lambda self: Own(url, "items", self.update_id()))()
    task.run()
    assert touched == [task.task_id]
    assert task.complete()


def test_columns_are_read_from_the_table_on_request(url):
    copy_task(url, [("a", 1), ("b", 2)])().run()

    def update(self, conn, ins_rows, table_bound):
        bind = sqlalchemy.bindparam
        conn.execute(
            table_bound.update().where(table_bound.c.name == bind("_name")).values({table_bound.c.size: bind("_size")}),
            ins_rows,
        )

    copy_task(url, [("b", 20)], columns=[], reflect=True, copy=update)(key="later").run()
    assert run_sql(url, "SELECT name, size FROM items ORDER BY name") == [("a", 1), ("b", 20)]


def test_without_columns_there_is_no_table(url):
    with pytest.raises(NotImplementedError, match="items"):
        copy_task(url, [("a", 1)], columns=[])().run()


def test_a_table_that_cannot_be_made_says_why(url):
    with pytest.raises(sqlalchemy.exc.DBAPIError):
        copy_task(url, [("a", 1)], schema="missing")().run()


def test_a_table_in_a_schema(postgres_server):
    url = f"postgresql+psycopg2://{postgres_server.user}@{postgres_server.address}/{postgres_server.database}"
    run_sql(url, "DROP SCHEMA IF EXISTS other CASCADE", "DROP TABLE IF EXISTS table_updates", "CREATE SCHEMA other")
    task_class = copy_task(url, [("a", 1)], schema="other")
    task_class().run()
    copy_task(url, [("b", 2)], schema="other")(key="later").run()
    assert run_sql(url, "SELECT name FROM other.items ORDER BY name") == [("a",), ("b",)]


def test_a_forked_process_makes_its_own_engine(url, monkeypatch):
    target = sqla.SQLAlchemyTarget(url, "items", "first")
    mine = target.engine
    assert sqla.SQLAlchemyTarget(url, "items", "second").engine is mine
    monkeypatch.setattr(os, "getpid", lambda: -1)
    theirs = target.engine
    assert theirs is not mine
    assert target.engine is theirs
    assert sqla.SQLAlchemyTarget._inherited_engines[-1] is mine


def test_a_target_is_no_file(url):
    with pytest.raises(NotImplementedError):
        sqla.SQLAlchemyTarget(url, "items", "first").open("r")
