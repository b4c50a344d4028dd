"""Targets that live in memory, for tests of tasks without a disk.

The content is held by a process of its own, so that tasks which run in processes of their own write to
the same place; it starts when the first content is looked at.
"""

from __future__ import annotations

import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any

from luigi import target
from luigi.format import Format, get_default_format

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class MockFileSystem(target.FileSystem):
    """A file system in memory. All instances share one content; a folder is any prefix of a path."""

    _data: MutableMapping[str, bytes] | None = None

    def get_all_data(self) -> MutableMapping[str, bytes]:
        """The whole content: path to bytes."""
        if MockFileSystem._data is None:
            import multiprocessing

            MockFileSystem._data = multiprocessing.Manager().dict()
        return MockFileSystem._data

    def get_data(self, fn: str) -> bytes:
        """The content of one file; raises `KeyError` if there is none."""
        return self.get_all_data()[fn]

    def exists(self, path: str) -> bool:
        """Says whether a file was written at `path`."""
        return MockTarget(path).exists()

    def copy(self, path: str, dest: str, raise_if_exists: bool = False) -> None:
        """Copies one file."""
        self._put(self.get_data(path), path, dest, raise_if_exists)

    def move(self, path: str, dest: str, raise_if_exists: bool = False) -> None:
        """Moves one file."""
        self._put(self.get_data(path), path, dest, raise_if_exists)
        if dest != path:
            del self.get_all_data()[path]

    def _put(self, content: bytes, path: str, dest: str, raise_if_exists: bool) -> None:
        data = self.get_all_data()
        if raise_if_exists and dest in data:
            raise RuntimeError("Destination exists: %s" % path)
        data[dest] = content

    def remove(self, path: str, recursive: bool = True, skip_trash: bool = True) -> None:
        """Deletes every file whose path begins with `path`, or without `recursive` only that one."""
        for name in self.listdir(path) if recursive else [path]:
            self.get_all_data().pop(name)

    def listdir(self, path: str) -> list[str]:
        """The files whose paths begin with `path`. Patterns are not understood."""
        return [name for name in self.get_all_data().keys() if name.startswith(path)]

    def isdir(self, path: str) -> bool:
        """Says whether any file's path begins with `path`."""
        return bool(self.listdir(path))

    def mkdir(self, path: str, parents: bool = True, raise_if_exists: bool = False) -> None:
        """Does nothing: there are no folders to make."""

    def clear(self) -> None:
        """Forgets all files."""
        self.get_all_data().clear()


class _Buffer(BytesIO):
    """The bytes of one open `MockTarget`.

    Closing a written one stores them, and so does dropping it; leaving `with` by an exception does not.
    """

    def __init__(self, owner: MockTarget, mode: str, content: bytes = b"") -> None:
        super().__init__(content)
        self._owner = owner
        self._mode = mode[0]
        self._mirrored = False

    def set_wrapper(self, wrapper: Any) -> None:
        """Remembers the outermost stream over this one."""
        self.wrapper = wrapper

    def write(self, data: Any) -> int:
        if self._owner._mirror_on_stderr:
            self._mirror(data)
        return super().write(data)

    def _mirror(self, data: Any) -> None:
        """Shows what is written on standard error; the path stands before the first piece."""
        if not self._mirrored:
            self._mirrored = True
            sys.stderr.write(self._owner.path + ": ")
        sys.stderr.write(data if isinstance(data, str) else bytes(data).decode("utf8"))

    def close(self) -> None:
        if self._mode == "w" and not self.closed:
            self._owner.fs.get_all_data()[self._owner.path] = self.getvalue()
        super().close()

    def __enter__(self) -> _Buffer:
        return self

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        if exc_type:
            self._mode = "aborted"
        self.close()

    def readable(self) -> bool:
        return self._mode == "r"

    def writable(self) -> bool:
        return self._mode == "w"

    writeable = writable

    def seekable(self) -> bool:
        return False


class MockTarget(target.FileSystemTarget):
    """A file in memory. With `mirror_on_stderr`, what is written to it is also shown."""

    fs = MockFileSystem()

    def __init__(
        self, fn: str, is_tmp: bool | None = None, mirror_on_stderr: bool = False, format: Format | None = None
    ) -> None:
        self._mirror_on_stderr = mirror_on_stderr
        self.path = fn
        self.format = format or get_default_format()

    def exists(self) -> bool:
        """Says whether the target was written."""
        return self.path in self.fs.get_all_data()

    def move(self, path: str, raise_if_exists: bool = False) -> None:
        """Moves the content to another path; this target keeps its own."""
        self.fs.move(self.path, path, raise_if_exists)

    def rename(self, *args: Any, **kwargs: Any) -> None:
        """Another name of `move`."""
        self.move(*args, **kwargs)

    def open(self, mode: str = "r") -> Any:
        """Opens the content for reading or, with a mode that begins with `w`, for writing."""
        if mode[0] == "w":
            stream = self.format.pipe_writer(_Buffer(self, mode))
            stream.set_wrapper(stream)
            return stream
        return self.format.pipe_reader(_Buffer(self, mode, self.fs.get_data(self.path)))
