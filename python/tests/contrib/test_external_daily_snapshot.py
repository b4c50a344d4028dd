"""The newest of the data that comes once a day."""

import datetime

import pytest

import luigi
from luigi.contrib.external_daily_snapshot import ExternalDailySnapshot
from luigi.mock import MockTarget


class Delivery(ExternalDailySnapshot):
    """A delivery that is there when its mock file is."""

    name = luigi.Parameter()
    tags = luigi.ListParameter(default=[])

    def output(self):
        return MockTarget("%s-%s" % (self.name, self.date))


def deliver(name, day):
    with MockTarget("%s-%s" % (name, day)).open("w"):
        pass


TODAY = datetime.date(2024, 3, 10)


def test_newest_delivery_is_found():
    for days_back in (9, 4, 6):
        deliver("newest", TODAY - datetime.timedelta(days_back))
    task = Delivery.latest(date=TODAY, name="newest")
    assert task == Delivery(date=datetime.date(2024, 3, 6), name="newest")


def test_oldest_day_is_returned_when_nothing_came():
    deliver("late", datetime.date(2024, 3, 1))
    task = Delivery.latest(date=TODAY, name="late", lookback=5)
    assert task.date == datetime.date(2024, 3, 6)
    assert not task.complete()


def test_the_same_question_has_the_same_answer():
    deliver("same", datetime.date(2024, 3, 4))
    first = Delivery.latest(date=TODAY, name="same", tags=["a"])
    deliver("same", datetime.date(2024, 3, 9))
    assert Delivery.latest(date=TODAY, name="same", tags=["a"]) is first
    assert Delivery.latest(date=TODAY, name="same", tags=["b"]).date == datetime.date(2024, 3, 9)


def test_today_is_the_default():
    deliver("today", datetime.date.today())
    assert Delivery.latest(name="today").date >= datetime.date.today() - datetime.timedelta(1)


def test_a_lookback_of_nothing_is_refused():
    with pytest.raises(AssertionError):
        Delivery.latest(date=TODAY, name="none", lookback=0)
