"""What every Python test gets: a folder of its own to work in, and a clean registry of tasks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from luigi.task_register import Register


@pytest.fixture(autouse=True)
def folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Starts each test in an empty folder, so that no test finds what another one left."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(autouse=True)
def clean_registry() -> Iterator[None]:
    """Forgets the tasks and instances that a test makes."""
    before = Register._get_reg()
    Register.clear_instance_cache()
    yield
    Register._set_reg(before)
    Register.clear_instance_cache()
