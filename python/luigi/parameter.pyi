"""The parameters' types: ``task.n`` of an ``IntParameter`` is an ``int``, the class's attribute is the parameter.

The classes are defined in ``luigi._parameter``; for a type checker, as at run time, they are those of this module.
"""

import abc
import datetime
import operator as operator
import warnings as warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum, IntEnum
from json import JSONEncoder
from pathlib import Path
from typing import Any, Final, Generic, TypedDict, overload

from typing_extensions import TypeVar, Unpack

import luigi.task
from luigi import date_interval as date_interval
from luigi.freezing import FrozenOrderedDict as FrozenOrderedDict

_JSONSCHEMA_ENABLED: bool
_UNIX_EPOCH: datetime.datetime

class _NoValueType:
    def __new__(cls) -> _NoValueType: ...

_no_value: Final[_NoValueType]

class ParameterVisibility(IntEnum):
    PUBLIC = 0
    HIDDEN = 1
    PRIVATE = 2
    @classmethod
    def has_value(cls, value: Any) -> bool: ...
    def serialize(self) -> int: ...

class ParameterException(Exception): ...
class MissingParameterException(ParameterException): ...
class UnknownParameterException(ParameterException): ...
class DuplicateParameterException(ParameterException): ...
class OptionalParameterTypeWarning(UserWarning): ...
class UnconsumedParameterWarning(UserWarning): ...

class ConfigPath(TypedDict):
    section: str
    name: str

# The options that every class takes, by name.
class _ParameterKwargs(TypedDict, total=False):
    is_global: bool
    significant: bool
    description: str | None
    config_path: ConfigPath | None
    positional: bool
    always_in_help: bool
    batch_method: Callable[[Iterable[Any]], Any] | None
    visibility: ParameterVisibility

T = TypeVar("T", default=str)
_OptT = TypeVar("_OptT")

class Parameter(Generic[T]):
    significant: bool
    positional: bool
    visibility: ParameterVisibility
    description: str | None
    always_in_help: bool
    _default: Any
    _batch_method: Callable[[Iterable[Any]], Any] | None
    _config_path: ConfigPath | None
    _counter: int
    _attribute_name: str | None
    def __init__(
        self,
        default: T | None | _NoValueType = ...,
        is_global: bool = False,
        significant: bool = True,
        description: str | None = None,
        config_path: ConfigPath | None = None,
        positional: bool = True,
        always_in_help: bool = False,
        batch_method: Callable[[Iterable[Any]], Any] | None = None,
        visibility: ParameterVisibility = ...,
    ) -> None: ...
    @overload
    def __get__(self, instance: None, owner: Any = None) -> Parameter[T]: ...
    @overload
    def __get__(self, instance: Any, owner: Any = None) -> T: ...
    def __set_name__(self, owner: Any, name: str) -> None: ...
    def __set__(self, instance: Any, value: T) -> None: ...
    def has_task_value(self, task_name: str, param_name: str) -> bool: ...
    def task_value(self, task_name: str, param_name: str) -> Any: ...
    # Any on purpose: a subclass may read and write what it likes.
    def parse(self, x: Any) -> Any: ...
    def serialize(self, x: Any) -> Any: ...
    def normalize(self, x: Any) -> Any: ...
    def next_in_enumeration(self, value: Any) -> Any: ...
    def _get_value(self, task_name: str, param_name: str) -> Any: ...
    def _get_value_from_config(self, section: str, name: str) -> Any: ...
    def _value_iterator(self, task_name: str, param_name: str) -> Iterator[tuple[Any, str | None]]: ...
    def _parse_or_no_value(self, x: Any) -> Any: ...
    def _parse_list(self, xs: Any) -> Any: ...
    def _is_batchable(self) -> bool: ...
    def _warn_on_wrong_param_type(self, param_name: str, param_value: Any) -> None: ...
    @staticmethod
    def _parser_global_dest(param_name: str, task_name: str) -> str: ...
    @classmethod
    def _parser_kwargs(cls, param_name: str, task_name: str | None = None) -> dict[str, Any]: ...

class OptionalParameterMixin(Generic[_OptT]):
    expected_type: Any
    def __init__(self, default: _OptT | None | _NoValueType = None, **kwargs: Unpack[_ParameterKwargs]) -> None: ...
    @overload
    def __get__(self, instance: None, owner: Any = None) -> Parameter[_OptT | None]: ...
    @overload
    def __get__(self, instance: Any, owner: Any = None) -> _OptT | None: ...
    def __set__(self, instance: Any, value: _OptT | None) -> None: ...
    def serialize(self, x: Any) -> Any: ...
    def parse(self, x: Any) -> Any: ...
    def normalize(self, x: Any) -> Any: ...
    def next_in_enumeration(self, value: Any) -> None: ...
    def _warn_on_wrong_param_type(self, param_name: str, param_value: Any) -> None: ...

class OptionalParameter(OptionalParameterMixin[str], Parameter[str | None]): ...
class OptionalStrParameter(OptionalParameterMixin[str], Parameter[str | None]): ...

class StrParameter(Parameter[str]):
    def parse(self, x: Any) -> Any: ...

class _DateParameterBase(Parameter[datetime.date]):
    interval: int
    start: datetime.date
    def __init__(
        self,
        default: datetime.date | None | _NoValueType = ...,
        interval: int = 1,
        start: datetime.date | None = None,
        **kwargs: Unpack[_ParameterKwargs],
    ) -> None: ...
    @property
    @abc.abstractmethod
    def date_format(self) -> Any: ...
    def parse(self, s: Any) -> Any: ...
    def serialize(self, dt: Any) -> Any: ...

class DateParameter(_DateParameterBase):
    date_format: Any
    def next_in_enumeration(self, value: Any) -> Any: ...
    def normalize(self, x: Any) -> Any: ...

class MonthParameter(DateParameter):
    def _add_months(self, date: datetime.date, months: int) -> datetime.date: ...
    def next_in_enumeration(self, value: Any) -> Any: ...
    def normalize(self, x: Any) -> Any: ...

class YearParameter(DateParameter):
    def next_in_enumeration(self, value: Any) -> Any: ...
    def normalize(self, x: Any) -> Any: ...

class _DatetimeParameterBase(Parameter[datetime.datetime]):
    interval: int
    start: datetime.datetime
    def __init__(
        self,
        default: datetime.datetime | None | _NoValueType = ...,
        interval: int = 1,
        start: datetime.datetime | None = None,
        **kwargs: Unpack[_ParameterKwargs],
    ) -> None: ...
    @property
    @abc.abstractmethod
    def date_format(self) -> Any: ...
    @property
    @abc.abstractmethod
    def _timedelta(self) -> Any: ...
    def parse(self, s: Any) -> Any: ...
    def serialize(self, dt: Any) -> Any: ...
    @staticmethod
    def _convert_to_dt(dt: Any) -> datetime.datetime: ...
    def normalize(self, dt: Any) -> Any: ...
    def next_in_enumeration(self, value: Any) -> Any: ...

class DateHourParameter(_DatetimeParameterBase):
    date_format: Any
    _timedelta: Any

class DateMinuteParameter(_DatetimeParameterBase):
    date_format: Any
    _timedelta: Any
    deprecated_date_format: str
    def parse(self, x: Any) -> Any: ...

class DateSecondParameter(_DatetimeParameterBase):
    date_format: Any
    _timedelta: Any

class IntParameter(Parameter[int]):
    def parse(self, x: Any) -> Any: ...
    def next_in_enumeration(self, value: Any) -> Any: ...

class OptionalIntParameter(OptionalParameterMixin[int], IntParameter): ...  # type: ignore[misc]

class FloatParameter(Parameter[float]):
    def parse(self, x: Any) -> Any: ...

class OptionalFloatParameter(OptionalParameterMixin[float], FloatParameter): ...  # type: ignore[misc]

class BoolParameter(Parameter[bool]):
    IMPLICIT_PARSING: str
    EXPLICIT_PARSING: str
    parsing: str
    def __init__(
        self, default: bool | None | _NoValueType = ..., parsing: str | None = None, **kwargs: Unpack[_ParameterKwargs]
    ) -> None: ...
    def parse(self, x: Any) -> Any: ...
    def normalize(self, x: Any) -> Any: ...
    def _parser_kwargs(self, *args: Any, **kwargs: Any) -> dict[str, Any]: ...  # type: ignore[override]

class OptionalBoolParameter(OptionalParameterMixin[bool], BoolParameter): ...  # type: ignore[misc]

class DateIntervalParameter(Parameter[date_interval.DateInterval]):
    def parse(self, x: Any) -> Any: ...

class TimeDeltaParameter(Parameter[datetime.timedelta]):
    def _apply_regex(self, regex: Any, input: str) -> datetime.timedelta | None: ...
    def _parseIso8601(self, input: str) -> datetime.timedelta | None: ...
    def _parseSimple(self, input: str) -> datetime.timedelta | None: ...
    def parse(self, x: Any) -> Any: ...
    def serialize(self, x: Any) -> Any: ...

TaskType = TypeVar("TaskType", bound=luigi.task.Task, default=luigi.task.Task)

class TaskParameter(Parameter[type[TaskType]]):
    def parse(self, x: Any) -> Any: ...
    def serialize(self, x: Any) -> Any: ...

EnumParameterType = TypeVar("EnumParameterType", bound=Enum)

class EnumParameter(Parameter[EnumParameterType]):
    def __init__(
        self,
        default: EnumParameterType | None | _NoValueType = ...,
        *,
        enum: type[EnumParameterType] | None = None,
        **kwargs: Unpack[_ParameterKwargs],
    ) -> None: ...
    def parse(self, x: Any) -> Any: ...
    def serialize(self, x: Any) -> Any: ...

class EnumListParameter(Parameter[tuple[EnumParameterType, ...]]):
    _sep: str
    def __init__(
        self,
        default: tuple[EnumParameterType, ...] | None | _NoValueType = ...,
        *,
        enum: type[EnumParameterType] | None = None,
        **kwargs: Unpack[_ParameterKwargs],
    ) -> None: ...
    def parse(self, x: Any) -> Any: ...
    def serialize(self, x: Any) -> Any: ...

class _DictParamEncoder(JSONEncoder):
    def default(self, obj: Any) -> Any: ...

DictT = TypeVar("DictT", bound=dict[Any, Any], default=dict[Any, Any])

class DictParameter(Parameter[DictT]):
    schema: Any
    def __init__(
        self,
        default: DictT | dict[Any, Any] | None | _NoValueType = ...,
        *,
        schema: Any = None,
        **kwargs: Unpack[_ParameterKwargs],
    ) -> None: ...
    def normalize(self, x: Any) -> Any: ...
    def parse(self, x: Any) -> Any: ...
    def serialize(self, x: Any) -> Any: ...

class OptionalDictParameter(OptionalParameterMixin[FrozenOrderedDict], DictParameter): ...  # type: ignore[misc]

ListT = TypeVar("ListT", bound=tuple[Any, ...], default=tuple[Any, ...])

class ListParameter(Parameter[ListT]):
    schema: Any
    def __init__(
        self,
        default: ListT | list[Any] | None | _NoValueType = ...,
        *,
        schema: Any = None,
        **kwargs: Unpack[_ParameterKwargs],
    ) -> None: ...
    def normalize(self, x: Any) -> Any: ...
    def parse(self, x: Any) -> Any: ...
    def serialize(self, x: Any) -> Any: ...

class OptionalListParameter(OptionalParameterMixin[ListT], ListParameter): ...  # type: ignore[misc]

class TupleParameter(ListParameter[ListT]):
    def parse(self, x: Any) -> Any: ...
    def _convert_iterable_to_tuple(self, x: Any) -> Any: ...

class OptionalTupleParameter(OptionalParameterMixin[ListT], TupleParameter): ...  # type: ignore[misc]

NumericalType = TypeVar("NumericalType", int, float)

class NumericalParameter(Parameter[NumericalType]):
    def __init__(
        self,
        default: NumericalType | None | _NoValueType = ...,
        *,
        var_type: type[NumericalType] | None = None,
        min_value: NumericalType | None = None,
        max_value: NumericalType | None = None,
        left_op: Any = ...,
        right_op: Any = ...,
        **kwargs: Unpack[_ParameterKwargs],
    ) -> None: ...
    def parse(self, x: Any) -> Any: ...

class OptionalNumericalParameter(OptionalParameterMixin[NumericalType], NumericalParameter[NumericalType]):  # type: ignore[misc]
    def __init__(self, default: NumericalType | None | _NoValueType = ..., **kwargs: Any) -> None: ...

ChoiceType = TypeVar("ChoiceType", default=str)

class ChoiceParameter(Parameter[ChoiceType]):
    def __init__(
        self,
        default: ChoiceType | None | _NoValueType = ...,
        *,
        choices: Sequence[ChoiceType] | None = None,
        var_type: type[ChoiceType] = ...,
        **kwargs: Unpack[_ParameterKwargs],
    ) -> None: ...
    def parse(self, x: Any) -> Any: ...
    def normalize(self, x: Any) -> Any: ...

class ChoiceListParameter(ChoiceParameter[ChoiceType]):
    _sep: str
    @overload  # type: ignore[override]
    def __get__(self, instance: None, owner: Any = None) -> Parameter[tuple[ChoiceType, ...]]: ...
    @overload
    def __get__(self, instance: Any, owner: Any = None) -> tuple[ChoiceType, ...]: ...
    def __init__(
        self,
        default: tuple[ChoiceType, ...] | None | _NoValueType = ...,
        var_type: type[ChoiceType] = ...,
        choices: Sequence[ChoiceType] | None = None,
        **kwargs: Unpack[_ParameterKwargs],
    ) -> None: ...
    def parse(self, x: Any) -> Any: ...
    def normalize(self, x: Any) -> Any: ...
    def serialize(self, x: Any) -> Any: ...

class OptionalChoiceParameter(OptionalParameterMixin[ChoiceType], ChoiceParameter[ChoiceType]):  # type: ignore[misc]
    def __init__(
        self,
        default: ChoiceType | None | _NoValueType = ...,
        var_type: type[ChoiceType] = ...,
        choices: Sequence[ChoiceType] | None = None,
        **kwargs: Unpack[_ParameterKwargs],
    ) -> None: ...

class PathParameter(Parameter[Path]):
    absolute: bool
    exists: bool
    def __init__(
        self,
        default: Path | None | _NoValueType = ...,
        *,
        absolute: bool = False,
        exists: bool = False,
        **kwargs: Unpack[_ParameterKwargs],
    ) -> None: ...
    def normalize(self, x: Any) -> Any: ...

class OptionalPathParameter(OptionalParameter, PathParameter): ...
