"""The error of Hadoop's command line."""

from __future__ import annotations

from collections.abc import Sequence


class HDFSCliError(Exception):
    """A ``hadoop`` command failed. ``returncode``, ``stdout`` and ``stderr`` are what it left."""

    def __init__(self, command: Sequence[str], returncode: int, stdout: str | bytes, stderr: str | bytes) -> None:
        """Say that ``command`` ended with ``returncode`` after printing ``stdout`` and ``stderr``."""
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        headline = "Command %r failed [exit code %d]" % (command, returncode)
        said = {"stdout": str(stdout), "stderr": str(stderr)}
        super().__init__("{}\n---stdout---\n{stdout}\n---stderr---\n{stderr}------------".format(headline, **said))
