"""The thread that tells the scheduler that a worker lives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from luigi._interface_logger import interface_logger

logger = interface_logger()

# A process must not fork while another thread holds a lock of the C library's resolver: in the child
# nobody would ever release it. The same goes for the locks of the log's handlers.
fork_lock = threading.Lock()


class KeepAliveThread(threading.Thread):
    """Tells the scheduler now and then that the worker lives, and fetches its messages.

    It does not keep Python from ending.
    """

    def __init__(
        self, scheduler: Any, worker_id: str, ping_interval: float, rpc_message_callback: Callable[[Any], None]
    ) -> None:
        super().__init__(daemon=True)
        self._should_stop = threading.Event()
        self._scheduler = scheduler
        self._worker_id = worker_id
        self._ping_interval = ping_interval
        self._rpc_message_callback = rpc_message_callback

    def stop(self) -> None:
        """Ends the thread soon."""
        self._should_stop.set()

    def run(self) -> None:
        """Pings every ``ping_interval`` seconds until it is stopped."""
        while not self._should_stop.wait(self._ping_interval):
            with fork_lock:
                self._ping()
        with fork_lock:
            logger.info("Worker %s was stopped. Shutting down Keep-Alive thread", self._worker_id)

    def _ping(self) -> None:
        try:
            response = self._scheduler.ping(worker=self._worker_id)
        except BaseException:  # The next ping may find it again.
            logger.warning("Failed pinging scheduler")
            return
        try:
            for message in response["rpc_messages"] if response else ():
                self._rpc_message_callback(message)
        except BaseException:  # What Python does with it may log, too, when the lock is free again.
            logger.exception("Failed handling messages of the scheduler")
