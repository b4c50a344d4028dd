"""Tasks that say where they ran, which know nothing of engines."""

import logging
import os
import sys
import time
from pathlib import Path

import luigi
from luigi.parameter import ParameterVisibility


def note(name):
    """Notes that a task ran, and where: the job's number, the pod's name, or nothing."""
    with open(f"ran.{name}", "a") as file:
        file.write(os.environ.get("SLURM_JOB_ID", os.environ.get("TEST_POD", "")) + "\n")


class Numbers(luigi.Task):
    """Some numbers."""

    count = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(f"numbers.{self.count}")

    def run(self):
        note("Numbers")
        with self.output().open("w") as file:
            file.write("\n".join(map(str, range(1, self.count + 1))))


class Setting(luigi.Config):
    """Something that the command line can say."""

    word = luigi.Parameter(default="nothing")


class Sum(luigi.Task):
    """Their sum. It prints and logs, too."""

    count = luigi.IntParameter()
    password = luigi.Parameter(default="hunter22", significant=False, visibility=ParameterVisibility.PRIVATE)

    def requires(self):
        return Numbers(count=self.count)

    def output(self):
        return luigi.LocalTarget(f"sum.{self.count}")

    def run(self):
        note("Sum")
        print("printed")
        print(f"complained, by {self.password}", file=sys.stderr)
        logging.getLogger("luigi-interface").info("logged")
        Path("password").write_text(self.password)
        Path("word").write_text(Setting().word)
        with self.input().open() as numbers, self.output().open("w") as file:
            file.write(str(sum(map(int, numbers))))


class Report(luigi.Task):
    """The sum again, made elsewhere from elsewhere."""

    count = luigi.IntParameter()

    def requires(self):
        return Sum(count=self.count)

    def output(self):
        return luigi.LocalTarget(f"report.{self.count}")

    def run(self):
        note("Report")
        with self.input().open() as sum_, self.output().open("w") as file:
            file.write(f"the sum is {sum_.read()}")


class Fails(luigi.Task):
    """Fails in one of the ways there are."""

    how = luigi.Parameter()

    def run(self):
        note("Fails")
        if self.how == "exit":
            os._exit(7)
        raise RuntimeError("out of cheese") from ValueError("out of milk")


class Grows(luigi.Task):
    """Finds out while it runs what it needs."""

    def output(self):
        return luigi.LocalTarget("grown")

    def run(self):
        note("Grows")
        parts = yield [Numbers(count=2), Numbers(count=3)]
        with self.output().open("w") as file:
            file.write(str(sum(len(Path(part.path).read_text().split()) for part in parts)))


class Talks(luigi.Task):
    """Says how it goes, until somebody writes."""

    accepts_messages = True

    def output(self):
        return luigi.LocalTarget("talked")

    def run(self):
        note("Talks")
        self.set_status_message("half way")
        self.set_progress_percentage(50)
        self.set_tracking_url("http://cluster/42")
        message = self.scheduler_messages.get(timeout=60)
        message.respond(f"heard {message}")
        with self.output().open("w") as file:
            file.write(str(message))


class Sleeps(luigi.Task):
    """Takes as long as the test wants."""

    timeout = luigi.IntParameter(default=0)
    bed = luigi.Parameter(default="")

    @property
    def worker_timeout(self):
        return self.timeout

    def output(self):
        return luigi.LocalTarget(f"slept{self.bed}")

    def run(self):
        note("Sleeps")
        while not os.path.exists("go"):
            time.sleep(0.05)
        with self.output().open("w") as file:
            file.write("well")


class ManySleep(luigi.WrapperTask):
    """Four of them."""

    def requires(self):
        return [Sleeps(bed=str(bed)) for bed in range(4)]


class Lasts(luigi.Task):
    """Takes as long, in a process of its worker's, also when the worker has gone."""

    def run(self):
        note("Lasts")
        while not os.path.exists("go"):
            time.sleep(0.05)


class Both(luigi.WrapperTask):
    """One of each."""

    def requires(self):
        return [Sleeps(), Lasts()]


if __name__ == "__main__":
    luigi.build([Report(count=4)], local_scheduler=True, workers=2)
