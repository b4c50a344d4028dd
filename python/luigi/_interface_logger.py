"""The logger of the worker, which says several lines of each task."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from condotta import _engine

# What Luigi sets up where nothing else is configured; the engine knows it, too.
PLAIN_FORMAT = "%(levelname)s: %(message)s"

# Each look into a module and each call of a function writes to memory, which a forked process has to copy first.
_OF_LOGGING: dict[str, Any] = logging.__dict__
_LEVEL_NAMES: dict[int, str] = _OF_LOGGING["_levelToName"]


class InterfaceLogger(logging.Logger):
    """A logger that writes at once where a line is all that a record would be used for.

    That is so with one handler of standard error in Luigi's own format and nobody else who listens. A
    record then costs five times as much as the line. In any other case it is an ordinary logger.
    """

    def _log(
        self,
        level: int,
        msg: object,
        args: Any,
        exc_info: Any = None,
        extra: Any = None,
        stack_info: bool = False,
        stacklevel: int = 1,
    ) -> None:
        if not exc_info and not extra and not stack_info and (handler := self._plain_handler(level)) is not None:
            try:
                text = str(msg)
                name = _LEVEL_NAMES.get(level) or logging.getLevelName(level)
                line = f"{name}: {text % self._values(args) if args else text}{handler.terminator}"
            except Exception:
                pass  # logging itself has a way to complain of such a line.
            else:
                with handler.lock:
                    try:
                        stream = handler.stream
                        stream.write(line)
                        if hasattr(stream, "flush"):
                            stream.flush()
                    except Exception as error:
                        complain(self, handler, error, level, msg, *args)
                return
        super()._log(level, msg, args, exc_info, extra, stack_info, stacklevel + 1)

    @staticmethod
    def _values(args: Any) -> Any:
        # As a record has it: one mapping is what the names in the text are looked up in.
        if len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
            return args[0]
        return args

    def _plain_handler(self, level: int) -> Any:
        """The handler to which the line alone is all, if that is how things are now."""
        return _engine.plain_handler(self, level)


def complain(
    logger: logging.Logger, handler: logging.Handler, error: Exception, level: int, msg: object, *args: Any
) -> None:
    """Does what ``logging`` does where a line cannot be written: nothing ends because nobody reads its log."""
    try:
        raise error
    except RecursionError:
        raise
    except Exception:
        handler.handleError(logger.makeRecord(logger.name, level, "(unknown file)", 0, msg, args, None))


def interface_logger() -> logging.Logger:
    """The logger ``luigi-interface``. One of another class than Python's own is left as it is."""
    logger = logging.getLogger("luigi-interface")
    if type(logger) is logging.Logger:
        logger.__class__ = InterfaceLogger
    return logger
