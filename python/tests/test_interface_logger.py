"""The worker's logger says the same whether or not it takes the short way."""

import errno
import io
import logging

import pytest

import luigi
from luigi._interface_logger import PLAIN_FORMAT, InterfaceLogger
from luigi.setup_logging import InterfaceLogging

LINES = [
    ("nothing to fill in: 100%",),
    ("%s and %d", "text", 7),
    ("%(name)s", {"name": "mapped"}),
    ("%s", {}),
    ("%s", ("a", "tuple")),
    (ValueError("an object"),),
    ("%s", "täsk"),
]


@pytest.fixture
def logger():
    made = InterfaceLogger("tested")
    made.propagate = False
    made.stream = io.StringIO()
    handler = logging.StreamHandler(made.stream)
    handler.setFormatter(logging.Formatter(PLAIN_FORMAT))
    made.addHandler(handler)
    return made


@pytest.mark.parametrize("line", LINES, ids=lambda line: str(line[0]))
def test_both_ways_say_the_same(logger, line, monkeypatch):
    logger.warning(*line)
    short = logger.stream.getvalue()
    monkeypatch.setattr(logger, "_plain_handler", lambda level: None)
    logger.warning(*line)
    assert logger.stream.getvalue() == 2 * short
    assert short.startswith("WARNING: ") and short.endswith("\n")


def records_of(logger):
    records = []

    class Listens(logging.Handler):
        def emit(self, record):
            records.append(record)

    logger.addHandler(Listens())
    return records


def test_another_handler_gets_whole_records(logger):
    records = records_of(logger)
    logger.info("to %s", "both")
    assert logger.stream.getvalue() == "INFO: to both\n"
    assert [(record.getMessage(), record.funcName, record.filename) for record in records] == [
        ("to both", "test_another_handler_gets_whole_records", "test_interface_logger.py")
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda logger: logger.addFilter(lambda record: False),
        lambda logger: logger.handlers[0].addFilter(lambda record: False),
        lambda logger: logger.handlers[0].setLevel(logging.ERROR),
        lambda logger: logger.setLevel(logging.ERROR),
    ],
    ids=["filter", "filter of the handler", "level of the handler", "level"],
)
def test_what_is_filtered_is_not_said(logger, change):
    change(logger)
    logger.info("hidden")
    assert logger.stream.getvalue() == ""


def test_another_format_is_used(logger):
    logger.handlers[0].setFormatter(logging.Formatter("%(funcName)s|%(message)s"))
    logger.info("where?")
    assert logger.stream.getvalue() == "test_another_format_is_used|where?\n"


def test_tracebacks_are_in_the_log(logger):
    try:
        raise ValueError("inside")
    except ValueError:
        logger.exception("outside")
    said = logger.stream.getvalue()
    assert said.startswith("ERROR: outside\nTraceback (most recent call last):") and "ValueError: inside" in said


def test_a_line_that_cannot_be_filled_in_is_complained_of_as_ever(logger, capsys):
    logger.info("%d", "no number")
    assert "Logging error" in capsys.readouterr().err


class Deaf(io.StringIO):
    """Takes nothing, like a pipe that nobody reads or a disk that is full."""

    def write(self, text):
        raise OSError(errno.EPIPE, "Broken pipe")


class RunsInLog(luigi.Task):
    done = False

    def run(self):
        logging.getLogger("luigi-interface").info("running")
        type(self).done = True

    def complete(self):
        return self.done


@pytest.mark.parametrize("stream", [Deaf(), None], ids=["a pipe that nobody reads", "closed"])
def test_a_log_that_cannot_be_written_ends_nothing(stream, monkeypatch):
    interface = logging.getLogger("luigi-interface")
    monkeypatch.setattr(InterfaceLogging, "_configured", True)
    handler = logging.StreamHandler()
    handler.stream = stream
    handler.setFormatter(logging.Formatter(PLAIN_FORMAT))
    monkeypatch.setattr(interface, "handlers", [handler])
    monkeypatch.setattr(interface, "propagate", False)
    monkeypatch.setattr(RunsInLog, "done", False)
    complaints = []
    monkeypatch.setattr(handler, "handleError", complaints.append)
    level = interface.level
    interface.setLevel(logging.INFO)
    try:
        interface.info("%s", "lost")
        assert [complaint.getMessage() for complaint in complaints] == ["lost"]
        assert luigi.build([RunsInLog()], local_scheduler=True)
    finally:
        interface.setLevel(level)
    said = [complaint.getMessage() for complaint in complaints]
    assert "running" in said and "Running Worker with 1 processes" in said
