"""Tasks that share a resource of which there is one, and one of which there are two."""

import time

import luigi
from recorded import Recorded


class Single(Recorded):
    number = luigi.IntParameter()
    resources = {"single": 1}

    def work(self):
        time.sleep(0.1)


class Double(Recorded):
    number = luigi.IntParameter()
    resources = {"double": 1}

    def work(self):
        time.sleep(0.1)


class Root(Recorded):
    def requires(self):
        return [task(number=number) for number in range(4) for task in (Single, Double)]
