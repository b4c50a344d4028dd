"""A task that needs what somebody else brings."""

import luigi
from recorded import Recorded


class Delivery(luigi.ExternalTask):
    def output(self):
        return luigi.LocalTarget("delivery")


class Root(Recorded):
    def requires(self):
        return Delivery()
