"""luigi.contrib.sparkey with a stand-in for the client library that writes plain text."""

from __future__ import annotations

import sys
import types

import pytest

import luigi
from luigi.contrib.sparkey import SparkeyExportTask
from luigi.mock import MockTarget


class LogWriter:
    """Writes what a real log would hold, one entry per line."""

    def __init__(self, path):
        self.file = open(path, "w")

    def __setitem__(self, key, value):
        self.file.write(f"{key}={value}\n")

    def close(self):
        self.file.close()


class Lines(luigi.ExternalTask):
    text = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget("in.tsv")


class Export(SparkeyExportTask):
    text = luigi.Parameter()

    def requires(self):
        return Lines(self.text)

    def output(self):
        return luigi.LocalTarget("out.spl")


@pytest.fixture(autouse=True)
def sparkey(monkeypatch):
    monkeypatch.setitem(sys.modules, "sparkey", types.SimpleNamespace(LogWriter=LogWriter))


def export(text, task_class=Export):
    with open("in.tsv", "w") as file:
        file.write(text)
    task = task_class(text)
    task.run()
    return open("out.spl").read()


def test_the_first_column_is_the_key():
    assert export("a\t1\nb\t2\t3\n") == "a=1\nb=2\t3\n"


def test_another_separator():
    assert export("a,1\n", type("ExportCsv", (Export,), {"separator": ","})) == "a=1\n"


def test_a_line_without_a_value_leaves_no_output():
    with pytest.raises(ValueError):
        export("a\t1\nb\n")
    assert not Export("a\t1\nb\n").complete()


def test_the_output_must_be_a_local_file():
    task_class = type("ExportElsewhere", (Export,), {"output": lambda self: MockTarget("out")})
    with pytest.raises(TypeError, match="LocalTarget"):
        export("a\t1\n", task_class)
