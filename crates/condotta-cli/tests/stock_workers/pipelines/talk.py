"""The example of the talk: two expressions into files, then their sum."""

import time

import luigi
from recorded import end, start


class ChildTask(luigi.Task):
    my_param = luigi.Parameter()

    def run(self):
        start(self.task_id)
        with self.output().open("w") as target:
            target.write(str(eval(self.my_param)))
            time.sleep(1)
        end(self.task_id)

    def output(self):
        return luigi.LocalTarget(f"presentation/{self.my_param}")


class ParentTask(luigi.Task):
    def requires(self):
        return [ChildTask(my_param="4+6"), ChildTask(my_param='len("Hello world")')]

    def output(self):
        return luigi.LocalTarget("presentation/final_result")

    def run(self):
        start(self.task_id)
        total = 0
        for target in self.input():
            with target.open() as source:
                total += int(source.read())
        with self.output().open("w") as target:
            target.write(str(total))
        end(self.task_id)
