"""The history of tasks in a database."""

import types

import pytest
import sqlalchemy

from luigi.db_task_history import DbTaskHistory, TaskRecord
from luigi.task_status import DONE, FAILED, PENDING, RUNNING


def scheduled_task(family="Report", **params):
    """As much of a scheduler's task as a history looks at."""
    identity = "_".join([family, *params.values()])
    return types.SimpleNamespace(id=identity, family=family, params=params)


@pytest.fixture
def history(configure, tmp_path):
    configure({"task_history": {"db_connection": f"sqlite:///{tmp_path}/history.db"}})
    made = DbTaskHistory()
    yield made
    made.engine.dispose()


def run(history, task, successful=True):
    history.task_scheduled(task)
    history.task_started(task, "the host")
    history.task_finished(task, successful)


def test_a_run_leaves_a_record_with_its_events(history):
    run(history, scheduled_task(day="today", text=""))
    with history._session() as session:
        [record] = history.find_all_by_name("Report", session)
        assert (record.task_id, record.name, record.host) == ("Report_today_", "Report", "the host")
        assert [event.event_name for event in record.events] == [DONE, RUNNING, PENDING]
        assert {name: each.value for name, each in record.parameters.items()} == {"day": "today", "text": ""}
        assert repr(record) == "TaskRecord(name=Report, host=the host)"
        assert repr(record.parameters["day"]) == f"TaskParameter(task_id={record.id}, name=day, value=today)"
        assert f"event_name={DONE}" in repr(record.events[0])


def test_a_failure_is_written(history):
    run(history, scheduled_task(), successful=False)
    assert sorted(event.event_name for event in history.find_all_events()) == [FAILED, PENDING, RUNNING]


def test_records_are_found_in_several_ways(history):
    for day, place in (("today", "here"), ("today", "there"), ("past", "here")):
        run(history, scheduled_task(day=day, place=place))
    run(history, scheduled_task("Other", day="today"))

    with history._session() as session:
        found = history.find_all_by_parameters("Report", session, day="today", place="there")
        assert [record.task_id for record in found] == ["Report_today_there"]
        found = history.find_all_by_parameters("Report", session, day="today")
        assert [record.task_id for record in found] == ["Report_today_here", "Report_today_there"]
    assert list(history.find_all_by_parameters("Report", day="future")) == []
    assert len(history.find_all_runs()) == 4
    assert len({record.id for record in history.find_latest_runs()}) == 4
    record = history.find_task_by_task_id("Report_past_here")
    assert history.find_task_by_id(record.id).task_id == "Report_past_here"
    assert history.find_task_by_id(99) is None
    with pytest.raises(IndexError):
        history.find_task_by_task_id("Unknown")


def test_old_runs_are_not_among_the_latest(history):
    run(history, scheduled_task())
    with history.engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE task_events SET ts = '2001-01-01 00:00:00.000000'"))
    assert history.find_latest_runs() == []


def test_an_error_takes_back_what_a_session_wrote(history):
    with pytest.raises(KeyError):
        with history._session() as session:
            session.add(TaskRecord(task_id="x", name="x"))
            raise KeyError
    assert history.find_all_runs() == []


def test_a_task_whose_record_is_gone_is_an_error(history):
    task = scheduled_task()
    history.task_scheduled(task)
    with history._session() as session:
        session.delete(session.get(TaskRecord, 1))
    with pytest.raises(Exception, match="Task with record_id, but no matching Task record!"):
        history.task_finished(task, True)


def test_an_old_database_is_brought_up_to_date(configure, tmp_path, caplog):
    url = f"sqlite:///{tmp_path}/old.db"
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE tasks (id INTEGER PRIMARY KEY, name VARCHAR(128), host VARCHAR(128))",
            "CREATE TABLE task_parameters (task_id INTEGER, name VARCHAR(128), value VARCHAR(256))",
        ):
            connection.execute(sqlalchemy.text(statement))
    engine.dispose()

    configure({"task_history": {"db_connection": url}})
    history = DbTaskHistory()
    assert "Upgrading DbTaskHistory schema: Adding tasks.task_id" in caplog.text
    assert "SQLite can not change column types" in caplog.text
    run(history, scheduled_task())
    assert history.find_task_by_task_id("Report").name == "Report"
    history.engine.dispose()
