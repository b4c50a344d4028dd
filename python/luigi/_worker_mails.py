"""What a worker logs and mails when something fails."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from typing import TYPE_CHECKING, Any

from luigi import notifications
from luigi._private import private_of, shown, shown_command

if TYPE_CHECKING:
    from luigi.task import Task

logger = logging.getLogger("luigi-interface")


class FailureMails:
    """The part of a worker that tells people of failures."""

    _id: str
    _config: Any
    _scheduler: Any
    host: str

    def _log_complete_error(self, task: Task, tb: str) -> None:
        logger.warning("Will not run %s or any dependencies due to error in complete() method:\n%s", task, tb)

    def _log_dependency_error(self, task: Task, tb: str) -> None:
        logger.warning("Will not run %s or any dependencies due to error in deps() method:\n%s", task, tb)

    def _log_unexpected_error(self, task: Task) -> None:
        # The traceback is that of the exception that is being handled.
        logger.exception("Luigi unexpected framework error while scheduling %s", task)

    def _announce_scheduling_failure(self, task: Task, expl: str) -> None:
        """Tells the scheduler, which may put the failure into its own mails."""
        private = private_of(task)
        try:
            self._scheduler.announce_scheduling_failure(
                worker=self._id,
                task_name=shown(private, str(task)),
                family=task.task_family,
                params=task.to_str_params(only_significant=True),
                expl=shown(private, expl),
                owners=task._owner_list(),
            )
        except Exception:
            self._email_unexpected_error(task, traceback.format_exc())
            raise

    def _email_complete_error(self, task: Task, formatted_traceback: str) -> None:
        self._email_scheduling_error(task, formatted_traceback, "complete()")

    def _email_dependency_error(self, task: Task, formatted_traceback: str) -> None:
        self._email_scheduling_error(task, formatted_traceback, "deps()")

    def _email_scheduling_error(self, task: Task, formatted_traceback: str, method: str) -> None:
        self._announce_scheduling_failure(task, formatted_traceback)
        if self._config.send_failure_email:
            headline = f"Will not run {{task}} or any dependencies due to error in {method} method"
            self._email_error(
                task, formatted_traceback, subject="Luigi: {task} failed scheduling. Host: {host}", headline=headline
            )

    def _email_unexpected_error(self, task: Task, formatted_traceback: str) -> None:
        # Sent in any case: the failure may be one that nobody else can report.
        subject = "Luigi: Framework error while scheduling {task}. Host: {host}"
        self._email_error(task, formatted_traceback, subject=subject, headline="Luigi framework error")

    def _email_task_failure(self, task: Task, formatted_traceback: Any) -> None:
        if self._config.send_failure_email:
            headline = "A task failed when running. Most likely run() raised an exception."
            self._email_error(
                task, formatted_traceback, subject="Luigi: {task} FAILED. Host: {host}", headline=headline
            )

    def _email_error(self, task: Task, formatted_traceback: Any, subject: str, headline: str) -> None:
        import subprocess

        private = private_of(task)
        facts = {"task": shown(private, str(task)), "host": self.host}
        # A password in the scheduler's URL goes in no mail.
        command = subprocess.list2cmdline(shown_command(task, sys.argv))
        command = re.sub(r"(://[^/@:\s]*):[^/@\s]*@", r"\1@", command)
        error = shown(private, formatted_traceback)
        message = notifications.format_task_error(headline.format(**facts), task, command, error)
        notifications.send_error_email(subject.format(**facts), message, task.owner_email)

    def _handle_task_load_error(self, exception: BaseException, task_ids: list[str]) -> None:
        """The scheduler sent tasks that cannot be loaded here: they failed."""
        text = f"Cannot find task(s) sent by scheduler: {','.join(task_ids)}"
        logger.error(text, exc_info=exception)
        message = notifications.wrap_traceback("".join(traceback.format_exception(exception)))
        for task_id in task_ids:
            self._add_task(worker=self._id, task_id=task_id, status="FAILED", runnable=False, expl=message)  # type: ignore[attr-defined]
        notifications.send_error_email(f"Luigi: {text}", message)
