"""The Python part of a graph in two languages; the rest is in main.rs."""

import luigi


class Extract(luigi.ExternalTask):
    """The day's numbers: a task of the program in Rust."""

    day = luigi.DateParameter()

    def output(self):
        return luigi.LocalTarget(f"extract-{self.day}.txt")


class Clean(luigi.Task):
    """The numbers without what is none."""

    day = luigi.DateParameter()

    def requires(self):
        return Extract(self.day)

    def output(self):
        return luigi.LocalTarget(f"clean-{self.day}.txt")

    def run(self):
        with self.input().open() as numbers, self.output().open("w") as out:
            out.writelines(line for line in numbers if line.strip().isdigit())
