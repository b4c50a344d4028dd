"""What a scheduler of this process answers over HTTP: Luigi's calls, metrics, and pages for people.

Knows nothing of sockets. Whatever a task or a worker said goes into pages as text, never as markup.
"""

from __future__ import annotations

import html
import json
import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from luigi.scheduler import RPC_METHODS
from luigi.task_status import BATCH_RUNNING, DISABLED, DONE, FAILED, PENDING, RUNNING, UNKNOWN

logger = logging.getLogger("luigi.server")

JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=UTF-8"

#: Methods that only show something. The others may not be called by following a link.
READS = frozenset(
    "dep_graph fetch_error get_running_task_resources get_task_progress_percentage get_task_status_message graph "
    "has_task_history inverse_dep_graph is_pause_enabled is_paused resource_list task_list task_search "
    "worker_list".split()
)


class Answer(NamedTuple):
    """An answer over HTTP."""

    status: int
    body: str | bytes = ""
    content_type: str = HTML
    headers: tuple[tuple[str, str], ...] = ()


def error(status: int, text: str) -> Answer:
    """Say what went wrong."""
    return Answer(status, f"<html><title>{status}: {html.escape(text)}</title><body>{html.escape(text)}</body></html>")


def call(scheduler: Any, method: str, data: str, verb: str, headers: Any, cors: Any) -> Answer:
    """Call a method of the scheduler with the JSON object `data` as its keyword arguments."""
    if method not in RPC_METHODS or not hasattr(scheduler, method):
        return error(404, f"there is no method {method}")
    if method not in READS:
        if verb == "GET":
            return Answer(*error(405, f"{method} changes something: use POST")[:3], (("Allow", "POST, OPTIONS"),))
        if not _same_origin(headers) and not _allowed_origin(headers, cors):
            return error(403, "this page may not call the scheduler")
    try:
        arguments = json.loads(data.strip())
        reply = getattr(scheduler, method)(**arguments)
    except (TypeError, ValueError, LookupError, AssertionError) as problem:
        logger.warning("%s: %s: %s", method, type(problem).__name__, problem)
        return error(400, f"{method}: {problem or type(problem).__name__}")
    body = json.dumps({"response": reply}).replace("</", "<\\/")
    return Answer(200, body, JSON, tuple(call_headers(headers, cors)))


def _same_origin(headers: Any) -> bool:
    origin = headers.get("Origin")
    return not origin or urlsplit(origin).netloc == headers.get("Host")


def _allowed_origin(headers: Any, cors: Any) -> str | None:
    """What `Access-Control-Allow-Origin` says to this request, if anything."""
    origin = headers.get("Origin")
    if not origin or not cors.enabled:
        return None
    if origin == "null":
        return "null" if cors.allow_null_origin else None
    if cors.allow_any_origin:
        return "*"
    return origin if origin in cors.allowed_origins else None


def call_headers(headers: Any, cors: Any) -> Iterable[tuple[str, str]]:
    """What a page of another origin is told with an answer."""
    allowed = _allowed_origin(headers, cors)
    if allowed:
        yield "Access-Control-Allow-Origin", allowed
        if allowed not in ("*", "null"):
            yield "Vary", "Origin"


def preflight(headers: Any, cors: Any) -> Answer:
    """What a page of another origin may do."""
    allowed = _allowed_origin(headers, cors)
    if not allowed:
        return Answer(204)
    told = [
        ("Access-Control-Allow-Origin", allowed),
        ("Access-Control-Max-Age", str(cors.max_age)),
        ("Access-Control-Allow-Methods", cors.allowed_methods),
        ("Access-Control-Allow-Headers", cors.allowed_headers),
    ]
    if cors.allow_credentials:
        told.append(("Access-Control-Allow-Credentials", "true"))
    if cors.exposed_headers:
        told.append(("Access-Control-Expose-Headers", cors.exposed_headers))
    return Answer(204, headers=tuple(told))


def root(verb: str) -> Answer:
    """To the first page, below whatever path a proxy puts in front; to HEAD, that the server lives."""
    return Answer(204) if verb == "HEAD" else Answer(302, headers=(("Location", "static/visualiser/index.html"),))


# Pages.

_STYLE = "body{font:14px sans-serif;margin:2em}td,th{text-align:left;padding:2px 12px;border-bottom:1px solid #ccc}"


def _page(title: str, *parts: str) -> Answer:
    head = f'<meta charset="UTF-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    body = f"<h1>{html.escape(title)}</h1>\n" + "\n".join(parts)
    return Answer(200, f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n')


def _table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Cells are texts; one that is a pair is a link: its text and where to."""

    def cell(value: Any) -> str:
        if isinstance(value, tuple):
            return f'<a href="{html.escape(value[1])}">{html.escape(str(value[0]))}</a>'
        return html.escape("" if value is None else str(value))

    lines = ["".join(f"<td>{cell(value)}</td>" for value in row) for row in rows]
    if not lines:
        return "<p>None.</p>"
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    return f"<table>\n<tr>{head}</tr>\n" + "\n".join(f"<tr>{line}</tr>" for line in lines) + "\n</table>"


def status_page(scheduler: Any) -> Answer:
    """Tasks by status, workers, resources."""
    statuses = (PENDING, RUNNING, BATCH_RUNNING, DONE, FAILED, DISABLED, UNKNOWN)
    counts = [(status, scheduler._state.get_active_task_count_for_status(status)) for status in statuses]
    workers = [
        (worker["name"], worker.get("host"), worker["state"], worker["first_task_display_name"])
        for worker in scheduler.worker_list(include_running=False)
    ]
    resources = [(item["name"], item["num_used"], item["num_total"]) for item in scheduler.resource_list()]
    parts = ["<h2>Tasks</h2>", _table(("Status", "Tasks"), counts)]
    parts += ["<h2>Workers</h2>", _table(("Worker", "Host", "State", "First task"), workers)]
    parts += ["<h2>Resources</h2>", _table(("Resource", "In use", "Limit"), resources)]
    if scheduler.has_task_history():
        parts.append('<p><a href="../../history">Task history</a></p>')
    return _page("Luigi scheduler", *parts)


def history_page(scheduler: Any, title: str, find: Callable[[Any, Any], Iterable[Any]], above: str) -> Answer:
    """Runs that the task history knows; `find` gets the history and a session, `above` leads to the first page."""
    if not scheduler.has_task_history():
        return error(404, "no task history is recorded")
    history = scheduler.task_history
    with history._session(None) as session:
        rows = []
        for task in find(history, session):
            if task is None:
                return error(404, "there is no such run")
            last = task.events[0] if task.events else None
            params = ", ".join(f"{name}={param.value}" for name, param in sorted(task.parameters.items()))
            rows.append(
                (
                    (task.name, f"{above}history/by_name/{quote(task.name, safe='')}"),
                    params,
                    task.host,
                    last and last.event_name,
                    last and last.ts,
                    (task.id, f"{above}history/by_id/{task.id}"),
                )
            )
    return _page(title, _table(("Name", "Parameters", "Host", "Last event", "At", "Run"), rows))


def run_page(scheduler: Any, find: Callable[[Any, Any], Any]) -> Answer:
    """One run with all its events."""
    if not scheduler.has_task_history():
        return error(404, "no task history is recorded")
    history = scheduler.task_history
    with history._session(None) as session:
        task = find(history, session)
        if task is None:
            return error(404, "there is no such run")
        params = [(name, param.value) for name, param in sorted(task.parameters.items())]
        events = [(event.event_name, event.ts) for event in task.events]
        parts = [f"<p>{html.escape(str(task.task_id))} on {html.escape(str(task.host))}</p>"]
        parts += ["<h2>Parameters</h2>", _table(("Parameter", "Value"), params)]
        parts += ["<h2>Events</h2>", _table(("Event", "At"), events)]
        return _page(str(task.name), *parts)


def names_page(scheduler: Any) -> Answer:
    """The families of all recorded runs."""
    if not scheduler.has_task_history():
        return error(404, "no task history is recorded")
    names = sorted({str(task.name) for task in scheduler.task_history.find_all_runs()})
    return _page("Tasks", _table(("Name",), [((name, f"tasklist/{quote(name, safe='')}"),) for name in names]))


def events_page(scheduler: Any, name: str) -> Answer:
    """The events of all recorded runs of a family."""
    if not scheduler.has_task_history():
        return error(404, "no task history is recorded")
    history = scheduler.task_history
    runs = {task.id for task in history.find_all_runs() if str(task.name) == name}
    events = [event for event in history.find_all_events() if event.task_id in runs]
    return _page(
        name, _table(("Run", "Event", "At"), [(event.task_id, event.event_name, event.ts) for event in events])
    )


# Where what is.


class _Recorder:
    """Takes the headers that a metrics collector sets."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}

    def set_header(self, name: str, value: str) -> None:
        self.headers[name] = value


def metrics(scheduler: Any) -> Answer:
    """What the metrics collector counted."""
    collector = scheduler._state._metrics_collector
    counted = collector.generate_latest()
    if not counted:
        return Answer(200)
    recorder = _Recorder()
    collector.configure_http_handler(recorder)
    return Answer(200, counted, recorder.headers.get("Content-Type", HTML))


def history(scheduler: Any, path: str, data: str) -> Answer:
    """The pages of the task history, by what stands behind `/history`."""
    kind, _, rest = path.strip("/").partition("/")
    if not kind:
        return history_page(scheduler, "Recent runs", lambda known, session: known.find_latest_runs(session), "")
    if kind == "by_name":
        return history_page(scheduler, rest, lambda known, session: known.find_all_by_name(rest, session), "../../")
    if kind == "by_params":
        wanted = json.loads(data)
        return history_page(
            scheduler,
            rest,
            lambda known, session: known.find_all_by_parameters(rest, session=session, **wanted),
            "../../",
        )
    if kind == "by_id" and rest.isdecimal():
        return run_page(scheduler, lambda known, session: known.find_task_by_id(int(rest), session))
    if kind == "by_task_id":
        return run_page(scheduler, lambda known, session: known.find_task_by_task_id(rest, session))
    return error(404, "there is nothing here")


def route(scheduler: Any, verb: str, path: str, data: str, headers: Any, cors: Any) -> Answer:
    """The answer to any request. `data` is its field of this name, `path` is decoded."""
    first, _, rest = path.lstrip("/").partition("/")
    if first == "api":
        if verb == "OPTIONS":
            return preflight(headers, cors)
        return call(scheduler, rest, data, verb, headers, cors) if verb in ("GET", "POST") else error(405, verb)
    if verb not in ("GET", "HEAD"):
        return error(405, verb)
    if not first:
        return root(verb)
    if path in ("/static/visualiser/", "/static/visualiser/index.html"):
        return status_page(scheduler)
    if path == "/metrics":
        return metrics(scheduler)
    if first == "history":
        return history(scheduler, rest, data)
    if first == "tasklist":
        return events_page(scheduler, rest) if rest else names_page(scheduler)
    return error(404, "there is nothing here")
