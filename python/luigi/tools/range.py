"""Tasks that keep a recurring task complete over a range of dates: `RangeDaily`, `RangeHourly`, and others.

Such a task requires the missing instances of another task between two points in time, a limited number
per run. Instances that can never be completed stay in front and may hold up the rest: look at the
events, at `task_limit` and at `reverse`.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from luigi import _warnings
from luigi._parameter.base import UnsetParameter
from luigi.event import Event
from luigi.parameter import (
    BoolParameter,
    DateHourParameter,
    DateMinuteParameter,
    DateParameter,
    DictParameter,
    IntParameter,
    MonthParameter,
    Parameter,
    ParameterException,
    TaskParameter,
)
from luigi.task import Register, Task, WrapperTask
from luigi.tools._range_listing import (
    _constrain_glob,
    _get_filesystems_and_globs,
    _get_per_location_glob,
    _list_existing,
    infer_bulk_complete_from_fs,
    most_common,
)

__all__ = [
    "RangeBase",
    "RangeByMinutes",
    "RangeByMinutesBase",
    "RangeDaily",
    "RangeDailyBase",
    "RangeEvent",
    "RangeHourly",
    "RangeHourlyBase",
    "RangeMonthly",
    "_constrain_glob",
    "_get_filesystems_and_globs",
    "_get_per_location_glob",
    "_list_existing",
    "infer_bulk_complete_from_fs",
    "most_common",
]

logger = logging.getLogger("luigi-interface")


class RangeEvent(Event):
    """How far a range has come. Each event carries the family of the recurring task and a number.

    `COMPLETE_COUNT` and `COMPLETE_FRACTION` count the complete instances, `DELAY` those from the first
    missing one to the end of the range.
    """

    COMPLETE_COUNT = "event.tools.range.complete.count"
    COMPLETE_FRACTION = "event.tools.range.complete.fraction"
    DELAY = "event.tools.range.delay"


class RangeBase(WrapperTask):
    """What the ranges of all units share. A subclass converts between its unit and datetimes.

    The range is `[start, stop)`. An end that is not given, or is too far away, is replaced by one that
    moves with the time: so many units before or after now.
    """

    of = TaskParameter(description="the recurring task. It must take one parameter for the date or time")
    of_params: Any = DictParameter(default=dict(), description="further arguments for the recurring task")
    # A subclass gives these two the type of its unit.
    start: Any = Parameter()
    stop: Any = Parameter()
    reverse = BoolParameter(
        default=False,
        description="which of the missing instances come first: the oldest (False) or the newest (True)",
    )
    task_limit = IntParameter(default=50, description="how many instances are required at most in one run")
    now = IntParameter(default=None, description="seconds since the epoch to take for the current time")
    param_name = UnsetParameter(
        default=None,
        description="the recurring task's parameter for the date or time. Default: its first positional one",
        positional=False,
    )

    @property
    def of_cls(self) -> type[Task]:
        """The recurring task's class. `of` itself is what to use."""
        if isinstance(self.of, str):
            _warnings.warn('When using Range programatically, dont pass "of" param as string!')
            return Register.get_task_cls(self.of)
        return self.of

    def datetime_to_parameter(self, dt: datetime) -> Any:
        """The value of the recurring task's parameter for a point in time."""
        raise NotImplementedError

    def parameter_to_datetime(self, p: Any) -> datetime:
        """The point in time of a value of the recurring task's parameter."""
        raise NotImplementedError

    def datetime_to_parameters(self, dt: datetime) -> dict[str, Any]:
        """All arguments of the recurring task for a point in time."""
        raise NotImplementedError

    def parameters_to_datetime(self, p: dict[str, Any]) -> datetime:
        """The point in time of the recurring task's arguments."""
        raise NotImplementedError

    def moving_start(self, now: datetime) -> datetime:
        """The earliest point that the range reaches back to."""
        raise NotImplementedError

    def moving_stop(self, now: datetime) -> datetime:
        """The latest point that the range reaches forward to."""
        raise NotImplementedError

    def finite_datetimes(self, finite_start: datetime, finite_stop: datetime) -> list[datetime]:
        """The points of the unit in `[finite_start, finite_stop)`, in order."""
        raise NotImplementedError

    def missing_datetimes(self, finite_datetimes: list[datetime]) -> Iterable[datetime]:
        """Those points whose instance is not complete. This one asks every instance, which takes its time."""
        return [
            each
            for each in finite_datetimes
            if not self._instantiate_task_cls(self.datetime_to_parameter(each)).complete()
        ]

    def _missing_datetimes(self, finite_datetimes: list[datetime]) -> Iterable[datetime]:
        """`missing_datetimes`, also if a subclass has it with the class as an argument, as it once was."""
        try:
            return self.missing_datetimes(finite_datetimes)
        except TypeError as error:
            if "missing_datetimes()" not in repr(error):
                raise
            message = "In your Range* subclass, missing_datetimes() should only take 1 argument (see latest docs)"
            _warnings.warn_of_class(message, type(self))
            return self.missing_datetimes(self.of_cls, finite_datetimes)  # type: ignore[call-arg, arg-type]

    def requires(self) -> list[Task]:
        """The missing instances, `task_limit` of them at most. They are worked out once."""
        if not hasattr(self, "_cached_requires"):
            self._cached_requires = self._find_required()
        return self._cached_requires

    def _find_required(self) -> list[Task]:
        self._check_ends()
        finite_start, finite_stop = self._finite_ends()
        family = self.of_cls.task_family
        datetimes = self.finite_datetimes(finite_start, finite_stop) if finite_start <= finite_stop else []
        missing: list[datetime] = []
        if datetimes:
            shown = self._format_range(datetimes)
            logger.debug("Actually checking if range %s of %s is complete", shown, family)
            missing = sorted(self._missing_datetimes(datetimes))
            logger.debug("Range %s lacked %d of expected %d %s instances", shown, len(missing), len(datetimes), family)
        else:
            logger.debug("Empty range. No %s instances expected", family)
        self._emit_metrics(missing, finite_start, finite_stop)

        required = missing[-self.task_limit :] if self.reverse else missing[: self.task_limit]
        if required:
            shown = self._format_range(required)
            logger.debug("Requiring %d missing %s instances in range %s", len(required), family, shown)
        if self.reverse:
            required.reverse()
        return [self._instantiate_task_cls(self.datetime_to_parameter(each)) for each in required]

    def _check_ends(self) -> None:
        for is_wrong, message in (
            (not (self.start or self.stop), "At least one of start and stop needs to be specified"),
            (not (self.start or self.reverse), "Either start needs to be specified or reverse needs to be True"),
            (self.start and self.stop and self.start > self.stop, "Can't have start > stop"),
        ):
            if is_wrong:
                raise ParameterException(message)

    def _finite_ends(self) -> tuple[datetime, datetime]:
        """The range that is looked at: what was asked for, within what moves with the time (UTC)."""
        seconds = time.time() if self.now is None else self.now
        now = datetime.fromtimestamp(seconds, tz=timezone.utc).replace(tzinfo=None)
        start, stop = self.moving_start(now), self.moving_stop(now)
        if self.start is not None:
            start = max(start, self.parameter_to_datetime(self.start))
        if self.stop is not None:
            stop = min(stop, self.parameter_to_datetime(self.stop))
        return start, stop

    def _emit_metrics(
        self, missing_datetimes: Sequence[datetime], finite_start: datetime, finite_stop: datetime
    ) -> None:
        """Triggers the events of `RangeEvent` for all that was asked for, or for what was looked at."""
        if self.start is not None:
            finite_start = min(finite_start, self.parameter_to_datetime(self.start))
        if self.stop is not None:
            finite_stop = max(finite_stop, self.parameter_to_datetime(self.stop))
        datetimes = self.finite_datetimes(finite_start, finite_stop)
        expected = len(datetimes)
        complete = expected - len(missing_datetimes)
        delay = expected - datetimes.index(missing_datetimes[0]) if datetimes and missing_datetimes else 0

        family = self.of_cls.task_family
        self.trigger_event(RangeEvent.DELAY, family, delay)
        self.trigger_event(RangeEvent.COMPLETE_COUNT, family, complete)
        self.trigger_event(RangeEvent.COMPLETE_FRACTION, family, complete / expected if expected else 1)

    def _format_datetime(self, dt: datetime) -> Any:
        return self.datetime_to_parameter(dt)

    def _format_range(self, datetimes: Sequence[datetime]) -> str:
        return f"[{self._format_datetime(datetimes[0])}, {self._format_datetime(datetimes[-1])}]"

    def _instantiate_task_cls(self, param: Any) -> Task:
        return self.of(**self._task_parameters(param))

    @property
    def _param_name(self) -> str:
        if self.param_name is not None:
            return self.param_name
        return next(name for name, param in self.of.get_params() if param.positional)

    def _task_parameters(self, param: Any) -> dict[str, Any]:
        return {**self.of_params, self._param_name: param}


def _steps(first: datetime, step: timedelta, start: datetime, stop: datetime) -> list[datetime]:
    """The points `first`, `first + step`, and so on that are in `[start, stop)`."""
    points = []
    while first < stop:
        if first >= start:
            points.append(first)
        first += step
    return points


def _start(kind: Callable[..., Any], what: str) -> Any:
    return kind(
        default=None,
        description=f"first {what} of the range. Default: None - backward without end (requires reverse=True)",
    )


def _stop(kind: Callable[..., Any], what: str) -> Any:
    return kind(default=None, description=f"{what} before which the range ends. Default: None - forward without end")


def _back(default: int, unit: str) -> IntParameter:
    return IntParameter(
        default=default,
        description=f"how far the range reaches into the past at most, in {unit} before the current time. Keep it "
        "below the time after which old outputs are removed, or they are made again and again. More "
        f"{unit} need more of the worker's memory",
    )


def _forward(unit: str) -> IntParameter:
    return IntParameter(
        default=0,
        description=f"how far the range reaches into the future at most, in {unit} after the current time",
    )


class RangeDailyBase(RangeBase):
    """A range of days, for a task with a `DateParameter`."""

    start = _start(DateParameter, "date")
    stop = _stop(DateParameter, "date")
    days_back = _back(100, "days")
    days_forward = _forward("days")

    def datetime_to_parameter(self, dt: datetime) -> date:
        """The day."""
        return dt.date()

    def parameter_to_datetime(self, p: date) -> datetime:
        """The beginning of the day."""
        return datetime(p.year, p.month, p.day)

    def datetime_to_parameters(self, dt: datetime) -> dict[str, Any]:
        """All arguments for a day."""
        return self._task_parameters(dt.date())

    def parameters_to_datetime(self, p: dict[str, Any]) -> datetime:
        """The beginning of the day in the arguments."""
        return self.parameter_to_datetime(p[self._param_name])

    def moving_start(self, now: datetime) -> datetime:
        """`days_back` before now."""
        return now - timedelta(days=self.days_back)

    def moving_stop(self, now: datetime) -> datetime:
        """`days_forward` after now."""
        return now + timedelta(days=self.days_forward)

    def finite_datetimes(self, finite_start: datetime, finite_stop: datetime) -> list[datetime]:
        """The beginnings of days."""
        first = datetime(finite_start.year, finite_start.month, finite_start.day)
        return _steps(first, timedelta(days=1), finite_start, finite_stop)


class RangeHourlyBase(RangeBase):
    """A range of hours, for a task with a `DateHourParameter`."""

    start = _start(DateHourParameter, "hour")
    stop = _stop(DateHourParameter, "hour")
    hours_back = _back(100 * 24, "hours")
    hours_forward = _forward("hours")

    def datetime_to_parameter(self, dt: datetime) -> datetime:
        """The point itself."""
        return dt

    def parameter_to_datetime(self, p: datetime) -> datetime:
        """The point itself."""
        return p

    def datetime_to_parameters(self, dt: datetime) -> dict[str, Any]:
        """All arguments for an hour."""
        return self._task_parameters(dt)

    def parameters_to_datetime(self, p: dict[str, Any]) -> datetime:
        """The hour in the arguments."""
        return p[self._param_name]

    def moving_start(self, now: datetime) -> datetime:
        """`hours_back` before now."""
        return now - timedelta(hours=self.hours_back)

    def moving_stop(self, now: datetime) -> datetime:
        """`hours_forward` after now."""
        return now + timedelta(hours=self.hours_forward)

    def finite_datetimes(self, finite_start: datetime, finite_stop: datetime) -> list[datetime]:
        """The full hours."""
        first = finite_start.replace(minute=0, second=0, microsecond=0)
        return _steps(first, timedelta(hours=1), finite_start, finite_stop)

    def _format_datetime(self, dt: datetime) -> str:
        return DateHourParameter().serialize(dt)


class RangeByMinutesBase(RangeBase):
    """A range of points that are `minutes_interval` apart, for a task with a `DateMinuteParameter`."""

    start = _start(DateMinuteParameter, "minute")
    stop = _stop(DateMinuteParameter, "minute")
    minutes_back = _back(60 * 24, "minutes")
    minutes_forward = _forward("minutes")
    minutes_interval = IntParameter(default=1, description="minutes from one point to the next, a divisor of 60")

    def datetime_to_parameter(self, dt: datetime) -> datetime:
        """The point itself."""
        return dt

    def parameter_to_datetime(self, p: datetime) -> datetime:
        """The point itself."""
        return p

    def datetime_to_parameters(self, dt: datetime) -> dict[str, Any]:
        """All arguments for a minute."""
        return self._task_parameters(dt)

    def parameters_to_datetime(self, p: dict[str, Any]) -> datetime:
        """The minute in the arguments."""
        return p[self._param_name].replace(second=0, microsecond=0)

    def moving_start(self, now: datetime) -> datetime:
        """`minutes_back` before now."""
        return now - timedelta(minutes=self.minutes_back)

    def moving_stop(self, now: datetime) -> datetime:
        """`minutes_forward` after now."""
        return now + timedelta(minutes=self.minutes_forward)

    def finite_datetimes(self, finite_start: datetime, finite_stop: datetime) -> list[datetime]:
        """The points of the interval. Raises `ParameterException` if it is no divisor of 60 below it."""
        interval = self.minutes_interval
        if not 0 < interval < 60:
            raise ParameterException("minutes-interval must be within 0..60")
        if 60 % interval:
            raise ParameterException("minutes-interval does not evenly divide 60")
        first = finite_start.replace(minute=finite_start.minute // interval * interval, second=0, microsecond=0)
        return _steps(first, timedelta(minutes=interval), finite_start, finite_stop)

    def _format_datetime(self, dt: datetime) -> str:
        return DateMinuteParameter().serialize(dt)


def _month(dt: date, later: int = 0) -> datetime:
    """The beginning of the month of `dt`, or of one so many months `later`."""
    year, month = divmod(dt.year * 12 + dt.month - 1 + later, 12)
    return datetime(year, month + 1, 1)


class RangeMonthly(RangeBase):
    """Keeps a task with a `MonthParameter` complete over a range of months.

    There are few months, so each instance is asked for by itself.
    """

    start = _start(MonthParameter, "month")
    stop = _stop(MonthParameter, "month")
    months_back = _back(13, "months")
    months_forward = _forward("months")

    def datetime_to_parameter(self, dt: datetime) -> date:
        """The first day of the month."""
        return date(dt.year, dt.month, 1)

    def parameter_to_datetime(self, p: date) -> datetime:
        """The beginning of the month."""
        return _month(p)

    def datetime_to_parameters(self, dt: datetime) -> dict[str, Any]:
        """All arguments for a month."""
        return self._task_parameters(dt.date())

    def parameters_to_datetime(self, p: dict[str, Any]) -> datetime:
        """The beginning of the month in the arguments."""
        return _month(p[self._param_name])

    def moving_start(self, now: datetime) -> datetime:
        """`months_back` before this month."""
        return _month(now, -self.months_back)

    def moving_stop(self, now: datetime) -> datetime:
        """`months_forward` after this month."""
        return _month(now, self.months_forward)

    def finite_datetimes(self, finite_start: datetime, finite_stop: datetime) -> list[datetime]:
        """The beginnings of months; the month of `finite_stop` is not among them."""
        months = []
        month, stop = _month(finite_start), _month(finite_stop)
        while month < stop:
            if month >= finite_start:
                months.append(month)
            month = _month(month, 1)
        return months

    def _align(self, dt: datetime) -> datetime:
        return _month(dt)

    def _format_datetime(self, dt: datetime) -> str:
        return dt.strftime("%Y-%m")


class _BulkChecked:
    """Finds the missing instances all at once: by the task's `bulk_complete`, or by listing folders."""

    # The parts of a point in time, as strftime writes them into the paths of outputs.
    _path_pattern: str

    # What the range beside this class has.
    of: Any
    of_params: Any
    datetime_to_parameter: Callable[[datetime], Any]
    parameter_to_datetime: Callable[[Any], datetime]
    _instantiate_task_cls: Callable[[Any], Task]

    def missing_datetimes(self, finite_datetimes: list[datetime]) -> Iterable[datetime]:
        """Those points whose instance is not complete."""
        parameters = [self.datetime_to_parameter(each) for each in finite_datetimes]
        with_params = functools.partial(self.of, **self.of_params)
        try:
            complete = list(self.of.bulk_complete.__func__(with_params, parameters))
        except NotImplementedError:
            return infer_bulk_complete_from_fs(
                finite_datetimes,
                lambda each: self._instantiate_task_cls(self.datetime_to_parameter(each)),
                lambda each: each.strftime(self._path_pattern),
            )
        return set(finite_datetimes).difference(map(self.parameter_to_datetime, complete))


class RangeDaily(_BulkChecked, RangeDailyBase):
    """Keeps a task with a `DateParameter` complete over a range of days.

    On the command line: `luigi --module shop.reports RangeDaily --of SalesOfADay --start 2024-02-29`.
    """

    _path_pattern = "(%Y).*(%m).*(%d)"


class RangeHourly(_BulkChecked, RangeHourlyBase):
    """Keeps a task with a `DateHourParameter` complete over a range of hours.

    On the command line: `luigi --module shop.reports RangeHourly --of SalesOfAnHour --start 2024-02-29T08`.
    """

    _path_pattern = "(%Y).*(%m).*(%d).*(%H)"


class RangeByMinutes(_BulkChecked, RangeByMinutesBase):
    """Keeps a task with a `DateMinuteParameter` complete over points that are some minutes apart.

    On the command line: `luigi --module shop.reports RangeByMinutes --of LatestSales --start 2024-02-29T0815`.
    """

    _path_pattern = "(%Y).*(%m).*(%d).*(%H).*(%M)"
