"""What private parameters hold, in tasks that a run asks for: they keep it, and nobody else hears of it."""

import logging

import pytest

import luigi
from luigi.parameter import ParameterVisibility
from luigi.scheduler import RPC_METHODS, Scheduler
from luigi.worker import Worker

PRIVATE = {"visibility": ParameterVisibility.PRIVATE, "significant": False}
SECRET = "hunter22"

#: How the runs of a worker take place.
WAYS = {
    "in the worker's process": {},
    "in forked processes": {"worker_processes": 2},
    "in processes that are kept": {"worker_processes": 2, "reuse_processes": True},
}


class Listening(Scheduler):
    """A scheduler that keeps what it is told."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def __getattribute__(self, name):
        method = super().__getattribute__(name)
        if name not in RPC_METHODS:
            return method

        def call(*args, **kwargs):
            self.heard.append(f"{name}{args}{kwargs}")
            return method(*args, **kwargs)

        return call


class Opens(luigi.Task):
    name = luigi.Parameter()
    password = luigi.Parameter(**PRIVATE)
    tries = luigi.IntParameter(default=None, **PRIVATE)
    names = luigi.ListParameter(default=(), **PRIVATE)
    connection = luigi.Parameter(default="none", **PRIVATE)

    def output(self):
        return luigi.LocalTarget(self.name)

    def run(self):
        with self.output().open("w") as out:
            out.write(f"{self.password} {self.tries} {self.names} {self.connection}")


class Asks(luigi.Task):
    def output(self):
        return luigi.LocalTarget("asks")

    def run(self):
        yield [
            Opens("texts", password=SECRET, tries=3, names=["a", "b"]),
            Opens("others", password=SECRET, connection=object()),
        ]
        self.output().open("w").close()


@pytest.mark.parametrize("way", WAYS)
def test_tasks_that_a_run_asks_for_keep_them_and_the_scheduler_hears_nothing(way, folder_of_its_own, caplog):
    caplog.set_level(logging.DEBUG)
    scheduler = Listening()
    settings = {"wait_interval": 0.01, "wait_jitter": 0.0, **WAYS[way]}
    with Worker(scheduler=scheduler, worker_id="me", **settings) as worker:
        assert worker.add(Asks()) and worker.run()
    # An object's text does not give it back: the default, as in Luigi.
    assert (folder_of_its_own / "texts").read_text() == f"{SECRET} 3 ('a', 'b') none"
    assert (folder_of_its_own / "others").read_text() == f"{SECRET} None () none"
    assert [call for call in scheduler.heard if "texts" in call and "add_task" in call]
    assert SECRET not in "".join(scheduler.heard) + caplog.text


class Connects(luigi.Task):
    connection = luigi.Parameter(**PRIVATE)


class AsksInVain(luigi.Task):
    def run(self):
        yield Connects(object())


@pytest.mark.parametrize("way", WAYS)
def test_a_run_fails_that_asks_for_a_task_which_cannot_be_built_anew(way):
    settings = {"wait_interval": 0.01, "wait_jitter": 0.0, **WAYS[way]}
    with Worker(scheduler=Scheduler(), worker_id="me", **settings) as worker:
        assert worker.add(AsksInVain()) and not worker.run()
    error = worker._scheduler.fetch_error(AsksInVain().task_id)["error"]
    assert "Connects cannot be built anew: the value of its private parameter connection cannot be told" in error
