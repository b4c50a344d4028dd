"""Tasks whose worker is killed while they run. They wait for a file, and then say a lot."""

import os
import subprocess
import sys
import time
from pathlib import Path

import luigi

FOLDER = Path(os.environ["ORPHANS_FOLDER"])
#: More than a pipe holds.
LINES = 10_000


class Orphan(luigi.Task):
    def output(self):
        return luigi.LocalTarget(str(FOLDER / "done"))

    def run(self):
        print("first line", flush=True)
        (FOLDER / "started").touch()
        while not (FOLDER / "go").exists():
            time.sleep(0.01)
        self.speak()
        with self.output().open("w") as out:
            out.write(str(os.getpid()))
        print("without an end of line", end="")

    def speak(self):
        for number in range(LINES):
            print(f"line {number}")
            print(f"bad line {number}", file=sys.stderr)
        subprocess.run(["seq", "--format=said %.0f", str(LINES)], check=True)


class Telling(Orphan):
    """Says it with its result."""

    def speak(self):
        pass

    def on_success(self):
        return "x" * 3_000_000
