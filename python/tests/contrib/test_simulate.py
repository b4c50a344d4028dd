"""Targets that let a task run once in each execution."""

import os
import subprocess
import sys
import textwrap
import time

import pytest

import luigi
from luigi.contrib.simulate import RunAnywayTarget


@pytest.fixture
def target_class(tmp_path):
    """A target class with marks of its own, whose execution starts anew."""

    class Target(RunAnywayTarget):
        temp_dir = str(tmp_path / "marks")

    before = Target.unique.value
    Target.unique.value = 0
    yield Target
    Target.unique.value = before


class Step(luigi.Task):
    """A task with nothing but an id."""

    number = luigi.IntParameter()


def test_exists_only_after_done(target_class):
    target = target_class(Step(1))
    assert not target.exists()
    target.done()
    assert target.exists()
    assert target_class(Step(1)).exists()
    assert not target_class(Step(2)).exists()


def test_marks_belong_to_one_execution(target_class):
    target = target_class(Step(3))
    target.done()
    assert target.get_path().startswith(os.path.join(target_class.temp_dir, str(os.getpid())))
    target_class.unique.value = os.getpid() + 1
    assert not target_class(Step(3)).exists()


def test_old_marks_are_cleared_and_young_ones_kept(target_class):
    old, young = (os.path.join(target_class.temp_dir, name) for name in ("1", "2"))
    for folder in (old, young):
        os.makedirs(folder)
    long_ago = time.time() - target_class.temp_time - 60
    os.utime(old, (long_ago, long_ago))
    target_class(Step(4))
    assert not os.path.exists(old)
    assert os.path.exists(young)


def test_the_text_of_a_target_is_the_task_id(target_class):
    assert str(target_class(Step(5))) == Step(5).task_id


def test_each_execution_runs_every_task_once(tmp_path):
    program = tmp_path / "again.py"
    program.write_text(
        textwrap.dedent(
            """
            import sys
            import luigi
            from luigi.contrib.simulate import RunAnywayTarget

            class Target(RunAnywayTarget):
                temp_dir = sys.argv[1]

            class Base(luigi.Task):
                def output(self):
                    return Target(self)

                def run(self):
                    print("ran", flush=True)
                    self.output().done()

            class Top(luigi.WrapperTask):
                def requires(self):
                    return [Middle()]

            class Middle(Base):
                def requires(self):
                    return Base()

            sys.exit(not luigi.build([Top(), Middle()], local_scheduler=True, workers=2))
            """
        )
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, str(program), str(tmp_path / "marks")], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == ["ran", "ran"]
