"""Signals that come while a run is started: the worker heeds each, and leaves no process behind."""

import json
import multiprocessing
import os
import signal
import threading

import psutil
import pytest
from processes import wait_until

import luigi
import luigi.worker
from luigi import _forks
from luigi.scheduler import Scheduler
from luigi.worker import ContextManagedTaskProcess, Worker

WORKER = {"worker_processes": 2, "wait_interval": 0.01, "wait_jitter": 0.0}

#: What is to be called in the hooks of a fork, which cannot be taken away again.
HOOKS = {}


@pytest.fixture(scope="module")
def forks_are_watched():
    def hook(name):
        return lambda: HOOKS.get(name, int)()

    # Hooks that come later than the package's are the harder case.
    assert said_by(lambda: "ran", WORKER) == ("DONE", "ran")
    os.register_at_fork(before=hook("before"), after_in_parent=hook("parent"), after_in_child=hook("child"))


@pytest.fixture
def hooks(forks_are_watched):
    HOOKS.clear()
    yield HOOKS
    HOOKS.clear()


def interrupt_once():
    """Returns a function that interrupts its process when it is called for the first time there."""
    done = []

    def interrupt(*_):
        if not done:
            done.append(True)
            os.kill(os.getpid(), signal.SIGINT)
            # Handlers are called between two steps of Python.
            assert [None for _ in range(3)]

    return interrupt


class Endless(luigi.Task):
    def complete(self):
        return False

    def run(self):
        threading.Event().wait()


class Own(ContextManagedTaskProcess):
    """A process whose start is not as the package made it."""

    def start(self):
        super().start()


class Else(Own):
    """One that has its own way to begin and to end, too."""

    def _bootstrap(self, *args, **kwargs):
        return super()._bootstrap(*args, **kwargs)


#: Processes that the package forks itself.
FORKED = ["built in", "own start", "own way"]


@pytest.fixture(params=[*FORKED, "multiprocessing's", "kept"])
def way(request, monkeypatch):
    """How a process is started. Gives settings for the worker."""
    kinds = {"own start": Own, "own way": Else, "multiprocessing's": Own}
    if request.param in kinds:
        monkeypatch.setattr(luigi.worker, "ContextManagedTaskProcess", kinds[request.param])
    if request.param == "multiprocessing's":
        monkeypatch.setattr(_forks, "_tells_of_ends", lambda: False)
    return {**WORKER, "reuse_processes": request.param == "kept"}


def children():
    return {child.pid for child in psutil.Process().children()}


def check_that_a_worker_stops(settings):
    before = children()
    with pytest.raises(KeyboardInterrupt):
        with Worker(scheduler=Scheduler(), worker_id="me", **settings) as worker:
            assert worker.add(Endless())
            worker.run()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def left():
        multiprocessing.active_children()  # waits for those that ended
        return children() - before

    wait_until(lambda: not left(), 60)


@pytest.mark.parametrize("moment", ["before", "parent"])
def test_a_signal_in_a_hook_of_the_fork_stops_the_worker(hooks, way, moment):
    hooks[moment] = interrupt_once()
    check_that_a_worker_stops(way)


def test_a_signal_before_the_process_is_noted_stops_the_worker(way, monkeypatch):
    interrupt, pidfd_open = interrupt_once(), os.pidfd_open

    def open_and_interrupt(pid, *flags):
        opened = pidfd_open(pid, *flags)
        if pid != os.getpid():
            interrupt()
        return opened

    monkeypatch.setattr(os, "pidfd_open", open_and_interrupt)
    if not _forks._tells_of_ends() or way["reuse_processes"]:
        # There the process is noted by multiprocessing alone.
        launch = multiprocessing.popen_fork.Popen._launch

        def launch_and_interrupt(self, process_obj):
            launch(self, process_obj)
            interrupt()

        monkeypatch.setattr(multiprocessing.popen_fork.Popen, "_launch", launch_and_interrupt)
    check_that_a_worker_stops(way)


def test_a_handler_of_somebodys_own_is_called_once_and_may_go_on(hooks, way):
    called = []
    before = signal.signal(signal.SIGTERM, lambda *arguments: called.append(arguments))
    hooks["parent"] = lambda: os.kill(os.getpid(), signal.SIGTERM) if not called else None
    try:
        told = said_by(lambda: signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL, way)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == ("DONE", True)
    ((number, frame),) = called
    assert number == signal.SIGTERM and frame.f_code


class Says(luigi.Task):
    def complete(self):
        return False

    def on_success(self):
        return type(self).say()


def said_by(say, settings):
    """How a run ended in whose process the function was called, and what it returned."""
    heard = []

    class Listening(Worker):
        def _add_task(self, *args, **kwargs):
            if kwargs["status"] in ("DONE", "FAILED"):
                heard.append((kwargs["status"], json.loads(kwargs["expl"])))
            return super()._add_task(*args, **kwargs)

    Says.say = staticmethod(say)
    with Listening(scheduler=Scheduler(), worker_id="me", **settings) as worker:
        assert worker.add(Says())
        worker.run()
    return heard[-1]


def test_a_run_has_the_workers_handlers(way):
    def has_them():
        return [signal.getsignal(number) is signal.default_int_handler for number in (signal.SIGINT, signal.SIGTERM)]

    assert said_by(has_them, way) == ("DONE", [True, False])


@pytest.mark.parametrize("way", FORKED, indirect=True)
def test_a_signal_to_a_process_that_begins_ends_its_run_and_not_the_worker(hooks, way):
    hooks["child"] = lambda: os.kill(os.getpid(), signal.SIGINT)
    status, explanation = said_by(lambda: "ran", way)
    assert status == "FAILED" and ("exit code 1" in explanation or "interrupted" in explanation)


def test_a_worker_in_another_thread_starts_its_runs(way):
    told = []
    thread = threading.Thread(target=lambda: told.append(said_by(lambda: "ran", way)))
    thread.start()
    thread.join(60)
    assert told == [("DONE", "ran")]
