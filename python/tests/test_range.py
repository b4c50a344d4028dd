"""Ranges of dates: which instances of a recurring task are required, and how the missing ones are found."""

import calendar
import warnings
from datetime import date, datetime, timedelta

import pytest

import luigi
from luigi.local_target import LocalFileSystem, LocalTarget
from luigi.notifications import smtp
from luigi.parameter import ParameterException
from luigi.tools import _range_listing, range
from luigi.tools.range import RangeByMinutes, RangeDaily, RangeEvent, RangeHourly, RangeMonthly


def seconds(*moment):
    """Seconds since the epoch of a moment in UTC."""
    return calendar.timegm(datetime(*moment).timetuple())


class Known(luigi.Task):
    """A recurring task whose complete instances the test says."""

    done = set()

    def complete(self):
        return self.moment in self.done

    @classmethod
    def bulk_complete(cls, values):
        return [value for value in values if value in cls.func.done]


class Daily(Known):
    moment = luigi.DateParameter()


class Hourly(Known):
    moment = luigi.DateHourParameter()


class EveryMinute(Known):
    moment = luigi.DateMinuteParameter()


class Monthly(Known):
    moment = luigi.MonthParameter()


@pytest.fixture(autouse=True)
def nothing_done():
    Known.done = set()


def moments(task):
    return [each.moment for each in task.requires()]


def test_luigis_own_defaults_are_not_warned_about_and_ids_stay_luigis():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        task = RangeDaily(of=Daily, start=date(2016, 1, 1), stop=date(2016, 1, 2), now=0)
        smtp()
    assert task.to_str_params()["param_name"] == "None"
    assert task.task_id == "RangeDaily_100_0_0_4565ec6477"


def test_days_without_an_instance_are_required():
    Known.done = {date(2015, 12, 2)}
    task = RangeDaily(of=Daily, start=date(2015, 12, 1), stop=date(2015, 12, 4), now=seconds(2015, 12, 31))
    assert moments(task) == [date(2015, 12, 1), date(2015, 12, 3)]
    assert task.requires() is task.requires()
    assert not task.complete()
    Known.done = {date(2015, 12, day) for day in (1, 2, 3)}
    assert task.complete()


def test_hours_are_required_up_to_now():
    task = RangeHourly(of=Hourly, start=datetime(2015, 12, 1, 22), now=seconds(2015, 12, 2, 1, 30))
    assert moments(task) == [datetime(2015, 12, 1, 22) + timedelta(hours=hour) for hour in (0, 1, 2, 3)]


def test_minutes_are_required_at_an_interval():
    task = RangeByMinutes(
        of=EveryMinute,
        start=datetime(2016, 3, 31, 23, 38),
        stop=datetime(2016, 3, 31, 23, 56),
        minutes_interval=5,
        now=seconds(2016, 4, 1),
    )
    assert moments(task) == [datetime(2016, 3, 31, 23, minute) for minute in (40, 45, 50, 55)]


@pytest.mark.parametrize(
    ("interval", "message"), [(0, "within 0..60"), (60, "within 0..60"), (7, "does not evenly divide 60")]
)
def test_an_interval_must_divide_the_hour(interval, message):
    task = RangeByMinutes(
        of=EveryMinute, start=datetime(2016, 4, 1), minutes_interval=interval, now=seconds(2016, 4, 1)
    )
    with pytest.raises(ParameterException, match=message):
        task.requires()


def test_months_are_required_across_a_year():
    task = RangeMonthly(of=Monthly, start=date(2015, 11, 1), stop=date(2016, 3, 1), now=seconds(2016, 12, 31))
    assert moments(task) == [date(2015, 11, 1), date(2015, 12, 1), date(2016, 1, 1), date(2016, 2, 1)]


@pytest.mark.parametrize(
    ("later", "month"),
    [(0, (2016, 3)), (-2, (2016, 1)), (-3, (2015, 12)), (-15, (2014, 12)), (9, (2016, 12)), (10, (2017, 1))],
)
def test_months_are_counted(later, month):
    assert range._month(date(2016, 3, 31), later) == datetime(*month, 1)


def test_the_range_moves_with_the_time_where_an_end_is_open():
    now = seconds(2016, 3, 31, 12)
    task = RangeDaily(of=Daily, stop=date(2099, 1, 1), reverse=True, days_back=2, days_forward=2, now=now)
    assert moments(task) == [date(2016, 4, day) for day in (2, 1)] + [date(2016, 3, day) for day in (31, 30)]
    task = RangeMonthly(of=Monthly, stop=date(2099, 1, 1), reverse=True, months_back=2, months_forward=1, now=now)
    assert moments(task) == [date(2016, month, 1) for month in (3, 2, 1)]
    task = RangeDaily(of=Daily, start=date(2000, 1, 1), days_back=1, now=now)
    assert moments(task) == [date(2016, 3, 31)]
    task = RangeDaily(of=Daily, start=date(2016, 4, 30), now=now)
    assert moments(task) == []
    assert task.complete()


@pytest.mark.parametrize(("reverse", "days"), [(False, [1, 2]), (True, [9, 8])])
def test_only_so_many_are_required_at_once(reverse, days):
    ends = {"start": date(2015, 12, 1), "stop": date(2015, 12, 10)}
    task = RangeDaily(of=Daily, **ends, task_limit=2, reverse=reverse, now=seconds(2015, 12, 31))
    assert moments(task) == [date(2015, 12, day) for day in days]


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        ({}, "At least one of start and stop needs to be specified"),
        ({"stop": date(2015, 1, 1)}, "Either start needs to be specified or reverse needs to be True"),
        ({"start": date(2015, 1, 2), "stop": date(2015, 1, 1)}, "Can't have start > stop"),
    ],
)
def test_ends_that_make_no_range_are_refused(ends, message):
    with pytest.raises(ParameterException) as failure:
        RangeDaily(of=Daily, **ends).requires()
    assert str(failure.value) == message


def test_further_arguments_and_the_name_of_the_parameter_are_passed_on():
    class Shop(luigi.Task):
        place = luigi.Parameter()
        day = luigi.DateParameter()

        def complete(self):
            return False

    ends = {"start": date(2015, 1, 1), "stop": date(2015, 1, 2), "now": seconds(2015, 1, 3)}
    task = RangeDaily(of=Shop, of_params={"place": "here"}, param_name="day", **ends)
    task.missing_datetimes = lambda points: points
    assert task.requires() == [Shop(place="here", day=date(2015, 1, 1))]
    assert task.datetime_to_parameters(datetime(2015, 1, 1)) == {"place": "here", "day": date(2015, 1, 1)}
    assert task.parameters_to_datetime({"day": date(2015, 1, 1)}) == datetime(2015, 1, 1)


@pytest.mark.parametrize(
    ("kind", "of", "value", "moment"),
    [
        (RangeDaily, Daily, date(2015, 6, 7), datetime(2015, 6, 7)),
        (RangeMonthly, Monthly, date(2015, 6, 1), datetime(2015, 6, 1)),
        (RangeHourly, Hourly, datetime(2015, 6, 7, 8), datetime(2015, 6, 7, 8)),
        (RangeByMinutes, EveryMinute, datetime(2015, 6, 7, 8, 9), datetime(2015, 6, 7, 8, 9)),
    ],
)
def test_parameters_and_points_in_time_are_converted(kind, of, value, moment):
    task = kind(of=of)
    assert task.datetime_to_parameter(moment) == value
    assert task.parameter_to_datetime(value) == moment
    assert task.datetime_to_parameters(moment) == {"moment": value}
    assert task.parameters_to_datetime({"moment": value}) == moment


def test_the_events_tell_how_far_a_range_is():
    heard = []
    events = (RangeEvent.DELAY, RangeEvent.COMPLETE_COUNT, RangeEvent.COMPLETE_FRACTION)
    for event in events:
        RangeDaily.event_handler(event)(lambda *arguments, event=event: heard.append((event, *arguments)))
    try:
        Known.done = {date(2015, 12, 1), date(2015, 12, 4)}
        ends = {"start": date(2015, 12, 1), "stop": date(2015, 12, 5)}
        RangeDaily(of=Daily, **ends, now=seconds(2015, 12, 31)).requires()
    finally:
        for event in events:
            luigi.Task._event_callbacks[RangeDaily].pop(event)
    assert heard == [
        ("event.tools.range.delay", "Daily", 3),
        ("event.tools.range.complete.count", "Daily", 2),
        ("event.tools.range.complete.fraction", "Daily", 0.5),
    ]


def test_a_subclass_of_old_gets_the_class_with_a_warning():
    class Old(RangeDaily):
        def missing_datetimes(self, task_cls, finite_datetimes):
            return [each for each in finite_datetimes if task_cls is Daily]

    task = Old(of=Daily, start=date(2015, 12, 1), stop=date(2015, 12, 2), now=seconds(2015, 12, 31))
    with pytest.warns(UserWarning, match="missing_datetimes\\(\\) should only take 1 argument"):
        assert moments(task) == [date(2015, 12, 1)]


def test_an_error_of_a_subclass_is_not_taken_for_an_old_signature():
    class Broken(RangeDaily):
        def missing_datetimes(self, finite_datetimes):
            raise TypeError("something else")

    with pytest.raises(TypeError, match="something else"):
        Broken(of=Daily, start=date(2015, 12, 1), now=seconds(2015, 12, 3)).requires()


def test_the_command_line_makes_a_range(monkeypatch):
    from luigi.cmdline_parser import CmdlineParser

    command = "RangeDaily --of Daily --start 2015-12-11 --stop 2015-12-12 --now 1451520000"
    with CmdlineParser.global_instance(command.split()) as parser:
        assert moments(parser.get_task_obj()) == [date(2015, 12, 11)]


class Listing(LocalFileSystem):
    """A file system that knows its files by heart and understands any glob."""

    def __init__(self):
        self.files = []
        self.listed = []

    def exists(self, path):
        return True

    def listdir(self, path):
        self.listed.append(path)
        return self.files


class Listed(LocalTarget):
    fs = Listing()


@pytest.fixture
def listing(monkeypatch):
    monkeypatch.setattr(Listed, "fs", Listing())
    return Listed.fs


class Filed(luigi.Task):
    """A recurring task without a bulk answer, whose output shows the hour."""

    hour = luigi.DateHourParameter()

    def output(self):
        return Listed(self.hour.strftime("data/%Y/v2000_%m-%d/%H/out"))


class Pair(luigi.Task):
    """The same by day, and with two outputs."""

    day = luigi.DateParameter()

    def output(self):
        return [Listed(self.day.strftime(f"{side}/%Y-%m-%d/x")) for side in ("left", "right")]


def test_missing_files_are_found_by_listing_folders(listing):
    listing.files = ["data/2015/v2000_12-01/21/out"]
    ends = {"start": datetime(2015, 12, 1, 20), "stop": datetime(2015, 12, 1, 23)}
    task = RangeHourly(of=Filed, **ends, now=seconds(2015, 12, 2))
    assert [each.hour.hour for each in task.requires()] == [20, 22]
    assert listing.listed == [f"data/2015/v2000_12-01/{hour}" for hour in (20, 21, 22)]


def test_a_task_with_several_outputs_needs_all_of_them(listing):
    listing.files = ["left/2015-12-01/x", "right/2015-12-01/x", "left/2015-12-02/x"]
    task = RangeDaily(of=Pair, start=date(2015, 12, 1), stop=date(2015, 12, 4), now=seconds(2015, 12, 31))
    assert [each.day.day for each in task.requires()] == [2, 3]
    assert len(listing.listed) == 6


def test_a_wrapper_stands_for_what_it_requires(listing):
    class Both(luigi.WrapperTask):
        day = luigi.DateParameter()

        def requires(self):
            return Pair(self.day)

    listing.files = ["left/2015-12-01/x", "right/2015-12-01/x"]
    task = RangeDaily(of=Both, start=date(2015, 12, 1), stop=date(2015, 12, 3), now=seconds(2015, 12, 31))
    assert [each.day.day for each in task.requires()] == [2]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (lambda self: Listed("/no/date"), "Couldn't deduce datehour representation in output path '/no/date'"),
        (lambda self: object(), "Output targets must be instances of FileSystemTarget"),
        (lambda self: [Listed("x")] * (1 + (self.hour.year == 2040)), "Outputs must be consistent over time"),
    ],
)
def test_outputs_that_show_no_date_can_not_be_listed(output, message, monkeypatch):
    monkeypatch.setattr(Filed, "output", output)
    with pytest.raises(NotImplementedError, match=message):
        range.infer_bulk_complete_from_fs([datetime(2015, 12, 1)], Filed, lambda each: each.strftime("(%Y).*(%m)"))


def test_a_glob_is_split_into_few_that_cover_the_paths():
    paths = [f"/d/2015-{month:02}-{day:02}/x" for month in (10, 11) for day in (8, 9, 10)]
    glob = "/d/[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
    assert _range_listing._constrain_glob(glob, paths[:1]) == ["/d/2015-10-08"]
    assert _range_listing._constrain_glob(glob, paths, limit=3) == [
        "/d/2015-10-[0-1][0-9]",
        "/d/2015-11-[0-1][0-9]",
    ]
    assert _range_listing._constrain_glob(glob, paths, limit=1) == ["/d/2015-1[0-1]-[0-9][0-9]"]
    assert sorted(_range_listing._constrain_glob(glob, paths, limit=9)) == sorted({path[:-2] for path in paths})


@pytest.mark.parametrize(("digits", "expected"), [("1", "[1]"), ("12", "[1-2]"), ("123", "[1-3]"), ("13", "[13]")])
def test_digits_become_a_class(digits, expected):
    assert _range_listing._digit_class(digits) == expected


def test_the_most_common_item_is_the_first_of_several():
    assert range.most_common([1, 2, 2, 3]) == (2, 2)
    assert range.most_common("ab") == ("a", 1)
    with pytest.raises(ValueError):
        range.most_common([])


def test_a_family_given_by_name_is_looked_up():
    task = RangeDaily(of=Daily)
    task.of = "Daily"
    with pytest.warns(UserWarning, match="dont pass"):
        assert task.of_cls is Daily
