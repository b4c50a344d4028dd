"""The top level of the package: its names, its version, and the range tasks that come with it."""

import subprocess
import sys

import pytest

import luigi


def python(program, config, folder, *options):
    """Runs a program that finds ``config`` in its folder. Returns what it printed and what it warned about."""
    (folder / "luigi.cfg").write_text(config)
    done = subprocess.run(
        [sys.executable, *options, "-c", program],
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_every_public_name_is_there():
    assert luigi.__version__ == luigi.VERSION == "3.8.1"
    for name in luigi.__all__:
        assert getattr(luigi, name) is not None
    assert {"Task", "Parameter", "LocalTarget", "build", "run", "range", "RPCError"} <= set(luigi.__all__)


def test_range_tasks_come_along_with_a_warning_unless_the_configuration_decides(folder_of_its_own):
    program = "import luigi; print(hasattr(luigi, 'range'))"
    options = ("-W", "always::DeprecationWarning:luigi")
    unset = python(program, "", folder_of_its_own, *options)
    assert unset[0] == "True\n"
    assert "Autoloading range tasks by default has been deprecated and will be removed in a future version." in unset[1]
    assert python(program, "[core]\nautoload_range = true\n", folder_of_its_own, *options) == ("True\n", "")
    assert python(program, "[core]\nautoload_range = false\n", folder_of_its_own, *options) == ("False\n", "")
    assert python(program, "", folder_of_its_own) == ("True\n", "")


@pytest.mark.parametrize("named", [None, "there", "missing", ""])
def test_the_folder_for_locks_lies_where_tempfile_puts_files(named, folder_of_its_own):
    (folder_of_its_own / "there").mkdir()
    program = (
        f"import os; os.environ.update({ {} if named is None else {'TMPDIR': named} });"
        "from luigi.interface import core; import tempfile; found = core().lock_pid_dir;"
        "print(found == os.path.join(tempfile.gettempdir(), 'luigi'), os.path.basename(os.path.dirname(found)))"
    )
    expected = "there" if named == "there" else "tmp"
    assert python(program, "", folder_of_its_own) == (f"True {expected}\n", "")


def test_importing_luigi_leaves_heavy_modules_alone(folder_of_its_own):
    heavy = "argparse pathlib toml jsonschema typing_extensions sqlalchemy smtplib tornado requests bz2 shutil"
    heavy = f"{heavy} queue random urllib.parse".split()
    program = f"import luigi, sys; print([name for name in {heavy} if name in sys.modules])"
    assert python(program, "", folder_of_its_own) == ("[]\n", "")


def test_the_worker_shows_the_modules_that_luigis_has():
    import queue
    import random

    assert (luigi.worker.Queue, luigi.worker.random) == (queue, random)
    with pytest.raises(AttributeError, match="module 'luigi.worker' has no attribute 'nothing'"):
        luigi.worker.nothing  # noqa: B018  it is looked for


def test_what_a_seed_leads_to_is_the_same_as_with_luigi(folder_of_its_own):
    program = (
        "import random, luigi.worker; random.seed(1); first = luigi.worker.Worker(); drawn = random.random();"
        "random.seed(1); salt = f'{random.randrange(0, 10_000_000_000):09d}';"
        "print(dict(first._worker_info)['salt'] == salt, drawn == random.random())"
    )
    assert python(program, "", folder_of_its_own) == ("True True\n", "")
