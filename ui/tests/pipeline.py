"""A pipeline for the page's tests: it prints, it waits for a file, it fails."""

import datetime
import pathlib
import time

import luigi


class Extract(luigi.Task):
    """Prints, and is done."""

    day = luigi.DateParameter()

    def output(self):
        return luigi.LocalTarget(f"extracted-{self.day}")

    def run(self):
        print(f"extracting {self.day}")
        with self.output().open("w") as file:
            file.write("1")


class Slow(luigi.Task):
    """Runs until there is a file `go`."""

    def requires(self):
        return [Extract(day=datetime.date(2026, 11, day)) for day in (1, 2)]

    def output(self):
        return luigi.LocalTarget("slow")

    def run(self):
        self.set_status_message("waits for the file go")
        self.set_progress_percentage(40)
        print("a first line of Slow")
        while not pathlib.Path("go").exists():
            time.sleep(0.05)
        print("the last line of Slow")
        with self.output().open("w") as file:
            file.write("2")


class Broken(luigi.Task):
    """Fails."""

    def run(self):
        raise ValueError("there is no such table: rivers")


class All(luigi.WrapperTask):
    """Needs both."""

    def requires(self):
        return [Slow(), Broken()]
