"""Tasks that fail, and what depends on them."""

import os

import luigi
from recorded import Recorded


class Good(Recorded):
    pass


class Bad(Recorded):
    def work(self):
        raise ValueError("as always")


class Flaky(Recorded):
    """Fails twice, and then no more."""

    def work(self):
        for attempt in ("failed-once", "failed-twice"):
            if not os.path.exists(attempt):
                open(attempt, "w").close()
                raise ValueError(attempt)


class Unclear(Recorded):
    """Nobody knows whether it is complete."""

    def complete(self):
        raise ValueError("who knows")


class NeedsBad(Recorded):
    def requires(self):
        return [Bad(), Good()]


class Root(Recorded):
    def requires(self):
        return [NeedsBad(), Good(), Unclear()]


class NeedsFlaky(Recorded):
    def requires(self):
        return [Flaky(), Good()]


class Hopeless(Recorded):
    """Is disabled by itself."""

    disabled = True


class NeedsHopeless(Recorded):
    def requires(self):
        return [Hopeless(), Bad(), Good()]
