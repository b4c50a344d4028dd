"""The metaclass of all task classes: it registers them by family and keeps one instance per class and values."""

from __future__ import annotations

import abc
import logging
from collections.abc import Iterator
from typing import Any

logger = logging.getLogger("luigi-interface")


class TaskClassException(Exception):
    """A task family does not lead to one class."""


class TaskClassNotFoundException(TaskClassException):
    """No registered class has the family."""


class TaskClassAmbigiousException(TaskClassException):
    """Several unrelated classes have the family. (The misspelled name is Luigi's.)"""


class Register(abc.ABCMeta):
    """The metaclass of :class:`luigi.Task`.

    Calling a class with parameter values that were given before returns the same object as before, and each class can
    be found by its family, which is computed when it is looked up: it may change after the class was made.
    """

    __instance_cache: dict[Any, Any] | None = {}
    _default_namespace_dict: dict[str, str] = {}
    _reg: list[Any] = []

    #: Stands for a class in :meth:`_get_reg` where several unrelated classes have one family.
    AMBIGUOUS_CLASS = object()

    # What is constant about a class's parameters, made when first needed; see luigi._param_plan.
    _param_plan: Any

    def __new__(metacls, classname: str, bases: tuple, classdict: dict, **kwargs: Any) -> Any:
        # In place before anyone can ask for it, such as an __init_subclass__ of the user's.
        classdict["_param_plan"] = None
        cls = super().__new__(metacls, classname, bases, classdict, **kwargs)
        # The namespace in force now stays that of the class.
        type.__setattr__(cls, "_namespace_at_class_time", metacls._get_namespace(cls.__module__))
        metacls._reg.append(cls)
        return cls

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        cache = cls.__instance_cache
        if cache is None:
            return super().__call__(*args, **kwargs)

        key = (cls, tuple(cls._values_of_call(args, kwargs)))  # type: ignore[attr-defined]
        try:
            return cache[key]
        except KeyError:
            pass
        except TypeError:
            logger.debug("Not all parameter values are hashable so instance isn't coming from the cache")
            return super().__call__(*args, **kwargs)
        instance = cache[key] = super().__call__(*args, **kwargs)
        return instance

    def __setattr__(cls, name: str, value: Any) -> None:
        # A parameter that is put on an existing class learns its name here, as the class statement would have told it.
        if getattr(value, "_attribute_name", "") is None and not isinstance(value, type):
            value.__set_name__(cls, name)
        super().__setattr__(name, value)
        cls._forget_plans()

    def __delattr__(cls, name: str) -> None:
        super().__delattr__(name)
        cls._forget_plans()

    def _forget_plans(cls) -> None:
        type.__setattr__(cls, "_param_plan", None)
        subclasses: list[Any] = type.__subclasses__(cls)
        for subclass in subclasses:
            subclass._forget_plans()

    @classmethod
    def clear_instance_cache(cls) -> None:
        """Forgets all instances, and keeps them again from now on."""
        cls.__instance_cache = {}

    @classmethod
    def disable_instance_cache(cls) -> None:
        """Makes each call of a task class return a new object."""
        cls.__instance_cache = None

    @property
    def task_family(cls) -> str:
        """The family of the class: its name, after its namespace and a dot if it has one."""
        namespace = cls.get_task_namespace()  # type: ignore[attr-defined]
        return f"{namespace}.{cls.__name__}" if namespace else cls.__name__

    @classmethod
    def _get_reg(cls) -> dict[str, Any]:
        """Returns the classes by family, with :attr:`AMBIGUOUS_CLASS` where several unrelated ones share it.

        Of a class and its subclass with the same family the subclass is meant: decorators wrap tasks in this way.
        """
        reg: dict[str, Any] = {}
        for task_cls in cls._reg:
            if not task_cls._visible_in_registry:
                continue
            family = task_cls.get_task_family()
            earlier = reg.setdefault(family, task_cls)
            if earlier is Register.AMBIGUOUS_CLASS or not issubclass(task_cls, earlier):
                reg[family] = Register.AMBIGUOUS_CLASS
            else:
                reg[family] = task_cls
        return reg

    @classmethod
    def _set_reg(cls, reg: dict[str, Any]) -> None:
        """Registers the given classes only: what :meth:`_get_reg` returned earlier."""
        cls._reg = [task_cls for task_cls in reg.values() if task_cls is not cls.AMBIGUOUS_CLASS]

    @classmethod
    def task_names(cls) -> list[str]:
        """Returns all families, sorted."""
        return sorted(cls._get_reg())

    @classmethod
    def tasks_str(cls) -> str:
        """Returns all families, joined by commas."""
        return ",".join(cls.task_names())

    @classmethod
    def get_task_cls(cls, name: str) -> Any:
        """Returns the class of a family, or raises a :class:`TaskClassException`."""
        task_cls = cls._get_reg().get(name)
        if not task_cls:
            raise TaskClassNotFoundException(cls._missing_task_msg(name))
        if task_cls is cls.AMBIGUOUS_CLASS:
            raise TaskClassAmbigiousException(f"Task {name!r} is ambiguous")
        return task_cls

    @classmethod
    def get_all_params(cls) -> Iterator[tuple[str, bool, str, Any]]:
        """Yields ``(family, without section, name, parameter)`` for all parameters of all classes.

        The flag tells that the command line has the parameter without the family before its name.
        """
        for family, task_cls in cls._get_reg().items():
            if task_cls is not cls.AMBIGUOUS_CLASS:
                for name, param in task_cls.get_params():
                    yield family, (not task_cls.use_cmdline_section), name, param

    @staticmethod
    def _editdistance(a: str, b: str) -> int:
        """Returns the least number of letters to insert, delete or replace to turn ``a`` into ``b``."""
        above = list(range(len(b) + 1))
        for row, letter in enumerate(a, 1):
            current = [row]
            for column, other in enumerate(b, 1):
                replaced = above[column - 1] + (letter != other)
                current.append(min(replaced, above[column] + 1, current[-1] + 1))
            above = current
        return above[-1]

    @classmethod
    def _missing_task_msg(cls, task_name: str) -> str:
        names = cls.task_names()
        distances = {name: cls._editdistance(task_name, name) for name in names}
        near = [name for name in names if distances[name] <= 5 and distances[name] < len(name)]
        if near:
            near.sort(key=distances.__getitem__)
            return f"No task {task_name}. Did you mean:\n" + "\n".join(near)
        return f"No task {task_name}. Candidates are: {cls.tasks_str()}"

    @classmethod
    def _get_namespace(mcs, module_name: str) -> str:
        namespaces = (mcs._default_namespace_dict.get(scope) for scope in mcs._module_parents(module_name))
        return next(filter(None, namespaces), "")

    @staticmethod
    def _module_parents(module_name: str) -> Iterator[str]:
        """Yields the module's name, those of the packages around it from the inside out, and ``""`` for all modules."""
        scope = module_name
        while scope:
            yield scope
            scope = scope.rpartition(".")[0]
        yield ""


def load_task(module: str | None, task_name: str, params_str: dict[str, Any]) -> Any:
    """Returns the task of a family with the given serialised values, once ``module`` is imported (if not ``None``)."""
    if module is not None:
        __import__(module)
    return Register.get_task_cls(task_name).from_str_params(params_str)
