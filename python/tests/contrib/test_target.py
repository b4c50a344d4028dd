"""Clients that stand in for each other."""

import logging

import pytest

from luigi.contrib.target import CascadingClient
from luigi.target import FileAlreadyExists


class Broken:
    """A client without a connection."""

    def exists(self, path):
        raise OSError("no route to host")

    def mkdir(self, path, **kwargs):
        raise FileAlreadyExists(path)


class Working:
    """A client that remembers what it was asked."""

    def __init__(self):
        self.calls = []

    def exists(self, path):
        self.calls.append(path)
        return True

    def mkdir(self, path, **kwargs):
        self.calls.append((path, kwargs))


def test_first_client_that_works_answers(caplog):
    working = Working()
    client = CascadingClient([Broken(), working])
    with caplog.at_level(logging.WARNING, logger="luigi-interface"):
        assert client.exists("a") is True
    assert working.calls == ["a"]
    assert "The Broken failed to exists, using fallback class Working" in caplog.text


def test_later_clients_are_left_alone_when_the_first_works():
    first, second = Working(), Working()
    CascadingClient([first, second]).mkdir("a", parents=False)
    assert first.calls == [("a", {"parents": False})]
    assert second.calls == []


def test_an_answer_that_is_an_exception_is_final():
    working = Working()
    with pytest.raises(FileAlreadyExists):
        CascadingClient([Broken(), working]).mkdir("a")
    assert working.calls == []


def test_what_the_last_client_raises_is_raised():
    with pytest.raises(OSError, match="no route"):
        CascadingClient([Broken(), Broken()]).exists("a")
    with pytest.raises(AttributeError):
        CascadingClient([Broken(), Working()]).chmod("a", "700")


def test_an_interrupt_is_not_taken_for_a_failure():
    class Interrupted:
        def exists(self, path):
            raise KeyboardInterrupt

    working = Working()
    with pytest.raises(KeyboardInterrupt):
        CascadingClient([Interrupted(), working]).exists("a")
    assert working.calls == []


def test_method_names_choose_what_can_be_called():
    client = CascadingClient([Working()], method_names=["exists"])
    assert client.exists("a") is True
    assert not hasattr(client, "mkdir")
