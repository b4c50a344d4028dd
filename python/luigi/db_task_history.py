"""The task history in a database, by SQLAlchemy (1.3, 1.4 or 2): which task ran when, where, and how it ended.

`[scheduler] record_task_history` turns it on and `[task_history] db_connection` says where it is.
"""

from __future__ import annotations

import datetime
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy
import sqlalchemy.orm
import sqlalchemy.orm.collections

from luigi import configuration, task_history
from luigi.task_status import DONE, FAILED, PENDING, RUNNING

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger("luigi-interface")

if hasattr(sqlalchemy.orm, "declarative_base"):
    Base: Any = sqlalchemy.orm.declarative_base()
else:  # SQLAlchemy 1.3 has it elsewhere.
    import sqlalchemy.ext.declarative

    Base = sqlalchemy.ext.declarative.declarative_base()


def _record(session: Any, record_id: int) -> Any:
    """The record of this id; sessions before SQLAlchemy 1.4 know only queries."""
    if hasattr(session, "get"):
        return session.get(TaskRecord, record_id)
    return session.query(TaskRecord).get(record_id)


class DbTaskHistory(task_history.TaskHistory):
    """Writes every change of a task's status to the database, and answers what was written.

    The finders take a session of the caller's, in which more can be asked of the records found; without
    one they use a session of their own.
    """

    CURRENT_SOURCE_VERSION = 1

    def __init__(self) -> None:
        connection = configuration.get_config().get("task_history", "db_connection")
        self.engine = sqlalchemy.create_engine(connection)
        self.session_factory = sqlalchemy.orm.sessionmaker(bind=self.engine, expire_on_commit=False)
        Base.metadata.create_all(self.engine)
        self.tasks: dict[str, task_history.StoredTask] = {}  # By task id.
        _upgrade_schema(self.engine)

    def task_scheduled(self, task: Any) -> None:
        """Writes that the task became PENDING."""
        self._add_event(self._get_task(task, status=PENDING), PENDING)

    def task_started(self, task: Any, worker_host: str) -> None:
        """Writes that a worker on `worker_host` began the task."""
        self._add_event(self._get_task(task, status=RUNNING, host=worker_host), RUNNING)

    def task_finished(self, task: Any, successful: bool) -> None:
        """Writes how the task ended."""
        status = DONE if successful else FAILED
        self._add_event(self._get_task(task, status=status), status)

    def find_all_by_parameters(self, task_name: str, session: Any = None, **task_params: str) -> Iterator[TaskRecord]:
        """The records of a task family that have these parameter values, oldest event first."""
        with self._session(session) as session:
            query = session.query(TaskRecord).join(TaskEvent).filter(TaskRecord.name == task_name)
            for name, value in task_params.items():
                parameter = sqlalchemy.orm.aliased(TaskParameter)
                query = query.join(parameter).filter(parameter.name == name, parameter.value == value)
            yield from query.order_by(TaskEvent.ts)

    def find_all_by_name(self, task_name: str, session: Any = None) -> Iterator[TaskRecord]:
        """The records of a task family."""
        return self.find_all_by_parameters(task_name, session)

    def find_latest_runs(self, session: Any = None) -> list[TaskRecord]:
        """The records with an event in the last 24 hours, newest first."""
        since = datetime.datetime.now() - datetime.timedelta(hours=24)
        with self._session(session) as session:
            recent = session.query(TaskRecord).join(TaskRecord.events).filter(TaskEvent.ts >= since)
            alike = (TaskRecord.id, TaskEvent.event_name, TaskEvent.ts)
            return recent.group_by(*alike).order_by(sqlalchemy.desc(TaskEvent.ts)).all()

    def find_all_runs(self, session: Any = None) -> list[TaskRecord]:
        """All records."""
        with self._session(session) as session:
            return session.query(TaskRecord).all()

    def find_all_events(self, session: Any = None) -> list[TaskEvent]:
        """All events of all records."""
        with self._session(session) as session:
            return session.query(TaskEvent).all()

    def find_task_by_id(self, id: int, session: Any = None) -> TaskRecord | None:
        """The record with this key."""
        with self._session(session) as session:
            return _record(session, id)

    def find_task_by_task_id(self, task_id: str, session: Any = None) -> TaskRecord:
        """The last record with this task id; raises `IndexError` if there is none."""
        with self._session(session) as session:
            return session.query(TaskRecord).filter(TaskRecord.task_id == task_id).all()[-1]

    @contextmanager
    def _session(self, session: Any = None) -> Iterator[Any]:
        """The given session, or a new one that is committed at the end and rolled back on an error.

        A session of its own is not closed, so that what hangs on a record can still be loaded.
        """
        if session:
            yield session
            return
        session = self.session_factory()
        try:
            yield session
        except BaseException:
            session.rollback()
            raise
        session.commit()

    def _get_task(self, task: Any, status: str, host: str | None = None) -> task_history.StoredTask:
        stored = self.tasks.get(task.id)
        if stored is None:
            stored = self.tasks[task.id] = task_history.StoredTask(task, status, host)
        stored.status = status
        if host:
            stored.host = host
        return stored

    def _add_event(self, stored: task_history.StoredTask, name: str) -> None:
        """Adds an event to the task's record, which the first event creates."""
        with self._session() as session:
            if stored.record_id is None:
                record = self._new_record(stored)
                session.add(record)
            else:
                logger.debug("Finding task with record_id [%d]", stored.record_id)
                record = _record(session, stored.record_id)
                if record is None:
                    raise Exception("Task with record_id, but no matching Task record!")
            if stored.host:
                record.host = stored.host
            record.events.append(TaskEvent(event_name=name, ts=datetime.datetime.now()))
        stored.record_id = record.id

    @staticmethod
    def _new_record(stored: task_history.StoredTask) -> TaskRecord:
        record = TaskRecord(task_id=stored._task.id, name=stored.task_family, host=stored.host)
        for name, value in stored.parameters.items():
            record.parameters[name] = TaskParameter(name=name, value=value)
        return record


def _text(length: int, **settings: Any) -> Any:
    """A column of texts of at most this many characters."""
    return sqlalchemy.Column(sqlalchemy.String(length), **settings)


def _number(*references: Any, **settings: Any) -> Any:
    """A column of whole numbers."""
    return sqlalchemy.Column(sqlalchemy.Integer, *references, **settings)


def _number_of_record(**settings: Any) -> Any:
    """A column that says to which record of a task the row belongs."""
    return _number(sqlalchemy.ForeignKey("tasks.id"), **settings)


class TaskParameter(Base):
    """The table of the parameters of the recorded tasks."""

    __tablename__ = "task_parameters"
    task_id = _number_of_record(primary_key=True)
    name = _text(128, primary_key=True)
    value = sqlalchemy.Column(sqlalchemy.Text())

    def __repr__(self) -> str:
        return f"TaskParameter(task_id={self.task_id}, name={self.name}, value={self.value})"


class TaskEvent(Base):
    """The table of what happened to the recorded tasks, and when (local time)."""

    __tablename__ = "task_events"
    id = _number(primary_key=True)
    task_id = _number_of_record(index=True)
    event_name = _text(20)
    ts = sqlalchemy.Column(sqlalchemy.TIMESTAMP, index=True, nullable=False)

    def __repr__(self) -> str:
        return f"TaskEvent(task_id={self.task_id}, event_name={self.event_name}, ts={self.ts}"


class TaskRecord(Base):
    """The table of the recorded tasks; `parameters` (by name) and `events` (newest first) hang on a record."""

    __tablename__ = "tasks"
    id = _number(primary_key=True)
    task_id = _text(200, index=True)
    name = _text(128, index=True)
    host = _text(128)
    parameters = sqlalchemy.orm.relationship(
        "TaskParameter",
        collection_class=sqlalchemy.orm.collections.attribute_mapped_collection("name"),
        cascade="all, delete-orphan",
    )
    events = sqlalchemy.orm.relationship(
        "TaskEvent", order_by=(sqlalchemy.desc(TaskEvent.ts), sqlalchemy.desc(TaskEvent.id)), backref="task"
    )

    def __repr__(self) -> str:
        return f"TaskRecord(name={self.name}, host={self.host})"


def _upgrade_schema(engine: Any) -> None:
    """Brings the tables that an old version of Luigi made up to date."""
    inspector = sqlalchemy.inspect(engine)
    with engine.begin() as connection:
        if "task_id" not in {column["name"] for column in inspector.get_columns("tasks")}:
            logger.warning("Upgrading DbTaskHistory schema: Adding tasks.task_id")
            connection.execute(sqlalchemy.text("ALTER TABLE tasks ADD COLUMN task_id VARCHAR(200)"))
            connection.execute(sqlalchemy.text("CREATE INDEX ix_task_id ON tasks (task_id)"))
        _widen_parameter_values(engine, inspector, connection)


# How each database is told to make the values of parameters a text of any length.
_WIDEN_VALUES = {
    "mysql": "ALTER TABLE task_parameters MODIFY COLUMN value TEXT",
    "oracle": "ALTER TABLE task_parameters MODIFY value TEXT",
    "mssql": "ALTER TABLE task_parameters ALTER COLUMN value TEXT",
    "postgresql": "ALTER TABLE task_parameters ALTER COLUMN value TYPE TEXT",
}


def _widen_parameter_values(engine: Any, inspector: Any, connection: Any) -> None:
    [value_type] = [
        str(column["type"]) for column in inspector.get_columns("task_parameters") if column["name"] == "value"
    ]
    dialect = engine.dialect.name
    if dialect == "sqlite":
        if value_type != "TEXT":
            logger.warning(
                "SQLite can not change column types. Please use a new database to pickup column type changes."
            )
    elif dialect not in _WIDEN_VALUES and dialect != "mariadb":
        logger.warning(f"SQLAlcheny dialect {engine.dialect} could not be migrated to the TEXT type")
    elif value_type.split(" ")[0] != "TEXT":
        connection.execute(sqlalchemy.text(_WIDEN_VALUES["mysql" if dialect == "mariadb" else dialect]))
