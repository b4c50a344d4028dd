"""Tasks in processes that are not forked: each is built anew from its module, family and parameters."""

import subprocess
import sys
from pathlib import Path

import pytest
from processes import ENVIRONMENT

PROGRAM = Path(__file__).parent / "programs" / "start_method.py"


def run(method: str, folder: Path, case: str) -> subprocess.CompletedProcess:
    env = {**ENVIRONMENT, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, str(PROGRAM), method, str(folder), case]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_tasks_run_however_their_processes_start(tmp_path, method):
    done = run(method, tmp_path, "plain")
    assert done.stdout == "SUCCESS\n", done.stderr
    pids = {(tmp_path / name).read_text() for name in ("required", "asked for", "asks")}
    assert len(pids) == 3


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_what_cannot_be_sent_is_named_and_nothing_hangs(tmp_path, method):
    done = run(method, tmp_path, "unsendable")
    assert done.stdout == "FAILED\n", done.stderr
    assert "attribute lock of its ContextManagedTaskProcess cannot be sent there" in done.stderr


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_why_a_task_cannot_be_built_is_in_the_log(tmp_path, method):
    done = run(method, tmp_path, "hidden")
    assert done.stdout == "FAILED\n", done.stderr
    assert "cannot build Hidden_" in done.stderr and "No task Hidden" in done.stderr
