"""The parser of ``luigi.toml`` files, whose values already have their types. It needs the package ``toml``."""

from __future__ import annotations

import functools
import importlib.util
import os.path
from collections.abc import Iterable
from configparser import ConfigParser
from typing import Any

from ..freezing import recursively_freeze
from .base_parser import BaseParser

toml_enabled = importlib.util.find_spec("toml") is not None


def __getattr__(name: str) -> Any:
    # The package is imported with the first file that is read.
    if name == "toml" and toml_enabled:
        import toml

        globals()["toml"] = toml
        return toml
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class LuigiTomlParser(BaseParser, ConfigParser):
    """Offers the getters of the INI parser over TOML data. The getters' names promise no conversion here."""

    NO_DEFAULT = object()
    enabled = toml_enabled
    data: dict[str, Any] = {}
    _instance = None
    _config_paths = ["/etc/luigi/luigi.toml", "luigi.toml"]

    @staticmethod
    def _update_data(data: dict[str, Any], new_data: dict[str, Any]) -> dict[str, Any]:
        if not (data and new_data):
            return data or new_data
        for section, content in new_data.items():
            data.setdefault(section, {}).update(content)
        return data

    def read(self, config_paths: Iterable[str]) -> dict[str, Any]:  # type: ignore[override]
        """Replaces the data by that of the files which exist; later files win. Returns the data."""
        from . import toml_parser

        contents = (toml_parser.toml.load(path) for path in config_paths if os.path.isfile(path))
        self.data = functools.reduce(self._update_data, contents, {})
        # A table is the value of a dict parameter, which must be hashable.
        for content in self.data.values():
            content.update(
                {key: recursively_freeze(value) for key, value in content.items() if isinstance(value, dict)}
            )
        return self.data

    def get(self, section: str, option: str, default: Any = NO_DEFAULT, **kwargs: Any) -> Any:  # type: ignore[override]
        """Returns the value, else ``default``; without one a missing value is a ``KeyError``."""
        try:
            return self.data[section][option]
        except KeyError:
            if default is self.NO_DEFAULT:
                raise
            return default

    def getboolean(self, section: str, option: str, default: Any = NO_DEFAULT) -> Any:  # type: ignore[override]
        """Same as :meth:`get`."""
        return self.get(section, option, default)

    def getint(self, section: str, option: str, default: Any = NO_DEFAULT) -> Any:  # type: ignore[override]
        """Same as :meth:`get`."""
        return self.get(section, option, default)

    def getfloat(self, section: str, option: str, default: Any = NO_DEFAULT) -> Any:  # type: ignore[override]
        """Same as :meth:`get`."""
        return self.get(section, option, default)

    def getintdict(self, section: str) -> Any:
        """Returns the section, empty if there is none."""
        return self.data.get(section, {})

    def set(self, section: str, option: str, value: Any = None) -> None:
        """Sets a value; a missing section is added."""
        self.data.setdefault(section, {})[option] = value

    def has_option(self, section: str, option: str) -> bool:
        """Tells whether the section has the option."""
        return option in self.data.get(section, ())

    def __getitem__(self, name: str) -> Any:
        return self.data[name]
