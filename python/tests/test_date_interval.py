"""Date intervals: their dates, their neighbours, their text forms and comparisons."""

import datetime

import pytest

from luigi.date_interval import Custom, Date, DateInterval, Month, Week, Year

JAN_30, FEB_2 = datetime.date(2013, 1, 30), datetime.date(2013, 2, 2)


@pytest.mark.parametrize(
    ("interval", "text", "first", "end", "before", "after"),
    [
        (Date(2013, 2, 28), "2013-02-28", (2013, 2, 28), (2013, 3, 1), "2013-02-27", "2013-03-01"),
        (Week(2009, 1), "2009-W01", (2008, 12, 29), (2009, 1, 5), "2008-W52", "2009-W02"),
        (Week(2015, 53), "2015-W53", (2015, 12, 28), (2016, 1, 4), "2015-W52", "2016-W01"),
        (Month(2013, 12), "2013-12", (2013, 12, 1), (2014, 1, 1), "2013-11", "2014-01"),
        (Year(2012), "2012", (2012, 1, 1), (2013, 1, 1), "2011", "2013"),
    ],
)
def test_span_text_and_neighbours(interval, text, first, end, before, after):
    assert (interval.date_a, interval.date_b) == (datetime.date(*first), datetime.date(*end))
    assert str(interval) == repr(interval) == interval.to_string() == text
    assert type(interval).parse(text) == interval
    assert (str(interval.prev()), str(interval.next())) == (before, after)
    assert type(interval).from_date(interval.date_a) == interval


def test_two_dates_have_no_neighbours():
    custom = Custom(JAN_30, FEB_2)
    assert str(custom) == "2013-01-30-2013-02-02"
    assert Custom.parse(str(custom)) == custom
    with pytest.raises(NotImplementedError):
        custom.next()


def test_dates_and_hours():
    custom = Custom(JAN_30, FEB_2)
    days = [JAN_30, datetime.date(2013, 1, 31), datetime.date(2013, 2, 1)]
    assert custom.dates() == list(custom) == days
    hours = list(custom.hours())
    assert len(hours) == 72
    assert hours[25] == datetime.datetime(2013, 1, 31, 1)
    assert days[1] in custom
    assert FEB_2 not in custom
    assert Custom(FEB_2, JAN_30).dates() == []


@pytest.mark.parametrize("text", ["", "x", "2013-1", "2013-01-01x", "13-01", "2013-W1"])
def test_other_texts_are_no_interval(text):
    assert [kind.parse(text) for kind in (Year, Month, Week, Date, Custom)] == [None] * 5


@pytest.mark.parametrize(
    "make", [lambda: Week(2014, 53), lambda: Week(2014, 0), lambda: Month(2013, 13), lambda: Date.parse("2013-02-30")]
)
def test_dates_that_do_not_exist(make):
    with pytest.raises(ValueError):
        make()


def test_intervals_of_one_kind_are_ordered_and_hashed():
    assert Month(2013, 1) < Month(2013, 2) <= Month(2013, 2) < Month(2014, 1)
    assert Month(2013, 2) > Month(2013, 1) >= Month(2013, 1)
    assert Month(2013, 1) != Month(2013, 2)
    assert {Month(2013, 1): "x"}[Month(2013, 1)] == "x"
    assert Month(2013, 1) != "2013-01"


def test_intervals_of_different_kinds_are_not_compared():
    with pytest.raises(TypeError, match="Date interval type mismatch"):
        Month(2013, 1) < Year(2013)  # noqa: B015
    with pytest.raises(TypeError, match="Date interval type mismatch"):
        Year(2013) == Custom(datetime.date(2013, 1, 1), datetime.date(2014, 1, 1))  # noqa: B015
    assert Year(2013) == DateInterval(datetime.date(2013, 1, 1), datetime.date(2014, 1, 1))
