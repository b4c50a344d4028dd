"""luigi.contrib.redshift on a real PostgreSQL, whose tables stand in for Redshift's own, and whose COPY is recorded."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

import luigi

psycopg2 = pytest.importorskip("psycopg2")
pytest.importorskip("boto3")
from luigi.contrib import redshift  # noqa: E402


def run_sql(server, *statements):
    """Runs statements and gives the rows of the last one, if it has any."""
    with closing(
        psycopg2.connect(host="127.0.0.1", port=server.port, user=server.user, dbname=server.database)
    ) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None


@pytest.fixture
def server(postgres_server):
    """The server, with views that answer what tasks ask Redshift."""
    run_sql(
        postgres_server,
        "DROP VIEW IF EXISTS pg_table_def, stv_sessions",
        "DROP TABLE IF EXISTS numbers, table_updates",
        "DROP SCHEMA IF EXISTS sales CASCADE",
        "CREATE VIEW pg_table_def AS SELECT tablename FROM pg_tables",
        "CREATE VIEW stv_sessions AS SELECT pid AS process, datname AS db_name, usename AS user_name "
        "FROM pg_stat_activity WHERE application_name = 'victim' OR pid = pg_backend_pid()",
    )
    yield postgres_server
    run_sql(postgres_server, "DROP VIEW pg_table_def, stv_sessions")


@pytest.fixture
def no_credentials(monkeypatch):
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "ACCOUNT_ID", "ARN_ROLE_NAME"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)


class Cursor:
    """Passes statements on, but for COPY and UNLOAD, which it notes."""

    def __init__(self, cursor, noted):
        self._cursor, self._noted = cursor, noted

    def execute(self, statement, *arguments):
        if statement.split()[0] in ("COPY", "UNLOAD"):
            self._noted.append(statement)
        else:
            self._cursor.execute(statement, *arguments)

    def __getattr__(self, name):
        return getattr(self._cursor, name)


class Connection:
    """A connection whose cursors note COPY and UNLOAD."""

    def __init__(self, connection, noted):
        self.__dict__.update(_connection=connection, _noted=noted)

    def cursor(self):
        return Cursor(self._connection.cursor(), self._noted)

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def __setattr__(self, name, value):
        setattr(self._connection, name, value)


@pytest.fixture
def noted(monkeypatch):
    """The statements of kinds that PostgreSQL does not know."""
    noted = []
    connect = redshift.RedshiftTarget.connect
    monkeypatch.setattr(redshift.RedshiftTarget, "connect", lambda self: Connection(connect(self), noted))
    return noted


def task_of(base, server, **attributes):
    """A task whose server is the given one, at a port that stands apart from the host."""
    members = {
        "host": "127.0.0.1",
        "port": server.port if server else None,
        "database": server.database if server else "pipelines",
        "user": "luigi",
        "password": "secret",
        "table": "numbers",
        **attributes,
    }
    return type("Load", (base,), members)()


def copy_task(server, base=redshift.S3CopyToTable, **attributes):
    return task_of(
        base,
        server,
        **{
            "columns": [("name", "text"), ("value", "int")],
            "s3_load_path": lambda self: "s3://bucket/it's",
            "copy_options": "GZIP",
            "aws_access_key_id": "K",
            "aws_secret_access_key": "X",
            **attributes,
        },
    )


def test_a_marker_has_the_clients_time(server):
    target = redshift.RedshiftTarget(server.address, server.database, "luigi", "secret", "numbers", "first")
    assert not target.exists()
    target.touch()
    assert target.exists()
    assert run_sql(server, "SELECT inserted BETWEEN now()::timestamp - interval '1 day' AND now()::timestamp + "
                           "interval '1 day' FROM table_updates") == [(True,)]  # fmt: skip
    assert redshift.RedshiftTarget("db", "d", "u", "p", "t", "i").port == 5439


def test_copying_makes_the_table_and_the_marker(server, noted):
    task = copy_task(server, queries=["INSERT INTO numbers VALUES ('q', 1)"])
    assert not task.complete()
    task.run()
    assert task.complete()
    assert noted == [
        "\n         COPY numbers (name,value) from 's3://bucket/it''s'"
        "\n         CREDENTIALS 'aws_access_key_id=K;aws_secret_access_key=X'"
        "\n         GZIP"
        "\n         ;"
    ]
    assert run_sql(server, "SELECT name, value FROM numbers") == [("q", 1)]


def test_a_schema_is_made(server, noted):
    task = copy_task(server, table="sales.orders", table_constraints="PRIMARY KEY (name)")
    task.run()
    assert run_sql(server, "SELECT * FROM sales.orders") == []
    with pytest.raises(psycopg2.errors.NotNullViolation):
        run_sql(server, "INSERT INTO sales.orders VALUES (NULL, 1)")
    with closing(task.output().connect()) as connection:
        assert task.does_schema_exist(connection)
        assert task.does_table_exist(connection)
        other = copy_task(server, table="missing.orders")
        assert not other.does_schema_exist(connection)
        assert not other.does_table_exist(connection)


def test_rows_are_pruned_or_all_removed_first(server, noted):
    prune = {"prune_table": "numbers", "prune_column": "value", "prune_date": "1 + 1"}
    fill = (
        "CREATE TABLE IF NOT EXISTS numbers (name text, value int)",
        "INSERT INTO numbers VALUES ('a', 1), ('b', 2)",
    )
    run_sql(server, *fill)
    copy_task(server, **prune).run()
    assert run_sql(server, "SELECT name FROM numbers") == [("a",)]
    copy_task(server, do_truncate_table=True, update_id="again").run()
    assert run_sql(server, "SELECT name FROM numbers") == []
    with pytest.raises(Exception, match="zero or all"):
        copy_task(server, prune_table="numbers", update_id="third").run()


def test_nothing_is_left_of_a_run_that_fails(server, noted):
    task = copy_task(server, queries=["INSERT INTO numbers VALUES ('q', 1)", "SELECT no_such_column"])
    with pytest.raises(psycopg2.Error):
        task.run()
    assert run_sql(server, "SELECT count(*) FROM pg_tables WHERE tablename = 'numbers'") == [(0,)]
    assert not task.complete()


def test_metadata_columns(server, noted):
    attributes = {"metadata_columns": [("made", "text")], "metadata_queries": ["UPDATE numbers SET made = 'now'"]}
    task = copy_task(
        server, enable_metadata_columns=True, queries=["INSERT INTO numbers VALUES ('q', 1)"], **attributes
    )
    task.run()
    assert run_sql(server, "SELECT name, made FROM numbers") == [("q", "now")]


def test_copying_json(server, noted):
    copy_task(server, redshift.S3CopyJSONToTable, jsonpath="auto", copy_json_options="LZOP").run()
    assert "JSON AS 'auto' LZOP" in noted[0]
    assert noted[0].split()[:2] == ["COPY", "numbers"]


class Statements:
    """Notes statements in place of a connection."""

    def __init__(self):
        self.statements = []

    def cursor(self):
        return self

    def execute(self, statement, arguments=None):
        self.statements.append(statement)


def test_encodings_and_attributes_of_a_table():
    seen = Statements()
    task = copy_task(
        None, columns=[("a", "int", "lzo"), ("b", "text")], table_type="TEMP", table_attributes="DISTKEY (a)"
    )
    task.create_table(seen)
    assert seen.statements == ["CREATE TEMP TABLE numbers (a int ENCODE lzo,b text ) DISTKEY (a)"]
    for columns, error in [(["a"], NotImplementedError), ([("a",)], NotImplementedError), ([("a",) * 4], ValueError)]:
        with pytest.raises(error):
            copy_task(None, columns=columns).create_table(seen)


def test_where_credentials_come_from(configure, monkeypatch, no_credentials):
    configure({})
    nothing = {name: property(lambda self, n=name: self._get_configuration_attribute(n)) for name in
               ("aws_access_key_id", "aws_secret_access_key")}  # fmt: skip
    task = copy_task(None, **nothing)
    with pytest.raises(NotImplementedError, match="Missing Credentials"):
        task._credentials()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "envkey")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "envsecret")
    assert task._credentials() == "aws_access_key_id=envkey;aws_secret_access_key=envsecret"
    configure({"redshift": {"aws_access_key_id": "cfgkey", "aws_session_token": "tok"}})
    assert task._credentials() == "aws_access_key_id=cfgkey;aws_secret_access_key=envsecret;token=tok"
    configure({"redshift": {"aws_account_id": "12", "aws_arn_role_name": "loader"}})
    assert task._credentials() == "aws_iam_role=arn:aws:iam::12:role/loader"


def test_unloading(server, noted):
    task = task_of(
        redshift.RedshiftUnloadTask,
        server,
        query=lambda self: "SELECT 'a'",
        s3_unload_path="s3://bucket/out",
        unload_options="GZIP",
        aws_access_key_id="K",
        aws_secret_access_key="X",
    )
    task.run()
    assert noted == [
        "UNLOAD ( 'SELECT \\'a\\'' ) TO 's3://bucket/out' "
        "credentials 'aws_access_key_id=K;aws_secret_access_key=X' GZIP;"
    ]
    assert task.complete()


def test_a_query_is_run_and_marked(server):
    run_sql(server, "CREATE TABLE numbers (name text, value int)")
    task = task_of(redshift.RedshiftQuery, server, query="INSERT INTO numbers VALUES ('q', 7)")
    task.run()
    assert task.complete()
    assert run_sql(server, "SELECT value FROM numbers") == [(7,)]


def test_open_sessions_are_ended(server):
    victim = psycopg2.connect(
        host="127.0.0.1", port=server.port, user=server.user, dbname=server.database, application_name="victim"
    )
    task = task_of(redshift.KillOpenRedshiftSessions, server)
    task.run()
    with pytest.raises(psycopg2.OperationalError):
        victim.cursor().execute("SELECT 1")
    assert task.complete()
    assert run_sql(server, "SELECT target_table FROM table_updates") == [("Load",)]


def test_our_own_session_may_be_ended_too(server, monkeypatch):
    naps = []
    monkeypatch.setattr(redshift.time, "sleep", naps.append)

    def cut(self, connection):
        raise psycopg2.OperationalError("SSL SYSCALL error: EOF detected")

    task = task_of(redshift.KillOpenRedshiftSessions, server, _end_sessions=cut)
    task.run()
    assert naps == [60]
    assert task.complete()


def test_another_error_while_ending_sessions_is_raised(server):
    run_sql(server, "ALTER VIEW stv_sessions RENAME COLUMN process TO other")
    task = task_of(redshift.KillOpenRedshiftSessions, server)
    with pytest.raises(psycopg2.errors.UndefinedColumn):
        task.run()
    assert not task.complete()


def test_a_manifest_lists_the_folders(monkeypatch):
    listing = {"s3://bucket/a": ["1.gz", "2.gz"], "s3://bucket/b": ["3.gz"]}

    class Folder:
        def __init__(self, path):
            self.path, self.fs = path, self

        def list(self, path):
            return listing[path]

    monkeypatch.setattr(redshift, "S3Target", Folder)
    for text in (True, False):
        members = {
            "output": lambda self: luigi.LocalTarget("manifest", format=None if self.text_target else luigi.format.Nop),
            "text_target": text,
            "folder_paths": ["s3://bucket/a", "s3://bucket/b"],
        }
        type("Manifest", (redshift.RedshiftManifestTask,), members)(path="s3://bucket/manifest").run()
        with open("manifest") as file:
            assert json.load(file) == {
                "entries": [
                    {"url": f"s3://bucket/{name}", "mandatory": True} for name in ("a/1.gz", "a/2.gz", "b/3.gz")
                ]
            }
