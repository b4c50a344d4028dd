"""Collects what failed and sends each owner one mail per interval, instead of one per failure.

The scheduler uses it; `[batch_email]` configures it.
"""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from luigi.notifications import email, send_email
from luigi.parameter import BoolParameter, ChoiceParameter, IntParameter
from luigi.task import Config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


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


def _plural_format(template: str, number: int, plural: str = "s") -> str:
    """Fills in a number and the ending of its noun; nothing for zero."""
    if number == 0:
        return ""
    return template.format(number, "" if number == 1 else plural)


class _Group:
    """What happened to the tasks of one name since an owner's last mail, and the latest of their errors."""

    def __init__(self, name: str, num_errors: int) -> None:
        self.name = name
        self.failures = 0
        self.disables = 0
        self.scheduling_failures = 0
        self.errors = ExplQueue(num_errors)

    def __str__(self) -> str:
        return f"{self.name} ({_counted([self])})"


def _counted(groups: Iterable[_Group]) -> str:
    """Says in words how often what happened in all groups together."""
    totals = [sum(counts) for counts in zip(*((g.failures, g.disables, g.scheduling_failures) for g in groups))]
    nouns = ("{} failure{}", "{} disable{}", "{} scheduling failure{}")
    return ", ".join(filter(None, map(_plural_format, nouns, totals)))


def _worst_first(groups: Iterable[_Group]) -> tuple[int, int, str]:
    """Sorts what is shown together by failures, then by disables, then by name."""
    failures = sum(group.failures + group.scheduling_failures for group in groups)
    return -failures, -sum(group.disables for group in groups), min(group.name for group in groups)


class BatchNotifier:
    """Keeps, for each owner, a group for each name of tasks, until the next mail is due."""

    def __init__(self, **kwargs: Any) -> None:
        """Takes values for `batch_email`; those not given come from the configuration."""
        self._config = batch_email(**kwargs)
        self._groups: dict[str, dict[str, _Group]] = defaultdict(dict)  # By owner, then by name.
        self._email_format = email().format
        self._default_owner = set(filter(None, (email().receiver or "").split(",")))
        self._update_next_send()

    def add_failure(
        self, task_name: str, family: str, unbatched_args: Mapping[str, str], expl: str, owners: Iterable[str]
    ) -> None:
        """Notes that a task failed, and why."""
        for group in self._groups_for(owners, self._key(task_name, family, unbatched_args)):
            group.failures += 1
            group.errors.enqueue(expl)

    def add_disable(
        self, task_name: str, family: str, unbatched_args: Mapping[str, str], owners: Iterable[str]
    ) -> None:
        """Notes that a task was disabled."""
        for group in self._groups_for(owners, self._key(task_name, family, unbatched_args)):
            group.disables += 1

    def add_scheduling_fail(
        self, task_name: str, family: str, unbatched_args: Mapping[str, str], expl: str, owners: Iterable[str]
    ) -> None:
        """Notes that a task could not be scheduled, and why."""
        for group in self._groups_for(owners, self._key(task_name, family, unbatched_args)):
            group.scheduling_failures += 1
            group.errors.enqueue(expl)

    def update(self) -> None:
        """Sends the mails if the interval is over."""
        if time.time() >= self._next_send:
            self.send_email()

    def send_email(self) -> None:
        """Sends every owner's mail and begins anew, also if sending fails."""
        due, self._groups = self._groups, defaultdict(dict)
        self._update_next_send()
        for owner, groups in due.items():
            self._send_email(owner, list(groups.values()))

    def _update_next_send(self) -> None:
        self._next_send = time.time() + 60 * self._config.email_interval

    def _key(self, task_name: str, family: str, unbatched_args: Mapping[str, str]) -> str:
        """The name under which a task is counted."""
        mode = self._config.batch_mode
        if mode == "all":
            return task_name
        if mode == "family":
            return family
        if mode == "unbatched_params":
            return "{}({})".format(family, ", ".join(map("{0[0]}={0[1]}".format, unbatched_args.items())))
        raise ValueError(f"Unknown batch mode for batch notifier: {mode}")

    def _groups_for(self, owners: Iterable[str], name: str) -> Iterator[_Group]:
        """The group of that name of each owner, the receiver of all mail included."""
        for owner in self._default_owner.union(owners):
            groups = self._groups[owner]
            if name not in groups:
                groups[name] = _Group(name, self._config.error_messages)
            yield groups[name]

    def _send_email(self, owner: str, groups: Sequence[_Group]) -> None:
        counted = _counted(groups)
        if not counted:
            return
        whose = "" if owner in self._default_owner else "Your tasks have "
        subject = f"Luigi: {whose}{counted} in the last {self._config.email_interval} minutes"
        send_email(subject, self._email_body(groups), email().sender, (owner,))

    def _email_body(self, groups: Sequence[_Group]) -> str:
        lines = []
        for together, errors in sorted(self._shown_together(groups), key=lambda shown: _worst_first(shown[0])):
            lines += [self._format_tasks(together), errors]
        body = "\n".join(filter(None, lines)).rstrip()
        return f"<ul>\n{body}\n</ul>" if self._email_format == "html" else body

    def _shown_together(self, groups: Sequence[_Group]) -> list[tuple[Sequence[_Group], str]]:
        """The groups that share an entry of the mail, with what it shows of their errors."""
        entries = [(group, self._format_errors(group.errors)) for group in groups]
        if not self._config.group_by_error_messages:
            return [((group,), errors) for group, errors in entries]
        by_errors: dict[str, list[_Group]] = defaultdict(list)
        for group, errors in entries:
            by_errors[errors].append(group)
        return [(together, errors) for errors, together in by_errors.items()]

    def _format_tasks(self, groups: Sequence[_Group]) -> str:
        ordered = map(str, sorted(groups, key=lambda group: _worst_first((group,))))
        if self._email_format == "html":
            return "<li>" + "\n<br>".join(ordered)
        return "- " + "\n  ".join(ordered)

    def _format_errors(self, errors: Iterable[str]) -> str:
        """The ends of the errors, indented as plain text or marked as HTML."""
        ends = [error.rstrip().split("\n")[-self._config.error_lines :] for error in errors]
        if self._email_format == "html":
            return "\n".join("<pre>{}</pre>".format("\n".join(lines)) for lines in ends)
        return "".join("\n" + "".join(f"      {line}\n" for line in lines) for lines in ends)
