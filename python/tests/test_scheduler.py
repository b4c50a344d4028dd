"""The scheduler from Python: its methods, its clock, whom it tells, and what there is to look into."""

import json
import os
import pickle
import time
from pathlib import Path
from unittest import mock

import pytest

import luigi.scheduler
from luigi.scheduler import RPC_METHODS, OrderedSet, RetryPolicy, Scheduler, Task


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set."""

    def set_to(now):
        monkeypatch.setattr(time, "time", lambda: now)

    set_to(1000.0)
    return set_to


class Recorder(luigi.scheduler.history.TaskHistory):
    """A task history in a list."""

    def __init__(self):
        self.seen = []

    def task_scheduled(self, task):
        self.seen.append(("scheduled", task.id))

    def task_started(self, task, worker_host):
        self.seen.append(("started", task.id, worker_host))

    def task_finished(self, task, successful):
        self.seen.append(("finished", task.id, successful))


def test_a_task_goes_from_pending_over_running_to_done():
    scheduler = Scheduler()
    scheduler.add_task(worker="w", task_id="B", deps=["A"], family="B")
    scheduler.add_task(worker="w", task_id="A", family="A", module="m", params={"x": "1"})
    work = scheduler.get_work(worker="w")
    assert (work["task_id"], work["task_family"], work["task_module"], work["task_params"]) == (
        "A",
        "A",
        "m",
        {"x": "1"},
    )
    assert (work["n_pending_tasks"], work["n_unique_pending"], work["worker_state"]) == (2, 2, "active")
    scheduler.add_task(worker="w", task_id="A", status="DONE")
    assert scheduler.get_work(worker="w")["task_id"] == "B"
    assert [task.status for task in scheduler._state.get_active_tasks()] == ["RUNNING", "DONE"]


def test_arguments_may_be_given_by_position():
    scheduler = Scheduler()
    scheduler.add_task("A", "PENDING", True, ["B"], worker="w")
    assert scheduler._state.get_task("A").deps == {"B"}


def test_dependencies_may_be_any_collection():
    scheduler = Scheduler()
    for task_id, deps in [("A", ("X",)), ("B", {"X"}), ("C", dict.fromkeys("X")), ("D", (dep for dep in "X"))]:
        scheduler.add_task(worker="w", task_id=task_id, deps=deps)
        assert scheduler._state.get_task(task_id).deps == {"X"}


def test_a_worker_has_to_be_named():
    with pytest.raises(AssertionError):
        Scheduler().add_task(task_id="A")
    with pytest.raises(AssertionError):
        Scheduler().get_work()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"task_id": 1}, TypeError),
        ({"status": "SOMEHOW"}, ValueError),
        ({"deps": [1]}, TypeError),
        ({"resources": {"gpu": 0.5}}, ValueError),
        ({"priority": "high"}, TypeError),
        ({"retry_policy_dict": {"retries": 1}}, TypeError),
        ({"param_visibilities": {"x": 7}, "params": {"x": "1"}}, ValueError),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(arguments, error):
    scheduler = Scheduler()
    with pytest.raises(error):
        scheduler.add_task(**{"worker": "w", "task_id": "A", **arguments})
    assert scheduler._state.get_active_task_count_for_status("") == 0


def test_time_is_asked_of_python_at_each_call(clock):
    scheduler = Scheduler(retry_delay=100)
    scheduler.add_task(worker="w", task_id="A")
    scheduler.get_work(worker="w")
    scheduler.add_task(worker="w", task_id="A", status="FAILED")
    clock(1050.0)
    scheduler.ping(worker="w")
    scheduler.prune()
    assert scheduler._state.get_task("A").status == "FAILED"
    clock(1101.0)
    scheduler.ping(worker="w")
    scheduler.prune()
    assert scheduler._state.get_task("A").status == "PENDING"


def test_a_clock_that_is_set_far_back_is_followed(clock):
    scheduler = Scheduler(worker_disconnect_delay=10, remove_delay=100)
    scheduler.add_task(worker="w", task_id="A", status="DONE")
    clock(1.0)
    scheduler.add_task(worker="w", task_id="B", status="DONE")
    clock(50.0)
    scheduler.prune()
    clock(200.0)
    scheduler.prune()
    assert list(scheduler._state.get_active_tasks()) == []


def test_history_hears_of_each_step():
    recorder = Recorder()
    scheduler = Scheduler(task_history_impl=recorder)
    scheduler.add_task(worker="w", task_id="A")
    scheduler.get_work(worker="w", host="here")
    scheduler.add_task(worker="w", task_id="A", status="DONE")
    assert recorder.seen == [("scheduled", "A"), ("started", "A", "here"), ("finished", "A", True)]


def test_a_history_that_fails_does_not_stop_the_scheduler(caplog):
    scheduler = Scheduler(task_history_impl=mock.Mock(task_scheduled=mock.Mock(side_effect=OSError)))
    scheduler.add_task(worker="w", task_id="A")
    assert "Error saving Task history" in caplog.text
    assert scheduler._state.has_task("A")


def test_metrics_are_told(clock):
    scheduler = Scheduler(retry_count=1)
    collector = scheduler._state._metrics_collector = mock.Mock()
    scheduler.add_task(worker="w", task_id="A")
    scheduler.get_work(worker="w")
    scheduler.add_task(worker="w", task_id="A", status="DONE")
    with mock.patch("luigi.scheduler.notifications"):
        scheduler.add_task(worker="w", task_id="B", status="FAILED")
    scheduler.report_task_statistics("A", {"rows": 3})
    calls = [(name, args[0].id) for name, args, _ in collector.method_calls]
    assert calls == [
        ("handle_task_started", "A"),
        ("handle_task_done", "A"),
        ("handle_task_disabled", "B"),
        ("handle_task_statistics", "A"),
    ]
    assert collector.handle_task_statistics.call_args.args[1] == {"rows": 3}


def test_owners_are_told_of_a_task_that_failed_too_often():
    scheduler = Scheduler(retry_count=1)
    with mock.patch("luigi.scheduler.notifications") as notifications:
        scheduler.add_task(worker="w", task_id="A", status="FAILED")
    subject, _ = notifications.send_error_email.call_args.args
    assert subject == "Luigi Scheduler: DISABLED A due to excessive failures"


def test_failures_are_gathered_when_that_is_configured():
    with mock.patch("luigi.scheduler.BatchNotifier") as notifier:
        scheduler = Scheduler(batch_emails=True)
        scheduler.add_task_batcher("w", "F", ["x"])
        scheduler.add_task(
            worker="w",
            task_id="A",
            status="FAILED",
            family="F",
            params={"x": "1", "y": "2"},
            expl=json.dumps("why"),
            owners=["me"],
        )
        notifier().add_failure.assert_called_once_with("F(x=1, y=2)", "F", {"y": "2"}, "why", ["me"])
        scheduler.prune()
        notifier().update.assert_called_once_with()


def test_resources_limit_what_runs():
    scheduler = Scheduler(resources={"gpu": 1})
    for task_id in "AB":
        scheduler.add_task(worker="w", task_id=task_id, resources={"gpu": 1})
    assert scheduler.get_work(worker="w")["task_id"] == "A"
    assert scheduler.get_work(worker="w")["task_id"] is None
    assert scheduler.resources() == {"gpu": {"total": 1, "used": 1}}
    assert scheduler.update_resource("gpu", -1) is False
    assert scheduler.update_resource("gpu", 2) is True
    assert scheduler._resources == {"gpu": 2}
    assert scheduler.get_work(worker="w")["task_id"] == "B"


def test_a_batch_is_handed_out_with_lists_of_values():
    scheduler = Scheduler()
    scheduler.add_task_batcher("w", "F", ["x"])
    for value in "12":
        scheduler.add_task(worker="w", task_id=f"F_{value}", family="F", params={"x": value, "y": "0"}, batchable=True)
    work = scheduler.get_work(worker="w")
    assert (work["task_id"], work["batch_task_ids"], work["task_params"]) == (
        None,
        ["F_1", "F_2"],
        {"x": ["1", "2"], "y": "0"},
    )
    assert {task.id for task in scheduler._state.get_batch_running_tasks(work["batch_id"])} == {"F_1", "F_2"}


def test_a_batch_that_nobody_runs_is_refused():
    with pytest.raises(IndexError):
        Scheduler().add_task(worker="w", task_id="A", status="RUNNING", batch_id="none")


def test_methods_of_a_subclass_are_used():
    class Own(Scheduler):
        pruned = 0

        def prune(self):
            self.pruned += 1
            super().prune()

    scheduler = Own(prune_on_get_work=True)
    scheduler.get_work(worker="w")
    scheduler.task_list()
    assert scheduler.pruned == 2


def test_a_task_that_is_kept_a_hold_of_stays_up_to_date():
    scheduler = Scheduler()
    scheduler.add_task(worker="w", task_id="A", priority=2, retry_policy_dict={"retry_count": 7})
    task = scheduler._state.get_task("A")
    assert (task.status, task.priority, list(task.workers), task.stakeholders) == ("PENDING", 2, ["w"], {"w"})
    assert task.retry_policy == RetryPolicy(7, 999999999, 3600)
    scheduler.add_task(worker="w", task_id="A", status="DONE")
    assert task.status == "DONE"
    assert task == scheduler._state.get_task("A")
    assert scheduler._state.get_task("B") is None


def test_a_worker_can_be_looked_into_and_left_messages():
    scheduler = Scheduler()
    scheduler.add_worker("w", [("host", "here"), ("workers", 2)])
    worker = scheduler._state.get_worker("w")
    assert (worker.info, worker.enabled, worker.assistant) == ({"host": "here", "workers": 2}, True, False)
    worker.add_rpc_message("shout", loud=True)
    scheduler.set_worker_processes("w", 3)
    assert len(worker.rpc_messages) == 2
    messages = scheduler.ping(worker="w")["rpc_messages"]
    assert {message["name"] for message in messages} == {"shout", "set_worker_processes"}
    assert scheduler.ping(worker="w") == {"rpc_messages": []}
    scheduler.disable_worker("w")
    assert worker.state == "disabled"
    assert "n_pending_last_scheduled" not in scheduler.get_work(worker="w")


def test_the_state_is_written_and_read_again(tmp_path):
    (tmp_path / "var").mkdir()
    path = str(tmp_path / "var" / "state")
    scheduler = Scheduler(state_path=path)
    scheduler.add_task(worker="w", task_id="A", params={"x": "\u00e9"}, family="F")
    scheduler.get_work(worker="w")
    scheduler.dump()
    other = Scheduler(state_path=path)
    other.load()
    assert (other._state.get_task("A").status, other._state.get_task("A").pretty_id) == ("RUNNING", "F(x=\u00e9)")
    assert os.listdir(tmp_path / "var") == ["state"]


class Harmful:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("harm",)


@pytest.mark.parametrize("content", [b"b0rk", b"", pickle.dumps([1]), pickle.dumps(({}, {"w": Harmful()}))])
def test_a_file_that_is_no_state_is_said_and_not_read(tmp_path, caplog, content):
    path = tmp_path / "state"
    path.write_bytes(content)
    scheduler = Scheduler(state_path=str(path))
    scheduler.load()
    assert "Starting from empty state" in caplog.text
    assert list(scheduler._state.get_worker_ids()) == []
    assert not os.path.exists("harm")


def test_a_state_that_luigi_left_is_read():
    """Luigi 3.8.1 wrote the file at 1700000001."""
    scheduler = Scheduler(state_path=str(Path(__file__).parent / "data" / "luigi_state.pickle"), resources={"gpu": 2})
    scheduler.load()
    statuses = {task.id: task.status for task in scheduler._state.get_active_tasks()}
    assert statuses == {
        "A": "PENDING",
        "B": "PENDING",
        "C": "UNKNOWN",
        "D": "FAILED",
        "E": "DISABLED",
        "X": "DISABLED",
        "P": "RUNNING",
    }
    task = scheduler._state.get_task("A")
    assert (task.family, task.module, task.priority, task.deps) == ("F", "m", 3, {"B", "C"})
    assert (task.public_params, task.hidden_params, task.resources) == ({"x": "1"}, {"h": "2"}, {"gpu": 1})
    assert (list(task.workers), task.stakeholders, task.batchable) == (["w"], {"w"}, True)
    assert scheduler._state.get_task("B").params == {"d": "\u00e9"}
    failed = scheduler._state.get_task("D")
    assert (failed.expl, failed.num_failures(), failed.retry) == ('"why"', 0, 1700000901)
    assert scheduler._state.get_task("X").scheduler_disable_time == 1700000001
    assert scheduler._state.get_task("P").worker_running == "v"
    assert scheduler._state.get_worker("w").info == {"workers": 2, "host": "here", "tags": ["a"]}
    assert [message["name"] for message in scheduler.ping(worker="w")["rpc_messages"]] == [
        "set_worker_processes",
        "dispatch_scheduler_message",
    ]
    assert scheduler._state.get_batcher("w", "F") == (["x"], 5)
    assert scheduler._state.get_batcher("w", "G") == (["x"], float("inf"))
    assert scheduler.get_work(worker="w")["task_id"] == "B"


def test_the_oldest_states_only_name_workers(tmp_path):
    path = tmp_path / "state"
    path.write_bytes(pickle.dumps(({}, {"w": 1e9})))
    scheduler = Scheduler(state_path=str(path))
    scheduler.load()
    assert list(scheduler._state.get_worker_ids()) == ["w"]


def test_a_scheduler_can_be_sent_to_another_process():
    scheduler = Scheduler(resources={"gpu": 1})
    scheduler.add_task(worker="w", task_id="A")
    copy = pickle.loads(pickle.dumps(scheduler))
    assert copy.get_work(worker="w")["task_id"] == "A"
    assert scheduler._state.get_task("A").status == "PENDING"
    assert copy._engine.limits == {"gpu": 1}


def test_lists_hide_too_many_tasks():
    scheduler = Scheduler(max_shown_tasks=1)
    for task_id in "AB":
        scheduler.add_task(worker="w", task_id=task_id)
    assert scheduler.task_list("PENDING", "") == {"num_tasks": 2}
    assert scheduler.task_list("PENDING", "UPSTREAM_FAILED") == {"num_tasks": -1}
    assert set(scheduler.task_list("PENDING", "", limit=False)) == {"A", "B"}
    assert scheduler.task_list("PENDING", "NO_SUCH", limit=False) == {}


def test_a_client_sends_all_arguments_and_is_told_of_missing_ones():
    client = mock.Mock()
    RPC_METHODS["dep_graph"](client, "A")
    client._request.assert_called_once_with("/api/dep_graph", {"task_id": "A", "include_done": True})
    client.reset_mock()
    RPC_METHODS["get_work"](client, worker="w")
    assert client._request.call_args.kwargs == {"allow_null": False}
    with pytest.raises(TypeError, match="count_pending takes 1 arguments"):
        RPC_METHODS["count_pending"](client)
    assert len(RPC_METHODS) == 39


def test_an_ordered_set_keeps_its_order():
    ordered = OrderedSet("cab")
    ordered.add("a")
    ordered.add("d")
    assert (list(ordered), list(reversed(ordered)), ordered.peek(), ordered.peek(last=False)) == (
        list("cabd"),
        list("dbac"),
        "d",
        "c",
    )
    assert ordered.pop() == "d"
    assert ordered == OrderedSet("cab")
    assert ordered != OrderedSet("abc")
    assert ordered == {"a", "b", "c"}
    with pytest.raises(KeyError):
        OrderedSet().pop()


def test_a_task_counts_its_failures(clock):
    task = Task("A", "PENDING", None, retry_policy=RetryPolicy(2, 1000, 10))
    task.add_failure()
    assert (task.num_failures(), task.has_excessive_failures()) == (1, False)
    clock(1011.0)
    task.add_failure()
    assert (task.num_failures(), task.has_excessive_failures()) == (1, False)
    clock(2000.0)
    assert task.has_excessive_failures()
    task.clear_failures()
    assert not task.has_excessive_failures()


def test_keys_that_the_engines_server_reads_are_not_warned_about(configure):
    configure({"scheduler": {"state_dir": "x", "header_timeout": "5", "retry_dealy": "1"}})
    with pytest.warns(luigi.parameter.UnconsumedParameterWarning) as caught:
        Scheduler()
    assert ["retry_dealy" in str(warning.message) for warning in caught] == [True]
