"""luigi.contrib.gcp: which way to log in is taken."""

from __future__ import annotations

import pytest

google_auth = pytest.importorskip("google.auth")
httplib2 = pytest.importorskip("httplib2")
from luigi.contrib import gcp  # noqa: E402


@pytest.fixture
def machine(monkeypatch):
    """A function that gives the machine default credentials, or none."""

    def has(credentials):
        def default():
            if credentials is None:
                raise google_auth.exceptions.DefaultCredentialsError("none")
            return credentials, "project"

        monkeypatch.setattr(google_auth, "default", default)

    return has


def test_credentials_that_are_given_come_first(machine):
    machine("default")
    assert gcp.get_authenticate_kwargs("mine", "http") == {"credentials": "mine"}


def test_then_an_http_client(machine):
    machine("default")
    assert gcp.get_authenticate_kwargs(None, "http") == {"http": "http"}


def test_then_the_machines_credentials(machine):
    machine("default")
    assert gcp.get_authenticate_kwargs() == {"credentials": "default"}


def test_then_none(machine):
    machine(None)
    found = gcp.get_authenticate_kwargs()
    assert list(found) == ["http"]
    assert isinstance(found["http"], httplib2.Http)
