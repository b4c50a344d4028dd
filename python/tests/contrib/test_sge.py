"""Grid Engine tasks with stand-ins for its commands, which really run the jobs."""

import os
import shlex
import signal
import subprocess
import sys

import pytest
from processes import wait_until

import luigi
from luigi.contrib.sge import (
    LocalSGEJobTask,
    SGEJobTask,
    _build_qsub_command,
    _parse_qstat_state,
    _parse_qsub_job_id,
)

QSTAT = b"""job-ID  prior   name       user         state submit/start at     queue       slots ja-task-ID
-----------------------------------------------------------------------------------------------------
     1 0.25000 Count.1a2b ann          r     02/29/2024 08:01:02 long.q@rack7                       4
    12 0.10000 Sort.3c4d  ann          hqw   02/29/2024 08:00:59                                    1
"""


class Job(SGEJobTask):
    folder = luigi.Parameter()
    way = luigi.Parameter(default="work")

    def work(self):
        if self.way == "fail":
            raise ValueError("no luck")
        if self.way == "warn":
            print("mind the gap", file=sys.stderr)
        with self.output().open("w") as file:
            file.write("%s %s %s" % (self.way, os.getcwd() == self.tmp_dir, os.path.exists("packages.tar")))

    def output(self):
        return luigi.LocalTarget(os.path.join(self.folder, "out"))


@pytest.fixture
def make(batch_system, tmp_path, monkeypatch):
    """Makes tasks that do not wait between their looks."""
    (tmp_path / "shared folder").mkdir()
    monkeypatch.chdir(tmp_path)
    return lambda **given: Job(
        folder=str(tmp_path), poll_time=0, shared_tmp_dir=str(tmp_path / "shared folder"), **given
    )


def test_work_is_done_by_the_job(make, batch_system, tmp_path, luigi_log):
    assert luigi.build([make()], local_scheduler=True)
    assert (tmp_path / "out").read_text() == "work True True"
    (call,) = batch_system.calls("qsub")
    folder = os.path.dirname(call[1][1:])
    assert call == ["-o", ":%s/job.out" % folder, "-e", ":%s/job.err" % folder] + [
        *["-V", "-r", "y", "-pe", "orte", "2", "-N", "Job"]
    ]
    assert os.path.basename(folder).startswith(make().task_id + "-")
    assert not os.path.exists(folder)
    messages = luigi_log.messages
    assert messages.index("Job is pending...") < messages.index("Job is running...") < messages.index("Job is done")
    assert batch_system.calls("qdel") == []


def test_the_archive_can_be_left_out(make, tmp_path):
    make(no_tarball=True).run()
    assert (tmp_path / "out").read_text() == "work True False"


def test_a_failed_job_fails_the_task(make, tmp_path):
    with pytest.raises(RuntimeError, match="(?s)Job 1 has failed:.*ValueError: no luck"):
        make(way="fail").run()
    assert not (tmp_path / "out").exists() and os.listdir(tmp_path / "shared folder") == []


def test_warnings_of_a_job_do_not_fail_the_task(make, tmp_path, luigi_log):
    make(way="warn").run()
    assert (tmp_path / "out").exists()
    assert "Job wrote to its error stream:\nmind the gap\n" in luigi_log.messages


def test_a_job_that_cannot_start_fails_the_task(make, programs):
    programs.add("python", "echo 'no python here' >&2; exit 127")
    with pytest.raises(RuntimeError, match="no python here"):
        make().run()


def test_the_folder_can_be_kept(make):
    task = make(dont_remove_tmp_dir=True)
    task.run()
    assert {"job.out", "job.err", "job-instance.pickle"} <= set(os.listdir(task.tmp_dir))


@pytest.mark.parametrize("state, message", [("Eqw", "error state Eqw"), ("xyz", "job status isn't one of .*: xyz")])
def test_a_job_in_a_bad_state_is_taken_away(make, batch_system, state, message):
    batch_system.set_state(1, state)
    with pytest.raises(Exception, match=message):
        make().run()
    assert batch_system.calls("qdel") == [["1"]]


def test_a_held_or_starting_job_is_waited_for(make, batch_system, monkeypatch, luigi_log):
    import time

    states = iter(["hqw", "t", ""])
    monkeypatch.setattr(time, "sleep", lambda seconds: batch_system.set_state(1, next(states, "")))
    make().run()
    assert luigi_log.messages.count("Job is pending...") >= 2


@pytest.mark.parametrize(
    "given, name",
    [
        ({"job_name": "Mine"}, "Mine"),
        ({"job_name_format": "{task_family}_{way}_{n_cpu}", "n_cpu": 3}, "Job_work_3"),
    ],
)
def test_the_job_has_the_name_that_was_asked_for(make, batch_system, given, name):
    make(parallel_env="mpi", **given).run()
    (call,) = batch_system.calls("qsub")
    assert call[-2:] == ["-N", name] and call[-4] == "mpi"


def test_work_can_be_done_here(make, batch_system, tmp_path):
    class Local(LocalSGEJobTask):
        def work(self):
            (tmp_path / "done").touch()

    Local().run()
    task = make(run_locally=True)
    task.tmp_dir = os.getcwd()
    task.run()
    assert (tmp_path / "done").exists() and (tmp_path / "out").exists()
    assert batch_system.calls("qsub") == []


def test_a_signal_takes_the_job_away(batch_system, tmp_path):
    code = (
        "import luigi.contrib.sge as sge\n"
        "class Endless(sge.SGEJobTask):\n"
        "    def work(self): pass\n"
        "Endless(shared_tmp_dir=%r, no_tarball=True, poll_time=0).run()\n" % str(tmp_path)
    )
    batch_system.set_state(1, "r")
    (tmp_path / "script.py").write_text(code)
    process = subprocess.Popen([sys.executable, str(tmp_path / "script.py")])
    try:
        wait_until(lambda: batch_system.calls("qstat"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()
    assert batch_system.calls("qdel") == [["1"]]


def test_a_task_of_a_script_is_found_by_the_node(batch_system, tmp_path):
    (tmp_path / "my_script.py").write_text(
        "import sys, luigi.contrib.sge as sge\n"
        "class Scripted(sge.SGEJobTask):\n"
        "    def work(self): open(%r, 'w').write(__name__)\n"
        "if __name__ == '__main__': Scripted(shared_tmp_dir=%r, poll_time=0).run()\n"
        % (str(tmp_path / "name"), str(tmp_path))
    )
    subprocess.run([sys.executable, "my_script.py"], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "name").read_text() == "my_script"


def test_queue_is_read():
    assert [_parse_qstat_state(QSTAT, number) for number in (1, 12, 2)] == ["r", "hqw", "u"]
    assert _parse_qstat_state(QSTAT.decode(), "12") == "hqw"
    assert _parse_qstat_state("", 1) == "u"
    assert _parse_qsub_job_id(b'Your job 31 ("name") has been submitted\n') == 31


def test_command_keeps_special_characters(batch_system):
    line = _build_qsub_command("python 'a b' \"$HOME\"", "na me", "/o ut", "/e'rr", "pe", 4)
    assert shlex.split(line)[:3] == ["echo", "python 'a b' \"$HOME\"", "|"]
    subprocess.run(line, shell=True, check=True, stdout=subprocess.DEVNULL)
    assert batch_system.calls("qsub")[0] == ["-o", ":/o ut", "-e", ":/e'rr", "-V", "-r", "y", "-pe", "pe", "4"] + [
        *["-N", "na me"]
    ]
    assert "(python 'a b' \"$HOME\")" in (batch_system.root / "1.script").read_text()


def test_runner_wants_a_folder(capsys):
    from luigi.contrib import sge_runner

    with pytest.raises(AssertionError):
        sge_runner.main(["runner", "/absent", "/project"])
    assert "First argument to sge_runner.py must be a directory that exists" in capsys.readouterr().out
