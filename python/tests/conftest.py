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
def clean_registry() -> Iterator[None]:
    """Forgets the tasks and instances that a test makes."""
    before = list(Register._reg)
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
