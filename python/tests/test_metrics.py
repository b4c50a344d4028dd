"""Which collector of metrics a configuration gives."""

import sys
import types

import pytest

from luigi.metrics import MetricsCollector, MetricsCollectors, NoMetricsCollector


class Counting(NoMetricsCollector):
    """A collector of the user's."""


def test_no_collector_is_the_default():
    assert MetricsCollectors.default is MetricsCollectors.none
    assert type(MetricsCollectors.get(MetricsCollectors.none)) is NoMetricsCollector


def test_the_collector_that_collects_nothing_answers_everything():
    collector = NoMetricsCollector()
    assert collector.handle_task_started(None) is None
    assert collector.handle_task_failed(None) is None
    assert collector.handle_task_disabled(None, None) is None
    assert collector.handle_task_done(None) is None
    assert collector.handle_task_statistics(None, {}) is None
    assert collector.generate_latest() is None
    assert collector.configure_http_handler(None) is None


@pytest.mark.parametrize(
    ("kind", "module", "name"),
    [
        (MetricsCollectors.datadog, "luigi.contrib.datadog_metric", "DatadogMetricsCollector"),
        (MetricsCollectors.prometheus, "luigi.contrib.prometheus_metric", "PrometheusMetricsCollector"),
    ],
)
def test_a_service_is_imported_when_it_is_asked_for(kind, module, name, monkeypatch):
    collectors = types.ModuleType(module)
    setattr(collectors, name, Counting)
    monkeypatch.setitem(sys.modules, module, collectors)
    assert type(MetricsCollectors.get(kind)) is Counting


def test_a_class_of_the_users_is_found_by_its_path():
    collector = MetricsCollectors.get(MetricsCollectors.custom, f"{__name__}.Counting")
    assert type(collector) is Counting


def test_what_is_no_collector_is_refused():
    with pytest.raises(ValueError, match="is -1 and custom_import is None"):
        MetricsCollectors.get(MetricsCollectors.custom)
    with pytest.raises(ValueError, match="Custom Import: datetime.date is not a subclass of MetricsCollector"):
        MetricsCollectors.get(MetricsCollectors.custom, "datetime.date")
    with pytest.raises(ValueError, match="isn't supported"):
        MetricsCollectors.get("other")
    with pytest.raises(TypeError, match="abstract"):
        MetricsCollector()
