"""Who a worker is: what it says of itself, and the id that is made of that."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import sys
from typing import Any


class WorkerIdentity:
    """The part of a worker that knows who it is."""

    worker_processes: int

    def _generate_worker_info(self) -> list[tuple[str, Any]]:
        info: list[tuple[str, Any]] = [
            ("salt", f"{_number_below(10_000_000_000):09d}"),
            ("workers", self.worker_processes),
        ]
        # What the machine cannot tell is left out.
        sources = {"host": socket.gethostname, "username": getpass.getuser, "pid": os.getpid}
        for name, source in sources.items():
            with contextlib.suppress(BaseException):
                info.append((name, source()))
        if sudo_user := os.getenv("SUDO_USER"):
            info.append(("sudo_user", sudo_user))
        return info

    def _generate_worker_id(self, worker_info: list[tuple[str, Any]]) -> str:
        return "Worker({})".format(", ".join(f"{name}={value}" for name, value in worker_info))


def _number_below(limit: int) -> int:
    """A number that others are unlikely to have.

    Of a program's own ``random`` it takes one, as Luigi does: what a seed leads to is the same then. Nobody else needs
    that module in the memory that is copied for each process.
    """
    random = sys.modules.get("random")
    return random.randrange(limit) if random else int.from_bytes(os.urandom(8), "big") % limit
