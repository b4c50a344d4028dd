"""Processes of single tasks: what a run finds in its process, how it ends, and how results come back."""

import errno
import gc
import json
import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from processes import ENVIRONMENT, wait_until

import luigi
from luigi._keep_alive import KeepAliveThread, fork_lock
from luigi.scheduler import Scheduler
from luigi.worker import TaskProcess, Worker, rpc_message_callback

WORKER = {"worker_processes": 2, "wait_interval": 0.01, "wait_jitter": 0.0}


class Told(luigi.Task):
    """Returns from its process what ``tell`` returns there."""

    name = luigi.Parameter()
    told = False

    def complete(self):
        return False

    def tell(self):
        return None

    def on_success(self):
        return self.tell()


def told_by(tell):
    """What the function returns in the process of a task."""
    heard = []

    class Asked(Told):
        pass

    class Listening(Worker):
        def _add_task(self, *args, **kwargs):
            if kwargs["status"] in ("DONE", "FAILED"):
                heard.append(kwargs["expl"])
            return super()._add_task(*args, **kwargs)

    Asked.tell = lambda self: tell()
    with Listening(scheduler=Scheduler(), worker_id="me", **WORKER) as worker:
        assert worker.add(Asked("a")) and worker.run()
    return json.loads(heard[-1])


def test_a_run_reads_nothing_from_the_terminal(tmp_path):
    program = tmp_path / "reads.py"
    program.write_text(
        "import os, subprocess, sys, luigi\n"
        "class Reads(luigi.Task):\n"
        "    def complete(self):\n"
        "        return False\n"
        "    def run(self):\n"
        "        below = subprocess.run(['cat'], capture_output=True)\n"
        "        print([sys.stdin.fileno(), sys.stdin.read(), os.read(0, 9), below.stdout])\n"
        "luigi.build([Reads()], local_scheduler=True, workers=2, log_level='ERROR')\n"
        "print(sys.stdin.read())\n"
    )
    done = subprocess.run(
        [sys.executable, str(program)],
        input="for the worker",
        capture_output=True,
        text=True,
        timeout=60,
        env=ENVIRONMENT,
    )
    assert done.stdout == "[0, '', b'', b'']\nfor the worker\n", done.stderr


def test_a_run_knows_its_process_and_its_worker():
    name, own, parent, parent_pid, is_main = told_by(
        lambda: [
            multiprocessing.current_process().name,
            multiprocessing.current_process().pid == os.getpid() != os.getppid(),
            multiprocessing.parent_process().name,
            multiprocessing.parent_process().pid,
            threading.current_thread() is threading.main_thread() and threading.get_native_id() == os.getpid(),
        ]
    )
    assert name.startswith("ContextManagedTaskProcess-")
    assert (own, parent, parent_pid, is_main) == (True, "MainProcess", os.getpid(), True)


def test_a_run_can_log_though_another_thread_of_the_worker_was_logging():
    handler = logging.StreamHandler()
    holds, leaves = threading.Event(), threading.Event()

    def hold():
        with handler.lock:
            holds.set()
            leaves.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    holds.wait()
    try:
        assert told_by(lambda: handler.lock.acquire(timeout=5)) is True
    finally:
        leaves.set()
        thread.join()


@pytest.mark.parametrize("case", ["a replaced ping", "an unlisted thread", "an exchanged handler"])
def test_a_run_can_log_whatever_happened_to_handlers_in_the_worker(case):
    program = os.path.join(os.path.dirname(__file__), "programs", "held_lock.py")
    command = [sys.executable, program, case]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
    assert done.stdout == "True\n", done.stderr


def test_the_pings_thread_logs_only_while_nobody_forks_and_outlives_a_message_that_fails():
    said, asked = [], []

    class Notes(logging.Handler):
        def emit(self, record):
            if isinstance(threading.current_thread(), KeepAliveThread):
                said.append((record.getMessage(), fork_lock.locked()))

    class Fails(Worker):
        @rpc_message_callback
        def set_worker_processes(self, n):
            asked.append(n)
            raise ValueError("no such number")

    interface = logging.getLogger("luigi-interface")
    notes, level = Notes(), interface.level
    interface.addHandler(notes)
    interface.setLevel("INFO")
    try:
        with Fails(scheduler=Scheduler(), worker_id="me", ping_interval=0.01) as w:
            w._scheduler.add_worker("me", [])
            for number in (7, 8):
                w._scheduler.set_worker_processes("me", number)
                wait_until(lambda wanted=number: wanted in asked)
    finally:
        interface.removeHandler(notes)
        interface.setLevel(level)
    texts = [text for text, _ in said]
    assert texts.count("Failed handling messages of the scheduler") == 2
    assert texts[-1] == "Worker me was stopped. Shutting down Keep-Alive thread"
    assert all(is_locked for _, is_locked in said)


def test_a_handler_is_put_in_order_in_its_own_way():
    class Own(logging.StreamHandler):
        pid = None

        def _at_fork_reinit(self):
            super()._at_fork_reinit()
            self.pid = os.getpid()

    handler = Own()
    assert told_by(lambda: handler.pid == os.getpid()) is True


def test_a_run_sees_that_its_worker_lives():
    assert told_by(lambda: multiprocessing.parent_process().is_alive()) is True


def test_a_run_can_start_processes_and_pools():
    def doubled():
        with multiprocessing.get_context("fork").Pool(2) as pool:
            return pool.map(abs, [-2, -3])

    assert told_by(doubled) == [2, 3]


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_results_of_any_size_arrive(size):
    assert told_by(lambda: "ä" * size) == "ä" * size


@pytest.mark.parametrize("value", [None, "", "text", [], ["a"], {"a": [1, 2.5, None]}, True, 0])
def test_results_of_any_kind_arrive_as_they_are(value):
    assert told_by(lambda: value) == value


def test_results_that_are_there_are_told_before_more_work_is_asked_for():
    calls = []

    class Noting(Scheduler):
        def add_task(self, *args, **kwargs):
            if kwargs.get("status") == "DONE":
                calls.append("done")
            return super().add_task(*args, **kwargs)

        def get_work(self, *args, **kwargs):
            work = super().get_work(*args, **kwargs)
            calls.append("asked" if work["task_id"] is None else "given")
            return work

    class Patient(Worker):
        def _handle_next_task(self):
            wait_until(lambda: not any(run.is_alive() for run in self._running_tasks.values()), 60)
            return super()._handle_next_task()

    with Patient(scheduler=Noting(), worker_id="me", **WORKER) as worker:
        assert all(worker.add(Told(name)) for name in "abcd") and worker.run()
    assert calls == ["given", "given", "done", "done", "given", "given", "done", "done", "asked"]


class LeavesSlowly:
    """A context of a run that takes its time to be left."""

    def __init__(self, process):
        self.file = process.task.file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        time.sleep(0.3)
        self.file.touch()


def test_the_worker_hears_of_the_end_of_a_run_when_its_context_has_been_left(tmp_path):
    seen = []

    class Within(Told):
        file = tmp_path / "left"

    class Listening(Worker):
        def _add_task(self, *args, **kwargs):
            if kwargs["status"] == "DONE":
                seen.append(Within.file.exists())
            return super()._add_task(*args, **kwargs)

    context = f"{__name__}.LeavesSlowly"
    with Listening(scheduler=Scheduler(), worker_id="me", task_process_context=context, **WORKER) as worker:
        assert worker.add(Within("a")) and worker.run()
    assert seen == [True]


class Ends(TaskProcess):
    """A process of which only the end matters."""

    def __init__(self, end):
        super().__init__(Told("ends"), "me", None, None, use_multiprocessing=True)
        self.end = end

    def run(self):
        self.end()


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        (lambda: None, 0, ""),
        (lambda: sys.exit(), 0, ""),
        (lambda: sys.exit(7), 7, ""),
        (lambda: sys.exit("no more"), 1, "no more\n"),
        (lambda: 1 // 0, 1, "ZeroDivisionError"),
        (lambda: os.kill(os.getpid(), 9), -9, ""),
    ],
)
def test_a_process_ends_as_its_run_does(end, code, said, capfd):
    process = Ends(end)
    process.start()
    assert multiprocessing.connection.wait([process.sentinel], 60) == [process.sentinel]
    process.join(60)
    assert process.exitcode == code and not process.is_alive()
    assert said in capfd.readouterr().err
    process.close()


def test_a_process_waits_for_those_that_it_started(tmp_path):
    def start_another():
        multiprocessing.get_context("fork").Process(target=(tmp_path / "other").touch).start()

    process = Ends(start_another)
    process.start()
    process.join(60)
    assert process.exitcode == 0 and (tmp_path / "other").exists()


def test_a_process_waits_for_threads_that_it_started(tmp_path):
    def write_when_asked():
        (tmp_path / "waits").touch()
        while not (tmp_path / "asked").exists():
            time.sleep(0.01)
        (tmp_path / "written").touch()

    # Made where it is started: Python 3.13 starts no thread that was made before a fork.
    process = Ends(lambda: threading.Thread(target=write_when_asked).start())
    process.start()
    deadline = time.monotonic() + 60
    while not (tmp_path / "waits").exists():
        assert time.monotonic() < deadline and process.exitcode is None
        time.sleep(0.01)
    assert process.is_alive()
    (tmp_path / "asked").touch()
    process.join(60)
    assert process.exitcode == 0 and (tmp_path / "written").exists()


def test_a_second_result_of_a_run_changes_nothing():
    started = []

    class Twice(TaskProcess):
        def run(self):
            super().run()
            self.result_queue.put((self.task.task_id, "FAILED", "no", [], []))

    class Starting(Worker):
        def _create_task_process(self, task):
            started.append(Twice(task, self._id, self._task_result_queue, None, use_multiprocessing=True))
            started[-1].forward_reporter_attributes = {}
            return started[-1]

    with Starting(scheduler=Scheduler(), worker_id="me", **WORKER) as worker:
        assert worker.add(Told("twice")) and worker.run()
        (process,) = started
        process.join(60)
    assert process.exitcode == 0


def test_a_process_can_be_waited_for_and_terminated():
    process = Ends(threading.Event().wait)
    process.start()
    process.join(0.01)
    assert process.is_alive() and process.exitcode is None
    assert process in multiprocessing.active_children()
    os.kill(process.pid, signal.SIGTERM)
    process.join(60)
    assert process.exitcode == -15


def test_no_process_is_left_behind_where_no_more_files_can_be_opened(monkeypatch):
    wait_for_all_processes()
    Ends(lambda: None).start()  # what all processes share is there from now on
    wait_for_all_processes()

    asked = []

    def none_left(pid):
        asked.append(pid)
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", none_left)
    with pytest.raises(OSError, match="Too many open files"):
        Ends(threading.Event().wait).start()
    with pytest.raises(ChildProcessError):
        os.waitpid(asked[0], os.WNOHANG)


class Unread:
    """A stream like a pipe that nobody reads."""

    def write(self, text):
        return len(text)

    def flush(self):
        raise OSError(errno.EPIPE, "Broken pipe")


def test_a_process_starts_and_ends_though_nobody_reads_what_is_printed(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Unread())
    process = Ends(lambda: None)
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert told_by(lambda: "ran") == "ran"


def wait_for_all_processes():
    """Waits for those that this module started: servers of other tests may still run."""
    for process in multiprocessing.active_children():
        if isinstance(process, TaskProcess):
            process.join()


def test_no_files_are_left_open():
    def files_open_after(runs):
        for _ in range(runs):
            told_by(lambda: None)
        wait_for_all_processes()
        # What other tests left open.
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    assert files_open_after(1) == files_open_after(3)
