"""Files in HDFS over HTTP, as targets. The newer way is ``client=webhdfs`` in ``[hdfs]`` and ``HdfsTarget``."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from luigi.contrib._remote_file import ForwardReader, UploadOnClose, temporary_suffix
from luigi.contrib.hdfs.webhdfs_client import WebHdfsClient
from luigi.format import get_default_format
from luigi.target import FileSystemTarget

logger = logging.getLogger("luigi-interface")

__all__ = ["AtomicWebHdfsFile", "ReadableWebHdfsFile", "WebHdfsClient", "WebHdfsTarget"]


class WebHdfsTarget(FileSystemTarget):
    """A file in HDFS."""

    fs: Any = None

    def __init__(self, path: str, client: WebHdfsClient | None = None, format: Any = None) -> None:
        """Name the file ``path``; the client is by default made from the configuration."""
        super().__init__(path)
        self.fs = client or WebHdfsClient()
        self.format = get_default_format() if format is None else format

    def open(self, mode: str = "r") -> Any:
        """Open the file for reading (``r``) or writing (``w``)."""
        if mode == "r":
            return self.format.pipe_reader(ReadableWebHdfsFile(path=self.path, client=self.fs))
        if mode == "w":
            return self.format.pipe_writer(AtomicWebHdfsFile(path=self.path, client=self.fs))
        raise ValueError("Unsupported open mode '%s'" % mode)

    def remove(self) -> None:
        """Delete the file, for good since WebHDFS has no trash."""
        self.fs.remove(self.path, skip_trash=True)


class ReadableWebHdfsFile(ForwardReader):
    """The bytes of a file in HDFS, as they arrive."""

    def __init__(self, path: str, client: WebHdfsClient) -> None:
        """Read ``path``; the request is made at the first ``read``."""
        self.path = path
        self.client = client
        self._stream: Any = None
        self._response = contextlib.ExitStack()

    def _opened(self) -> Any:
        if self._stream is None:
            self._stream = self._response.enter_context(self.client.read(self.path, chunk_size=0))
        return self._stream

    def read(self, size: int | None = None) -> bytes:
        """Return the next ``size`` bytes, or all that are left."""
        return self._opened().read() if size is None or size < 0 else self._opened().read(size)

    def readlines(self, char: str = "\n") -> Iterator[bytes]:
        """Yield what lies between two of ``char``, without it."""
        separator = char.encode()
        rest = b""
        for chunk in iter(lambda: self.read(65536), b""):
            *whole, rest = (rest + chunk).split(separator)
            yield from whole
        if rest:
            yield rest

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines, without their newlines, and close the file."""
        yield from self.readlines("\n")
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        response = self.__dict__.get("_response")
        if response is not None:
            response.close()
        super().close()


class AtomicWebHdfsFile(UploadOnClose):
    """A local file that becomes a file in HDFS when it is closed."""

    def __init__(self, path: str, client: WebHdfsClient) -> None:
        """Write for ``path``."""
        self.client = client
        super().__init__(path)

    def move_to_final_destination(self) -> None:
        """Upload the file under another name, and let it take the place of what is at the path."""
        arriving = self.path + temporary_suffix()
        try:
            self.client.upload(arriving, self.tmp_path)
            if self.client.exists(self.path):
                self.client.remove(self.path, skip_trash=True)
            self.client.move(arriving, self.path)
        except BaseException:
            with contextlib.suppress(Exception):
                self.client.remove(arriving, skip_trash=True)
            raise
