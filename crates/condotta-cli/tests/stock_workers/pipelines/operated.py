"""Tasks that fail until somebody does something about it, and what waits for them."""

import os
import time

import luigi
from recorded import Recorded


class Broken(Recorded):
    def work(self):
        if not os.path.exists("mended"):
            raise ValueError("not mended yet")


class NeedsBroken(Recorded):
    def requires(self):
        return Broken()


class Fragile(Recorded):
    """Is disabled after its first failure, whatever the scheduler's setting."""

    retry_count = 1

    def work(self):
        if not os.path.exists("mended"):
            raise ValueError("not mended yet")


class NeedsFragile(Recorded):
    def requires(self):
        return Fragile()


class Slow(Recorded):
    """Takes longer than it may."""

    worker_timeout = 1

    def work(self):
        time.sleep(60)


class BrokenBatch(Recorded):
    """Fails with all its members."""

    name = luigi.Parameter(batch_method=",".join)

    # Without it, the order of a Python set decides in which order the names are joined.
    @property
    def priority(self):
        return 200 - ord(self.name[0])

    def work(self):
        raise ValueError("all of " + self.name)


class NeedsBrokenBatch(Recorded):
    def requires(self):
        return [BrokenBatch(name=name) for name in "abc"]
