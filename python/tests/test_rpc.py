"""The client of a scheduler's server: what it sends, when it tries again, and over which ways."""

import http.server
import itertools
import json
import logging
import os
import pickle
import socketserver
import threading
import time
from unittest import mock
from urllib.parse import parse_qs, quote

import pytest

import luigi.rpc
from condotta import _engine
from luigi.rpc import RemoteScheduler, RequestsFetcher, RPCError, URLLibFetcher
from luigi.scheduler import Scheduler


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what the test put on the list, else as a scheduler does; keeps what was asked."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        arguments = json.loads(form["data"][0])
        self.server.asked.append((self.path, arguments, self.headers.get("Authorization"), self.client_address))
        status, reply = self.server.answers.pop(0) if self.server.answers else (200, None)
        if status == 200 and reply is None:
            reply = getattr(self.server.scheduler, self.path.rpartition("/")[2])(**arguments)
        if status is None:  # As when the server is killed.
            self.close_connection = True
            return
        content = json.dumps({"response": reply} if status == 200 else reply).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


class UnixServer(socketserver.ThreadingUnixStreamServer):
    """The same over a socket in the file system."""

    daemon_threads = True

    def get_request(self):
        request, _ = super().get_request()
        return request, ("socket", 0)


def serve(server):
    server.asked, server.answers, server.scheduler = [], [], Scheduler()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        serve(server)
        server.url = f"http://127.0.0.1:{server.server_port}"
        yield server
        server.shutdown()


@pytest.fixture
def client(server):
    client = RemoteScheduler(server.url + "/", connect_timeout=10)
    client._rpc_retry_wait = 0
    yield client
    client.close()


@pytest.fixture
def known(client, server):
    """The same client, when the server has answered it."""
    client.ping(worker="w")
    server.asked.clear()
    return client


def test_methods_are_those_of_the_scheduler(client):
    client.add_task(worker="w", task_id="A", family="F", params={"x": "\u00fc&=+% 1"})
    work = client.get_work(worker="w")
    assert (work["task_id"], work["task_params"]) == ("A", {"x": "\u00fc&=+% 1"})
    assert client.task_list("RUNNING")["A"]["name"] == "F"
    assert client.ping(worker="w") == {"rpc_messages": []}


def test_connections_are_kept_open(client, server):
    for _ in range(3):
        client.ping(worker="w")
    assert len({address for *_, address in server.asked}) == 1


def test_all_arguments_are_sent(client, server):
    client.dep_graph("A")
    client.get_work(worker="w", attempts=True)
    assert server.asked[0][:2] == ("/api/dep_graph", {"task_id": "A", "include_done": True})
    assert server.asked[1][1] == {
        "worker": "w",
        "host": None,
        "assistant": False,
        "current_tasks": None,
        "attempts": True,
    }


@pytest.mark.parametrize("fetcher", [URLLibFetcher, RequestsFetcher])
def test_fetchers_of_python_do_the_same(client, server, fetcher):
    client._fetcher = fetcher()
    server.answers += [(500, None)]
    client.ping(worker="\u00fc")
    assert [arguments for _, arguments, *_ in server.asked] == [{"worker": "\u00fc"}] * 2
    server.answers += [(404, None)]
    with pytest.raises(RPCError) as caught:
        client.ping(worker="w")
    assert isinstance(caught.value.sub_exception, client._fetcher.raises)


def test_without_requests_there_is_urllib():
    with mock.patch.object(luigi.rpc, "HAS_REQUESTS", False):
        assert isinstance(RemoteScheduler()._fetcher, URLLibFetcher)
    assert not isinstance(RemoteScheduler()._fetcher, URLLibFetcher)


def test_the_path_and_the_credentials_of_the_address_are_kept(server):
    client = RemoteScheduler(server.url.replace("//", "//user:pass@") + "/prefix/")
    client.ping(worker="w")
    path, _, authorization, _ = server.asked[0]
    assert (path, authorization) == ("/prefix/api/ping", "Basic dXNlcjpwYXNz")


def test_a_request_that_fails_is_tried_again(client, server, caplog):
    server.answers += [(500, None), (503, None)]
    assert client.ping(worker="w") == {"rpc_messages": []}
    assert len(server.asked) == 3
    assert "Failed connecting to remote scheduler" in caplog.text


def test_at_last_it_is_given_up(client, server):
    server.answers += [(500, None)] * 4
    with pytest.raises(RPCError, match=r"Errors \(3 attempts\)") as caught:
        client.ping(worker="w")
    assert isinstance(caught.value.sub_exception, ConnectionError)
    assert len(server.asked) == 3


def test_the_last_line_of_an_error_says_what_the_server_said(client, server):
    server.answers += [(401, {"error": {"code": "unauthorized", "message": "there is no such token"}})]
    with pytest.raises(RPCError, match=f"'{server.url}': there is no such token$"):
        client.ping(worker="w")


def test_what_the_server_refuses_is_not_tried_again(client, server):
    server.answers += [(404, None)]
    with pytest.raises(RPCError, match=r"Errors \(1 attempts\)"):
        client._request("/api/nonsense", {})
    assert len(server.asked) == 1


def test_nobody_there(server):
    server.shutdown()
    server.server_close()
    client = RemoteScheduler(server.url)
    waits = client._wait_to_retry = mock.Mock()
    with pytest.raises(RPCError):
        client.ping(worker="w")
    assert waits.call_count == 2


def test_a_server_that_restarts_is_found_soon(server, caplog):
    caplog.set_level(logging.INFO)
    server.shutdown()
    server.server_close()
    client = RemoteScheduler(server.url)
    address = server.server_address
    restarted = []

    def restart():
        restarted.append(http.server.ThreadingHTTPServer(address, Handler))
        serve(restarted[0])

    later = threading.Timer(1.0, restart)
    later.start()
    begun = time.monotonic()
    assert client.ping(worker="w") == {"rpc_messages": []}
    assert 1.0 <= time.monotonic() - begun < 10.0
    lines = [line for line in caplog.messages if "attempt" in line or "Wait" in line]
    assert lines == ["Retrying attempt 2 of 3 (max)", "Wait for 30 seconds"]
    client.close()
    restarted[0].shutdown()
    restarted[0].server_close()


def test_a_socket_that_is_not_there_is_nobody(tmp_path):
    path = quote(str(tmp_path / "none.sock"), safe="")
    with pytest.raises(_engine.NobodyError):
        RemoteScheduler(f"http+unix://{path}/")._ask_once("ping", {})


class Clock:
    """Time that passes in sleeps alone."""

    def __init__(self):
        self.now, self.sleeps = 0.0, []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.sleeps.append(seconds)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(luigi.rpc, "time", clock)
    return clock


def absent(clock, until=1000.0, then=None):
    """A client of a server that is not there until then, and when it was looked for."""
    client, looks = RemoteScheduler("http://127.0.0.1:9"), []

    def fetch(*_):
        looks.append(clock.now)
        if clock.now < until:
            raise _engine.NobodyError("refused")
        raise then

    client._fetcher = mock.Mock(fetch=fetch, raises=(OSError,))
    return client, looks


def test_a_server_that_is_not_there_is_looked_for_ever_more_rarely_and_as_long_as_with_luigi(clock):
    client, looks = absent(clock)
    with pytest.raises(RPCError, match=r"Errors \(3 attempts\)"):
        client.ping(worker="w")
    assert clock.now == pytest.approx(60.0)
    assert len(looks) < 30
    for start in (0, looks.index(next(look for look in looks if look >= 29.99))):
        waits = [after - before for before, after in itertools.pairwise(looks[start:])][:8]
        usual = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
        assert all(least <= wait <= 1.25 * least for least, wait in zip(usual, waits)), looks


def test_a_server_that_is_back_and_busy_is_left_alone(clock):
    client, looks = absent(clock, until=2.0, then=_engine.FetchError("busy"))
    with pytest.raises(RPCError, match=r"Errors \(3 attempts\)"):
        client.ping(worker="w")
    assert clock.now == pytest.approx(60.0)
    assert len([look for look in looks if look >= 2.0]) == 3


def test_what_a_server_that_is_back_refuses_is_told_at_once(clock):
    client, looks = absent(clock, until=2.0, then=_engine.RefusedError("no"))
    with pytest.raises(RPCError, match=r"Errors \(2 attempts\)"):
        client.ping(worker="w")
    assert clock.now < 4.5


NOT_READY = 503, {"error": {"code": "unavailable", "message": "it reads its state"}}


@pytest.mark.parametrize("answers", [[NOT_READY] * 4, [(None, None), NOT_READY]], ids=["starts", "is killed"])
def test_a_server_that_restarts_is_found_as_soon_as_it_is_ready(clock, server, answers):
    client = RemoteScheduler(server.url)
    server.answers += [(200, {"refused": []}), *answers]
    assert client.is_ours("w")
    assert client.ping(worker="w") == {"rpc_messages": []}
    assert clock.now < 4.0
    assert len(server.asked) == len(answers) + 2


@pytest.mark.parametrize(
    "answer",
    [(503, {"error": {"code": "busy"}}), (503, {"error": {"code": "not_stored"}}), (None, None)],
    ids=["busy", "full disk", "a stock server that ends connections"],
)
def test_a_server_that_is_there_and_busy_is_left_alone(clock, server, answer):
    client = RemoteScheduler(server.url)
    server.answers += [answer]
    assert client.ping(worker="w") == {"rpc_messages": []}
    assert clock.now == 30.0


def test_no_work_at_all_is_asked_for_again(client, server):
    server.scheduler.get_work = mock.Mock(side_effect=[None, None, {"task_id": None}])
    assert client.get_work(worker="w") == {"task_id": None}
    server.scheduler.get_work = mock.Mock(return_value=None)
    with pytest.raises(RPCError, match="null response"):
        client.get_work(worker="w")


def test_many_tasks_are_announced_at_once(client, server):
    """The scheduler here has no method for that, so the test answers in its place."""
    server.answers += [(200, {"refused": []})] * 4
    client.add_tasks([{"worker": "w", "task_id": str(number)} for number in range(501)])
    assert [len(arguments["tasks"]) for _, arguments, *_ in server.asked] == [500, 1]
    long = "x" * (150 << 10)
    client.add_tasks([{"worker": "w", "task_id": str(number), "expl": long} for number in range(2)])
    assert [len(arguments["tasks"]) for _, arguments, *_ in server.asked[2:]] == [1, 1]


def test_what_is_announced_is_gathered(known, server):
    server.answers += [(200, {"refused": []})] * 2
    with known.announcing():
        known.add_task(worker="w", task_id="A")
        known.add_task(worker="w", task_id="B")
        assert server.asked == []
        server.answers.insert(1, (200, {"rpc_messages": []}))
        known.task_list()
        known.add_task(worker="w", task_id="C")
    sent = [(path, [task["task_id"] for task in told.get("tasks", [])]) for path, told, *_ in server.asked]
    assert sent == [("/api/add_tasks", ["A", "B"]), ("/api/task_list", []), ("/api/add_tasks", ["C"])]
    known.add_task(worker="w", task_id="D")
    assert server.asked[-1][0] == "/api/add_task"


def test_nothing_is_put_aside_for_a_server_that_never_answered(client, server):
    server.answers += [(200, None), (200, {"refused": []})]
    with client.announcing():
        client.add_task(worker="w", task_id="A")
        assert [path for path, *_ in server.asked] == ["/api/add_task"]
        client.add_task(worker="w", task_id="B")
        client.add_task(worker="w", task_id="C")
    assert [path for path, *_ in server.asked] == ["/api/add_task", "/api/add_tasks"]


def test_what_another_thread_says_is_said_at_once(known, server):
    server.answers += [(200, None), (200, {"refused": []})]
    with known.announcing():
        known.add_task(worker="w", task_id="A")
        thread = threading.Thread(target=known.add_task, kwargs={"worker": "w", "task_id": "B"})
        thread.start()
        thread.join()
    assert [path for path, *_ in server.asked] == ["/api/add_task", "/api/add_tasks"]


def test_what_was_announced_before_a_failure_is_sent(known, server):
    server.answers += [(200, {"refused": []})]
    with pytest.raises(RuntimeError), known.announcing():
        known.add_task(worker="w", task_id="A")
        raise RuntimeError
    assert [path for path, *_ in server.asked] == ["/api/add_tasks"]


def test_after_a_failure_nothing_is_gathered_any_more(known, server):
    server.answers += [(400, None)]
    with pytest.raises(RPCError), known.announcing():
        known.add_task(worker="w", task_id="A")
    known.add_task(worker="w", task_id="B")
    assert [path for path, *_ in server.asked] == ["/api/add_tasks", "/api/add_task"]


def test_nothing_is_gathered_where_requests_are_sent_in_another_way(known, server):
    known._fetcher = URLLibFetcher()
    with known.announcing():
        known.add_task(worker="w", task_id="A")
        assert [path for path, *_ in server.asked] == ["/api/add_task"]


def test_a_task_that_is_refused_among_many_is_said(client, server):
    server.answers += [(200, {"refused": [{"index": 0, "error": "it has no name"}]})]
    with pytest.raises(RPCError, match="it has no name"):
        client.add_tasks([{"worker": "w", "task_id": ""}])


def test_a_server_that_takes_single_tasks_gets_them_one_by_one(client, server):
    server.answers += [(404, None)]
    client.add_tasks([{"worker": "w", "task_id": "A"}, {"worker": "w", "task_id": "B"}])
    client.add_tasks([{"worker": "w", "task_id": "C"}])
    assert [path for path, *_ in server.asked] == ["/api/add_tasks"] + ["/api/add_task"] * 3
    assert set(client.task_list()) == {"A", "B", "C"}


def test_a_socket_in_the_file_system(tmp_path):
    path = str(tmp_path / "luigid.sock")
    with UnixServer(path, Handler) as server:
        serve(server)
        client = RemoteScheduler("http+unix://" + quote(path, safe=""))
        assert client.ping(worker="w") == {"rpc_messages": []}
        assert server.asked[0][0] == "/api/ping"
        client.close()
        server.shutdown()


def test_a_process_that_was_forked_has_its_own_connection(client, server):
    client.ping(worker="parent")
    child = os.fork()
    if child == 0:
        try:
            client.ping(worker="child")
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    client.ping(worker="parent")
    addresses = {arguments["worker"]: address for _, arguments, _, address in server.asked}
    assert addresses["parent"] != addresses["child"]
    assert len({address for *_, address in server.asked}) == 2


def test_a_client_can_be_sent_to_another_process(client):
    client.ping(worker="w")
    copy = pickle.loads(pickle.dumps(client))
    assert copy.ping(worker="w") == {"rpc_messages": []}


def test_what_is_no_address_is_said():
    with pytest.raises(ValueError, match="is no address of a scheduler"):
        RemoteScheduler("localhost:8082").ping(worker="w")
