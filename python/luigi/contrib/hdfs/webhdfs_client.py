"""A client for WebHDFS, Hadoop's HTTP interface, on the package ``hdfs``, which is imported at the first call."""

from __future__ import annotations

import datetime
import getpass
import logging
import posixpath
from collections.abc import Iterator
from typing import Any

import luigi
from luigi.contrib.hdfs import config as hdfs_config
from luigi.contrib.hdfs.abstract_client import HdfsFileSystem
from luigi.target import FileAlreadyExists, MissingParentDirectory

logger = logging.getLogger("luigi-interface")


class webhdfs(luigi.Config):
    """The section ``[webhdfs]``; the user comes from ``[hdfs]``."""

    port = luigi.IntParameter(default=50070, description="The port of the name node's HTTP interface.")
    user = luigi.Parameter(
        default="",
        description="On whose behalf requests are made; by default the one who runs the program.",
        config_path={"section": "hdfs", "name": "user"},
    )
    client_type = luigi.ChoiceParameter(
        var_type=str,
        choices=["insecure", "kerberos"],
        default="insecure",
        description="How requests are authenticated: not at all, or by Kerberos.",
    )


class WebHdfsClient(HdfsFileSystem):
    """The operations of HDFS over HTTP. WebHDFS has no trash and cannot copy."""

    def __init__(
        self, host: str | None = None, port: int | None = None, user: str | None = None, client_type: str | None = None
    ) -> None:
        """Take what is not given from ``[hdfs]`` and ``[webhdfs]``. ``host`` may be several, separated by ``;``."""
        self.host = host or hdfs_config.hdfs().namenode_host
        self.port = port or webhdfs().port
        self.user = user or webhdfs().user or getpass.getuser()
        self.client_type = client_type or webhdfs().client_type

    @property
    def url(self) -> str:
        """The address of the name node, or those of several."""
        if not self.host:
            raise ValueError("WebHDFS needs the name node's host: set namenode_host in [hdfs]")
        return ";".join("http://%s:%s" % (host, self.port) for host in self.host.split(";"))

    @property
    def client(self) -> Any:
        """A new client of the package ``hdfs``, so that nothing is shared between processes."""
        if self.client_type == "kerberos":
            from hdfs.ext.kerberos import KerberosClient

            return KerberosClient(url=self.url)
        from hdfs import InsecureClient

        return InsecureClient(url=self.url, user=self.user)

    def walk(self, path: str, depth: int = 1) -> Any:
        """Go through the tree below ``path`` as ``os.walk`` does; a ``depth`` of 0 means all of it."""
        return self.client.walk(path, depth=depth)

    def exists(self, path: str) -> bool:
        """Return whether ``path`` is there."""
        return self.client.status(path, strict=False) is not None

    def isdir(self, path: str) -> bool:
        """Return whether ``path`` is a directory."""
        status = self.client.status(path, strict=False)
        return status is not None and status["type"] == "DIRECTORY"

    def upload(self, hdfs_path: str, local_path: str, overwrite: bool = False) -> str:
        """Upload a local file or directory and return its path in HDFS."""
        return self.client.upload(hdfs_path, local_path, overwrite=overwrite)

    def download(self, hdfs_path: str, local_path: str, overwrite: bool = False, n_threads: int = -1) -> str:
        """Download a file or directory and return its local path. A negative ``n_threads`` lets the package choose."""
        return self.client.download(hdfs_path, local_path, overwrite=overwrite, n_threads=n_threads)

    def remove(self, hdfs_path: str, recursive: bool = True, skip_trash: bool = False) -> bool:
        """Delete ``hdfs_path`` for good and return whether it was there. ``skip_trash`` has to be true."""
        assert skip_trash, "WebHDFS has no trash: say skip_trash=True to delete for good"
        return self.client.delete(hdfs_path, recursive=recursive)

    def read(
        self,
        hdfs_path: str,
        offset: int = 0,
        length: int | None = None,
        buffer_size: int | None = None,
        chunk_size: int = 1024,
        buffer_char: str | None = None,
    ) -> Any:
        """Return a context manager that gives what a file holds.

        Inside the ``with`` it is pieces of ``chunk_size`` bytes, a raw stream if ``chunk_size`` is 0, or, with
        ``buffer_char``, the text (UTF-8) between two of those characters.
        """
        how: dict[str, Any] = (
            {"encoding": "utf-8", "delimiter": buffer_char} if buffer_char else {"chunk_size": chunk_size}
        )
        return self.client.read(hdfs_path, offset=offset, length=length, buffer_size=buffer_size, **how)

    def move(self, path: str, dest: str) -> None:
        """Move ``path`` to ``dest``, whose directory is created if need be."""
        parent = posixpath.dirname(dest.rstrip("/"))
        if parent and not self.exists(parent):
            self.mkdir(parent)
        self.client.rename(path, dest)

    def mkdir(  # type: ignore[override]
        self, path: str, parents: bool = True, mode: int = 0o755, raise_if_exists: bool = False
    ) -> None:
        """Create the directory ``path``, with its parents if ``parents``.

        Raises :class:`~luigi.target.FileAlreadyExists` and :class:`~luigi.target.MissingParentDirectory`.
        """
        if raise_if_exists and self.exists(path):
            raise FileAlreadyExists(path)
        parent = posixpath.dirname(path.rstrip("/"))
        if not parents and parent and not self.exists(parent):
            raise MissingParentDirectory(parent)
        # The package wants the octal digits.
        self.client.makedirs(path, permission=int("%o" % mode))

    def _with_descendants(self, path: str, recursive: bool) -> Iterator[str]:
        yield path
        if recursive and self.isdir(path):
            for top, directories, files in self.walk(path, depth=0):
                yield from (posixpath.join(top, name) for name in [*directories, *files])

    def chmod(self, path: str, permissions: str | int, recursive: bool = False) -> None:
        """Set the permissions, such as ``"755"``."""
        for each in self._with_descendants(path, recursive):
            self.client.set_permission(each, permissions)

    def chown(self, path: str, owner: str | None, group: str | None, recursive: bool = False) -> None:
        """Set owner and group; ``None`` leaves one as it is."""
        for each in self._with_descendants(path, recursive):
            self.client.set_owner(each, owner=owner, group=group)

    def count(self, path: str) -> dict[str, int]:
        """Return ``content_size`` (bytes), ``dir_count`` and ``file_count`` of ``path``."""
        content = self.client.content(path)
        return {
            "content_size": content["length"],
            "dir_count": content["directoryCount"],
            "file_count": content["fileCount"],
        }

    def copy(self, path: str, destination: str) -> None:
        """Raise ``NotImplementedError``: WebHDFS has no such operation."""
        raise NotImplementedError("WebHDFS cannot copy; use the client hadoopcli")

    def put(self, local_path: str, destination: str) -> None:
        """Upload a local file or directory."""
        self.upload(destination, local_path)

    def get(self, path: str, local_destination: str) -> None:
        """Download a file or directory."""
        self.download(path, local_destination)

    def listdir(
        self,
        path: str,
        ignore_directories: bool = False,
        ignore_files: bool = False,
        include_size: bool = False,
        include_type: bool = False,
        include_time: bool = False,
        recursive: bool = False,
    ) -> list[Any]:
        """Return the names of everything in ``path``, or names relative to ``path`` if ``recursive``.

        If more is to be included, return tuples of the name, the size in bytes, the type (``d`` or ``-``) and the time
        of the last change.
        """
        if not (ignore_directories or ignore_files or include_size or include_type or include_time or recursive):
            return self.client.list(path, status=False)
        found: list[Any] = []
        for name, status in self._statuses(path, recursive):
            kind = "d" if status["type"] == "DIRECTORY" else "-"
            if (ignore_directories and kind == "d") or (ignore_files and kind == "-"):
                continue
            extra: list[Any] = []
            if include_size:
                extra.append(status["length"])
            if include_type:
                extra.append(kind)
            if include_time:
                extra.append(datetime.datetime.fromtimestamp(status["modificationTime"] / 1000))
            found.append((name, *extra) if extra else name)
        return found

    def _statuses(self, path: str, recursive: bool) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, status in self.client.list(path, status=True):
            yield name, status
            if recursive and status["type"] == "DIRECTORY":
                for below, inner in self._statuses(posixpath.join(path, name), recursive):
                    yield posixpath.join(name, below), inner

    def touchz(self, path: str) -> None:
        """Create an empty file; it is an error if the file is there."""
        self.client.write(path, data="", overwrite=False)
