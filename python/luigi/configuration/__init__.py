"""Configuration files: one parser for ``.cfg`` (INI) and one for ``.toml``, each with a single shared instance."""

from .cfg_parser import LuigiConfigParser
from .core import add_config_path, get_config
from .toml_parser import LuigiTomlParser

__all__ = ["add_config_path", "get_config", "LuigiConfigParser", "LuigiTomlParser"]
