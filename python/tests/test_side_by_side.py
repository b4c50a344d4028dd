"""Programs run on stock Luigi and on ours: what they log, print and leave must be equal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
STOCK = os.environ.get("CONDOTTA_STOCK_LUIGI")

needs_stock = pytest.mark.skipif(not STOCK, reason="CONDOTTA_STOCK_LUIGI does not name a Python with stock Luigi")


def run(python: str, folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Runs the command line in the folder. Returns exit code, output and log."""
    folder.mkdir(exist_ok=True)
    settings = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(
            [str(PROGRAMS), os.environ.get("PYTHONPATH", "")] if python == sys.executable else [str(PROGRAMS)]
        ),
        "OUT": str(folder),
        "PRESENTATION": str(folder / "presentation"),
        "PYTHONWARNINGS": "ignore",
        "TELL": "events" if "Tells" in arguments else "",
        **environment,
    }
    command = [python, *arguments]
    if not arguments[0].endswith(".py"):
        command = [python, "-m", "luigi", "--local-scheduler", "--no-lock", *arguments]
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def steady(log: str, folder: Path) -> list[str]:
    """The log without what differs from run to run, and without the frames of tracebacks in Luigi itself."""
    log = log.replace(str(folder), "FOLDER")
    log = re.sub(r"\[pid \d+\]", "[pid]", log)
    log = re.sub(r"took [0-9.e-]+ s ", "took a while ", log)
    log = re.sub(r"Worker\(salt=[^)]*\)", "Worker(…)", log)
    log = re.sub(r'  File "[^"]*/luigi/[^"]*", line.*\n(    .*\n)*', "", log)
    # From Python 3.11 on, a line below points at what failed.
    return [line for line in log.splitlines() if not re.fullmatch(r" +\^+", line)]


def in_any_order(log: list[str]) -> list[str]:
    """The lines, without how many tasks were left at each point."""
    return sorted(line for line in log if not line.startswith("DEBUG: Pending tasks"))


PIPELINE = [str(PROGRAMS / "pipeline.py"), "--local-scheduler", "--no-lock"]

CASES = {
    "hello world": ["--module", "helloworld", "HelloWorldTask"],
    "the talk's parent": ["--module", "hello", "ParentTask"],
    "a week": ["--module", "kinds", "Week"],
    "a given week": ["--module", "kinds", "Week", "--date", "2026-04-01"],
    "parameters of all kinds": ["--module", "kinds", "Number", "--value", "7", "--names", '["x", 1]', "--switch"],
    "a missing external task": ["--module", "kinds", "NeedsMissing"],
    "a failure": ["--module", "kinds", "AfterFails"],
    "dynamic dependencies": ["--module", "kinds", "Asks"],
    "complete() fails": ["--module", "kinds", "BadComplete"],
    "requires() fails": ["--module", "kinds", "BadRequires"],
    "everything": ["--module", "kinds", "Everything", "--retcode-task-failed", "7", "--retcode-missing-data", "3"],
    "priorities": ["--module", "kinds", "ByPriority"],
    "a batch": ["--module", "kinds", "AllJoined"],
    "no output": ["--module", "kinds", "NoOutput"],
    "only warnings": ["--module", "kinds", "Everything", "--log-level", "WARNING"],
    "help of a task": ["--module", "kinds", "Day", "--unknown-flag"],
    "a bad date": ["--module", "kinds", "Day", "--date", "yesterday"],
    "no such task": ["--module", "kinds", "Weak"],
    "no such module": ["--module", "kind", "Week"],
    "a range of days": [
        *["--module", "everyday", "RangeDaily", "--of", "Report"],
        *["--start", "2026-11-01", "--stop", "2026-11-06"],
    ],
    "a range that is too long": [
        *["--module", "everyday", "RangeDaily", "--of", "Report", "--of-params", '{"country": "no"}', "--reverse"],
        *"--start 2026-11-01 --stop 2026-11-06 --task-limit 3".split(),
    ],
    "a range of hours": [
        *["--module", "everyday", "RangeHourly", "--of", "Hourly"],
        *["--start", "2026-11-01T22", "--stop", "2026-11-02T02"],
    ],
    "a range of nothing": ["--module", "everyday", "RangeDaily", "--of", "Nothing", "--start", "2026-11-01"],
    "parameters taken over": ["--module", "everyday", "Requires", "--letters", '["q"]'],
    "parameters of one class": ["--module", "everyday", "Requires", "--Inherits-times", "3", "--Base-secret", "x"],
    "a program": ["--module", "everyday", "Sorts", "--words", '["b", "a"]'],
    "a program that fails": ["--module", "everyday", "Refuses"],
    "requirements while running": ["--module", "everyday", "AsksForParts"],
    "a failing requirement while running": ["--module", "everyday", "AsksForAFailure"],
    "a requirement that is gone": ["--module", "everyday", "TakesAndMisses"],
    "a requirement that is gone and not looked for": [
        *["--module", "everyday", "TakesAndMisses", "--worker-check-unfulfilled-deps", "false"]
    ],
    "events": ["--module", "everyday", "Tells"],
    "a program's own task": [*PIPELINE, "Total", "--parts", "3"],
    "a program's own task by the flag of its family": [*PIPELINE, "Total", "--Total-parts", "1"],
    "a program that names no task": PIPELINE,
    "a program that chooses its task": [PIPELINE[0], "build"],
}


# Stock Luigi runs tasks that are equal in rank in an arbitrary order.
ARBITRARY = {
    "the talk's parent",
    "a week",
    "a given week",
    "a missing external task",
    "a failure",
    "dynamic dependencies",
    "everything",
    "a batch",
    "a range of days",
    "a range that is too long",
    "a range of hours",
    "requirements while running",
    "events",
    "a program's own task",
    "a program's own task by the flag of its family",
    "a program that chooses its task",
}


@needs_stock
@pytest.mark.parametrize("name", CASES)
def test_ours_does_what_stock_does(name, tmp_path):
    results = {}
    for which, python in (("stock", STOCK), ("ours", sys.executable)):
        folder = tmp_path / which
        code, output, log = run(python, folder, *CASES[name])
        again = run(python, folder, *CASES[name])
        left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
        results[which] = {
            "exit codes": (code, again[0]),
            "output": output.replace(str(folder), "FOLDER"),
            "log": steady(log, folder),
            "log of the second run": steady(again[2], folder),
            "files": left,
        }
    if any(code not in (0, 7) for code in results["stock"]["exit codes"]):
        # What the command line refuses is said in words of our own; where it is said, and the code, are equal.
        for result in results.values():
            result["log"] = result["log of the second run"] = bool(result["log"])
    if name in ARBITRARY:
        for result in results.values():
            result["log"] = in_any_order(result["log"])
            result["log of the second run"] = in_any_order(result["log of the second run"])
    assert results["ours"] == results["stock"]
