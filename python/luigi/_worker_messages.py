"""What the scheduler may have a worker do: its messages, and the methods that they call."""

from __future__ import annotations

from typing import Any, Callable

from luigi._interface_logger import interface_logger
from luigi._worker_parts import SchedulerMessage

logger = interface_logger()


def rpc_message_callback(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Lets the scheduler's messages call this method of a worker."""
    fn.is_rpc_message_callback = True  # type: ignore[attr-defined]
    return fn


class Messages:
    """A part of :py:class:`luigi.worker.Worker`."""

    _id: str
    _scheduler: Any
    _running_tasks: dict[str, Any]
    worker_processes: int

    def _handle_rpc_message(self, message: dict[str, Any]) -> None:
        logger.info("Worker %s got message %s", self._id, message)
        name, keywords = message["name"], message["kwargs"]
        callback = getattr(self, name, None)
        if not callable(callback):
            logger.error("Worker %s has no function '%s'", self._id, name)
        elif not getattr(callback, "is_rpc_message_callback", False):
            logger.error("Worker %s function '%s' is not available as rpc message callback", self._id, name)
        else:
            logger.info("Worker %s successfully dispatched rpc message to function '%s'", self._id, name)
            callback(**keywords)

    @rpc_message_callback
    def set_worker_processes(self, n: int) -> None:
        """Runs up to ``n`` tasks at a time from now on, at least one."""
        self.worker_processes = max(1, n)
        self._scheduler.add_worker(self._id, {"workers": self.worker_processes})

    @rpc_message_callback
    def dispatch_scheduler_message(self, task_id: str, message_id: str, content: Any, **kwargs: Any) -> None:
        """Hands a message to the run of the task, if there is one that reads messages."""
        process = self._running_tasks.get(str(task_id))
        messages = process and process.status_reporter.scheduler_messages
        if process and messages:
            message = SchedulerMessage(self._scheduler, str(task_id), message_id, content, **kwargs)
            message.private = process.status_reporter.private
            messages.put(message)
