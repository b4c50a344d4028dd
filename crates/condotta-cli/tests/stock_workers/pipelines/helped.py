"""Work that one worker announces and others help with."""

import os
import time

import luigi
from recorded import Recorded, wait_for


class Piece(Recorded):
    number = luigi.IntParameter()

    def work(self):
        if os.environ["WORKER_NAME"] == "owner":
            wait_for("helped")
        open("helped", "w").close()
        time.sleep(0.02)


class Whole(Recorded):
    def requires(self):
        return [Piece(number=number) for number in range(12)]
