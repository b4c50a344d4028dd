"""The contract between a task and what it produces: `Target`, and the file-like kind of it.

A `FileSystem` does the work for a `FileSystemTarget`; `AtomicLocalFile` is the writing half that
several targets share: a temporary local file that becomes the output only when it is complete.
"""

from __future__ import annotations

import abc
import io
import logging
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from luigi import _warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

logger = logging.getLogger("luigi-interface")
_find_wildcard = re.compile(r"[*?\[{]").search


def _temporary_number() -> int:
    """A number below 10**10 for a temporary name.

    It comes from the operating system, so that forked tasks which seed `random` alike do not meet.
    """
    return int.from_bytes(os.urandom(6), "little") % 10_000_000_000


class Target(metaclass=abc.ABCMeta):
    """Something that a task leaves behind: a file, a table, a mark in a database.

    A task counts as complete when every target of its `output()` exists.
    """

    @abc.abstractmethod
    def exists(self) -> bool:
        """Says whether the target is there, whole."""


class FileSystemException(Exception):
    """The root of what a `FileSystem` raises by itself."""


class FileAlreadyExists(FileSystemException):
    """The destination is taken and must not be replaced."""


class MissingParentDirectory(FileSystemException):
    """The folder in which something was to be made does not exist."""


class NotADirectory(FileSystemException):
    """A file stands where a folder was asked for."""


class FileSystem(metaclass=abc.ABCMeta):
    """The operations on paths that targets of one kind share.

    Only `exists` and `remove` are mandatory. An operation that a file system lacks raises
    `NotImplementedError`; one that fails raises a `FileSystemException` or what its client raises. What
    an operation returns besides is its own matter.
    """

    @abc.abstractmethod
    def exists(self, path: str) -> bool:
        """Says whether a file or folder is at `path`."""

    @abc.abstractmethod
    def remove(self, path: str, recursive: bool = True, skip_trash: bool = True) -> Any:
        """Deletes `path`; with `recursive`, a folder goes with everything below it."""

    def mkdir(self, path: str, parents: bool = True, raise_if_exists: bool = False) -> Any:
        """Makes the folder `path`.

        Without `parents`, a missing parent raises `MissingParentDirectory`; with `raise_if_exists`,
        a path that is already there raises `FileAlreadyExists`.
        """
        raise self._lacks("mkdir")

    def isdir(self, path: str) -> bool:
        """Says whether `path` is a folder. Not every file system can tell."""
        raise self._lacks("isdir")

    def listdir(self, path: str) -> Iterable[str]:
        """The paths of all files below `path`, at any depth. Not every file system can list."""
        raise self._lacks("listdir")

    def move(self, path: str, dest: str) -> Any:
        """Moves the file at `path` to `dest`."""
        raise self._lacks("move")

    def rename_dont_move(self, path: str, dest: str) -> Any:
        """Gives `path` the name `dest`, and never puts it inside a folder that is called so.

        This fallback looks first and moves then, so another writer can come in between.
        """
        _warnings.warn(f"File system {type(self).__name__} client doesn't support atomic mv.")
        if self.exists(dest):
            raise FileAlreadyExists()
        self.move(path, dest)

    def rename(self, *args: Any, **kwargs: Any) -> None:
        """Another name of `move`."""
        self.move(*args, **kwargs)

    def copy(self, path: str, dest: str) -> Any:
        """Copies the file at `path` to `dest`; some file systems copy whole folders too."""
        raise self._lacks("copy")

    def _lacks(self, operation: str) -> NotImplementedError:
        return NotImplementedError(f"{operation}() not implemented on {type(self).__name__}")


class FileSystemTarget(Target):
    """A target that is a path on some `FileSystem`, such as a local file or an object in a bucket.

    A subclass gives `fs` and `open`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Takes a string or any path object; `path` is kept as a string."""
        self.path = str(path)

    def __str__(self) -> str:
        return self.path

    @property
    @abc.abstractmethod
    def fs(self) -> FileSystem:
        """The file system on which the path lives."""
        raise NotImplementedError()

    @abc.abstractmethod
    def open(self, mode: str) -> Any:
        """Opens the target for reading (`r`) or writing (`w`).

        Whether text or bytes go through is the format's choice, not the mode's.
        """

    def exists(self) -> bool:
        """Asks the file system whether the path is there. A pattern in the path gives a warning."""
        path = self.path
        if _find_wildcard(path):
            logger.warning(
                "Using wildcards in path %s might lead to processing of an incomplete dataset; "
                "override exists() to suppress the warning.",
                path,
            )
        return self.fs.exists(path)

    def remove(self) -> None:
        """Deletes the path through the file system."""
        self.fs.remove(self.path)

    @contextmanager
    def temporary_path(self) -> Iterator[str]:
        """Lends a path to write to; a clean exit gives what was written there the target's name.

        The parent folder exists from the start. After an exception the target is untouched and what
        was written stays under the temporary path, for a look at what went wrong.
        """
        stem = self.path.rstrip("/").rstrip("\\")
        temporary = f"{stem}-luigi-tmp-{_temporary_number():010}{self._trailing_slash()}"
        folder = os.path.dirname(stem)
        if folder:
            self.fs.mkdir(folder, parents=True, raise_if_exists=False)
        yield temporary
        self.fs.rename_dont_move(temporary, self.path)

    def _touchz(self) -> None:
        """Makes the target exist, empty."""
        with self.open("w"):
            pass

    def _trailing_slash(self) -> str:
        last = self.path[-1]
        return last if last in r"\/" else ""


class AtomicLocalFile(io.BufferedWriter):
    """A local temporary file that `close` hands to its destination, whole, or not at all.

    A subclass says where the temporary file is (`generate_tmp_path`) and how it gets to `path`
    (`move_to_final_destination`). An exception inside `with`, a failing close and a forgotten close
    all remove the temporary file.
    """

    # True while the temporary file may be there. A subclass whose move takes the file away clears it.
    _pending = False

    def __init__(self, path: str) -> None:
        self.path = path
        self.__tmp_path = self.generate_tmp_path(path)
        super().__init__(io.FileIO(self.__tmp_path, "w"))
        self._pending = True

    def close(self) -> None:
        """Completes the file and moves it to its destination. A second call does nothing."""
        if not self._pending:
            return
        try:
            super().close()
            self.move_to_final_destination()
        finally:
            if self._pending:
                self._discard()

    def abort(self) -> None:
        """Throws away what was written; the destination stays as it was."""
        if not self._pending:
            return
        try:
            super().close()
        except OSError:
            pass  # The bytes that could not be written are not wanted any more.
        finally:
            self._discard()

    def generate_tmp_path(self, path: str) -> str:
        """Names the temporary file for `path`."""
        import tempfile

        return os.path.join(tempfile.gettempdir(), "luigi-s3-tmp-%09d" % _temporary_number())

    def move_to_final_destination(self) -> None:
        """Brings the finished temporary file to `path`."""
        raise NotImplementedError()

    @property
    def tmp_path(self) -> str:
        """Where the temporary file is."""
        return self.__tmp_path

    def _discard(self) -> None:
        self._pending = False
        try:
            os.remove(self.__tmp_path)
        except OSError:
            pass  # Moved, or removed by another hand: either way nothing is left behind.

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Completes the file after a clean block, throws it away after an exception."""
        if exc_type:
            self.abort()
        else:
            self.close()

    def __del__(self) -> None:
        if self._pending:
            self.abort()
