"""luigi.contrib.rdbms: what its tasks leave to the databases, with a cursor that records statements."""

from __future__ import annotations

import pytest

import luigi
from luigi.contrib import rdbms


class Cursor:
    """Records statements; each answer is the next of those given."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.statements = []

    def execute(self, statement):
        self.statements.append(statement)

    def fetchone(self):
        return self.answers.pop(0)

    def cursor(self):
        """Serve as the connection, too."""
        return self


class Copy(rdbms.CopyToTable):
    host = "db"
    database = "pipelines"
    user = "me"
    password = "secret"
    table = luigi.Parameter(default="numbers")
    columns = [("name", "text"), ("value", "int")]

    def output(self):
        return luigi.LocalTarget("done")

    def copy(self, cursor, file):
        raise AssertionError("nothing is copied here")


def copy(**attributes):
    return type("CopyOnce", (Copy,), attributes)()


def test_a_table_is_made_from_names_and_types():
    cursor = Cursor()
    copy().create_table(cursor)
    assert cursor.statements == ["CREATE TABLE numbers (name text,value int)"]


@pytest.mark.parametrize("columns", [["id", "name"], [("name",)], ["name"], [("name", "text"), "value"]])
def test_names_alone_make_no_table(columns):
    cursor = Cursor()
    with pytest.raises(NotImplementedError, match="'numbers'"):
        copy(columns=columns).create_table(cursor)
    assert cursor.statements == []


def test_the_update_is_the_task_unless_said():
    task = copy()
    assert task.update_id == task.task_id
    assert task.port is None


def test_the_dropped_attribute_fails_aloud():
    with pytest.raises(Exception, match="clear_table attribute has been removed"):
        copy(clear_table=True).init_copy(Cursor())


def test_missing_metadata_columns_are_added():
    columns = [("made", "TIMESTAMP"), ("there", "int"), ("packed", "int", "lzo")]
    cursor = Cursor(None, (1,), None)
    copy(table="sales.orders", enable_metadata_columns=True, metadata_columns=columns).init_copy(cursor)
    asked = [statement for statement in cursor.statements if statement.startswith("SELECT")]
    assert asked[0] == (
        "SELECT 1 AS column_exists FROM information_schema.columns WHERE table_schema = LOWER('sales') "
        "AND table_name = LOWER('orders') AND column_name = LOWER('made') LIMIT 1;"
    )
    assert [statement for statement in cursor.statements if statement not in asked] == [
        "ALTER TABLE sales.orders ADD COLUMN made TIMESTAMP;",
        "ALTER TABLE sales.orders ADD COLUMN packed int ENCODE lzo;",
    ]


def test_names_in_the_question_are_quoted():
    cursor = Cursor((1,))
    assert copy(table="o'clock")._column_exists(cursor, "it's")
    assert "LOWER('o''clock')" in cursor.statements[0]
    assert "LOWER('it''s')" in cursor.statements[0]


@pytest.mark.parametrize("column", [(), ("made",), ("a", "b", "c", "d")])
def test_odd_metadata_columns_are_refused(column):
    with pytest.raises(ValueError):
        copy(metadata_columns=[column])._add_metadata_columns(Cursor(None))


def test_metadata_columns_are_left_out_unless_enabled():
    cursor = Cursor()
    copy(metadata_columns=[("made", "TIMESTAMP")]).init_copy(cursor)
    assert cursor.statements == []


def test_metadata_queries_run_in_order():
    cursor = Cursor()
    copy(metadata_queries=["first", "second"]).post_copy_metacolumns(cursor)
    assert cursor.statements == ["first", "second"]


def test_what_a_subclass_has_to_give():
    class Bare(rdbms.Query):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Bare()
    assert rdbms.CopyToTable.__abstractmethods__ == {
        *("host", "database", "user", "password", "table"),
        *("output", "copy"),
    }
    assert rdbms.Query.__abstractmethods__ == {
        *("host", "database", "user", "password", "table"),
        *("query", "run", "output"),
    }
