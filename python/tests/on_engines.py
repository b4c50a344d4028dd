"""What is so on each engine; ``place`` gives a place where tasks of these families run on one."""

from __future__ import annotations

from places import PATIENCE, summary
from processes import wait_until
from test_central import OURS, PROGRAMS, serving
from test_operated import call, log


def test_a_script_of_its_own_and_build_do_the_same(place):
    there = place("Sum", "Report")
    ran = there.run_script(str(PROGRAMS / "elsewhere.py"))
    assert ran.returncode == 0, ran.stderr
    assert there.read("report.4") == "the sum is 10"
    assert all(there.ran("Sum") + there.ran("Report"))


def test_what_a_task_prints_and_logs_is_in_its_attempts_log(place, tmp_path):
    there = place("Sum")
    with serving(tmp_path, OURS) as port:
        with there.started("Sum", "--count", "3", "--scheduler-port", str(port)) as worker:
            assert worker.wait(PATIENCE) == 0
        (task,) = (name for name in call(port, "task_list", status="DONE", upstream_status="") if name[:3] == "Sum")
        text = log(port, task).decode()
    for line in ("printed\n", "complained, by ***\n", "INFO: logged\n"):
        assert line in text
    assert "complained, by ***\n" in there.read("log")


def test_the_error_reaches_the_scheduler(place, tmp_path):
    there = place("Fails")
    with serving(tmp_path, OURS) as port:
        with there.started("Fails", "--how", "error", "--scheduler-port", str(port)) as worker:
            worker.wait(PATIENCE)
        (task,) = call(port, "task_list", status="FAILED", upstream_status="")
        assert "out of milk" in call(port, "fetch_error", task_id=task)["error"]


def test_a_task_asks_for_more_while_it_runs(place):
    there = place("Grows", "Numbers")
    ran = there.run("Grows", "--workers", "2")
    assert ran.returncode == 0, ran.stderr
    assert there.read("grown") == "5"
    assert len(there.ran("Grows")) == 2, "it starts from the top"
    assert all(there.ran("Numbers")) and len(there.ran("Numbers")) == 2
    assert "* 3 ran successfully:" in summary(ran)


def test_a_task_says_how_it_goes_and_is_written_to(place, tmp_path):
    there, task = place("Talks"), "Talks__99914b932b"
    with serving(tmp_path, OURS) as port, there.started("Talks", "--scheduler-port", str(port)) as worker:
        wait_until(
            lambda: call(port, "get_task_progress_percentage", task_id=task).get("progressPercentage") == 50, PATIENCE
        )
        assert call(port, "get_task_status_message", task_id=task)["statusMessage"] == "half way"

        def url():
            return call(port, "task_list", status="RUNNING", upstream_status="")[task].get("tracking_url")

        assert wait_until(url, PATIENCE) == "http://cluster/42"
        (name,) = (each["name"] for each in call(port, "worker_list"))
        message = call(port, "send_scheduler_message", worker=name, task=task, content="hello")["message_id"]
        assert worker.wait(PATIENCE) == 0
        answer = call(port, "get_scheduler_message_response", task_id=task, message_id=message)
        # How the job stands does not replace it.
        assert call(port, "get_task_status_message", task_id=task)["statusMessage"] == "half way"
    assert answer["response"] == "heard hello"
    assert there.read("talked") == "hello"
