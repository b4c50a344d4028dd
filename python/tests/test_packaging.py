"""The wheel in fresh environments: what it brings, that it passes for luigi, and how one goes back to stock Luigi.

Pip is the interpreter's own, and takes the other packages from the index that it is configured for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

WHEEL = os.environ.get("CONDOTTA_WHEEL", "")
COMMANDS = ["condotta", "luigi", "luigi-deps", "luigi-deps-tree", "luigi-grep", "luigid"]
WARNING = "Stock Luigi is installed beside condotta"


class Environment:
    """A virtual environment that a test may change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
        self.environ = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "LUIGI_"))}

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a program of the environment in its folder."""
        program, *arguments = words
        ran = subprocess.run(
            [str(self.folder / "bin" / program), *arguments],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=240,
        )
        if check:
            assert ran.returncode == 0, f"{words}: {ran.stdout}{ran.stderr}"
        return ran

    def pip(self, *words: str) -> str:
        """What pip prints."""
        return self.run("python", "-m", "pip", "--disable-pip-version-check", *words).stdout

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Runs a line of Python."""
        return self.run("python", "-c", code)

    @property
    def site_packages(self) -> Path:
        """Where the packages are."""
        (folder,) = (self.folder / "lib").glob("python3.*/site-packages")
        return folder

    def dist_infos(self) -> list[str]:
        """The distributions that pip put there under the name of luigi."""
        return sorted(path.name for path in self.site_packages.glob("luigi-*.dist-info"))


@pytest.fixture(scope="module")
def with_condotta(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel, which the tests that use it leave as it is."""
    environment = Environment(tmp_path_factory.mktemp("condotta") / "venv")
    environment.pip("install", WHEEL)
    return environment


def test_the_wheel_brings_both_packages_with_their_types_and_says_that_it_provides_luigi() -> None:
    with zipfile.ZipFile(WHEEL) as wheel:
        names = set(wheel.namelist())
        (entry_points,) = (name for name in names if name.endswith("entry_points.txt"))
        commands = wheel.read(entry_points).decode()
    assert {"condotta/__init__.py", "condotta/py.typed", "condotta/_engine.pyi"} <= names
    assert {"luigi/__init__.py", "luigi/py.typed", "luigi-3.8.1.egg-info/PKG-INFO"} <= names
    assert sorted(line.split("=")[0] for line in commands.splitlines() if "=" in line) == COMMANDS
    assert not [name for name in names if name.startswith(("tests", "luigi/tests")) or "__pycache__" in name]


def test_every_command_is_installed_and_answers(with_condotta: Environment) -> None:
    for command in COMMANDS:
        ran = with_condotta.run(command, "--help", check=False)
        assert ran.returncode == 0 and "usage" in ran.stdout.lower(), f"{command}: {ran.stdout}{ran.stderr}"


def test_a_task_runs_with_the_installed_command(with_condotta: Environment) -> None:
    module = with_condotta.folder / "greeting.py"
    module.write_text(
        "import luigi\n\n\nclass Greet(luigi.Task):\n"
        "    def output(self):\n        return luigi.LocalTarget('greeting.txt')\n\n"
        "    def run(self):\n        with self.output().open('w') as out:\n            out.write('hello')\n"
    )
    with_condotta.environ["PYTHONPATH"] = str(with_condotta.folder)
    try:
        ran = with_condotta.run("luigi", "--module", "greeting", "Greet", "--local-scheduler")
    finally:
        del with_condotta.environ["PYTHONPATH"]
    assert (with_condotta.folder / "greeting.txt").read_text() == "hello"
    assert "This progress looks :)" in ran.stderr


def test_the_version_of_luigi_is_the_one_that_is_provided(with_condotta: Environment) -> None:
    code = "import importlib.metadata as m, luigi; print(m.version('luigi'), luigi.__version__)"
    assert with_condotta.python(code).stdout.split() == ["3.8.1", "3.8.1"]


def test_pip_finds_luigi_there_and_all_that_it_requires(with_condotta: Environment) -> None:
    assert "already satisfied: luigi" in with_condotta.pip("install", "luigi>=3")
    assert with_condotta.dist_infos() == []
    assert "No broken requirements" in with_condotta.pip("check")


def test_an_import_without_stock_luigi_says_nothing(with_condotta: Environment) -> None:
    assert with_condotta.python("import luigi, condotta").stderr == ""


def test_a_package_that_requires_luigi_takes_ours(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "venv")
    environment.pip("install", WHEEL)
    environment.pip("install", "sciluigi==0.10.1")
    assert environment.dist_infos() == []
    code = "import sciluigi, luigi, condotta; print(issubclass(sciluigi.Task, luigi.Task))"
    ran = environment.python(code)
    assert ran.stdout.strip() == "True"
    assert WARNING not in ran.stderr


def test_uninstalling_leaves_nothing_and_stock_luigi_can_come_back(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "venv")
    environment.pip("install", WHEEL)
    environment.python("import luigi")
    environment.pip("uninstall", "-y", "condotta")
    left = {path.name for path in environment.site_packages.iterdir()}
    assert not {name for name in left if name.startswith(("luigi", "condotta"))}
    assert not [name for name in COMMANDS if (environment.folder / "bin" / name).exists()]
    environment.pip("install", "luigi==3.8.1")
    assert environment.dist_infos() == ["luigi-3.8.1.dist-info"]
    assert "luigi/worker.py" in environment.python("import luigi.worker; print(luigi.worker.__file__)").stdout
    assert environment.run("luigi", "--version", check=False).stderr.count("condotta") == 0


def test_stock_luigi_that_was_there_before_is_noticed_and_the_advice_helps(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "venv")
    environment.pip("install", "luigi==3.8.1")
    environment.pip("install", WHEEL)
    said = environment.python("import luigi; import luigi.task").stderr
    assert said.count(WARNING) == 1
    assert str(environment.site_packages) in said
    # An old pip finds only one of the two that provide luigi at a time.
    for _ in range(2):
        environment.pip("uninstall", "-y", "luigi", "condotta")
    environment.pip("install", WHEEL)
    assert environment.python("import luigi").stderr == ""


def test_stock_luigi_that_came_later_is_noticed_by_our_own_package(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "venv")
    environment.pip("install", WHEEL)
    environment.pip("install", "--force-reinstall", "--no-deps", "luigi==3.8.1")
    assert environment.python("import condotta").stderr.count(WARNING) == 1
