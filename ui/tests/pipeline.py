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
        print("\x1b[1;31mthe last line\x1b[0m of Slow")
        with self.output().open("w") as file:
            file.write("2")


class Wordy(luigi.Task):
    """Prints much, and one line more when there is a file `more`."""

    def run(self):
        print("\n".join(f"line {number} of many" for number in range(1, 20_001)), flush=True)
        while not pathlib.Path("more").exists():
            time.sleep(0.05)
        print("and one more line", flush=True)
        while True:
            time.sleep(1)


class Broken(luigi.Task):
    """Fails."""

    def run(self):
        raise ValueError("there is no such table: rivers")


class All(luigi.WrapperTask):
    """Needs both."""

    def requires(self):
        return [Slow(), Broken()]
