"""Data that others deliver once a day, when the newest delivery is what is wanted."""

from __future__ import annotations

import datetime
import logging
from typing import Any, ClassVar

import luigi

logger = logging.getLogger("luigi-interface")


class ExternalDailySnapshot(luigi.ExternalTask):
    """Base of external tasks that exist once per day.

    A task that only needs the newest day writes ``return Subclass.latest()`` in its ``requires``. Further parameters
    of the subclass, and ``lookback``, are passed along: ``Subclass.latest(service="radio", lookback=21)``.
    """

    date = luigi.DateParameter()

    # Answers already given, as (question, task): questions may hold unhashable values, so they are compared.
    __answers: ClassVar[list[tuple[Any, Any]]] = []

    @classmethod
    def latest(cls, *args: Any, **kwargs: Any) -> Any:
        """Return the newest complete task of this class, or the oldest one looked at if none is complete.

        ``date`` (today by default) is the first day tried and ``lookback`` (14) the number of days. The answer is
        remembered as long as the process lives, so ``requires`` gives the same task every time it is asked.
        """
        date = kwargs.pop("date", datetime.date.today())
        lookback = kwargs.pop("lookback", 14)
        question = (cls, date, lookback, args, kwargs)
        answers = ExternalDailySnapshot.__answers
        known = [task for asked, task in answers if asked == question]
        if not known:
            known = [cls.__newest_complete(date, lookback, args, kwargs)]
            answers.append((question, known[0]))
        return known[0]

    @classmethod
    def __newest_complete(cls, date: datetime.date, lookback: int, args: Any, kwargs: Any) -> Any:
        assert lookback > 0, "lookback is a number of days, at least 1"
        days = (date - datetime.timedelta(days_back) for days_back in range(lookback))
        make: Any = cls
        for task in (make(*args, date=day, **kwargs) for day in days):
            if task.complete():
                return task
        logger.debug("Could not find last dump for %s (looked back %d days)", cls.__name__, lookback)
        return task
