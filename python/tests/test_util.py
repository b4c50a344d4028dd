"""Decorators that share parameters between tasks, and the tasks before a task."""

import datetime

import pytest

import luigi
from luigi.util import common_params, copies, delegates, get_previous_completed, inherits, previous, requires


class A(luigi.Task):
    a = luigi.IntParameter()
    shared = luigi.Parameter(default="of A")


class B(luigi.Task):
    b = luigi.IntParameter()


def test_inherits_adds_parameters_that_are_not_there():
    @inherits(A)
    class T(luigi.Task):
        shared = luigi.Parameter(default="of T")

    assert sorted(T(a=1).param_kwargs) == ["a", "shared"]
    assert T(a=1).shared == "of T"
    assert T(a=1).clone_parent() is A(1, "of T")
    assert T(a=1).clone_parent(a=2) is A(2, "of T")


def test_inherits_several():
    @inherits(A, B)
    class T(luigi.Task):
        pass

    @inherits(first=A, second=B)
    class Named(luigi.Task):
        pass

    assert T(a=1, b=2).clone_parents() == [A(1), B(2)]
    assert T(a=1, b=2).clone_parent() == A(1)
    assert Named(a=1, b=2).clone_parents(b=5) == {"first": A(1), "second": B(5)}
    assert not hasattr(Named, "clone_parent")


def test_inherits_wants_classes_of_one_kind():
    with pytest.raises(TypeError, match="must contain at least one task"):
        inherits()
    with pytest.raises(TypeError, match="Only one of tasks_to_inherit or kw_tasks_to_inherit may be present"):
        inherits(A, x=B)


def test_requires_one_several_or_named():
    @requires(A)
    class One(luigi.Task):
        pass

    @requires(A, B)
    class Several(luigi.Task):
        pass

    @requires(x=A)
    class Named(luigi.Task):
        pass

    assert One(a=1).requires() == A(1)
    assert Several(a=1, b=2).requires() == [A(1), B(2)]
    assert Named(a=1).requires() == {"x": A(1)}


def test_copies_copies_the_lines_of_the_other_output(folder_of_its_own):
    class Source(luigi.ExternalTask):
        def output(self):
            return luigi.LocalTarget("source")

    @copies(Source)
    class Copy(luigi.Task):
        def output(self):
            return luigi.LocalTarget("copy")

    (folder_of_its_own / "source").write_text("one\ntwo\n")
    assert (Copy.__name__, Copy.get_task_family()) == ("Copy", "Copy")
    Copy().run()
    assert (folder_of_its_own / "copy").read_text() == "one\ntwo\n"


def test_delegates_runs_subtasks_and_requires_what_they_require():
    ran = []

    class Sub(luigi.Task):
        def requires(self):
            return B(1)

        def run(self):
            ran.append("sub")

    @delegates
    class T(luigi.Task):
        def requires(self):
            return A(1)

        def subtasks(self):
            return [Sub()]

        def run(self):
            ran.append("own")

    assert T().deps() == [A(1), B(1)]
    T().run()
    assert ran == ["sub", "own"]
    with pytest.raises(AttributeError, match='needs to implement the method "subtasks"'):
        delegates(A)


def test_common_params():
    class T(luigi.Task):
        a = luigi.IntParameter()
        shared = luigi.Parameter()
        other = luigi.Parameter(default="x")

    assert common_params(T(1, "y"), A) == {"a": 1, "shared": "y"}
    with pytest.raises(TypeError, match="task_cls must be an uninstantiated Task"):
        common_params(A(1), B(1))


@pytest.mark.parametrize(
    ("param", "value", "before"),
    [
        (luigi.DateParameter(), datetime.date(2013, 1, 1), datetime.date(2012, 12, 31)),
        (luigi.MonthParameter(), datetime.date(2013, 1, 1), datetime.date(2012, 12, 1)),
        (luigi.YearParameter(), datetime.date(2013, 1, 1), datetime.date(2012, 1, 1)),
        (luigi.DateHourParameter(), datetime.datetime(2013, 1, 1), datetime.datetime(2012, 12, 31, 23)),
        (luigi.DateMinuteParameter(), datetime.datetime(2013, 1, 1), datetime.datetime(2012, 12, 31, 23, 59)),
        (luigi.DateSecondParameter(), datetime.datetime(2013, 1, 1), datetime.datetime(2012, 12, 31, 23, 59, 59)),
        (luigi.DateIntervalParameter(), luigi.date_interval.Week(2013, 1), luigi.date_interval.Week(2012, 52)),
    ],
)
def test_previous(param, value, before):
    class T(luigi.Task):
        when = param
        text = luigi.Parameter(default="x")

    earlier = previous(T(value, "y"))
    assert (earlier.when, earlier.text) == (before, "y")


def test_previous_wants_exactly_one_date():
    class Two(luigi.Task):
        day = luigi.DateParameter(default=datetime.date(2013, 1, 1))
        hour = luigi.DateHourParameter(default=datetime.datetime(2013, 1, 1))

    with pytest.raises(NotImplementedError, match="No task parameter - can't determine previous task"):
        previous(A(1))
    with pytest.raises(NotImplementedError, match="Too many date-related task parameters - can't determine previous"):
        previous(Two())


def test_the_nearest_earlier_task_that_is_complete():
    class T(luigi.Task):
        day = luigi.DateParameter()

        def complete(self):
            return self.day.day == 7

    task = T(datetime.date(2013, 1, 10))
    assert get_previous_completed(task) == T(datetime.date(2013, 1, 7))
    assert get_previous_completed(task, max_steps=2) is None
