"""Tools of Luigi that pipelines use: ranges of dates, parameters taken over, programs, events, dynamic requirements."""

import os

import luigi
from luigi.contrib.external_program import ExternalProgramTask
from luigi.util import inherits, requires


class Report(luigi.Task):
    date = luigi.DateParameter()
    country = luigi.Parameter(default="se")

    def output(self):
        return luigi.LocalTarget(self.date.strftime(f"reports/{self.country}/%Y/%m-%d.txt"))

    def run(self):
        if self.country == "no" and self.date.day == 4:
            raise RuntimeError("nothing came on the 4th")
        with self.output().open("w") as out:
            out.write(f"of {self.date}")


class Hourly(luigi.Task):
    hour = luigi.DateHourParameter()

    def output(self):
        return luigi.LocalTarget(self.hour.strftime("hours/%Y-%m-%dT%H.txt"))

    def run(self):
        self.output().open("w").close()


class Base(luigi.Task):
    letters = luigi.ListParameter(default=["a", "b"])
    secret = luigi.Parameter(default="hush", significant=False, visibility=luigi.parameter.ParameterVisibility.PRIVATE)

    def output(self):
        return luigi.LocalTarget("".join(self.letters))

    def run(self):
        with self.output().open("w") as out:
            out.write(self.secret)


@inherits(Base)
class Inherits(luigi.Task):
    times = luigi.IntParameter(default=2)

    def requires(self):
        return self.clone_parent()

    def output(self):
        return luigi.LocalTarget(self.input().path + "-inherits")

    def run(self):
        with self.input().open() as given, self.output().open("w") as out:
            out.write(given.read() * self.times)


@requires(first=Base, second=Inherits)
class Requires(luigi.Task):
    def output(self):
        return luigi.LocalTarget("requires")

    def run(self):
        with self.output().open("w") as out:
            out.write(repr({name: target.path for name, target in self.input().items()}))


class Sorts(ExternalProgramTask):
    words = luigi.ListParameter(default=["pear", "fig", "apple"])

    def program_args(self):
        return ["sh", "-c", 'echo sorting; printf "%s\\n" "$@" | sort > sorted', "sh", *self.words]

    def output(self):
        return luigi.LocalTarget("sorted")


class Refuses(ExternalProgramTask):
    priority = 1

    def program_args(self):
        return ["sh", "-c", "echo tried; echo no >&2; exit 3"]

    def program_environment(self):
        # The error shows it.
        return {"PATH": "/usr/bin:/bin"}

    def output(self):
        return luigi.LocalTarget("refused")


class Part(luigi.Task):
    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(f"part-{self.number}")

    def run(self):
        self.output().open("w").close()


class FailsLate(luigi.Task):
    def output(self):
        return luigi.LocalTarget("never")

    def run(self):
        yield Part(7)
        raise RuntimeError("after its part")


class AsksForParts(luigi.Task):
    def output(self):
        return luigi.LocalTarget("parts")

    def run(self):
        first = yield Part(0)
        more = yield {"two": [Part(1), Part(2)], "none": []}
        print(first.path, [part.path for part in more["two"]], more["none"], flush=True)
        yield luigi.DynamicRequirements([Part(3)], custom_complete=lambda complete: complete(Part(3)))
        self.output().open("w").close()


class AsksForAFailure(luigi.Task):
    def output(self):
        return luigi.LocalTarget("never either")

    def run(self):
        yield FailsLate()


class Taken(luigi.Task):
    def output(self):
        return luigi.LocalTarget("taken")

    def run(self):
        self.output().open("w").close()


class Takes(luigi.Task):
    priority = 1

    def requires(self):
        return Taken()

    def output(self):
        return luigi.LocalTarget("takes")

    def run(self):
        os.remove("taken")
        self.output().open("w").close()


class Misses(luigi.Task):
    def requires(self):
        return Taken()

    def output(self):
        return luigi.LocalTarget("misses")


class TakesAndMisses(luigi.WrapperTask):
    def requires(self):
        return [Takes(), Misses()]


class Tells(luigi.Task):
    def requires(self):
        return [Part(8), Refuses()]

    def output(self):
        return luigi.LocalTarget("tells")


def tell(name):
    def handler(*told):
        print(name, *[thing for thing in told if not isinstance(thing, float)], flush=True)

    return handler


if os.environ.get("TELL"):
    for event in sorted(name for name in vars(luigi.Event) if name.isupper()):
        luigi.Task.event_handler(getattr(luigi.Event, event))(tell(event))
