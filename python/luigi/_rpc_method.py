"""The remote methods of the scheduler, from a client's side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

#: The remote methods by name, as a client calls them.
RPC_METHODS: dict[str, Callable[..., Any]] = {}

_Method = TypeVar("_Method", bound=Callable[..., Any])


def rpc_method(**request_args: Any) -> Callable[[_Method], _Method]:
    """Make a method of the scheduler a remote one.

    The client's side of it goes to ``RPC_METHODS``: it sends all arguments, those with defaults too, to ``_request``,
    with `request_args`.
    """

    def register(method: _Method) -> _Method:
        name = method.__name__
        code = method.__code__
        names = code.co_varnames[1 : code.co_argcount]
        values = method.__defaults__ or ()
        defaults = dict(zip(names[len(names) - len(values) :], values, strict=True))
        required = [argument for argument in names if argument not in defaults]
        path = f"/api/{name}"

        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            arguments = {**defaults, **dict(zip(names, args)), **kwargs}  # noqa: B905 - too many are cut off, as in Luigi
            if any(argument not in arguments for argument in required):
                raise TypeError(f"{name} takes {len(names)} arguments ({len(arguments)} given)")
            return self._request(path, arguments, **request_args)

        call.__name__, call.__qualname__, call.__doc__ = name, name, method.__doc__
        call.__wrapped__ = method  # type: ignore[attr-defined]
        RPC_METHODS[name] = call
        return method

    return register
