"""Tasks that note each of their runs in the file `runs`, a line at its start and one at its end."""

import os
import time

import luigi


def note(line):
    """Adds a line to the file `runs`; lines of several processes do not mix."""
    handle = os.open("runs", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, (line + "\n").encode())
    os.close(handle)


def start(name):
    note(f"start {name} {os.environ['WORKER_NAME']}")


def end(name):
    note(f"end {name}")


def wait_for(path):
    """Waits until a file is there, for a minute at most."""
    for _ in range(6000):
        if os.path.exists(path):
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} has not come")


class Recorded(luigi.Task):
    """A task whose run is `work`, and whose output lies under its id."""

    def output(self):
        return luigi.LocalTarget(f"out/{self.task_id}")

    def work(self):
        pass

    def run(self):
        start(self.task_id)
        try:
            self.work()
        finally:
            end(self.task_id)
        with self.output().open("w") as output:
            output.write("done")
