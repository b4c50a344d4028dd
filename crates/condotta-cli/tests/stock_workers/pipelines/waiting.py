"""Tasks that wait until they are told to go on."""

import luigi
from recorded import Recorded, wait_for


class Waiting(Recorded):
    number = luigi.IntParameter()

    # Without it, the order of a Python set decides who is first.
    @property
    def priority(self):
        return 10 - self.number

    def work(self):
        wait_for("go")


class Watched(Recorded):
    """Says how it is doing."""

    def work(self):
        self.set_tracking_url("http://example.com/run")
        self.set_status_message("half-way, \u00e9\U0001f600 </b>")
        self.set_progress_percentage(50)
        wait_for("go")
        self.set_progress_percentage(100)


class Root(Recorded):
    count = luigi.IntParameter(default=4)

    def requires(self):
        return [Waiting(number=number) for number in range(self.count)]
