"""Runs `luigid` in the background: its pid file, its log files, and leaving the terminal."""

from __future__ import annotations

import datetime
import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import logging.handlers
    from collections.abc import Callable, Iterator

rootlogger = logging.getLogger()
server_logger = logging.getLogger("luigi.server")

#: The folder of the log files when none is named.
LOGDIR = "/var/log/luigi"


def check_pid(pidfile: str | None) -> int:
    """The process id in `pidfile` if that process is alive, otherwise 0."""
    if not pidfile:
        return 0
    try:
        with open(pidfile) as file:
            pid = int(file.read())
        os.kill(pid, 0)
    except (OSError, ValueError, OverflowError):
        return 0
    return pid


def write_pid(pidfile: str) -> None:
    """Writes this process's id into `pidfile`, and makes the folder for it."""
    server_logger.info("Writing pid file")
    folder = os.path.dirname(pidfile)
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(pidfile, "w") as file:
        file.write(str(os.getpid()))


def get_log_format() -> str:
    """How a line of the server's log looks."""
    return "%(asctime)s %(name)s[%(process)s] %(levelname)s: %(message)s"


def get_spool_handler(filename: str) -> logging.handlers.TimedRotatingFileHandler:
    """A log handler that begins a new file every day and keeps seven old ones."""
    from logging.handlers import TimedRotatingFileHandler

    handler = TimedRotatingFileHandler(filename, when="d", backupCount=7, encoding="utf8")
    handler.setFormatter(logging.Formatter(get_log_format()))
    return handler


def _server_already_running(pidfile: str | None) -> bool:
    return check_pid(pidfile) != 0


def daemonize(
    cmd: Callable[..., Any],
    pidfile: str | None = None,
    logdir: str | None = None,
    api_port: int = 8082,
    address: str | None = None,
    unix_socket: str | None = None,
) -> None:
    """Leaves the terminal and calls `cmd(api_port=…, address=…, unix_socket=…)` in the background.

    What it prints and logs goes to files in `logdir` (`/var/log/luigi` by default). If the process of
    `pidfile` is alive, nothing is started.
    """
    logdir = logdir or LOGDIR
    os.makedirs(logdir, exist_ok=True)
    today = datetime.date.today()
    out, err = (open(os.path.join(logdir, f"luigi-server-{today}.{end}"), "a+") for end in ("out", "err"))
    with _detached(out, err):
        rootlogger.addHandler(get_spool_handler(os.path.join(logdir, "luigi-server.log")))
        if pidfile:
            server_logger.info("Checking pid file")
            existing_pid = check_pid(pidfile)
            if existing_pid:
                server_logger.info("Server already running (pid=%s)", existing_pid)
                return
            write_pid(pidfile)
        cmd(api_port=api_port, address=address, unix_socket=unix_socket)


@contextmanager
def _detached(out: TextIO, err: TextIO) -> Iterator[None]:
    """Away from the terminal, with these streams; in the way of the package `python-daemon`, if it is there."""
    try:
        import daemon
    except ImportError:
        _detach(out, err)
        yield
        return
    streams = {"stdout": out, "stderr": err, "working_directory": "."}
    try:
        context = daemon.DaemonContext(initgroups=False, **streams)
    except TypeError:
        # Old versions of python-daemon do not know `initgroups`.
        context = daemon.DaemonContext(**streams)
    with context:
        yield


def _detach(out: TextIO, err: TextIO) -> None:
    """Goes on as a child of nobody."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.umask(0o022)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
