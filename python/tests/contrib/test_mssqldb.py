"""luigi.contrib.mssqldb with a stand-in for the driver that records statements and answers from a set of rows."""

from __future__ import annotations

import pytest

pytest.importorskip("pymssql")
from luigi.contrib import mssqldb  # noqa: E402


class Refusal(Exception):
    """An error of the server, with its number."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


class Server:
    """What SQL Server would do with the statements of the target; notes the arguments of each connection."""

    MssqlDatabaseException = Refusal

    def __init__(self):
        self.rows = None
        self.connections = []
        self.statements = []

    def connect(self, **arguments):
        self.connections.append(Connection(self, arguments))
        return self.connections[-1]


class Connection:
    def __init__(self, server, arguments):
        self.server = server
        self.arguments = arguments
        self.closed = False

    def execute_non_query(self, statement, values=None):
        self.server.statements.append(statement)
        if statement.startswith("CREATE TABLE table_updates"):
            if self.server.rows is not None:
                raise Refusal(2714)
            self.server.rows = {}
        else:
            assert "INSERT INTO table_updates" in statement
            self.server.rows[values["update_id"]] = values["table"]

    def execute_row(self, statement, values):
        assert statement == "SELECT 1 FROM table_updates WHERE update_id = %s"
        if self.server.rows is None:
            raise Refusal(208)
        return (1,) if values[0] in self.server.rows else None

    def close(self):
        self.closed = True


@pytest.fixture
def server(monkeypatch):
    server = Server()
    monkeypatch.setattr(mssqldb, "_mssql", server)
    return server


def target(update_id="first", host="db:1500"):
    return mssqldb.MSSqlTarget(host, "pipelines", "me", "secret", "numbers", update_id)


def test_a_marker_is_absent_until_touched(server):
    assert not target().exists()
    target().touch()
    assert target().exists()
    assert not target("second").exists()
    assert server.rows == {"first": "numbers"}


def test_touching_twice_meets_the_table_that_exists(server):
    target().touch()
    target().touch()
    assert server.rows == {"first": "numbers"}
    assert sum(statement.startswith("CREATE") for statement in server.statements) == 2


def test_connections_are_closed_unless_they_are_the_callers(server):
    mine = server.connect()
    target().touch(mine)
    assert target().exists(mine)
    target().exists()
    assert not mine.closed
    assert all(connection.closed for connection in server.connections[1:])


def test_how_it_connects(server):
    target().connect()
    target(host="db").connect()
    assert [connection.arguments for connection in server.connections] == [
        {"user": "me", "password": "secret", "server": "db", "port": port, "database": "pipelines"}
        for port in (1500, 1433)
    ]


def test_another_error_is_raised(server, monkeypatch):
    def refuse(self, *arguments):
        raise Refusal(229)

    monkeypatch.setattr(Connection, "execute_row", refuse)
    with pytest.raises(Refusal):
        target().exists()
    monkeypatch.setattr(Connection, "execute_non_query", refuse)
    with pytest.raises(Refusal):
        target().create_marker_table()
    assert all(connection.closed for connection in server.connections)
