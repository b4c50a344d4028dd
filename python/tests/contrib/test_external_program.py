"""Tasks that run real programs of this machine."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import pytest
from processes import wait_until

import luigi
from luigi.contrib.external_program import (
    ExternalProgramRunContext,
    ExternalProgramRunError,
    ExternalProgramTask,
    ExternalPythonProgramTask,
)
from luigi.scheduler import Scheduler
from luigi.worker import Worker

from .programs import is_running


class Shell(ExternalProgramTask):
    """Runs a line of shell."""

    script = luigi.Parameter()

    def program_args(self):
        return ["sh", "-c", self.script]


class ShellWithURL(Shell):
    """Collects the tracking URLs it finds."""

    stream_for_searching_tracking_url = "stdout"
    tracking_url_pattern = r"go to (\S+)"

    def build_tracking_url(self, logs_output):
        return logs_output + "?found"

    def run(self):
        self.urls = []
        self.set_tracking_url = self.urls.append
        super().run()


def test_program_gets_arguments_as_strings_without_a_shell(tmp_path, luigi_log):
    class Write(ExternalProgramTask):
        def program_args(self):
            return [sys.executable, "-c", "import sys; print(sys.argv[1:])", "a b", "$HOME", 3]

    Write().run()
    assert "Program stdout:\n['a b', '$HOME', '3']\n" in luigi_log.messages


def test_build_makes_the_output(tmp_path):
    class Touch(ExternalProgramTask):
        def program_args(self):
            return ["touch", self.output().path]

        def output(self):
            return luigi.LocalTarget(str(tmp_path / "made"))

    assert luigi.build([Touch()], local_scheduler=True)
    assert (tmp_path / "made").exists()


def test_failure_carries_command_output_and_environment():
    with pytest.raises(ExternalProgramRunError) as caught:
        Shell("echo said; echo complained >&2; exit 3").run()
    error = caught.value
    assert error.message == "Program failed with return code=3:"
    assert (error.out, error.err) == ("said\n", "complained\n")
    assert error.env["PATH"] == os.environ["PATH"]
    lines = str(error).split("\n")
    assert lines[:2] == [
        "Program failed with return code=3:",
        "COMMAND: sh -c echo said; echo complained >&2; exit 3",
    ]
    assert "STDOUT: said" in lines and "STDERR: complained" in lines
    assert str(error).endswith("\033[m")


def test_error_without_output_says_empty():
    error = ExternalProgramRunError("failed", ["a", "b"])
    assert str(error) == "failed\nCOMMAND: a b\nSTDOUT: [empty]\nSTDERR: [empty]\nENVIRONMENT: [empty]\033[m"


def test_error_survives_pickling():
    error = pickle.loads(pickle.dumps(ExternalProgramRunError("failed", ["a", "b"], {"X": "1"}, "out", "err")))
    assert (error.message, list(error.args), error.env) == ("failed", ["a", "b"], {"X": "1"})
    assert (error.out, error.err) == ("out", "err")


def test_stderr_is_logged_after_success_only_if_wanted(luigi_log):
    class Quiet(Shell):
        always_log_stderr = False

    Shell("echo loud >&2").run()
    Quiet("echo hushed >&2").run()
    assert "Program stderr:\nloud\n" in luigi_log.messages
    assert not [message for message in luigi_log.messages if "hushed" in message and "Program" in message]
    with pytest.raises(ExternalProgramRunError):
        Quiet("echo wrong >&2; exit 1").run()
    assert "Program stderr:\nwrong\n" in luigi_log.messages


def test_output_that_is_not_utf8_is_shown_with_escapes(luigi_log):
    Shell(r"printf 'caf\351'").run()
    assert "Program stdout:\ncaf\\xe9" in luigi_log.messages


def test_uncaptured_output_goes_where_ours_goes(capfd, luigi_log):
    Shell("echo through; echo beside >&2", capture_output=False).run()
    captured = capfd.readouterr()
    assert captured.out == "through\n" and "beside\n" in captured.err
    with pytest.raises(ExternalProgramRunError) as caught:
        Shell("exit 1", capture_output=False).run()
    assert (caught.value.out, caught.value.err) == (None, None)


def test_arguments_must_be_given():
    with pytest.raises(NotImplementedError):
        ExternalProgramTask().run()


@pytest.mark.parametrize("captured", [True, False])
def test_every_tracking_url_is_told(captured, luigi_log):
    task = ShellWithURL(
        "echo go to http://a/1; echo on; echo go to http://a/2; printf 'go to http://a/3'", capture_output=captured
    )
    task.run()
    assert task.urls == ["http://a/1?found", "http://a/2?found", "http://a/3?found"]
    if captured:
        assert "Program stdout:\ngo to http://a/1\non\ngo to http://a/2\ngo to http://a/3" in luigi_log.messages


def test_tracking_url_is_told_while_the_program_runs(tmp_path):
    seen = tmp_path / "seen"

    class Waits(ShellWithURL):
        def build_tracking_url(self, logs_output):
            seen.touch()
            return logs_output

    # The program ends only when it sees that its line was read.
    task = Waits("echo go to http://now; for i in $(seq 200); do test -e %s && exit 0; sleep 0.05; done; exit 9" % seen)
    task.run()
    assert task.urls == ["http://now"]


def test_tracking_url_reaches_the_scheduler():
    class Told(ExternalProgramTask):
        stream_for_searching_tracking_url = "stderr"
        tracking_url_pattern = r"go to (\S+)"

        def program_args(self):
            return ["sh", "-c", "echo go to http://page >&2"]

    scheduler = Scheduler()
    with Worker(scheduler=scheduler) as worker:
        assert worker.add(Told())
        worker.run()
    assert scheduler.task_list("", "")[Told().task_id]["tracking_url"] == "http://page"


def test_more_output_than_a_pipe_holds_is_kept(luigi_log):
    task = ShellWithURL("seq 1 50000; echo go to http://end")
    task.run()
    assert task.urls == ["http://end?found"]
    assert [m for m in luigi_log.messages if m.startswith("Program stdout:\n1\n2\n") and "\n50000\n" in m]


def test_a_failing_tracking_url_does_not_stop_the_program(luigi_log):
    class Fails(ShellWithURL):
        def build_tracking_url(self, logs_output):
            raise ValueError("no URL today")

    Fails("echo go to http://a; seq 1 50000; echo go to http://b").run()
    assert len([m for m in luigi_log.messages if m.startswith("Looking at a program's output failed")]) == 1


def test_a_grandchild_that_keeps_the_pipe_open_is_not_waited_for(tmp_path):
    task = ShellWithURL("sleep 30 & echo $! > %s; echo go to http://a" % (tmp_path / "pid"))
    started = time.monotonic()
    try:
        task.run()
        assert time.monotonic() - started < 10
        assert task.urls == ["http://a?found"]
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def _start_in_child(tmp_path, body, wait="wait"):
    """Start a Python process that runs ``body`` after the imports; its program writes ``pid`` and ``grandchild``."""
    script = tmp_path / "child.py"
    script.write_text(
        "import subprocess, sys, luigi\n"
        "from luigi.contrib.external_program import ExternalProgramTask\n"
        "class Long(ExternalProgramTask):\n"
        "    def program_args(self):\n"
        "        return ['sh', '-c', 'sleep 60 & echo $! > grandchild.new; echo $$ > pid; "
        "mv grandchild.new grandchild; %s']\n" % wait.replace("'", '"') + body
    )
    return subprocess.Popen([sys.executable, str(script)], cwd=tmp_path, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("sent, code", [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, -signal.SIGINT)])
def test_a_signal_ends_the_program_and_what_it_started(tmp_path, sent, code):
    process = _start_in_child(tmp_path, "Long().run()\n")
    try:
        wait_until((tmp_path / "grandchild").exists)
        pids = [int((tmp_path / name).read_text()) for name in ("pid", "grandchild")]
        assert all(map(is_running, pids))
        wait_until(lambda: _has_handler(process.pid, signal.SIGTERM))
        process.send_signal(sent)
        assert process.wait(timeout=20) == code
        wait_until(lambda: not any(map(is_running, pids)))
    finally:
        process.kill()
        process.wait()


def test_any_exception_ends_the_program():
    process = subprocess.Popen(["sleep", "60"])
    with pytest.raises(ZeroDivisionError):
        with ExternalProgramRunContext(process):
            raise ZeroDivisionError
    assert process.wait(timeout=20) == -signal.SIGTERM


def test_a_program_may_clean_up_before_it_ends(tmp_path):
    script = "trap 'echo done > %s; exit 0' TERM; touch %s; while :; do sleep 0.05; done"
    process = subprocess.Popen(["sh", "-c", script % (tmp_path / "cleaned", tmp_path / "started")])
    with pytest.raises(ZeroDivisionError):
        with ExternalProgramRunContext(process):
            wait_until((tmp_path / "started").exists)
            raise ZeroDivisionError
    assert process.wait(timeout=20) == 0
    assert (tmp_path / "cleaned").read_text() == "done\n"


def test_a_program_that_does_not_listen_is_killed(tmp_path):
    script = "trap '' TERM; touch %s; while :; do sleep 0.05; done" % (tmp_path / "started")
    process = subprocess.Popen(["sh", "-c", script])
    with pytest.raises(ZeroDivisionError):
        with ExternalProgramRunContext(process):
            wait_until((tmp_path / "started").exists)
            raise ZeroDivisionError
    assert process.wait(timeout=20) == -signal.SIGKILL


@pytest.mark.parametrize("wait", ["wait", "trap '' TERM; while :; do sleep 1; done"])
def test_a_program_ends_with_a_process_that_is_killed(tmp_path, wait):
    process = _start_in_child(tmp_path, "Long().run()\n", wait)
    try:
        wait_until((tmp_path / "grandchild").exists)
        pids = [int((tmp_path / name).read_text()) for name in ("pid", "grandchild")]
        assert all(map(is_running, pids))
        process.kill()
        process.wait()
        wait_until(lambda: not any(map(is_running, pids)))
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    "task", ["Long()", "Long(stream_for_searching_tracking_url='stdout', tracking_url_pattern='x')"]
)
def test_a_program_ends_with_a_process_that_is_killed_as_soon_as_it_has_started_it(tmp_path, task):
    body = (
        "import os, signal\n"
        "start = subprocess.Popen\n"
        "def start_and_be_killed(*args, **kwargs):\n"
        "    program = start(*args, **kwargs)\n"
        "    with open('started', 'w') as started: started.write(str(program.pid))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "subprocess.Popen = start_and_be_killed\n"
    )
    process = _start_in_child(tmp_path, body + task + ".run()\n", "wait")
    assert process.wait(timeout=20) == -signal.SIGKILL
    pid = int((tmp_path / "started").read_text())
    try:
        wait_until(lambda: not is_running(pid))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_program_ends_with_what_goes_wrong_before_it_is_waited_for(monkeypatch):
    pids = []

    def start_and_fail(*args, **kwargs):
        pids.append(popen(*args, **kwargs).pid)
        raise ZeroDivisionError

    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", start_and_fail)
    with pytest.raises(ZeroDivisionError):
        Shell("sleep 60 & wait").run()
    wait_until(lambda: not is_running(pids[0]))


def test_what_a_program_leaves_behind_goes_on_after_it(tmp_path):
    Shell("sleep 60 > /dev/null 2>&1 & echo $! > %s" % (tmp_path / "pid")).run()
    pid = int((tmp_path / "pid").read_text())
    try:
        assert is_running(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_nothing_watches_over_a_program_that_has_ended():
    Shell("exit 0").run()
    before = _children()
    Shell("exit 0").run()
    assert _children() <= before


def _has_handler(pid, number):
    """Whether the process has come to where it does something about a signal."""
    with open("/proc/%d/status" % pid) as status:
        caught = next(line for line in status if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def _children():
    """The processes that this one has started."""
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name) as stat:
                parent = int(stat.read().rpartition(")")[2].split()[1])
        except FileNotFoundError:
            continue
        if parent == os.getpid():
            found.add(int(name))
    return found


def test_the_former_signal_handler_comes_back():
    former = signal.getsignal(signal.SIGTERM)
    process = subprocess.Popen(["true"])
    with ExternalProgramRunContext(process) as context:
        assert signal.getsignal(signal.SIGTERM) == context.kill_job
        process.wait()
    assert signal.getsignal(signal.SIGTERM) == former


def test_a_program_can_run_in_any_thread():
    errors = []

    def run():
        try:
            Shell("true").run()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=20)
    assert not thread.is_alive() and errors == []


def test_python_program_runs_in_its_environment(tmp_path, monkeypatch, luigi_log):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/modules")
    folder = tmp_path / "env" / "bin"
    folder.mkdir(parents=True)
    program = folder / "the-program"
    program.write_text('#!/bin/sh\necho "$VIRTUAL_ENV $PYTHONPATH ${PYTHONHOME-unset} ${PATH%%:*}"\n')
    program.chmod(0o755)

    class Program(ExternalPythonProgramTask):
        def program_args(self):
            return [program]

    Program(virtualenv=str(tmp_path / "env"), extra_pythonpath="/mine").run()
    expected = "Program stdout:\n%s /mine:/modules unset %s\n" % (tmp_path / "env", folder)
    assert expected in luigi_log.messages
