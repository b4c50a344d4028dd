"""``Parameter``, the mixin that makes a parameter optional, and what goes with both: exceptions, visibility, no value.

The types that a type checker sees are those of ``luigi/parameter.pyi``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import Any, Generic, TypeVar

from luigi import _warnings, configuration
from luigi.cmdline_parser import CmdlineParser
from luigi.configuration.base_parser import BaseParser

T = TypeVar("T")
_OptT = TypeVar("_OptT")


def facade() -> Any:
    """Returns :mod:`luigi.parameter`: its ``warnings`` and ``_JSONSCHEMA_ENABLED`` are there for tests to replace."""
    return sys.modules["luigi.parameter"]


def warn(message: str, *category: type[Warning]) -> None:
    """Warns at the user's line, or as whoever took the place of ``luigi.parameter.warnings`` does."""
    if facade().warnings is warnings:
        _warnings.warn(message, *category)
    else:
        facade().warnings.warn(message, *category)


class _NoValueType:
    """The type of the one object that means "no value was given"."""

    _instance: _NoValueType | None = None

    def __new__(cls) -> _NoValueType:
        cls._instance = cls._instance or super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "<no_value>"


_no_value = _NoValueType()


class ParameterVisibility(IntEnum):
    """Who gets to see a parameter's value."""

    #: Shown, and part of the task's id if the parameter is significant.
    PUBLIC = 0
    #: Sent to the scheduler, but not shown there and not part of the id.
    HIDDEN = 1
    #: Never leaves the worker. A task that is built from what the scheduler knows has the default instead.
    PRIVATE = 2

    @classmethod
    def has_value(cls, value: Any) -> bool:
        """Tells whether ``value`` is a visibility or the number of one."""
        return any(value == member for member in cls)

    def serialize(self) -> int:
        """Returns the number that the scheduler is sent."""
        return self.value


class ParameterException(Exception):
    """Base of the exceptions about parameters."""


class MissingParameterException(ParameterException):
    """A parameter without a default was given no value."""


class UnknownParameterException(ParameterException):
    """A value was given for a parameter that the task does not have."""


class DuplicateParameterException(ParameterException):
    """A parameter was given both by position and by name."""


class OptionalParameterTypeWarning(UserWarning):
    """An optional parameter has a value that is neither ``None`` nor of its type."""


class UnconsumedParameterWarning(UserWarning):
    """The configuration has a value in a task's section that the task does not use."""


class Parameter(Generic[T]):
    """A value that identifies a task, as a class attribute: ``name = luigi.Parameter()``. Here it is a string.

    A task gets its value from the first of these: the constructor's argument (or the flag ``--name`` of the root task),
    the flag ``--Family-name``, the configuration ``[Family] name``, the default. Strings of the command line and of the
    configuration go through :meth:`parse`, and every value through :meth:`normalize`.

    :param default: the value if none is given, of the type that the task sees. Without a default a value must be given.
    :param is_global: not supported any more; taken as ``positional=False``, with a warning.
    :param significant: whether the value is part of what makes two tasks different.
    :param description: the help text of the flags.
    :param config_path: ``{"section": …, "name": …}``, a second place in the configuration. Deprecated.
    :param positional: whether the constructor takes the value by position.
    :param always_in_help: whether ``--help`` shows the flag even when another task is the root.
    :param batch_method: makes one value of an iterable of values, so that several tasks can run as one.
    :param visibility: a :class:`ParameterVisibility`; anything else counts as ``PUBLIC``.
    """

    # Parameters keep the order in which they were made, also when a decorator copies them to other classes.
    _counter = 0
    _attribute_name: str | None = None

    def __init__(
        self,
        default: Any = _no_value,
        is_global: bool = False,
        significant: bool = True,
        description: str | None = None,
        config_path: dict[str, str] | None = None,
        positional: bool = True,
        always_in_help: bool = False,
        batch_method: Callable[[Iterable[Any]], Any] | None = None,
        visibility: ParameterVisibility = ParameterVisibility.PUBLIC,
    ) -> None:
        if is_global:
            warn("is_global support is removed. Assuming positional=False", DeprecationWarning)
            positional = False
        if config_path is not None and not {"section", "name"}.issubset(config_path):
            raise ParameterException("config_path must be a hash containing entries for section and name")
        self._default = default
        self._batch_method = batch_method
        self._config_path = config_path
        self.significant = significant
        self.positional = positional
        self.visibility = visibility if ParameterVisibility.has_value(visibility) else ParameterVisibility.PUBLIC
        self.description = description
        self.always_in_help = always_in_help
        self._counter = Parameter._counter
        Parameter._counter += 1

    def __set_name__(self, owner: Any, name: str) -> None:
        self._attribute_name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        return instance.__dict__[self._attribute_name]

    def __set__(self, instance: Any, value: Any) -> None:
        if self._attribute_name is None:
            raise RuntimeError("Parameter name not set. ensure it's defined as a class attribute.")
        instance.__dict__[self._attribute_name] = value

    def parse(self, x: Any) -> Any:
        """Returns the value that a string of the command line, the configuration or the scheduler means.

        Here the string itself; subclasses override it and raise ``ValueError`` for what they do not understand.
        """
        return x

    def serialize(self, x: Any) -> str:
        """Returns the string that :meth:`parse` turns into ``x`` again. It is part of the task's id."""
        return str(x)

    def normalize(self, x: Any) -> Any:
        """Returns the value that a task shall have for ``x``, or raises for a value it must not have.

        ``x`` is a parsed string, a default or an argument of the constructor. Subclasses round or convert here.
        """
        return x

    def next_in_enumeration(self, value: Any) -> Any:
        """Returns the value after ``value``, ``None`` if the values have no such order.

        The execution summary writes ``n=1...4`` for tasks whose values follow each other.
        """
        return None

    def has_task_value(self, task_name: str, param_name: str) -> bool:
        """Tells whether the family ``task_name`` gets a value without an argument."""
        return self._get_value(task_name, param_name) is not _no_value

    def task_value(self, task_name: str, param_name: str) -> Any:
        """Returns the value that the family ``task_name`` gets without an argument.

        Raises :class:`MissingParameterException` if there is none.
        """
        value = self._get_value(task_name, param_name)
        if value is _no_value:
            raise MissingParameterException("No default specified")
        return self.normalize(value)

    def _get_value(self, task_name: str, param_name: str) -> Any:
        for value, warning in self._value_iterator(task_name, param_name):
            if value is not _no_value:
                if warning:
                    # It is about a file, and no line of the user's.
                    warnings = facade().warnings
                    warnings.warn(warning, DeprecationWarning)
                return value
        return _no_value

    def _value_iterator(self, task_name: str, param_name: str) -> Iterator[tuple[Any, str | None]]:
        """Yields ``(value or _no_value, deprecation warning or None)`` for each place of a value, the best first."""
        command_line = CmdlineParser.get_instance()
        if command_line:
            text = getattr(command_line.known_args, self._parser_global_dest(param_name, task_name), None)
            yield self._parse_or_no_value(text), None

        yield self._get_value_from_config(task_name, param_name), None
        if self._config_path:
            section, name = self._config_path["section"], self._config_path["name"]
            yield (
                self._get_value_from_config(section, name),
                f"The use of the configuration [{section}] {name} is deprecated. Please use [{task_name}] {param_name}",
            )
        yield self._default, None

    def _get_value_from_config(self, section: str, name: str) -> Any:
        config = configuration.get_config()
        if isinstance(config, BaseParser):
            value = config._value_or(section, name, _no_value)
        else:  # something that a test put in the parser's place
            value = BaseParser._value_or(config, section, name, _no_value)
        return value if value is _no_value else self.parse(value)

    def _parse_or_no_value(self, x: Any) -> Any:
        return self.parse(x) if x else _no_value

    def _is_batchable(self) -> bool:
        return self._batch_method is not None

    def _parse_list(self, xs: Any) -> Any:
        """Returns the one value for the strings of several tasks, by ``batch_method``."""
        if self._batch_method is None:
            raise NotImplementedError("No batch method found")
        if not xs:
            raise ValueError("Empty parameter list passed to parse_list")
        return self._batch_method(map(self.parse, xs))

    def _warn_on_wrong_param_type(self, param_name: str, param_value: Any) -> None:
        # Subclasses have values of other types.
        if self.__class__ is Parameter and not isinstance(param_value, str):
            warn(f'Parameter "{param_name}" with value "{param_value}" is not of type string.')

    @staticmethod
    def _parser_global_dest(param_name: str, task_name: str) -> str:
        return task_name + "_" + param_name

    @classmethod
    def _parser_kwargs(cls, param_name: str, task_name: str | None = None) -> dict[str, Any]:
        """Returns the keywords of ``ArgumentParser.add_argument``, for the family's flag or for the root task's."""
        dest = cls._parser_global_dest(param_name, task_name) if task_name else param_name
        return {"action": "store", "dest": dest}


class UnsetParameter(Parameter[Any]):
    """A text or ``None``, which is written as Luigi's plain parameters write it: ids of tasks have that text.

    Nobody is warned of a ``None`` that is Luigi's own default.
    """


class OptionalParameterMixin(Generic[_OptT]):
    """Put before a parameter class, makes ``None`` a value and the default. On the command line it is the empty string.

    ``expected_type`` is the type of other values, or a tuple of types: others are warned about.
    """

    expected_type: Any = type(None)

    def __init__(self, default: Any = None, **kwargs: Any) -> None:
        super().__init__(default=default, **kwargs)  # type: ignore[call-arg]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return super().__get__(instance, owner)  # type: ignore[misc]

    def __set__(self, instance: Any, value: Any) -> None:
        super().__set__(instance, value)  # type: ignore[misc]

    def serialize(self, x: Any) -> str:
        """Returns the empty string for ``None``."""
        return "" if x is None else super().serialize(x)  # type: ignore[misc]

    def parse(self, x: Any) -> Any:
        """Returns ``None`` for the empty string, and what is no string as it is."""
        if not isinstance(x, str):
            return x
        return super().parse(x) if x else None  # type: ignore[misc]

    def normalize(self, x: Any) -> Any:
        """Leaves ``None`` alone."""
        return None if x is None else super().normalize(x)  # type: ignore[misc]

    def next_in_enumeration(self, value: Any) -> None:
        """Returns ``None``: a sequence with gaps is not enumerated."""

    def _warn_on_wrong_param_type(self, param_name: str, param_value: Any) -> None:
        if param_value is None or isinstance(param_value, self.expected_type):
            return
        if isinstance(self.expected_type, type):
            expected = f'type "{self.expected_type.__name__}"'
        else:
            names = ", ".join(f'"{kind.__name__}"' for kind in self.expected_type)
            expected = f"any type in [{names}]"
        warn(
            f'{self.__class__.__name__} "{param_name}" with value "{param_value}" is not of {expected} or None.',
            OptionalParameterTypeWarning,
        )


class OptionalParameter(OptionalParameterMixin[str], Parameter[str]):
    """A string or ``None``."""

    expected_type = str


class OptionalStrParameter(OptionalParameterMixin[str], Parameter[str]):
    """A string or ``None``."""

    expected_type = str


class StrParameter(Parameter[str]):
    """A string."""

    def parse(self, x: Any) -> str:
        return str(x)
