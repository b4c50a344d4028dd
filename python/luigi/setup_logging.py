"""Sets up Python's logging for the worker (`InterfaceLogging`) and for `luigid` (`DaemonLogging`).

The first source that says something wins: the switch that turns it off, the command line, a logging
configuration file, the section `[logging]` of a TOML configuration, the built-in defaults.
"""

from __future__ import annotations

import logging
import os.path
from typing import Any

from luigi.configuration import LuigiConfigParser, get_config

_DAEMON_FORMAT = "%(asctime)s %(name)s[%(process)s] %(levelname)s: %(message)s"


class _NoOptions:
    """What `setup` goes by when no command line was read."""

    background = None
    logdir = None
    logging_conf_file = None
    log_level = "DEBUG"


def _apply_file(path: str, **options: Any) -> bool:
    """Reads a logging configuration file; raises `OSError` if it is not there."""
    if not os.path.exists(path):
        raise OSError("Error: Unable to locate specified logging configuration file!")
    import logging.config

    logging.config.fileConfig(path, **options)
    return True


class BaseLogging:
    """The order of the sources. Each source is a method that says whether it set logging up."""

    config: Any = get_config()
    _configured = False

    @classmethod
    def _cli(cls, opts: Any) -> bool:
        return False

    @classmethod
    def _conf(cls, opts: Any) -> bool:
        return False

    @classmethod
    def _section(cls, opts: Any) -> bool:
        """Takes the section `[logging]`, which only a TOML configuration can hold."""
        if isinstance(cls.config, LuigiConfigParser):
            return False
        from configparser import NoSectionError

        try:
            settings = cls.config["logging"]
        except (TypeError, KeyError, NoSectionError):
            return False
        import logging.config

        from luigi.freezing import recursively_unfreeze

        logging.config.dictConfig(recursively_unfreeze(settings))
        return True

    @classmethod
    def _default(cls, opts: Any) -> bool:
        return False

    @classmethod
    def setup(cls, opts: Any = _NoOptions) -> bool:
        """Sets logging up, once per process. Says whether this call did."""
        if cls._configured:
            logging.getLogger("luigi").info("logging already configured")
            return False
        cls._configured = True

        if cls.config.getboolean("core", "no_configure_logging", False):
            logging.getLogger("luigi").info("logging disabled in settings")
            return False

        for source, how in (
            (cls._cli, "via special settings"),
            (cls._conf, "via *.conf file"),
            (cls._section, "via config section"),
            (cls._default, "by default settings"),
        ):
            if source(opts):
                logging.getLogger("luigi").info("logging configured %s", how)
                return True
        return False


class DaemonLogging(BaseLogging):
    """Logging of `luigid`."""

    _configured = False
    _log_format = _DAEMON_FORMAT

    @classmethod
    def _cli(cls, opts: Any) -> bool:
        """`--background` leaves the files to `luigi.process`; `--logdir` names the folder of the log."""
        if opts.background:
            logging.getLogger().setLevel(logging.INFO)
            return True
        if opts.logdir:
            path = os.path.join(opts.logdir, "luigi-server.log")
            logging.basicConfig(level=logging.INFO, format=cls._log_format, filename=path)
            return True
        return False

    @classmethod
    def _conf(cls, opts: Any) -> bool:
        """Takes the file that `[core] logging_conf_file` names."""
        path = cls.config.get("core", "logging_conf_file", None)
        return path is not None and _apply_file(path)

    @classmethod
    def _default(cls, opts: Any) -> bool:
        """Logs from INFO on to standard error, with the time and the process id."""
        logging.basicConfig(level=logging.INFO, format=cls._log_format)
        return True


class InterfaceLogging(BaseLogging):
    """Logging of a worker and of what it runs."""

    _configured = False

    @classmethod
    def _conf(cls, opts: Any) -> bool:
        """Takes the file that `--logging-conf-file` names; loggers that exist already go on."""
        path = opts.logging_conf_file
        return bool(path) and _apply_file(path, disable_existing_loggers=False)

    @classmethod
    def _default(cls, opts: Any) -> bool:
        """Shows `luigi-interface` on standard error, from the level of `--log-level` on."""
        level = getattr(logging, opts.log_level, logging.DEBUG)
        logger, handler = logging.getLogger("luigi-interface"), logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
        logger.addHandler(handler)
        for limited in (logger, handler):
            limited.setLevel(level)
        return True
