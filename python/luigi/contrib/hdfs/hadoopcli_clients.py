"""Clients that run the command ``hadoop fs``, in the dialects of three generations of Hadoop."""

from __future__ import annotations

import datetime
import logging
import posixpath
import re
import subprocess
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from luigi.contrib.hdfs import config as hdfs_config
from luigi.contrib.hdfs.abstract_client import HdfsFileSystem
from luigi.contrib.hdfs.config import load_hadoop_cmd
from luigi.contrib.hdfs.error import HDFSCliError
from luigi.target import FileAlreadyExists

logger = logging.getLogger("luigi-interface")

# A line of "hadoop fs -ls": permissions, replication, owner, group, size, date, time, name. Owner, group and name may
# hold blanks. Everything else that is printed, such as warnings of the Java machine, has another form.
_LISTED = re.compile(r"([-dl]\S+)\s+\S+\s+.*?\s(\d+)\s+(\d{4}-\d\d-\d\d)\s+(\d\d:\d\d)\s(.*)")
# A line of "hadoop fs -count": directories, files, bytes, name.
_COUNTED = re.compile(r"\s*(\d+)\s+(\d+)\s+(\d+)\s+\S")


def create_hadoopcli_client() -> HdfsClient:
    """Return a client for the dialect that ``version`` of ``[hadoop]`` names."""
    version = hdfs_config.get_configured_hadoop_version()
    dialects = {"cdh4": HdfsClient, "cdh3": HdfsClientCdh3, "apache1": HdfsClientApache1}
    if version not in dialects:
        raise ValueError("Error: Unknown version specified in Hadoop version configuration parameter")
    return dialects[version]()


def _run(command: Sequence[str]) -> tuple[int, str, str]:
    """Run ``command`` and return its exit code and what it printed on either channel."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=True, universal_newlines=True
    )
    stdout, stderr = process.communicate()
    return process.returncode, stdout, stderr


class HdfsClient(HdfsFileSystem):
    """Speaks to Hadoop 2 and later (and CDH4). Every operation starts one program or more."""

    recursive_listdir_cmd = ["-ls", "-R"]
    # The options that delete a directory, and create one with its parents.
    _remove_recursively = ["-rm", "-r"]
    _make_parents = ["-p"]

    @staticmethod
    def call_check(command: Sequence[str]) -> str:
        """Run ``command`` and return what it printed, or raise :class:`HDFSCliError` if it fails."""
        code, stdout, stderr = _run(command)
        if code != 0:
            raise HDFSCliError(command, code, stdout, stderr)
        return stdout

    def _fs(self, *arguments: str) -> str:
        return self.call_check([*load_hadoop_cmd(), "fs", *arguments])

    def exists(self, path: str) -> bool:
        """Return whether ``path`` is there. Raises :class:`HDFSCliError` if Hadoop cannot tell."""
        command = [*load_hadoop_cmd(), "fs", "-stat", path]
        logger.debug("Running file existence check: %s", subprocess.list2cmdline(command))
        code, stdout, stderr = _run(command)
        if code == 0:
            return True
        if any(line.endswith("No such file or directory") for line in stderr.split("\n")):
            return False
        raise HDFSCliError(command, code, stdout, stderr)

    def move(self, path: str | Sequence[str], dest: str) -> None:
        """Move ``path``, or every one of several, to ``dest``, whose directory is created if need be."""
        parent = posixpath.dirname(dest)
        if parent and not self.exists(parent):
            self.mkdir(parent)
        if isinstance(path, (list, tuple)):
            warnings.warn("Renaming multiple files at once is not atomic.", stacklevel=2)
            sources = list(path)
        else:
            sources = [path]
        self._fs("-mv", *sources, dest)

    def remove(self, path: str, recursive: bool = True, skip_trash: bool = False) -> None:
        """Delete ``path``, for good if ``skip_trash``; a directory only if ``recursive``."""
        how = self._remove_recursively if recursive else ["-rm"]
        self._fs(*how, *(["-skipTrash"] if skip_trash else []), path)

    def chmod(self, path: str, permissions: str, recursive: bool = False) -> None:
        """Set the permissions, such as ``"755"``."""
        self._fs("-chmod", *(["-R"] if recursive else []), permissions, path)

    def chown(self, path: str, owner: str | None, group: str | None, recursive: bool = False) -> None:
        """Set owner and group; ``None`` leaves one as it is."""
        self._fs("-chown", *(["-R"] if recursive else []), "%s:%s" % (owner or "", group or ""), path)

    def count(self, path: str) -> dict[str, str]:
        """Return ``content_size`` (bytes), ``dir_count`` and ``file_count`` of ``path``, as Hadoop prints them."""
        stdout = self._fs("-count", path)
        for line in stdout.split("\n"):
            found = _COUNTED.match(line)
            if found:
                directories, files, size = found.groups()
                return {"content_size": size, "dir_count": directories, "file_count": files}
        raise ValueError("hadoop fs -count %s printed no counts: %r" % (path, stdout))

    def copy(self, path: str, destination: str) -> None:
        """Copy ``path`` inside HDFS."""
        self._fs("-cp", path, destination)

    def put(self, local_path: str, destination: str) -> None:
        """Upload a local file or directory."""
        self._fs("-put", local_path, destination)

    def get(self, path: str, local_destination: str) -> None:
        """Download a file or directory."""
        self._fs("-get", path, local_destination)

    def getmerge(self, path: str, local_destination: str, new_line: bool = False) -> None:
        """Download all files of a directory into one, with a newline after each if ``new_line``."""
        self._fs("-getmerge", *(["-nl"] if new_line else []), path, local_destination)

    def mkdir(self, path: str, parents: bool = True, raise_if_exists: bool = False) -> None:
        """Create the directory ``path``, with its parents if ``parents``.

        If it is there already, :class:`~luigi.target.FileAlreadyExists` is raised if ``raise_if_exists``.
        """
        # With its option for parents Hadoop does not say that there is a directory already.
        if raise_if_exists and parents and self.exists(path):
            raise FileAlreadyExists(path)
        try:
            self._fs("-mkdir", *(self._make_parents if parents else []), path)
        except HDFSCliError as error:
            if "File exists" not in error.stderr:
                raise
            if raise_if_exists:
                raise FileAlreadyExists(error.stderr) from error

    def listdir(
        self,
        path: str,
        ignore_directories: bool = False,
        ignore_files: bool = False,
        include_size: bool = False,
        include_type: bool = False,
        include_time: bool = False,
        recursive: bool = False,
    ) -> Iterator[Any]:
        """Yield the path of everything in ``path`` (by default the user's directory).

        If more is to be included, yield tuples of the path, the size in bytes, the type (``d`` or ``-``) and the time
        of the last change.
        """
        how = self.recursive_listdir_cmd if recursive else ["-ls"]
        for line in self._fs(*how, path or ".").split("\n"):
            found = _LISTED.fullmatch(line)
            if not found:
                continue
            permissions, size, date, time, name = found.groups()
            kind = permissions[0]
            if (ignore_directories and kind == "d") or (ignore_files and kind == "-"):
                continue
            extra: list[Any] = []
            if include_size:
                extra.append(int(size))
            if include_type:
                extra.append(kind)
            if include_time:
                extra.append(datetime.datetime.strptime("%sT%s" % (date, time), "%Y-%m-%dT%H:%M"))
            yield (name, *extra) if extra else name

    def touchz(self, path: str) -> None:
        """Create an empty file."""
        self._fs("-touchz", path)


class HdfsClientCdh3(HdfsClient):
    """Speaks to CDH3, which always creates parent directories and has other words for what concerns whole trees."""

    recursive_listdir_cmd = ["-lsr"]
    _remove_recursively = ["-rmr"]
    _make_parents: list[str] = []


class HdfsClientApache1(HdfsClientCdh3):
    """Speaks to Apache Hadoop 1, which has another word for asking whether a file exists."""

    def exists(self, path: str) -> bool:
        """Return whether ``path`` is there. Raises :class:`HDFSCliError` if Hadoop cannot tell."""
        command = [*load_hadoop_cmd(), "fs", "-test", "-e", path]
        code, stdout, stderr = _run(command)
        if code not in (0, 1):
            raise HDFSCliError(command, code, stdout, stderr)
        return code == 0
