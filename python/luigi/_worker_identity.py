"""Who a worker is: what it says of itself, and the id that is made of that."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
from typing import Any


class WorkerIdentity:
    """The part of a worker that knows who it is."""

    worker_processes: int

    def _generate_worker_info(self) -> list[tuple[str, Any]]:
        info: list[tuple[str, Any]] = [
            ("salt", f"{int.from_bytes(os.urandom(8), 'big') % 10_000_000_000:09d}"),
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
