"""The scheduler behind a server, called as if it were in this process.

The engine sends the requests. ``URLLibFetcher`` and ``RequestsFetcher`` send them from Python, for those who want one
of them: assign it to ``_fetcher`` of a :py:class:`RemoteScheduler`.
"""

from __future__ import annotations

import abc
import json
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from condotta import _engine
from luigi import configuration
from luigi.scheduler import RPC_METHODS

logger = logging.getLogger("luigi-interface")

#: The engine speaks to sockets in the file system.
HAS_UNIX_SOCKET = True
#: Whether connections are kept open between requests. Without, each request is one of ``urllib``.
HAS_REQUESTS = True

#: Where nobody listens, the server is looked for after so many seconds, then after twice as many, up to the latter.
_LOOK_SOON, _LOOK_SELDOM = 0.1, 5.0
#: A random part of each such wait, so that many workers do not all come back at one moment.
_JITTER = 0.25

#: So many tasks are announced in one request to a server that takes many.
_TASKS_AT_ONCE = 500
#: And so many bytes of them: a proxy on the way may take less than the server does.
_BYTES_AT_ONCE = 200 << 10


def _urljoin(base: str, url: str) -> str:
    """The URL below `base`, which keeps its own path and may have any scheme."""
    from urllib.parse import urljoin, urlsplit, urlunsplit

    parts = urlsplit(base)
    suffix = url if url.startswith("/") else f"/{url}"
    joined = urlsplit(urljoin(urlunsplit(parts._replace(scheme="http")), parts.path + suffix))
    return urlunsplit(joined._replace(scheme=parts.scheme))


def _shown(url: str) -> str:
    """The URL without its password."""
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(url)
    user, colon, _ = parts.netloc.rpartition("@")[0].partition(":")
    if not colon:
        return url
    return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc.rpartition('@')[2]}"))


class RPCError(Exception):
    """The server did not answer, or not as it should. ``sub_exception`` is what happened at last."""

    def __init__(self, message: str, sub_exception: BaseException | None = None) -> None:
        super().__init__(message)
        self.sub_exception = sub_exception


class _FetcherInterface(metaclass=abc.ABCMeta):
    """Sends one request, once."""

    #: What `fetch` raises when there is no answer.
    raises: Any

    @abc.abstractmethod
    def fetch(self, full_url: str, body: Any, timeout: float) -> str:
        """Put the form `body` to a URL; the text of the answer."""

    @abc.abstractmethod
    def close(self) -> None:
        """Close what is open."""


class URLLibFetcher(_FetcherInterface):
    """Sends requests with the standard library, each over a connection of its own."""

    raises = (OSError,)

    def _create_request(self, full_url: str, body: Any = None) -> Any:
        """The request; a name and a password in the URL become its header."""
        import base64
        from urllib.parse import urlencode, urlsplit, urlunsplit
        from urllib.request import Request

        parts = urlsplit(full_url)
        headers = {}
        if parts.username:
            pair = f"{parts.username}:{parts.password or ''}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
            full_url = urlunsplit(parts._replace(netloc=parts.netloc.partition("@")[2]))
        return Request(full_url, data=urlencode(body).encode() if body else None, headers=headers)

    def fetch(self, full_url: str, body: Any, timeout: float) -> str:
        from urllib.request import urlopen

        with urlopen(self._create_request(full_url, body), timeout=timeout) as answer:
            return answer.read().decode()

    def close(self) -> None:
        pass


class RequestsFetcher(_FetcherInterface):
    """Sends requests with the package ``requests``."""

    def __init__(self) -> None:
        from requests.exceptions import RequestException

        self.raises = RequestException
        self._renew()

    def _renew(self) -> None:
        try:
            import requests_unixsocket as requests
        except ImportError:
            import requests
        self.session = requests.Session()
        self.process_id = os.getpid()

    def check_pid(self) -> None:
        """Take another session in a process that was forked: sessions cannot be shared."""
        if os.getpid() != self.process_id:
            self._renew()

    def fetch(self, full_url: str, body: Any, timeout: float) -> str:
        self.check_pid()
        answer = self.session.post(full_url, data=body, timeout=timeout)
        answer.raise_for_status()
        return answer.text

    def close(self) -> None:
        self.session.close()


class _EngineFetcher(_FetcherInterface):
    """Lets the engine send requests to one server."""

    raises = (OSError,)

    def __init__(self, url: str, token: str | None = None, ca_file: str | None = None) -> None:
        self._url = url
        self._token = token
        self._ca_file = ca_file
        self._clients: dict[tuple[int, float], _engine.HttpClient] = {}

    def _client(self, timeout: float) -> _engine.HttpClient:
        # A connection cannot be shared with the process that this one was forked from, nor closed here.
        key = (os.getpid(), timeout)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = _engine.HttpClient(self._url, timeout, self._token, self._ca_file)
        return client

    def fetch(self, full_url: str, body: Any, timeout: float) -> str:
        client = self._client(timeout)
        if full_url.startswith(self._url) and isinstance(body, dict) and list(body) == ["data"]:
            return client.post(full_url[len(self._url) :], body["data"])
        return URLLibFetcher().fetch(full_url, body, timeout)

    def run_logs(self, worker: str, timeout: float) -> _engine.RunLogs:
        """What sends to the same server what the worker's runs print."""
        return _engine.RunLogs(self._url, worker, timeout, self._token, self._ca_file)

    def work_watch(self, worker: str, timeout: float) -> _engine.WorkWatch:
        """Who waits at the same server for the worker."""
        return _engine.WorkWatch(self._url, worker, timeout, self._token, self._ca_file)

    def close(self) -> None:
        self._clients.clear()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_clients": {}}


class RemoteScheduler:
    """The scheduler that a server has, with the methods of :py:class:`luigi.scheduler.Scheduler`."""

    def __init__(self, url: str = "http://localhost:8082/", connect_timeout: float | None = None) -> None:
        """Nothing is sent yet.

        :param url: where the server is; ``http+unix://%2Fpath%2Fto.sock/`` is a socket in the file system.
        :param connect_timeout: seconds for connecting and for the answer; by default ``[core] rpc-connect-timeout``.
        """
        assert HAS_UNIX_SOCKET or not url.startswith("http+unix://"), "there are no sockets in the file system"
        self._url = url.rstrip("/")
        config = configuration.get_config()
        if connect_timeout is None:
            connect_timeout = config.getfloat("core", "rpc-connect-timeout", 10.0)
        self._connect_timeout = connect_timeout
        self._rpc_retry_attempts = config.getint("core", "rpc-retry-attempts", 3)
        self._rpc_retry_wait = config.getint("core", "rpc-retry-wait", 30)
        self._rpc_log_retries = config.getboolean("core", "rpc-log-retries", True)
        if HAS_REQUESTS:
            token, ca_file = config.get("core", "rpc_token", ""), config.get("core", "rpc_ca_file", "")
            self._fetcher: Any = _EngineFetcher(self._url, token or None, ca_file or None)
        else:
            self._fetcher = URLLibFetcher()
        self._full_urls: dict[str, str] = {}
        self._gathered: list[Any] | None = None
        self._gathering_thread = 0
        # Whether it ever answered. Until then nothing is put aside: the log would say that it was told.
        self._was_there = False
        self._is_ours: bool | None = None
        self._tells_of_work = self._takes_many = isinstance(self._fetcher, _EngineFetcher)

    def wait_for_work(self, worker: str, seconds: float) -> None:
        """Wait so many seconds, or until the server says that there may be work for the worker.

        Stock servers cannot say that; the wait is as long as it may be then.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not self._tells_of_work:
                time.sleep(left)
                return
            # Short requests, so that signals are seen between them.
            try:
                answer = self._ask_once("await_work", {"worker": worker, "seconds": min(left, 1.0)})
                if json.loads(answer)["response"]["ready"]:
                    return
            except _engine.RefusedError:
                self._tells_of_work = False
            except Exception:
                # The next request finds out whether the server is away, and tries again as is configured.
                time.sleep(max(0.0, deadline - time.monotonic()))

    def release_worker(self, worker: str) -> bool:
        """Give back what the worker did not finish, so that others may run it at once.

        Returns False if the server does not do that, or cannot be reached: it finds out by itself later.
        """
        if not isinstance(self._fetcher, _EngineFetcher):
            return False
        try:
            self._ask_once("release_worker", {"worker": worker})
        except Exception:
            return False
        return True

    def is_ours(self, worker: str) -> bool:
        """Whether the server is the engine's. Found out once, by a request that does nothing there."""
        if not isinstance(self._fetcher, _EngineFetcher):
            return False
        if self._is_ours is None:
            try:
                self._ask_once("add_tasks", {"worker": worker, "tasks": []})
                self._is_ours = True
            except _engine.RefusedError:
                self._is_ours = self._takes_many = False
            except Exception:
                return False
        return self._is_ours

    def run_logs(self, worker: str) -> _engine.RunLogs:
        """What sends to the server what the worker's runs print."""
        return self._fetcher.run_logs(worker, self._connect_timeout)

    def work_watch(self, worker: str) -> _engine.WorkWatch:
        """Who says when the server may have something for the worker, while that waits for its runs."""
        return self._fetcher.work_watch(worker, self._connect_timeout)

    def answer_cancel(
        self, worker: str, task_id: str, attempt: int | None, answer: str, *, refused: bool = False
    ) -> None:
        """Say what is done about a run that is to be ended, or that it cannot be. It may get lost."""
        arguments = {"worker": worker, "task_id": task_id, "attempt": attempt, "answer": answer, "refused": refused}
        try:
            self._ask_once("answer_cancel", arguments)
        except Exception:
            logger.warning("The scheduler was not told what is done about %s", task_id, exc_info=True)

    def close(self) -> None:
        """Close the connections to the server."""
        self._fetcher.close()

    def _wait_to_retry(self) -> None:
        """Wait before a request is sent again."""
        time.sleep(self._rpc_retry_wait)

    def _full_url(self, url_suffix: str) -> str:
        full_url = self._full_urls.get(url_suffix)
        if full_url is None:
            full_url = self._full_urls[url_suffix] = _urljoin(self._url, url_suffix)
        return full_url

    def _ask_once(self, method: str, arguments: dict[str, Any]) -> str:
        """The text of the server's answer to a request that is not repeated."""
        body = {"data": json.dumps(arguments)}
        return self._fetcher.fetch(self._full_url(f"/api/{method}"), body, self._connect_timeout)

    def _look_for_server(self, full_url: str, body: Any) -> str | None:
        """Wait before a request is sent again, but send it now and then, as long as nobody is there who might mind.

        The text of the answer, if there is one before the wait is over. A look is no attempt.
        """
        import random

        deadline = time.monotonic() + self._rpc_retry_wait
        usual = _LOOK_SOON
        while time.monotonic() + (pause := usual * (1 + _JITTER * random.random())) < deadline:
            time.sleep(pause)
            usual = min(2 * usual, _LOOK_SELDOM)
            try:
                return self._fetcher.fetch(full_url, body, self._connect_timeout)
            except _engine.NobodyError:
                continue
            except Exception as error:
                # Somebody is there again. The next attempt says what is the matter, at once if that does not pass.
                if not _may_pass(error):
                    return None
                break
        time.sleep(max(0.0, deadline - time.monotonic()))
        return None

    def _fetch(self, url_suffix: str, body: Any) -> str:
        """The text of the server's answer; asked again as often as is configured."""
        full_url = self._full_url(url_suffix)
        attempt = 1
        while True:
            try:
                return self._fetcher.fetch(full_url, body, self._connect_timeout)
            except Exception as error:
                if attempt >= self._rpc_retry_attempts or not _may_pass(error):
                    if isinstance(error, self._fetcher.raises):
                        place = _shown(self._url)
                        message = f"Errors ({attempt} attempts) when connecting to remote scheduler {place!r}"
                        # The last line is what people read. What others raise may have the password.
                        why = f": {error}" if isinstance(error, _engine.FetchError) else ""
                        raise RPCError(message + why, error) from error
                    raise
                if self._rpc_log_retries:
                    self._log_retry(attempt + 1)
                is_absent = isinstance(error, _engine.NobodyError)
            attempt += 1
            if not (is_absent and self._waits_as_built_in()):
                self._wait_to_retry()
            elif (answer := self._look_for_server(full_url, body)) is not None:
                return answer

    def _waits_as_built_in(self) -> bool:
        return type(self)._wait_to_retry is _BUILT_IN_WAIT and "_wait_to_retry" not in vars(self)

    @contextmanager
    def announcing(self) -> Iterator[None]:
        """Let the server hear of the tasks that this thread announces within in few requests, the last at the end.

        Another request of this thread, but a ping, sends first what was announced before it. Where the server takes
        single tasks only, or ``_fetch`` was replaced, nothing is gathered.
        """
        built_in = type(self)._fetch is _BUILT_IN_FETCH and "_fetch" not in vars(self)
        if self._gathered is not None or not (built_in and self._takes_many and type(self._fetcher) is _EngineFetcher):
            yield
            return
        self._gathered, self._gathering_thread = [], threading.get_ident()
        try:
            yield
        finally:
            try:
                self._send_gathered()
            finally:
                self._gathered = None

    def _gather(self, url: str, arguments: Any) -> bool:
        """Whether a request was put aside, to go with others."""
        if self._gathered is None or threading.get_ident() != self._gathering_thread or not self._was_there:
            return False
        if url == "/api/add_task":
            self._gathered.append(arguments)
            if len(self._gathered) >= _TASKS_AT_ONCE:
                self._send_gathered()
            return True
        if url != "/api/ping":
            self._send_gathered()
        return False

    def _send_gathered(self) -> None:
        gathered, self._gathered = self._gathered or [], None
        try:
            self.add_tasks(gathered)
        finally:
            self._gathered = []

    def add_tasks(self, tasks: Sequence[dict[str, Any]]) -> None:
        """Announce many tasks: for each the arguments of ``add_task``, in order.

        The engine's server takes many in one request, and makes them safe at once; others get them one by one.
        """
        waiting = list(tasks)
        while waiting and self._takes_many:
            count = self._announce_some(waiting)
            del waiting[:count]
        for arguments in waiting:
            self.add_task(**arguments)  # type: ignore[attr-defined]

    def _announce_some(self, tasks: Sequence[dict[str, Any]]) -> int:
        """Announce as many of these as go into one request; how many that were."""
        texts: list[str] = []
        length = 0
        for arguments in tasks[:_TASKS_AT_ONCE]:
            text = json.dumps(arguments)
            length += len(text)
            if texts and length > _BYTES_AT_ONCE:
                break
            texts.append(text)
        try:
            page = self._fetch("/api/add_tasks", {"data": '{"tasks": [' + ", ".join(texts) + "]}"})
        except RPCError as error:
            if not isinstance(error.sub_exception, _engine.NoMethodError):
                raise
            self._takes_many = False
            return 0
        refused = json.loads(page)["response"]["refused"]
        if refused:
            task_id = tasks[refused[0]["index"]].get("task_id")
            raise RPCError(f"{_shown(self._url)!r} refused to add the task {task_id}: {refused[0]['error']}")
        return len(texts)

    def _log_retry(self, attempt: int) -> None:
        logger.warning("Failed connecting to remote scheduler %r", _shown(self._url), exc_info=True)
        logger.info(f"Retrying attempt {attempt!r} of {self._rpc_retry_attempts!r} (max)")
        logger.info(f"Wait for {self._rpc_retry_wait:d} seconds")

    def _request(self, url: str, data: Any, attempts: int = 3, allow_null: bool = True) -> Any:
        """Put the arguments `data` to a method; its reply."""
        if self._gathered is not None and self._gather(url, data):
            return None
        if self._is_ours and url == "/api/get_work":
            # The number of the run, which stock servers do not give.
            data = {**data, "attempts": True}
        body = {"data": json.dumps(data)}
        for _ in range(attempts):
            reply = json.loads(self._fetch(url, body))["response"]
            self._was_there = True
            if allow_null or reply is not None:
                return reply
        raise RPCError(f"Received null response from remote scheduler {_shown(self._url)!r}")


_BUILT_IN_FETCH = RemoteScheduler._fetch
_BUILT_IN_WAIT = RemoteScheduler._wait_to_retry


def _may_pass(error: Exception) -> bool:
    """Whether another try may help. What is no address, or what the server refuses, stays so."""
    if isinstance(error, (ValueError, _engine.RefusedError)):
        return False
    status = getattr(error, "code", None) or getattr(getattr(error, "response", None), "status_code", None)
    return not isinstance(status, int) or not 400 <= status < 500 or status in (408, 425, 429)


for _name, _method in RPC_METHODS.items():
    setattr(RemoteScheduler, _name, _method)
