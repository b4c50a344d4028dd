"""Collects what failed and sends each owner one mail per interval, instead of one per failure.

The scheduler uses it; `[batch_email]` configures it.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from luigi.notifications import email, send_email
from luigi.parameter import BoolParameter, ChoiceParameter, IntParameter
from luigi.task import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


class batch_email(Config):
    """The section `[batch_email]`."""

    email_interval = IntParameter(
        default=60,
        config_path={"section": "batch-notifier", "name": "email-interval-minutes"},
        description="Minutes between two mails (default: 60)",
    )
    batch_mode = ChoiceParameter(
        default="unbatched_params",
        choices=("family", "all", "unbatched_params"),
        description="What counts as the same task in a mail: with family, every task of a family; with "
        "unbatched_params, those that also agree in the parameters that cannot be batched; with all, only "
        "those with the same name",
    )
    error_lines = IntParameter(default=20, description="Lines shown of an error, from its end; 0 shows it whole")
    error_messages = IntParameter(default=1, description="Errors shown of each group")
    group_by_error_messages = BoolParameter(default=True, description="Show tasks with the same error together")


class ExplQueue(OrderedDict):
    """The latest `num_items` different errors, each with the time it came last; the oldest goes first."""

    def __init__(self, num_items: int) -> None:
        self.num_items = num_items
        super().__init__()

    def enqueue(self, item: str) -> None:
        """Adds an error, or makes it the latest again."""
        self.pop(item, None)
        self[item] = datetime.now()
        if len(self) > self.num_items:
            self.popitem(last=False)


def _fail_queue(num_messages: int) -> Callable[[], defaultdict[str, ExplQueue]]:
    return lambda: defaultdict(lambda: ExplQueue(num_messages))


def _plural_format(template: str, number: int, plural: str = "s") -> str:
    """Fills in a number and the ending of its noun; nothing for zero."""
    if number == 0:
        return ""
    return template.format(number, "" if number == 1 else plural)


def _counted(failures: int, disables: int, scheduling_failures: int) -> str:
    """Says in words how often what happened."""
    parts = (
        _plural_format("{} failure{}", failures),
        _plural_format("{} disable{}", disables),
        _plural_format("{} scheduling failure{}", scheduling_failures),
    )
    return ", ".join(filter(None, parts))


class _TaskCounts(NamedTuple):
    """What happened to one group of tasks since the last mail."""

    name: str
    failures: int
    disables: int
    scheduling_failures: int


class BatchNotifier:
    """Counts per owner, and per group of tasks, until the next mail is due."""

    def __init__(self, **kwargs: Any) -> None:
        """Takes values for `batch_email`; those not given come from the configuration."""
        self._config = batch_email(**kwargs)
        self._fail_counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._disabled_counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._scheduling_fail_counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._fail_expls: dict[str, Any] = defaultdict(_fail_queue(self._config.error_messages))
        self._update_next_send()
        self._email_format = email().format
        self._default_owner = set(filter(None, (email().receiver or "").split(",")))

    def add_failure(
        self, task_name: str, family: str, unbatched_args: Mapping[str, str], expl: str, owners: Iterable[str]
    ) -> None:
        """Notes that a task failed, and why."""
        key = self._key(task_name, family, unbatched_args)
        for owner in self._owners(owners):
            self._fail_counts[owner][key] += 1
            self._fail_expls[owner][key].enqueue(expl)

    def add_disable(
        self, task_name: str, family: str, unbatched_args: Mapping[str, str], owners: Iterable[str]
    ) -> None:
        """Notes that a task was disabled."""
        key = self._key(task_name, family, unbatched_args)
        for owner in self._owners(owners):
            self._disabled_counts[owner][key] += 1
            self._fail_counts[owner].setdefault(key, 0)

    def add_scheduling_fail(
        self, task_name: str, family: str, unbatched_args: Mapping[str, str], expl: str, owners: Iterable[str]
    ) -> None:
        """Notes that a task could not be scheduled, and why."""
        key = self._key(task_name, family, unbatched_args)
        for owner in self._owners(owners):
            self._scheduling_fail_counts[owner][key] += 1
            self._fail_expls[owner][key].enqueue(expl)
            self._fail_counts[owner].setdefault(key, 0)

    def update(self) -> None:
        """Sends the mails if the interval is over."""
        if time.time() >= self._next_send:
            self.send_email()

    def send_email(self) -> None:
        """Sends every owner's mail and begins anew, also if sending fails."""
        try:
            for owner, fail_counts in self._fail_counts.items():
                self._send_email(
                    fail_counts,
                    self._disabled_counts[owner],
                    self._scheduling_fail_counts[owner],
                    self._fail_expls[owner],
                    owner,
                )
        finally:
            self._update_next_send()
            self._fail_counts.clear()
            self._disabled_counts.clear()
            self._scheduling_fail_counts.clear()
            self._fail_expls.clear()

    def _update_next_send(self) -> None:
        self._next_send = time.time() + 60 * self._config.email_interval

    def _key(self, task_name: str, family: str, unbatched_args: Mapping[str, str]) -> str:
        """The name of the group that a task is counted in."""
        mode = self._config.batch_mode
        if mode == "all":
            return task_name
        if mode == "family":
            return family
        if mode == "unbatched_params":
            return "{}({})".format(family, ", ".join(map("{0[0]}={0[1]}".format, unbatched_args.items())))
        raise ValueError(f"Unknown batch mode for batch notifier: {mode}")

    def _owners(self, owners: Iterable[str]) -> set[str]:
        return self._default_owner | set(owners)

    def _send_email(
        self,
        fail_counts: Counter[str],
        disable_counts: Counter[str],
        scheduling_counts: Counter[str],
        fail_expls: Mapping[str, ExplQueue],
        owner: str,
    ) -> None:
        counted = _counted(*(sum(c.values()) for c in (fail_counts, disable_counts, scheduling_counts)))
        if not counted:
            return
        whose = "" if owner in self._default_owner else "Your tasks have "
        subject = f"Luigi: {whose}{counted} in the last {self._config.email_interval} minutes"
        body = self._email_body(fail_counts, disable_counts, scheduling_counts, fail_expls)
        send_email(subject, body, email().sender, (owner,))

    def _email_body(
        self,
        fail_counts: Counter[str],
        disable_counts: Counter[str],
        scheduling_counts: Counter[str],
        fail_expls: Mapping[str, ExplQueue],
    ) -> str:
        errors = {
            _TaskCounts(name, count, disable_counts[name], scheduling_counts[name]): self._expl_body(fail_expls[name])
            for name, count in fail_counts.items()
        }
        lines = []
        for tasks, error in sorted(self._task_expl_groups(errors), key=lambda group: self._worst_first(group[0])):
            lines += [self._format_tasks(tasks), error]
        body = "\n".join(filter(None, lines)).rstrip()
        return f"<ul>\n{body}\n</ul>" if self._email_format == "html" else body

    def _task_expl_groups(self, expls: Mapping[_TaskCounts, str]) -> list[tuple[Sequence[_TaskCounts], str]]:
        """The tasks that are shown together, with what is shown of their errors."""
        if not self._config.group_by_error_messages:
            return [((task,), error) for task, error in expls.items()]
        groups: dict[str, list[_TaskCounts]] = defaultdict(list)
        for task, error in expls.items():
            groups[error].append(task)
        return [(tasks, error) for error, tasks in groups.items()]

    @staticmethod
    def _worst_first(tasks: Sequence[_TaskCounts]) -> tuple[int, int, str]:
        """Sorts groups by failures, then by disables, then by name."""
        failures = sum(task.failures + task.scheduling_failures for task in tasks)
        return -failures, -sum(task.disables for task in tasks), min(task.name for task in tasks)

    def _format_tasks(self, tasks: Sequence[_TaskCounts]) -> str:
        ordered = sorted(tasks, key=lambda task: self._worst_first((task,)))
        lines = [f"{task.name} ({_counted(*task[1:])})" for task in ordered]
        if self._email_format == "html":
            return "<li>{}".format("\n<br>".join(lines))
        return "- {}".format("\n  ".join(lines))

    def _expl_body(self, expls: Iterable[str]) -> str:
        lines = [self._format_expl(expl) for expl in expls]
        if lines and self._email_format != "html":
            lines.append("")
        return "\n".join(lines)

    def _format_expl(self, expl: str) -> str:
        lines = expl.rstrip().split("\n")[-self._config.error_lines :]
        if self._email_format == "html":
            return "<pre>{}</pre>".format("\n".join(lines))
        return "\n{}".format("\n".join(map("      {}".format, lines)))
