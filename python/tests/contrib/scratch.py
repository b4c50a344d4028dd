"""A directory for temporary files that belongs to one test, so that what stays behind can be seen."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def leftovers(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Return a function that lists the temporary files which the test has made and nobody has removed."""
    folder: Path = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return lambda: sorted(os.listdir(folder))
