"""Parameters whose values come from a limited set: members of an enum, listed choices, numbers of a range."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, TypeVar

from luigi._parameter.base import OptionalParameterMixin, Parameter, ParameterException, _no_value

EnumParameterType = TypeVar("EnumParameterType", bound=Enum)
NumericalType = TypeVar("NumericalType", int, float)
ChoiceType = TypeVar("ChoiceType")


def _described(description: str | None, addition: str) -> str:
    return f"{description} {addition}" if description else addition


class EnumParameter(Parameter[EnumParameterType]):
    """A member of an enum, written as its name.

    :param enum: the enum class; it must be given.
    """

    def __init__(self, default: Any = _no_value, *, enum: Any = None, **kwargs: Any) -> None:
        if enum is None:
            raise ParameterException("An enum class must be specified.")
        self._enum = enum
        super().__init__(default=default, **kwargs)

    def parse(self, x: str) -> Any:
        try:
            return self._enum[x]
        except KeyError:
            raise ValueError("Invalid enum value - could not be parsed")

    def serialize(self, x: Any) -> str:
        return x.name


class EnumListParameter(Parameter[EnumParameterType]):
    """A tuple of members of an enum, written as their names with commas between; the empty string is the empty tuple.

    :param enum: the enum class; it must be given.
    """

    _sep = ","

    def __init__(self, default: Any = _no_value, *, enum: Any = None, **kwargs: Any) -> None:
        if enum is None:
            raise ParameterException("An enum class must be specified.")
        self._enum = enum
        super().__init__(default=default, **kwargs)

    def parse(self, x: str) -> tuple:
        members = []
        for index, name in enumerate(() if x == "" else x.split(self._sep)):
            try:
                members.append(self._enum[name])
            except KeyError:
                raise ValueError(f'Invalid enum value "{name}" index {index} - could not be parsed')
        return tuple(members)

    def serialize(self, x: Iterable[Any]) -> str:
        return self._sep.join(member.name for member in x)


class NumericalParameter(Parameter[NumericalType]):
    """A number of a range, by default with its lower end and without its upper end. Only what is parsed is checked.

    :param var_type: ``int`` or ``float``.
    :param min_value: the lower end.
    :param max_value: the upper end.
    :param left_op: ``operator.le`` if the lower end belongs to the range, else ``operator.lt``.
    :param right_op: ``operator.le`` if the upper end belongs to the range, else ``operator.lt``.
    """

    def __init__(
        self,
        default: Any = _no_value,
        *,
        var_type: Any = None,
        min_value: Any = None,
        max_value: Any = None,
        left_op: Callable[[Any, Any], bool] = operator.le,
        right_op: Callable[[Any, Any], bool] = operator.lt,
        **kwargs: Any,
    ) -> None:
        for name, given in (("var_type", var_type), ("min_value", min_value), ("max_value", max_value)):
            if given is None:
                raise ParameterException(f"{name} must be specified")
        self._var_type = var_type
        self._min_value = min_value
        self._max_value = max_value
        self._left_op = left_op
        self._right_op = right_op
        opening = "[" if left_op == operator.le else "("
        closing = ")" if right_op == operator.lt else "]"
        self._permitted_range = f"{var_type.__name__} in {opening}{min_value}, {max_value}{closing}"
        super().__init__(default=default, **kwargs)
        self.description = _described(self.description, f"permitted values: {self._permitted_range}")

    def parse(self, x: Any) -> Any:
        value = self._var_type(x)
        if self._left_op(self._min_value, value) and self._right_op(value, self._max_value):
            return value
        raise ValueError(f"{x} is not in the set of {self._permitted_range}")


class OptionalNumericalParameter(OptionalParameterMixin[NumericalType], NumericalParameter[NumericalType]):
    """A number of a range or ``None``."""

    def __init__(self, default: Any = _no_value, **kwargs: Any) -> None:
        NumericalParameter.__init__(self, default=default, **kwargs)
        self.expected_type = self._var_type


class ChoiceParameter(Parameter[ChoiceType]):
    """One of the listed values. An :class:`EnumParameter` does the same with names.

    :param choices: the values, each of type ``var_type``; they must be given.
    :param var_type: the values' type, which is called to read a string.
    """

    def __init__(
        self, default: Any = _no_value, *, choices: Iterable[Any] | None = None, var_type: Any = str, **kwargs: Any
    ) -> None:
        if choices is None:
            raise ParameterException("A choices iterable must be specified")
        self._choices = set(choices)
        self._var_type = var_type
        assert all(type(choice) is var_type for choice in self._choices), "Invalid type in choices"
        super().__init__(default=default, **kwargs)
        listed = ", ".join(map(str, self._choices))
        self.description = _described(self.description, f"Choices: {{{listed}}}")

    def parse(self, x: Any) -> Any:
        return self.normalize(self._var_type(x))

    def normalize(self, x: Any) -> Any:
        """Raises ``ValueError`` for what is no choice."""
        if x not in self._choices:
            raise ValueError(f"{x} is not a valid choice from {self._choices}")
        return x


class ChoiceListParameter(ChoiceParameter[ChoiceType]):
    """A tuple of listed values, written with commas between; the empty string is the empty tuple.

    :param choices: the values, each of type ``var_type``; they must be given. Only strings can be serialised.
    :param var_type: the values' type, which is called to read a string.
    """

    _sep = ","

    def __init__(
        self, default: Any = _no_value, var_type: Any = str, choices: Iterable[Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(default=default, var_type=var_type, choices=choices, **kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return super().__get__(instance, owner)

    def parse(self, x: str) -> tuple:
        return self.normalize(map(self._var_type, () if x == "" else x.split(self._sep)))

    def normalize(self, x: Iterable[Any]) -> tuple:
        """Raises ``ValueError`` if one of the values is no choice."""
        check = super().normalize
        return tuple([check(value) for value in x])

    def serialize(self, x: Iterable[str]) -> str:
        return self._sep.join(x)


class OptionalChoiceParameter(OptionalParameterMixin[ChoiceType], ChoiceParameter[ChoiceType]):
    """One of the listed values or ``None``."""

    def __init__(
        self, default: Any = _no_value, var_type: Any = str, choices: Iterable[Any] | None = None, **kwargs: Any
    ) -> None:
        ChoiceParameter.__init__(self, default=default, var_type=var_type, choices=choices, **kwargs)
        self.expected_type = self._var_type
