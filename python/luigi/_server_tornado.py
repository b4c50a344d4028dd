"""The handlers of an application of tornado that serves a scheduler."""

from __future__ import annotations

from typing import Any

import tornado.web

from luigi import _server_answers as answers


class _Handler(tornado.web.RequestHandler):
    """Gives what the scheduler answers."""

    def initialize(self, scheduler: Any) -> None:
        self._scheduler = scheduler

    def _give(self, answer: answers.Answer) -> None:
        self.set_status(answer.status)
        for name, value in answer.headers:
            self.set_header(name, value)
        if answer.status == 204:
            self.finish()
        else:
            self.set_header("Content-Type", answer.content_type)
            self.finish(answer.body)

    def _data(self) -> str:
        return self.get_argument("data", default="{}")


class RPCHandler(_Handler):
    """Luigi's calls."""

    def options(self, *args: str) -> None:
        self._give(answers.preflight(self.request.headers, _cors()))

    def get(self, method: str) -> None:
        headers = self.request.headers
        self._give(answers.call(self._scheduler, method, self._data(), self.request.method or "", headers, _cors()))

    post = get


def _cors() -> Any:
    from luigi.server import cors

    return cors()


class BaseTaskHistoryHandler(_Handler):
    """What is read from the task history."""


class RootPathHandler(BaseTaskHistoryHandler):
    """The way to the first page."""

    def get(self) -> None:
        self._give(answers.root("GET"))

    def head(self) -> None:
        self._give(answers.root("HEAD"))


class StatusHandler(_Handler):
    """The first page."""

    def get(self) -> None:
        self._give(answers.status_page(self._scheduler))


class AllRunHandler(BaseTaskHistoryHandler):
    """The families of all runs."""

    def get(self) -> None:
        self._give(answers.names_page(self._scheduler))


class SelectedRunHandler(BaseTaskHistoryHandler):
    """The events of a family's runs."""

    def get(self, name: str) -> None:
        self._give(answers.events_page(self._scheduler, name))


class RecentRunHandler(BaseTaskHistoryHandler):
    """Runs: the latest, or those of a name, an id or parameters."""

    kind = ""

    def get(self, wanted: str = "") -> None:
        self._give(answers.history(self._scheduler, f"{self.kind}/{wanted}", self._data()))


class ByNameHandler(RecentRunHandler):
    """The runs of a family."""

    kind = "by_name"


class ByIdHandler(RecentRunHandler):
    """The run of a number."""

    kind = "by_id"


class ByTaskIdHandler(RecentRunHandler):
    """The latest run of a task."""

    kind = "by_task_id"


class ByParamsHandler(RecentRunHandler):
    """The runs of a family with these parameters."""

    kind = "by_params"


class MetricsHandler(tornado.web.RequestHandler):
    """What the metrics collector counted."""

    def initialize(self, scheduler: Any) -> None:
        self._scheduler = scheduler

    def get(self) -> None:
        collector = self._scheduler._state._metrics_collector
        counted = collector.generate_latest()
        if counted:
            collector.configure_http_handler(self)
            self.write(counted)


def application(scheduler: Any) -> tornado.web.Application:
    """Everything that a scheduler shows."""
    routes: list[tuple[str, Any]] = [
        (r"/api/(.*)", RPCHandler),
        (r"/", RootPathHandler),
        (r"/static/visualiser/(?:index\.html)?", StatusHandler),
        (r"/tasklist", AllRunHandler),
        (r"/tasklist/(.*?)", SelectedRunHandler),
        (r"/history", RecentRunHandler),
        (r"/history/by_name/(.*?)", ByNameHandler),
        (r"/history/by_id/(.*?)", ByIdHandler),
        (r"/history/by_task_id/(.*?)", ByTaskIdHandler),
        (r"/history/by_params/(.*?)", ByParamsHandler),
        (r"/metrics", MetricsHandler),
    ]
    handlers = [(path, handler, {"scheduler": scheduler}) for path, handler in routes]
    return tornado.web.Application(handlers, compress_response=True)
