"""Which source sets logging up, for the worker and for luigid."""

import io
import logging
import subprocess
import sys
import types

import pytest

from luigi.configuration import LuigiConfigParser
from luigi.setup_logging import BaseLogging, DaemonLogging, InterfaceLogging

FILE = """\
[loggers]
keys=root,test
[handlers]
keys=one
[formatters]
keys=
[logger_root]
handlers=
[logger_test]
qualname=of-the-file
level=ERROR
handlers=one
[handler_one]
class=StreamHandler
args=(sys.stderr,)
"""


@pytest.fixture(params=[DaemonLogging, InterfaceLogging])
def kind(request, monkeypatch):
    monkeypatch.setattr(request.param, "_configured", False)
    monkeypatch.setattr(request.param, "config", LuigiConfigParser())
    return request.param


@pytest.fixture
def daemon(monkeypatch):
    monkeypatch.setattr(DaemonLogging, "_configured", False)
    monkeypatch.setattr(DaemonLogging, "config", LuigiConfigParser())
    return DaemonLogging


@pytest.fixture
def interface(monkeypatch):
    monkeypatch.setattr(InterfaceLogging, "_configured", False)
    monkeypatch.setattr(InterfaceLogging, "config", LuigiConfigParser())
    return InterfaceLogging


@pytest.fixture(autouse=True)
def loggers_as_before():
    """Brings every logger back to what it was: a configuration file may disable any of them."""
    named = [logger for logger in logging.root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    loggers = [logging.getLogger(), logging.getLogger("luigi"), logging.getLogger("luigi-interface"), *named]
    before = [(logger, logger.handlers[:], logger.level, logger.disabled) for logger in loggers]
    logging.getLogger("luigi").setLevel(logging.INFO)
    yield
    for logger, handlers, level, disabled in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.disabled = disabled


def options(**given):
    values = {"background": None, "logdir": None, "logging_conf_file": None, "log_level": "DEBUG"}
    return types.SimpleNamespace(**{**values, **given})


def test_it_happens_once(kind, caplog):
    assert kind.setup(options()) is True
    assert kind.setup(options()) is False
    assert caplog.messages == ["logging configured by default settings", "logging already configured"]


def test_it_can_be_turned_off(kind, caplog):
    kind.config.set("core", "no_configure_logging", "true")
    assert kind.setup() is False
    assert caplog.messages == ["logging disabled in settings"]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"_cli": True}, "logging configured via special settings"),
        ({"_conf": True}, "logging configured via *.conf file"),
        ({"_section": True}, "logging configured via config section"),
        ({"_default": True}, "logging configured by default settings"),
        ({}, None),
    ],
)
def test_the_first_source_that_says_something_wins(sources, message, monkeypatch, caplog):
    asked = []

    class Recorded(BaseLogging):
        config = LuigiConfigParser()
        _configured = False

    def source(name):
        return classmethod(lambda cls, opts: asked.append(name) or sources.get(name, False))

    names = ["_cli", "_conf", "_section", "_default"]
    for name in names:
        monkeypatch.setattr(Recorded, name, source(name))
    assert Recorded.setup() is bool(sources)
    last = names.index(next(iter(sources), "_default"))
    assert asked == names[: last + 1]
    assert caplog.messages == ([message] if message else [])


def test_a_section_of_a_toml_configuration_sets_loggers(kind, monkeypatch):
    section = {"version": 1, "disable_existing_loggers": False, "loggers": {"of-the-section": {"level": "ERROR"}}}
    monkeypatch.setattr(kind, "config", {"logging": section})
    assert kind._section(options()) is True
    assert logging.getLogger("of-the-section").level == logging.ERROR
    monkeypatch.setattr(kind, "config", {})
    assert kind._section(options()) is False
    monkeypatch.setattr(kind, "config", LuigiConfigParser())
    assert kind._section(options()) is False


def test_the_worker_reads_the_file_of_the_command_line(interface, tmp_path):
    (tmp_path / "logging.cfg").write_text(FILE)
    existing = logging.getLogger("existing-before-the-file")
    assert interface._conf(options(logging_conf_file=str(tmp_path / "logging.cfg"))) is True
    assert logging.getLogger("of-the-file").level == logging.ERROR
    assert not existing.disabled
    assert interface._conf(options(logging_conf_file="")) is False
    with pytest.raises(OSError, match="Unable to locate specified logging configuration file"):
        interface._conf(options(logging_conf_file="missing"))


def test_luigid_reads_the_file_of_the_configuration(daemon, tmp_path):
    (tmp_path / "logging.cfg").write_text(FILE)
    assert daemon._conf(options()) is False
    daemon.config.set("core", "logging_conf_file", str(tmp_path / "logging.cfg"))
    assert daemon._conf(options()) is True
    daemon.config.set("core", "logging_conf_file", "missing")
    with pytest.raises(OSError, match="Unable to locate specified logging configuration file"):
        daemon._conf(options())


def test_luigid_in_the_background_leaves_the_files_to_others(daemon):
    assert daemon._cli(options(background=True)) is True
    assert logging.getLogger().level == logging.INFO
    assert daemon._cli(options()) is False


def test_luigid_writes_into_its_folder(daemon, tmp_path):
    root = logging.getLogger()
    root.handlers[:] = []
    assert daemon._cli(options(logdir=str(tmp_path))) is True
    logging.getLogger("luigi.server").info("hello")
    [handler] = root.handlers
    handler.close()
    line = (tmp_path / "luigi-server.log").read_text()
    assert line.endswith("INFO: hello\n") and " luigi.server[" in line


@pytest.mark.parametrize(("name", "level"), [("WARNING", logging.WARNING), ("NONSENSE", logging.DEBUG)])
def test_the_worker_shows_its_log_from_a_level_on(name, level, interface, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logger = logging.getLogger("luigi-interface")
    logger.handlers[:] = []
    assert interface._default(options(log_level=name)) is True
    assert logger.level == level
    logger.debug("detail")
    logger.warning("problem")
    assert stream.getvalue() == ("DEBUG: detail\n" if level == logging.DEBUG else "") + "WARNING: problem\n"


def test_nothing_heavy_is_imported_before_it_is_needed():
    program = "import sys, luigi.setup_logging; print('logging.config' in sys.modules)"
    command = [sys.executable, "-W", "ignore", "-c", program]
    assert subprocess.check_output(command) == b"False\n"
