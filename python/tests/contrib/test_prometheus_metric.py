"""Metrics for Prometheus, as the scheduler makes them and as text."""

from types import SimpleNamespace

import pytest

from luigi.contrib.prometheus_metric import PrometheusMetricsCollector


def _task(**more):
    task = {"family": "F", "params": {"a": "1", "b": "2"}, "time_running": 10, "updated": 15}
    return SimpleNamespace(**{**task, **more})


@pytest.mark.parametrize(
    "settings, labels",
    [
        ({}, {"family": "F"}),
        ({"use_task_family_in_labels": False, "task_parameters_to_use_in_labels": ["a"]}, {"a": "1"}),
        ({"task_parameters_to_use_in_labels": ["b", "c"]}, {"family": "F", "b": "2", "c": "None"}),
    ],
)
def test_each_event_is_counted(settings, labels):
    collector = PrometheusMetricsCollector(**settings)

    def value(name):
        return collector.registry.get_sample_value("luigi_task_" + name, labels)

    collector.handle_task_started(_task())
    assert (value("started_total"), value("execution_time_seconds")) == (1, 0)
    collector.handle_task_failed(_task())
    assert (value("failed_total"), value("execution_time_seconds")) == (1, 5)
    collector.handle_task_disabled(_task(updated=17), None)
    assert (value("disabled_total"), value("execution_time_seconds")) == (1, 7)
    collector.handle_task_done(_task(updated=18))
    collector.handle_task_done(_task(time_running=None))
    assert (value("done_total"), value("execution_time_seconds")) == (2, 8)


def test_metrics_are_text():
    collector = PrometheusMetricsCollector()
    collector.handle_task_started(_task())
    text = collector.generate_latest().decode()
    assert 'luigi_task_started_total{family="F"} 1.0' in text.splitlines()
    headers = {}
    collector.configure_http_handler(SimpleNamespace(set_header=headers.__setitem__))
    assert headers["Content-Type"].startswith("text/plain; version=")


def test_a_label_is_needed():
    with pytest.raises(ValueError, match="Prometheus labels cannot be empty"):
        PrometheusMetricsCollector(use_task_family_in_labels=False)


def test_two_collectors_do_not_meet():
    PrometheusMetricsCollector().handle_task_started(_task())
    second = PrometheusMetricsCollector()
    assert second.registry.get_sample_value("luigi_task_started_total", {"family": "F"}) is None


def test_the_scheduler_counts():
    from luigi.metrics import MetricsCollectors
    from luigi.scheduler import Scheduler

    scheduler = Scheduler(metrics_collector=MetricsCollectors.prometheus)
    scheduler.add_task(worker="w", task_id="T", family="F", params={})
    assert scheduler.get_work(worker="w")["task_id"] == "T"
    scheduler.add_task(worker="w", task_id="T", family="F", status="DONE")
    registry = scheduler._state._metrics_collector.registry
    assert registry.get_sample_value("luigi_task_started_total", {"family": "F"}) == 1
    assert registry.get_sample_value("luigi_task_done_total", {"family": "F"}) == 1
