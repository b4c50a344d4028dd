"""Files and directories in HDFS as targets."""

from __future__ import annotations

import random
import warnings
from typing import Any
from urllib.parse import urlsplit

from luigi.contrib.hdfs import clients as hdfs_clients
from luigi.contrib.hdfs import format as hdfs_format
from luigi.contrib.hdfs.config import tmppath
from luigi.contrib.hdfs.error import HDFSCliError
from luigi.format import get_default_format
from luigi.target import FileSystemTarget


class HdfsTarget(FileSystemTarget):
    """A file or directory in HDFS."""

    is_tmp = False

    def __init__(self, path: str | None = None, format: Any = None, is_tmp: bool = False, fs: Any = None) -> None:
        """Name ``path``, or a new temporary one if ``is_tmp`` and no path is given.

        What is temporary is deleted together with the target. ``fs`` is the client, by default the configured one. A
        format that does not end in HDFS is followed by :data:`~luigi.contrib.hdfs.format.Plain`.
        """
        if path is None:
            assert is_tmp, "a target without a path is a temporary one"
            path = tmppath()
        super().__init__(path)
        self.format = _hdfs_format(get_default_format() if format is None else format)
        if ":" in urlsplit(self.path).path:
            raise ValueError("colon is not allowed in hdfs filenames")
        self._fs = fs or hdfs_clients.get_autoconfig_client()
        self.is_tmp = is_tmp

    def __del__(self) -> None:
        if self.is_tmp and self.exists():
            self.remove(skip_trash=True)

    @property
    def fs(self) -> Any:
        """The client."""
        return self._fs

    def glob_exists(self, expected_files: int) -> bool:
        """Return whether the path, which may be a pattern, names as many files as expected."""
        return len(list(self.fs.listdir(self.path))) == expected_files

    def open(self, mode: str = "r") -> Any:
        """Open for reading (``r``) or writing (``w``)."""
        if mode == "r":
            return self.format.pipe_reader(self.path)
        if mode == "w":
            return self.format.pipe_writer(self.path)
        raise ValueError("Unsupported open mode '%s'" % mode)

    def remove(self, skip_trash: bool = False) -> None:
        """Delete the file or directory, for good if ``skip_trash``."""
        self.fs.remove(self.path, skip_trash=skip_trash)

    def rename(self, path: Any, raise_if_exists: bool = False) -> None:
        """Move to ``path`` (or to another target's path), or into it if that is a directory.

        This target keeps its old path. Raises ``RuntimeError`` if ``raise_if_exists`` and something is there.
        """
        destination = path.path if isinstance(path, HdfsTarget) else path
        if raise_if_exists and self.fs.exists(destination):
            raise RuntimeError(f"Destination exists: {destination}")
        self.fs.rename(self.path, destination)

    def move(self, path: Any, raise_if_exists: bool = False) -> None:
        """Do what :meth:`rename` does."""
        self.rename(path, raise_if_exists=raise_if_exists)

    def move_dir(self, path: str) -> None:
        """Move to ``path``, which must not be there. This target keeps its old path."""
        self.fs.rename_dont_move(self.path, path)

    def copy(self, dst_dir: str) -> None:
        """Copy to ``dst_dir``, or into it if it is a directory."""
        self.fs.copy(self.path, dst_dir)

    def is_writable(self) -> bool:
        """Return whether a file can be created in the path, or in the nearest directory above it that exists.

        An empty file is created and deleted to find out. This works with the command ``hadoop`` only.
        """
        parts = self.path.split("/")
        for length in range(len(parts), 0, -1):
            directory = "/".join(parts[:length]) + "/"
            if self.fs.exists(directory):
                return self._is_writable(directory)
        return False

    def _is_writable(self, path: str) -> bool:
        probe = path + ".test_write_access-%09d" % random.randrange(10_000_000_000)
        try:
            self.fs.touchz(probe)
            self.fs.remove(probe, recursive=False)
        except HDFSCliError:
            return False
        return True


def _hdfs_format(format: Any) -> hdfs_format.CompatibleHdfsFormat:
    """Return ``format`` with a reader and a writer that take paths in HDFS."""
    old_style = not hasattr(format, "output") and (hasattr(format, "hdfs_writer") or hasattr(format, "hdfs_reader"))
    if not old_style:
        if getattr(format, "output", "") != "hdfs":
            format = format >> hdfs_format.Plain
        return hdfs_format.CompatibleHdfsFormat(format.pipe_writer, format.pipe_reader, getattr(format, "input", None))

    warnings.warn(
        "hdfs_writer and hdfs_reader of a format are deprecated: give the format an output of 'hdfs' instead",
        DeprecationWarning,
        stacklevel=3,
    )
    writer = format.hdfs_writer if hasattr(format, "hdfs_writer") else (format >> hdfs_format.Plain).pipe_writer
    reader = format.hdfs_reader if hasattr(format, "hdfs_reader") else (format >> hdfs_format.Plain).pipe_reader
    return hdfs_format.CompatibleHdfsFormat(writer, reader)


class HdfsFlagTarget(HdfsTarget):
    """A directory in HDFS that counts as there once it holds a flag file."""

    def __init__(self, path: str, format: Any = None, client: Any = None, flag: str = "_SUCCESS") -> None:
        """Name the directory ``path``, which ends with a slash, and the flag in it."""
        if not path.endswith("/"):
            raise ValueError("HdfsFlagTarget requires the path to be to a directory.  It must end with a slash ( / ).")
        super().__init__(path, format, fs=client)
        self.flag = flag

    def exists(self) -> bool:
        """Return whether the flag file is there."""
        return self.fs.exists(self.path + self.flag)
