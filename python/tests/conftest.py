"""What every Python test gets: a folder of its own and a clean registry of tasks; and a configuration on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from luigi.configuration import LuigiConfigParser
from luigi.task_register import Register


@pytest.fixture(autouse=True)
def folder_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Starts each test in an empty folder, so that no test finds what another one left."""
    folder = tmp_path_factory.mktemp("here")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(autouse=True)
def clean_registry(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forgets the tasks and instances that a test makes, and hides those of other files.

    Which files were read before depends on how the tests were started, and two may have a task of the same name.
    """
    before = list(Register._reg)
    own = request.module.__name__

    def is_of_another_file(kind: type) -> bool:
        return kind.__module__ != own and kind.__module__.rpartition(".")[2].startswith("test_")

    Register._reg = [kind for kind in before if not is_of_another_file(kind)]
    Register.clear_instance_cache()
    yield
    Register._reg = before
    Register.clear_instance_cache()


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, dict[str, str]]], LuigiConfigParser]:
    """Returns a function that puts a configuration in force which has the given sections and no others."""

    def put(sections: dict[str, dict[str, str]]) -> LuigiConfigParser:
        parser = LuigiConfigParser()
        for section, values in sections.items():
            for name, value in values.items():
                parser.set(section, name, value)
        monkeypatch.setattr(LuigiConfigParser, "_instance", parser)
        return parser

    return put
