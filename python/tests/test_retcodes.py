"""The exit code of the command `luigi`, for every way in which a run can end."""

import pytest

import luigi
from luigi import interface, retcodes
from luigi.cmdline import luigi_run

CODES = {
    "unhandled_exception": 10,
    "missing_data": 20,
    "already_running": 25,
    "task_failed": 30,
    "scheduling_error": 35,
    "not_run": 40,
}


@pytest.fixture
def exit_code(configure, monkeypatch):
    """Runs a command line with a local scheduler and gives its exit code; each outcome has its own."""

    def run(*arguments, codes=CODES):
        configure(
            {
                "retcode": {name: str(code) for name, code in codes.items()},
                "core": {"no_configure_logging": "true"},
                "worker": {"no_install_shutdown_handler": "true"},
            }
        )
        with pytest.raises(SystemExit) as ending:
            luigi_run(["--local-scheduler", "--no-lock", *arguments])
        return ending.value.code

    return run


@pytest.fixture
def tasks():
    """Task classes, by how they end."""

    class Good(luigi.Task):
        done = False

        def run(self):
            Good.done = True

        def complete(self):
            return Good.done

    class Missing(luigi.ExternalTask):
        def complete(self):
            return False

    class Failing(luigi.Task):
        def run(self):
            raise ValueError("broken")

        def complete(self):
            return False

    class BrokenComplete(luigi.Task):
        def complete(self):
            raise ValueError("broken")

    class BrokenRequires(luigi.Task):
        def requires(self):
            raise ValueError("broken")

    class Several(luigi.WrapperTask):
        def requires(self):
            return [Missing(), Failing(), BrokenRequires()]

    class NeedsMissing(luigi.WrapperTask):
        def requires(self):
            return [Missing(), Failing()]

    return Good


@pytest.mark.parametrize(
    ("family", "code"),
    [
        ("Good", 0),
        ("Missing", 20),
        ("Failing", 30),
        ("BrokenComplete", 35),
        ("BrokenRequires", 35),
        ("NeedsMissing", 30),
        ("Several", 35),
    ],
)
def test_the_highest_code_that_applies_is_the_exit_code(family, code, exit_code, tasks):
    assert exit_code(family) == code


def test_a_complete_task_is_a_success(exit_code, tasks):
    tasks.done = True
    assert exit_code("Good") == 0


@pytest.fixture
def broken_luigi(monkeypatch):
    """Lets what runs the tasks fail by itself."""

    def fail(*arguments):
        raise RuntimeError("inside")

    monkeypatch.setattr(interface, "_run", fail)


def test_an_error_inside_luigi_has_its_code_and_is_logged(exit_code, tasks, broken_luigi, caplog):
    assert exit_code("Good") == 10
    assert "Uncaught exception in luigi" in caplog.text
    assert "RuntimeError: inside" in caplog.text


def test_an_error_inside_luigi_is_4_by_default(exit_code, tasks, broken_luigi):
    assert exit_code("Good", codes={}) == 4


def test_failures_are_not_shown_by_default(exit_code, tasks):
    assert exit_code("Failing", codes={}) == 0
    assert exit_code("Missing", codes={}) == 0


def test_the_command_line_sets_a_code(exit_code, tasks):
    assert exit_code("Failing", "--retcode-task-failed", "7") == 7


def test_a_taken_lock_has_its_code(exit_code, tasks, monkeypatch):
    def taken(*arguments):
        raise interface.PidLockAlreadyTakenExit

    monkeypatch.setattr(interface, "_run", taken)
    assert exit_code("Good") == 25


class Outcome(dict):
    """A summary in which every category that is not given is empty."""

    def __missing__(self, category):
        return set()


def codes():
    return retcodes.retcode(**CODES)


@pytest.mark.parametrize(
    ("categories", "code"),
    [
        ({"completed"}, 0),
        ({"already_done"}, 0),
        ({"run_by_other_worker"}, 25),
        ({"not_run"}, 40),
        ({"failed", "not_run"}, 40),
        ({"run_by_other_worker", "still_pending_ext"}, 25),
        (set(), 40),
    ],
)
def test_the_code_of_an_outcome(categories, code):
    outcome = Outcome({category: {"root"} for category in categories})
    assert retcodes._exit_code(codes(), outcome, "root") == code
