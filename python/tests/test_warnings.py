"""Warnings point at the line of the user's that they are about."""

import subprocess
import sys
import textwrap
from pathlib import Path
from unittest import mock

import pytest
from processes import ENVIRONMENT

import luigi
import luigi.interface
from luigi import _warnings

PROGRAM = """\
import luigi

class Leaf(luigi.Task):
    text = luigi.Parameter(default="")
    number = luigi.OptionalIntParameter(default=None)

    def run(self):
        pass

class Root(luigi.Task):
    def requires(self):
        return Leaf(text=3)

if __name__ == "__main__":
    Leaf(number="x")
    luigi.build([Root()], local_scheduler=True, log_level="CRITICAL")
"""


def warned(*command):
    """The warnings that a command prints: the file's name, the line, the message and the source's line."""
    Path("pipeline.py").write_text(textwrap.dedent(PROGRAM))
    environment = {**ENVIRONMENT, "PYTHONPATH": f"{ENVIRONMENT['PYTHONPATH']}:{Path.cwd()}"}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=60)
    lines = done.stderr.splitlines()
    starts = [number for number, line in enumerate(lines) if "Warning: " in line]
    return [(Path(lines[start]).name.split(": ", 1)[0], lines[start], lines[start + 1].strip()) for start in starts]


def test_the_users_line_is_shown():
    shown = warned("pipeline.py")
    assert [(place, source) for place, _, source in shown] == [
        ("pipeline.py:15", 'Leaf(number="x")'),
        ("pipeline.py:10", "class Root(luigi.Task):"),
        ("pipeline.py:12", "return Leaf(text=3)"),
        ("pipeline.py:3", "class Leaf(luigi.Task):"),
    ]
    assert 'OptionalParameterTypeWarning: OptionalIntParameter "number" with value "x"' in shown[0][1]
    assert "UserWarning: Task Root() without outputs has no custom complete() method" in shown[1][1]


def test_without_a_line_of_the_users_it_is_the_packages():
    words = ["--module", "pipeline", "Leaf", "--text", "x", "--local-scheduler", "--no-lock", "--log-level", "CRITICAL"]
    assert {place for place, *_ in warned("-m", "luigi", *words)} == {"pipeline.py:3"}
    with (
        pytest.warns(UserWarning, match="odd") as caught,
        mock.patch.object(_warnings, "_is_passed_over", lambda _: True),
    ):
        _warnings.warn("odd")
    assert caught[0].filename == __file__


def test_deprecations_are_told_to_their_caller():
    with pytest.warns(DeprecationWarning, match="use_dynamic_argparse") as caught, pytest.raises(SystemExit):
        luigi.run(["--no-such-flag"], use_dynamic_argparse=True)
    assert caught[0].filename == __file__


def test_a_class_without_a_file_is_warned_of_where_it_is_used():
    made = {}
    exec("import luigi\nclass FromNowhere(luigi.Task):\n    pass", made)
    with pytest.warns(UserWarning, match="without outputs") as caught:
        made["FromNowhere"]().complete()
    assert caught[0].filename == __file__
