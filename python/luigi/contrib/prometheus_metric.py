"""Metrics of a scheduler's tasks for Prometheus, which reads them from the server's page ``/metrics``."""

from __future__ import annotations

from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest

from luigi import parameter
from luigi.metrics import MetricsCollector
from luigi.task import Config


class prometheus(Config):
    """The section ``[prometheus]``."""

    use_task_family_in_labels = parameter.BoolParameter(
        default=True,
        parsing=parameter.BoolParameter.EXPLICIT_PARSING,
        description="whether the label family tells the tasks' families apart",
    )
    task_parameters_to_use_in_labels = parameter.ListParameter(
        default=(), description="names of task parameters whose values become labels"
    )


class PrometheusMetricsCollector(MetricsCollector):
    """Counts tasks and notes how long they ran, by labels.

    :raises ValueError: if the configuration leaves no label.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        config = prometheus(**kwargs)
        self.labels = list(config.task_parameters_to_use_in_labels)
        if config.use_task_family_in_labels:
            self.labels.append("family")
        if not self.labels:
            raise ValueError("Prometheus labels cannot be empty (see prometheus configuration)")

        self.registry = CollectorRegistry()
        self.task_started_counter = self._counter("started")
        self.task_failed_counter = self._counter("failed")
        self.task_disabled_counter = self._counter("disabled")
        self.task_done_counter = self._counter("done")
        self.task_execution_time = Gauge(
            "luigi_task_execution_time_seconds",
            "luigi task execution time in seconds",
            self.labels,
            registry=self.registry,
        )

    def _counter(self, event: str) -> Counter:
        name, text = "luigi_task_%s_total" % event, "number of %s luigi tasks" % event
        return Counter(name, text, self.labels, registry=self.registry)

    def _generate_task_labels(self, task: Any) -> dict[str, Any]:
        return {label: task.family if label == "family" else task.params.get(label) for label in self.labels}

    def _set_execution_time(self, task: Any) -> None:
        gauge = self.task_execution_time.labels(**self._generate_task_labels(task))
        gauge.set(task.updated - task.time_running)

    def generate_latest(self) -> bytes:
        """The metrics as text."""
        return generate_latest(self.registry)

    def handle_task_started(self, task: Any) -> None:
        """Count a start; its time is there from now on, as zero."""
        labels = self._generate_task_labels(task)
        self.task_started_counter.labels(**labels).inc()
        self.task_execution_time.labels(**labels)

    def handle_task_failed(self, task: Any) -> None:
        """Count a failure and note the time."""
        self.task_failed_counter.labels(**self._generate_task_labels(task)).inc()
        self._set_execution_time(task)

    def handle_task_disabled(self, task: Any, config: Any) -> None:
        """Count a task that is not tried any more, and note the time."""
        self.task_disabled_counter.labels(**self._generate_task_labels(task)).inc()
        self._set_execution_time(task)

    def handle_task_done(self, task: Any) -> None:
        """Count a success and note the time, unless the task was done before it ran."""
        self.task_done_counter.labels(**self._generate_task_labels(task)).inc()
        if task.time_running is not None:
            self._set_execution_time(task)

    def configure_http_handler(self, http_handler: Any) -> None:
        """Say what kind of text the metrics are."""
        http_handler.set_header("Content-Type", CONTENT_TYPE_LATEST)
