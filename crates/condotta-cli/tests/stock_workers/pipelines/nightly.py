"""A report on what a database has of each day; the database may be away."""

import os

import luigi
from recorded import Recorded, wait_for


class Load(Recorded):
    day = luigi.Parameter()
    resources = {"database": 1}

    def work(self):
        print(f"loading {self.day}", flush=True)
        if not os.path.exists("mended"):
            raise ValueError("no such table: sales")


class Report(Recorded):
    day = luigi.Parameter()

    def requires(self):
        return Load(day=self.day)


class Train(Recorded):
    """Takes long."""

    day = luigi.Parameter()

    def work(self):
        print("epoch 1", flush=True)
        wait_for("go")
