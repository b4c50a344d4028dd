"""Metrics and events for Datadog: the real client, with stand-ins for its agent and its API on loopback."""

import socket
from types import SimpleNamespace

import pytest
from datadog import api, statsd

from luigi.contrib.datadog_metric import DatadogMetricsCollector

from .http_service import http_service

TAGS = ["task_name:F", "a:1"]
DEFAULT_TAGS = ["environment:test", "one:1", "two:2"]


@pytest.fixture
def datadog(monkeypatch):
    """A collector, and functions that give the metrics and the events that have arrived."""
    agent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    agent.bind(("127.0.0.1", 0))
    agent.settimeout(10)
    with http_service(lambda request: (202, {"status": "ok"})) as (port, requests):
        collector = DatadogMetricsCollector(
            environment="test",
            default_tags="one:1,two:2",
            metric_namespace="space",
            statsd_host="127.0.0.1",
            statsd_port=agent.getsockname()[1],
        )
        monkeypatch.setattr(api, "_api_host", "http://127.0.0.1:%d" % port)

        def metrics():
            if hasattr(statsd, "flush"):
                statsd.flush()
            lines = agent.recv(65536).decode().splitlines()
            return [line for line in lines if not line.startswith("datadog.")]

        yield SimpleNamespace(collector=collector, metrics=metrics, requests=requests)
    if statsd.socket is not None:
        statsd.close_socket()
    agent.close()


def _task(**more):
    return SimpleNamespace(**{"family": "F", "params": {"a": 1}, "time_running": 10, "updated": 15, **more})


def _tags(line):
    return line.split("|#")[1].split(",")


@pytest.mark.parametrize(
    "event, text, level, priority",
    [
        ("started", "A task has been started in the pipeline named: F", "info", "low"),
        ("failed", "A task has failed in the pipeline named: F", "error", "normal"),
        (
            "disabled",
            "A task has been disabled in the pipeline named: F. The task has failed 3 times in the last 60 "
            "seconds, so it is being disabled for 90 seconds.",
            "error",
            "normal",
        ),
    ],
)
def test_events_and_counts_are_told(datadog, event, text, level, priority):
    config = [SimpleNamespace(retry_count=3, disable_window=60, disable_persist=90)] if event == "disabled" else []
    getattr(datadog.collector, "handle_task_" + event)(_task(), *config)
    (line,) = datadog.metrics()
    assert line.startswith("space.task.%s:1|c|#" % event) and _tags(line) == TAGS + DEFAULT_TAGS
    (request,) = datadog.requests
    assert request.path == "/api/v1/events"
    body = request.body
    assert (body["text"], body["alert_type"], body["priority"]) == (text, level, priority)
    assert body["title"].startswith("Luigi: A task has ")
    assert body["tags"] == TAGS + ["task_state:" + event.upper()] + DEFAULT_TAGS


def test_a_finished_task_has_a_time(datadog):
    datadog.collector.handle_task_done(_task())
    lines = datadog.metrics()
    while len(lines) < 2:
        lines += datadog.metrics()
    assert lines[0].startswith("space.task.done:1|c|#") and lines[1].startswith("space.task.execution_time:5|g|#")
    assert datadog.requests[0].body["title"] == "Luigi: A task has been completed!"


def test_a_task_that_was_done_before_is_not_told(datadog):
    datadog.collector.handle_task_done(_task(time_running=None))
    assert datadog.requests == []


def test_tags_may_be_left_out():
    collector = DatadogMetricsCollector(default_tags="")
    assert collector.default_tags == ["environment:development"]
