"""A folder that a worker shares with an engine, and what is run in it, for the tests of engines."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from processes import wait_until
from test_central import environment

PATIENCE = 60


class Place:
    """A folder with a configuration, in which tasks of ``programs/elsewhere.py`` run."""

    def __init__(self, folder: Path, configuration: str) -> None:
        self.folder = folder
        folder.mkdir()
        self.configure(configuration)

    def configure(self, text: str) -> None:
        (self.folder / "luigi.cfg").write_text(text)

    def read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def ran(self, name: str) -> list[str]:
        """Where a task ran: a job for each time, or nothing."""
        return self.read(f"ran.{name}").split("\n")[:-1]

    def left(self) -> list[str]:
        shared = self.folder / "runs"
        return [path.name for path in shared.iterdir()] if shared.exists() else []

    def command(self, *arguments: str) -> list[str]:
        waits = ["--worker-wait-interval", "0.1", "--worker-wait-jitter", "0"]
        return [sys.executable, "-m", "luigi", "--module", "elsewhere", "--no-lock", *waits, *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(self.command(*arguments, "--local-scheduler"))

    def run_script(self, *command: str) -> subprocess.CompletedProcess[str]:
        return self._run([sys.executable, *command])

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=environment(), capture_output=True, text=True, timeout=PATIENCE
        )

    @contextlib.contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        with open(self.folder / "log", "w") as said:
            worker = subprocess.Popen(
                self.command(*arguments), cwd=self.folder, env=environment(), stdout=said, stderr=said
            )
        try:
            yield worker
        finally:
            worker.kill()
            worker.wait()

    def job(self, name: str = "Sleeps") -> str:
        """The job of a task, once it runs."""
        return wait_until(lambda: self.ran(name), PATIENCE)[0]


def summary(ran: subprocess.CompletedProcess[str]) -> str:
    _, text, _ = ran.stderr.split("===== Luigi Execution Summary =====")
    return text
