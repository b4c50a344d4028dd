"""Work that one worker announces and others help with."""

import time

import luigi
from recorded import Recorded


class Piece(Recorded):
    number = luigi.IntParameter()

    def work(self):
        time.sleep(0.1)


class Whole(Recorded):
    def requires(self):
        return [Piece(number=number) for number in range(12)]
