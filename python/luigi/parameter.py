"""Parameters: the class attributes of a task whose values identify it, and that the command line and files can set.

:class:`Parameter` tells how a task gets its values; the other classes differ in the type of the value and in how it is
written.
"""

# ruff: noqa: F401  (names that other code takes from here)
import abc
import datetime
import json
import operator
import sys
import warnings
from collections.abc import Callable, Iterable
from configparser import NoOptionError, NoSectionError
from enum import Enum, IntEnum
from json import JSONEncoder
from typing import Any, TypedDict

from luigi import configuration, date_interval, task_register
from luigi._parameter.base import (
    DuplicateParameterException,
    MissingParameterException,
    OptionalParameter,
    OptionalParameterMixin,
    OptionalParameterTypeWarning,
    OptionalStrParameter,
    Parameter,
    ParameterException,
    ParameterVisibility,
    StrParameter,
    T,
    UnconsumedParameterWarning,
    UnknownParameterException,
    _no_value,
    _NoValueType,
    _OptT,
)
from luigi._parameter.choice import (
    ChoiceListParameter,
    ChoiceParameter,
    ChoiceType,
    EnumListParameter,
    EnumParameter,
    EnumParameterType,
    NumericalParameter,
    NumericalType,
    OptionalChoiceParameter,
    OptionalNumericalParameter,
)
from luigi._parameter.dates import (
    _UNIX_EPOCH,
    DateHourParameter,
    DateMinuteParameter,
    DateParameter,
    DateSecondParameter,
    MonthParameter,
    YearParameter,
    _DateParameterBase,
    _DatetimeParameterBase,
)
from luigi._parameter.scalar import (
    BoolParameter,
    DateIntervalParameter,
    FloatParameter,
    IntParameter,
    OptionalBoolParameter,
    OptionalFloatParameter,
    OptionalIntParameter,
    OptionalPathParameter,
    PathParameter,
    TaskParameter,
    TaskType,
    TimeDeltaParameter,
)
from luigi._parameter.structured import (
    DictParameter,
    DictT,
    ListParameter,
    ListT,
    OptionalDictParameter,
    OptionalListParameter,
    OptionalTupleParameter,
    TupleParameter,
    _DictParamEncoder,
)
from luigi.cmdline_parser import CmdlineParser
from luigi.freezing import FrozenOrderedDict, recursively_freeze, recursively_unfreeze


class ConfigPath(TypedDict):
    """A parameter's ``config_path``."""

    section: str
    name: str


class _ParameterKwargs(TypedDict, total=False):
    """The options that every parameter class takes by name."""

    is_global: bool
    significant: bool
    description: str | None
    config_path: ConfigPath | None
    positional: bool
    always_in_help: bool
    batch_method: Callable[[Iterable[Any]], Any] | None
    visibility: ParameterVisibility


def __getattr__(name: str) -> Any:
    # Packages that few parameters need are imported when they are looked up.
    if name == "_JSONSCHEMA_ENABLED":
        import importlib.util

        return importlib.util.find_spec("jsonschema") is not None
    if name == "jsonschema" and sys.modules[__name__]._JSONSCHEMA_ENABLED:
        import jsonschema

        return jsonschema
    if name == "Path":
        from pathlib import Path

        return Path
    if name == "literal_eval":
        from ast import literal_eval

        return literal_eval
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# Code that names, pickles or compares the classes knows them as classes of this module.
for _value in list(globals().values()):
    if isinstance(_value, type) and _value.__module__.startswith("luigi._parameter."):
        _value.__module__ = __name__
del _value
