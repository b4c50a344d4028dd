"""Runs tasks in forked processes, and says whether a handler of the log was in order there.

What happened to the handler in the worker before is the argument.
"""

import _thread
import logging
import os
import sys
import threading

import luigi
from luigi.scheduler import Scheduler
from luigi.worker import KeepAliveThread, Worker


class Own(logging.StreamHandler):
    """A handler that notes where it was put in order."""

    pid = None

    def _at_fork_reinit(self):
        super()._at_fork_reinit()
        self.pid = os.getpid()


handler = logging.StreamHandler()
holds, leaves = threading.Event(), threading.Event()


def hold(*_):
    with handler.lock:
        holds.set()
        leaves.wait()


class Logs(luigi.Task):
    number = luigi.IntParameter()

    def complete(self):
        return False

    def run(self):
        assert handler.lock.acquire(timeout=5)
        assert getattr(handler, "pid", os.getpid()) == os.getpid()


class Exchanging(Worker):
    started = 0

    def _create_task_process(self, task):
        global handler
        self.started += 1
        # Until then it was looked at again.
        if case == "an exchanged handler" and self.started == 3:
            handler = None
            handler = Own()
        return super()._create_task_process(task)


case = sys.argv[1]
if case == "a replaced ping":
    KeepAliveThread.run = hold
elif case == "an unlisted thread":
    _thread.start_new_thread(hold, ())
else:
    holds.set()
with Exchanging(scheduler=Scheduler(), worker_id="me", worker_processes=2, wait_interval=0.01) as worker:
    holds.wait()
    # Python may have to choose how processes start before the first one.
    print(all([worker.add(Logs(number)) for number in range(3)]) and worker.run())
    leaves.set()
