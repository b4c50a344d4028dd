"""Pack Python packages and files so that a task can work on another machine."""

from __future__ import annotations

import glob
import importlib
import logging
import os
import tarfile
from types import ModuleType
from typing import Any, Iterable, Iterator

logger = logging.getLogger("luigi-interface")


def luigi_packages() -> list[ModuleType]:
    """What a machine needs in order to ``import luigi``: the package and, where there is one, its engine's."""
    packages = [importlib.import_module("luigi")]
    try:
        packages.append(importlib.import_module("condotta"))
    except ImportError:
        logger.debug("Luigi has no engine of its own; only the package luigi is packed")
    return packages


def dereference(f: str) -> str:
    """Follow symbolic links, from one to the next, to the file that they mean."""
    while os.path.islink(f):
        f = os.path.join(os.path.dirname(f), os.readlink(f))
    return f


def get_extra_files(extra_files: Iterable[Any]) -> list[tuple[str, str]]:
    """Turn paths and pairs of source and destination into pairs of single files; folders give all that is in them.

    :raises TypeError: for anything else.
    """
    found: list[tuple[str, str]] = []
    for entry in extra_files:
        if isinstance(entry, str):
            source, destination = entry, os.path.basename(entry)
        elif isinstance(entry, tuple):
            source, destination = entry
        else:
            raise TypeError("extra files are given as a path or as a pair of paths, not as %r" % (entry,))
        if not os.path.isdir(source):
            found.append((source, destination))
            continue
        for folder, _, names in os.walk(source):
            below = os.path.relpath(folder, source)
            inside = destination if below == os.curdir else os.path.join(destination, below)
            found += [(os.path.join(folder, name), os.path.join(inside, name)) for name in names]
    return found


def create_packages_archive(packages: Iterable[ModuleType], filename: str) -> None:
    """Write a tar archive from whose root all of ``packages`` can be imported.

    A module that belongs to a package brings the whole package with it, so what it imports from there is found.
    """
    archive = tarfile.open(filename, "w")
    try:
        for package in packages:
            for source, name in _files_of(package):
                logger.debug("adding to tar: %s -> %s", source, name)
                archive.add(source, name)
    finally:
        archive.close()


def _files_of(package: ModuleType) -> Iterator[tuple[str, str]]:
    """Each file of a package or module, with the name it has in the archive."""
    if not getattr(package, "__path__", None) and "." in package.__name__:
        package = importlib.import_module(package.__name__.rpartition(".")[0])
    name = package.__name__.replace(".", "/")
    folders = list(getattr(package, "__path__", None) or ())
    if not folders:
        source = package.__file__ or ""
        if source.endswith("pyc"):
            source = source[:-1]
        yield dereference(source), os.path.basename(source)
        return

    yield from _parents_of(package)
    for folder in folders:
        yield from _files_below(folder, name)
        # Entry points and versions are looked up in the folder that the installation wrote beside the package.
        for metadata in glob.glob(glob.escape(folder) + "*.egg-info"):
            logger.debug('Adding package metadata to archive for "%s" found at "%s"', package.__name__, metadata)
            yield from _files_below(metadata, name + metadata[len(folder) :])


def _parents_of(package: ModuleType) -> Iterator[tuple[str, str]]:
    """The ``__init__.py`` of every package above ``package``; a namespace package has none."""
    parts = package.__name__.split(".")[:-1]
    for depth in range(1, len(parts) + 1):
        parent = importlib.import_module(".".join(parts[:depth]))
        source = dereference(parent.__path__[0] + "/__init__.py")
        if os.path.exists(source):
            yield source, "/".join([*parts[:depth], "__init__.py"])


def _files_below(folder: str, name: str) -> Iterator[tuple[str, str]]:
    """The files in ``folder`` and below, without compiled and hidden ones."""
    for root, folders, files in os.walk(folder):
        if ".svn" in folders:
            folders.remove(".svn")
        for file in files:
            if not file.endswith(".pyc") and not file.startswith("."):
                yield dereference(root + "/" + file), name + root[len(folder) :] + "/" + file
