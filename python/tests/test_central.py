"""Workers on one central scheduler: ours and stock ones, of Python and of Rust."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from processes import ENVIRONMENT, free_port, wait_until

import luigi
from luigi.rpc import RemoteScheduler
from luigi.worker import Worker

PROGRAMS = Path(__file__).parent / "programs"
STOCK = os.environ.get("CONDOTTA_STOCK_LUIGI")
EXAMPLES = os.environ.get("CONDOTTA_EXAMPLES")
WAIT_SECS = 60

needs_stock = pytest.mark.skipif(not STOCK, reason="CONDOTTA_STOCK_LUIGI does not name a Python with stock Luigi")
needs_examples = pytest.mark.skipif(
    not EXAMPLES, reason="CONDOTTA_EXAMPLES does not name the folder of Rust's example programs"
)

OURS = [sys.executable, "-c", "import sys; from condotta._engine import main; sys.exit(main())", "scheduler"]
STOCKS = [STOCK or "", "-c", "from luigi.cmdline import luigid; luigid()"]


def environment(python: str | None = None, **more: str) -> dict[str, str]:
    """For a process that is to import what this one imports, or what another Python has."""
    path = [str(PROGRAMS), ENVIRONMENT["PYTHONPATH"]] if python in (None, sys.executable) else [str(PROGRAMS)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONWARNINGS": "ignore", **more}


@contextlib.contextmanager
def serving(folder: Path, command: list[str]):
    """Runs a scheduler's server, and gives its port."""
    port = free_port()
    state = (
        ["--state-dir", str(folder / "state")] if command is OURS else ["--state-path", str(folder / "state.pickle")]
    )
    env = environment(command[0])
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(
            [*command, "--address", "127.0.0.1", "--port", str(port), *state],
            cwd=folder,
            env=env,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + WAIT_SECS
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/is_paused", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, (folder / "server.log").read_text()
                time.sleep(0.05)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(WAIT_SECS)


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path, OURS) as port:
        yield port


def start(folder: Path, port: int, *arguments: str, python: str = sys.executable, **more: str) -> subprocess.Popen[str]:
    command = [python, "-m", "luigi", "--scheduler-port", str(port), "--no-lock", *arguments]
    env = environment(python, **more)
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=WAIT_SECS)
    assert process.returncode == 0, output
    return output


def test_the_talk_on_a_central_scheduler(tmp_path, server):
    folder = {"PRESENTATION": str(tmp_path / "presentation")}
    output = finish(start(tmp_path, server, "--module", "hello", "ParentTask", **folder))
    children = 'ChildTask(my_param=4+6,len("Hello world"))'
    assert f"* 2 ran successfully:\n    - 2 {children}\n* 1 failed:\n    - 1 ParentTask()" in output
    output = finish(start(tmp_path, server, "--module", "hello", "ParentTask", FIXED="yes", **folder))
    assert f"* 2 complete ones were encountered:\n    - 2 {children}\n* 1 ran successfully:\n    - 1 Par" in output
    assert (tmp_path / "presentation/final_result").read_text() == "21"


@needs_stock
@pytest.mark.parametrize("pair", ["ours beside stock on ours", "ours beside stock on stock"])
def test_two_workers_want_the_same_and_nothing_runs_twice(tmp_path, pair):
    settings = [
        "--worker-keep-alive",
        "--worker-wait-interval",
        "0.1",
        "--worker-wait-jitter",
        "0",
        "--module",
        "shared",
        "Sum",
    ]
    with serving(tmp_path, OURS if pair.endswith("ours") else STOCKS) as port:
        workers = [
            start(tmp_path, port, *settings, python=python, OUT=str(tmp_path)) for python in (sys.executable, STOCK)
        ]
        outputs = [finish(worker) for worker in workers]
    runs = (tmp_path / "runs").read_text().split()
    assert sorted(runs) == sorted({f"part{n}" for n in range(6)} | {"sum"})
    assert not any("This progress looks :(" in output for output in outputs)


class Ready(luigi.Task):
    folder = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(os.path.join(self.folder, "ready"))

    def run(self):
        with self.output().open("w") as out:
            out.write(str(time.monotonic()))


def test_a_worker_that_waits_is_woken_when_there_is_work(tmp_path, server):
    """It would have asked again only after a minute."""
    scheduler = RemoteScheduler(f"http://127.0.0.1:{server}")
    settings = {"keep_alive": True, "wait_interval": 60, "wait_jitter": 0}
    other = RemoteScheduler(f"http://127.0.0.1:{server}")
    task = Ready(str(tmp_path))
    other.add_task(worker="other", task_id="first", status="RUNNING")

    import threading

    with Worker(scheduler=scheduler, worker_id="waits", **settings) as worker:
        worker.add(task)
        scheduler.add_task(
            worker="waits", task_id=task.task_id, deps=["first"], family=task.task_family, params=task.to_str_params()
        )
        threading.Timer(1.0, lambda: other.add_task(worker="other", task_id="first", status="DONE")).start()
        started = time.monotonic()
        assert worker.run()
    assert 0.9 <= time.monotonic() - started < 30
    assert (tmp_path / "ready").exists()


class Endures(Ready):
    """Goes on until there is a file."""

    def output(self):
        return luigi.LocalTarget(os.path.join(self.folder, "endured"))

    def run(self):
        wait_until(lambda: os.path.exists(os.path.join(self.folder, "go")), WAIT_SECS)
        super().run()


@pytest.mark.parametrize(
    ("command", "wait_interval"), [(OURS, 300.0), pytest.param(STOCKS, 0.1, marks=needs_stock)], ids=["ours", "stock"]
)
def test_a_worker_with_a_free_process_hears_of_work_while_it_runs_something(tmp_path, command, wait_interval):
    """On our server it is told. On stock Luigi's it asks now and then."""
    endures, ready = Endures(str(tmp_path)), Ready(str(tmp_path))
    with serving(tmp_path, command) as port:
        url = f"http://127.0.0.1:{port}"
        other = RemoteScheduler(url)
        other.add_task(worker="other", task_id="first", status="RUNNING")
        settings = {"worker_processes": 2, "wait_interval": wait_interval, "wait_jitter": 0}
        with Worker(scheduler=RemoteScheduler(url), worker_id="waits", **settings) as worker:
            assert worker.add(endures) and worker.add(ready)
            described = {"family": ready.task_family, "params": ready.to_str_params()}
            other.add_task(worker="waits", task_id=ready.task_id, deps=["first"], **described)

            def go_on():
                answers = worker._get_work_response_history
                wait_until(lambda: [answer["task_id"] for answer in answers][:2] == [endures.task_id, None], WAIT_SECS)
                other.add_task(worker="other", task_id="first", status="DONE")
                wait_until(ready.complete, WAIT_SECS)
                (tmp_path / "go").touch()

            with concurrent.futures.ThreadPoolExecutor(1) as others:
                went_on = others.submit(go_on)
                assert worker.run()
                went_on.result()
    assert endures.complete()


@needs_stock
def test_on_a_stock_server_a_worker_asks_now_and_then(tmp_path):
    with serving(tmp_path, STOCKS) as port:
        scheduler = RemoteScheduler(f"http://127.0.0.1:{port}")
        started = time.monotonic()
        scheduler.wait_for_work("me", 0.5)
        scheduler.wait_for_work("me", 0.5)
        assert 1.0 <= time.monotonic() - started < 30
        assert run_one(scheduler, tmp_path)


def run_one(scheduler, folder: Path) -> bool:
    with Worker(scheduler=scheduler, worker_id="me") as worker:
        return worker.add(Ready(str(folder))) and worker.run()


@needs_examples
def test_one_graph_in_two_languages(tmp_path, server):
    """Extract (Rust), Clean (Python), Report (Rust): each waits for the other language's."""
    day = str(datetime.date(2026, 3, 1))
    keep_alive = ["--day", day, "--worker-keep-alive"]
    sources = Path(EXAMPLES or "").resolve().parents[2] / "examples/with_python"
    rust = subprocess.Popen(
        [str(Path(EXAMPLES or "") / "with_python"), "All", *keep_alive, "--scheduler-port", str(server), "--no-lock"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    waiting = ["--worker-wait-interval", "0.1", "--worker-wait-jitter", "0"]
    python = start(
        tmp_path,
        server,
        "--module",
        "clean",
        "Clean",
        *keep_alive,
        *waiting,
        PYTHONPATH=os.pathsep.join([str(sources), environment()["PYTHONPATH"]]),
    )
    output = finish(python)
    assert "* 1 ran successfully:\n    - 1 Clean(day=2026-03-01)" in output, output
    output = finish(rust)
    assert (tmp_path / f"report-{day}.txt").read_text() == "42", output


@pytest.mark.parametrize("processes", ["1", "2"])
def test_an_interrupted_worker_gives_back_what_it_ran(tmp_path, server, processes):
    """At once, and without a failure."""
    worker = start(tmp_path, server, "--module", "shared", "Endless", "--workers", processes, OUT=str(tmp_path))
    wait_until(lambda: (tmp_path / "started").exists() or worker.poll() is not None, WAIT_SECS)
    assert worker.poll() is None, worker.communicate()[0]
    worker.send_signal(signal.SIGINT)
    worker.communicate(timeout=WAIT_SECS)
    tasks = RemoteScheduler(f"http://127.0.0.1:{server}").task_list("", "")
    assert [(task["name"], task["status"]) for task in tasks.values()] == [("Endless", "PENDING")]


class Extract(luigi.Task):
    """A task of the example in Rust."""

    day = luigi.DateParameter()


@needs_examples
def test_a_python_assistant_is_not_given_the_task_of_a_rust_program(tmp_path, server):
    task = Extract(datetime.date(2026, 3, 1))
    rust = RemoteScheduler(f"http://127.0.0.1:{server}")
    rust.add_worker("rust", {"program": "with_python"})
    rust.add_task(
        worker="rust", task_id=task.task_id, family="Extract", module="rust:with_python", params=task.to_str_params()
    )
    with Worker(
        scheduler=RemoteScheduler(f"http://127.0.0.1:{server}"), worker_id="helps", assistant=True
    ) as assistant:
        assert assistant.run()
    assert rust.task_list("PENDING", "")[task.task_id]["status"] == "PENDING"
    program = [str(Path(EXAMPLES or "") / "with_python"), "Extract", "--day", "2026-04-01", "--assistant"]
    program += ["--scheduler-port", str(server), "--no-lock"]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_SECS)
    assert (tmp_path / "extract-2026-03-01.txt").exists(), done.stderr
