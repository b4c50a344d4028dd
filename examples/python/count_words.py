"""Counts the words of two texts and adds them up: the pipeline of the README."""

import luigi


class CountWords(luigi.Task):
    """Counts the words of one text."""

    text = luigi.PathParameter(exists=True)

    def output(self):
        return luigi.LocalTarget(f"counts/{self.text.name}")

    def run(self):
        with self.output().open("w") as file:
            file.write(str(len(self.text.read_text().split())))


class Total(luigi.Task):
    """Adds up the words of two texts."""

    def requires(self):
        return [CountWords(text=text) for text in ("README.md", "CONTRIBUTING.md")]

    def output(self):
        return luigi.LocalTarget("counts/total")

    def run(self):
        total = 0
        for count in self.input():
            with count.open() as file:
                total += int(file.read())
        with self.output().open("w") as file:
            file.write(str(total))
