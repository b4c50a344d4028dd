"""A diamond: two tasks between one that both need and one that needs both."""

import luigi
from recorded import Recorded


class Base(Recorded):
    pass


class Middle(Recorded):
    side = luigi.Parameter()

    def requires(self):
        return Base()


class Root(Recorded):
    def requires(self):
        return [Middle(side="left"), Middle(side="right")]
