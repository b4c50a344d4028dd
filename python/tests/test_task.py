"""Tasks: parameters and their values, identity, cloning, completeness, structures of tasks, and events."""

import copy
import datetime
import hashlib
import json
import logging
import pickle
import re
import warnings
from types import MappingProxyType

import pytest

import luigi
import luigi.task
from luigi.event import Event
from luigi.interface import core
from luigi.notifications import email, smtp
from luigi.parameter import (
    DuplicateParameterException,
    MissingParameterException,
    ParameterVisibility,
    UnconsumedParameterWarning,
    UnknownParameterException,
)
from luigi.task import MixinNaiveBulkComplete, externalize, flatten, flatten_output, getpaths, task_id_str


class Place:
    """A target in memory."""

    def __init__(self, name, there=True):
        self.name = name
        self.there = there

    def exists(self):
        return self.there


class Mixed(luigi.Task):
    public = luigi.Parameter()
    hidden = luigi.Parameter(visibility=ParameterVisibility.HIDDEN, default="h")
    private = luigi.Parameter(visibility=ParameterVisibility.PRIVATE, default="p")
    aside = luigi.Parameter(significant=False, default="a")
    named = luigi.IntParameter(positional=False, default=1)


@pytest.mark.parametrize(
    ("family", "values", "task_id"),
    [
        ("MyTask", {}, "MyTask__99914b932b"),
        ("ns.MyTask", {"a": "1", "b": "2", "c": "3", "d": "4"}, "ns.MyTask_1_2_3_74a9631156"),
        ("T", {"z": "é", "y": "a b/c", "x": "x" * 30}, "T_xxxxxxxxxxxxxxxx_a_b_c___4194106984"),
        ("T", {"B": "1", "a": "2", "_c": "3"}, "T_1_3_2_2f337bf8c2"),
    ],
)
def test_task_id_str(family, values, task_id):
    assert task_id_str(family, values) == task_id


def test_the_lengths_in_an_id_can_be_set(monkeypatch):
    monkeypatch.setattr(luigi.task, "TASK_ID_INCLUDE_PARAMS", 1)
    monkeypatch.setattr(luigi.task, "TASK_ID_TRUNCATE_PARAMS", 2)
    monkeypatch.setattr(luigi.task, "TASK_ID_TRUNCATE_HASH", 4)
    assert task_id_str("T", {"b": "1", "a": "xyz"}) == "T_xy_0f94"


class Loud(str):
    """A text that is another one where it is cut."""

    def __getitem__(self, part):
        return super().__getitem__(part).upper()


@pytest.mark.parametrize(
    "values",
    [
        {"all": "".join(map(chr, range(0x300))), "far": "\U0001f600\uffff\u2028"},
        {"half": "\ud83d", "other half": "\udc00x"},
        {"\uffff": "before", "\U00010000": "after", '"': "first"},
        {"loud": Loud("a name that is cut somewhere"), "plain": "b"},
        MappingProxyType({"b": "2", "a": "1"}),
    ],
)
def test_an_id_is_made_of_what_json_shows(values):
    shown = json.dumps(dict(values), separators=(",", ":"), sort_keys=True)
    digest = hashlib.md5(shown.encode("ascii")).hexdigest()[:10]
    beginnings = re.sub("[^A-Za-z0-9_]", "_", "_".join(values[name][:16] for name in sorted(values)))
    assert task_id_str("T", values) == f"T_{beginnings}_{digest}"


def test_the_characters_of_an_id_can_be_set(monkeypatch):
    monkeypatch.setattr(luigi.task, "TASK_ID_INVALID_CHAR_REGEX", re.compile("[^a-z-]"))
    assert task_id_str("T", {"a": "x-Y"}).startswith("T_x-__")


def test_an_id_function_in_its_place_is_used(monkeypatch):
    monkeypatch.setattr(luigi.task, "task_id_str", lambda family, values: f"{family}-{sorted(values)}")
    assert Mixed("x").task_id == "Mixed-['named', 'public']"


def test_visibility_and_significance():
    task = Mixed("A", "H", "P")
    assert task.task_id == task_id_str("Mixed", {"public": "A", "named": "1"})
    assert task.to_str_params() == {"public": "A", "hidden": "H", "aside": "a", "named": "1"}
    assert task.to_str_params(only_significant=True) == {"public": "A", "hidden": "H", "named": "1"}
    assert task.to_str_params(only_public=True) == {"public": "A", "aside": "a", "named": "1"}
    assert task._get_param_visibilities() == {"public": 0, "hidden": 1, "aside": 0, "named": 0}
    assert repr(task) == str(task) == "Mixed(public=A, hidden=H, private=P, named=1)"
    assert Mixed("A", "other") == task


def test_parameters_in_the_order_in_which_they_were_made():
    class Base(luigi.Task):
        z = luigi.Parameter(default="")

    class T(Base):
        b = luigi.Parameter(default="")
        a = luigi.Parameter(default="", batch_method=max)

    assert [name for name, _ in T.get_params()] == ["z", "b", "a"]
    assert T.batch_param_names() == ["a"]
    assert (T().batchable, Base().batchable) == (True, False)
    assert Mixed.get_param_names() == ["public", "hidden", "private", "named"]
    assert Mixed.get_param_names(include_significant=True) == ["public", "hidden", "private", "aside", "named"]


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "message"),
    [
        (("a", "b", "c", "d", 5), {}, UnknownParameterException, "takes at most 4 parameters .5 given"),
        (
            ("a",),
            {"public": "b"},
            DuplicateParameterException,
            "parameter public was already set as a positional param",
        ),
        (("a",), {"other": "b"}, UnknownParameterException, "unknown parameter other"),
        ((), {"named": 3}, MissingParameterException, "requires the 'public' parameter to be set"),
    ],
)
def test_calls_that_do_not_fit(args, kwargs, error, message):
    with pytest.raises(error, match=message) as caught:
        Mixed(*args, **kwargs)
    assert str(caught.value).startswith(f"Mixed[args={args}, kwargs={kwargs}]: ")


def test_values_on_the_task():
    task = Mixed("x", named=2)
    assert (task.public, task.named) == ("x", 2)
    assert task.param_kwargs == {"public": "x", "hidden": "h", "private": "p", "aside": "a", "named": 2}
    with pytest.warns(DeprecationWarning, match="Use of param_args has been deprecated."):
        assert task.param_args == ("x", "h", "p", "a", 2)
    assert Mixed.public is dict(Mixed.get_params())["public"]
    task.public = "y"
    assert task.public == "y"


def test_lists_and_sets_become_tuples():
    class Raw(luigi.Parameter[object]):
        pass

    class T(luigi.Task):
        p = Raw()

    assert T([1, 2]).p == (1, 2)
    assert T({3}).p == (3,)


def test_a_parameter_put_on_a_class_later_counts():
    class T(luigi.Task):
        a = luigi.IntParameter(default=1)

    class Sub(T):
        pass

    assert Sub().param_kwargs == {"a": 1}
    T.b = luigi.IntParameter(default=2)
    assert Sub().param_kwargs == {"a": 1, "b": 2}
    assert Sub(b=3).b == 3
    T.a = luigi.IntParameter(default=5)
    assert Sub().param_kwargs == {"b": 2, "a": 5}
    del T.b
    assert Sub().param_kwargs == {"a": 5}
    Sub.a = None
    assert Sub().param_kwargs == {}
    assert T().param_kwargs == {"a": 5}


def test_a_parameter_put_on_a_mixin_later_counts():
    class Mixin:
        a = luigi.IntParameter(default=1)

    class T(Mixin, luigi.Task):
        pass

    assert T().param_kwargs == {"a": 1}
    later = luigi.IntParameter(default=2)
    later.__set_name__(Mixin, "b")
    Mixin.b = later
    assert T().param_kwargs == {"a": 1, "b": 2}
    del Mixin.b
    assert T().param_kwargs == {"a": 1}
    replaced = luigi.IntParameter(default=7)
    replaced.__set_name__(Mixin, "a")
    Mixin.a = replaced
    assert T().param_kwargs == {"a": 7}


def test_parameters_are_known_while_a_class_is_made():
    seen = {}

    class Base(luigi.Task):
        a = luigi.IntParameter(default=1)

        def __init_subclass__(cls, **kwargs):
            super().__init_subclass__(**kwargs)
            seen[cls.__name__] = [name for name, _ in cls.get_params()]
            cls.added = luigi.IntParameter(default=3)

    assert Base().param_kwargs == {"a": 1}

    class Sub(Base):
        b = luigi.IntParameter(default=2)

    assert seen == {"Sub": ["a", "b"]}
    assert Sub().param_kwargs == {"a": 1, "b": 2, "added": 3}


def test_a_descriptor_that_answers_with_a_parameter_counts():
    class Shared:
        def __init__(self):
            self.param = luigi.IntParameter(default=4)

        def __set_name__(self, owner, name):
            self.param.__set_name__(owner, name)

        def __get__(self, instance, owner):
            return self.param.__get__(instance, owner)

        def __set__(self, instance, value):
            self.param.__set__(instance, value)

    class T(luigi.Task):
        a = Shared()

    assert T(5).a == 5
    assert T().task_id == task_id_str("T", {"a": "4"})


def test_a_parameter_that_changes_counts():
    class T(luigi.Task):
        a = luigi.IntParameter(default=1)
        b = luigi.IntParameter(default=2)

    before = T().task_id
    T.b.significant = False
    T.b._default = 5
    assert T().b == 5
    assert T().task_id != before
    assert T.get_param_names() == ["a"]


def test_overridden_get_params_and_get_param_values_are_used():
    class Fewer(luigi.Task):
        a = luigi.IntParameter(default=1)
        b = luigi.IntParameter(default=2)

        @classmethod
        def get_params(cls):
            return [pair for pair in super().get_params() if pair[0] != "b"]

    class Doubled(luigi.Task):
        a = luigi.IntParameter()

        @classmethod
        def get_param_values(cls, params, args, kwargs):
            return [(name, value * 2) for name, value in super().get_param_values(params, args, kwargs)]

    assert Fewer().param_kwargs == {"a": 1}
    assert Doubled(3).a == 6
    assert Doubled(3) is Doubled(a=3)


def test_from_str_params_and_back():
    class T(luigi.Task):
        day = luigi.DateParameter()
        n = luigi.IntParameter(default=1, batch_method=sum)

    task = T(datetime.date(2013, 7, 10), 4)
    assert T.from_str_params(task.to_str_params()) is task
    assert T.from_str_params({"day": "2013-07-10", "n": ["1", "3"]}) is task


def test_clone_takes_over_attributes_of_the_same_name():
    class Other(luigi.Task):
        named = luigi.IntParameter()
        extra = luigi.Parameter()
        unset = luigi.Parameter(default="u")

    task = Mixed("x", named=4)
    task.extra = "not a parameter of Mixed"
    assert task.clone() is task
    assert task.clone(named=5) is Mixed("x", named=5)
    assert task.clone(Other).param_kwargs == {"named": 4, "extra": "not a parameter of Mixed", "unset": "u"}


def test_values_that_are_not_used_are_warned_about_once(configure):
    configure({"T": {"a": "1", "un-used": "2", "fine": "3"}})

    class T(luigi.Task):
        a = luigi.IntParameter()
        ignore_unconsumed = {"fine"}

    with pytest.warns(UnconsumedParameterWarning) as caught:
        T()
    texts = [str(warning.message) for warning in caught if warning.category is UnconsumedParameterWarning]
    assert texts == [
        "The configuration contains the parameter 'un_used' with value '2' that is not consumed by the task 'T'."
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnconsumedParameterWarning)
        T(a=5)


@pytest.mark.parametrize(
    "settings, keys",
    [
        (core, ["rpc_token", "rpc_ca_file", "rpc-connect-timeout", "rpc_retry_attempts", "rpc_retry_wait"]),
        (core, ["rpc_log_retries", "autoload_range", "no_configure_logging"]),
        (email, ["retry_for", "max_queue"]),
        (smtp, ["verify", "ca_file"]),
    ],
)
def test_keys_that_somebody_else_reads_are_not_warned_about(configure, settings, keys):
    configure({settings.task_family: dict.fromkeys(keys, "secret")})
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnconsumedParameterWarning)
        settings()


def test_a_task_that_forgot_its_constructor_is_not_initialized():
    class T(luigi.Task):
        def __init__(self):
            pass

    assert not T().initialized()
    assert Mixed("x").initialized()


def test_tasks_can_be_pickled_and_copied():
    task = Mixed("x")
    again = pickle.loads(pickle.dumps(task))
    assert again == task
    assert hash(again) == hash(task)
    assert again.public == "x"
    assert copy.copy(task).param_kwargs == task.param_kwargs


def test_complete_asks_all_outputs():
    class T(luigi.Task):
        there = luigi.BoolParameter()

        def output(self):
            return {"a": [Place("1"), Place("2", self.there)]}

    assert T(True).complete()
    assert not T(False).complete()


def test_a_task_without_outputs_is_never_complete():
    with pytest.warns(UserWarning, match=r"Task Mixed\(.*\) without outputs has no custom complete\(\) method"):
        assert Mixed("x").complete() is False


def test_requires_deps_and_input():
    class Leaf(luigi.ExternalTask):
        n = luigi.IntParameter()

        def output(self):
            return Place(f"leaf {self.n}")

    class T(luigi.Task):
        def requires(self):
            return {"one": Leaf(1), "two": [Leaf(2), Leaf(3)]}

        def _requires(self):
            return [*super()._requires(), Leaf(4)]

    assert T().deps() == [Leaf(1), Leaf(2), Leaf(3), Leaf(4)]
    paths = T().input()
    assert paths["one"].name == "leaf 1"
    assert [place.name for place in paths["two"]] == ["leaf 2", "leaf 3"]
    assert Leaf(1).run is None


def test_wrapper_tasks_are_complete_when_what_they_require_is():
    class Leaf(luigi.ExternalTask):
        there = luigi.BoolParameter()

        def output(self):
            return Place("leaf", self.there)

    class Wrapper(luigi.WrapperTask):
        there = luigi.BoolParameter()

        def requires(self):
            return [Leaf(True), Leaf(self.there)]

    assert Wrapper(True).complete()
    assert not Wrapper(False).complete()
    assert [place.name for place in flatten_output(Wrapper(True))] == ["leaf"]


def test_flatten():
    assert flatten(None) == []
    assert flatten("text") == ["text"]
    assert flatten(42) == [42]
    assert flatten({"a": "x", "b": ["y", ("z", None)]}) == ["x", "y", "z"]
    assert flatten(n for n in (1, [2])) == [1, 2]
    task = Mixed("x")
    assert flatten([task, {"k": (task,)}]) == [task, task]


def test_getpaths_keeps_the_structure():
    class T(luigi.Task):
        def output(self):
            return "out"

    assert getpaths({"a": T(), "b": (T(), [T()])}) == {"a": "out", "b": ("out", ["out"])}
    assert getpaths(task for task in [T()]) == ["out"]
    with pytest.raises(Exception, match="Cannot map 5 to Task/dict/list"):
        getpaths([5])


def test_dynamic_requirements():
    class Leaf(luigi.ExternalTask):
        there = luigi.BoolParameter()

        def output(self):
            return Place("leaf", self.there)

    both = luigi.DynamicRequirements({"a": Leaf(True), "b": Leaf(False)})
    assert both.flat_requirements == [Leaf(True), Leaf(False)]
    assert sorted(both.paths) == ["a", "b"]
    assert not both.complete()
    assert both.complete(lambda task: True)
    at_once = luigi.DynamicRequirements([Leaf(False)], custom_complete=lambda complete: not complete(Leaf(False)))
    assert at_once.complete()


def test_externalize_leaves_the_original_alone():
    class T(luigi.Task):
        a = luigi.IntParameter(default=1)

    external = externalize(T)
    assert external.run is None
    assert T.run is not None
    assert (external.__name__, external.get_task_family()) == ("T", "T")
    assert luigi.task.Register.get_task_cls("T") is T
    task = T(3)
    assert externalize(task).run is None
    assert task.run is not None
    assert externalize(task).a == 3


def test_naive_bulk_complete_takes_tuples_dicts_and_single_values():
    class T(MixinNaiveBulkComplete, luigi.Task):
        n = luigi.IntParameter()

        def complete(self):
            return self.n % 2 == 0

    assert T.bulk_complete([1, 2, (3,), [4], {"n": 5}, {"n": 6}]) == [2, [4], {"n": 6}]
    with pytest.raises(luigi.task.BulkCompleteNotImplementedError):
        Mixed.bulk_complete(["x"])


def test_owner_email_as_a_list():
    class T(luigi.Task):
        owner_email = "a@x,b@x"

    class Several(luigi.Task):
        owner_email = ["c@x"]

    assert (T()._owner_list(), Several()._owner_list(), Mixed("x")._owner_list()) == (["a@x", "b@x"], ["c@x"], [])


def test_defaults_of_a_task():
    task = Mixed("x")
    assert (task.priority, task.disabled, task.resources, task.worker_timeout) == (0, False, {}, None)
    assert (task.retry_count, task.disable_window, task.disable_hard_timeout) == (None, None, None)
    assert task.max_batch_size == float("inf")
    assert (task.accepts_messages, task.use_cmdline_section, task.process_resources()) == (False, True, {})
    assert task.task_module == __name__
    with pytest.warns(
        DeprecationWarning, match="Use of `disable_window_seconds` has been deprecated, use `disable_win"
    ):
        assert task.disable_window_seconds is None
    assert (task.run(), task.on_success(), task.requires(), task.output()) == (None, None, [], [])


def test_on_failure_is_the_traceback():
    try:
        raise ValueError("broken here")
    except ValueError as error:
        text = Mixed("x").on_failure(error)
    assert text.startswith("Runtime error:\nTraceback")
    assert "ValueError: broken here" in text


def test_what_the_worker_put_on_a_task_is_away_while_it_is_pickled():
    task = Mixed("x")
    task.set_status_message = lambda message: None
    kept = task.set_status_message
    with task.no_unpicklable_properties():
        assert pickle.loads(pickle.dumps(task)) == task
    assert task.set_status_message is kept


def test_events_reach_handlers_of_the_class_and_its_bases(caplog):
    class Base(luigi.Task):
        pass

    class Sub(Base):
        pass

    seen = []

    @Base.event_handler("mine")
    def on_base(task, number):
        seen.append(("base", task, number))

    @Sub.event_handler("mine")
    def broken(task, number):
        raise RuntimeError("in the handler")

    with caplog.at_level(logging.ERROR, logger="luigi-interface"):
        Sub().trigger_event("mine", Sub(), number=3)
    assert seen == [("base", Sub(), 3)]
    assert "Error in event callback for 'mine'" in caplog.text
    Base().trigger_event("other")
    Base.remove_event_handler("mine", on_base)
    Base().trigger_event("mine", Base(), number=4)
    assert len(seen) == 1
    with pytest.raises(KeyError):
        Base.remove_event_handler("mine", on_base)


def test_ctrl_c_in_a_handler_ends_the_handlers():
    class T(luigi.Task):
        pass

    calls = []

    @T.event_handler(Event.START)
    def interrupted(task):
        calls.append(task)
        raise KeyboardInterrupt

    T().trigger_event(Event.START, T())
    assert calls == [T()]
