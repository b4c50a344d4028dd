"""Parameters: what each class reads, writes and rounds, where values come from, and what is warned about."""

import datetime
import enum
import json
import operator
import pathlib
import pickle
import warnings

import jsonschema
import pytest

import luigi
import luigi.parameter
from luigi.date_interval import Month, Year
from luigi.freezing import FrozenOrderedDict
from luigi.parameter import ParameterVisibility
from luigi.task_register import Register

DATA = json.loads((pathlib.Path(__file__).parent / "data" / "task_ids.json").read_text())


class Color(enum.Enum):
    a = 1
    b = 2


PARAMETERS = {
    "luigi.DateParameter(interval=7)": lambda: luigi.DateParameter(interval=7),
    "luigi.MonthParameter(interval=3)": lambda: luigi.MonthParameter(interval=3),
    "luigi.DateMinuteParameter(interval=15)": lambda: luigi.DateMinuteParameter(interval=15),
    "luigi.EnumParameter": lambda: luigi.EnumParameter(enum=Color),
    "luigi.EnumListParameter": lambda: luigi.EnumListParameter(enum=Color),
    "luigi.ChoiceParameter(var_type=int)": lambda: luigi.ChoiceParameter(choices=[1, 2], var_type=int),
    "luigi.ChoiceListParameter": lambda: luigi.ChoiceListParameter(choices=["x", "y"]),
    "luigi.NumericalParameter": lambda: luigi.NumericalParameter(var_type=int, min_value=0, max_value=10),
}


def parameter_of(name):
    if name in PARAMETERS:
        return PARAMETERS[name]()
    return getattr(luigi, name.removeprefix("luigi."))()


@pytest.mark.parametrize("vector", [vector for vector in DATA if "param" in vector], ids=lambda v: v["task_id"])
def test_a_value_read_back_gives_the_id_and_text_that_luigi_gave(vector):
    class P(luigi.Task):
        pass

    class T(luigi.Task):
        p = parameter_of(vector["param"])

    task = T.from_str_params(vector["params"])
    assert task.to_str_params() == vector["params"]
    assert task.task_id == vector["task_id"]
    assert repr(task) == vector["repr"]


@pytest.mark.parametrize(
    ("param", "text", "value"),
    [
        (luigi.Parameter(), "x", "x"),
        (luigi.StrParameter(), "x", "x"),
        (luigi.IntParameter(), " 1_000 ", 1000),
        (luigi.FloatParameter(), "1e5", 100000.0),
        (luigi.BoolParameter(), "TRUE", True),
        (luigi.BoolParameter(), "false", False),
        (luigi.DateParameter(), "2013-07-10", datetime.date(2013, 7, 10)),
        (luigi.DateParameter(), "2013-7-1", datetime.date(2013, 7, 1)),
        (luigi.MonthParameter(), "2013-07", datetime.date(2013, 7, 1)),
        (luigi.YearParameter(), "2013", datetime.date(2013, 1, 1)),
        (luigi.DateHourParameter(), "2013-07-10T19", datetime.datetime(2013, 7, 10, 19)),
        (luigi.DateMinuteParameter(), "2013-07-10T1907", datetime.datetime(2013, 7, 10, 19, 7)),
        (luigi.DateSecondParameter(), "2013-07-10T190738", datetime.datetime(2013, 7, 10, 19, 7, 38)),
        (luigi.DateIntervalParameter(), "2013-07", Month(2013, 7)),
        (luigi.TimeDeltaParameter(), "12.5", datetime.timedelta(seconds=12.5)),
        (luigi.TimeDeltaParameter(), "P2W", datetime.timedelta(weeks=2)),
        (luigi.TimeDeltaParameter(), "P1DT2H3M4S", datetime.timedelta(1, 7384)),
        (luigi.TimeDeltaParameter(), "1 week 2 d 3hours 4 minute 5s", datetime.timedelta(9, 11045)),
        (luigi.TimeDeltaParameter(), "0 d", datetime.timedelta(0)),
        (luigi.EnumParameter(enum=Color), "b", Color.b),
        (luigi.EnumListParameter(enum=Color), "b,a,b", (Color.b, Color.a, Color.b)),
        (luigi.EnumListParameter(enum=Color), "", ()),
        (luigi.DictParameter(), '{"b": [1], "a": {}}', {"b": [1], "a": {}}),
        (luigi.ListParameter(), "[1, [2]]", [1, [2]]),
        (luigi.ListParameter(), "null", None),
        (luigi.TupleParameter(), "[[1, 2], [3]]", ((1, 2), (3,))),
        (luigi.TupleParameter(), "((1, 2), (3,))", ((1, 2), (3,))),
        (luigi.TupleParameter(), '["abc", "d"]', ("abc", "d")),
        (luigi.TupleParameter(), "[1, 2]", (1, 2)),
        (luigi.NumericalParameter(var_type=int, min_value=-3, max_value=7), "-3", -3),
        (luigi.ChoiceParameter(choices=[1, 2], var_type=int), "2", 2),
        (luigi.ChoiceListParameter(choices=["x", "y"]), "y,x,y", ("y", "x", "y")),
        (luigi.ChoiceListParameter(choices=["x"]), "", ()),
        (luigi.OptionalParameter(), "", None),
        (luigi.OptionalIntParameter(), "", None),
        (luigi.OptionalIntParameter(), "3", 3),
        (luigi.OptionalFloatParameter(), "3", 3.0),
        (luigi.OptionalBoolParameter(), "true", True),
        (luigi.OptionalListParameter(), "[1]", [1]),
        (luigi.OptionalTupleParameter(), "(1,)", (1,)),
        (luigi.OptionalDictParameter(), '{"a": 1}', {"a": 1}),
        (luigi.OptionalChoiceParameter(choices=["x"]), "x", "x"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_parse(param, text, value):
    assert param.parse(text) == value
    assert type(param.parse(text)) is type(value) or isinstance(param, luigi.DictParameter)


@pytest.mark.parametrize(
    ("param", "text", "error", "message"),
    [
        (luigi.IntParameter(), "x", ValueError, "invalid literal"),
        (luigi.BoolParameter(), "yes", ValueError, "cannot interpret 'yes' as boolean"),
        (luigi.DateParameter(), "2013-02-30", ValueError, "does not match format|day is out of range|day.* must be"),
        (luigi.DateParameter(), "20130210", ValueError, "time data '20130210' does not match format '%Y-%m-%d'"),
        (luigi.DateHourParameter(), "2013-02-10T24", ValueError, "unconverted data remains: 4"),
        (luigi.DateIntervalParameter(), "x", ValueError, "Invalid date interval - could not be parsed"),
        (luigi.DateIntervalParameter(), "2013-W54", ValueError, "Invalid week"),
        (luigi.TimeDeltaParameter(), "P6M", luigi.parameter.ParameterException, "could not parse P6M"),
        (luigi.TimeDeltaParameter(), "PT0S", luigi.parameter.ParameterException, "could not parse PT0S"),
        (luigi.TimeDeltaParameter(), "soon", luigi.parameter.ParameterException, "Invalid time delta - could not"),
        (luigi.EnumParameter(enum=Color), "c", ValueError, "Invalid enum value - could not be parsed"),
        (luigi.EnumListParameter(enum=Color), "a,c", ValueError, 'Invalid enum value "c" index 1 - could not'),
        (luigi.TupleParameter(), "('a')", ValueError, "Parsed result cannot be a string"),
        (
            luigi.NumericalParameter(var_type=int, min_value=-3, max_value=7),
            "7",
            ValueError,
            r"7 is not in the set of int in \[-3, 7\)",
        ),
        (luigi.ChoiceParameter(choices=["x"]), "y", ValueError, "y is not a valid choice from {'x'}"),
        (luigi.ChoiceListParameter(choices=["x"]), "x,y", ValueError, "y is not a valid choice"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_parse_refuses(param, text, error, message):
    with pytest.raises(error, match=message):
        param.parse(text)


@pytest.mark.parametrize(
    ("param", "given", "value"),
    [
        (luigi.DateParameter(), datetime.datetime(2013, 7, 10, 5), datetime.date(2013, 7, 10)),
        (luigi.DateParameter(interval=3), datetime.date(1970, 1, 6), datetime.date(1970, 1, 4)),
        (luigi.DateParameter(interval=3), datetime.date(1969, 12, 31), datetime.date(1969, 12, 29)),
        (luigi.DateParameter(), None, None),
        (luigi.MonthParameter(), datetime.date(2013, 7, 10), datetime.date(2013, 7, 1)),
        (luigi.MonthParameter(), Month(2013, 7), datetime.date(2013, 7, 1)),
        (
            luigi.MonthParameter(interval=5, start=datetime.date(2010, 11, 9)),
            datetime.date(2011, 9, 3),
            datetime.date(2011, 9, 1),
        ),
        (
            luigi.MonthParameter(interval=5, start=datetime.date(2010, 11, 9)),
            datetime.date(2011, 8, 3),
            datetime.date(2011, 4, 1),
        ),
        (luigi.YearParameter(interval=3), datetime.date(1972, 5, 5), datetime.date(1970, 1, 1)),
        (luigi.YearParameter(), Year(2013), datetime.date(2013, 1, 1)),
        (luigi.DateHourParameter(), datetime.date(2013, 7, 10), datetime.datetime(2013, 7, 10)),
        (
            luigi.DateMinuteParameter(interval=15, start=datetime.datetime(2000, 1, 1, 0, 7)),
            datetime.datetime(2013, 7, 10, 19, 21, 59, 5),
            datetime.datetime(2013, 7, 10, 19, 7),
        ),
        (
            luigi.DateSecondParameter(),
            datetime.datetime(1969, 1, 1, 1, 1, 1, 9),
            datetime.datetime(1969, 1, 1, 1, 1, 1),
        ),
        (luigi.BoolParameter(), "nonsense", None),
        (luigi.BoolParameter(), "True", True),
        (luigi.ListParameter(), [1, {"a": [2]}], (1, FrozenOrderedDict(a=(2,)))),
        (luigi.PathParameter(), "/tmp//a/../b", pathlib.Path("/tmp/a/../b")),
        (luigi.OptionalPathParameter(), None, None),
        (luigi.OptionalPathParameter(), "x", pathlib.Path("x")),
        (luigi.ChoiceListParameter(choices=["x", "y"]), ["y"], ("y",)),
    ],
)
def test_normalize(param, given, value):
    assert param.normalize(given) == value


def test_an_absolute_path_and_one_that_must_exist(folder_of_its_own):
    assert luigi.PathParameter(absolute=True).normalize("x") == folder_of_its_own / "x"
    (folder_of_its_own / "there").write_text("")
    assert luigi.PathParameter(exists=True).normalize("there") == pathlib.Path("there")
    with pytest.raises(ValueError, match="The path missing does not exist."):
        luigi.PathParameter(exists=True).normalize("missing")


@pytest.mark.parametrize(
    ("param", "value", "following"),
    [
        (luigi.Parameter(), "a", None),
        (luigi.IntParameter(), 3, 4),
        (luigi.OptionalIntParameter(), 3, None),
        (luigi.DateParameter(interval=2), datetime.date(2013, 12, 31), datetime.date(2014, 1, 2)),
        (luigi.MonthParameter(interval=2), datetime.date(2013, 11, 1), datetime.date(2014, 1, 1)),
        (luigi.YearParameter(), datetime.date(2013, 1, 1), datetime.date(2014, 1, 1)),
        (luigi.DateHourParameter(), datetime.datetime(2013, 12, 31, 23), datetime.datetime(2014, 1, 1)),
        (luigi.DateSecondParameter(interval=5), datetime.datetime(2014, 1, 1), datetime.datetime(2014, 1, 1, 0, 0, 5)),
    ],
)
def test_next_in_enumeration(param, value, following):
    assert param.next_in_enumeration(value) == following


def test_an_old_minute_is_read_with_a_warning():
    with pytest.warns(DeprecationWarning, match='Using "H" between hours and minutes is deprecated'):
        assert luigi.DateMinuteParameter().parse("2013-07-10T19H07") == datetime.datetime(2013, 7, 10, 19, 7)


def test_a_date_format_of_ones_own_is_read_as_strptime_reads_it():
    class Slashed(luigi.DateParameter):
        date_format = "%d.%m.%Y"

    class Dotted(luigi.DateParameter):
        date_format = "%Y.%m.%d"

    assert Slashed().parse("10.07.2013") == datetime.date(2013, 7, 10)
    assert Dotted().parse("2013.07.10") == datetime.date(2013, 7, 10)
    with pytest.raises(ValueError, match="does not match format"):
        Dotted().parse("2013x07x10")


def test_the_order_of_a_dict_is_kept_and_part_of_the_id():
    class T(luigi.Task):
        p = luigi.DictParameter()

    one = T({"b": 1, "a": 2})
    # Equal values are one task while the first one is remembered, whatever the order of their keys.
    assert T({"a": 2, "b": 1}) is one
    Register.clear_instance_cache()
    other = T({"a": 2, "b": 1})
    assert one.p == other.p
    assert one.task_id != other.task_id
    assert one.to_str_params() == {"p": '{"b": 1, "a": 2}'}


def test_a_schema_and_a_validator_check_the_value():
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    for param in (luigi.DictParameter(schema=schema), luigi.DictParameter(schema=jsonschema.Draft7Validator(schema))):
        assert param.normalize({"a": "x"}) == {"a": "x"}
        with pytest.raises(jsonschema.ValidationError):
            param.normalize({"a": 1})
    numbers = luigi.ListParameter(schema={"type": "array", "items": {"type": "number"}})
    assert numbers.normalize([1, 2]) == (1, 2)
    with pytest.raises(jsonschema.ValidationError):
        numbers.normalize(["x"])


def test_a_schema_without_its_package_is_left_out_with_a_warning(monkeypatch):
    monkeypatch.setattr(luigi.parameter, "_JSONSCHEMA_ENABLED", False)
    with pytest.warns(UserWarning, match="The 'jsonschema' package is not installed so the parameter can not be val"):
        param = luigi.ListParameter(schema={"type": "object"})
    assert param.normalize([1]) == (1,)


def test_a_bool_on_the_command_line():
    assert luigi.BoolParameter()._parser_kwargs("a", "T") == {"action": "store_true", "dest": "T_a"}
    explicit = luigi.BoolParameter(parsing=luigi.BoolParameter.EXPLICIT_PARSING)
    assert explicit._parser_kwargs("a") == {"action": "store", "dest": "a", "nargs": "?", "const": True}
    with pytest.raises(ValueError, match="unknown parsing value 'other'"):
        luigi.BoolParameter(parsing="other")._parser_kwargs("a")


def test_the_class_wide_parsing_of_bools_counts_for_later_parameters(monkeypatch):
    before = luigi.BoolParameter()
    monkeypatch.setattr(luigi.BoolParameter, "parsing", luigi.BoolParameter.EXPLICIT_PARSING)
    assert (before.parsing, luigi.BoolParameter().parsing) == ("implicit", "explicit")


def test_descriptions_name_ranges_and_choices():
    numerical = luigi.NumericalParameter(
        var_type=float, min_value=0.5, max_value=2, left_op=operator.lt, right_op=operator.le, description="Size;"
    )
    assert numerical.description == "Size; permitted values: float in (0.5, 2]"
    assert luigi.ChoiceParameter(choices=["x"]).description == "Choices: {x}"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: luigi.Parameter(config_path={"section": "s"}), "config_path must be a hash containing entries for"),
        (lambda: luigi.EnumParameter(), "An enum class must be specified."),
        (lambda: luigi.EnumListParameter(), "An enum class must be specified."),
        (lambda: luigi.NumericalParameter(min_value=1, max_value=2), "var_type must be specified"),
        (lambda: luigi.NumericalParameter(var_type=int, max_value=2), "min_value must be specified"),
        (lambda: luigi.NumericalParameter(var_type=int, min_value=2), "max_value must be specified"),
        (lambda: luigi.ChoiceParameter(), "A choices iterable must be specified"),
    ],
)
def test_what_must_be_given(make, message):
    with pytest.raises(luigi.parameter.ParameterException, match=message):
        make()


def test_choices_are_of_one_type():
    with pytest.raises(AssertionError, match="Invalid type in choices"):
        luigi.ChoiceParameter(choices=[1, "x"], var_type=int)


def test_a_string_parameter_warns_about_other_values():
    class T(luigi.Task):
        p = luigi.Parameter()

    with pytest.warns(UserWarning, match='Parameter "p" with value "5" is not of type string.'):
        T(5)


@pytest.mark.parametrize(
    ("param", "value", "message"),
    [
        (luigi.OptionalParameter(), 5, 'OptionalParameter "p" with value "5" is not of type "str" or None.'),
        (luigi.OptionalIntParameter(), "x", 'OptionalIntParameter "p" with value "x" is not of type "int" or None.'),
        (luigi.OptionalPathParameter(), 5, 'any type in ["str", "Path"] or None.'),
        (luigi.OptionalChoiceParameter(choices=[1], var_type=int), "1", 'of type "int" or None.'),
    ],
)
def test_an_optional_parameter_warns_about_values_of_other_types(param, value, message):
    with pytest.warns(luigi.parameter.OptionalParameterTypeWarning) as caught:
        param._warn_on_wrong_param_type("p", value)
    assert message in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        param._warn_on_wrong_param_type("p", None)


def test_optional_parameters_are_none_by_default_and_write_an_empty_string():
    class T(luigi.Task):
        p = luigi.OptionalIntParameter()

    assert T().p is None
    assert T().to_str_params() == {"p": ""}
    assert T.from_str_params({"p": ""}) is T()


def test_a_value_comes_from_the_configuration_before_the_default(configure):
    configure({"T": {"p": "7"}, "Other": {"q": "8"}})

    class T(luigi.Task):
        p = luigi.IntParameter(default=1)
        q = luigi.IntParameter(default=2, config_path={"section": "Other", "name": "q"})
        r = luigi.IntParameter(default=3)

    with pytest.warns(DeprecationWarning, match=r"The use of the configuration \[Other\] q is deprecated. Please use"):
        task = T()
    assert (task.p, task.q, task.r) == (7, 8, 3)
    assert T(p=5, q=6).p == 5


def test_a_dashed_name_in_the_configuration_is_taken_with_a_warning(configure):
    configure({"T": {"some-name": "7"}})

    class T(luigi.Task):
        some_name = luigi.IntParameter()

    with pytest.warns(DeprecationWarning, match=r"Configuration \[T\] some-name \(with dashes\) should be avoided"):
        assert T().some_name == 7


def test_a_default_that_does_not_parse_is_told_with_its_task(configure):
    configure({"T": {"p": "x"}})

    class T(luigi.Task):
        p = luigi.IntParameter()

    with pytest.raises(ValueError, match=r"T\[args=\(\), kwargs={}\]: Error when parsing the default value of 'p'"):
        T()


def test_overridden_lookups_are_used():
    class FromElsewhere(luigi.IntParameter):
        def _get_value_from_config(self, section, name):
            return 40

    class Late(luigi.IntParameter):
        def has_task_value(self, task_name, param_name):
            return True

        def task_value(self, task_name, param_name):
            return f"{task_name}.{param_name}"

    class T(luigi.Task):
        a = FromElsewhere(default=1)
        b = Late()

    assert (T().a, T().b) == (40, "T.b")


def test_batch_methods():
    param = luigi.IntParameter(batch_method=max)
    assert param._parse_list(["3", "12", "5"]) == 12
    with pytest.raises(ValueError, match="Empty parameter list passed to parse_list"):
        param._parse_list([])
    with pytest.raises(NotImplementedError, match="No batch method found"):
        luigi.IntParameter()._parse_list(["1"])


def test_is_global_counts_as_not_positional():
    with pytest.warns(DeprecationWarning, match="is_global support is removed. Assuming positional=False"):
        assert luigi.Parameter(is_global=True).positional is False


def test_a_visibility_that_is_none_is_public():
    assert luigi.Parameter(visibility=17).visibility is ParameterVisibility.PUBLIC
    assert ParameterVisibility.PRIVATE.serialize() == 2
    assert not ParameterVisibility.has_value(3)


def test_there_is_one_object_for_no_value():
    no_value = luigi.parameter._no_value
    assert luigi.parameter._NoValueType() is no_value
    assert pickle.loads(pickle.dumps(no_value)) is no_value
    assert repr(no_value) == "<no_value>"
    assert not luigi.Parameter().has_task_value("T", "p")
    with pytest.raises(luigi.parameter.MissingParameterException, match="No default specified"):
        luigi.Parameter().task_value("T", "p")


def test_the_classes_belong_to_the_module_that_users_import():
    for name in luigi.__all__:
        value = getattr(luigi, name)
        if isinstance(value, type) and issubclass(value, luigi.Parameter):
            assert value.__module__ == "luigi.parameter"
            assert pickle.loads(pickle.dumps(value)) is value


def test_a_parameter_class_can_name_its_value_type():
    class Hexadecimal(luigi.Parameter[int]):
        def parse(self, x):
            return int(x, 16)

        def serialize(self, x):
            return f"{x:x}"

    class T(luigi.Task):
        p = Hexadecimal()

    assert T.from_str_params({"p": "ff"}).p == 255
    assert T(255).to_str_params() == {"p": "ff"}
