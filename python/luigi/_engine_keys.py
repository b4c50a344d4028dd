"""Keys of the configuration that the engine's server reads, and Python does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class KeysOfTheEngine:
    """All that are not nearly one of Python's. The server says itself which keys it does not know."""

    def __init__(self, known: Callable[[], Iterable[str]]) -> None:
        self._known = known

    def __contains__(self, name: str) -> bool:
        import difflib

        return not difflib.get_close_matches(name, list(self._known()), cutoff=0.85)
