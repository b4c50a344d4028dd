"""Runs in processes of their own are the same where somebody replaced a step, and what replaced it is called."""

import logging
import os
import random
import re
import subprocess
import sys
import threading
import types

import pytest
from processes import ENVIRONMENT

import luigi
import luigi.worker
from luigi._interface_logger import PLAIN_FORMAT
from luigi.event import Event
from luigi.scheduler import Scheduler
from luigi.worker import ContextManagedTaskProcess, TaskProcess, TaskStatusReporter, Worker

WORKER = {"worker_processes": 2, "wait_interval": 0.01, "wait_jitter": 0.0}


@pytest.fixture
def calls(tmp_path):
    """Notes calls in a file, since some are made in other processes."""
    file = tmp_path / "calls"

    def note(name):
        with file.open("a") as out:
            out.write(name + "\n")

    note.seen = lambda: file.read_text().split() if file.exists() else []
    return note


@pytest.fixture
def needy(tmp_path):
    """A class of tasks: one needs two others, each in a process of its own."""

    class Needy(luigi.Task):
        name = luigi.Parameter()

        def requires(self):
            return [Part(name=name) for name in ("left", "right")] if self.name == "whole" else []

        def output(self):
            return luigi.LocalTarget(str(tmp_path / self.name))

        def run(self):
            with self.output().open("w") as out:
                out.write(self.name)

    class Part(Needy):
        requires = luigi.Task.requires

    Needy.part = Part
    return Needy


def run(task, kind=Worker, scheduler=None):
    with kind(scheduler=scheduler or Scheduler(), worker_id="me", **WORKER) as worker:
        assert worker.add(task)
        succeeded = worker.run()
    return worker, succeeded


def noting(calls, name, inner):
    def step(self, *args, **kwargs):
        calls(name)
        return inner(self, *args, **kwargs)

    return step


STEPS_OF_WORKERS = (
    "_add",
    "_add_task",
    "_add_worker",
    "_begin_output",
    "_create_task_process",
    "_get_work",
    "_get_work_task_id",
    "_handle_next_task",
    "_keep_alive",
    "_log_remote_tasks",
    "_note_attempt",
    "_purge_children",
    "_run_task",
    "run",
)


@pytest.mark.parametrize("name", STEPS_OF_WORKERS)
@pytest.mark.parametrize("where", ["subclass", "class", "object"])
def test_a_replaced_step_of_the_worker_is_called(name, where, calls, needy, monkeypatch):
    inner = getattr(Worker, name)
    kind = Worker
    if where == "subclass":
        kind = type("Own", (Worker,), {name: noting(calls, name, inner)})
    elif where == "class":
        monkeypatch.setattr(Worker, name, noting(calls, name, inner))
    with kind(scheduler=Scheduler(), worker_id="me", **WORKER) as worker:
        if where == "object":
            setattr(worker, name, noting(calls, name, inner).__get__(worker))
        assert worker.add(needy("whole")) and worker.run()
    assert set(calls.seen()) == {name}
    assert needy("whole").complete()


STEPS_OF_PROCESSES = (
    "__init__",
    "_Popen",
    "_after_fork",
    "_bootstrap",
    "_forward_attributes",
    "_missing_dependencies",
    "_run_get_new_deps",
    "_status_after_run",
    "is_alive",
    "run",
    "start",
)


# What makes an object is not an attribute of it.
REPLACED_STEPS_OF_PROCESSES = [
    (name, where)
    for where in ("subclass", "class", "object")
    for name in STEPS_OF_PROCESSES
    if where != "object" or name != "__init__"
]


@pytest.mark.parametrize(("name", "where"), REPLACED_STEPS_OF_PROCESSES)
def test_a_replaced_step_of_a_process_is_called(name, where, calls, needy, monkeypatch):
    inner = getattr(TaskProcess, name)
    step = noting(calls, name, inner)
    if name == "_Popen":

        def step(process, *args):
            calls(name)
            return inner(process if where != "object" else args[0])

    kind = Worker
    if where == "class":
        monkeypatch.setattr(TaskProcess, name, staticmethod(step) if name == "_Popen" else step)
    elif where == "subclass":
        inner = getattr(ContextManagedTaskProcess, name)
        replaced = staticmethod(step) if name == "_Popen" else noting(calls, name, inner)
        own = type("OwnProcess", (ContextManagedTaskProcess,), {name: replaced})
        monkeypatch.setattr(luigi.worker, "ContextManagedTaskProcess", own)
    else:

        class kind(Worker):
            def _create_task_process(self, task):
                process = super()._create_task_process(task)
                setattr(process, name, step.__get__(process))
                return process

    run(needy("whole"), kind)
    assert set(calls.seen()) == {name}
    assert needy("whole").complete()


METHODS_OF_TASKS = (
    "_get_param_visibilities",
    "_owner_list",
    "_requires",
    "complete",
    "deps",
    "on_success",
    "process_resources",
    "requires",
    "to_str_params",
    "trigger_event",
)


@pytest.mark.parametrize("name", METHODS_OF_TASKS)
@pytest.mark.parametrize("where", ["class", "object"])
def test_a_replaced_method_of_a_task_is_called_in_worker_and_process(name, where, needy, calls):
    task = needy.part("left")
    run(needy.part("right"))  # what is known of the class is known now
    owner = needy.part if where == "class" else task
    inner = getattr(owner, name)

    def step(*args, **kwargs):
        calls(f"{name}-{os.getpid() == worker_pid}")
        return inner(*args, **kwargs)

    worker_pid = os.getpid()
    setattr(owner, name, step)
    run(task)
    in_process = {"_requires", "deps", "on_success", "requires", "trigger_event"}
    of_reports = {"_get_param_visibilities", "_owner_list", "process_resources", "to_str_params"}
    seen = calls.seen()
    if name in in_process:
        assert f"{name}-False" in seen
    if name in of_reports:
        # When it is announced, and with the report.
        assert seen.count(f"{name}-True") >= 2
    assert seen and task.complete()


@pytest.fixture
def log(tmp_path, monkeypatch):
    """What is logged while there is one handler, in Luigi's own format, that prints to a file."""
    logger = logging.getLogger("luigi-interface")
    with (tmp_path / "log").open("a", buffering=1) as stream:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter(PLAIN_FORMAT))
        monkeypatch.setattr(logger, "handlers", [handler])
        monkeypatch.setattr(logger, "propagate", False)
        level = logger.level
        logger.setLevel("DEBUG")
        yield lambda: (tmp_path / "log").read_text()
        logger.setLevel(level)


@pytest.mark.parametrize("name", ["__repr__", "__str__"])
def test_a_task_is_shown_as_its_class_says(name, needy, log):
    setattr(needy.part, name, lambda self: "shown in its own way")
    run(needy.part("left"))
    assert re.search(r"^INFO: \[pid \d+\] Worker me running   shown in its own way$", log(), re.MULTILINE)
    assert re.search(r"^INFO: \[pid \d+\] Worker me done      shown in its own way$", log(), re.MULTILINE)


@pytest.mark.parametrize("name", ["add_task", "get_work", "prune"])
def test_a_replaced_method_of_the_scheduler_is_called(name, needy, calls):
    kind = type("Own", (Scheduler,), {name: noting(calls, name, getattr(Scheduler, name))})
    scheduler = kind(prune_on_get_work=True)
    run(needy("whole"), scheduler=scheduler)
    assert calls.seen().count(name) >= 3 and needy("whole").complete()


@pytest.mark.parametrize("name", ["_is_external", "check_complete_cached", "TaskStatusReporter"])
def test_what_somebody_puts_into_the_module_is_used(name, needy, calls, monkeypatch):
    inner = getattr(luigi.worker, name)
    if name == "TaskStatusReporter":
        own = type("Own", (TaskStatusReporter,), {"__init__": noting(calls, name, TaskStatusReporter.__init__)})
    else:

        def own(*args, **kwargs):
            calls(name)
            return inner(*args, **kwargs)

    monkeypatch.setattr(luigi.worker, name, own)
    run(needy("whole"))
    assert set(calls.seen()) == {name} and needy("whole").complete()


@pytest.mark.parametrize("name", ["get", "put", "for_process"])
def test_a_replaced_queue_of_results_is_used(name, needy, calls):
    with Worker(scheduler=Scheduler(), worker_id="me", **WORKER) as worker:
        queue = worker._task_result_queue
        setattr(queue, name, noting(calls, name, getattr(type(queue), name)).__get__(queue))
        assert worker.add(needy("whole")) and worker.run()
    assert set(calls.seen()) == ({name} if name != "put" else set())


PROGRAM = """
import os, sys
import luigi.retcodes
import luigi
from luigi.event import Event
from luigi.worker import Worker, TaskProcess

class Part(luigi.Task):
    name = luigi.Parameter()

    def requires(self):
        return {"top": [Part("good"), Part("bad"), Part("dies"), Part("asks")]}.get(self.name, [])

    def output(self):
        return luigi.LocalTarget("made-" + self.name)

    def run(self):
        if self.name == "bad":
            raise ValueError("no such luck")
        if self.name == "dies":
            os._exit(7)
        if self.name == "asks":
            yield Part("asked-for")
        with self.output().open("w") as out:
            out.write(self.name)

    def on_success(self):
        return "well done" if self.name == "good" else None

for event in (Event.START, Event.SUCCESS, Event.FAILURE, Event.PROCESSING_TIME, Event.PROCESS_FAILURE):
    if "quiet" not in sys.argv:
        @Part.event_handler(event)
        def heard(task, *args, event=event):
            with open("events", "a") as out:
                out.write(f"{task.name} {event}\\n")

if "replaced" in sys.argv:
    for kind, names in (
        (Worker, "_add_task _get_work _get_work_task_id _run_task _create_task_process _handle_next_task"),
        (TaskProcess, "run start _run_get_new_deps _missing_dependencies _status_after_run is_alive"),
        (Part, "deps trigger_event on_success to_str_params process_resources"),
    ):
        for name in names.split():
            def step(self, *args, inner=getattr(kind, name), **kwargs):
                return inner(self, *args, **kwargs)
            setattr(kind, name, step)

luigi.retcodes.run_with_retcodes(
    ["Part", "--name", "top", "--local-scheduler", "--workers", "2", "--worker-wait-interval", "0.05",
     "--retcode-task-failed", "30"])
"""


def what_a_program_does(folder, *words):
    folder.mkdir()
    program = folder / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py", *words], cwd=folder, capture_output=True, text=True, timeout=120, env=ENVIRONMENT
    )
    by_task = {}
    for line in done.stderr.splitlines():
        line = re.sub(r"\[pid \d+\]", "[pid N]", re.sub(r"Worker\(.*?\)", "Worker(...)", line))
        named = re.search(r"Part[_(]\w*?(?:name=)?(top|good|bad|dies|asks|asked.for)", line)
        # What runs at the same time is a matter of luck.
        if named and not line.startswith((" ", "*")) and "is currently run by" not in line:
            by_task.setdefault(named[1].replace("_", "-"), []).append(line)
    events = {}
    if (folder / "events").exists():
        for line in (folder / "events").read_text().splitlines():
            name, event = line.split()
            events.setdefault(name, []).append(event)
    made = sorted(path.name for path in folder.glob("made-*"))
    summary = done.stderr[done.stderr.index("===== Luigi Execution Summary") :]
    return done.returncode, by_task, events, made, summary


def test_runs_are_the_same_with_and_without_replaced_steps(tmp_path):
    short = what_a_program_does(tmp_path / "short")
    assert short == what_a_program_does(tmp_path / "replaced", "replaced")
    code, logged, events, made, summary = short
    assert code == 30
    assert made == ["made-asked-for", "made-asks", "made-good"]
    assert events["good"] == ["event.core.start", "event.core.processing_time", "event.core.success"]
    assert events["bad"] == ["event.core.start", "event.core.failure"]
    assert events["dies"] == ["event.core.start", "event.core.process_failure"]
    assert "INFO: [pid N] Worker Worker(...) running   Part(name=good)" in logged["good"]
    assert "INFO: [pid N] Worker Worker(...) done      Part(name=good)" in logged["good"]
    assert "INFO: [pid N] Worker Worker(...) new requirements      Part(name=asks)" in logged["asks"]
    assert any(line.endswith("died unexpectedly with exit code 7") for line in logged["dies"])
    assert "2 failed" in summary


def test_the_log_is_the_same_where_nobody_hears_of_events(tmp_path):
    code, logged, events, made, _ = what_a_program_does(tmp_path / "quiet", "quiet")
    _, with_events, _, _, _ = what_a_program_does(tmp_path / "heard")
    assert (code, events) == (30, {}) and logged == with_events and "made-good" in made


def test_handlers_that_a_run_adds_are_told_of_its_end(needy, calls):
    class Listens(needy.part):
        def run(self):
            super().run()
            Listens.event_handler(Event.SUCCESS)(lambda task: calls("heard"))

    run(Listens("left"))
    assert calls.seen() == ["heard"]


def test_a_format_that_a_run_sets_is_the_one_of_its_last_line(needy, log):
    class Formats(needy.part):
        def run(self):
            super().run()
            for handler in logging.getLogger("luigi-interface").handlers:
                handler.setFormatter(logging.Formatter("<%(message)s>"))

    run(Formats("left"))
    assert re.search(r"^INFO: \[pid \d+\] Worker me running   Formats\(name=left\)$", log(), re.MULTILINE)
    assert re.search(r"^<\[pid \d+\] Worker me done      Formats\(name=left\)>$", log(), re.MULTILINE)


def told(needy, tell):
    """What the function gives in the processes of two tasks."""

    class Tells(needy.part):
        def run(self):
            super().run()
            with open(self.output().path, "w") as out:
                out.write(str(tell(self)))

    tasks = [Tells("left"), Tells("right")]
    with Worker(scheduler=Scheduler(), worker_id="me", **WORKER) as worker:
        Tells.worker = worker
        assert all(worker.add(task) for task in tasks) and worker.run()
    return [open(task.output().path).read() for task in tasks]


def test_a_run_has_no_thread_but_its_own(needy):
    def threads(task):
        alive = task.worker._keep_alive_thread.is_alive()
        return [thread.name for thread in threading.enumerate()], threading.active_count(), alive

    assert told(needy, threads) == ["(['MainThread'], 1, False)"] * 2


def test_a_run_has_no_thread_but_its_own_where_the_worker_has_more(needy):
    stop = threading.Event()
    other = threading.Thread(target=stop.wait, name="other")
    other.start()
    try:
        names = told(needy, lambda task: ([thread.name for thread in threading.enumerate()], other.is_alive()))
    finally:
        stop.set()
        other.join()
    assert names == ["(['MainThread'], False)"] * 2


def test_a_run_can_start_threads_and_log_whatever_another_thread_holds(needy):
    held, stop = threading.Event(), threading.Event()
    handler = logging.StreamHandler()
    logging.getLogger("held").addHandler(handler)

    def hold():
        with handler.lock, threading._active_limbo_lock, logging._lock:
            held.set()
            stop.wait(1)

    def logs(task):
        logging.getLogger("held").warning("from a run")
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        return "logged"

    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    threading.Timer(0.2, stop.set).start()
    assert told(needy, logs) == ["logged"] * 2
    stop.set()
    other.join()


@pytest.mark.parametrize("processes", [1, 2])
def test_how_long_a_run_took_is_told_by_the_workers_clock(needy, calls, monkeypatch, processes):
    times = [1.0, 43.0]
    monkeypatch.setattr(luigi.worker, "time", types.SimpleNamespace(time=lambda: times.pop(0)))
    needy.part.event_handler(Event.PROCESSING_TIME)(lambda task, seconds: calls(str(seconds)))
    with Worker(scheduler=Scheduler(), worker_id="me", **{**WORKER, "worker_processes": processes}) as worker:
        assert worker.add(needy.part("left")) and worker.run()
    assert calls.seen() == ["42.0"]


def test_runs_draw_numbers_of_their_own(needy):
    first, second = told(needy, lambda task: random.random())
    assert first != second


def test_what_is_registered_for_forks_is_called(needy, calls):
    # It cannot be taken back, so it looks whether it is wanted.
    wanted = [calls]
    os.register_at_fork(
        before=lambda: wanted and wanted[0]("before"),
        after_in_parent=lambda: wanted and wanted[0]("parent"),
        after_in_child=lambda: wanted and wanted[0]("child"),
    )
    run(needy.part("left"))
    wanted.clear()
    assert sorted(calls.seen()) == ["before", "child", "parent"]


def test_a_second_result_larger_than_a_pipe_holds_up_nobody():
    started = []

    class Twice(TaskProcess):
        def run(self):
            super().run()
            self.result_queue.put((self.task.task_id, "FAILED", "x" * 3_000_000, [], []))

    class Nothing(luigi.Task):
        def complete(self):
            return False

    class Starting(Worker):
        def _create_task_process(self, task):
            reporter = TaskStatusReporter(self._scheduler, task.task_id, self._id, None)
            started.append(Twice(task, self._id, self._task_result_queue, reporter, use_multiprocessing=True))
            return started[-1]

    worker = Starting(scheduler=Scheduler(), worker_id="me", **WORKER)
    assert worker.add(Nothing()) and worker.run()
    (process,) = started
    process.join(60)
    assert process.exitcode == 0
