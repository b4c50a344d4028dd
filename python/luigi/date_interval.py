"""Spans of whole days: a day, an ISO week, a month, a year, or any two dates.

Every interval is half open: it begins with ``date_a`` and ends before ``date_b``. Its text form is ISO 8601
(``2014-05-10``, ``2014-W26``, ``2014-05``, ``2014``), and ``2014-05-10-2014-06-01`` for two dates.
See :class:`luigi.DateIntervalParameter`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any

_ONE_DAY = datetime.timedelta(days=1)


class DateInterval:
    """Base of all intervals. Not used by itself: two arbitrary dates are a :class:`Custom`."""

    def __init__(self, date_a: datetime.date, date_b: datetime.date) -> None:
        self.date_a = date_a
        self.date_b = date_b

    def dates(self) -> list[datetime.date]:
        """Returns all dates of the interval, in order."""
        return [self.date_a + datetime.timedelta(days=n) for n in range((self.date_b - self.date_a).days)]

    def hours(self) -> Iterator[datetime.datetime]:
        """Yields the beginning of all hours of the interval, 24 for each date."""
        for date in self.dates():
            for hour in range(24):
                yield datetime.datetime(date.year, date.month, date.day, hour)

    def prev(self) -> DateInterval:
        """Returns the interval of the same kind that ends where this one begins."""
        return self.from_date(self.date_a - _ONE_DAY)

    def next(self) -> DateInterval:
        """Returns the interval of the same kind that begins where this one ends."""
        return self.from_date(self.date_b)

    def to_string(self) -> str:
        """Returns the text form, which :meth:`parse` of the same class reads."""
        raise NotImplementedError

    @classmethod
    def from_date(cls, d: datetime.date) -> DateInterval:
        """Returns the interval of this kind that contains ``d``."""
        raise NotImplementedError

    @classmethod
    def parse(cls, s: str) -> DateInterval | None:
        """Reads the text form; ``None`` if ``s`` is written otherwise, ``ValueError`` if there is no such date."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.to_string()

    def __repr__(self) -> str:
        return self.to_string()

    def __contains__(self, date: Any) -> bool:
        return date in self.dates()

    def __iter__(self) -> Iterator[datetime.date]:
        return iter(self.dates())

    def __hash__(self) -> int:
        return hash(repr(self))

    def _both_spans(self, other: Any) -> tuple[tuple, tuple]:
        # A year and the two dates of the same span: equal or not? Luigi refuses to answer, and so do we.
        if not isinstance(self, type(other)):
            raise TypeError("Date interval type mismatch")
        return (self.date_a, self.date_b), (other.date_a, other.date_b)

    def __cmp__(self, other: Any) -> int:
        mine, others = self._both_spans(other)
        return (mine > others) - (mine < others)

    def __lt__(self, other: Any) -> bool:
        return self.__cmp__(other) < 0

    def __le__(self, other: Any) -> bool:
        return self.__cmp__(other) <= 0

    def __gt__(self, other: Any) -> bool:
        return self.__cmp__(other) > 0

    def __ge__(self, other: Any) -> bool:
        return self.__cmp__(other) >= 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DateInterval) and self.__cmp__(other) == 0

    def __ne__(self, other: object) -> bool:
        return not self == other


def _numbers(pattern: re.Pattern[str], text: str) -> list[int] | None:
    found = pattern.match(text)
    return None if found is None else [int(group) for group in found.groups()]


class Date(DateInterval):
    """One day."""

    _PATTERN = re.compile(r"(\d{4})-(\d\d)-(\d\d)$")

    def __init__(self, y: int, m: int, d: int) -> None:
        day = datetime.date(y, m, d)
        super().__init__(day, day + _ONE_DAY)

    def to_string(self) -> str:
        return self.date_a.strftime("%Y-%m-%d")

    @classmethod
    def from_date(cls, d: datetime.date) -> Date:
        return Date(d.year, d.month, d.day)

    @classmethod
    def parse(cls, s: str) -> Date | None:
        numbers = _numbers(cls._PATTERN, s)
        return Date(*numbers) if numbers else None


class Week(DateInterval):
    """An ISO 8601 week, Monday to Sunday. Near New Year its year can differ from that of its days."""

    _PATTERN = re.compile(r"(\d{4})-W(\d\d)$")

    def __init__(self, y: int, w: int) -> None:
        try:
            monday = datetime.date.fromisocalendar(y, w, 1)
        except ValueError:
            raise ValueError("Invalid week") from None
        super().__init__(monday, monday + 7 * _ONE_DAY)

    def to_string(self) -> str:
        year, week, _ = self.date_a.isocalendar()
        return f"{year}-W{week:02d}"

    @classmethod
    def from_date(cls, d: datetime.date) -> Week:
        year, week, _ = d.isocalendar()
        return Week(year, week)

    @classmethod
    def parse(cls, s: str) -> Week | None:
        numbers = _numbers(cls._PATTERN, s)
        return Week(*numbers) if numbers else None


class Month(DateInterval):
    """A calendar month."""

    _PATTERN = re.compile(r"(\d{4})-(\d\d)$")

    def __init__(self, y: int, m: int) -> None:
        first = datetime.date(y, m, 1)
        super().__init__(first, datetime.date(y + 1, 1, 1) if m == 12 else datetime.date(y, m + 1, 1))

    def to_string(self) -> str:
        return self.date_a.strftime("%Y-%m")

    @classmethod
    def from_date(cls, d: datetime.date) -> Month:
        return Month(d.year, d.month)

    @classmethod
    def parse(cls, s: str) -> Month | None:
        numbers = _numbers(cls._PATTERN, s)
        return Month(*numbers) if numbers else None


class Year(DateInterval):
    """A calendar year."""

    _PATTERN = re.compile(r"(\d{4})$")

    def __init__(self, y: int) -> None:
        super().__init__(datetime.date(y, 1, 1), datetime.date(y + 1, 1, 1))

    def to_string(self) -> str:
        return self.date_a.strftime("%Y")

    @classmethod
    def from_date(cls, d: datetime.date) -> Year:
        return Year(d.year)

    @classmethod
    def parse(cls, s: str) -> Year | None:
        numbers = _numbers(cls._PATTERN, s)
        return Year(*numbers) if numbers else None


class Custom(DateInterval):
    """Any two dates. It has no previous and no next interval.

    The text form joins the dates with a dash, where ISO 8601 has a slash, so that it can be part of a file's name.
    """

    _PATTERN = re.compile(r"(\d{4})-(\d\d)-(\d\d)-(\d{4})-(\d\d)-(\d\d)$")

    def to_string(self) -> str:
        return f"{self.date_a:%Y-%m-%d}-{self.date_b:%Y-%m-%d}"

    @classmethod
    def parse(cls, s: str) -> Custom | None:
        numbers = _numbers(cls._PATTERN, s)
        return Custom(datetime.date(*numbers[:3]), datetime.date(*numbers[3:])) if numbers else None
