"""Parameters of dates and points in time, rounded down to their unit and, if wished, to every n-th of it."""

from __future__ import annotations

import abc
import datetime
import re
from functools import cache
from typing import Any

from luigi import date_interval
from luigi._parameter.base import Parameter, _no_value, warn

_UNIX_EPOCH = datetime.datetime(1970, 1, 1)
_DIRECTIVES = ["%Y", "%m", "%d", "%H", "%M", "%S"]


@cache
def _digits_pattern(date_format: str) -> re.Pattern[str] | None:
    # Only for formats that go from the year to smaller units without a gap, as all formats below do.
    literals = re.split("%.", date_format)
    directives = re.findall("%.", date_format)
    if not directives or directives != _DIRECTIVES[: len(directives)]:
        return None
    digits = ["([0-9]{4})"] + ["([0-9]{2})"] * (len(directives) - 1) + [""]
    return re.compile("".join(re.escape(literal) + group for literal, group in zip(literals, digits)))


def _parse_datetime(text: str, date_format: str) -> datetime.datetime:
    """Does what ``strptime`` does, several times faster where all numbers are written with all their digits."""
    pattern = _digits_pattern(date_format)
    found = pattern.fullmatch(text) if pattern and isinstance(text, str) else None
    if found:
        try:
            numbers = [int(group) for group in found.groups()]
            return datetime.datetime(*numbers, *(1, 1)[len(numbers) - 1 :])  # type: ignore[arg-type]
        except ValueError:
            pass  # strptime words the error
    return datetime.datetime.strptime(text, date_format)


class _DateParameterBase(Parameter[datetime.date]):
    """A date whose text form is ``date_format``.

    :param interval: the value is rounded down to every ``interval``-th unit, counted from ``start``.
    :param start: a date, 1970-01-01 by default.
    """

    def __init__(
        self, default: Any = _no_value, interval: int = 1, start: datetime.date | None = None, **kwargs: Any
    ) -> None:
        super().__init__(default=default, **kwargs)
        self.interval = interval
        self.start = _UNIX_EPOCH.date() if start is None else start

    @property
    @abc.abstractmethod
    def date_format(self) -> str:
        """The text form, in the words of ``strftime``."""

    def parse(self, s: str) -> datetime.date:
        return _parse_datetime(s, self.date_format).date()

    def serialize(self, dt: datetime.date | None) -> str:
        return "None" if dt is None else dt.strftime(self.date_format)


class DateParameter(_DateParameterBase):
    """A :class:`datetime.date`, written ``2013-07-10``. A ``datetime`` loses its time of day."""

    date_format = "%Y-%m-%d"

    def next_in_enumeration(self, value: Any) -> Any:
        return value + datetime.timedelta(days=self.interval)

    def normalize(self, x: Any) -> Any:
        if x is None:
            return None
        day = x.date() if isinstance(x, datetime.datetime) else x
        excess = (day - self.start).days % self.interval
        return day - datetime.timedelta(days=excess) if excess else day


class MonthParameter(DateParameter):
    """The first day of a month, written ``2013-07``. Takes any date and a :class:`luigi.date_interval.Month`."""

    date_format = "%Y-%m"

    def _add_months(self, date: datetime.date, months: int) -> datetime.date:
        years, month = divmod(date.month - 1 + months, 12)
        return datetime.date(date.year + years, month + 1, 1)

    def next_in_enumeration(self, value: Any) -> Any:
        return self._add_months(value, self.interval)

    def normalize(self, x: Any) -> Any:
        if x is None:
            return None
        first = x.date_a if isinstance(x, date_interval.Month) else x
        months = 12 * (first.year - self.start.year) + (first.month - self.start.month)
        return self._add_months(self.start, months - months % self.interval)


class YearParameter(DateParameter):
    """The first day of a year, written ``2013``. Takes any date and a :class:`luigi.date_interval.Year`."""

    date_format = "%Y"

    def next_in_enumeration(self, value: Any) -> Any:
        return value.replace(year=value.year + self.interval)

    def normalize(self, x: Any) -> Any:
        if x is None:
            return None
        if isinstance(x, date_interval.Year):
            x = x.date_a
        return datetime.date(x.year - (x.year - self.start.year) % self.interval, 1, 1)


class _DatetimeParameterBase(Parameter[datetime.datetime]):
    """A point in time whose text form is ``date_format`` and whose unit is ``_timedelta``.

    :param interval: the value is rounded down to every ``interval``-th unit, counted from ``start``.
    :param start: a ``datetime``, the beginning of 1970 by default.
    """

    def __init__(
        self, default: Any = _no_value, interval: int = 1, start: datetime.datetime | None = None, **kwargs: Any
    ) -> None:
        super().__init__(default=default, **kwargs)
        self.interval = interval
        self.start = _UNIX_EPOCH if start is None else start

    @property
    @abc.abstractmethod
    def date_format(self) -> str:
        """The text form, in the words of ``strftime``."""

    @property
    @abc.abstractmethod
    def _timedelta(self) -> datetime.timedelta:
        """The unit."""

    def parse(self, s: str) -> datetime.datetime:
        return _parse_datetime(s, self.date_format)

    def serialize(self, dt: datetime.datetime | None) -> str:
        return "None" if dt is None else dt.strftime(self.date_format)

    @staticmethod
    def _convert_to_dt(dt: Any) -> datetime.datetime:
        if isinstance(dt, datetime.datetime):
            return dt
        return datetime.datetime.combine(dt, datetime.time.min)

    def normalize(self, dt: Any) -> datetime.datetime | None:
        """Rounds down; a date counts as its midnight."""
        if dt is None:
            return None
        whole_seconds = self._convert_to_dt(dt).replace(microsecond=0)
        return whole_seconds - (whole_seconds - self.start) % (self._timedelta * self.interval)

    def next_in_enumeration(self, value: Any) -> Any:
        return value + self._timedelta * self.interval


class DateHourParameter(_DatetimeParameterBase):
    """A ``datetime`` to the hour, written ``2013-07-10T19``."""

    date_format = "%Y-%m-%dT%H"
    _timedelta = datetime.timedelta(hours=1)


class DateMinuteParameter(_DatetimeParameterBase):
    """A ``datetime`` to the minute, written ``2013-07-10T1907``."""

    date_format = "%Y-%m-%dT%H%M"
    _timedelta = datetime.timedelta(minutes=1)
    deprecated_date_format = "%Y-%m-%dT%HH%M"

    def parse(self, x: str) -> datetime.datetime:
        """Reads also the old form ``2013-07-10T19H07``, with a warning."""
        if isinstance(x, str) and "H" not in x and "%HH" in self.deprecated_date_format:
            return super().parse(x)
        try:
            value = _parse_datetime(x, self.deprecated_date_format)
        except ValueError:
            return super().parse(x)
        warn('Using "H" between hours and minutes is deprecated, omit it instead.', DeprecationWarning)
        return value


class DateSecondParameter(_DatetimeParameterBase):
    """A ``datetime`` to the second, written ``2013-07-10T190738``."""

    date_format = "%Y-%m-%dT%H%M%S"
    _timedelta = datetime.timedelta(seconds=1)
