"""A small graph on a stock worker, whose requests are compared with ours. The argument is the scheduler's URL."""

import sys

import luigi
import luigi.interface
import luigi.rpc
import luigi.worker

DONE = set()


class Memory(luigi.Task):
    def complete(self):
        return self.task_family in DONE

    def run(self):
        DONE.add(self.task_family)


class First(Memory):
    priority = 9
    resources = {"seat": 1}

    def run(self):
        self.set_tracking_url("http://there/")
        self.set_status_message("half way")
        self.set_progress_percentage(50)
        super().run()


class Late(Memory):
    priority = 2


class Asks(Memory):
    priority = 5

    def run(self):
        yield Late()
        super().run()


class Bad(Memory):
    priority = 3

    def run(self):
        raise ValueError("no luck")


class Outside(luigi.ExternalTask):
    def complete(self):
        return False


class Made(Memory):
    pass


class Middle(Memory):
    priority = 4

    def requires(self):
        return [First(), Asks(), Made()]


class Root(Memory):
    priority = 1.5

    def requires(self):
        return [Middle(), Bad(), Outside()]


if __name__ == "__main__":
    DONE.add("Made")
    scheduler = luigi.rpc.RemoteScheduler(sys.argv[1])
    with luigi.worker.Worker(scheduler=scheduler, worker_id="this", ping_interval=0.2) as worker:
        worker.add(Root())
        worker.run()
