"""The parser of ``luigi.cfg`` files: INI with case-sensitive keys.

Values may refer to other values of their section as ``%(name)s`` and to environment variables as ``${NAME}``. A key is
looked up with underscores first, and then with dashes, which is deprecated.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Sequence
from configparser import (
    BasicInterpolation,
    ConfigParser,
    Interpolation,
    InterpolationError,
    NoOptionError,
    NoSectionError,
)
from typing import Any

from .base_parser import BaseParser


class InterpolationMissingEnvvarError(InterpolationError):
    """A value refers to an environment variable that is not set."""

    def __init__(self, option: str, section: str, value: str, envvar: str) -> None:
        message = (
            f"Config refers to a nonexisting environment variable {envvar}. "
            f"Section [{section}], option {option}={value}"
        )
        super().__init__(option, section, message)


class EnvironmentInterpolation(Interpolation):
    """Replaces ``${NAME}`` by the environment variable's value, which is not searched in turn."""

    _ENVRE = re.compile(r"\$\{([^}]+)\}")

    def before_get(self, parser: Any, section: str, option: str, value: str, defaults: Any) -> str:
        return self._interpolate_env(option, section, value)

    def _interpolate_env(self, option: str, section: str, value: str) -> str:
        if not value:
            return ""

        def env_value(match: re.Match[str]) -> str:
            try:
                return os.environ[match[1]]
            except KeyError:
                raise InterpolationMissingEnvvarError(option, section, value, match[1]) from None

        return self._ENVRE.sub(env_value, value)


class CombinedInterpolation(Interpolation):
    """Applies several interpolations, each to the result of the one before.

    :param interpolations: ``configparser.Interpolation`` objects.
    """

    def __init__(self, interpolations: Sequence[Interpolation]) -> None:
        self._interpolations = interpolations

    def before_get(self, parser: Any, section: str, option: str, value: str, defaults: Any) -> str:
        for step in self._interpolations:
            value = step.before_get(parser, section, option, value, defaults)
        return value

    def before_read(self, parser: Any, section: str, option: str, value: str) -> str:
        for step in self._interpolations:
            value = step.before_read(parser, section, option, value)
        return value

    def before_set(self, parser: Any, section: str, option: str, value: str) -> str:
        for step in self._interpolations:
            value = step.before_set(parser, section, option, value)
        return value

    def before_write(self, parser: Any, section: str, option: str, value: str) -> str:
        for step in self._interpolations:
            value = step.before_write(parser, section, option, value)
        return value


class LuigiConfigParser(BaseParser, ConfigParser):
    """A ``ConfigParser`` whose getters take a default and accept keys with dashes."""

    NO_DEFAULT = object()
    enabled = True
    optionxform = str  # type: ignore[assignment]
    _instance = None
    _config_paths = [
        "/etc/luigi/client.cfg",  # deprecated name
        "/etc/luigi/luigi.cfg",
        "client.cfg",  # deprecated name
        "luigi.cfg",
    ]
    _DEFAULT_INTERPOLATION = CombinedInterpolation([BasicInterpolation(), EnvironmentInterpolation()])

    @classmethod
    def reload(cls) -> list[str]:
        """Reads all files into the shared parser and returns those that exist. Warns about deprecated names."""
        deprecated = [
            path for path in cls._config_paths if os.path.basename(path) == "client.cfg" and os.path.exists(path)
        ]
        if deprecated:
            warnings.warn(
                "Luigi configuration files named 'client.cfg' are deprecated if favor of 'luigi.cfg'. "
                f"Found: {deprecated!r}",
                DeprecationWarning,
            )
        return super().reload()

    def _get_with_default(
        self, method: Any, section: str, option: str, default: Any, expected_type: type | None = None, **kwargs: Any
    ) -> Any:
        # A default of the wrong type is an error of the caller's; it is told as if the option were missing.
        underscored = option.replace("-", "_")
        dashed = option.replace("_", "-")
        try:
            return method(self, section, underscored, **kwargs)
        except (NoOptionError, NoSectionError):
            pass
        try:
            value = method(self, section, dashed, **kwargs)
        except (NoOptionError, NoSectionError):
            if default is LuigiConfigParser.NO_DEFAULT:
                raise
            if expected_type is not None and default is not None and not isinstance(default, expected_type):
                raise
            return default
        self._warn_of_dashes(section, dashed, underscored)
        return value

    @staticmethod
    def _warn_of_dashes(section: str, dashed: str, underscored: str) -> None:
        warnings.warn(
            f"Configuration [{section}] {dashed} (with dashes) should be avoided. "
            f"Please use underscores: {underscored}.",
            DeprecationWarning,
        )

    def has_option(self, section: str, option: str) -> bool:
        """Tells whether the section has the option, written with underscores or (deprecated) with dashes."""
        underscored = option.replace("-", "_")
        for spelling in (underscored, option.replace("_", "-")):
            if ConfigParser.has_option(self, section, spelling):
                if spelling != underscored:
                    self._warn_of_dashes(section, spelling, underscored)
                return True
        return False

    def get(self, section: str, option: str, default: Any = NO_DEFAULT, **kwargs: Any) -> Any:  # type: ignore[override]
        """Returns the value as a string, else ``default``; without one a missing value is an error."""
        return self._get_with_default(ConfigParser.get, section, option, default, **kwargs)

    def getboolean(self, section: str, option: str, default: Any = NO_DEFAULT) -> Any:  # type: ignore[override]
        """Returns the value as a bool, else ``default``, which must be a bool or ``None``."""
        return self._get_with_default(ConfigParser.getboolean, section, option, default, bool)

    def getint(self, section: str, option: str, default: Any = NO_DEFAULT) -> Any:  # type: ignore[override]
        """Returns the value as an int, else ``default``, which must be an int or ``None``."""
        return self._get_with_default(ConfigParser.getint, section, option, default, int)

    def getfloat(self, section: str, option: str, default: Any = NO_DEFAULT) -> Any:  # type: ignore[override]
        """Returns the value as a float, else ``default``, which must be a float or ``None``."""
        return self._get_with_default(ConfigParser.getfloat, section, option, default, float)

    def getintdict(self, section: str) -> dict[str, int]:
        """Returns the section as a dict of ints, without what ``[DEFAULT]`` has; empty if there is none."""
        try:
            items = self.items(section)
        except NoSectionError:
            return {}
        inherited = self.defaults()
        return {key: int(value) for key, value in items if key not in inherited}

    def set(self, section: str, option: str, value: Any = None) -> None:
        """Sets a value; a missing section is added."""
        if not ConfigParser.has_section(self, section):
            ConfigParser.add_section(self, section)
        ConfigParser.set(self, section, option, value)

    def _value_or(self, section: str, option: str, missing: Any) -> Any:
        if not self.has_section(section) and section != self.default_section:
            return missing
        return super()._value_or(section, option, missing)
