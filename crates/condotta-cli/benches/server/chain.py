"""One of two stock workers on a chain of tasks that alternate between them.

Arguments: the scheduler's URL, a folder, how many tasks, which of the two this is.
Each run leaves when it started and ended, in seconds of the machine's monotonic clock.
"""

import os
import sys
import time

import luigi

URL, FOLDER, TASKS, MINE = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


class Link(luigi.Task):
    number = luigi.IntParameter()

    def requires(self):
        return OthersLink(self.number - 1) if self.number else []

    def output(self):
        return luigi.LocalTarget(os.path.join(FOLDER, f"done-{self.number}"))

    def run(self):
        started = time.monotonic()
        with self.output().open("w") as file:
            file.write(f"{started} {time.monotonic()}")


# The same task as seen by the worker that does not run it.
OthersLink = type("Link", (Link,), {"run": None, "__module__": __name__})

luigi.configuration.get_config().set("worker", "keep_alive", "true")
mine = [Link(number) for number in range(MINE, TASKS, 2)]
luigi.build(mine, scheduler_url=URL, workers=1, no_lock=True)
