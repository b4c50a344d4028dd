"""Tasks that run on a real Slurm since the configuration says so, without a change to them.

These run by themselves (``cargo xtask test slurm``), since they want Slurm's daemons.
"""

from __future__ import annotations

import signal
import stat
import subprocess

import pytest
from on_engines import (  # noqa: F401  pytest finds them here
    test_a_script_of_its_own_and_build_do_the_same,
    test_a_task_asks_for_more_while_it_runs,
    test_a_task_says_how_it_goes_and_is_written_to,
    test_the_error_reaches_the_scheduler,
    test_what_a_task_prints_and_logs_is_in_its_attempts_log,
)
from places import PATIENCE, Place, summary
from processes import wait_until
from test_central import OURS, environment, serving
from test_operated import call

from . import cluster

SECRET = "correct-horse"


@pytest.fixture(scope="session", autouse=True)
def slurm():
    with cluster.running() as configuration, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(configuration))
        yield


def state(job: str) -> str:
    command = ["squeue", "--noheader", "--states", "all", "--format", "%T", "--jobs", job]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def place(tmp_path):
    def new(*on_slurm: str) -> Place:
        folder = tmp_path / f"place-{len(list(tmp_path.iterdir()))}"
        families = "".join(f"{family} = slurm\n" for family in on_slurm)
        return Place(
            folder, f"[engine]\n{families}[engine:slurm]\nfolder = {folder}/runs\ninterval = 0.3\nmemory = 10M\n"
        )

    return new


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_pipeline_makes_the_same_wherever_its_tasks_run(place, workers):
    here, there = place(), place("Sum", "Report")
    local, sent = (each.run("Report", "--count", "4", "--workers", workers) for each in (here, there))
    for each, ran in ((here, local), (there, sent)):
        assert ran.returncode == 0, ran.stderr
        assert each.read("report.4") == "the sum is 10"
    assert summary(local) == summary(sent)
    assert here.ran("Sum") == [""]
    assert there.ran("Numbers") == [""]
    jobs = there.ran("Sum") + there.ran("Report")
    assert len(set(jobs)) == 2
    assert [state(job) for job in jobs] == ["COMPLETED", "COMPLETED"]
    assert there.left() == []


def test_what_was_defined_nowhere_cannot_be_sent(place):
    there = place("Nowhere")
    text = (
        "import luigi\nclass Nowhere(luigi.Task):\n    def run(self): print('ran')\n"
        "luigi.build([Nowhere()], local_scheduler=True)\n"
    )
    ran = there.run_script("-c", text)
    assert "Nowhere is in no module that another process could import" in ran.stderr
    assert "* 1 failed:" in ran.stderr


def test_settings_of_the_command_line_hold_there(place):
    there = place("Sum")
    ran = there.run("Sum", "--count", "2", "--Setting-word", "hello", "--password", SECRET)
    assert ran.returncode == 0, ran.stderr
    assert (there.read("word"), there.read("password")) == ("hello", SECRET)


def test_a_failure_says_why(place):
    there = place("Fails")
    ran = there.run("Fails", "--how", "error", "--retcode-task-failed", "30")
    assert ran.returncode == 30
    assert "ValueError: out of milk" in ran.stderr and "RuntimeError: out of cheese" in ran.stderr
    assert "* 1 failed:" in summary(ran)
    assert state(there.ran("Fails")[0]) == "FAILED"
    ran = there.run("Fails", "--how", "exit")
    assert " died unexpectedly: " in ran.stderr and ": failed with exit code 7" in ran.stderr
    assert "* 1 failed:" in summary(ran)


def test_a_private_parameter_is_seen_nowhere(place):
    there = place("Sum")
    there.configure(there.read("luigi.cfg") + f"[Sum]\npassword = {SECRET}\n")
    seen = []

    def look():
        for command in (["ps", "-axww", "-o", "args="], ["scontrol", "show", "job", "--details"]):
            seen.append(subprocess.run(command, capture_output=True, text=True).stdout)
        seen.extend(there.read(f"runs/{task}/run-{task}/script") for task in there.left())
        return there.ran("Sum")

    with there.started("Sum", "--count", "3", "--local-scheduler") as worker:
        wait_until(look, PATIENCE)
        assert worker.wait(PATIENCE) == 0
    assert there.read("password") == SECRET
    assert any("luigi._sent_run /" in text for text in seen)
    assert any("JobName=condotta-run-Sum" in text for text in seen)
    assert not any(SECRET in text for text in [*seen, there.read("log")])
    assert there.left() == []


def test_a_run_whose_time_is_over_ends_its_job(place):
    there = place("Sleeps")
    ran = there.run("Sleeps", "--timeout", "2")
    assert " timed out after 2 seconds and was terminated." in ran.stderr
    assert "* 1 failed:" in summary(ran)
    job = there.job()
    wait_until(lambda: state(job) == "CANCELLED", PATIENCE)


def test_a_run_that_is_cancelled_ends_its_job(place, tmp_path):
    there = place("Sleeps")
    with serving(tmp_path, OURS) as port, there.started("Sleeps", "--scheduler-port", str(port)) as worker:
        job = there.job()
        (task,) = call(port, "task_list", status="RUNNING", upstream_status="")
        condotta = [*OURS[:-1], "cancel", task, "--scheduler-url", f"http://127.0.0.1:{port}"]
        subprocess.run(condotta, env=environment(), check=True, timeout=PATIENCE)
        worker.wait(PATIENCE)
    assert state(job) == "CANCELLED"
    assert f"Task {task} was cancelled by " in there.read("log")


def test_an_interrupted_worker_ends_its_jobs(place):
    there = place("Sleeps")
    with there.started("Sleeps", "--local-scheduler") as worker:
        job = there.job()
        worker.send_signal(signal.SIGINT)
        worker.wait(PATIENCE)
    wait_until(lambda: state(job) == "CANCELLED", PATIENCE)


def test_a_worker_that_was_killed_goes_on_with_its_job(place):
    there = place("Sleeps")
    with there.started("Sleeps", "--local-scheduler") as worker:
        job = there.job()
        (task,) = there.left()
        assert stat.S_IMODE((there.folder / "runs" / task).stat().st_mode) == 0o700
        (request,) = (there.folder / "runs" / task).glob("*/request")
        assert stat.S_IMODE(request.stat().st_mode) == 0o600
        worker.kill()
        worker.wait()
    assert state(job) == "RUNNING"
    with there.started("Sleeps", "--local-scheduler", "--workers", "2") as worker:
        wait_until(lambda: f"Slurm job {job}" in there.read("log"), PATIENCE)
        (there.folder / "go").touch()
        assert worker.wait(PATIENCE) == 0
    assert there.read("slept") == "well"
    assert there.ran("Sleeps") == [job], "it ran once"
    assert there.left() == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[engine]\nSum = slrum\n", '[engine] Sum is "slrum": there are local, '),
        ("[engine]\nSum = kubernetes\n", "Sum is to run on kubernetes, which is not built into this program"),
        ("[engine]\nSum = slurm\n", "Sum is to run on slurm, which needs folder ("),
        ("[engine]\nSums = slurm\n[engine:slurm]\nfolder = /x\n", "no task here; did you mean Sum?"),
        ("[engine]\ndefualt = local\n", "no task here; did you mean default?"),
        ("[engine]\nSum = slurm\n[engine:Sum]\nmemroy = 1G\n", "section [engine:Sum] has no key memroy; slurm knows "),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_runs(place, text, error):
    there = place()
    there.configure(text)
    ran = there.run("Report", "--count", "2")
    assert ran.returncode != 0
    assert error in ran.stderr
    assert there.ran("Numbers") == []
