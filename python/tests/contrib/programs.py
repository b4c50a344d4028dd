"""Stand-ins for programs that a machine without a cluster does not have, and waits with a bound."""

import logging
import os
import time

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


def wait_until(condition, seconds=20):
    """Wait until ``condition()`` is true and return what it gave; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError("waited %s seconds in vain" % seconds)


def is_running(pid):
    """Whether the process ``pid`` exists and is not a zombie."""
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
