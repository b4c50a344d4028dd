"""LSF tasks with stand-ins for its commands, which really run the jobs."""

import os
import signal
import subprocess
import sys

import pytest
from processes import wait_until

import luigi
from luigi.contrib import lsf_runner
from luigi.contrib.lsf import LocalLSFJobTask, LSFJobTask
from luigi.task_status import DONE, FAILED, UNKNOWN


class Job(LSFJobTask):
    folder = luigi.Parameter()
    way = luigi.Parameter(default="work")

    def init_local(self):
        self.prepared = True

    def work(self):
        print("said")
        if self.way == "fail":
            raise ValueError("no luck")
        with open(os.path.join(self.folder, "out"), "w") as file:
            file.write("%s %s" % (self.way, os.getcwd() == self.tmp_dir))

    def output(self):
        return luigi.LocalTarget(os.path.join(self.folder, "out"))


@pytest.fixture
def make(batch_system, tmp_path):
    """Makes tasks that do not wait between their looks."""
    return lambda **given: Job(folder=str(tmp_path), poll_time=0, shared_tmp_dir=str(tmp_path / "shared"), **given)


def test_work_is_done_by_the_job(make, batch_system, tmp_path, luigi_log):
    task = make(job_name_flag="name", extra_bsub_args="-P project")
    assert luigi.build([task], local_scheduler=True)
    assert (tmp_path / "out").read_text() == "work True"
    assert task.job_status == DONE
    (call,) = batch_system.calls("bsub")
    assert call == ["-q", "queue_name", "-n", "2", "-M", "8192", "-R", "rusage[mem=8192]", "-W", "60", "-J", "name"] + [
        *["-o", "%s/job.out" % tmp_path, "-e", "%s/job.err" % tmp_path, "-P", "project"],
        *[sys.executable, lsf_runner.__file__, task.tmp_dir],
    ]
    messages = luigi_log.messages
    assert messages.index("Job is pending...") < messages.index("Job is running...") < messages.index("Job is done")
    assert any(message.startswith("### JOB COMPLETED: name 1 in ") for message in messages)
    assert task.fetch_task_output() == ["said\n"]
    assert not os.path.exists(task.tmp_dir) and batch_system.calls("bkill") == []


def test_a_failed_job_fails_the_task(make, tmp_path):
    task = make(way="fail")
    with pytest.raises(RuntimeError, match="(?s)Job 1 has failed:.*ValueError: no luck"):
        task.run()
    assert task.job_status == FAILED
    assert "ValueError: no luck\n" in task.fetch_task_failures()
    assert os.listdir(tmp_path / "shared") == []


def test_a_lost_job_fails_the_task(make, batch_system):
    batch_system.set_state(1, "ZOMBI")
    task = make()
    with pytest.raises(RuntimeError, match="LSF tells the status 'ZOMBI'"):
        task.run()
    assert task.job_status == UNKNOWN


def test_a_suspended_job_is_waited_for(make, batch_system, monkeypatch, luigi_log):
    import time

    states = iter(["PSUSP", "UNKWN", "USUSP"])
    monkeypatch.setattr(time, "sleep", lambda seconds: batch_system.set_state(1, next(states, "")))
    make().run()
    assert luigi_log.messages.count("Job is suspended (basically, pending)...") == 2
    assert luigi_log.messages.count("Job status is UNKNOWN!") == 1


def test_a_forgotten_job_says_itself_how_it_ended(make, batch_system, tmp_path, monkeypatch):
    import time

    def sleep(seconds):
        if (tmp_path / "batch" / "1.code").exists():
            batch_system.set_state(1, " ")

    monkeypatch.setattr(time, "sleep", sleep)
    task = make()
    task.run()
    assert task.job_status == DONE


def test_the_folder_can_be_kept_beside_the_output(make, tmp_path):
    task = make(save_job_info=True)
    task.run()
    assert (tmp_path / os.path.basename(task.tmp_dir) / "job-instance.pickle").exists()


def test_a_refused_job_fails_the_task(make, batch_system, programs):
    programs.add("bsub", "echo 'No such queue'")
    with pytest.raises(RuntimeError, match="bsub did not tell the number of a job: 'No such queue"):
        make().run()


def test_work_can_be_done_here(tmp_path):
    class Local(LocalLSFJobTask):
        def init_local(self):
            self.prepared = 1

        def work(self):
            (tmp_path / "done").write_text(str(self.prepared))

    Local().run()
    assert (tmp_path / "done").read_text() == "1"


def test_a_signal_takes_the_job_away(batch_system, tmp_path):
    (tmp_path / "script.py").write_text(
        "import luigi, luigi.contrib.lsf as lsf\n"
        "class Endless(lsf.LSFJobTask):\n"
        "    def output(self): return luigi.LocalTarget('x')\n"
        "Endless(shared_tmp_dir=%r, poll_time=0).run()\n" % str(tmp_path)
    )
    batch_system.set_state(1, "RUN")
    process = subprocess.Popen([sys.executable, str(tmp_path / "script.py")])
    try:
        wait_until(lambda: batch_system.calls("bjobs"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()
    assert batch_system.calls("bkill") == [["1"]]


def test_runner_wants_a_folder(capsys):
    with pytest.raises(AssertionError):
        lsf_runner.main(["runner", "/absent"])
    assert "First argument to lsf_runner.py must be a directory that exists" in capsys.readouterr().out
