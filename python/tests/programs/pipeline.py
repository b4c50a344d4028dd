"""A program that runs its own tasks: those that its command line names, or one of its choice."""

import os
import sys

import luigi


class Part(luigi.Task):
    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(os.path.join(os.environ["OUT"], f"part{self.number}"))

    def run(self):
        with self.output().open("w") as out:
            out.write(str(self.number))


class Total(luigi.Task):
    parts = luigi.IntParameter(default=2)

    def requires(self):
        return [Part(number) for number in range(self.parts)]

    def output(self):
        return luigi.LocalTarget(os.path.join(os.environ["OUT"], "total"))

    def run(self):
        numbers = []
        for part in self.input():
            with part.open() as file:
                numbers.append(int(file.read()))
        with self.output().open("w") as out:
            out.write(str(sum(numbers)))


if __name__ == "__main__":
    if sys.argv[1:] == ["build"]:
        print(luigi.build([Total(parts=3)], local_scheduler=True))
    else:
        print(luigi.run())
