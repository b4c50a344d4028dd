"""Where the scheduler counts its tasks: nowhere, Datadog, Prometheus, or a class of the user's."""

from __future__ import annotations

import abc
from enum import Enum
from typing import Any


class MetricsCollectors(Enum):
    """The values of `[scheduler] metrics_collector`."""

    custom = -1
    default = 1
    none = 1
    datadog = 2
    prometheus = 3

    @classmethod
    def get(cls, which: MetricsCollectors, custom_import: str | None = None) -> MetricsCollector:
        """Makes the collector. For `custom`, `custom_import` is the dotted path of its class.

        Raises `ValueError` for a value that is not of this enum, and for a custom class that is not
        given or not a `MetricsCollector`.
        """
        if which == cls.none:
            return NoMetricsCollector()
        if which == cls.datadog:
            from luigi.contrib.datadog_metric import DatadogMetricsCollector

            return DatadogMetricsCollector()
        if which == cls.prometheus:
            from luigi.contrib.prometheus_metric import PrometheusMetricsCollector

            return PrometheusMetricsCollector()
        if which == cls.custom:
            return _custom_class(which, custom_import)()
        raise ValueError("MetricsCollectors value ' {0} ' isn't supported", which)


def _custom_class(which: MetricsCollectors, custom_import: str | None) -> type[MetricsCollector]:
    if custom_import is None:
        raise ValueError(f"MetricsCollectors value ' {which} ' is -1 and custom_import is None")
    import importlib

    module, _, name = custom_import.rpartition(".")
    collector = getattr(importlib.import_module(module), name)
    if not issubclass(collector, MetricsCollector):
        raise ValueError(f"Custom Import: {custom_import} is not a subclass of MetricsCollector")
    return collector


class MetricsCollector(metaclass=abc.ABCMeta):
    """What the scheduler tells a collector, and what `/metrics` asks of it."""

    @abc.abstractmethod
    def __init__(self) -> None:
        """A collector is made without arguments and reads its own configuration."""

    @abc.abstractmethod
    def handle_task_started(self, task: Any) -> None:
        """A task was given to a worker."""

    @abc.abstractmethod
    def handle_task_failed(self, task: Any) -> None:
        """A task failed."""

    @abc.abstractmethod
    def handle_task_disabled(self, task: Any, config: Any) -> None:
        """A task was disabled; `config` is the scheduler's."""

    @abc.abstractmethod
    def handle_task_done(self, task: Any) -> None:
        """A task is done."""

    def handle_task_statistics(self, task: Any, statistics: dict[str, Any]) -> None:
        """A worker reported figures of a task."""

    def generate_latest(self) -> Any:
        """The text for `/metrics`, or None if there is none."""
        return None

    def configure_http_handler(self, http_handler: Any) -> None:
        """Sets the headers of the answer from `/metrics`."""


class NoMetricsCollector(MetricsCollector):
    """Counts nothing."""

    def __init__(self) -> None:
        pass

    def handle_task_started(self, task: Any) -> None:
        """Does nothing."""

    def handle_task_failed(self, task: Any) -> None:
        """Does nothing."""

    def handle_task_disabled(self, task: Any, config: Any) -> None:
        """Does nothing."""

    def handle_task_done(self, task: Any) -> None:
        """Does nothing."""
