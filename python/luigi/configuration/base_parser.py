"""What both configuration parsers share: a single instance, and the list of files that it was read from."""

from __future__ import annotations

import logging
from configparser import NoOptionError, NoSectionError
from typing import Any, ClassVar


class BaseParser:
    """Mixin for a parser class with a shared instance.

    A subclass has ``enabled`` (can it be used here?), ``_config_paths`` and a ``read`` method that takes such paths.
    """

    enabled: ClassVar[bool]
    _instance: ClassVar[Any] = None
    _config_paths: ClassVar[list[str]] = []

    @classmethod
    def instance(cls, *args: Any, **kwargs: Any) -> Any:
        """Returns the shared parser; the first call creates it and reads its files."""
        parser = cls._instance
        if parser is None:
            parser = cls._instance = cls(*args, **kwargs)
            logging.getLogger("luigi-interface").info("Loaded %r", parser.reload())
        return parser

    @classmethod
    def add_config_path(cls, path: str) -> None:
        """Adds a file, whose values win over those of the files before it, and reads all files again."""
        cls._config_paths.append(path)
        cls.reload()

    @classmethod
    def reload(cls) -> Any:
        """Reads all files into the shared parser. Returns what ``read`` does."""
        return cls.instance().read(cls._config_paths)

    def _value_or(self, section: str, option: str, missing: Any) -> Any:
        # For parameters, which ask about each absent argument: most sections are not there, and that must cost little.
        try:
            return self.get(section, option)  # type: ignore[attr-defined]
        except (NoSectionError, NoOptionError, KeyError):
            return missing
