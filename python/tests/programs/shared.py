"""A graph whose tasks note each of their runs in the file OUT/runs."""

import os
import time

import luigi

OUT = os.environ["OUT"]


class Noted(luigi.Task):
    def note(self, name):
        with open(os.path.join(OUT, "runs"), "a") as runs:
            runs.write(name + "\n")
        time.sleep(0.2)
        with self.output().open("w") as out:
            out.write("1")


class Part(Noted):
    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(os.path.join(OUT, f"part{self.number}"))

    def run(self):
        self.note(f"part{self.number}")


class Sum(Noted):
    def requires(self):
        return [Part(number) for number in range(6)]

    def output(self):
        return luigi.LocalTarget(os.path.join(OUT, "sum"))

    def run(self):
        self.note("sum")


class Endless(luigi.Task):
    def complete(self):
        return False

    def run(self):
        with open(os.path.join(OUT, "started"), "w"):
            time.sleep(600)
