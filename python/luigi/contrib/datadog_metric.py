"""Metrics and events of a scheduler's tasks for Datadog."""

from __future__ import annotations

import logging
from typing import Any

from luigi import parameter
from luigi.metrics import MetricsCollector
from luigi.task import Config

logger = logging.getLogger("luigi-interface")

try:
    from datadog import api, initialize, statsd
except ImportError:
    logger.warning(
        "Loading datadog module without datadog installed. Will crash at runtime if datadog functionality is used."
    )


class datadog(Config):
    """The section ``[datadog]``."""

    api_key = parameter.Parameter(default="dummy_api_key", description="key for Datadog's API")
    app_key = parameter.Parameter(default="dummy_app_key", description="key of the application at Datadog")
    default_tags = parameter.Parameter(
        default="application:luigi", description="tags of every metric and event, parted by commas"
    )
    environment = parameter.Parameter(
        default="development", description="where the pipeline runs, such as production; told as a tag"
    )
    metric_namespace = parameter.Parameter(
        default="luigi", description="what the metrics' names begin with, as in luigi.task.started"
    )
    statsd_host = parameter.Parameter(default="localhost", description="machine on which Datadog's agent listens")
    statsd_port = parameter.IntParameter(default=8125, description="port on which Datadog's agent listens")


# The settings that Datadog's library takes, under the same names.
_CLIENT_SETTINGS = ("api_key", "app_key", "statsd_host", "statsd_port")


class DatadogMetricsCollector(MetricsCollector):
    """Tells Datadog what becomes of the tasks: metrics through its agent, events through its API."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._config = datadog(**kwargs)
        initialize(**{name: getattr(self._config, name) for name in _CLIENT_SETTINGS})

    def handle_task_started(self, task: Any) -> None:
        """Tell that a task begins to run."""
        self._send_increment("task.started", tags=self._tags_of(task))
        text = "A task has been started in the pipeline named: {name}".format(name=task.family)
        self._tell(task, "STARTED", "Luigi: A task has been started!", text, "info", "low")

    def handle_task_failed(self, task: Any) -> None:
        """Tell that a task failed."""
        self._send_increment("task.failed", tags=self._tags_of(task))
        text = "A task has failed in the pipeline named: {name}".format(name=task.family)
        self._tell(task, "FAILED", "Luigi: A task has failed!", text, "error", "normal")

    def handle_task_disabled(self, task: Any, config: Any) -> None:
        """Tell that a task failed too often to be tried again for a while."""
        self._send_increment("task.disabled", tags=self._tags_of(task))
        text = (
            "A task has been disabled in the pipeline named: {name}. "
            "The task has failed {failures} times in the last {window} "
            "seconds, so it is being disabled for {persist} seconds."
        ).format(
            name=task.family,
            failures=config.retry_count,
            window=config.disable_window,
            persist=config.disable_persist,
        )
        self._tell(task, "DISABLED", "Luigi: A task has been disabled!", text, "error", "normal")

    def handle_task_done(self, task: Any) -> None:
        """Tell that a task succeeded and how long it took, unless it was done before it ran."""
        if task.time_running is None:
            return
        tags = self._tags_of(task)
        self._send_increment("task.done", tags=tags)
        self._send_gauge("task.execution_time", task.updated - task.time_running, tags=tags)
        text = "A task has completed in the pipeline named: {name}".format(name=task.family)
        self._tell(task, "DONE", "Luigi: A task has been completed!", text, "info", "low")

    def _tell(self, task: Any, state: str, title: str, text: str, alert_type: str, priority: str) -> None:
        tags = self._tags_of(task) + ["task_state:%s" % state]
        self._send_event(title=title, text=text, tags=tags, alert_type=alert_type, priority=priority)

    def _send_event(self, **params: Any) -> None:
        api.Event.create(**{**params, "tags": params["tags"] + self.default_tags})

    def _send_gauge(self, metric_name: str, value: float, tags: list[str] | None = None) -> None:
        statsd.gauge(self._full_name(metric_name), value, tags=(tags or []) + self.default_tags)

    def _send_increment(self, metric_name: str, value: int = 1, tags: list[str] | None = None) -> None:
        statsd.increment(self._full_name(metric_name), value, tags=(tags or []) + self.default_tags)

    def _full_name(self, metric_name: str) -> str:
        return "{}.{}".format(self._config.metric_namespace, metric_name)

    def _tags_of(self, task: Any) -> list[str]:
        return ["task_name:{}".format(task.family), *self._format_task_params_to_tags(task)]

    def _format_task_params_to_tags(self, task: Any) -> list[str]:
        return ["{}:{}".format(name, value) for name, value in task.params.items()]

    @property
    def default_tags(self) -> list[str]:
        """The tags of every metric and event: the environment, and those that are configured."""
        configured = self._config.default_tags
        return ["environment:{}".format(self._config.environment), *(configured.split(",") if configured else [])]
