"""Tasks in processes that are started as the first argument says. The second one is the folder."""

import multiprocessing
import os
import sys
import threading

import luigi
import luigi.interface
import luigi.worker
from luigi.parameter import ParameterVisibility


class Writes(luigi.Task):
    folder = luigi.Parameter(significant=False)
    name = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(os.path.join(self.folder, self.name))

    def run(self):
        self.set_status_message("at work")
        with self.output().open("w") as out:
            out.write(str(os.getpid()))


class Keeps(Writes):
    secret = luigi.Parameter(visibility=ParameterVisibility.PRIVATE)

    def run(self):
        assert self.secret == "told"
        super().run()


class Asks(Keeps):
    def requires(self):
        return Writes(self.folder, "required")

    def run(self):
        assert self.secret == "told"
        yield Keeps(self.folder, "asked for", self.secret)
        super().run()


def hidden():
    """A task whose class no other process finds."""

    class Hidden(Writes):
        pass

    return Hidden


class Locks(luigi.worker.Worker):
    """A worker whose processes have a part that cannot be sent anywhere."""

    def _create_task_process(self, task):
        process = super()._create_task_process(task)
        process.lock = threading.Lock()
        return process


class Factory(luigi.interface._WorkerSchedulerFactory):
    def create_worker(self, scheduler, worker_processes, assistant=False):
        return Locks(scheduler=scheduler, worker_processes=worker_processes, assistant=assistant)


if __name__ == "__main__":
    method, folder, case = sys.argv[1:]
    multiprocessing.set_start_method(method)
    factory = Factory() if case == "unsendable" else None
    settings = {"local_scheduler": True, "workers": 2, "log_level": "WARNING", "detailed_summary": True}
    task = hidden()(folder, "hidden") if case == "hidden" else Asks(folder, "asks", secret="told")
    result = luigi.build([task], worker_scheduler_factory=factory, **settings)
    print(result.status.name)
