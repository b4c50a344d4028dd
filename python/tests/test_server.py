"""Schedulers over HTTP: those of Python, served here, and the engine's own server."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from unittest import mock
from urllib.parse import quote

import pytest
import tornado.testing
import tornado.web
from processes import ENVIRONMENT, wait_until

import luigi.process
import luigi.server
from luigi import _server_answers as answers
from luigi.rpc import RemoteScheduler
from luigi.scheduler import Scheduler

WAIT_SECS = 30


@contextlib.contextmanager
def serving(scheduler, **where):
    """Serves a scheduler in another thread, and gives where it listens."""
    thread = threading.Thread(target=luigi.server.run, kwargs={"scheduler": scheduler, **where})
    thread.start()
    try:
        server = wait_until(lambda: luigi.server._running, WAIT_SECS)[0]
        yield server.server_address
    finally:
        luigi.server.stop()
        thread.join(WAIT_SECS)
        assert not thread.is_alive()


@pytest.fixture
def scheduler(tmp_path):
    return Scheduler(state_path=str(tmp_path / "state"))


@pytest.fixture
def url(scheduler):
    with serving(scheduler, api_port=0, address="127.0.0.1") as (host, port):
        yield f"http://{host}:{port}"


def get(url, **headers):
    """Status, headers and text of what is there."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=WAIT_SECS) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def test_a_scheduler_of_python_is_served(url, scheduler):
    client = RemoteScheduler(url)
    client.add_task(worker="w", task_id="A", params={"x": "</script>"}, family="F")
    assert scheduler._state.get_task("A").status == "PENDING"
    assert client.get_work(worker="w")["task_params"] == {"x": "</script>"}
    assert "<\\/script>" in get(f"{url}/api/task_list")[2]


def test_its_state_is_kept(tmp_path, scheduler):
    with serving(scheduler, api_port=0) as (_, port):
        RemoteScheduler(f"http://127.0.0.1:{port}").add_task(worker="w", task_id="A")
    again = Scheduler(state_path=str(tmp_path / "state"))
    with serving(again, api_port=0) as (_, port):
        assert RemoteScheduler(f"http://127.0.0.1:{port}").get_work(worker="w")["task_id"] == "A"


def test_a_socket_in_the_file_system(tmp_path, scheduler):
    path = str(tmp_path / "luigid.sock")
    left = socket.socket(socket.AF_UNIX)
    left.bind(path)
    left.close()
    with serving(scheduler, unix_socket=path):
        assert RemoteScheduler("http+unix://" + quote(path, safe="")).ping(worker="w") == {"rpc_messages": []}
    assert not os.path.exists(path)


def test_a_scheduler_that_fails_answers_and_goes_on(url, scheduler):
    with mock.patch.object(scheduler, "graph", side_effect=OSError("disk")):
        assert get(f"{url}/api/graph")[0] == 500
    status, _, text = get(f"{url}/api/dep_graph")
    assert (status, "task_id" in text) == (400, True)
    assert get(f"{url}/api/dep_graph?data=nonsense")[0] == 400
    assert get(f"{url}/api/no_such_method")[0] == 404
    assert get(f"{url}/api/dump")[0] == 404
    assert get(f"{url}/api/graph")[0] == 200


def test_a_link_changes_nothing(url, scheduler):
    status, headers, _ = get(f"{url}/api/pause")
    assert (status, headers["Allow"]) == (405, "POST, OPTIONS")
    assert not scheduler.is_paused()["paused"]


def test_a_page_of_another_origin_may_not_call(scheduler):
    def ask(origin, cors):
        return answers.call(scheduler, "pause", "{}", "POST", {"Origin": origin, "Host": "here:1"}, cors).status

    closed = luigi.server.cors()
    assert ask("http://elsewhere", closed) == 403
    assert ask("http://here:1", closed) == 200
    opened = luigi.server.cors(enabled=True, allowed_origins=("http://elsewhere", "*"))
    assert opened.allowed_origins == {"http://elsewhere"}
    assert ask("http://elsewhere", opened) == 200
    assert ask("http://third", opened) == 403
    assert ask("null", opened) == 403


@pytest.mark.parametrize(
    ("settings", "origin", "expected"),
    [
        ({}, "http://a", None),
        ({"enabled": True, "allow_any_origin": True}, "http://a", "*"),
        ({"enabled": True, "allowed_origins": ("http://a",)}, "http://a", "http://a"),
        ({"enabled": True, "allowed_origins": ("http://a",)}, "http://b", None),
        ({"enabled": True, "allow_any_origin": True}, "null", None),
        ({"enabled": True, "allow_null_origin": True}, "null", "null"),
        ({"enabled": True, "allow_any_origin": True}, None, None),
    ],
)
def test_what_pages_of_other_origins_are_told(settings, origin, expected):
    headers = {"Origin": origin} if origin else {}
    told = dict(answers.preflight(headers, luigi.server.cors(exposed_headers="X", **settings)).headers)
    assert told.get("Access-Control-Allow-Origin") == expected
    assert ("Access-Control-Max-Age" in told) == (expected is not None)
    assert told.get("Access-Control-Expose-Headers") == (None if expected is None else "X")


def test_pages_show_what_is_said_as_text(url, scheduler):
    scheduler.add_worker("<b>w</b>", {"host": "<i>"})
    scheduler.add_task(worker="<b>w</b>", task_id="A")
    status, headers, page = get(f"{url}/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    assert "<title>Luigi scheduler</title>" in page
    assert "&lt;b&gt;w&lt;/b&gt;" in page
    assert "<b>" not in page
    assert get(f"{url}/history")[0] == 404
    assert get(f"{url}/nothing")[0] == 404


def test_metrics_are_shown(url, scheduler):
    collector = scheduler._state._metrics_collector = mock.Mock()
    collector.generate_latest.return_value = b"counted 1"
    collector.configure_http_handler = lambda handler: handler.set_header("Content-Type", "text/plain")
    status, headers, text = get(f"{url}/metrics")
    assert (status, headers["Content-Type"], text) == (200, "text/plain", "counted 1")


def test_history_is_shown(scheduler):
    event = SimpleNamespace(event_name="DONE", ts="today", task_id=7, id=1)
    value = SimpleNamespace(value="1<2")
    run = SimpleNamespace(id=7, task_id="F_1", name="F", host="h", parameters={"x": value}, events=[event])

    class History(luigi.scheduler.history.NopHistory):
        @contextlib.contextmanager
        def _session(self, session=None):
            yield session

        find_latest_runs = find_all_runs = lambda self, session=None: [run]
        find_all_events = lambda self, session=None: [event]  # noqa: E731
        find_task_by_id = lambda self, wanted, session: run if wanted == 7 else None  # noqa: E731
        find_all_by_parameters = lambda self, name, session, **wanted: [run] if wanted == {"x": "1"} else []  # noqa: E731

    scheduler._task_history = History()
    scheduler._config = mock.Mock(record_task_history=True)

    def page(path, data="{}"):
        return answers.route(scheduler, "GET", path, data, {}, luigi.server.cors())

    assert "x=1&lt;2" in page("/history").body
    assert '<a href="history/by_id/7">' in page("/history").body
    assert "<td>DONE</td><td>today</td>" in page("/history/by_id/7").body
    assert page("/history/by_id/8").status == 404
    assert "F_1" not in page("/history/by_params/F", '{"x": "2"}').body
    assert "x=1&lt;2" in page("/history/by_params/F", '{"x": "1"}').body
    assert '<a href="tasklist/F">' in page("/tasklist").body
    assert "<td>7</td><td>DONE</td>" in page("/tasklist/F").body


# The engine's own server.


@contextlib.contextmanager
def luigid(tmp_path, *words):
    """Runs the command, and gives its process and where it listens."""
    path = str(tmp_path / "sock")
    words = ["--unix-socket", path, "--state-path", str(tmp_path / "state.pickle"), *words]
    program = f"from luigi.cmdline import luigid; luigid({words!r})"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    try:
        url = "http+unix://" + quote(path, safe="")
        wait_until(lambda: os.path.exists(path) or process.poll() is not None, WAIT_SECS)
        yield process, url
    finally:
        process.kill()
        process.communicate(timeout=WAIT_SECS)


def test_luigid_is_the_engine_and_keeps_its_state_safe(tmp_path):
    with luigid(tmp_path) as (process, url):
        client = RemoteScheduler(url)
        client.add_tasks([{"worker": "w", "task_id": "B", "deps": ["A"]}, {"worker": "w", "task_id": "A"}])
        assert client._takes_many
        # A server of Luigi would have lost it.
        process.send_signal(signal.SIGKILL)
        process.wait(WAIT_SECS)
    os.unlink(tmp_path / "sock")
    with luigid(tmp_path) as (process, url):
        client = RemoteScheduler(url)
        assert client.get_work(worker="w")["task_id"] == "A"
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECS) == 0
    assert (tmp_path / "state.pickle.d").is_dir()


def test_luigid_takes_over_what_luigi_left(tmp_path):
    shutil.copy(Path(__file__).parent / "data" / "luigi_state.pickle", tmp_path / "state.pickle")
    with luigid(tmp_path) as (process, url):
        assert RemoteScheduler(url).get_work(worker="w")["task_id"] == "B"
        process.send_signal(signal.SIGTERM)
        process.wait(WAIT_SECS)
    with luigid(tmp_path) as (_, url):
        assert RemoteScheduler(url).get_work(worker="w")["running_tasks"][0]["task_id"] == "B"


def test_luigid_gives_advice_about_itself(tmp_path):
    shutil.copy(Path(__file__).parent / "data" / "luigi_state.pickle", tmp_path / "state.pickle")
    with luigid(tmp_path, "--port", "0", "--address", "127.0.0.1") as (process, url):
        RemoteScheduler(url).ping(worker="w")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=WAIT_SECS)
    [advice] = [line for line in said.splitlines() if "to open it to other hosts" in line]
    command = f"luigid --unix-socket {tmp_path}/sock --state-path {tmp_path}/state.pickle --port 0"
    assert advice.endswith(f"to open it to other hosts: {command} --address 0.0.0.0")
    assert f"The state in {tmp_path}/state.pickle was taken over into {tmp_path}/state.pickle.d" in said
    assert "is not read" not in said


@pytest.mark.parametrize("where", ["file", "process"])
def test_a_setting_that_cannot_be_used_is_named_with_its_place(tmp_path, where):
    text = "[DEFAULT]\nname = no number\n[resources]\ngpu = 1\n"
    if where == "file":
        text, place, change = text + "tape = -1\n", "luigi.cfg:5", ""
    else:
        place = "configuration set by the program"
        change = "import luigi; luigi.configuration.get_config().set('resources', 'tape', '-1'); "
    Path("luigi.cfg").write_text(text)
    program = f"{change}from luigi.cmdline import luigid; luigid(['--unix-socket', '{tmp_path}/sock'])"
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECS, env=ENVIRONMENT)
    assert done.returncode != 0
    assert f"luigid: {place}: [resources] tape is -1" in done.stderr


def test_luigid_ends_in_order_at_ctrl_c(tmp_path):
    with luigid(tmp_path) as (process, url):
        RemoteScheduler(url).ping(worker="w")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=WAIT_SECS)
        assert process.returncode == 0
        assert "KeyboardInterrupt" not in said


def test_luigid_takes_further_options_and_says_what_is_wrong(tmp_path):
    with luigid(tmp_path, "--no-such-option") as (process, _):
        _, said = process.communicate(timeout=WAIT_SECS)
        assert process.returncode != 0
        assert "--no-such-option" in said


def test_the_command_condotta_goes_into_the_background(tmp_path):
    path, pidfile = str(tmp_path / "sock"), tmp_path / "pid"
    words = ["scheduler", "--background", "--unix-socket", path, "--state-dir", str(tmp_path / "state")]
    words += ["--pidfile", str(pidfile), "--logdir", str(tmp_path / "log")]
    program = "import sys; from condotta import _engine; sys.exit(_engine.main())"
    subprocess.run([sys.executable, "-c", program, *words], check=True, timeout=WAIT_SECS, env=ENVIRONMENT)
    pid = int(pidfile.read_text())
    try:
        assert RemoteScheduler("http+unix://" + quote(path, safe="")).ping(worker="w") == {"rpc_messages": []}
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not pidfile.exists(), WAIT_SECS)


def test_settings_of_this_process_are_the_engines(tmp_path):
    config = luigi.configuration.get_config()
    with mock.patch.object(luigi.server._engine, "main", return_value=0) as main:
        config.set("scheduler", "retry_delay", "12")
        try:
            luigi.server.run(api_port="99", address="127.0.0.1")
        finally:
            config.remove_option("scheduler", "retry_delay")
    words = ["scheduler", "--port", "99", "--address", "127.0.0.1"]
    main.assert_called_once_with(words, command="luigid --port 99", settings=mock.ANY)
    assert ("scheduler", "retry_delay", "12") in main.call_args.kwargs["settings"]


def test_what_the_engine_does_not_do_is_done_in_python():
    with mock.patch.object(luigi.server, "_serve") as serve, mock.patch.object(luigi.server, "Scheduler") as scheduler:
        with mock.patch.object(luigi.server, "_only_in_python", return_value=["[scheduler] batch_emails"]):
            luigi.server.run(api_port=1)
    serve.assert_called_once_with(scheduler(), 1, None, None)


def test_a_failure_of_the_engine_is_the_exit_code():
    with mock.patch.object(luigi.server._engine, "main", return_value=3), pytest.raises(SystemExit) as caught:
        luigi.server.run()
    assert caught.value.code == 3


# In the background.


def test_a_process_id_is_written_and_checked(tmp_path):
    pidfile = str(tmp_path / "below" / "pid")
    assert luigi.process.check_pid(pidfile) == 0
    luigi.process.write_pid(pidfile)
    assert luigi.process.check_pid(pidfile) == os.getpid()
    (tmp_path / "below" / "pid").write_text("no number")
    assert luigi.process.check_pid(pidfile) == 0
    assert luigi.process.check_pid(None) == 0


@pytest.mark.parametrize("with_daemon", [False, True])
def test_a_server_goes_into_the_background(tmp_path, with_daemon):
    hide = "" if with_daemon else "sys.modules['daemon'] = None; "
    program = (
        f"import sys; {hide}import json, os, luigi.process\n"
        "def serve(**where):\n"
        "    print(json.dumps({'session': os.getsid(0), **where}), flush=True)\n"
        f"luigi.process.daemonize(serve, pidfile={str(tmp_path / 'pid')!r}, logdir={str(tmp_path)!r}, api_port=7)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=WAIT_SECS, env=ENVIRONMENT)

    def written():
        return [path.read_text() for path in tmp_path.glob("luigi-server-*.out") if path.read_text()]

    [text] = wait_until(written, WAIT_SECS)
    said = json.loads(text)
    assert said.pop("session") != os.getsid(0)
    assert said == {"api_port": 7, "address": None, "unix_socket": None}
    assert "Checking pid file" not in text
    assert int((tmp_path / "pid").read_text()) != os.getpid()


# As an application of tornado.


def test_an_application_of_tornado_does_the_same(scheduler):
    class Case(tornado.testing.AsyncHTTPTestCase):
        def get_app(self):
            return luigi.server.app(scheduler)

        def runTest(self):
            reply = self.fetch("/api/ping", method="POST", body="data=" + quote(json.dumps({"worker": "w"})))
            assert json.loads(reply.body) == {"response": {"rpc_messages": []}}
            assert self.fetch("/api/ping").code == 405
            assert self.fetch("/api/dep_graph").code == 400
            assert b"<title>Luigi scheduler</title>" in self.fetch("/").body
            assert self.fetch("/", method="HEAD").code == 204
            assert self.fetch("/history").code == 404
            assert self.fetch("/metrics").body == b""

    result = Case().run()
    assert result.wasSuccessful(), result.errors + result.failures
    assert issubclass(luigi.server.RPCHandler, tornado.web.RequestHandler)


def test_times_in_words_become_seconds():
    assert luigi.server.from_utc("2021-01-15 10:30:46") - luigi.server.from_utc("2021-01-15 10:30:45.5") == 1
    assert luigi.server.from_utc("15.01.2021", "%d.%m.%Y") < luigi.server.from_utc("2021-01-15 10:30:45")
    with pytest.raises(ValueError, match="No UTC format matches"):
        luigi.server.from_utc("soon")
