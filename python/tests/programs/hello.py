import os

import luigi

FOLDER = os.environ["PRESENTATION"]
FIXED = os.environ.get("FIXED")


class ChildTask(luigi.Task):
    my_param = luigi.Parameter()

    def run(self):
        with self.output().open("w") as fd:
            fd.write(str(eval(self.my_param)))

    def output(self):
        return luigi.LocalTarget(os.path.join(FOLDER, self.my_param))


class ParentTask(luigi.Task):
    def requires(self):
        return [ChildTask(my_param="4+6"), ChildTask(my_param='len("Hello world")')]

    def output(self):
        return luigi.LocalTarget(os.path.join(FOLDER, "final_result"))

    def run(self):
        acc = 0
        if not FIXED:
            for f in self.input():
                with f.open():
                    acc += int(f.read())
        for target in self.input():
            with target.open() as fd:
                acc += int(fd.read())
        with self.output().open("w") as fd:
            fd.write(str(acc))
