"""Tasks that run together: by a list of their values, and by the greatest of them."""

import luigi
from recorded import Recorded, start


class Listed(luigi.Task):
    max_batch_size = 3
    names = luigi.Parameter(batch_method=",".join)
    kind = luigi.Parameter()

    # Without it, the order of a Python set decides who runs together.
    @property
    def priority(self):
        return 200 - ord(self.names[0])

    def output(self):
        return [luigi.LocalTarget(f"out/listed-{self.kind}-{name}") for name in self.names.split(",")]

    def run(self):
        start(f"Listed[{self.kind}:{self.names}]")
        for target in self.output():
            with target.open("w") as output:
                output.write("done")


class Latest(luigi.Task):
    day = luigi.IntParameter(batch_method=max)

    def complete(self):
        return any(luigi.LocalTarget(f"out/latest-{day}").exists() for day in range(self.day, 10))

    def run(self):
        start(f"Latest[{self.day}]")
        with luigi.LocalTarget(f"out/latest-{self.day}").open("w") as output:
            output.write("done")


class Root(Recorded):
    def requires(self):
        listed = [Listed(names=name, kind="a") for name in "pqrst"]
        return listed + [Listed(names="z", kind="b")] + [Latest(day=day) for day in range(1, 5)]
