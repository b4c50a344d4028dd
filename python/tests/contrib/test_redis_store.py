"""luigi.contrib.redis_store against a real Redis."""

from __future__ import annotations

import time

import pytest

redis = pytest.importorskip("redis")
from luigi.contrib import redis_store  # noqa: E402


@pytest.fixture
def client(redis_server):
    """A client of the server, on a database that is empty."""
    client = redis.Redis(
        host="127.0.0.1", port=redis_server.port, password=redis_server.password, db=3, decode_responses=True
    )
    client.flushdb()
    yield client
    client.close()


def target(redis_server, update_id="first", **arguments):
    arguments = {"password": redis_server.password, **arguments}
    return redis_store.RedisTarget("127.0.0.1", redis_server.port, 3, update_id, **arguments)


def test_a_marker_is_absent_until_touched(redis_server, client):
    assert not target(redis_server).exists()
    target(redis_server).touch()
    assert target(redis_server).exists()
    assert not target(redis_server, "second").exists()


def test_the_marker_tells_the_update_and_does_not_expire(redis_server, client):
    target(redis_server).touch()
    marker = client.hgetall("luigi:first")
    assert marker["update_id"] == "first"
    assert marker["date"].startswith("20")
    assert client.ttl("luigi:first") == -1


def test_a_marker_expires(redis_server, client):
    soon = target(redis_server, expire=1)
    soon.touch()
    assert soon.exists()
    give_up = time.monotonic() + 10
    while soon.exists():
        assert time.monotonic() < give_up, "the marker is still there"
        time.sleep(0.05)


def test_the_prefix_is_part_of_the_key(redis_server, client):
    other = target(redis_server)
    other.marker_prefix = "elsewhere"
    other.touch()
    assert str(other) == "elsewhere:first"
    assert client.keys() == ["elsewhere:first"]
    assert not target(redis_server).exists()


def test_a_wrong_password_is_an_error_and_not_absence(redis_server, client):
    with pytest.raises(redis.RedisError):
        target(redis_server, password="wrong").exists()
