"""Decorators that give a task class the parameters of others, and the task before a task in time.

``@requires(Other)`` is the short way to a task that needs ``Other`` with the same values: the class gets the parameters
of ``Other`` that it does not have itself, and a ``requires`` method that clones ``Other`` from it. ``@inherits`` adds
only the parameters and the methods ``clone_parent`` and ``clone_parents``.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from typing import Any

from luigi import parameter, task

logger = logging.getLogger("luigi-interface")


def common_params(task_instance: Any, task_cls: Any) -> dict[str, Any]:
    """Returns the values of those parameters of a task that the class ``task_cls`` has too, by name."""
    if not isinstance(task_cls, task.Register):
        raise TypeError("task_cls must be an uninstantiated Task")
    kind: Any = task_cls
    own_names = {name for name, _ in task_instance.get_params()}
    shared = [(name, param) for name, param in kind.get_params() if name in own_names]
    given = {name: task_instance.param_kwargs[name] for name, _ in shared}
    return dict(task_instance.get_param_values(shared, [], given))


class inherits:
    """Class decorator: gives a task the parameters of other task classes, where it has no attribute of that name.

    Classes are passed by position or by name. By position the task gets ``clone_parent()``, which returns the first of
    them as a task with the values of this one, and ``clone_parents()``, which returns a list of all. By name it gets
    only ``clone_parents()``, which returns a dict. Keywords of both override values.
    """

    def __init__(self, *tasks_to_inherit: Any, **kw_tasks_to_inherit: Any) -> None:
        if not tasks_to_inherit and not kw_tasks_to_inherit:
            raise TypeError("tasks_to_inherit or kw_tasks_to_inherit must contain at least one task")
        if tasks_to_inherit and kw_tasks_to_inherit:
            raise TypeError("Only one of tasks_to_inherit or kw_tasks_to_inherit may be present")
        self.tasks_to_inherit = tasks_to_inherit
        self.kw_tasks_to_inherit = kw_tasks_to_inherit

    def __call__(self, task_that_inherits: Any) -> Any:
        for parent in self.tasks_to_inherit or self.kw_tasks_to_inherit.values():
            for name, param in parent.get_params():
                if not hasattr(task_that_inherits, name):
                    setattr(task_that_inherits, name, param)

        if self.tasks_to_inherit:
            task_that_inherits.clone_parent = self._clone_first
            task_that_inherits.clone_parents = self._clone_list
        else:
            task_that_inherits.clone_parents = self._clone_dict
        return task_that_inherits

    @property
    def _clone_first(self) -> Callable[..., Any]:
        def clone_parent(_self: Any, **kwargs: Any) -> Any:
            return _self.clone(cls=self.tasks_to_inherit[0], **kwargs)

        return clone_parent

    @property
    def _clone_list(self) -> Callable[..., Any]:
        def clone_parents(_self: Any, **kwargs: Any) -> list[Any]:
            return [_self.clone(cls=parent, **kwargs) for parent in self.tasks_to_inherit]

        return clone_parents

    @property
    def _clone_dict(self) -> Callable[..., Any]:
        def clone_parents(_self: Any, **kwargs: Any) -> dict[str, Any]:
            return {name: _self.clone(cls=parent, **kwargs) for name, parent in self.kw_tasks_to_inherit.items()}

        return clone_parents


class requires:
    """Class decorator: does what :class:`inherits` does, and requires the other tasks.

    One class by position makes ``requires`` return one task, several make it a list, names make it a dict.
    """

    def __init__(self, *tasks_to_require: Any, **kw_tasks_to_require: Any) -> None:
        self.tasks_to_require = tasks_to_require
        self.kw_tasks_to_require = kw_tasks_to_require

    def __call__(self, task_that_requires: Any) -> Any:
        task_that_requires = inherits(*self.tasks_to_require, **self.kw_tasks_to_require)(task_that_requires)
        single = len(self.tasks_to_require) == 1

        def requires(_self: Any) -> Any:
            return _self.clone_parent() if single else _self.clone_parents()

        task_that_requires.requires = requires
        return task_that_requires


class copies:
    """Class decorator: requires one other task, and makes ``run`` copy its output, line by line, into this one's."""

    def __init__(self, task_to_copy: Any) -> None:
        self.requires_decorator = requires(task_to_copy)

    def __call__(self, task_that_copies: Any) -> Any:
        task_that_copies = self.requires_decorator(task_that_copies)

        @task._task_wraps(task_that_copies)
        class Wrapped(task_that_copies):
            def run(self) -> None:
                with self.output().open("w") as copy:
                    for line in self.input().open("r"):
                        copy.write(line)

        return Wrapped


def delegates(task_that_delegates: Any) -> Any:
    """Class decorator: runs the tasks that ``subtasks()`` returns as a part of this one.

    The scheduler knows nothing of them. What they require, this task requires; their ``run`` is called before its own.
    """
    if not hasattr(task_that_delegates, "subtasks"):
        raise AttributeError(f'{task_that_delegates} needs to implement the method "subtasks"')

    @task._task_wraps(task_that_delegates)
    class Wrapped(task_that_delegates):
        def deps(self) -> list[Any]:
            of_subtasks = [subtask.deps() for subtask in task.flatten(self.subtasks())]
            return task.flatten([self.requires(), of_subtasks])

        def run(self) -> None:
            for subtask in task.flatten(self.subtasks()):
                subtask.run()
            task_that_delegates.run(self)

    return Wrapped


#: How much earlier the task before is, by kind of parameter; the first that fits counts.
_STEPS = (
    (parameter.DateParameter, datetime.timedelta(days=1)),
    (parameter.DateSecondParameter, datetime.timedelta(seconds=1)),
    (parameter.DateMinuteParameter, datetime.timedelta(minutes=1)),
    (parameter.DateHourParameter, datetime.timedelta(hours=1)),
)


def _previous_value(param: Any, value: Any) -> Any:
    for kind, step in _STEPS:
        if isinstance(param, kind):
            return value - step
    return value.prev() if isinstance(param, parameter.DateIntervalParameter) else None


def previous(task: Any) -> Any:
    """Returns the task of the same class one day, hour, minute, second or date interval earlier.

    ``NotImplementedError`` unless exactly one parameter is a date, a time or a date interval.
    """
    values = {name: getattr(task, name) for name, _ in task.get_params()}
    earlier = {name: _previous_value(param, values[name]) for name, param in task.get_params()}
    earlier = {name: value for name, value in earlier.items() if value is not None}
    if not earlier:
        raise NotImplementedError("No task parameter - can't determine previous task")
    if len(earlier) > 1:
        raise NotImplementedError("Too many date-related task parameters - can't determine previous task")
    return task.clone(**{**values, **earlier})


def get_previous_completed(task: Any, max_steps: int = 10) -> Any:
    """Returns the nearest earlier task that is complete, ``None`` if none of ``max_steps`` is."""
    for _ in range(max_steps):
        task = previous(task)
        logger.debug("Checking if %s is complete", task)
        if task.complete():
            return task
    return None
