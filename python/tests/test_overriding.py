"""What projects replace from outside, each looked up when it is called. The steps of a worker are in test_short_way."""

from __future__ import annotations

import importlib.util
import sys
import threading

import pytest
from processes import wait_until

import luigi
import luigi.worker
from luigi import execution_summary, interface, retcodes
from luigi.scheduler import Scheduler
from luigi.task_register import Register

SETTINGS = {"local_scheduler": True, "log_level": "WARNING"}


class Makes(luigi.Task):
    name = luigi.Parameter(default="made")

    def output(self):
        return luigi.LocalTarget(self.name)

    def run(self):
        with self.output().open("w") as out:
            out.write(self.name)


def noting(monkeypatch, owner, name):
    """Puts a function in the place of another one, which notes that it was called. Returns the notes."""
    notes = []
    inner = getattr(owner, name)

    def step(*args, **kwargs):
        notes.append((args, kwargs))
        return inner(*args, **kwargs)

    monkeypatch.setattr(owner, name, step)
    return notes


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (luigi.worker.Worker, "__init__"),
        (interface._WorkerSchedulerFactory, "create_worker"),
        (interface._WorkerSchedulerFactory, "create_local_scheduler"),
        (interface, "_schedule_and_run"),
        (execution_summary, "_summary_dict"),
        (execution_summary, "_create_one_line_summary"),
        (execution_summary, "_summary_format"),
    ],
)
@pytest.mark.parametrize("way", ["build", "run"])
def test_a_replaced_step_of_a_run_is_called(owner, name, way, monkeypatch):
    notes = noting(monkeypatch, owner, name)
    if way == "build":
        assert luigi.build([Makes()], **SETTINGS)
    else:
        assert luigi.run(["Makes", "--local-scheduler", "--no-lock", "--log-level", "WARNING"])
    assert notes and Makes().complete()


def test_what_a_replaced_summary_says_is_shown_and_makes_the_exit_code(monkeypatch, configure):
    configure({"retcode": {"task_failed": "30"}})
    inner = execution_summary._summary_dict

    def failed(worker):
        sorted_tasks = inner(worker)
        return {**sorted_tasks, "failed": sorted_tasks["completed"], "ever_failed": sorted_tasks["completed"]}

    monkeypatch.setattr(execution_summary, "_summary_dict", failed)
    result = luigi.build([Makes()], detailed_summary=True, **SETTINGS)
    assert result.status is luigi.LuigiStatusCode.FAILED
    assert "* 1 failed:\n    - 1 Makes(name=made)" in result.summary_text
    with pytest.raises(SystemExit) as ended:
        retcodes.run_with_retcodes(["Makes", "--name", "other", "--local-scheduler", "--no-lock"])
    assert ended.value.code == 30


def test_a_replaced_run_of_the_keep_alive_thread_is_called(monkeypatch):
    ran = threading.Event()
    monkeypatch.setattr(luigi.worker.KeepAliveThread, "run", lambda self: ran.set())
    with luigi.worker.Worker(scheduler=Scheduler(), worker_id="me"):
        wait_until(ran.is_set)


def test_all_parameters_have_a_method_that_is_put_on_their_class(monkeypatch):
    monkeypatch.setattr(luigi.parameter.Parameter, "copy", lambda self: (type(self), self._default), raising=False)
    assert luigi.IntParameter(default=3).copy() == (luigi.IntParameter, 3)
    assert Makes.name.copy() == (luigi.Parameter, "made")


def test_the_registry_can_be_replaced(monkeypatch):
    monkeypatch.setattr(Register, "_reg", [Makes])
    assert Register.task_names() == ["Makes"]
    assert luigi.task_register.load_task(None, "Makes", {"name": "other"}) == Makes("other")


@pytest.mark.parametrize("processes", [1, 2])
def test_a_copy_of_the_workers_module_works_beside_it(processes, monkeypatch):
    spec = importlib.util.spec_from_file_location("worker_of_its_own", luigi.worker.__file__)
    copy = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, copy)
    spec.loader.exec_module(copy)

    class Asks(Makes):
        def requires(self):
            return Makes("left")

        def run(self):
            yield Makes("right")
            super().run()

    added = noting(monkeypatch, copy.Worker, "_add_task")
    settings = {"wait_interval": 0.01, "wait_jitter": 0.0, "worker_processes": processes}
    with copy.Worker(scheduler=Scheduler(), worker_id="me", **settings) as worker:
        assert worker.add(Asks("top")) and worker.run()
    assert all(Makes(name).complete() for name in ("left", "right", "top"))
    assert {call[1]["status"] for call in added} == {"PENDING", "DONE"}
    assert not isinstance(worker, luigi.worker.Worker)
