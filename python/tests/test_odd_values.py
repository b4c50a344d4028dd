"""Values of kinds that nobody expects, from tasks and programs: taken as Luigi takes them, or refused by name."""

import datetime
import decimal
import types

import pytest

import luigi
import luigi.worker
from luigi.scheduler import Scheduler
from luigi.worker import Worker


def worker(processes=1, **settings):
    settings = {"wait_interval": 0.01, "wait_jitter": 0.0, **settings}
    return Worker(scheduler=Scheduler(), worker_id="me", worker_processes=processes, **settings)


class Tells(luigi.Task):
    """Says of itself what is no text or number of JSON's."""

    folder = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(f"{self.folder}/done")

    def run(self):
        self.set_status_message(datetime.date(2020, 1, 1))
        self.set_progress_percentage(decimal.Decimal("12.5"))
        self.set_tracking_url(8088)
        self.output().open("w").close()


@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_may_say_anything_of_itself(tmp_path, monkeypatch, processes):
    told = tmp_path / "told"
    ask = Scheduler._ask

    def note(self, method, arguments):
        if method.startswith("set_task"):
            told.open("a").write(f"{list(arguments.values())[1]!r}\n")
        return ask(self, method, arguments)

    monkeypatch.setattr(Scheduler, "_ask", note)
    with worker(processes) as w:
        assert w.add(Tells(str(tmp_path))) and w.run()
    assert told.read_text() == "'2020-01-01'\n12.5\n"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"disable_window": datetime.timedelta(hours=1)}, r"disable_window: timedelta .* stands where a number should"),
        ({"retry_count": "3"}, r"retry_count: str '3' stands where a number should"),
        ({"priority": "high"}, r"priority: str 'high' stands where a number should"),
    ],
)
def test_what_is_no_number_is_refused_with_its_name_and_task(tmp_path, attributes, message):
    wrong = type("Wrong", (Tells,), attributes)
    with worker() as w, pytest.raises(TypeError, match=r"^Wrong_\w+: " + message):
        w.add(wrong(str(tmp_path)))


def test_a_worker_runs_no_negative_number_of_tasks():
    with pytest.raises(ValueError, match="--workers is -1"):
        worker(-1)


def test_the_jitter_is_drawn_from_what_stands_for_random_in_the_workers_module(monkeypatch):
    slept = []
    monkeypatch.setattr(luigi.worker, "random", types.SimpleNamespace(uniform=lambda least, most: (least + most) / 2))
    monkeypatch.setattr(luigi.worker, "time", types.SimpleNamespace(sleep=slept.append))
    with worker(wait_interval=1.0, wait_jitter=0.5) as w:
        next(w._sleeper())
    assert slept == [1.25]
