"""Tasks that print and log, and one that starts others and waits."""

import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import luigi
from luigi.parameter import ParameterVisibility

FOLDER = Path(os.environ["NOISY_FOLDER"])
#: What no log may show.
SECRET = os.environ.get("NOISY_SECRET", "s3cr3t")


def wait_for(name: str) -> None:
    while not (FOLDER / name).exists():
        time.sleep(0.01)


class Noisy(luigi.Task):
    """Prints in each way that there is."""

    name = luigi.Parameter()
    password = luigi.Parameter(default=SECRET, significant=False, visibility=ParameterVisibility.PRIVATE)

    def output(self):
        return luigi.LocalTarget(str(FOLDER / f"{self.name}.done"))

    def run(self):
        print(f"printed by {self.name}")
        print("printed in red \x1b[31m", file=sys.stderr)
        logging.getLogger("my.task").warning("logged by %s", self.name)
        sys.stdout.flush()
        sys.stdout.buffer.write(b"bytes \xff\xfe\x00\n")
        sys.stdout.buffer.flush()
        subprocess.run(["echo", "said by a program"], check=True)
        with self.output().open("w") as out:
            out.write("done")


class Reveals(luigi.Task):
    """Says what is private wherever it can, and fails with it."""

    password = luigi.Parameter(visibility=ParameterVisibility.PRIVATE)
    pin = luigi.IntParameter(default=7, visibility=ParameterVisibility.PRIVATE)
    place = luigi.Parameter(default="cellar", visibility=ParameterVisibility.HIDDEN)

    def run(self):
        print("by print:", self.password)
        print("in the", self.place)
        sys.stdout.flush()
        print("in parts:", self.password[:4], end="", flush=True)
        time.sleep(0.3)
        print(self.password[4:], flush=True)
        logging.getLogger("my.task").warning("by logging: %s and %s", self.password, self)
        self.set_status_message(f"uses {self.password}")
        self.set_tracking_url(f"http://anna:{self.password}@there")
        raise RuntimeError(f"no luck with {self.password}")


class Uncertain(Reveals):
    """Fails before it can run, with all that is private or hidden."""

    keys = luigi.ListParameter(visibility=ParameterVisibility.PRIVATE)
    marks = luigi.DictParameter(default={}, visibility=ParameterVisibility.HIDDEN)
    day = luigi.IntParameter()

    def complete(self):
        raise ValueError(f"{self.password}, {self.keys} and {self}")


class Unknown(Uncertain):
    """Fails a little later."""

    def complete(self):
        return False

    def requires(self):
        raise ValueError(f"{self.password}, {self.keys} and {self}")


class Fails(luigi.Task):
    """Has no secrets."""

    def run(self):
        raise RuntimeError("no luck")


class Guard(luigi.WrapperTask):
    """Has one, and nothing to do with what fails."""

    password = luigi.Parameter(visibility=ParameterVisibility.PRIVATE)

    def requires(self):
        return Fails()


class Halves(luigi.Task):
    """Logs within each of its lines."""

    def run(self):
        for stream, name in ((sys.stdout, "output"), (sys.stderr, "error")):
            print(f"half of a line of {name},", end="", file=stream, flush=True)
            logging.getLogger("my.task").warning("logged within the line of %s", name)
            time.sleep(0.1)
            print(" and the other half", file=stream, flush=True)


class Lingers(luigi.Task):
    """Has something to say when it has ended."""

    def run(self):
        def say():
            time.sleep(1.5)
            print("said after the end of the run", flush=True)

        threading.Thread(target=say).start()


class Slow(luigi.Task):
    """Prints a line, waits for a file, prints another one; fails if the file says so."""

    name = luigi.Parameter()
    retry_count = 5

    def output(self):
        return luigi.LocalTarget(str(FOLDER / f"{self.name}.done"))

    def run(self):
        print("first line", flush=True)
        wait_for(f"{self.name}.go")
        print("last line", flush=True)
        if (FOLDER / f"{self.name}.go").read_text() == "fail":
            raise RuntimeError("told to fail")
        with self.output().open("w") as out:
            out.write("done")


class Large(luigi.Task):
    """Prints a hundred megabytes."""

    def output(self):
        return luigi.LocalTarget(str(FOLDER / "large.done"))

    def run(self):
        line = "x" * 99 + "\n"
        print("the beginning")
        for _ in range(1000):
            sys.stdout.write(line * 1000)
        print("the end")
        with self.output().open("w") as out:
            out.write("done")


class Family(luigi.Task):
    """Starts a program that starts another one, and waits for both."""

    name = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(str(FOLDER / f"{self.name}.done"))

    def run(self):
        script = f"echo $$ > {FOLDER}/child.tmp; mv {FOLDER}/child.tmp {FOLDER}/child; sleep 1000 & wait"
        child = subprocess.Popen(["setsid", "sh", "-c", script])
        (FOLDER / "task").write_text(str(os.getpid()))
        child.wait()


class Stubborn(luigi.Task):
    """Takes long, as does a program of it that nobody can ask to end."""

    def run(self):
        ignore = "trap '' TERM; echo $$ > child.tmp; mv child.tmp child; while true; do sleep 0.1; done"
        subprocess.Popen(["sh", "-c", ignore], cwd=FOLDER)
        time.sleep(1000)


class Two(luigi.WrapperTask):
    """Two that print at the same time."""

    def requires(self):
        return [Noisy("one"), Noisy("two")]
