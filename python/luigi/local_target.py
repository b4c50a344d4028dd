"""Files on the machine's own disks as targets, and the file system behind them."""

from __future__ import annotations

import errno
import io
import os
import warnings
from typing import TYPE_CHECKING, Any

from luigi.format import FileWrapper, Format, NopFormat, TextFormat, get_default_format
from luigi.target import (
    AtomicLocalFile,
    FileAlreadyExists,
    FileSystem,
    FileSystemTarget,
    MissingParentDirectory,
    NotADirectory,
    _temporary_number,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class atomic_file(AtomicLocalFile):
    """A file that is written beside `path` and takes its place when it is closed."""

    def move_to_final_destination(self) -> None:
        """Renames the temporary file, which replaces an older file at once."""
        os.replace(self.tmp_path, self.path)
        self._pending = False

    def generate_tmp_path(self, path: str) -> str:
        """A name beside `path`, hence on the same disk."""
        return path + "-luigi-tmp-%09d" % _temporary_number()


def _copy_whole(source: str, dest: str) -> None:
    """Copies a file so that `dest` never holds a part of it."""
    import shutil

    if os.path.isdir(dest):
        dest = os.path.join(dest, os.path.basename(source))
    temporary = "%s-luigi-tmp-%09d" % (dest, _temporary_number())
    try:
        shutil.copy(source, temporary)
        os.replace(temporary, dest)
    except BaseException:
        if os.path.lexists(temporary):
            os.remove(temporary)
        raise


class LocalFileSystem(FileSystem):
    """The operations on local files and folders."""

    def copy(self, old_path: str, new_path: str, raise_if_exists: bool = False) -> None:
        """Copies one file, and makes the folders above `new_path`."""
        if raise_if_exists and os.path.exists(new_path):
            raise RuntimeError("Destination exists: %s" % new_path)
        self._make_parent(new_path)
        _copy_whole(old_path, new_path)

    def exists(self, path: str) -> bool:
        """Says whether `path` is there."""
        return os.path.exists(path)

    def mkdir(self, path: str, parents: bool = True, raise_if_exists: bool = False) -> None:
        """Makes a folder.

        Raises `FileAlreadyExists` (only with `raise_if_exists`), `NotADirectory` when a file has the
        name, and `MissingParentDirectory` when `parents` is false and the parent is not there.
        """
        try:
            if parents:
                os.makedirs(path)
            else:
                os.mkdir(path)
        except FileExistsError:
            if raise_if_exists:
                raise FileAlreadyExists() from None
            if not self.isdir(path):
                raise NotADirectory() from None
        except FileNotFoundError:
            if parents:
                raise
            raise MissingParentDirectory() from None

    def isdir(self, path: str) -> bool:
        """Says whether `path` is a folder."""
        return os.path.isdir(path)

    def listdir(self, path: str) -> Iterator[str]:
        """The paths of all files below `path`."""
        for folder, _, names in os.walk(path):
            for name in names:
                yield os.path.join(folder, name)

    def remove(self, path: str, recursive: bool = True) -> None:  # type: ignore[override]
        """Deletes a file, or with `recursive` a folder and all below it."""
        if recursive and self.isdir(path):
            import shutil

            shutil.rmtree(path)
        else:
            os.remove(path)

    def move(self, old_path: str, new_path: str, raise_if_exists: bool = False) -> None:
        """Moves a file in one step; between two disks the copy appears whole, then the original goes."""
        if raise_if_exists and os.path.exists(new_path):
            raise FileAlreadyExists("Destination exists: %s" % new_path)
        self._make_parent(new_path)
        try:
            os.replace(old_path, new_path)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy_whole(old_path, new_path)
            os.remove(old_path)

    def rename_dont_move(self, path: str, dest: str) -> None:
        """Renames `path` to `dest`; raises `FileAlreadyExists` if the name is taken."""
        self.move(path, dest, raise_if_exists=True)

    def _make_parent(self, path: str) -> None:
        folder = os.path.dirname(path)
        if folder and not os.path.exists(folder):
            self.mkdir(folder)


class LocalTarget(FileSystemTarget):
    """A local file. Writing is all or nothing: the file appears when it is closed without an error.

    `format` decides what goes through `open` (text by default). With `is_tmp` the file is deleted
    when the target is, and a path is made up if none is given.
    """

    fs = LocalFileSystem()

    def __init__(
        self, path: str | os.PathLike[str] | None = None, format: Format | None = None, is_tmp: bool = False
    ) -> None:
        if not path:
            if not is_tmp:
                raise Exception("path or is_tmp must be set")
            import tempfile

            path = os.path.join(tempfile.gettempdir(), "luigi-tmp-%09d" % _temporary_number())
        super().__init__(path)
        self.format = get_default_format() if format is None else format
        self.is_tmp = is_tmp

    def makedirs(self) -> None:
        """Makes the folders above the file; one that cannot be made shows when the file is opened."""
        folder = os.path.dirname(os.path.normpath(self.path))
        if folder:
            try:
                os.makedirs(folder)
            except OSError:
                pass

    def open(self, mode: str = "r") -> Any:
        """Opens the file for reading (`r`) or writing (`w`); a `b` or `t` in the mode means nothing."""
        kind = mode if mode in ("r", "w") else mode.replace("b", "").replace("t", "")
        if kind == "r":
            return self._reader()
        if kind == "w":
            return self.format.pipe_writer(self._temporary_file())
        raise Exception("mode must be 'r' or 'w' (got: %s)" % mode)

    def _reader(self) -> Any:
        stream = io.BufferedReader(io.FileIO(self.path))
        kind = type(self.format)
        if kind is TextFormat or kind is NopFormat:
            return self.format.pipe_reader(stream)
        # A format of the user's may put attributes of its own on what it is given.
        return self.format.pipe_reader(FileWrapper(stream))

    def _temporary_file(self) -> atomic_file:
        """Opens the temporary file. The folders are made when it turns out that they are missing."""
        if type(self).makedirs is not LocalTarget.makedirs:
            self.makedirs()
            return atomic_file(self.path)
        try:
            return atomic_file(self.path)
        except FileNotFoundError:
            self.makedirs()
            return atomic_file(self.path)

    def move(self, new_path: str, raise_if_exists: bool = False) -> None:
        """Moves the file to `new_path`; this target keeps the old path."""
        self.fs.move(self.path, new_path, raise_if_exists=raise_if_exists)

    def move_dir(self, new_path: str) -> None:
        """Moves a folder to `new_path`."""
        self.move(new_path)

    def remove(self) -> None:
        """Deletes the file."""
        self.fs.remove(self.path)

    def copy(self, new_path: str, raise_if_exists: bool = False) -> None:
        """Copies the file to `new_path`; raises `RuntimeError` with `raise_if_exists` if it is there."""
        self.fs.copy(self.path, new_path, raise_if_exists)

    @property
    def fn(self) -> str:
        """The old name of `path`."""
        warnings.warn("Use LocalTarget.path to reference filename", DeprecationWarning, stacklevel=2)
        return self.path

    def __del__(self) -> None:
        if getattr(self, "is_tmp", False) and self.exists():
            self.remove()
