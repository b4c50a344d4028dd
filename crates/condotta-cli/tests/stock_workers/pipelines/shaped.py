"""Tasks of all shapes: priorities, resources, parameters of every visibility, odd texts."""

import luigi
from luigi.parameter import ParameterVisibility
from recorded import Recorded, wait_for


class Shaped(Recorded):
    text = luigi.Parameter()
    number = luigi.IntParameter(default=7)
    day = luigi.DateParameter(default=luigi.DateParameter().parse("2026-05-17"))
    listed = luigi.ListParameter(default=[1, "two"])
    insignificant = luigi.Parameter(default="x", significant=False)
    hidden = luigi.Parameter(default="h", visibility=ParameterVisibility.HIDDEN)
    private = luigi.Parameter(default="p", visibility=ParameterVisibility.PRIVATE)
    resources = {"some": 1}

    @property
    def priority(self):
        return {"plain": 1, "\u00e9\U0001f600": 2.5}.get(self.text, 1000)


class Root(Recorded):
    def requires(self):
        return [Shaped(text=text) for text in ("plain", "\u00e9\U0001f600", "</b> \"quoted\" \\ {}")]


class Ranked(Recorded):
    rank = luigi.IntParameter()

    @property
    def priority(self):
        return self.rank


class AllRanked(Recorded):
    def requires(self):
        return [Ranked(rank=rank) for rank in (3, 1, 5, 2, 4)]


class Sharing(Recorded):
    """Gives its resource back while it runs."""

    number = luigi.IntParameter()
    resources = {"single": 1}

    @property
    def priority(self):
        return 10 - self.number

    def work(self):
        self.decrease_running_resources({"single": 1})
        wait_for("go")


class AllSharing(Recorded):
    def requires(self):
        return [Sharing(number=1), Sharing(number=2)]
