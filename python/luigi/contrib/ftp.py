"""FTP, FTP over TLS and SFTP: a file system and a target for files on such a server.

FTP uses the standard library, SFTP the package pysftp, which is imported when the first connection is made. Every
operation opens a connection of its own and closes it again. Plain FTP sends everything, the password included, as
clear text.
"""

from __future__ import annotations

import contextlib
import datetime
import ftplib
import logging
import os
import posixpath
import random
import stat
import tempfile
from collections.abc import Iterator
from typing import Any

from luigi.contrib._remote_file import UploadOnClose, arriving_whole, temporary_suffix
from luigi.format import FileWrapper, get_default_format
from luigi.target import FileAlreadyExists, FileSystem, FileSystemTarget, MissingParentDirectory, NotADirectory

logger = logging.getLogger("luigi-interface")


class RemoteFileSystem(FileSystem):
    """The operations of a file system on an FTP or SFTP server."""

    # The open connection: an ``ftplib.FTP`` or a ``pysftp.Connection``.
    conn: Any = None

    def __init__(
        self,
        host: str,
        username: str | None = None,
        password: str | None = None,
        port: int | None = None,
        tls: bool = False,
        timeout: float = 60,
        sftp: bool = False,
        pysftp_conn_kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Say where the server is and how to log in.

        ``port`` is 21 by default, 22 with ``sftp``. ``tls`` and ``timeout`` (seconds) concern FTP,
        ``pysftp_conn_kwargs`` are further arguments of ``pysftp.Connection``.
        """
        self.host = host
        self.username = username
        self.password = password
        self.port = port if port is not None else (22 if sftp else 21)
        self.tls = tls
        self.timeout = timeout
        self.sftp = sftp
        self.pysftp_conn_kwargs = pysftp_conn_kwargs or {}

    def _connect(self) -> None:
        if self.sftp:
            self._sftp_connect()
        else:
            self._ftp_connect()

    def _sftp_connect(self) -> None:
        try:
            import pysftp
        except ImportError:
            logger.warning("Please install pysftp to use SFTP.")
            raise
        login = {"username": self.username, "password": self.password, "port": self.port}
        self.conn = pysftp.Connection(self.host, **login, **self.pysftp_conn_kwargs)

    def _ftp_connect(self) -> None:
        self.conn = ftplib.FTP_TLS() if self.tls else ftplib.FTP()
        self.conn.connect(self.host, self.port, timeout=self.timeout)
        self.conn.login(self.username or "", self.password or "")
        if self.tls:
            self.conn.prot_p()

    def _close(self) -> None:
        if self.sftp:
            self._sftp_close()
        else:
            self._ftp_close()

    def _sftp_close(self) -> None:
        self.conn.close()

    def _ftp_close(self) -> None:
        self.conn.quit()

    @contextlib.contextmanager
    def _session(self) -> Iterator[Any]:
        """Yield an open connection, which is closed afterwards even if its use failed."""
        try:
            self._connect()
            yield self.conn
        except BaseException:
            # A connection in an unknown state is not asked for a polite goodbye, but it has to go.
            with contextlib.suppress(Exception):
                if self.conn is not None:
                    self.conn.close()
            raise
        self._close()

    def exists(self, path: str, mtime: Any = None) -> bool:
        """Return whether there is a file or directory at ``path``, modified after ``mtime`` if that is given.

        ``mtime`` is a ``datetime`` (in UTC if it names no time zone) or, for SFTP, also seconds since the epoch.
        """
        with self._session():
            return self._sftp_exists(path, mtime) if self.sftp else self._ftp_exists(path, mtime)

    def _sftp_exists(self, path: str, mtime: Any) -> bool:
        if not mtime:
            return self.conn.exists(path)
        try:
            modified = self.conn.stat(path).st_mtime
        except FileNotFoundError:
            return False
        if isinstance(mtime, datetime.datetime):
            return _is_after(datetime.datetime.fromtimestamp(modified, datetime.timezone.utc), mtime)
        return modified > mtime

    def _ftp_exists(self, path: str, mtime: Any) -> bool:
        directory, name = posixpath.split(path)
        if not name:
            return self._ftp_isdir(path)
        listed = self._ftp_names(directory)
        if path not in listed and name not in listed:
            return False
        if not mtime:
            return True
        # Some servers add fractions of a second.
        stamp = self.conn.sendcmd("MDTM " + path)[4:].split(".")[0]
        modified = datetime.datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=datetime.timezone.utc)
        return _is_after(modified, mtime)

    def _ftp_names(self, directory: str) -> list[str]:
        """Return what ``NLST`` says of a directory; nothing if there is no such directory, or nothing in it."""
        try:
            return self._nlst(directory)
        except ftplib.error_perm as error:
            if str(error).startswith("550"):
                return []
            raise

    def _nlst(self, directory: str) -> list[str]:
        try:
            return self.conn.nlst(directory)
        except OSError as error:
            # With nothing to list some servers end a data connection before it is encrypted, which ftplib takes badly.
            if getattr(error, "reason", None) != "SHUTDOWN_WHILE_IN_INIT":
                raise
            self.conn.voidresp()
            return []

    def _ftp_isdir(self, path: str) -> bool:
        before = self.conn.pwd()
        try:
            self.conn.cwd(path)
        except ftplib.error_perm:
            return False
        self.conn.cwd(before)
        return True

    def isdir(self, path: str) -> bool:
        """Return whether ``path`` is a directory."""
        with self._session():
            return self.conn.isdir(path) if self.sftp else self._ftp_isdir(path)

    def mkdir(self, path: str, parents: bool = True, raise_if_exists: bool = False) -> None:
        """Create the directory ``path``, with its parents if ``parents``.

        Raises :class:`~luigi.target.FileAlreadyExists`, :class:`~luigi.target.NotADirectory` and
        :class:`~luigi.target.MissingParentDirectory`.
        """
        if self.exists(path):
            if raise_if_exists:
                raise FileAlreadyExists(path)
            if not self.isdir(path):
                raise NotADirectory(path)
            return
        above = posixpath.dirname(path.rstrip("/"))
        if not parents and above and not self.isdir(above):
            raise MissingParentDirectory(above)
        with self._session():
            self._make_directories(path.rstrip("/"))

    def _make_directories(self, directory: str) -> None:
        if not directory:
            return
        if self.sftp:
            self.conn.makedirs(directory)
        elif not self._ftp_isdir(directory):
            self._make_directories(posixpath.dirname(directory))
            try:
                self.conn.mkd(directory)
            except ftplib.error_perm:
                # Another task may have made it in the meantime.
                if not self._ftp_isdir(directory):
                    raise

    def move(self, path: str, dest: str) -> None:
        """Rename ``path`` to ``dest``, whose directory is created if need be."""
        with self._session():
            self._make_directories(posixpath.dirname(dest))
            self.conn.rename(path, dest)

    def remove(self, path: str, recursive: bool = True) -> None:  # type: ignore[override]
        """Delete the file or directory at ``path``; a directory that is not empty only if ``recursive``."""
        with self._session():
            if self.sftp:
                self._sftp_remove(path, recursive)
            else:
                self._ftp_remove(path, recursive)

    def _sftp_remove(self, path: str, recursive: bool) -> None:
        # A link is removed as such, not what it points to.
        if not stat.S_ISDIR(self.conn.lstat(path).st_mode):
            self.conn.unlink(path)
            return
        if not recursive:
            raise RuntimeError("Path is not a regular file, and recursive option is not set")
        for name in self.conn.listdir(path):
            self._sftp_remove(posixpath.join(path, name), recursive)
        self.conn.rmdir(path)

    def _ftp_remove(self, path: str, recursive: bool) -> None:
        if recursive:
            self._rm_recursive(self.conn, path)
            return
        try:
            self.conn.delete(path)
        except ftplib.error_perm:
            self.conn.rmd(path)

    def _rm_recursive(self, ftp: Any, path: str) -> None:
        if not self._ftp_isdir(path):
            ftp.delete(path)
            return
        # Servers list either names or paths.
        for name in {posixpath.basename(each.rstrip("/")) for each in self._ftp_names(path)} - {".", ".."}:
            self._rm_recursive(ftp, posixpath.join(path, name))
        ftp.rmd(path)

    def put(self, local_path: str, path: str, atomic: bool = True) -> None:
        """Upload the file ``local_path`` to ``path``, whose directory is created if need be.

        With ``atomic`` the file gets another name until it is there as a whole.
        """
        path = posixpath.normpath(path)
        directory = posixpath.dirname(path)
        arriving = posixpath.join(directory, temporary_suffix().lstrip("-")) if atomic else path
        with self._session():
            self._make_directories(directory)
            try:
                self._send(local_path, arriving)
                if atomic:
                    self._replace(arriving, path)
            except BaseException:
                with contextlib.suppress(Exception):
                    if atomic:
                        self._ftp_remove(arriving, False) if not self.sftp else self.conn.unlink(arriving)
                raise

    def _send(self, local_path: str, path: str) -> None:
        if self.sftp:
            self.conn.put(local_path, path)
            return
        with open(local_path, "rb") as content:
            self.conn.storbinary("STOR %s" % path, content)

    def _replace(self, source: str, path: str) -> None:
        # FTP servers let RNTO overwrite a file. SFTP's own rename refuses to, OpenSSH's extension does not.
        if self.sftp and self.conn.exists(path):
            self.conn.sftp_client.posix_rename(source, path)
        else:
            self.conn.rename(source, path)

    def get(self, path: str, local_path: str) -> None:
        """Download ``path`` to the local file ``local_path``, which appears only when it is whole."""
        with arriving_whole(local_path) as arriving, self._session():
            self._fetch(path, arriving)

    def _fetch(self, path: str, local_path: str) -> None:
        if self.sftp:
            self.conn.get(path, local_path)
            return
        with open(local_path, "wb") as copy:
            self.conn.retrbinary("RETR %s" % path, copy.write)

    def listdir(self, path: str = ".") -> list[str]:
        """Return what the server lists in ``path``: names with SFTP, names or paths with FTP."""
        with self._session():
            return self.conn.listdir(remotepath=path) if self.sftp else self._nlst(path)


def _is_after(modified: datetime.datetime, mtime: datetime.datetime) -> bool:
    if mtime.tzinfo is None:
        mtime = mtime.replace(tzinfo=datetime.timezone.utc)
    return modified > mtime


class AtomicFtpFile(UploadOnClose):
    """A local file that is uploaded when it is closed."""

    def __init__(self, fs: RemoteFileSystem, path: str) -> None:
        """Write for ``path`` on the server of ``fs``."""
        self._fs = fs
        super().__init__(path)

    def move_to_final_destination(self) -> None:
        """Upload the file."""
        self._fs.put(self.tmp_path, self.path)

    @property
    def fs(self) -> RemoteFileSystem:
        """The file system that the file is uploaded to."""
        return self._fs


class RemoteTarget(FileSystemTarget):
    """A file on an FTP or SFTP server. Reading and writing work on a local copy."""

    def __init__(
        self,
        path: str,
        host: str,
        format: Any = None,
        username: str | None = None,
        password: str | None = None,
        port: int | None = None,
        mtime: Any = None,
        tls: bool = False,
        timeout: float = 60,
        sftp: bool = False,
        pysftp_conn_kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Name the file ``path`` on ``host``; it counts as there only if modified after ``mtime``, if that is given.

        The other arguments are those of :class:`RemoteFileSystem`.
        """
        super().__init__(path)
        self.mtime = mtime
        self.format = get_default_format() if format is None else format
        self.tls = tls
        self.timeout = timeout
        self.sftp = sftp
        self._fs = RemoteFileSystem(host, username, password, port, tls, timeout, sftp, pysftp_conn_kwargs)

    @property
    def fs(self) -> RemoteFileSystem:
        """The file system on the server."""
        return self._fs

    def open(self, mode: str = "r") -> Any:
        """Open the file for reading (``r``) or writing (``w``).

        The copy that is read lasts as long as the target, or until the target is opened for reading again.
        """
        if mode == "w":
            return self.format.pipe_writer(AtomicFtpFile(self._fs, self.path))
        if mode != "r":
            raise Exception("mode must be 'r' or 'w' (got: %s)" % mode)
        self.__temp_dir = tempfile.TemporaryDirectory(prefix="luigi-contrib-ftp_")
        name = "%s-luigi-tmp-%09d" % (posixpath.basename(self.path), random.randrange(0, 10_000_000_000))
        self.__tmp_path = os.path.join(self.__temp_dir.name, name)
        self._fs.get(self.path, self.__tmp_path)
        return self.format.pipe_reader(FileWrapper(open(self.__tmp_path, "rb")))

    def exists(self) -> bool:
        """Return whether the file is there, and new enough."""
        return self.fs.exists(self.path, self.mtime)

    def put(self, local_path: str, atomic: bool = True) -> None:
        """Upload the file ``local_path`` as this target."""
        self.fs.put(local_path, self.path, atomic)

    def get(self, local_path: str) -> None:
        """Download this target to ``local_path``."""
        self.fs.get(self.path, local_path)
