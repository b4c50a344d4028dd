"""A task that finds out while it runs what it needs, twice."""

import luigi
from recorded import Recorded, end, start


class Part(Recorded):
    number = luigi.IntParameter()


class Finder(Recorded):
    def run(self):
        start(self.task_id)
        yield [Part(number=1), Part(number=2)]
        yield Part(number=3)
        end(self.task_id)
        with self.output().open("w") as output:
            output.write("done")


class Root(Recorded):
    def requires(self):
        return Finder()
