"""Which configuration parser is in use, and adding files to it.

The environment variable ``LUIGI_CONFIG_PARSER`` names the parser (``cfg`` if unset), and ``LUIGI_CONFIG_PATH`` a file
that is added when this module is imported.
"""

from __future__ import annotations

import logging
import os
import warnings
from typing import Any

from .cfg_parser import LuigiConfigParser
from .toml_parser import LuigiTomlParser

logger = logging.getLogger("luigi-interface")

#: Parser class by the extension of a file's name.
PARSERS: dict[str, Any] = {
    "cfg": LuigiConfigParser,
    "conf": LuigiConfigParser,
    "ini": LuigiConfigParser,
    "toml": LuigiTomlParser,
}

DEFAULT_PARSER = "cfg"


def _get_default_parser() -> str:
    parser = os.environ.get("LUIGI_CONFIG_PARSER", DEFAULT_PARSER)
    if parser in PARSERS:
        return parser
    # Luigi names the parser that it takes instead, not the one that it does not know.
    warnings.warn(f"Invalid parser: {DEFAULT_PARSER}")
    return DEFAULT_PARSER


def _check_parser(parser_class: Any, parser: str) -> None:
    if not parser_class.enabled:
        raise ImportError(
            f"Parser not installed yet. Please, install luigi with required parser:\npip install luigi[{parser}]"
        )


def get_config(parser: str | None = None) -> Any:
    """Returns the shared parser of the given kind (``cfg``, ``toml``), by default that of the environment.

    Raises ``ImportError`` if the parser's package is not installed.
    """
    if parser is None:
        parser = _get_default_parser()
    parser_class = PARSERS[parser]
    _check_parser(parser_class, parser)
    return parser_class.instance()


def add_config_path(path: str) -> bool:
    """Adds a file to the parser of its extension. Returns whether the file exists, and warns if it does not."""
    if not os.path.isfile(path):
        warnings.warn(f"Config file does not exist: {path}")
        return False

    used = _get_default_parser()
    extension = os.path.splitext(path)[1][1:]
    added = extension if extension in PARSERS else used
    _check_parser(PARSERS[added], added)
    if added != used:
        warnings.warn(
            f"Config for {added} parser added, but used {used} parser. "
            f"Set up right parser via env var: export LUIGI_CONFIG_PARSER={added}"
        )
    PARSERS[added].add_config_path(path)
    return True


if "LUIGI_CONFIG_PATH" in os.environ:
    add_config_path(os.environ["LUIGI_CONFIG_PATH"])
