"""Tasks of many kinds, in folder OUT, for comparing two Luigis line by line."""

import datetime
import os

import luigi

OUT = os.environ["OUT"]


class Writes(luigi.Task):
    def output(self):
        return luigi.LocalTarget(os.path.join(OUT, self.task_id))

    def run(self):
        with self.output().open("w") as out:
            out.write("written")


class Day(Writes):
    date = luigi.DateParameter()
    note = luigi.Parameter(default="none", significant=False)


class Week(luigi.WrapperTask):
    date = luigi.DateParameter(default=datetime.date(2026, 3, 2))

    def requires(self):
        return [Day(self.date + datetime.timedelta(days=n)) for n in range(7)]


class Number(Writes):
    value = luigi.FloatParameter(default=1.5)
    names = luigi.ListParameter(default=["a", "b"])
    switch = luigi.BoolParameter()


class Missing(luigi.ExternalTask):
    def output(self):
        return luigi.LocalTarget(os.path.join(OUT, "never made"))


class NeedsMissing(Writes):
    def requires(self):
        return {"missing": Missing(), "number": Number()}


class Fails(Writes):
    def run(self):
        raise RuntimeError("as it should")


class AfterFails(Writes):
    def requires(self):
        return [Fails(), Number(value=2.0)]


class Asks(Writes):
    def run(self):
        yield Number(value=3.0)
        yield [Number(value=value) for value in (4.0, 5.0)]
        super().run()


class BadComplete(Writes):
    def complete(self):
        raise ValueError("cannot say")


class BadRequires(Writes):
    def requires(self):
        raise ValueError("cannot say")


class Everything(luigi.WrapperTask):
    def requires(self):
        return [NeedsMissing(), AfterFails(), Asks(), BadComplete(), BadRequires(), Week()]


class Urgent(Writes):
    level = luigi.IntParameter()
    priority = property(lambda self: self.level * 10)


class ByPriority(luigi.WrapperTask):
    def requires(self):
        return [Urgent(level) for level in (2, 5, 1, 4)]


class Joined(luigi.Task):
    number = luigi.IntParameter(batch_method=max)

    def complete(self):
        path = os.path.join(OUT, "joined")
        return os.path.exists(path) and int(open(path).read()) >= self.number

    def run(self):
        with open(os.path.join(OUT, "joined"), "w") as out:
            out.write(str(self.number))


class AllJoined(luigi.WrapperTask):
    def requires(self):
        return [Joined(number) for number in range(1, 6)]


class NoOutput(luigi.Task):
    def run(self):
        print("printed by the task")
