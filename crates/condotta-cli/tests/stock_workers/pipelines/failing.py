"""Tasks that fail, and what depends on them."""

import os

import luigi
from recorded import Recorded, wait_for


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


class FailsLate(Recorded):
    """Fails, but not before somebody else has done it."""

    def work(self):
        if not os.path.exists("first-is-away"):
            wait_for("go")
            raise ValueError("too late")


class NeedsLate(Recorded):
    def requires(self):
        return FailsLate()
