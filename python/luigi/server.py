"""Schedulers over HTTP.

``run`` serves: a scheduler that it is given from this process, else the engine's server, which keeps its state safe all
the time, unless something is configured that only Python does. ``app`` is the same as an application of tornado, for
who has one.
"""

from __future__ import annotations

import datetime
import http.server
import json
import logging
import os
import signal
import socket
import socketserver
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from condotta import _engine
from luigi import _server_answers as answers
from luigi import configuration, parameter
from luigi._scheduler_state import read_state
from luigi.scheduler import RPC_METHODS, Scheduler
from luigi.task import Config

__all__ = ["RPC_METHODS", "app", "cors", "from_utc", "run", "stop"]

logger = logging.getLogger("luigi.server")

#: Seconds between two looks at what is due.
_PRUNE_SECS = 60
#: The longest body of a request, in bytes.
_LONGEST_BODY = 64 << 20


class cors(Config):  # noqa: N801 - the name of the section
    """The section ``[cors]``: which pages of other origins may call the scheduler."""

    enabled = parameter.BoolParameter(default=False, description="Let pages of other origins call the scheduler")
    allowed_origins: Any = parameter.ListParameter(default=(), description="Origins that may, unless any may")
    allow_any_origin = parameter.BoolParameter(default=False, description="Let pages of any origin")
    allow_null_origin = parameter.BoolParameter(default=False, description="Let pages without an origin, such as files")
    max_age = parameter.IntParameter(default=86400, description="The header Access-Control-Max-Age")
    allowed_methods = parameter.Parameter(default="GET, OPTIONS", description="Access-Control-Allow-Methods")
    allowed_headers = parameter.Parameter(
        default="Accept, Content-Type, Origin", description="Access-Control-Allow-Headers"
    )
    exposed_headers = parameter.Parameter(default="", description="Access-Control-Expose-Headers; empty for none")
    allow_credentials = parameter.BoolParameter(default=False, description="Access-Control-Allow-Credentials")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        origins: Any = self.allowed_origins
        self.allowed_origins = {origin for origin in origins if origin not in ("*", "null")}


def from_utc(utcTime: str, fmt: str | None = None) -> int:  # noqa: N803 - the name of the argument is Luigi's
    """Seconds since the epoch of a local time in words; ``ValueError`` when it has another format."""
    for known in [fmt] if fmt else ["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S"]:
        try:
            return int(time.mktime(datetime.datetime.strptime(utcTime, known).timetuple()))
        except ValueError:
            continue
    raise ValueError(f"No UTC format matches {utcTime}")


# The server in this process.


class _Handler(http.server.BaseHTTPRequestHandler):
    """Reads one request after the other from a connection."""

    protocol_version = "HTTP/1.1"
    #: Seconds without a request after which a connection is closed.
    timeout = 120
    server: Any

    def _serve(self) -> None:
        target = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LONGEST_BODY:
            self.close_connection = True
            answer = answers.error(413, "the request is too long")
        else:
            fields = dict(parse_qsl(target.query))
            fields.update(parse_qsl(self.rfile.read(length).decode("utf-8", "replace")))
            answer = self._answer(unquote(target.path), fields.get("data", "{}"))
        self._give(answer)

    def _answer(self, path: str, data: str) -> answers.Answer:
        try:
            with self.server.turn:
                return answers.route(self.server.scheduler, self.command, path, data, self.headers, cors())
        except Exception:
            logger.exception("Uncaught exception %s %s", self.command, path)
            return answers.error(500, "the scheduler failed over this request")

    def _give(self, answer: answers.Answer) -> None:
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.status != 204 and self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_HEAD = do_OPTIONS = _serve

    def address_string(self) -> str:
        return str(self.client_address[0]) if self.client_address else "socket"

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)


class _InetServer(http.server.ThreadingHTTPServer):
    """Listens on a port."""

    daemon_threads = True


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    """Listens on a socket in the file system, and takes the place of one that nobody listens on any more."""

    daemon_threads = True

    def server_bind(self) -> None:
        path = str(self.server_address)
        with socket.socket(socket.AF_UNIX) as probe:
            if os.path.exists(path) and probe.connect_ex(path) != 0:
                os.unlink(path)
        super().server_bind()


def _listen(scheduler: Any, api_port: int, address: str | None, unix_socket: str | None) -> Any:
    server: Any
    if unix_socket is not None:
        server = _UnixServer(unix_socket, _Handler)
    else:
        host = address or "127.0.0.1"
        family = socket.getaddrinfo(host, api_port, type=socket.SOCK_STREAM)[0][0]
        inet = type("_InetServer", (_InetServer,), {"address_family": family})
        server = inet((host, int(api_port)), _Handler)
    server.scheduler, server.turn = scheduler, threading.Lock()
    return server


#: The servers that run in this process.
_running: list[Any] = []


def stop() -> None:
    """Let all servers of this process end."""
    for server in list(_running):
        # The one that serves waits for the end itself, perhaps in this very thread.
        threading.Thread(target=server.shutdown, daemon=True).start()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGINT and the like end the servers, as long as this lasts. Only the main thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGINT", "SIGTERM", "SIGBREAK" if os.name == "nt" else "SIGQUIT")
    before = {name: signal.signal(getattr(signal, name), lambda *_: stop()) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _prune_regularly(server: Any, ended: threading.Event) -> None:
    while not ended.wait(_PRUNE_SECS):
        try:
            with server.turn:
                server.scheduler.prune()
        except Exception:
            logger.exception("Pruning failed")


def _serve(scheduler: Any, api_port: int, address: str | None, unix_socket: str | None) -> None:
    """Serve a scheduler of this process until it is stopped; its state is in its file then."""
    scheduler.load()
    server = _listen(scheduler, api_port, address, unix_socket)
    ended = threading.Event()
    threading.Thread(target=_prune_regularly, args=(server, ended), daemon=True).start()
    _running.append(server)
    try:
        with _stopped_by_signals():
            logger.info("Scheduler starting up")
            server.serve_forever(0.1)
    finally:
        _running.remove(server)
        ended.set()
        server.server_close()
        logger.info("Scheduler instance shutting down")
        with server.turn:
            scheduler.dump()
        if unix_socket is not None:
            os.unlink(unix_socket)


# The engine's server.


def _only_in_python() -> list[str]:
    """What is configured that the engine's server does not do."""
    from luigi.notifications import email
    from luigi.scheduler import scheduler

    settings = scheduler()
    wants = []
    if settings.record_task_history:
        wants.append("[scheduler] record_task_history")
    if settings.metrics_collector.name in ("datadog", "custom"):
        wants.append(f"[scheduler] metrics_collector = {settings.metrics_collector.name}")
    mail = email()
    if (settings.batch_emails or mail.receiver) and mail.method != "smtp":
        wants.append(f"[email] method = {mail.method}")
    return wants


#: What was typed to serve, but for the addresses: the advice that the engine's server gives begins with it.
_command: str | None = None


def _run_engine(api_port: int, address: str | None, unix_socket: str | None, more: list[str]) -> int:
    """The engine's server, with the settings of this process."""
    words = ["scheduler", "--port", str(api_port)]
    if address:
        words += ["--address", address]
    if unix_socket:
        words += ["--unix-socket", unix_socket]
    state_path = configuration.get_config().get("scheduler", "state_path", None)
    if state_path and "--state-dir" not in more:
        # Luigi's file stays what it is; the engine's state is a directory beside it.
        words += ["--state-dir", f"{state_path}.d"]
        _take_over(state_path, f"{state_path}.d")
    return _engine.main(
        [*words, *more], command=_command or f"luigid --port {api_port}", settings=_settings_of_this_process()
    )


def _take_over(state_path: str, state_dir: str) -> None:
    """What Luigi's own server left in its file is the engine's first state."""
    if os.path.exists(state_dir) or not os.path.isfile(state_path) or os.path.getsize(state_path) == 0:
        return
    try:
        state = read_state(state_path)
    except (OSError, ValueError):
        logger.exception("The state in %s cannot be read. Starting from empty state.", state_path)
        return
    with tempfile.NamedTemporaryFile() as export:
        export.write(state)
        export.flush()
        if _engine.main(["state", "import", state_dir, export.name]) == 0:
            logger.info("The state in %s was taken over into %s", state_path, state_dir)


def _settings_of_this_process() -> list[tuple[str, str, str]]:
    """What the sections that a scheduler reads say here: section, name and value."""
    config: Any = configuration.get_config()
    settings = []
    for section in ("scheduler", "resources", "cors", "email", "smtp", "batch_email", "prometheus"):
        if not config.has_section(section):
            continue
        items = config.items(section) if hasattr(config, "items") else config[section].items()
        for name, value in items:
            settings.append((section, name, value if isinstance(value, str) else json.dumps(value)))
    return settings


def run(
    api_port: int = 8082,
    address: str | None = None,
    unix_socket: str | None = None,
    scheduler: Any = None,
    engine_arguments: list[str] | None = None,
) -> None:
    """Serve until a signal, or ``stop``, ends it.

    :param address: where to listen; by default this machine alone can reach it.
    :param unix_socket: a socket in the file system to listen on, and not on a port.
    :param scheduler: an object to serve. Without one, the engine's own server is run, or, when something is configured
        that it does not do, a :py:class:`luigi.scheduler.Scheduler`.
    :param engine_arguments: more of ``condotta scheduler``'s, for the engine's own server.
    """
    if scheduler is None:
        wants = _only_in_python()
        if not wants:
            code = _run_engine(int(api_port), address, unix_socket, engine_arguments or [])
            if code:
                sys.exit(code)
            return
        logger.info("Serving a scheduler of Python, for %s", ", ".join(wants))
        scheduler = Scheduler()
    _serve(scheduler, int(api_port), address, unix_socket)


def app(scheduler: Any) -> Any:
    """An application of tornado that serves `scheduler`."""
    from luigi._server_tornado import application

    return application(scheduler)


def __getattr__(name: str) -> Any:
    """The handlers are classes of tornado, which is loaded for who asks for them."""
    if name.endswith("Handler"):
        try:
            from luigi import _server_tornado
        except ImportError as error:
            raise AttributeError(f"{name} needs tornado: {error}") from error
        return getattr(_server_tornado, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    run()
