"""The execution summary: what tasks are sorted into, and how that is said."""

import datetime
from types import SimpleNamespace

import pytest

import luigi
from luigi import execution_summary
from luigi.execution_summary import LuigiRunResult, LuigiStatusCode, summary


class Day(luigi.Task):
    """A task of one parameter, whose values follow one another."""

    date = luigi.DateParameter()


class Pair(luigi.Task):
    """A task of two parameters."""

    x = luigi.IntParameter()
    y = luigi.Parameter(default="same")


class Needs(luigi.Task):
    """A task that requires others."""

    task_names = luigi.ListParameter()

    def requires(self):
        return [Pair(x=x) for x in self.task_names]


def worker(told, running=()):
    """What the summary reads of a worker."""
    return SimpleNamespace(
        _id="me",
        _add_task_history=list(told),
        _scheduled_tasks={task.task_id: task for task, _, _ in told},
        _get_work_response_history=[{"task_id": None, "running_tasks": list(running)}],
    )


def lines(told, running=()):
    return [line.strip() for line in summary(worker(told, running)).splitlines() if line.strip()]


def done(task):
    return [(task, "PENDING", True), (task, "DONE", None)]


def test_tasks_are_sorted_by_what_was_told_of_them():
    complete, ran, failed, broken, missing, waits, free = (Pair(x=x) for x in range(7))
    top = Needs(task_names=[2, 4])
    told = [
        (complete, "DONE", False),
        *done(ran),
        (failed, "PENDING", True),
        (failed, "FAILED", None),
        (broken, "UNKNOWN", False),
        (missing, "PENDING", False),
        (top, "PENDING", True),
        (waits, "PENDING", True),
        (free, "PENDING", True),
    ]
    sets = execution_summary._summary_dict(worker(told, [{"task_id": waits.task_id, "worker": "other"}]))
    assert {name: tasks for name, tasks in sets.items() if tasks} == {
        "already_done": {complete},
        "completed": {ran},
        "ever_failed": {failed},
        "failed": {failed},
        "scheduling_error": {broken},
        "still_pending_ext": {missing},
        "still_pending_not_ext": {top, waits, free},
        "run_by_other_worker": {waits},
        "upstream_failure": {top},
        "upstream_missing_dependency": {top},
        "not_run": {free},
    }
    assert set(sets) - {"still_pending_not_ext"} == set(execution_summary._ORDERED_STATUSES) - {"still_pending"}
    assert execution_summary._root_task(worker(told)) is complete


def test_days_without_a_gap_are_a_range():
    days = [Day(date=datetime.date(2024, 1, 30) + datetime.timedelta(days=n)) for n in range(5)]
    shown = lines([step for day in days for step in done(day)])
    assert "- 5 Day(date=2024-01-30...2024-02-03)" in shown
    shown = lines([step for day in days[:2] + days[3:] for step in done(day)])
    assert "- 4 Day(date=2024-01-30,2024-01-31,2024-02-02,2024-02-03)" in shown


def test_of_several_parameters_the_one_that_varies_is_a_range():
    shown = lines([step for x in range(9, 12) for step in done(Pair(x=x))])
    assert "- 3 Pair(x=9...11, y=same)" in shown
    shown = lines([step for x in range(3) for step in done(Pair(x=x, y=str(x)))])
    assert "- 3 Pair(x=0, y=0) ..." in shown


def test_other_workers_are_named():
    task = Pair(x=1)
    shown = lines([(task, "PENDING", True)], [{"task_id": task.task_id, "worker": "other"}])
    assert "* 1 were being run by another worker:" in shown
    assert shown[shown.index("The other workers were:") + 1] == "- other ran 1 tasks"
    assert "Did not run any tasks" in shown


def test_nothing_is_said_of_nothing():
    frame = "===== Luigi Execution Summary ====="
    assert summary(worker([])) == f"\n{frame}\n\nDid not schedule any tasks\n\n{frame}\n"


def test_so_many_families_are_listed(monkeypatch):
    told = [step for task in (Pair(x=1), Day(date=datetime.date(2024, 1, 1))) for step in done(task)]
    monkeypatch.setattr(execution_summary, "execution_summary", lambda: SimpleNamespace(summary_length=1))
    shown = lines(told)
    assert shown[3:5] == ["- 1 Day(date=2024-01-01)", "..."]


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ([("DONE", True)], LuigiStatusCode.SUCCESS),
        ([("FAILED", True), ("PENDING", True), ("DONE", True)], LuigiStatusCode.SUCCESS_WITH_RETRY),
        ([("FAILED", True)], LuigiStatusCode.FAILED),
        ([("FAILED", True), ("UNKNOWN", True)], LuigiStatusCode.FAILED_AND_SCHEDULING_FAILED),
        ([("UNKNOWN", True)], LuigiStatusCode.SCHEDULING_FAILED),
        ([("PENDING", True)], LuigiStatusCode.NOT_RUN),
        ([("PENDING", False)], LuigiStatusCode.MISSING_EXT),
    ],
)
def test_the_result_says_how_it_went(told, status):
    task = Pair(x=1)
    result = LuigiRunResult(worker([(task, name, runnable) for name, runnable in told]), False)
    assert (result.status, result.scheduling_succeeded) == (status, False)
    assert result.one_line_summary == f"This progress looks {status.value[0]} because {status.value[1]}"
    assert result.one_line_summary in result.summary_text
    assert str(result) == f"LuigiRunResult with status {status}"


def test_steps_are_looked_up_when_they_are_called(monkeypatch):
    monkeypatch.setattr(execution_summary, "_create_one_line_summary", lambda status: "In short: fine")
    monkeypatch.setattr(execution_summary, "_summary_wrap", lambda text: text)
    assert summary(worker(done(Pair(x=1)))).endswith("\nIn short: fine")


def test_a_parameter_that_cannot_be_shown_does_not_spoil_the_summary():
    class Odd(luigi.Parameter):
        def serialize(self, value):
            if value == "odd":
                raise RuntimeError
            return value

    class Shown(luigi.Task):
        value = Odd(significant=False)
        other = luigi.IntParameter()

    told = [step for number, value in enumerate(("odd", "even")) for step in done(Shown(value, number))]
    assert "- 2 Shown(other=0) and Shown(other=1)" in lines(told)


def test_a_parameter_that_cannot_be_read_is_shown_without_a_value():
    class Shut(luigi.Task):
        value = luigi.Parameter()

        def __getattribute__(self, name):
            if name == "value":
                raise RuntimeError
            return super().__getattribute__(name)

    assert "- 1 Shut(value=)" in lines(done(Shut("seven")))


def test_a_deep_graph_is_sorted():
    class Deep(luigi.Task):
        depth = luigi.IntParameter()

        def requires(self):
            return [] if self.depth == 0 else [Deep(depth=self.depth - 1)]

    told = [(Deep(depth=depth), "PENDING", depth > 0) for depth in range(5000)]
    sets = execution_summary._summary_dict(worker(told))
    assert len(sets["upstream_missing_dependency"]) == 4999
