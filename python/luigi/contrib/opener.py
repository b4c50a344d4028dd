"""Targets made from a URI, so that configuration alone can move a pipeline from local files to S3 or to memory.

``OpenerTarget("/data/x.txt")`` is a :class:`~luigi.LocalTarget`, ``OpenerTarget("s3://bucket/x.txt")`` an
:class:`~luigi.contrib.s3.S3Target`, ``OpenerTarget("mock://x.txt")`` a :class:`~luigi.mock.MockTarget`. Arguments of
the target may follow as a query (``?is_tmp``) or as keywords.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from luigi.contrib.s3 import S3Target
from luigi.local_target import LocalTarget
from luigi.mock import MockTarget
from luigi.target import FileSystemException

__all__ = [
    "OpenerError",
    "NoOpenerError",
    "InvalidQuery",
    "OpenerRegistry",
    "Opener",
    "MockOpener",
    "LocalOpener",
    "S3Opener",
    "opener",
    "OpenerTarget",
]


class OpenerError(FileSystemException):
    """Base of the errors of this module."""


class NoOpenerError(OpenerError):
    """No opener answers to the URI's scheme."""


class InvalidQuery(OpenerError):
    """The URI's query holds what the opener does not understand."""


class OpenerRegistry:
    """Finds the opener for a URI by its scheme."""

    def __init__(self, openers: Iterable[Any] | None = None) -> None:
        """Start with ``openers``; of two with the same scheme the later one counts."""
        self.registry: dict[str, int] = {}
        self.openers: dict[int, Any] = {}
        # The scheme of a URI that names none.
        self.default_opener = "file"
        for each in openers or ():
            self.add(each)

    def get_opener(self, name: str) -> Any:
        """Return the opener for the scheme ``name``, or raise :class:`NoOpenerError`."""
        try:
            return self.openers[self.registry[name]]
        except KeyError:
            raise NoOpenerError("No opener for %s" % name) from None

    def add(self, opener: Any) -> None:
        """Make ``opener`` responsible for all its ``names``."""
        number = len(self.openers)
        self.openers[number] = opener
        self.registry.update((name, number) for name in opener.names)

    def open(self, target_uri: str, **kwargs: Any) -> Any:
        """Return the target that ``target_uri`` names, made with ``kwargs`` on top of the URI's query.

        The URI itself is kept on the target as ``opener_path``.
        """
        uri = urlsplit(target_uri, scheme=self.default_opener)
        chosen = self.get_opener(uri.scheme)
        query = chosen.conform_query(uri.query)
        target = chosen.get_target(
            uri.scheme, uri.path, uri.fragment, uri.username, uri.password, uri.hostname, uri.port, query, **kwargs
        )
        target.opener_path = target_uri
        return target


class Opener:
    """Base of openers: a class with the schemes in ``names`` and its own ``get_target``."""

    names: ClassVar[list[str]] = []
    # Arguments that a query may give; True for those that are written as JSON.
    allowed_kwargs: ClassVar[dict[str, bool]] = {}
    # Whether other arguments are dropped.
    filter_kwargs = True

    @classmethod
    def conform_query(cls, query: str) -> dict[str, Any]:
        """Turn the URI's query into keyword arguments.

        A name without a value means true; of a name given several times the first counts.
        """
        arguments: dict[str, Any] = {}
        for name, values in parse_qs(query, keep_blank_values=True).items():
            if cls.filter_kwargs and name not in cls.allowed_kwargs:
                continue
            value = values[0] or "true"
            arguments[name] = json.loads(value) if cls.allowed_kwargs.get(name) else value
        return arguments

    @classmethod
    def get_target(
        cls,
        scheme: str,
        path: str,
        fragment: str,
        username: str | None,
        password: str | None,
        hostname: str | None,
        port: int | None,
        query: dict[str, Any],
        **kwargs: Any,
    ) -> Any:
        """Return the target for the parts of a URI. Every opener has its own."""
        raise NotImplementedError("get_target must be overridden")


class _PathOpener(Opener):
    """An opener whose target takes host and path as one path."""

    target_class: ClassVar[Any] = None

    @classmethod
    def get_target(
        cls,
        scheme: str,
        path: str,
        fragment: str,
        username: str | None,
        password: str | None,
        hostname: str | None,
        port: int | None,
        query: dict[str, Any],
        **kwargs: Any,
    ) -> Any:
        """Return a ``target_class`` at host and path."""
        return cls.target_class((hostname or "") + path, **{**query, **kwargs})


class MockOpener(_PathOpener):
    """``mock://folder/file``: a file in this process's memory."""

    names = ["mock"]
    allowed_kwargs = {"is_tmp": True, "mirror_on_stderr": True, "format": False}
    target_class = MockTarget


class LocalOpener(_PathOpener):
    """``folder/file``, ``file://folder/file`` (both relative) or ``file:///folder/file``: a local file."""

    names = ["file"]
    allowed_kwargs = {"is_tmp": True, "format": False}
    target_class = LocalTarget


class S3Opener(Opener):
    """``s3://bucket/key``, with any argument of :class:`~luigi.contrib.s3.S3Target` as a query."""

    names = ["s3", "s3n"]
    allowed_kwargs = {"format": False, "client": True}
    filter_kwargs = False

    @classmethod
    def get_target(
        cls,
        scheme: str,
        path: str,
        fragment: str,
        username: str | None,
        password: str | None,
        hostname: str | None,
        port: int | None,
        query: dict[str, Any],
        **kwargs: Any,
    ) -> Any:
        """Return the target for the bucket ``hostname`` and the key ``path``."""
        return S3Target(f"{scheme}://{hostname}{path}", **{**query, **kwargs})


opener = OpenerRegistry([MockOpener, LocalOpener, S3Opener])

OpenerTarget = opener.open
