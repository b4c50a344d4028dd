"""The history that the scheduler writes: its interface, and the one that keeps nothing."""

import types

import pytest

from luigi import task_history
from luigi.task_status import PENDING


def test_a_stored_task_shows_the_schedulers():
    task = types.SimpleNamespace(id="Report_today", family="Report", params={"day": "today"})
    stored = task_history.StoredTask(task, PENDING, "host")
    assert (stored.task_family, stored.parameters) == ("Report", {"day": "today"})
    assert (stored.status, stored.host, stored.record_id) == (PENDING, "host", None)


def test_a_history_must_take_all_that_it_is_told():
    with pytest.raises(TypeError, match="abstract"):
        task_history.TaskHistory()
    nothing = task_history.NopHistory()
    assert nothing.task_scheduled(None) is None
    assert nothing.task_started(None, "host") is None
    assert nothing.task_finished(None, True) is None
