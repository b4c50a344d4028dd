"""Makes the golden execution summaries: runs each of scenarios.json on stock Luigi 3.8.1.

    python generate.py          # with luigi==3.8.1 installed; writes <scenario>.txt here

The log of one of them is kept, too, in <scenario>.log: levels and messages, without stack traces.

A scenario is a list of tasks by key. The first one is added to the worker, or those in "add".

  family, params   [[name, value]]; a value that is a number is an IntParameter, one that looks like
                   2020-01-31 a DateParameter, anything else a Parameter
  deps             keys
  does             ok (default), fail, fail-once, complete, external, broken-complete, broken-deps,
                   yields (asks for "dynamic" while running)
  batch            parameters that may differ in a batch: numbers take the greatest, texts are joined
  other            {worker: [keys]}: another worker runs these meanwhile
  config           [worker] settings; scheduler: [scheduler] settings; resources: limits
"""

import datetime
import json
import logging
import os
import pathlib
import re
import sys
import types

import luigi
from luigi.execution_summary import LuigiRunResult
from luigi.scheduler import Scheduler
from luigi.task_register import Register
from luigi.worker import Worker

LOGGED = "everything"
HERE = pathlib.Path(__file__).parent
DATE = re.compile(r"\d{4}-\d\d-\d\d$")


class Memory(luigi.Target):
    def __init__(self, done, key):
        self.done, self.key = done, key

    def exists(self):
        return self.key in self.done


def parameter(value, batch):
    kind = luigi.Parameter
    if isinstance(value, int):
        kind = luigi.IntParameter
    elif DATE.match(value):
        kind = luigi.DateParameter
    if batch:
        return kind(batch_method=",".join if kind is luigi.Parameter else max)
    return kind()


def parsed(value):
    if isinstance(value, str) and DATE.match(value):
        return datetime.date.fromisoformat(value)
    return value


class World:
    """The tasks of one scenario."""

    def __init__(self, specs):
        self.specs = specs
        self.done = set()
        self.runs = {}
        self.classes = {}
        self.by_id = {}
        for key, spec in specs.items():
            family = spec.get("family", key)
            if family not in self.classes:
                self.classes[family] = self.make_class(family, spec)
            self.by_id[self.task(key).task_id] = key

    def task(self, key):
        spec = self.specs[key]
        cls = self.classes[spec.get("family", key)]
        return cls(**{name: parsed(value) for name, value in spec.get("params", [])})

    def make_class(self, family, spec):
        world = self

        def own(task):
            return world.specs[world.by_id[task.task_id]] if task.task_id in world.by_id else {}

        def requires(self):
            if own(self).get("does") == "broken-deps":
                raise ValueError("deps")
            return [world.task(dep) for dep in own(self).get("deps", [])]

        def complete(self):
            does = own(self).get("does")
            if does == "broken-complete":
                raise ValueError("complete")
            return does == "complete" or self.task_id in world.done

        def run(self):
            does = own(self).get("does")
            world.runs[self.task_id] = world.runs.get(self.task_id, 0) + 1
            if does == "fail" or (does == "fail-once" and world.runs[self.task_id] == 1):
                raise ValueError("run")
            if does == "yields":
                yield [world.task(dep) for dep in own(self)["dynamic"]]
            world.done.add(self.task_id)

        def run_batch(self):
            for task_id in world.by_id:
                if world.specs[world.by_id[task_id]].get("family") == family:
                    world.done.add(task_id)
            world.done.add(self.task_id)

        attributes = {
            name: parameter(value, name in spec.get("batch", [])) for name, value in spec.get("params", [])
        }
        attributes.update(requires=requires, complete=complete, resources=spec.get("resources", {}))
        if spec.get("does") == "external":
            attributes["run"] = None
        elif "batch" in spec:
            attributes["run"] = run_batch
        else:
            attributes["run"] = run
        if spec.get("does") == "yields":
            pass
        elif attributes["run"] is run:
            # Without a yield it is not to be a generator.
            def plain(self, run=run):
                for _ in run(self):
                    pass

            attributes["run"] = plain
        if spec.get("disabled"):
            attributes["disabled"] = True
        attributes["__module__"] = "scenario"
        return type(family, (luigi.Task,), attributes)


def run(scenario):
    world = World(scenario["tasks"])
    scheduler = Scheduler(
        prune_on_get_work=True, record_task_history=False, resources=scenario.get("resources"), **scenario.get("scheduler", {})
    )
    for other, keys in scenario.get("other", {}).items():
        for key in keys:
            scheduler.add_task(worker=other, task_id=world.task(key).task_id, runnable=True)
            scheduler.get_work(worker=other)
    worker = Worker(
        scheduler=scheduler,
        worker_id="this",
        wait_interval=0.01,
        wait_jitter=0.0,
        no_install_shutdown_handler=True,
        **scenario.get("config", {}),
    )
    success = True
    for key in scenario.get("add", list(scenario["tasks"])[:1]):
        success &= worker.add(world.task(key))
    success &= worker.run()
    result = LuigiRunResult(worker, success)
    return f"{result.status.name} {success}\n{result.summary_text}"


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        message = record.getMessage().split("\n")[0]
        self.lines.append(f"{record.levelname}: {message}".replace(f"[pid {os.getpid()}]", "[pid N]"))


def write_log(name, scenario):
    logger, lines = logging.getLogger("luigi-interface"), Lines()
    logger.addHandler(lines)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    run(scenario)
    logger.removeHandler(lines)
    (HERE / f"{name}.log").write_text("\n".join(lines.lines) + "\n")


def main():
    logging.getLogger("luigi").setLevel(logging.CRITICAL)
    logging.getLogger("luigi-interface").propagate = False
    logging.getLogger("luigi-interface").addHandler(logging.NullHandler())
    sys.modules["scenario"] = types.ModuleType("scenario")
    registered = list(Register._reg)
    for name, scenario in json.loads((HERE / "scenarios.json").read_text()).items():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        # Scenarios use the same families.
        Register._reg[:] = registered
        (HERE / f"{name}.txt").write_text(run(scenario))
        if name == LOGGED:
            Register._reg[:] = registered
            write_log(name, scenario)


if __name__ == "__main__":
    main()
