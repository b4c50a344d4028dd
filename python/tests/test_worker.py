"""The worker: what it plans, what it runs, and that every step can be replaced."""

import collections
import os
import signal
import threading
import time

import pytest
from processes import ENVIRONMENT, wait_until

import luigi
import luigi.worker
from luigi.scheduler import Scheduler
from luigi.worker import TaskException, Worker


def worker(**settings):
    processes = settings.pop("worker_processes", 1)
    settings = {"wait_interval": 0.01, "wait_jitter": 0.0, "ping_interval": 0.05, **settings}
    return Worker(scheduler=Scheduler(), worker_id="me", worker_processes=processes, **settings)


def run(task, **settings):
    """Plans and runs the task. Returns what the worker's two steps returned, and the worker."""
    with worker(**settings) as w:
        return w.add(task), w.run(), w


class Noted(luigi.Task):
    """Writes a file in the folder, and remembers in which process."""

    folder = luigi.Parameter(significant=False)
    name = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(os.path.join(self.folder, self.name))

    def run(self):
        with self.output().open("w") as out:
            out.write(str(os.getpid()))


class Pair(Noted):
    def requires(self):
        return [Noted(self.folder, "left"), Noted(self.folder, "right")]


def pid_in(folder, name):
    return int((folder / name).read_text())


def test_runs_what_is_missing_and_then_nothing(tmp_path):
    planned, succeeded, w = run(Pair(str(tmp_path), "pair"))
    assert (planned, succeeded) == (True, True)
    assert {task.name: status for task, status, _ in w._add_task_history if status == "DONE"} == {
        "left": "DONE",
        "right": "DONE",
        "pair": "DONE",
    }
    before = (tmp_path / "pair").stat().st_mtime_ns
    _, _, again = run(Pair(str(tmp_path), "pair"))
    assert [(task.name, status) for task, status, _ in again._add_task_history] == [("pair", "DONE")]
    assert (tmp_path / "pair").stat().st_mtime_ns == before


def test_one_worker_runs_tasks_in_its_own_process(tmp_path):
    run(Noted(str(tmp_path), "a"))
    assert pid_in(tmp_path, "a") == os.getpid()


def test_more_workers_run_each_task_in_a_process_of_its_own(tmp_path):
    _, succeeded, _ = run(Pair(str(tmp_path), "pair"), worker_processes=2)
    assert succeeded
    pids = {pid_in(tmp_path, name) for name in ("left", "right", "pair")}
    assert len(pids) == 3 and os.getpid() not in pids


def test_a_task_whose_requirement_fails_is_not_run(tmp_path):
    class Broken(Noted):
        def run(self):
            raise ValueError("no such luck")

    class Needs(Noted):
        def requires(self):
            return Broken(self.folder, "broken")

    planned, succeeded, w = run(Needs(str(tmp_path), "needs"))
    assert (planned, succeeded) == (True, False)
    assert not (tmp_path / "needs").exists()
    statuses = [(task.name, status) for task, status, _ in w._add_task_history]
    assert statuses == [("needs", "PENDING"), ("broken", "PENDING"), ("broken", "FAILED")]


def test_the_failure_reaches_the_scheduler_with_its_traceback(tmp_path):
    class Broken(Noted):
        def run(self):
            raise ValueError("no such luck")

    _, _, w = run(Broken(str(tmp_path), "broken"))
    error = w._scheduler.fetch_error(Broken(str(tmp_path), "broken").task_id)["error"]
    assert "ValueError: no such luck" in error and "Traceback" in error


@pytest.mark.parametrize("processes", [1, 2])
def test_dynamic_dependencies_are_run_and_given_to_the_generator(tmp_path, processes):
    class Asks(Noted):
        def run(self):
            first = yield Noted(self.folder, "first")
            rest = yield {"b": Noted(self.folder, "b"), "c": Noted(self.folder, "c")}
            with self.output().open("w") as out:
                out.write(" ".join([first.path, *sorted(rest)]))

    _, succeeded, _ = run(Asks(str(tmp_path), "asks"), worker_processes=processes)
    assert succeeded
    assert (tmp_path / "asks").read_text() == f"{tmp_path / 'first'} b c"


def test_what_is_known_of_a_forked_run_is_not_taken_for_a_later_run_here(tmp_path, monkeypatch):
    started = []
    for number in range(30):
        monkeypatch.setattr(luigi.Task, "_event_callbacks", {})
        run(Noted(str(tmp_path), f"forked {number}"), force_multiprocessing=True)
        Noted.event_handler(luigi.Event.START)(lambda task: started.append(task.name))
        # Its process object may lie where the other one lay.
        run(Noted(str(tmp_path), f"here {number}"))
    assert started == [f"here {number}" for number in range(30)]


def test_events_come_in_order(tmp_path):
    class Watched(Noted):
        pass

    seen = []
    for event in (luigi.Event.START, luigi.Event.PROCESSING_TIME, luigi.Event.SUCCESS):
        Watched.event_handler(event)(lambda *args, event=event: seen.append(event))
    run(Watched(str(tmp_path), "a"))
    assert seen == ["event.core.start", "event.core.processing_time", "event.core.success"]


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (lambda: os._exit(3), "exit code 3"),
        (lambda: os._exit(0), "without a result"),
        (lambda: os.kill(os.getpid(), 9), "exit code -9"),
    ],
)
def test_a_process_that_dies_has_failed(tmp_path, end, told):
    class Dies(Noted):
        def run(self):
            end()

    lost = []
    Dies.event_handler(luigi.Event.PROCESS_FAILURE)(lambda task, text: lost.append(text))
    started = time.monotonic()
    _, succeeded, w = run(Dies(str(tmp_path), "dies"), worker_processes=2, wait_interval=30)
    assert not succeeded
    assert [told in text for text in lost] == [True]
    assert told in w._scheduler.fetch_error(Dies(str(tmp_path), "dies").task_id)["error"]
    # Its end is noticed when it comes, not when the wait is over.
    assert time.monotonic() - started < 20


def test_a_process_that_is_interrupted_has_failed(tmp_path):
    class Interrupted(Noted):
        def run(self):
            raise KeyboardInterrupt

    _, succeeded, w = run(Interrupted(str(tmp_path), "stops"), worker_processes=2)
    assert not succeeded
    assert "interrupted" in w._scheduler.fetch_error(Interrupted(str(tmp_path), "stops").task_id)["error"]


def test_a_task_that_takes_too_long_is_terminated(tmp_path):
    class Hangs(Noted):
        worker_timeout = 1

        def run(self):
            time.sleep(60)

    timeouts = []
    Hangs.event_handler(luigi.Event.TIMEOUT)(lambda task, text: timeouts.append(text))
    started = time.monotonic()
    _, succeeded, _ = run(Hangs(str(tmp_path), "hangs"), wait_interval=0.1)
    assert not succeeded
    assert time.monotonic() - started < 30
    assert timeouts == [f"Task {Hangs(str(tmp_path), 'hangs').task_id} timed out after 1 seconds and was terminated."]


def test_what_a_run_says_when_it_is_terminated_is_not_taken_for_a_word_of_the_next(tmp_path):
    first, looked = tmp_path / "first", tmp_path / "looked"

    def says_so(*_):
        raise RuntimeError("too late")

    class Late(Noted):
        retry_count = 3

        @property
        def worker_timeout(self):
            return 60 if first.exists() else 1

        def run(self):
            if first.exists():
                # Until the worker had the time to come upon all that was said.
                wait_until(looked.exists)
                super().run()
                return
            signal.signal(signal.SIGTERM, says_so)
            first.touch()
            time.sleep(60)

    told, turns = [], []

    class Telling(Worker):
        def _add_task(self, *args, **kwargs):
            told.append(kwargs["status"])
            return super()._add_task(*args, **kwargs)

        def _handle_next_task(self):
            super()._handle_next_task()
            if "FAILED" in told:
                turns.append(len(self._running_tasks))
            if len(turns) == 10:
                looked.touch()

    settings = {"wait_interval": 0.05, "wait_jitter": 0.0, "keep_alive": True, "ping_interval": 0.05}
    with Telling(scheduler=Scheduler(retry_delay=0.1, prune_on_get_work=True), worker_id="me", **settings) as w:
        task = Late(str(tmp_path), "late")
        assert w.add(task)
        w.run()
    assert [status for status in told if status != "PENDING"] == ["FAILED", "DONE"]
    assert task.complete()


def test_what_cannot_be_sent_from_a_process_fails_the_task(tmp_path):
    class Odd(Noted):
        def on_success(self):
            return threading.Lock()

    _, succeeded, w = run(Odd(str(tmp_path), "odd"), worker_processes=2)
    assert not succeeded
    assert "on_success()" in w._scheduler.fetch_error(Odd(str(tmp_path), "odd").task_id)["error"]


def test_complete_that_raises_leaves_the_task_and_its_dependencies_alone(tmp_path):
    class Unsure(Noted):
        def complete(self):
            raise OSError("the disk is away")

        def requires(self):
            return Noted(self.folder, "below")

    planned, succeeded, w = run(Unsure(str(tmp_path), "unsure"))
    assert (planned, succeeded) == (False, True)
    assert [(task.name, status) for task, status, _ in w._add_task_history] == [("unsure", "UNKNOWN")]
    assert not (tmp_path / "below").exists()


def test_requires_that_raises_is_a_scheduling_error(tmp_path):
    class Lost(Noted):
        def requires(self):
            raise KeyError("which?")

    broken = []
    Lost.event_handler(luigi.Event.BROKEN_TASK)(lambda task, error: broken.append(repr(error)))
    planned, _, w = run(Lost(str(tmp_path), "lost"))
    assert not planned
    assert broken == ["KeyError('which?')"]
    assert w._add_task_history[-1][1] == "UNKNOWN"


def test_what_is_no_task_is_refused(tmp_path):
    with worker() as w, pytest.raises(TaskException, match="Can not schedule non-task"):
        w.add("a text")


def test_a_target_among_the_requirements_is_refused(tmp_path):
    class Wrong(Noted):
        def requires(self):
            return luigi.LocalTarget("/dev/null")

    with worker() as w, pytest.raises(Exception, match="Wrap it in an ExternalTask"):
        w.add(Wrong(str(tmp_path), "wrong"))


def test_no_more_tasks_than_the_limit_are_planned(tmp_path):
    _, _, w = run(Pair(str(tmp_path), "pair"), task_limit=1)
    assert [status for _, status, _ in w._add_task_history].count("UNKNOWN") == 2


def test_check_complete_on_run_fails_a_task_without_its_output(tmp_path):
    class Idle(Noted):
        def run(self):
            pass

    assert run(Idle(str(tmp_path), "idle"))[1]
    _, succeeded, w = run(Idle(str(tmp_path), "idle"), check_complete_on_run=True)
    assert not succeeded
    assert (
        "complete() is still returning false" in w._scheduler.fetch_error(Idle(str(tmp_path), "idle").task_id)["error"]
    )


def test_a_requirement_that_disappears_is_made_again(tmp_path):
    class Fleeting(Noted):
        def run(self):
            super().run()
            if not (tmp_path / "once").exists():
                (tmp_path / "once").touch()
                os.remove(self.output().path)

    class Needs(Noted):
        def requires(self):
            return Fleeting(self.folder, "fleeting")

    _, _, w = run(Needs(str(tmp_path), "needs"))
    statuses = collections.Counter((task.name, status) for task, status, _ in w._add_task_history)
    # It is announced anew once; whether it runs again is for the scheduler's cooldown to say.
    assert statuses["needs", "FAILED"] >= 1
    assert statuses["fleeting", "PENDING"] == 2


class Batched(luigi.Task):
    folder = luigi.Parameter(significant=False, batch_method=max)
    number = luigi.IntParameter(batch_method=max)

    def complete(self):
        path = os.path.join(self.folder, "highest")
        return os.path.exists(path) and int(open(path).read()) >= self.number

    def run(self):
        with open(os.path.join(self.folder, "highest"), "w") as out:
            out.write(str(self.number))
        with open(os.path.join(self.folder, "runs"), "a") as out:
            out.write("run\n")


def test_batched_tasks_run_as_one(tmp_path):
    class Wrapper(luigi.WrapperTask):
        def requires(self):
            return [Batched(str(tmp_path), number) for number in range(5)]

    _, succeeded, w = run(Wrapper())
    assert succeeded
    assert (tmp_path / "runs").read_text() == "run\n"
    done = {task.number for task, status, _ in w._add_task_history if status == "DONE" and isinstance(task, Batched)}
    assert done == {0, 1, 2, 3, 4}


# The steps in the order of a run.
HOOKS = [
    "_add",
    "_add_task",
    "_add_worker",
    "_get_work",
    "_get_work_task_id",
    "_handle_next_task",
    "_run_task",
    "_create_task_process",
]


@pytest.mark.parametrize("hook", HOOKS)
def test_each_step_of_a_subclass_is_called(tmp_path, hook):
    calls = []

    class Mine(Worker):
        pass

    def step(self, *args, **kwargs):
        calls.append(args)
        return getattr(Worker, hook)(self, *args, **kwargs)

    setattr(Mine, hook, step)
    with Mine(scheduler=Scheduler(), worker_id="mine", wait_interval=0.01, wait_jitter=0.0) as w:
        assert w.add(Noted(str(tmp_path), "a")) and w.run()
    assert calls


@pytest.mark.parametrize("hook", HOOKS)
def test_each_step_can_be_assigned_to_the_class(tmp_path, hook, monkeypatch):
    calls = []
    original = getattr(Worker, hook)
    monkeypatch.setattr(
        Worker, hook, lambda self, *args, **kwargs: calls.append(args) or original(self, *args, **kwargs)
    )
    assert run(Noted(str(tmp_path), "a"))[1]
    assert calls


def test_names_of_the_module_are_looked_up_when_they_are_used(tmp_path, monkeypatch):
    checked = []
    original = luigi.worker.check_complete_cached

    def check(task, completion_cache=None):
        checked.append(task.name)
        return original(task, completion_cache)

    monkeypatch.setattr(luigi.worker, "check_complete_cached", check)
    run(Pair(str(tmp_path), "pair"))
    assert sorted(set(checked)) == ["left", "pair", "right"]


def test_the_run_of_a_process_can_be_assigned(tmp_path, monkeypatch):
    ran = []
    original = luigi.worker.TaskProcess.run
    monkeypatch.setattr(luigi.worker.TaskProcess, "run", lambda self: ran.append(self.task.name) or original(self))
    run(Noted(str(tmp_path), "a"))
    assert ran == ["a"]


def test_a_keep_alive_worker_leaves_after_its_idle_time(tmp_path):
    import datetime

    class Never(luigi.ExternalTask):
        def output(self):
            return luigi.LocalTarget(str(tmp_path / "never"))

    settings = {
        "keep_alive": True,
        "retry_external_tasks": True,
        "max_keep_alive_idle_duration": datetime.timedelta(seconds=0.3),
    }
    started = time.monotonic()
    with worker(**settings) as w:
        w._scheduler.add_task(worker="other", task_id="elsewhere", status="PENDING", runnable=True)
        w.add(Never())
        w.run()
    assert 0.3 <= time.monotonic() - started < 30


def test_sigusr1_lets_running_tasks_end_and_starts_no_more(tmp_path):
    import signal

    class Signals(Noted):
        def run(self):
            super().run()
            os.kill(os.getpid(), signal.SIGUSR1)

    class After(Noted):
        def requires(self):
            return Signals(self.folder, "first")

    _, succeeded, _ = run(After(str(tmp_path), "after"))
    assert succeeded
    assert (tmp_path / "first").exists() and not (tmp_path / "after").exists()


def test_messages_of_the_scheduler_change_the_number_of_processes():
    with worker() as w:
        w._scheduler.add_worker("me", [])
        w._scheduler.set_worker_processes("me", 7)
        deadline = time.monotonic() + 20
        while w.worker_processes != 7 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert w.worker_processes == 7


class TestProcessesThatAreKept:
    """``[worker] reuse_processes``."""

    settings = {"worker_processes": 2, "reuse_processes": True}

    def test_tasks_share_as_many_processes_as_there_are_workers(self, tmp_path):
        class Wrapper(luigi.WrapperTask):
            def requires(self):
                return [Noted(str(tmp_path), str(number)) for number in range(10)]

        _, succeeded, _ = run(Wrapper(), **self.settings)
        assert succeeded
        pids = {pid_in(tmp_path, str(number)) for number in range(10)}
        assert 1 <= len(pids) <= 2 and os.getpid() not in pids

    def test_a_process_that_dies_fails_its_task_alone(self, tmp_path):
        class Dies(Noted):
            def run(self):
                if self.name in ("1", "4"):
                    os._exit(0 if self.name == "1" else 3)
                super().run()

        class Wrapper(luigi.WrapperTask):
            def requires(self):
                return [Dies(str(tmp_path), str(number)) for number in range(8)]

        _, succeeded, _ = run(Wrapper(), wait_interval=30, **{key: value for key, value in self.settings.items()})
        assert not succeeded
        assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["0", "2", "3", "5", "6", "7"]

    def test_a_task_that_takes_too_long_is_terminated(self, tmp_path):
        class Hangs(Noted):
            def run(self):
                if self.name == "hangs":
                    time.sleep(60)
                super().run()

        class Wrapper(luigi.WrapperTask):
            def requires(self):
                return [Hangs(str(tmp_path), name) for name in ("hangs", "a", "b")]

        started = time.monotonic()
        _, succeeded, w = run(Wrapper(), timeout=2, **{**self.settings, "wait_interval": 0.1})
        assert not succeeded and time.monotonic() - started < 40
        assert "timed out" in w._scheduler.fetch_error(Hangs(str(tmp_path), "hangs").task_id)["error"]
        assert (tmp_path / "a").exists() and (tmp_path / "b").exists()

    def test_dynamic_dependencies_and_failures_come_back(self, tmp_path):
        class Asks(Noted):
            def run(self):
                yield Noted(self.folder, "below")
                raise ValueError("after all")

        _, succeeded, w = run(Asks(str(tmp_path), "asks"), **self.settings)
        assert not succeeded and (tmp_path / "below").exists()
        assert "after all" in w._scheduler.fetch_error(Asks(str(tmp_path), "asks").task_id)["error"]

    def test_a_program_that_leaves_without_closing_its_worker_ends(self, tmp_path):
        import subprocess
        import sys
        import textwrap

        (tmp_path / "leaves.py").write_text(
            textwrap.dedent("""
            import luigi
            from luigi.scheduler import Scheduler
            from luigi.worker import Worker

            class One(luigi.Task):
                def complete(self):
                    return False

            worker = Worker(scheduler=Scheduler(), worker_processes=2, reuse_processes=True)
            worker.add(One())
            print(worker.run())
            """)
        )
        done = subprocess.run(
            [sys.executable, str(tmp_path / "leaves.py")], env=ENVIRONMENT, capture_output=True, text=True, timeout=60
        )
        assert done.stdout == "True\n", done.stderr


class Needy(luigi.Task):
    def requires(self):
        raise KeyError("requires")


def test_records_of_the_log_name_the_steps(tmp_path, caplog):
    caplog.set_level("DEBUG", logger="luigi-interface")
    run(Pair(str(tmp_path), "pair"))
    steps = {(record.funcName, record.module, os.path.basename(record.pathname)) for record in caplog.records}
    for step in ("check_complete", "_add_task", "_get_work", "run", "_log_remote_tasks"):
        assert (step, "worker", "worker.py") in steps
    assert {module for _, module, _ in steps} <= {"worker", "_keep_alive"}
    assert all(record.lineno > 1 for record in caplog.records)


def test_what_fails_while_a_failure_is_told_has_it_as_its_context():
    class Mailing(Worker):
        def _email_dependency_error(self, task, formatted_traceback):
            raise OSError("no mail")

    with Mailing(scheduler=Scheduler(), worker_id="me") as w, pytest.raises(OSError, match="no mail") as caught:
        w.add(Needy())
    assert repr(caught.value.__context__) == "KeyError('requires')"
    assert caught.traceback[-1].name == "_email_dependency_error"


def test_a_fraction_of_a_resource_is_refused_with_what_to_do():
    class Half(luigi.Task):
        resources = {"cpu": 0.5}

    with worker() as w, pytest.raises(ValueError, match="Half__") as caught:
        w.add(Half())
    text = str(caught.value)
    assert 'resource "cpu" is 0.5' in text
    assert (
        "multiply all amounts of this resource, and its limit in section [resources], by 2; this one is 1 then" in text
    )
