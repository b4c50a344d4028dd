"""Warnings that point at the line of the user's which they are about.

Whoever calls this need not know how many frames of the package lie between.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import warnings
from types import FrameType

_PACKAGE = os.path.dirname(__file__) + os.sep
_LIBRARY = os.path.dirname(os.__file__) + os.sep
#: Scripts that pip made: nobody wrote their lines.
_COMMANDS = {"luigi", "luigid", "luigi-deps", "luigi-deps-tree", "luigi-grep", "condotta"}


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warns at the nearest line outside of the package; where there is none, at the line that calls this."""
    caller = frame = sys._getframe(1)
    while frame.f_back is not None and _is_passed_over(frame):
        frame = frame.f_back
    if _is_passed_over(frame) or _is_command(frame):
        frame = caller
    _warn_at(message, category, frame.f_code.co_filename, frame.f_lineno, frame.f_globals)


def warn_of_class(message: str, cls: type, category: type[Warning] = UserWarning) -> None:
    """Warns at the line where the class is defined, or where :func:`warn` does if that cannot be found."""
    import inspect

    names = vars(sys.modules.get(cls.__module__, object)) if cls.__module__ else {}
    with contextlib.suppress(OSError, TypeError):
        path = inspect.getsourcefile(cls)
        if path is not None and not path.startswith(_PACKAGE):
            _warn_at(message, category, path, _line(cls), names)
            return
    warn(message, category)


def _warn_at(message: str, category: type[Warning], path: str, line: int, names: dict) -> None:
    # A mapping of a module that ends has no place for what was shown already.
    registry = names.setdefault("__warningregistry__", {}) if isinstance(names, dict) else {}
    warnings.warn_explicit(message, category, path, line, names.get("__name__"), registry)


def _is_passed_over(frame: FrameType) -> bool:
    path = frame.f_code.co_filename
    if path.startswith((_PACKAGE, "<frozen ")):
        return True
    # Other people's packages may lie below the standard library.
    return path.startswith(_LIBRARY) and "-packages" + os.sep not in path


def _is_command(frame: FrameType) -> bool:
    name = os.path.splitext(os.path.basename(frame.f_code.co_filename))[0]
    return frame.f_globals.get("__name__") == "__main__" and name in _COMMANDS


@functools.lru_cache(maxsize=64)
def _line(cls: type) -> int:
    import inspect

    line = getattr(cls, "__firstlineno__", None)
    return line if isinstance(line, int) else inspect.getsourcelines(cls)[1]
