"""Many small tasks in two layers, for many workers."""

import time

import luigi
from recorded import Recorded


class Leaf(Recorded):
    number = luigi.IntParameter()

    def work(self):
        time.sleep(0.02)


class Pair(Recorded):
    number = luigi.IntParameter()

    def requires(self):
        return [Leaf(number=2 * self.number), Leaf(number=2 * self.number + 1)]


class Root(Recorded):
    def requires(self):
        return [Pair(number=number) for number in range(15)]
