"""Parameters of one plain value: numbers, bools, durations, paths, task classes, date intervals."""

from __future__ import annotations

import datetime
import re
from typing import Any, TypeVar

from luigi import date_interval, task_register
from luigi._parameter.base import (
    OptionalParameter,
    OptionalParameterMixin,
    Parameter,
    _no_value,
    facade,
    warn,
)

TaskType = TypeVar("TaskType")


class IntParameter(Parameter[int]):
    """An ``int``, read by ``int()``."""

    def parse(self, x: Any) -> int:
        return int(x)

    def next_in_enumeration(self, value: int) -> int:
        return value + 1


class OptionalIntParameter(OptionalParameterMixin[int], IntParameter):  # type: ignore[misc]
    """An ``int`` or ``None``."""

    expected_type = int


class FloatParameter(Parameter[float]):
    """A ``float``, read by ``float()``."""

    def parse(self, x: Any) -> float:
        return float(x)


class OptionalFloatParameter(OptionalParameterMixin[float], FloatParameter):
    """A ``float`` or ``None``."""

    expected_type = float


class BoolParameter(Parameter[bool]):
    """A ``bool``, ``False`` by default.

    :param parsing: ``IMPLICIT_PARSING`` makes a flag without a value, whose presence means true; ``EXPLICIT_PARSING`` a
        flag with the value ``true`` or ``false``, where no value means true. Set on the class it is the default for the
        parameters that are made later.
    """

    IMPLICIT_PARSING = "implicit"
    EXPLICIT_PARSING = "explicit"

    parsing = IMPLICIT_PARSING

    def __init__(self, default: Any = _no_value, parsing: str | None = None, **kwargs: Any) -> None:
        self.parsing = type(self).parsing if parsing is None else parsing
        super().__init__(default=False if default is _no_value else default, **kwargs)

    def parse(self, x: Any) -> bool:
        """Reads ``true`` or ``false`` in any case."""
        if x is True or x is False:
            return x
        text = str(x).lower()
        if text not in ("true", "false"):
            raise ValueError(f"cannot interpret '{x}' as boolean")
        return text == "true"

    def normalize(self, x: Any) -> bool | None:
        """Returns the bool that ``x`` is or spells, ``None`` for anything else."""
        try:
            return self.parse(x)
        except ValueError:
            return None

    def _parser_kwargs(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        keywords = super()._parser_kwargs(*args, **kwargs)
        if self.parsing == self.IMPLICIT_PARSING:
            keywords["action"] = "store_true"
        elif self.parsing == self.EXPLICIT_PARSING:
            keywords.update(nargs="?", const=True)
        else:
            raise ValueError(f"unknown parsing value '{self.parsing}'")
        return keywords


class OptionalBoolParameter(OptionalParameterMixin[bool], BoolParameter):
    """A ``bool`` or ``None``."""

    expected_type = bool


class DateIntervalParameter(Parameter[date_interval.DateInterval]):
    """A :class:`luigi.date_interval.DateInterval`, written as that module says."""

    def parse(self, x: str) -> date_interval.DateInterval:
        for kind in (
            date_interval.Year,
            date_interval.Month,
            date_interval.Week,
            date_interval.Date,
            date_interval.Custom,
        ):
            interval = kind.parse(x)
            if interval is not None:
                return interval
        raise ValueError("Invalid date interval - could not be parsed")


_UNITS = ("weeks", "days", "hours", "minutes", "seconds")
# P3W, or P1DT2H3M4S with each part optional. Anything may follow.
_ISO_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W|(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?)"
)
# "1 week 2 d 3hours": each unit by its first letter, the whole word, or the word without its s. Anything may follow.
_WORDED_DURATION = re.compile("".join(rf"(?:(?P<{unit}>\d+) ?{unit[0]}(?:{unit[1:-1]})?s? ?)?" for unit in _UNITS))


class TimeDeltaParameter(Parameter[datetime.timedelta]):
    """A :class:`datetime.timedelta`: seconds as a number, ISO 8601 (``P2W``, ``P1DT12H``), or words.

    The words are weeks, days, hours, minutes and seconds, shortened to any of ``w``, ``week``, ``weeks``, from the
    longest unit to the shortest: ``1 week 2 days 3 h``. The serialised form has whole seconds only.
    """

    def _apply_regex(self, regex: str | re.Pattern[str], input: str) -> datetime.timedelta | None:
        found = re.match(regex, input)
        parts = found.groupdict() if found else {}
        if not any(parts.values()):
            return None
        return datetime.timedelta(**{unit: int(number) for unit, number in parts.items() if number})

    def _parseIso8601(self, input: str) -> datetime.timedelta | None:
        return self._apply_regex(_ISO_DURATION, input)

    def _parseSimple(self, input: str) -> datetime.timedelta | None:
        return self._apply_regex(_WORDED_DURATION, input)

    def parse(self, x: Any) -> datetime.timedelta:
        try:
            return datetime.timedelta(seconds=float(x))
        except ValueError:
            pass
        # As in Luigi, an ISO duration of zero is handed on to be read as words, and fails there.
        duration = self._parseIso8601(x) or self._parseSimple(x)
        if duration is None:
            raise facade().ParameterException(f"Invalid time delta - could not parse {x}")
        return duration

    def serialize(self, x: datetime.timedelta) -> str:
        weeks, days = divmod(x.days, 7)
        minutes, seconds = divmod(x.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{weeks} w {days} d {hours} h {minutes} m {seconds} s"

    def _warn_on_wrong_param_type(self, param_name: str, param_value: Any) -> None:
        if self.__class__ is TimeDeltaParameter and not isinstance(param_value, datetime.timedelta):
            warn(f'Parameter "{param_name}" with value "{param_value}" is not of type timedelta.')


class TaskParameter(Parameter[TaskType]):
    """A task class. On the command line it is a family."""

    def parse(self, x: str) -> Any:
        return task_register.Register.get_task_cls(x)

    def serialize(self, x: Any) -> str:
        return x.get_task_family()


class PathParameter(Parameter[Any]):
    """A :class:`pathlib.Path`.

    :param absolute: makes the path absolute.
    :param exists: makes a path where nothing is a ``ValueError``.
    """

    def __init__(
        self, default: Any = _no_value, *, absolute: bool = False, exists: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(default=default, **kwargs)
        self.absolute = absolute
        self.exists = exists

    def normalize(self, x: Any) -> Any:
        from pathlib import Path

        path = Path(x).absolute() if self.absolute else Path(x)
        if self.exists and not path.exists():
            raise ValueError(f"The path {path} does not exist.")
        return path


class _StringOrPath:
    """The attribute ``(str, Path)``, without importing ``pathlib`` before someone looks at it."""

    def __get__(self, instance: Any, owner: Any = None) -> tuple[type, ...]:
        from pathlib import Path

        return (str, Path)


class OptionalPathParameter(OptionalParameter, PathParameter):
    """A path or ``None``."""

    expected_type: Any = _StringOrPath()
