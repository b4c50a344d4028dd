"""Tasks that run on a stand-in for a Kubernetes cluster since the configuration says so, without a change to them.

These run by themselves (``cargo xtask test kubernetes``), since they want a native module with Kubernetes, and the
stand-in, which ``CONDOTTA_KUBERNETES_SERVER`` names.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

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

SECRET = "correct-horse"


class Cluster(Place):
    """A place with a stand-in of its own."""

    def __init__(self, folder: Path, image: str, families: tuple[str, ...]) -> None:
        on_kubernetes = "".join(f"{family} = kubernetes\n" for family in families)
        super().__init__(
            folder,
            f"[engine]\n{on_kubernetes}[engine:kubernetes]\nfolder = {folder}/runs\nkubeconfig = {folder}/kubeconfig\n"
            f"image = {image}\nmemory = 1Gi\nenvironment = TEST_OF_KUBERNETES\npatience = 1\n",
        )

    @contextlib.contextmanager
    def running(self):
        server = subprocess.Popen(
            [os.environ["CONDOTTA_KUBERNETES_SERVER"], self.folder / "kubeconfig"],
            env=environment(),
            stdin=subprocess.PIPE,
        )
        try:
            wait_until(lambda: self.read("kubeconfig"), PATIENCE)
            yield self
        finally:
            server.kill()
            server.wait()

    def seen(self, what: str) -> Any:
        """What was ``created`` or ``deleted``."""
        (address,) = re.findall(r"http://[\d.:]+", self.read("kubeconfig"))
        request = urllib.request.Request(f"{address}/seen", headers={"Authorization": "Bearer t0ken"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)[what]

    def deleted(self) -> list[str]:
        """What became of the pods of jobs that were deleted."""
        return [policy for _, policy in self.seen("deleted")]


@pytest.fixture
def place(tmp_path):
    with contextlib.ExitStack() as clusters:

        def new(*families: str, image: str = "good") -> Cluster:
            folder = tmp_path / f"place-{len(list(tmp_path.iterdir()))}"
            return clusters.enter_context(Cluster(folder, image, families).running())

        yield new


def followers() -> list[str]:
    """The processes that follow jobs."""
    listed = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if "/_follow.py " in line]


def follower_of(worker: subprocess.Popen[bytes]) -> list[str]:
    return [line for line in followers() if line.endswith(f" {worker.pid}")]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_pipeline_makes_the_same_wherever_its_tasks_run(place, workers):
    here, there = place(), place("Sum", "Report")
    local, sent = (each.run("Report", "--count", "4", "--workers", workers) for each in (here, there))
    for each, ran in ((here, local), (there, sent)):
        assert ran.returncode == 0, ran.stderr
        assert each.read("report.4") == "the sum is 10"
    assert summary(local) == summary(sent)
    assert there.ran("Numbers") == [""], "it is not named, so it runs here"
    assert all(pod.startswith("condotta-") for pod in there.ran("Sum") + there.ran("Report"))
    # A pod has one stream for both.
    for line in ("printed\n", "complained, by ***\n", "INFO: logged\n"):
        assert line in sent.stdout
    assert there.deleted() == ["Foreground", "Foreground"]
    assert there.left() == []


def test_a_failure_says_why(place):
    there = place("Fails")
    ran = there.run("Fails", "--how", "error", "--retcode-task-failed", "30")
    assert ran.returncode == 30
    assert "ValueError: out of milk" in ran.stdout and "RuntimeError: out of cheese" in ran.stdout
    assert "* 1 failed:" in summary(ran)
    assert there.deleted() == [], "it can be looked at"
    ran = there.run("Fails", "--how", "exit")
    assert " died unexpectedly: " in ran.stderr and ": failed with exit code 7" in ran.stderr


def test_an_image_that_cannot_be_fetched_is_told(place):
    ran = place("Fails", image="missing").run("Fails", "--how", "error")
    assert "the image missing cannot be fetched (ImagePullBackOff)" in ran.stderr
    assert "* 1 failed:" in summary(ran)


def test_a_cluster_that_does_not_answer_is_told(place):
    there = place("Fails")
    (there.folder / "kubeconfig").unlink()
    ran = there.run("Fails", "--how", "error")
    assert "no Kubernetes cluster can be used: " in ran.stderr
    assert "* 1 failed:" in summary(ran)


def test_until_a_task_says_how_it_goes_its_job_does(place, tmp_path):
    there = place("Sleeps")
    with serving(tmp_path, OURS) as port, there.started("Sleeps", "--scheduler-port", str(port)) as worker:
        there.job()
        (task,) = call(port, "task_list", status="RUNNING", upstream_status="")
        wait_until(
            lambda: re.fullmatch(
                r"Kubernetes job condotta-\w+: running",
                call(port, "get_task_status_message", task_id=task)["statusMessage"] or "",
            ),
            PATIENCE,
        )
        (there.folder / "go").touch()
        assert worker.wait(PATIENCE) == 0


def test_a_private_parameter_is_seen_nowhere(place, monkeypatch):
    monkeypatch.setenv("TEST_OF_KUBERNETES", "yes")
    there = place("Sum")
    there.configure(there.read("luigi.cfg") + f"[Sum]\npassword = {SECRET}\n")
    seen = []

    def look():
        seen.append(subprocess.run(["ps", "-axww", "-o", "args="], capture_output=True, text=True).stdout)
        return there.ran("Sum")

    with there.started("Sum", "--count", "3", "--local-scheduler") as worker:
        wait_until(look, PATIENCE)
        assert worker.wait(PATIENCE) == 0
    assert there.read("password") == SECRET
    (job,) = there.seen("created")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "TEST_OF_KUBERNETES", "value": "yes"}]
    assert container["resources"]["limits"] == {"memory": "1Gi"}
    assert any("luigi._sent_run /" in text for text in seen)
    assert any("/_follow.py " in text for text in seen)
    assert not any(SECRET in text for text in [*seen, there.read("log"), json.dumps(job)])


def test_a_run_whose_time_is_over_deletes_its_job(place):
    there = place("Sleeps")
    ran = there.run("Sleeps", "--timeout", "2")
    assert " timed out after 2 seconds and was terminated." in ran.stderr
    assert "* 1 failed:" in summary(ran)
    assert there.deleted() == ["Foreground"]


def test_a_run_that_is_cancelled_deletes_its_job(place, tmp_path):
    there = place("Sleeps")
    with serving(tmp_path, OURS) as port, there.started("Sleeps", "--scheduler-port", str(port)) as worker:
        there.job()
        (task,) = call(port, "task_list", status="RUNNING", upstream_status="")
        condotta = [*OURS[:-1], "cancel", task, "--scheduler-url", f"http://127.0.0.1:{port}"]
        subprocess.run(condotta, env=environment(), check=True, timeout=PATIENCE)
        worker.wait(PATIENCE)
    assert there.deleted() == ["Foreground"]
    assert f"Task {task} was cancelled by " in there.read("log")


def test_an_interrupted_worker_deletes_its_jobs(place):
    there = place("Sleeps")
    with there.started("Sleeps", "--local-scheduler") as worker:
        there.job()
        (line,) = follower_of(worker)
        follower = int(line.split()[0])
        # As the terminal's Ctrl-C reaches all that is in its group, and a supervisor all that it finds.
        assert os.getsid(follower) == follower
        os.kill(follower, signal.SIGINT)
        worker.send_signal(signal.SIGINT)
        worker.wait(PATIENCE)
    wait_until(lambda: there.deleted() == ["Foreground"], PATIENCE)
    wait_until(lambda: not follower_of(worker), PATIENCE)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_worker_that_was_killed_goes_on_with_its_job(place, how, workers):
    there = place("Sleeps")
    with there.started("Sleeps", "--local-scheduler", "--workers", workers) as worker:
        there.job()
        assert len(follower_of(worker)) == 1
        worker.send_signal(how)
        worker.wait()
        wait_until(lambda: not follower_of(worker), PATIENCE)
    assert there.deleted() == []
    with there.started("Sleeps", "--local-scheduler", "--workers", workers) as worker:
        wait_until(lambda: re.search(r"Kubernetes job condotta-\w+: running", there.read("log")), PATIENCE)
        (there.folder / "go").touch()
        assert worker.wait(PATIENCE) == 0
    assert there.read("slept") == "well"
    assert len(there.ran("Sleeps")) == len(there.seen("created")) == 1, "it ran once"
    assert there.left() == []


def test_a_process_that_the_worker_forked_does_not_keep_jobs_followed(place):
    there = place("Sleeps")
    # The other one runs in a process of the worker's, which has the worker's sockets.
    with there.started("Both", "--local-scheduler", "--workers", "2") as worker:
        there.job()
        there.job("Lasts")
        worker.kill()
        worker.wait()
        wait_until(lambda: not follower_of(worker), PATIENCE)
    (there.folder / "go").touch()


def test_jobs_that_nobody_follows_any_more_are_found_again(place):
    there = place("Sleeps")
    with there.started("Sleeps", "--local-scheduler") as worker:
        there.job()
        os.kill(int(follower_of(worker)[0].split()[0]), signal.SIGKILL)
        worker.wait(PATIENCE)
    assert "the process that follows its job has ended" in there.read("log")
    assert there.deleted() == []
    (there.folder / "go").touch()
    ran = there.run("Sleeps")
    assert ran.returncode == 0, ran.stderr
    assert len(there.seen("created")) == 1


def test_one_process_follows_all_jobs_of_a_worker(place):
    there = place("Sleeps")
    with there.started("ManySleep", "--local-scheduler", "--workers", "5") as worker:
        wait_until(lambda: len(there.ran("Sleeps")) == 4, PATIENCE)
        assert len(follower_of(worker)) == 1
        (there.folder / "go").touch()
        assert worker.wait(PATIENCE) == 0
    assert len(there.seen("created")) == 4
    assert not follower_of(worker)


def test_what_is_missing_is_said_before_anything_runs(place):
    there = place()
    there.configure("[engine]\nSum = kubernetes\n[engine:Sum]\nfolder = /runs\n")
    ran = there.run("Sum", "--count", "2")
    assert ran.returncode != 0
    assert "Sum is to run on kubernetes, which needs image (" in ran.stderr
    assert there.ran("Numbers") == []
