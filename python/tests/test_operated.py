"""What runs print and how they are ended, from the scheduler that operators look at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest
from processes import wait_until
from test_central import OURS, STOCK, WAIT_SECS, environment, finish, needs_stock, serving

CONDOTTA = [*OURS[:-1]]

#: How the runs of a worker take place.
WAYS = {
    "in the worker's process": [],
    "in forked processes": ["--workers", "2"],
    "in forked processes with one worker": ["--worker-force-multiprocessing"],
    "in processes that are kept": ["--workers", "2", "--worker-reuse-processes"],
}


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path, OURS) as port:
        yield port


def work(folder, port, *arguments, python=sys.executable, **more):
    command = [python, "-m", "luigi", "--scheduler-port", str(port), "--no-lock", "--module", "noisy", *arguments]
    env = environment(python, NOISY_FOLDER=str(folder), **more)
    out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    return subprocess.Popen(command, cwd=folder, env=env, **out)


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1{path}", timeout=30) as answer:
        return answer.read()


def refused(port, path, data=None):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1{path}", data=data, timeout=30)
    return refused.value.code, json.loads(refused.value.read())["error"]


def call(port, method, **arguments):
    data = urllib.parse.urlencode({"data": json.dumps(arguments)}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/{method}", data=data, timeout=30) as answer:
        return json.loads(answer.read())["response"]


def task_id(port, family):
    """The only task of a family, once there is one."""

    def find():
        tasks = call(port, "task_list", status="", upstream_status="")
        return [id for id, task in tasks.items() if task["name"] == family]

    (found,) = wait_until(find, WAIT_SECS)
    return found


def log(port, task, **query):
    query = urllib.parse.urlencode(query)
    return get(port, f"/tasks/{urllib.parse.quote(task)}/log?{query}")


def has_printed(port, task, text):
    """Whether a task printed this until now."""
    try:
        return text in log(port, task)
    except urllib.error.HTTPError as error:
        assert error.code == 409, error.read()
        return False


def pieces(port, task, **query):
    lines = log(port, task, format="json", **query).decode().splitlines()
    return [json.loads(line) for line in lines if line]


def condotta(*words, code=0):
    done = subprocess.run([*CONDOTTA, *words], env=environment(), capture_output=True, text=True, timeout=WAIT_SECS)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def url(port):
    return f"--scheduler-url=http://127.0.0.1:{port}"


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("way", WAYS)
def test_private_values_are_shown_on_the_terminal_and_stay_with_the_worker(tmp_path, server, way):
    secret = "hunter22"
    # Unbuffered, Python writes a line in pieces, and the worker's own lines may stand between them on a terminal.
    output = finish(work(tmp_path, server, "Reveals", "--password", secret, *WAYS[way], PYTHONUNBUFFERED=""))
    assert f"running   Reveals(password={secret}, pin=7, place=cellar)" in output, "str(task) is as in Luigi"
    assert f"by print: {secret}" in output
    task = task_id(server, "Reveals")
    kept = log(server, task, format="text").decode()
    assert secret not in kept
    # Viewers may read logs, but not see hidden parameters.
    assert "running   Reveals(password=***, pin=***, place=***)" in kept
    assert "failed    Reveals(password=***, pin=***, place=***)" in kept
    assert "by logging: *** and Reveals(password=***, pin=***, place=***)" in kept
    assert "place=cellar" not in kept
    printed = "".join(piece["text"] for piece in pieces(server, task) if piece["source"] == "stdout")
    assert printed == "by print: ***\nin the cellar\nin parts: ***\n"
    assert "no luck with ***" in call(server, "fetch_error", task_id=task)["error"]
    told = json.loads(get(server, f"/tasks/{urllib.parse.quote(task)}"))
    assert told["task"]["status_message"] == "uses ***"
    assert told["task"]["tracking_url"] == "http://anna@there"
    for name in os.listdir(tmp_path / "state"):
        path = tmp_path / "state" / name
        assert path.is_dir() or secret.encode() not in path.read_bytes(), name


def test_a_worker_that_has_ended_does_not_count_as_connected(tmp_path, server):
    finish(work(tmp_path, server, "Noisy", "--name", "one"))
    assert call(server, "worker_list") == []


@pytest.mark.parametrize("way", WAYS)
def test_what_a_run_prints_and_logs_is_kept_and_printed_as_ever(tmp_path, server, way):
    output = finish(work(tmp_path, server, "Noisy", "--name", "one", *WAYS[way], NOISY_SECRET="hunter2"))
    for line in ("printed by one", "printed in red", "logged by one", "said by a program"):
        assert output.count(line) == 1, output
    found = pieces(server, task_id(server, "Noisy"))
    text = "".join(piece["text"] for piece in found)
    assert text.count("printed by one\n") == 1 and text.count("printed in red") == 1, text
    by_source = {piece["source"] for piece in found if "printed in red" in piece["text"]}
    assert by_source == {"stderr"}
    logged = [piece for piece in found if "logged by one" in piece["text"]]
    assert [(piece["source"], piece["level"], piece["logger"]) for piece in logged] == [("log", "WARNING", "my.task")]
    # Programs that a run starts print past Python.
    assert ("said by a program" in text) == (way != "in the worker's process")
    raw = log(server, task_id(server, "Noisy"))
    assert b"bytes \xff\xfe\x00\n" in raw and b"WARNING: logged by one\n" in raw
    assert log(server, task_id(server, "Noisy"), tail=1).count(b"\n") == 1
    kept = b"".join(file.read_bytes() for file in (tmp_path / "state/logs").rglob("*") if file.is_file())
    assert b"printed by one" in kept and b"hunter2" not in kept


@pytest.mark.parametrize("way", WAYS)
def test_records_stand_between_the_lines_that_are_printed(tmp_path, server, way):
    finish(work(tmp_path, server, "Halves", *WAYS[way]))
    text = log(server, task_id(server, "Halves")).decode()
    for name in ("output", "error"):
        assert f"\nhalf of a line of {name}, and the other half\n" in text, text
        assert f"\nWARNING: logged within the line of {name}\n" in text, text


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_that_are_not_forked_print_into_the_log_too(tmp_path, server, method):
    program = (
        "import multiprocessing, sys, luigi, noisy\n"
        "if __name__ == '__main__':\n"
        f"    multiprocessing.set_start_method({method!r})\n"
        "    tasks = [noisy.Noisy('one')]\n"
        f"    sys.exit(not luigi.build(tasks, workers=2, scheduler_port={server}, no_lock=True))\n"
    )
    (tmp_path / "main.py").write_text(program)
    env = environment(NOISY_FOLDER=str(tmp_path))
    done = subprocess.run([sys.executable, "main.py"], cwd=tmp_path, env=env, capture_output=True, timeout=WAIT_SECS)
    assert done.returncode == 0, done.stderr
    text = log(server, task_id(server, "Noisy"))
    assert b"printed by one\n" in text and b"said by a program\n" in text


def test_runs_at_the_same_time_have_their_own_logs(tmp_path, server):
    finish(work(tmp_path, server, "Two", "--workers", "3"))
    tasks = [id for id, task in call(server, "task_list", status="", upstream_status="").items() if "Noisy" in id]
    texts = [log(server, task) for task in sorted(tasks)]
    assert sorted((b"printed by one" in text, b"printed by two" in text) for text in texts) == [
        (False, True),
        (True, False),
    ]


def test_a_log_is_followed_while_the_task_runs_and_each_attempt_has_its_own(tmp_path, server):
    worker = work(tmp_path, server, "Slow", "--name", "a", "--workers", "2")
    task = task_id(server, "Slow")
    wait_until(lambda: call(server, "task_list", status="RUNNING", upstream_status=""), WAIT_SECS)
    following = subprocess.Popen(
        [*CONDOTTA, "log", "-f", task, url(server)], env=environment(), stdout=subprocess.PIPE, text=True
    )
    seen = []
    while "first line" not in "".join(seen):
        seen.append(following.stdout.readline())
        assert seen[-1], seen
    assert worker.poll() is None and "last line" not in "".join(seen)
    (tmp_path / "a.go").write_text("fail")
    rest, _ = following.communicate(timeout=WAIT_SECS)
    assert following.returncode == 0 and "last line" in rest and "told to fail" in rest
    worker.communicate(timeout=WAIT_SECS)
    call(server, "forgive_failures", task_id=task)
    (tmp_path / "a.go").write_text("well")
    finish(work(tmp_path, server, "Slow", "--name", "a", "--workers", "2"))
    assert "told to fail" not in condotta("log", task, url(server))
    assert "told to fail" in condotta("log", task, "--attempt", "1", url(server))
    assert condotta("log", task, "--tail", "1", url(server)).count("\n") == 1
    assert f"nothing that attempt 9 of task {task} printed" in condotta("log", task, "--attempt=9", url(server), code=5)
    assert "there is no task" in condotta("log", "Nobody", url(server), code=5)
    assert "there is no task Nobody, and nothing" in condotta("log", "Nobody", "--attempt=1", url(server), code=5)


def test_what_was_printed_outlives_its_worker(tmp_path, server):
    worker = work(tmp_path, server, "Slow", "--name", "a", "--workers", "2")
    task = task_id(server, "Slow")
    wait_until(lambda: has_printed(server, task, b"first line"), WAIT_SECS)
    children = subprocess.run(["pgrep", "-P", str(worker.pid)], capture_output=True, text=True).stdout.split()
    for pid in [worker.pid, *map(int, children)]:
        os.kill(pid, signal.SIGKILL)
    worker.communicate(timeout=WAIT_SECS)
    assert b"first line" in log(server, task)


def test_a_server_that_is_started_anew_goes_on_with_the_log(tmp_path):
    with serving(tmp_path, OURS) as port:
        worker = work(tmp_path, port, "Slow", "--name", "a", "--workers", "2")
        task = task_id(port, "Slow")
        wait_until(lambda: has_printed(port, task, b"first line"), WAIT_SECS)
    command = [*OURS, "--address", "127.0.0.1", "--port", str(port), "--state-dir", str(tmp_path / "state")]
    with open(tmp_path / "second.log", "wb") as out:
        second = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=out, stderr=out)
    try:
        wait_until(lambda: _answers(port), WAIT_SECS)
        (tmp_path / "a.go").write_text("well")
        finish(worker)
        text = log(port, task).decode()
        assert text.count("first line") == 1 and text.count("last line") == 1, text
        assert b"done" in log(port, task, tail=3)
    finally:
        second.terminate()
        second.wait(WAIT_SECS)


def _answers(port):
    try:
        return call(port, "is_paused") is not None
    except OSError:
        return False


def test_of_much_output_the_beginning_and_the_end_are_kept(tmp_path, server):
    process = work(tmp_path, server, "Large", "--workers", "2")
    process.communicate(timeout=2 * WAIT_SECS)
    assert process.returncode == 0
    text = log(server, task_id(server, "Large")).decode()
    assert "the beginning" in text and "the end\n" in text
    assert "were left out here" in text or "were dropped here" in text
    assert len(text) < 20 << 20


def test_a_worker_that_is_told_so_sends_nothing(tmp_path, server):
    finish(work(tmp_path, server, "Noisy", "--name", "one", "--workers", "2", "--worker-send-logs", "false"))
    task = task_id(server, "Noisy")
    code, error = refused(server, f"/tasks/{task}/log")
    assert code == 404 and error["code"] == "output_not_available"
    assert "send_logs" in error["message"]


@needs_stock
def test_of_a_stock_worker_there_is_the_error_and_no_way_to_cancel(tmp_path, server):
    worker = work(tmp_path, server, "Slow", "--name", "a", python=STOCK)
    task = task_id(server, "Slow")
    wait_until(lambda: call(server, "task_list", status="RUNNING", upstream_status=""), WAIT_SECS)
    assert "output not available" in condotta("log", task, url(server), code=5)
    assert "stock Luigi's" in condotta("cancel", task, url(server), code=6)
    (tmp_path / "a.go").write_text("fail")
    worker.communicate(timeout=WAIT_SECS)
    error = condotta("log", task, url(server), code=5)
    assert "output not available" in error and "told to fail" in error


@pytest.mark.parametrize("way", ["in forked processes", "in forked processes with one worker"])
def test_a_run_is_cancelled_with_all_that_it_started(tmp_path, server, way):
    worker = work(tmp_path, server, "Family", "--name", "a", *WAYS[way])
    task = task_id(server, "Family")
    pids = [int(wait_until(lambda name=name: _read(tmp_path / name), WAIT_SECS)) for name in ("task", "child")]
    assert "DISABLED" in condotta("cancel", task, "--attempt", "1", url(server))
    wait_until(lambda: not any(map(is_alive, pids)), WAIT_SECS)
    output, _ = worker.communicate(timeout=WAIT_SECS)
    assert f"Task {task} was cancelled by an operator." in output
    assert "was cancelled by an operator." in condotta("log", task, url(server))
    assert "there is no run to cancel" in condotta("cancel", task, url(server), code=6)
    state = json.loads(get(server, f"/tasks/{task}/cancel"))
    assert state["by"] == "an operator" and state["status"] == "DISABLED" and not state["asked"]
    # Nobody runs it again by itself.
    again = work(tmp_path, server, "Family", "--name", "a", *WAYS[way])
    again.communicate(timeout=WAIT_SECS)
    assert call(server, "fetch_error", task_id=task)["taskParams"] == {"name": "a"}
    (only,) = call(server, "task_list", status="DISABLED", upstream_status="")
    assert only == task
    condotta("enable", task, url(server))
    assert call(server, "task_list", status="DISABLED", upstream_status="") == {}


def _read(path):
    return path.read_text().strip() if path.exists() else ""


def test_a_run_in_the_workers_own_process_cannot_be_ended_and_that_is_said(tmp_path, server):
    worker = work(tmp_path, server, "Slow", "--name", "a")
    task = task_id(server, "Slow")
    wait_until(lambda: has_printed(server, task, b"first line"), WAIT_SECS)
    condotta("cancel", task, "--wait", "0", url(server))
    state = wait_until(lambda: (it := json.loads(get(server, f"/tasks/{task}/cancel")))["answer"] and it, WAIT_SECS)
    assert "own process" in state["answer"] and state["refused"] and not state["asked"]
    assert "cannot end the run, which goes on" in condotta("cancel", task, url(server), code=6)
    (tmp_path / "a.go").write_text("well")
    worker.communicate(timeout=WAIT_SECS)
    assert json.loads(get(server, f"/tasks/{task}/cancel"))["status"] == "DONE"


def test_a_time_out_stands_in_the_log(tmp_path, server):
    worker = work(tmp_path, server, "Family", "--name", "a", "--worker-timeout", "1")
    worker.communicate(timeout=WAIT_SECS)
    text = log(server, task_id(server, "Family")).decode()
    assert "timed out after 1 seconds and was terminated." in text


def test_a_run_whose_time_is_over_has_failed_when_nothing_of_it_is_left(tmp_path, server):
    worker = work(tmp_path, server, "Stubborn", "--worker-timeout", "1", "--worker-wait-interval", "0.1")
    child = int(wait_until(lambda: _read(tmp_path / "child"), WAIT_SECS))
    wait_until(lambda: call(server, "task_list", status="FAILED", upstream_status=""), WAIT_SECS)
    assert not is_alive(child)
    output, _ = worker.communicate(timeout=WAIT_SECS)
    said = "timed out after 1 seconds and was terminated."
    assert output.count(said) == 1 and "died unexpectedly" not in output, output
    assert said in log(server, task_id(server, "Stubborn")).decode()


@pytest.mark.parametrize("scheduler", ["a server", "its own"])
def test_the_summary_comes_after_all_that_processes_of_runs_print(tmp_path, server, scheduler):
    own = ["--local-scheduler"] if scheduler == "its own" else []
    output = finish(work(tmp_path, server, "Lingers", "--workers", "2", *own))
    assert 0 < output.find("said after the end of the run") < output.find("===== Luigi Execution Summary"), output


def test_a_worker_that_gets_sigterm_is_gone_at_once_and_its_run_goes_on_alone(tmp_path, server):
    worker = work(tmp_path, server, "Slow", "--name", "a", "--workers", "2")
    task = task_id(server, "Slow")
    wait_until(lambda: has_printed(server, task, b"first line"), WAIT_SECS)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(WAIT_SECS) == -signal.SIGTERM
    (tmp_path / "a.go").write_text("")
    wait_until(lambda: (tmp_path / "a.done").exists(), WAIT_SECS)
    worker.communicate(timeout=WAIT_SECS)
    told = json.loads(get(server, f"/tasks/{urllib.parse.quote(task)}"))
    assert told["task"]["status"] == "RUNNING", "as long as the worker is not missed"
