"""Tasks that write one small file each, wired as a fan, a chain or layers, for stock Luigi and ours alike.

Without the package: ``bench_tasks.py loop COUNT`` writes the same files in a bare loop.
"""

import os
import sys

FOLDER = "out"
WIDTH = 20
FAN_IN = 3


def write_in_a_loop(count):
    """What the tasks come to when nobody schedules them."""
    os.makedirs(FOLDER, exist_ok=True)
    for number in range(count):
        path = os.path.join(FOLDER, f"loop-{number}")
        if not os.path.exists(path):
            with open(path + ".tmp", "w") as file:
                file.write("done")
            os.replace(path + ".tmp", path)


if sys.argv[1:2] == ["loop"]:
    write_in_a_loop(int(sys.argv[2]))
    sys.exit(0)

import luigi  # noqa: E402  the loop is to be measured without it


class FileTask(luigi.Task):
    """Writes one file."""

    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(os.path.join(FOLDER, f"{type(self).__name__}-{self.number}"))

    def run(self):
        with self.output().open("w") as file:
            file.write("done")


class Leaf(FileTask):
    """Requires nothing."""


class Link(FileTask):
    """Requires the one before it."""

    def requires(self):
        return [Link(self.number - 1)] if self.number > 0 else []


class Cell(FileTask):
    """Requires three of the layer below it."""

    def requires(self):
        layer, place = divmod(self.number, WIDTH)
        below = [(layer - 1) * WIDTH + (place + step) % WIDTH for step in range(FAN_IN)]
        return [Cell(number) for number in below] if layer > 0 else []


class Fan(luigi.WrapperTask):
    """Requires all leaves."""

    count = luigi.IntParameter()

    def requires(self):
        return [Leaf(number) for number in range(self.count)]


class Chain(luigi.WrapperTask):
    """Requires the last link."""

    count = luigi.IntParameter()

    def requires(self):
        return Link(self.count - 1)


class Layers(luigi.WrapperTask):
    """Requires the top layer."""

    count = luigi.IntParameter()

    def requires(self):
        return [Cell(number) for number in range(self.count - WIDTH, self.count)]


class HelloWorld(luigi.Task):
    """The smallest task there is."""

    def output(self):
        return luigi.LocalTarget("hello.txt")

    def run(self):
        with self.output().open("w") as file:
            file.write("hello")


if __name__ == "__main__":
    luigi.run()
