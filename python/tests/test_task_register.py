"""The metaclass: instances that are kept, families, namespaces, and finding a class by its family."""

import pytest

import luigi
import luigi.task_register
from luigi.task_register import (
    Register,
    TaskClassAmbigiousException,
    TaskClassNotFoundException,
    load_task,
)


@pytest.fixture
def namespaces(monkeypatch):
    """No namespaces but those that the test sets."""
    monkeypatch.setattr(Register, "_default_namespace_dict", {})


class Loaded(luigi.Task):
    n = luigi.IntParameter(batch_method=max)
    text = luigi.Parameter(default="x")


def test_equal_calls_give_one_object():
    class T(luigi.Task):
        a = luigi.IntParameter()
        b = luigi.ListParameter(default=[1])

    assert T(1) is T(a=1) is T(1, [1]) is T(a=1, b=(1,))
    assert T(1) is not T(2)


def test_insignificant_values_make_different_but_equal_objects():
    class T(luigi.Task):
        a = luigi.IntParameter()
        b = luigi.Parameter(default="x", significant=False)

    assert T(1, "y") is not T(1)
    assert T(1, "y") == T(1)
    assert hash(T(1, "y")) == hash(T(1))


def test_the_instance_cache_can_be_cleared_and_switched_off(monkeypatch):
    class T(luigi.Task):
        a = luigi.IntParameter()

    first = T(1)
    Register.clear_instance_cache()
    second = T(1)
    assert second is not first
    Register.disable_instance_cache()
    assert T(1) is not second
    Register.clear_instance_cache()
    assert T(1) is T(1)


def test_a_value_that_can_not_be_hashed_makes_a_new_object_each_time():
    class T(luigi.Task):
        a = luigi.Parameter()

    with pytest.warns(UserWarning, match="is not of type string"):
        assert T({"x": 1}) is not T({"x": 1})


def test_subclasses_and_same_named_classes_keep_their_instances_apart():
    class T(luigi.Task):
        a = luigi.IntParameter()

    class Sub(T):
        pass

    assert type(Sub(1)) is Sub
    assert type(T(1)) is T
    assert T(1) != Sub(1)


def test_a_subclass_of_the_metaclass_has_a_cache_and_hooks_of_its_own():
    calls = []

    class Counting(Register):
        def __call__(cls, *args, **kwargs):
            calls.append((cls.__name__, args))
            return super().__call__(*args, **kwargs)

    class T(luigi.Task, metaclass=Counting):
        a = luigi.IntParameter()

    assert T(1) is T(1)
    assert calls == [("T", (1,)), ("T", (1,))]


def test_families(namespaces):
    class Plain(luigi.Task):
        pass

    class Named(luigi.Task):
        task_namespace = "my.space"

    class Sub(Named):
        pass

    luigi.namespace("outer")

    class Late(luigi.Task):
        pass

    luigi.namespace()
    assert Plain.get_task_family() == Plain.task_family == "Plain"
    assert Sub.get_task_family() == Sub().task_family == "my.space.Sub"
    assert (Late.get_task_family(), Late.get_task_namespace()) == ("outer.Late", "outer")
    assert Plain.get_task_namespace() == ""
    assert Sub().task_id.startswith("my.space.Sub__")


def test_the_most_specific_scope_gives_the_namespace(namespaces):
    luigi.namespace("all")
    luigi.namespace("mine", scope=__name__)
    luigi.namespace("others", scope=__name__ + "x")

    class T(luigi.Task):
        pass

    luigi.auto_namespace(scope=__name__)

    class Auto(luigi.Task):
        pass

    assert T.get_task_family() == "mine.T"
    assert Auto.get_task_family() == f"{__name__}.Auto"
    assert list(Register._module_parents("a.b.c")) == ["a.b.c", "a.b", "a", ""]


def test_a_family_that_changes_is_seen_everywhere():
    class T(luigi.Task):
        a = luigi.IntParameter(default=1)

    assert T().task_id.startswith("T_1_")
    T.task_namespace = "moved"
    T.__name__ = "Renamed"
    Register.clear_instance_cache()
    assert T.get_task_family() == "moved.Renamed"
    assert T().task_id.startswith("moved.Renamed_1_")
    assert Register.get_task_cls("moved.Renamed") is T
    with pytest.raises(luigi.parameter.UnknownParameterException, match=r"moved.Renamed\[args=\(\), kwargs={'b': 2}\]"):
        T(b=2)


def test_a_subclass_of_the_same_family_is_found_and_an_unrelated_class_is_ambiguous():
    class Twice(luigi.Task):
        pass

    first = Twice

    class Twice(first):
        pass

    assert Register.get_task_cls("Twice") is Twice
    assert "Twice" in Register.task_names()

    class Twice(luigi.Task):
        pass

    with pytest.raises(TaskClassAmbigiousException, match="Task 'Twice' is ambiguous"):
        Register.get_task_cls("Twice")
    assert Register._get_reg()["Twice"] is Register.AMBIGUOUS_CLASS
    assert "Twice" not in [family for family, *_ in Register.get_all_params()]


def test_a_hidden_class_is_not_found():
    class Hidden(luigi.Task):
        _visible_in_registry = False

    assert "Hidden" not in Register.task_names()


def test_an_unknown_family_is_told_with_those_that_it_could_be():
    class Evaluation(luigi.Task):
        pass

    with pytest.raises(TaskClassNotFoundException, match="No task Evalation. Did you mean:\nEvaluation"):
        Register.get_task_cls("Evalation")
    with pytest.raises(
        TaskClassNotFoundException, match="No task qqqqqqqqqqqqqqqqqqqqqqqqqqqq. Candidates are: .*Eval"
    ):
        Register.get_task_cls("q" * 28)


@pytest.mark.parametrize(
    ("one", "other", "distance"), [("kitten", "sitting", 3), ("a", "", 1), ("abc", "abc", 0), ("abc", "acb", 2)]
)
def test_edit_distance(one, other, distance):
    assert Register._editdistance(one, other) == distance


def test_all_parameters_with_their_flags():
    class Settings(luigi.Config):
        use_cmdline_section = False
        size = luigi.IntParameter(default=1)

    found = {(family, name): bare for family, bare, name, _ in Register.get_all_params()}
    assert found["Settings", "size"] is True
    assert found["Loaded", "n"] is False


def test_a_task_is_loaded_by_module_family_and_values():
    assert load_task(__name__, "Loaded", {"n": "3", "other": "y"}) is Loaded(3)
    assert load_task(None, "Loaded", {"n": ["3", "7"], "text": "z"}) is Loaded(7, "z")
    with pytest.raises(ImportError):
        load_task("no.such.module", "Loaded", {})


def test_the_registry_can_be_put_back():
    before = Register._get_reg()

    class Passing(luigi.Task):
        pass

    assert Register.get_task_cls("Passing") is Passing
    Register._set_reg(before)
    with pytest.raises(TaskClassNotFoundException):
        Register.get_task_cls("Passing")
