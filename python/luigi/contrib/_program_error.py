"""The failure of a program that a task ran."""

from __future__ import annotations

from typing import Any


class ProgramError(RuntimeError):
    """A program failed; carries what it wrote."""

    def __init__(self, message: str, out: Any = None, err: Any = None) -> None:
        super().__init__(message, out, err)
        self.message = message
        self.out = out
        self.err = err
