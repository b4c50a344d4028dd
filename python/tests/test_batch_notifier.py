"""Mails that tell an owner of many failures at once."""

import types

import pytest

from luigi import batch_notifier
from luigi.batch_notifier import BatchNotifier, ExplQueue


@pytest.fixture
def clock(monkeypatch):
    """The time, which the test moves."""

    class Clock:
        now = 1000.0

        def time(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(batch_notifier, "time", clock)
    return clock


@pytest.fixture
def mails(monkeypatch):
    """Recipient, subject and body of what is sent."""
    sent = []

    def send(subject, body, sender, recipients):
        sent.append((recipients[0], subject, body))

    monkeypatch.setattr(batch_notifier, "send_email", send)
    return sent


@pytest.fixture
def notifier(configure, clock, mails):
    def make(email=None, **settings):
        configure({"email": {"receiver": "boss@x", **(email or {})}})
        return BatchNotifier(**settings)

    return make


def test_the_latest_errors_are_kept():
    queue = ExplQueue(2)
    for error in ("a", "b", "a", "c"):
        queue.enqueue(error)
    assert list(queue) == ["a", "c"]


def test_a_mail_is_due_after_the_interval(notifier, clock, mails):
    batch = notifier(email_interval=1)
    batch.add_failure("A(x=1)", "A", {"x": "1"}, "error", [])
    clock.now += 59
    batch.update()
    assert mails == []
    clock.now += 1
    batch.update()
    assert mails == [("boss@x", "Luigi: 1 failure in the last 1 minutes", "- A(x=1) (1 failure)\n\n      error")]
    clock.now += 60
    batch.update()
    assert len(mails) == 1


def test_owners_get_their_own_tasks(notifier, mails):
    batch = notifier()
    batch.add_failure("A()", "A", {}, "error", ["owner@x"])
    batch.add_disable("A()", "A", {}, ["owner@x"])
    batch.add_scheduling_fail("B()", "B", {}, "other", [])
    batch.send_email()
    assert {recipient: subject for recipient, subject, _ in mails} == {
        "boss@x": "Luigi: 1 failure, 1 disable, 1 scheduling failure in the last 60 minutes",
        "owner@x": "Luigi: Your tasks have 1 failure, 1 disable in the last 60 minutes",
    }


@pytest.mark.parametrize(
    ("mode", "names"),
    [
        ("all", ["A(x=1,y=1) (1 failure)", "A(x=1,y=2) (1 failure)", "A(x=2,y=1) (1 failure)"]),
        ("family", ["A (3 failures)"]),
        ("unbatched_params", ["A(x=1) (2 failures)", "A(x=2) (1 failure)"]),
    ],
)
def test_the_mode_says_what_is_counted_together(mode, names, notifier, mails):
    batch = notifier(batch_mode=mode)
    for x, y in (("1", "1"), ("1", "2"), ("2", "1")):
        batch.add_failure(f"A(x={x},y={y})", "A", {"x": x}, "error", [])
    batch.send_email()
    assert mails[0][2] == "- " + "\n  ".join(names) + "\n\n      error"


def test_groups_are_ordered_by_what_went_wrong_most(notifier, mails):
    batch = notifier(batch_mode="all")
    batch.add_failure("once", "A", {}, "first", [])
    batch.add_failure("twice", "A", {}, "second", [])
    batch.add_failure("twice", "A", {}, "second", [])
    batch.add_failure("also once", "A", {}, "third", [])
    batch.add_failure("disabled", "A", {}, "fourth", [])
    batch.add_disable("disabled", "A", {}, [])
    batch.send_email()
    headings = [line for line in mails[0][2].splitlines() if line.startswith("- ")]
    assert headings == [
        "- twice (2 failures)",
        "- disabled (1 failure, 1 disable)",
        "- also once (1 failure)",
        "- once (1 failure)",
    ]


def test_equal_errors_can_be_shown_one_by_one(notifier, mails):
    for grouped, headings in ((True, 1), (False, 2)):
        batch = notifier(batch_mode="all", group_by_error_messages=grouped)
        batch.add_failure("a", "A", {}, "error", [])
        batch.add_failure("b", "A", {}, "error", [])
        batch.send_email()
        assert mails[-1][2].count("- ") == headings


def test_the_end_of_an_error_is_shown(notifier, mails):
    for lines, shown in ((2, "      two\n      three"), (0, "      one\n      two\n      three")):
        batch = notifier(error_lines=lines)
        batch.add_failure("a", "A", {}, "one\ntwo\nthree\n", [])
        batch.send_email()
        assert mails[-1][2] == "- A() (1 failure)\n\n" + shown


def test_a_mail_in_html(notifier, mails):
    batch = notifier(email={"format": "html"}, error_messages=2)
    batch.add_failure("a", "A", {}, "first", [])
    batch.add_failure("a", "A", {}, "second", [])
    batch.send_email()
    assert mails[0][2] == "<ul>\n<li>A() (2 failures)\n<pre>first</pre>\n<pre>second</pre>\n</ul>"


def test_a_mail_that_can_not_be_sent_does_not_come_again(notifier, monkeypatch, clock):
    batch = notifier()
    batch.add_failure("a", "A", {}, "error", [])
    calls = []

    def refuse(*arguments):
        calls.append(arguments)
        raise ConnectionError

    monkeypatch.setattr(batch_notifier, "send_email", refuse)
    with pytest.raises(ConnectionError):
        batch.send_email()
    batch.send_email()
    assert len(calls) == 1


def test_an_unknown_mode_is_refused(notifier):
    batch = notifier()
    batch._config = types.SimpleNamespace(batch_mode="other")
    with pytest.raises(ValueError, match="Unknown batch mode for batch notifier: other"):
        batch.add_disable("a", "A", {}, [])
