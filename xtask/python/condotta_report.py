"""A pytest plugin that writes what became of each test as one line of JSON, as soon as it is known.

A run that is killed leaves what it knew until then. It works with every pytest since 6 and needs nothing else.
"""

import json
import os

# Taken now, because tests change the environment and the working directory.
REPORT = os.path.abspath(os.environ["CONDOTTA_REPORT"])


# With pytest-xdist, those who run the tests tell the one who handed them out, and that one writes.
_TELLS = "PYTEST_XDIST_WORKER" in os.environ


def _write(line):
    if _TELLS:
        return
    with open(REPORT, "a", encoding="utf-8") as report:
        report.write(json.dumps(line) + "\n")


def _last_line(report):
    """What pytest shows of a failure in its short summary: the error without the traceback."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr or "")
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0][:300] if lines else ""


def pytest_runtest_logreport(report):
    """One phase of a test has ended: a setup or teardown counts only where it did not just work."""
    if report.when == "call" or report.outcome != "passed":
        outcome = report.outcome
        if hasattr(report, "wasxfail"):
            outcome = "passed" if report.outcome == "skipped" else "failed"
        _write({"test": report.nodeid, "outcome": outcome, "message": _last_line(report)})


def pytest_collectreport(report):
    """A file that cannot be imported is a failure of its own; one that skips itself is a skip."""
    if report.outcome != "passed":
        _write({"test": report.nodeid, "outcome": report.outcome, "message": _last_line(report)})
