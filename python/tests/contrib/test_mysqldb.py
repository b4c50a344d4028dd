"""luigi.contrib.mysqldb against a real MariaDB."""

from __future__ import annotations

from contextlib import closing

import pytest

import luigi

connector = pytest.importorskip("mysql.connector")
from luigi.contrib import mysqldb  # noqa: E402


def run_sql(server, statement):
    """Runs one statement and gives its rows, if it has any."""
    with closing(
        connector.connect(
            host="127.0.0.1", port=server.port, user=server.user, database=server.database, autocommit=True
        )
    ) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None


@pytest.fixture
def server(mysql_server):
    """The server, with nothing left of the test before."""
    run_sql(mysql_server, "DROP TABLE IF EXISTS numbers, table_updates")
    return mysql_server


def target(server, update_id="first"):
    return mysqldb.MySqlTarget(server.address, server.database, server.user, "", "numbers", update_id)


def copy_task(server, given_rows, **attributes):
    members = {
        "host": server.address,
        "database": server.database,
        "user": server.user,
        "password": "",
        "table": "numbers",
        "columns": [("name", "varchar(20)"), ("value", "int")],
        "key": luigi.Parameter(default="k"),
        "rows": lambda self: iter(given_rows),
        **attributes,
    }
    return type("CopyNumbers", (mysqldb.CopyToTable,), members)


def test_a_marker_is_absent_until_touched(server):
    assert not target(server).exists()
    target(server).touch()
    assert target(server).exists()
    assert not target(server, "second").exists()
    assert run_sql(server, "SELECT update_id, target_table FROM table_updates") == [("first", "numbers")]


def test_touching_twice_keeps_one_marker(server):
    target(server).touch()
    target(server).touch()
    assert run_sql(server, "SELECT count(*) FROM table_updates") == [(1,)]


def test_a_marker_in_a_transaction_that_is_rolled_back_is_gone(server):
    first = target(server)
    with closing(first.connect()) as connection:
        first.touch(connection)
        connection.rollback()
    assert not first.exists()


def test_connections_are_closed(server):
    first = target(server)
    opened = []
    connect = first.connect

    def remember(*args, **kwargs):
        opened.append(connect(*args, **kwargs))
        return opened[-1]

    first.connect = remember
    first.exists()
    first.touch()
    assert len(opened) == 3
    assert not any(connection.is_connected() for connection in opened)


def test_further_arguments_reach_the_driver(server):
    made = mysqldb.MySqlTarget(
        server.address, server.database, server.user, "", "numbers", "x", init_command="SET time_zone = '+03:00'"
    )
    with closing(made.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT @@session.time_zone")
        assert cursor.fetchone() == ("+03:00",)


def test_rows_arrive_in_batches_and_the_table_is_made(server):
    rows = [(f"n{i}", i) for i in range(7)] + [("éцү我", None)]
    task = copy_task(server, rows, bulk_size=3)()
    assert luigi.build([task], local_scheduler=True)
    assert run_sql(server, "SELECT name, value FROM numbers") == rows
    assert task.complete()


def test_no_rows_still_make_the_table_and_the_marker(server):
    run_sql(server, "CREATE TABLE numbers (name varchar(20), value int)")
    task = copy_task(server, [])()
    task.run()
    assert task.complete()
    assert run_sql(server, "SELECT count(*) FROM numbers") == [(0,)]


def test_nothing_is_left_of_a_run_that_fails_after_the_copy(server):
    run_sql(server, "CREATE TABLE numbers (name varchar(20), value int) ENGINE=InnoDB")

    def fail(self, connection):
        raise RuntimeError("after the copy")

    task = copy_task(server, [("a", 1)], post_copy=fail)()
    with pytest.raises(RuntimeError, match="after the copy"):
        task.run()
    assert run_sql(server, "SELECT count(*) FROM numbers") == [(0,)]
    assert not task.complete()


def test_column_names_alone_fill_an_existing_table(server):
    run_sql(server, "CREATE TABLE numbers (value int, name varchar(20))")
    copy_task(server, [("a", 1)], columns=["name", "value"])().run()
    assert run_sql(server, "SELECT name, value FROM numbers") == [("a", 1)]


def test_the_port_may_stand_apart_from_the_host(server):
    task = copy_task(server, [("a", 1)], host="127.0.0.1", port=server.port)()
    task.run()
    assert task.complete()


def test_another_error_than_a_missing_table_is_raised(server):
    run_sql(server, "CREATE TABLE numbers (name varchar(20), other int)")
    with pytest.raises(connector.Error) as caught:
        copy_task(server, [("a", 1)])().run()
    assert caught.value.errno == connector.errorcode.ER_BAD_FIELD_ERROR
