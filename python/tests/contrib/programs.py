"""Stand-ins for programs that a machine without a cluster does not have, and waits with a bound."""

import ast
import logging
import os
import sys

import pytest


class Programs:
    """A folder at the head of PATH into which a test puts executable scripts."""

    def __init__(self, folder):
        self.folder = folder

    def add(self, name, body, interpreter="/bin/sh"):
        """Write the script ``name``; a shell script first notes its arguments for ``calls``."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        note = '{ for argument in "$@"; do printf "%%s\\0" "$argument"; done; printf "\\1\\0"; } >> "%s.calls"\n' % path
        path.write_text("#!%s\n%s%s\n" % (interpreter, note if interpreter == "/bin/sh" else "", body))
        path.chmod(0o755)
        return path

    def calls(self, name):
        """The argument lists with which the shell script ``name`` was called."""
        path = self.folder / (name + ".calls")
        text = path.read_text() if path.exists() else ""
        return [call.split("\0")[:-1] for call in text.split("\1\0")[:-1]]


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """An empty folder for stand-ins of programs, first in PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", "%s:%s" % (folder, os.environ["PATH"]))
    return Programs(folder)


@pytest.fixture
def luigi_log(caplog, monkeypatch):
    """What is logged for users of Luigi, from the level INFO on."""
    # Some modules keep Luigi's messages from the root logger, where they are collected.
    monkeypatch.setattr(logging.getLogger("luigi-interface"), "propagate", True)
    caplog.set_level(logging.INFO, logger="luigi-interface")
    return caplog


def is_running(pid):
    """Whether the process ``pid`` exists and is not a zombie."""
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Hadoop:
    """The stand-in for ``hadoop`` and the folder that is its HDFS."""

    def __init__(self, program, root):
        self.program = program
        self.root = root

    def jar_calls(self):
        """The argument lists with which jobs were started."""
        calls = [ast.literal_eval(line) for line in open("%s.calls" % self.program)]
        return [call for call in calls if call[0] == "jar"]

    def write(self, path, text):
        """Put a file on HDFS."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def read(self, path):
        """The text of a file on HDFS."""
        return (self.root / path.lstrip("/")).read_text()


@pytest.fixture
def hadoop(programs, tmp_path, monkeypatch):
    """A stand-in for ``hadoop`` that really runs the jobs it is given, with a folder for HDFS."""
    source = os.path.join(os.path.dirname(__file__), "fake_hadoop.py")
    program = programs.folder / "hadoop"
    program.write_text("#!%s\n%s" % (sys.executable, open(source).read()))
    program.chmod(0o755)
    root = tmp_path / "hdfs"
    root.mkdir()
    monkeypatch.setenv("HDFS_ROOT", str(root))
    return Hadoop(program, root)


class BatchSystem:
    """The stand-ins for the commands of Grid Engine and LSF, and the folder in which they keep their jobs."""

    def __init__(self, folder, root):
        self.folder = folder
        self.root = root

    def calls(self, name):
        """The argument lists with which a command was called."""
        path = self.folder / (name + ".calls")
        return [ast.literal_eval(line) for line in path.read_text().splitlines()] if path.exists() else []

    def set_state(self, number, state):
        """Have a job shown in a state of the test's choice."""
        (self.root / ("%d.state" % number)).write_text(state)


@pytest.fixture
def batch_system(programs, tmp_path, monkeypatch):
    """Grid Engine and LSF, which run jobs on this machine; and ``python``, which is the Python of the test."""
    source = open(os.path.join(os.path.dirname(__file__), "fake_batch_system.py")).read()
    for name in ("qsub", "qstat", "qdel", "bsub", "bjobs", "bkill"):
        programs.add(name, source, interpreter=sys.executable)
    programs.add("python", 'exec "%s" "$@"' % sys.executable)
    # Nodes find the test's module as the test found it.
    tests = os.path.dirname(os.path.dirname(__file__))
    monkeypatch.setenv("PYTHONPATH", "%s:%s" % (tests, os.environ.get("PYTHONPATH", "")))
    root = tmp_path / "batch"
    root.mkdir()
    monkeypatch.setenv("BATCH_ROOT", str(root))
    return BatchSystem(programs.folder, root)
