"""Dropbox: a client on the package dropbox and a target.

Paths start with a slash and do not end with one. The root is the app's own folder, or all of the user's files if the
app may see them.
"""

from __future__ import annotations

import functools
import io
import logging
import ntpath
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from luigi.contrib._remote_file import ForwardReader, UploadOnClose, temporary_suffix
from luigi.format import get_default_format
from luigi.target import FileAlreadyExists, FileSystem, FileSystemTarget, NotADirectory

logger = logging.getLogger("luigi-interface")

try:
    import dropbox.common
    import dropbox.dropbox_client
    import dropbox.exceptions
    import dropbox.files
except ImportError:
    logger.warning(
        "Loading Dropbox module without the python package dropbox (https://pypi.org/project/dropbox/). "
        "Will crash at runtime if Dropbox functionality is used."
    )

# Bytes sent in one request.
_CHUNK_SIZE = 4 * 1000 * 1000


def _without_slash(path: str) -> str:
    """The path without the slash at its end; the root keeps it."""
    return path[:-1] if path != "/" and path.endswith("/") else path


def _root_of_team(namespace_id: str) -> Any:
    return dropbox.common.PathRoot.root(namespace_id)


def accept_trailing_slash_in_existing_dirpaths(func: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method take ``folder/`` for ``folder``, with a warning, if it is a folder."""

    @functools.wraps(func)
    def wrapped(self: Any, path: str, *args: Any, **kwargs: Any) -> Any:
        folder = _without_slash(path)
        if folder != path:
            logger.warning(
                "%s() got the Dropbox path %s: leave out the slash at the end, which costs a further request",
                func.__name__,
                path,
            )
            if self._exists_and_is_dir(folder):
                path = folder
        return func(self, path, *args, **kwargs)

    return wrapped


def accept_trailing_slash(func: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method take ``folder/`` for ``folder``."""

    @functools.wraps(func)
    def wrapped(self: Any, path: str, *args: Any, **kwargs: Any) -> Any:
        return func(self, _without_slash(path), *args, **kwargs)

    return wrapped


class DropboxClient(FileSystem):
    """The operations of a file system on a user's Dropbox."""

    def __init__(self, token: str, user_agent: str = "Luigi", root_namespace_id: str | None = None) -> None:
        """Log in with an OAuth 2 token; ``root_namespace_id`` is the root of a team's space."""
        _check_token(token)
        try:
            conn = dropbox.dropbox_client.Dropbox(oauth2_access_token=token, user_agent=user_agent)
        except Exception as error:
            raise Exception("Cannot connect to Dropbox. Check your Internet connection and the token. \n%r" % error)  # noqa: B904
        self.token = token
        self.conn = conn if not root_namespace_id else conn.with_path_root(_root_of_team(root_namespace_id))

    def _metadata(self, path: str) -> Any:
        """Return what Dropbox knows of ``path``, or ``None`` if there is nothing."""
        try:
            return self.conn.files_get_metadata(path)
        except dropbox.exceptions.ApiError as error:
            if isinstance(error.error.get_path(), dropbox.files.LookupError):
                return None
            raise

    @accept_trailing_slash_in_existing_dirpaths
    def exists(self, path: str) -> bool:
        """Return whether there is a file or folder at ``path``; with a slash at its end, a folder."""
        if path == "/":
            return True
        if path.endswith("/"):
            return self._exists_and_is_dir(path[:-1])
        return self._metadata(path) is not None

    @accept_trailing_slash_in_existing_dirpaths
    def remove(self, path: str, recursive: bool = True, skip_trash: bool = True) -> bool:
        """Delete a file, or a folder with all in it; return whether it was there."""
        if not self.exists(path):
            return False
        self.conn.files_delete_v2(path)
        return True

    @accept_trailing_slash
    def mkdir(self, path: str, parents: bool = True, raise_if_exists: bool = False) -> None:
        """Create the folder ``path`` with its parents.

        Raises :class:`~luigi.target.NotADirectory`, and :class:`~luigi.target.FileAlreadyExists` if asked to.
        """
        if not self.exists(path):
            self.conn.files_create_folder_v2(path)
        elif not self.isdir(path):
            raise NotADirectory()
        elif raise_if_exists:
            raise FileAlreadyExists()

    @accept_trailing_slash_in_existing_dirpaths
    def isdir(self, path: str) -> bool:
        """Return whether ``path`` is a folder."""
        return path == "/" or isinstance(self._metadata(path), dropbox.files.FolderMetadata)

    @accept_trailing_slash_in_existing_dirpaths
    def listdir(self, path: str, **kwargs: Any) -> list[str]:
        """Return the paths of the folder and of everything in it; ``kwargs`` go to ``files_list_folder``."""
        page = self.conn.files_list_folder(path, recursive=True, **kwargs)
        entries = list(page.entries)
        while page.has_more:
            page = self.conn.files_list_folder_continue(page.cursor)
            entries += page.entries
        return [entry.path_display for entry in entries]

    @accept_trailing_slash_in_existing_dirpaths
    def move(self, path: str, dest: str) -> None:
        """Move a file or folder."""
        self.conn.files_move_v2(from_path=path, to_path=dest)

    @accept_trailing_slash_in_existing_dirpaths
    def copy(self, path: str, dest: str) -> None:
        """Copy a file or folder."""
        self.conn.files_copy_v2(from_path=path, to_path=dest)

    def download_as_bytes(self, path: str) -> bytes:
        """Return what the file holds."""
        _, response = self.conn.files_download(path)
        return response.content

    def upload(self, tmp_path: str, dest_path: str) -> None:
        """Upload a local file in chunks. It appears in Dropbox when the last one is there.

        A file that is there with other content makes Dropbox refuse, with an ``ApiError``.
        """
        commit = dropbox.files.CommitInfo(path=dest_path)
        size = os.path.getsize(tmp_path)
        with open(tmp_path, "rb") as content:
            session = self.conn.files_upload_session_start(content.read(_CHUNK_SIZE))
            cursor = dropbox.files.UploadSessionCursor(session_id=session.session_id, offset=content.tell())
            while size - cursor.offset > _CHUNK_SIZE:
                self.conn.files_upload_session_append_v2(content.read(_CHUNK_SIZE), cursor)
                cursor.offset = content.tell()
            self.conn.files_upload_session_finish(content.read(_CHUNK_SIZE), cursor, commit)

    def _exists_and_is_dir(self, path: str) -> bool:
        """Return whether ``path`` (without a slash at its end) is a folder; whatever Dropbox refuses is none."""
        if path == "/":
            return True
        try:
            return isinstance(self.conn.files_get_metadata(path), dropbox.files.FolderMetadata)
        except dropbox.exceptions.ApiError:
            return False


def _check_token(token: str) -> None:
    if not token:
        raise ValueError("The token parameter must contain a valid Dropbox Oauth2 Token")


class ReadableDropboxFile(ForwardReader):
    """The bytes of a file in Dropbox, which is downloaded as a whole at the first ``read``."""

    def __init__(self, path: str, client: DropboxClient) -> None:
        """Read ``path``."""
        self.path = path
        self.client = client
        self.fid: io.BytesIO | None = None

    def _content(self) -> io.BytesIO:
        if self.fid is None:
            self.fid = io.BytesIO(self.client.download_as_bytes(self.path))
        return self.fid

    def read(self, n: int | None = None) -> bytes:
        """Return the next ``n`` bytes, or all that are left."""
        return self._content().read(n)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines, each with its newline."""
        return iter(self._content())


class AtomicWritableDropboxFile(UploadOnClose):
    """A local file that is uploaded when it is closed."""

    def __init__(self, path: str, client: DropboxClient) -> None:
        """Write for ``path``."""
        self.client = client
        super().__init__(path)

    def move_to_final_destination(self) -> None:
        """Upload the file."""
        self.client.upload(self.tmp_path, self.path)


class DropboxTarget(FileSystemTarget):
    """A file in Dropbox."""

    def __init__(
        self,
        path: str,
        token: str,
        format: Any = None,
        user_agent: str = "Luigi",
        root_namespace_id: str | None = None,
    ) -> None:
        """Name the file ``path``; the other arguments are those of :class:`DropboxClient`."""
        super().__init__(path)
        _check_token(token)
        self.token = token
        self.client = DropboxClient(token, user_agent, root_namespace_id)
        self.format = format or get_default_format()

    @property
    def fs(self) -> DropboxClient:
        """The client."""
        return self.client

    @contextmanager
    def temporary_path(self) -> Iterator[str]:
        """Give the path of a local file to write, which is uploaded if nothing was raised."""
        folder = tempfile.mkdtemp(prefix="luigi-dropbox-")
        try:
            name = temporary_suffix().lstrip("-") + ntpath.basename(self.path)
            temporary = os.path.join(folder, name)
            yield temporary
            self.fs.upload(temporary, self.path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def open(self, mode: str = "r") -> Any:
        """Open the file for reading (``r``) or writing (``w``)."""
        if mode == "r":
            return self.format.pipe_reader(ReadableDropboxFile(self.path, self.client))
        if mode == "w":
            return self.format.pipe_writer(AtomicWritableDropboxFile(self.path, self.client))
        raise ValueError("Unsupported open mode '%s'" % mode)
