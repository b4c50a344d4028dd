"""Formats that read from HDFS and write to it through the command ``hadoop``.

Writing goes to a temporary path, which gets its real name when everything is there.
"""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Callable
from typing import Any

from luigi.contrib.hdfs import config as hdfs_config
from luigi.contrib.hdfs.clients import exists, listdir, mkdir, remove, rename
from luigi.contrib.hdfs.config import load_hadoop_cmd
from luigi.contrib.hdfs.error import HDFSCliError
from luigi.format import Format, InputPipeProcessWrapper, OutputPipeProcessWrapper

logger = logging.getLogger("luigi-interface")


class HdfsAtomicWriteError(IOError):
    """What was written did not get its name."""


class HdfsReadPipe(InputPipeProcessWrapper):
    """The bytes of a file in HDFS, or of all files that a pattern names."""

    def __init__(self, path: str) -> None:
        """Read ``path``."""
        super().__init__([*load_hadoop_cmd(), "fs", "-cat", path])


class _AtomicWritePipe(OutputPipeProcessWrapper):
    """Feeds a ``hadoop fs -put`` whose result is renamed when the pipe is closed."""

    # What is temporary, in words.
    _kind = "file"

    def __init__(self, path: str, tmppath: str, datapath: str) -> None:
        self.path = path
        self.tmppath = tmppath
        mkdir(posixpath.dirname(datapath), parents=True, raise_if_exists=False)
        super().__init__([*load_hadoop_cmd(), "fs", "-put", "-", datapath])

    def __del__(self) -> None:
        # An instance whose constructor failed has no process to end.
        if "_process" in self.__dict__:
            super().__del__()

    def abort(self) -> None:
        """Throw away what was written."""
        logger.info(
            "Aborting %s('%s'). Removing temporary %s '%s'", type(self).__name__, self.path, self._kind, self.tmppath
        )
        try:
            super().abort()
        finally:
            try:
                remove(self.tmppath, skip_trash=True)
            except HDFSCliError as error:
                # Nothing may have arrived, and what made the writer give up is the error to be seen.
                logger.warning("Could not remove '%s': %s", self.tmppath, error)

    def close(self) -> None:
        """Wait for the upload, replace what is at ``path``, and give the result its name.

        Raises ``RuntimeError`` if the upload failed and :class:`HdfsAtomicWriteError` if the renaming did.
        """
        super().close()
        try:
            if exists(self.path):
                remove(self.path)
        except HDFSCliError:
            pass
        except Exception as error:
            if "FileNotFoundException" not in str(error):
                raise
        # Some clients answer with one result for every path.
        if not all(each["result"] for each in rename(self.tmppath, self.path) or []):
            raise HdfsAtomicWriteError("Atomic write to {} failed".format(self.path))


class HdfsAtomicWritePipe(_AtomicWritePipe):
    """Writes a file in HDFS."""

    def __init__(self, path: str) -> None:
        """Write for ``path``."""
        temporary = hdfs_config.tmppath(path)
        super().__init__(path, temporary, temporary)


class HdfsAtomicWriteDirPipe(_AtomicWritePipe):
    """Writes a directory in HDFS that holds one file."""

    _kind = "dir"

    def __init__(self, path: str, data_extension: str = "") -> None:
        """Write for the directory ``path``; the file in it is called ``data`` and the extension."""
        temporary = hdfs_config.tmppath(path)
        self.datapath = "%s/data%s" % (temporary, data_extension)
        super().__init__(path, temporary, self.datapath)

    def close(self) -> None:
        """Do what the base does, and look whether the directory was put into another one instead of renamed."""
        super().close()
        if posixpath.basename(self.tmppath) in map(posixpath.basename, listdir(self.path)):
            remove(self.path)
            raise HdfsAtomicWriteError("Atomic write to {} failed".format(self.path))


class _PathFormat(Format):
    """A format whose pipes are paths in HDFS."""

    input = "bytes"
    output = "hdfs"

    def hdfs_writer(self, path: str) -> Any:
        """Return what ``pipe_writer`` does."""
        return self.pipe_writer(path)

    def hdfs_reader(self, path: str) -> Any:
        """Return what ``pipe_reader`` does."""
        return self.pipe_reader(path)


class PlainFormat(_PathFormat):
    """A file in HDFS."""

    def pipe_reader(self, path: str) -> HdfsReadPipe:
        """Read the file ``path``."""
        return HdfsReadPipe(path)

    def pipe_writer(self, output_pipe: str) -> HdfsAtomicWritePipe:
        """Write the file whose path is ``output_pipe``."""
        return HdfsAtomicWritePipe(output_pipe)


class PlainDirFormat(_PathFormat):
    """A directory in HDFS. Names that start with an underscore are Hadoop's own and not read."""

    def pipe_reader(self, path: str) -> HdfsReadPipe:
        """Read all files of the directory ``path``, one after the other."""
        return HdfsReadPipe("%s/[^_]*" % path)

    def pipe_writer(self, path: str) -> HdfsAtomicWriteDirPipe:
        """Write one file in the directory ``path``."""
        return HdfsAtomicWriteDirPipe(path)


Plain = PlainFormat()
PlainDir = PlainDirFormat()


class CompatibleHdfsFormat(Format):
    """A format made of a function that writes and one that reads, each given a path."""

    output = "hdfs"

    def __init__(self, writer: Callable[[str], Any], reader: Callable[[str], Any], input: str | None = None) -> None:
        """Use ``writer`` and ``reader``; ``input`` says what the writer takes."""
        if input is not None:
            self.input = input
        self.reader = reader
        self.writer = writer

    def pipe_writer(self, output: str) -> Any:
        """Write to the path ``output``."""
        return self.writer(output)

    def pipe_reader(self, input: str) -> Any:
        """Read from the path ``input``."""
        return self.reader(input)

    # Old names, which targets look for.
    hdfs_writer = pipe_writer
    hdfs_reader = pipe_reader

    def __getstate__(self) -> dict[str, Any]:
        """Put each bound method as its object and name, since not every such method can be pickled."""
        state = self.__dict__.copy()
        for name in ("reader", "writer"):
            function = state[name]
            if hasattr(function, "__self__"):
                state[name] = (function.__self__, function.__func__.__name__)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Undo what ``__getstate__`` did."""
        self.__dict__.update(state)
        for name in ("reader", "writer"):
            if isinstance(state[name], tuple):
                setattr(self, name, getattr(*state[name]))
