"""What tests share that start other processes and wait for them."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import luigi

#: Other interpreters of the same kind find the package where this one did.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(luigi.__file__).parent.parent)}


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait until ``condition()`` is true and return what it gave; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.01)
    raise AssertionError(f"waited {seconds} seconds in vain")
