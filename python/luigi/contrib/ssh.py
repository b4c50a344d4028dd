"""Other machines through ``ssh``: commands, tunnels, files and a target.

:class:`RemoteContext` runs commands elsewhere as ``subprocess`` runs them here. :class:`RemoteFileSystem` and
:class:`RemoteTarget` build files on it: the programs ``ssh`` and ``scp`` of this machine, and ``cat``, ``test``,
``find``, ``mkdir``, ``mv`` and ``rm`` of the other one, do the work. A password is asked for nowhere; keys or an agent
are needed, or ``sshpass``.
"""

from __future__ import annotations

import contextlib
import logging
import os
import posixpath
import re
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

from luigi.contrib._remote_file import arriving_whole, temporary_suffix
from luigi.format import InputPipeProcessWrapper, OutputPipeProcessWrapper, get_default_format
from luigi.target import FileAlreadyExists, FileSystem, FileSystemTarget, MissingParentDirectory, NotADirectory

logger = logging.getLogger("luigi-interface")


class RemoteCalledProcessError(subprocess.CalledProcessError):
    """A command on another machine failed. ``host`` says on which."""

    def __init__(self, returncode: int, command: Sequence[str], host: str, output: Any = None) -> None:
        """Say that ``command`` on ``host`` ended with ``returncode``, having printed ``output``."""
        super().__init__(returncode, command, output)
        self.host = host

    def __str__(self) -> str:
        return "Command '%s' on host %s returned non-zero exit status %d" % (self.cmd, self.host, self.returncode)


class RemoteContext:
    """Where commands are run, and how to get there."""

    username: str | None = None
    key_file: str | None = None
    connect_timeout: float | None = None
    port: int | None = None
    no_host_key_check: bool = False
    sshpass: bool = False
    tty: bool = False

    def __init__(self, host: str, **kwargs: Any) -> None:
        """Run commands on ``host``.

        ``username``, ``port`` and ``key_file`` are for logging in, ``connect_timeout`` is in seconds.
        ``no_host_key_check`` trusts any host key, ``sshpass`` takes the password from the environment variable
        ``SSHPASS``, ``tty`` asks for a terminal on the other side.
        """
        self.host = host
        for option in ("username", "key_file", "connect_timeout", "port", "no_host_key_check", "sshpass", "tty"):
            if option in kwargs:
                setattr(self, option, kwargs[option])

    def __repr__(self) -> str:
        shown = (self.host, self.username, self.key_file, self.connect_timeout, self.port)
        return "%s(%s)" % (type(self).__name__, ", ".join(map(repr, shown)))

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def _host_ref(self) -> str:
        return "%s@%s" % (self.username, self.host) if self.username else self.host

    def _login_options(self) -> list[str]:
        """Return the options that ``ssh`` and ``scp`` share."""
        options = ["-o", "ControlMaster=no"]
        if not self.sshpass:
            options += ["-o", "BatchMode=yes"]
        if self.connect_timeout is not None:
            options += ["-o", "ConnectTimeout=%d" % self.connect_timeout]
        if self.no_host_key_check:
            options += ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no"]
        if self.key_file:
            options += ["-i", str(self.key_file)]
        return options

    def _program(self, name: str) -> list[str]:
        return ["sshpass", "-e", name] if self.sshpass else [name]

    def _prepare_cmd(self, cmd: Sequence[str]) -> list[str]:
        """Return the local command that runs ``cmd`` on the other machine, where a shell reads it."""
        prepared = [*self._program("ssh"), self._host_ref(), *self._login_options()]
        if self.port:
            prepared += ["-p", str(self.port)]
        if self.tty:
            prepared.append("-t")
        return prepared + list(cmd)

    def Popen(self, cmd: Sequence[str], **kwargs: Any) -> Any:
        """Start ``cmd`` on the other machine and return the ``subprocess.Popen`` of the local ``ssh``."""
        return subprocess.Popen(self._prepare_cmd(cmd), **kwargs)

    def check_output(self, cmd: Sequence[str]) -> bytes:
        """Run ``cmd`` on the other machine and return what it printed.

        Raises :class:`RemoteCalledProcessError` if it fails, with status 255 if the machine cannot be reached.
        """
        process = self.Popen(cmd, stdout=subprocess.PIPE)
        output, _ = process.communicate()
        if process.returncode != 0:
            raise RemoteCalledProcessError(process.returncode, cmd, self.host, output=output)
        return output

    @contextlib.contextmanager
    def tunnel(self, local_port: int, remote_port: int | None = None, remote_host: str = "localhost") -> Iterator[None]:
        """Let ``localhost:local_port`` lead to ``remote_host:remote_port`` as the other machine sees it.

        The ports are equal unless ``remote_port`` is given. The tunnel lasts until the ``with`` ends.
        """
        route = "%s:%s:%s" % (local_port, remote_host, local_port if remote_port is None else remote_port)
        # The remote cat ends, and the tunnel with it, when its input is closed.
        process = self.Popen(
            ["-L", route, "-o", "ExitOnForwardFailure=yes", "echo -n ready && cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            ready = process.stdout.read(5)
            assert ready == b"ready", "Didn't get ready from remote echo"
            yield
        finally:
            process.communicate()
        assert process.returncode == 0, "Tunnel process did an unclean exit (returncode %s)" % process.returncode


def _word(path: str) -> str:
    r"""Return ``path`` so that the remote shell takes it for one word.

    ``~``, variables and wildcards keep their meaning, as they have it in Luigi. A path with a backslash or a quote has
    been prepared for the shell by its author and stays as it is.
    """
    return path if re.search(r"[\\'\"]", path) else re.sub(r"([\s;&|<>()`])", r"\\\1", path)


class RemoteFileSystem(FileSystem):
    """The files of another machine."""

    def __init__(self, host: str, **kwargs: Any) -> None:
        """Work on ``host``; the arguments are those of :class:`RemoteContext`."""
        self.remote_context = RemoteContext(host, **kwargs)

    def _holds(self, condition: str, path: str) -> bool:
        """Ask the program ``test``; its status 1 means no, everything else is an error."""
        try:
            self.remote_context.check_output(["test", condition, _word(path)])
        except subprocess.CalledProcessError as error:
            if error.returncode == 1:
                return False
            raise
        return True

    def exists(self, path: str) -> bool:
        """Return whether there is a file or directory at ``path``."""
        return self._holds("-e", path)

    def isdir(self, path: str) -> bool:
        """Return whether ``path`` is a directory."""
        return self._holds("-d", path)

    def listdir(self, path: str) -> list[str]:
        """Return the paths of all files below ``path``, links followed."""
        # What is below the root starts with a slash, what is below the login directory does not.
        top = path.rstrip("/") or ("/" if path else ".")
        found = self.remote_context.check_output(["find", "-L", _word(top), "-type", "f"])
        return found.decode("utf-8").splitlines()

    def remove(self, path: str, recursive: bool = True) -> None:  # type: ignore[override]
        """Delete the file at ``path``; a directory only if ``recursive``."""
        self.remote_context.check_output(["rm", *(["-r"] if recursive else []), _word(path)])

    def mkdir(self, path: str, parents: bool = True, raise_if_exists: bool = False) -> None:
        """Create the directory ``path``, with its parents if ``parents``.

        Raises :class:`~luigi.target.FileAlreadyExists`, :class:`~luigi.target.NotADirectory` and
        :class:`~luigi.target.MissingParentDirectory`.
        """
        if self.exists(path):
            if raise_if_exists:
                raise FileAlreadyExists()
            if not self.isdir(path):
                raise NotADirectory()
            return
        try:
            self.remote_context.check_output(["mkdir", *(["-p"] if parents else []), _word(path), "2>&1"])
        except subprocess.CalledProcessError as error:
            if b"no such file" in error.output.lower():
                raise MissingParentDirectory() from error
            raise

    def move(self, path: str, dest: str) -> None:
        """Rename ``path`` to ``dest``, whose directory is created if need be."""
        self._make_parent(dest)
        self.remote_context.check_output(["mv", _word(path), _word(dest)])

    def rename_dont_move(self, path: str, dest: str) -> None:
        """Rename ``path`` to ``dest``, or raise :class:`~luigi.target.FileAlreadyExists` if ``dest`` is there."""
        if self.exists(dest):
            raise FileAlreadyExists()
        self.move(path, dest)

    def _make_parent(self, path: str) -> None:
        """Create the directory of ``path``. Every command costs a login, so the usual case takes only one."""
        directory = posixpath.dirname(posixpath.normpath(path))
        if not directory:
            return
        try:
            self.remote_context.check_output(["mkdir", "-p", _word(directory), "2>&1"])
        except subprocess.CalledProcessError:
            # This raises what tells the reason best.
            self.mkdir(directory)

    def _scp(self, src: str, dest: str) -> None:
        context = self.remote_context
        cmd = [*context._program("scp"), "-q", "-C", *context._login_options()]
        if context.port:
            cmd += ["-P", str(context.port)]
        if os.path.isdir(src):
            cmd.append("-r")
        subprocess.run([*cmd, src, dest], check=True)

    def put(self, local_path: str, path: str) -> None:
        """Copy a local file or directory to ``path``, where it appears only when it is whole."""
        self._make_parent(path)
        arriving = path + temporary_suffix()
        try:
            self._scp(local_path, "%s:%s" % (self.remote_context._host_ref(), arriving))
            self.remote_context.check_output(["mv", _word(arriving), _word(path)])
        except BaseException:
            with contextlib.suppress(Exception):
                self.remote_context.check_output(["rm", "-rf", _word(arriving)])
            raise

    def get(self, path: str, local_path: str) -> None:
        """Copy ``path`` to the local file ``local_path``, which appears only when it is whole."""
        with arriving_whole(local_path) as arriving:
            self._scp("%s:%s" % (self.remote_context._host_ref(), path), arriving)


class AtomicRemoteFileWriter(OutputPipeProcessWrapper):
    """Streams to a file on another machine that gets its name when it is closed."""

    # Whether the temporary file may still be there.
    _unfinished = False

    def __init__(self, fs: RemoteFileSystem, path: str) -> None:
        """Write for ``path`` on the machine of ``fs``, whose directory is created if need be."""
        self._fs = fs
        self.path = path
        fs._make_parent(path)
        self.__tmp_path = path + temporary_suffix()
        super().__init__(fs.remote_context._prepare_cmd(["cat", ">", _word(self.__tmp_path)]))
        self._unfinished = True

    def close(self) -> None:
        """Finish the temporary file and rename it. A second call does nothing.

        Raises ``RuntimeError`` if not all of it arrived, :class:`RemoteCalledProcessError` if the renaming fails.
        """
        if not self._unfinished:
            return
        try:
            super().close()
            self.fs.remote_context.check_output(["mv", _word(self.__tmp_path), _word(self.path)])
            self._unfinished = False
        finally:
            self._clean_up()

    def abort(self) -> None:
        """Throw away what was written."""
        try:
            super().abort()
        finally:
            self._clean_up()

    def __del__(self) -> None:
        # An instance whose constructor failed has no process to end.
        if "_process" in self.__dict__:
            super().__del__()
            self._clean_up()

    def _clean_up(self) -> None:
        if not self._unfinished:
            return
        self._unfinished = False
        try:
            self.fs.remote_context.check_output(["rm", "-f", _word(self.__tmp_path)])
        except Exception:
            # This runs while another error is on its way, or at garbage collection: neither is to be replaced.
            logger.exception("Failed to delete in-flight file")

    @property
    def tmp_path(self) -> str:
        """The temporary file on the other machine."""
        return self.__tmp_path

    @property
    def fs(self) -> RemoteFileSystem:
        """The files of the other machine."""
        return self._fs


class RemoteTarget(FileSystemTarget):
    """A file on another machine, streamed when it is read or written."""

    def __init__(self, path: str, host: str, format: Any = None, **kwargs: Any) -> None:
        """Name the file ``path`` on ``host``; ``kwargs`` are those of :class:`RemoteContext`."""
        super().__init__(path)
        self.format = get_default_format() if format is None else format
        self._fs = RemoteFileSystem(host, **kwargs)

    @property
    def fs(self) -> RemoteFileSystem:
        """The files of the other machine."""
        return self._fs

    def open(self, mode: str = "r") -> Any:
        """Open the file for reading (``r``) or writing (``w``)."""
        if mode == "w":
            writer = AtomicRemoteFileWriter(self.fs, self.path)
            return self.format.pipe_writer(writer) if self.format else writer
        if mode == "r":
            command = self.fs.remote_context._prepare_cmd(["cat", _word(self.path)])
            reader = InputPipeProcessWrapper(command)
            return self.format.pipe_reader(reader) if self.format else reader
        raise Exception("mode must be 'r' or 'w' (got: %s)" % mode)

    def put(self, local_path: str) -> None:
        """Copy the local file ``local_path`` to this target."""
        self.fs.put(local_path, self.path)

    def get(self, local_path: str) -> None:
        """Copy this target to ``local_path``."""
        self.fs.get(self.path, local_path)
