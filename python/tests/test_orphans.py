"""Runs whose worker is killed go on to their end, as Luigi's do, and what they print comes where it printed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from processes import wait_until
from test_central import OURS, WAIT_SECS, environment, serving

LINES = 10_000


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path, OURS) as port:
        yield port


def start(folder, method, family, scheduler):
    (folder / "main.py").write_text(
        "import multiprocessing, luigi, orphans\n"
        "if __name__ == '__main__':\n"
        f"    multiprocessing.set_start_method({method!r})\n"
        f"    luigi.build([orphans.{family}()], workers=2, no_lock=True, {scheduler})\n"
    )
    env = environment(ORPHANS_FOLDER=str(folder))
    # Files never fill up, so nothing waits for this process.
    with open(folder / "stdout", "wb") as stdout, open(folder / "stderr", "wb") as stderr:
        return subprocess.Popen([sys.executable, "main.py"], cwd=folder, env=env, stdout=stdout, stderr=stderr)


def kill(worker, folder, number):
    """Kills the worker while the run waits, and then lets the run go on until it has ended."""
    wait_until(lambda: (folder / "started").exists() or worker.poll() is not None, WAIT_SECS)
    worker.send_signal(number)
    assert worker.wait(WAIT_SECS) == -number
    (folder / "go").touch()
    wait_until(lambda: (folder / "done").exists(), WAIT_SECS)
    pid = int((folder / "done").read_text())
    wait_until(lambda: not is_there(pid), WAIT_SECS)


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_an_orphan_prints_comes_where_its_worker_printed(tmp_path, server, method, number):
    kill(start(tmp_path, method, "Orphan", f"scheduler_port={server}"), tmp_path, number)
    printed = (tmp_path / "stdout").read_text()
    assert printed.startswith("first line\n") and printed.endswith("without an end of line")
    expected = [*(f"line {number}" for number in range(LINES)), *(f"said {number + 1}" for number in range(LINES))]
    assert [line for line in printed.splitlines() if line.startswith(("line", "said"))] == expected
    complaints = (tmp_path / "stderr").read_text().splitlines()
    assert [line for line in complaints if line.startswith("bad")] == [f"bad line {number}" for number in range(LINES)]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("place", ["at a server", "in the worker"])
def test_an_orphan_ends_with_a_result_larger_than_a_pipe(tmp_path, server, method, place):
    scheduler = f"scheduler_port={server}" if place == "at a server" else "local_scheduler=True"
    kill(start(tmp_path, method, "Telling", scheduler), tmp_path, signal.SIGKILL)
