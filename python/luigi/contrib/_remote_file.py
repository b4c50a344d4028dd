"""Files that live on another machine, seen through a file on this one.

Writing goes to a private temporary file, and only a clean ``close`` hands the whole of it to the store: a failed
``with`` leaves neither output nor temporary file. Reading either streams or works on a copy that goes away by itself.
The storage modules of ``luigi.contrib`` share this one; it knows nothing about any store.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import tempfile
from collections.abc import Iterator
from typing import Any

from luigi.target import AtomicLocalFile


def temporary_suffix() -> str:
    """Return a random ending that marks a name as an unfinished write, in Luigi's spelling."""
    return "-luigi-tmp-%09d" % random.randrange(0, 10_000_000_000)


def remove_quietly(path: str) -> None:
    """Delete the local file ``path`` if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)


@contextlib.contextmanager
def arriving_whole(local_path: str) -> Iterator[str]:
    """Give the name that a download has to write to; ``local_path`` appears when it is whole, and not otherwise."""
    directory = os.path.dirname(os.path.normpath(local_path))
    if directory:
        os.makedirs(directory, exist_ok=True)
    arriving = local_path + temporary_suffix()
    try:
        yield arriving
        os.replace(arriving, local_path)
    finally:
        remove_quietly(arriving)


class UploadOnClose(AtomicLocalFile):
    """A writable file on local disk whose content is handed over when it is closed.

    Subclasses say in ``move_to_final_destination`` how ``tmp_path`` reaches ``path``. The local file is gone
    afterwards, whether the hand-over worked, failed, or never took place.
    """

    def generate_tmp_path(self, path: str) -> str:
        """Create the local file, readable by its owner only, and return its name."""
        handle, name = tempfile.mkstemp(prefix="luigi-upload-")
        os.close(handle)
        return name


class RemovedOnClose(io.FileIO):
    """A local copy, opened for reading, that is deleted when it is closed."""

    def close(self) -> None:
        """Close and delete the copy; it may be called any number of times."""
        super().close()
        with contextlib.suppress(OSError):
            os.remove(self.name)

    def readable(self) -> bool:
        """Return ``True``."""
        return True

    def writable(self) -> bool:
        """Return ``False``."""
        return False

    def seekable(self) -> bool:
        """Return ``True``."""
        return True


class ForwardReader:
    """What a format needs of an input that can only be read from start to end."""

    closed = False

    def close(self) -> None:
        """Mark the reader as used up."""
        self.closed = True

    def flush(self) -> None:
        """Do nothing; a text wrapper asks for it when it is closed."""

    def readable(self) -> bool:
        """Return ``True``."""
        return True

    def writable(self) -> bool:
        """Return ``False``."""
        return False

    def seekable(self) -> bool:
        """Return ``False``."""
        return False

    def __enter__(self) -> Any:
        return self

    def __exit__(self, exc_type: Any, exc: Any, traceback: Any) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
