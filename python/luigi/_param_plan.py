"""What is constant about the parameters of a task class, worked out once, and how a call's arguments become values.

A plan lives on its class as ``_param_plan``. The metaclass drops it when an attribute of the class or of a base that is
a task is set. Other bases change unseen: for those the plan knows what to compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from luigi import parameter
from luigi.task_register import Register

_UNCHANGING_MODULES = frozenset({"builtins", "abc", "typing", "collections.abc"})
_NO_PARAMETER_TYPES = (type(lambda: None), property, classmethod, staticmethod, str, int, dict)


class ParamPlan:
    """The parameters of one class.

    ``pairs`` is ``[(name, parameter)]`` in the order in which the parameters were made, and ``by_name`` the same as a
    dict. ``standard`` tells that the class resolves arguments as :class:`luigi.Task` does. ``family`` is ``None`` where
    it must be asked for each time. ``watched`` is what :meth:`is_stale` compares, mostly nothing. ``facts`` is what
    the engine keeps of the class.
    """

    __slots__ = ("pairs", "by_name", "standard", "family", "watched", "facts")

    def __init__(self, cls: Any, standard: bool, family: str | None) -> None:
        self.watched: list[tuple[Mapping[str, Any], int, list]] = [
            (base.__dict__, len(base.__dict__), [])
            for base in cls.__mro__
            if not isinstance(base, Register) and base.__module__ not in _UNCHANGING_MODULES
        ]
        found = _find_parameters(cls)
        for contents, _, own_parameters in self.watched:
            own_parameters.extend(item for item in contents.items() if isinstance(item[1], parameter.Parameter))
        # Parameters of the same creation number are one object under several names.
        self.pairs = sorted(found.items(), key=lambda pair: (pair[1]._counter, pair[0]))
        self.by_name = dict(self.pairs)
        self.standard = standard
        self.facts: Any = None
        # A namespace may come from a base that is not a task.
        self.family = None if self.watched else family

    def is_stale(self) -> bool:
        """Tells whether a base that is not a task gained, lost or replaced a parameter."""
        for contents, size, own_parameters in self.watched:
            if len(contents) != size or any(contents.get(name) is not param for name, param in own_parameters):
                return True
        return False


def _find_parameters(cls: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        attributes.update(base.__dict__)
    found = {}
    for name, value in attributes.items():
        if isinstance(value, parameter.Parameter):
            found[name] = value
        elif name.startswith("__") or isinstance(value, _NO_PARAMETER_TYPES):
            continue
        elif hasattr(type(value), "__get__"):
            # A descriptor of the user's may answer with a parameter when it is asked through the class.
            value = getattr(cls, name, None)
            if isinstance(value, parameter.Parameter):
                found[name] = value
    return found


def resolve(
    cls: Any,
    family: str,
    pairs: Iterable[tuple[str, Any]],
    by_name: Mapping[str, Any],
    args: tuple,
    kwargs: Mapping[str, Any],
) -> list[tuple[str, Any]]:
    """Returns ``[(name, value)]`` for all parameters: given, else from command line, configuration or default.

    Raises the exceptions of :mod:`luigi.parameter` for a call that does not fit, ``ValueError`` where a default does
    not parse, and whatever a parameter's ``normalize`` raises.
    """
    values: dict[str, Any] = {}
    if args:
        positional = [pair for pair in pairs if pair[1].positional]
        for position, arg in enumerate(args):
            if position >= len(positional):
                raise parameter.UnknownParameterException(
                    f"{_call_text(family, args, kwargs)}: takes at most {len(positional)} parameters "
                    f"({len(args)} given)"
                )
            name, param = positional[position]
            values[name] = param.normalize(arg)

    for name, arg in kwargs.items():
        if name in values:
            raise parameter.DuplicateParameterException(
                f"{_call_text(family, args, kwargs)}: parameter {name} was already set as a positional parameter"
            )
        param = by_name.get(name)
        if param is None:
            raise parameter.UnknownParameterException(f"{_call_text(family, args, kwargs)}: unknown parameter {name}")
        values[name] = param.normalize(arg)

    resolved = []
    for name, param in pairs:
        value = values[name] if name in values else _default_value(family, name, param, args, kwargs)
        # Lists and sets could not be hashed.
        resolved.append((name, tuple(value) if isinstance(value, (list, set)) else value))
    return resolved


def _default_value(family: str, name: str, param: Any, args: tuple, kwargs: Mapping[str, Any]) -> Any:
    kind = type(param)
    at_once = kind.has_task_value is _HAS_TASK_VALUE and kind.task_value is _TASK_VALUE
    try:
        if at_once:
            value = param._get_value(family, name)
            present = value is not parameter._no_value
        else:
            present = param.has_task_value(family, name)
    except Exception as problem:
        raise ValueError(
            f"{_call_text(family, args, kwargs)}: Error when parsing the default value of '{name}'"
        ) from problem
    if not present:
        raise parameter.MissingParameterException(
            f"{_call_text(family, args, kwargs)}: requires the '{name}' parameter to be set"
        )
    return param.normalize(value) if at_once else param.task_value(family, name)


_HAS_TASK_VALUE = parameter.Parameter.has_task_value
_TASK_VALUE = parameter.Parameter.task_value


def _call_text(family: str, args: tuple, kwargs: Mapping[str, Any]) -> str:
    return f"{family}[args={args}, kwargs={kwargs}]"
