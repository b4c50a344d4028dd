"""What every client for HDFS offers."""

from __future__ import annotations

import abc
from collections.abc import Iterable
from typing import Any

from luigi.target import FileSystem


class HdfsFileSystem(FileSystem, metaclass=abc.ABCMeta):
    """The operations of a file system, and those that only HDFS has."""

    def rename(self, path: str, dest: str) -> Any:
        """Do what ``move`` does, under Hadoop's name for it."""
        return self.move(path, dest)

    def rename_dont_move(self, path: str, dest: str) -> Any:
        """Rename ``path`` to ``dest``, never into a directory ``dest``.

        A client that can reach HDFS's own ``rename2`` should use it here: what is inherited first looks whether
        ``dest`` is there and then moves, and something may come between the two.
        """
        return super().rename_dont_move(path, dest)

    @abc.abstractmethod
    def remove(self, path: str, recursive: bool = True, skip_trash: bool = False) -> Any:
        """Delete ``path``, for good if ``skip_trash``; a directory only if ``recursive``."""

    @abc.abstractmethod
    def chmod(self, path: str, permissions: str, recursive: bool = False) -> Any:
        """Set the permissions, such as ``"755"``."""

    @abc.abstractmethod
    def chown(self, path: str, owner: str | None, group: str | None, recursive: bool = False) -> Any:
        """Set owner and group; ``None`` leaves one as it is."""

    @abc.abstractmethod
    def count(self, path: str) -> dict[str, Any]:
        """Return ``content_size`` (bytes), ``dir_count`` and ``file_count`` of ``path``."""

    @abc.abstractmethod
    def copy(self, path: str, destination: str) -> Any:
        """Copy ``path`` inside HDFS."""

    @abc.abstractmethod
    def put(self, local_path: str, destination: str) -> Any:
        """Upload a local file or directory."""

    @abc.abstractmethod
    def get(self, path: str, local_destination: str) -> Any:
        """Download a file or directory."""

    @abc.abstractmethod
    def mkdir(self, path: str, parents: bool = True, raise_if_exists: bool = False) -> Any:
        """Create the directory ``path``, with its parents if ``parents``."""

    @abc.abstractmethod
    def listdir(
        self,
        path: str,
        ignore_directories: bool = False,
        ignore_files: bool = False,
        include_size: bool = False,
        include_type: bool = False,
        include_time: bool = False,
        recursive: bool = False,
    ) -> Iterable[Any]:
        """Give what is in ``path``: names, or tuples of name and what was asked to be included."""

    @abc.abstractmethod
    def touchz(self, path: str) -> Any:
        """Create an empty file."""
