"""The nightly jobs of a shop, for pictures of the page: they print, take their time, and some fail."""

import datetime
import random
import sys
import time
import traceback

import luigi

TABLES = ["orders", "customers", "payments", "stock", "returns", "visits"]
TODAY = datetime.date(2026, 11, 26)


class Job(luigi.Task):
    """Takes about `secs` seconds, always the same for the same parameters."""

    secs = 0.2

    def output(self):
        return luigi.LocalTarget(f"shop/{self.task_id}")

    def run(self):
        dice = random.Random(self.task_id)
        secs = self.secs * (0.5 + dice.random())
        rows = dice.randrange(20_000, 900_000)
        print(f"reads {rows:,} rows")
        for step in range(1, 11):
            time.sleep(secs / 10)
            self.set_progress_percentage(step * 10)
            print(f"{step * 10:3} %: {rows * step // 10:,} rows")
        if dice.random() < 0.1:
            print("1 row was left out: it has no date", file=sys.stderr)
        with self.output().open("w") as file:
            file.write(str(rows))


class Extract(Job):
    """Copies a table."""

    task_namespace = "warehouse"
    table = luigi.Parameter()
    day = luigi.DateParameter()
    resources = {"database": 1}


class Clean(Job):
    """Drops what makes no sense."""

    task_namespace = "warehouse"
    table = luigi.Parameter()
    day = luigi.DateParameter()
    secs = 0.3

    def requires(self):
        return Extract(table=self.table, day=self.day)


class CheckStock(luigi.Task):
    """Fails where the stock does not add up."""

    task_namespace = "quality"
    day = luigi.DateParameter()

    def requires(self):
        return Clean(table="stock", day=self.day)

    def on_failure(self, exception):
        # Without the places of files, which differ from machine to machine.
        last = traceback.extract_tb(exception.__traceback__)[-1]
        where = f'  File "shop.py", line {last.lineno}, in {last.name}\n    {last.line}\n'
        return f"Traceback:\n{where}{''.join(traceback.format_exception_only(exception))}"

    def run(self):
        print("compares the stock with what was sold and returned")
        raise ValueError(f"stock of {self.day}: 14 articles have sold more than there were, the first is 'garden chair, oak'")


class Report(Job):
    """Adds up a day."""

    task_namespace = "reports"
    day = luigi.DateParameter()
    secs = 0.5

    def requires(self):
        return [Clean(table=table, day=self.day) for table in TABLES]


class Features(Job):
    """What the model of demand learns from."""

    task_namespace = "demand"
    day = luigi.DateParameter()
    secs = 0.4
    resources = {"gpu": 1}

    def requires(self):
        return [Clean(table=table, day=self.day) for table in ("orders", "visits")]


class Train(Job):
    """Learns the demand. It takes long."""

    task_namespace = "demand"
    day = luigi.DateParameter()
    secs = 300
    priority = 50
    resources = {"gpu": 1}
    accepts_messages = True

    def requires(self):
        return [Features(day=self.day - datetime.timedelta(days=back)) for back in range(3)]

    def run(self):
        self.set_tracking_url("https://models.example.org/demand/runs/4711")
        for epoch in range(1, 1200):
            self.set_status_message(f"epoch {epoch} of 1,200, loss {1.9 / (1 + epoch / 7):.3f}")
            self.set_progress_percentage(epoch / 12)
            print(f"epoch {epoch:4}  loss {1.9 / (1 + epoch / 7):.4f}  {random.Random(epoch).randrange(800, 1300)} rows/s")
            time.sleep(0.25)


class Publish(Job):
    """Shows the reports to the shop."""

    task_namespace = "reports"
    day = luigi.DateParameter()

    def requires(self):
        return [Report(day=self.day), CheckStock(day=self.day), Train(day=self.day)]


class Pack(Job):
    """Puts a week of the past into one file."""

    task_namespace = "archive"
    week = luigi.IntParameter()
    secs = 0.6


class Upload(Job):
    """Sends it away, one at a time."""

    task_namespace = "archive"
    week = luigi.IntParameter()
    resources = {"uplink": 1}
    secs = 1.5

    def requires(self):
        return Pack(week=self.week)


class Archive(luigi.WrapperTask):
    """All weeks of the past."""

    weeks = luigi.IntParameter()

    def requires(self):
        return [Upload(week=week) for week in range(1, self.weeks + 1)]


class Night(luigi.WrapperTask):
    """All of the last days."""

    days = luigi.IntParameter(default=6)

    def requires(self):
        days = [TODAY - datetime.timedelta(days=back) for back in range(self.days)]
        return [Publish(day=TODAY), *[Report(day=day) for day in days]]
