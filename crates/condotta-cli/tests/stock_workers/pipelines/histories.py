"""Tasks whose attempts end in different ways, with parameters of each visibility."""

import luigi
from luigi.parameter import ParameterVisibility as Visibility
from recorded import Recorded, wait_for


class Step(Recorded):
    number = luigi.IntParameter()
    note = luigi.Parameter(default="seen-by-operators", visibility=Visibility.HIDDEN, significant=False)
    password = luigi.Parameter(default="open-sesame", visibility=Visibility.PRIVATE, significant=False)

    def work(self):
        if self.number == 3:
            raise ValueError("step three breaks")


class Asking(Recorded):
    """Asks for a task while it runs."""

    def work(self):
        pass

    def run(self):
        yield Step(number=7)
        with self.output().open("w") as output:
            output.write("done")


class All(luigi.WrapperTask):
    def requires(self):
        return [Step(number=number) for number in range(5)] + [Asking()]


class Long(Recorded):
    """Runs until a file is there."""

    def work(self):
        open("begun", "w").close()
        wait_for("go-on")
