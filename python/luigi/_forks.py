"""Processes that are forked for the run of one task each.

They are ``multiprocessing``'s, with less done around them: after a fork, each page of memory that the worker
or the process writes to has to be copied, and most of what a process of its own costs a task is that.
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import multiprocessing
import os
import sys
import threading
from multiprocessing import popen_fork, process, util
from typing import Any

from condotta import _engine

_process: Any = process
_util: Any = util


def start(task_process: Any) -> Any:
    """Starts a process in the way that ``multiprocessing`` is set to."""
    if multiprocessing.get_start_method() == "fork" and _tells_of_ends():
        return Fork(task_process)
    _engine.undisturbed(_start_otherwise, task_process)
    return task_process._popen


def _start_otherwise(task_process: Any) -> None:
    own = multiprocessing.Process._Popen(task_process)
    _note(task_process, own)


def _note(task_process: Any, own: Any) -> None:
    """Notes a process as ``multiprocessing`` does later: what a signal raises meanwhile must not leave it alone."""
    task_process._popen, task_process._sentinel = own, own.sentinel
    _process._children.add(task_process)


@functools.cache
def _tells_of_ends() -> bool:
    """Whether the system has files that tell when a process has ended."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


class _Shared:
    """What all processes that are forked from here use, and none has to make or to find out."""

    def __init__(self, task_process: Any) -> None:
        from luigi.worker import PLAIN_AFTER_FORK

        _engine.lighten_forks()
        _look_up_ahead()
        self.pid = os.getpid()
        self.nothing = os.open(os.devnull, os.O_RDONLY)
        sentinel = os.pidfd_open(self.pid)
        self.parent_sentinel = sentinel
        self.parent = _process._ParentProcess(task_process._parent_name, self.pid, sentinel)
        self.process_counter = itertools.count(1)
        self.children: set[Any] = set()
        self.main_thread = threading.main_thread()
        self.plain_after_fork = PLAIN_AFTER_FORK
        # The worker's standard input, if it is the terminal or whatever else was there from the start.
        self.terminal = sys.stdin if _is_first_file(sys.stdin) else None
        # It is left as it is if there is nothing to read.
        self.empty_input = self.terminal if _reads_nothing() else None
        try:
            self.stdin: Any = open(0, encoding="utf-8", closefd=False)
        except OSError:
            self.terminal = None


def _look_up_ahead() -> None:
    """Looks up what most runs look up when they write a file.

    Python notes what was looked up in a class. The first process to do so would have to copy the memory for the note.
    """
    from luigi.format import TextFormat, TextWrapper
    from luigi.local_target import LocalTarget, atomic_file

    methods = ("__init__", "__enter__", "__exit__", "__del__", "_finalizing", "close", "closed", "flush", "write")
    stream = (*methods, "_dealloc_warn", "fileno", "name", "readable", "seek", "seekable", "tell", "writable")
    atomic = ("_AtomicLocalFile__tmp_path", "_pending", "generate_tmp_path", "move_to_final_destination", "path")
    wrapper = ("_CHUNK_SIZE", "__getattr__", "__getattribute__", "_stream", "read1")
    looked_up: tuple[tuple[type, tuple[str, ...]], ...] = (
        (LocalTarget, ("__init__", "__del__", "_temporary_file", "format", "is_tmp", "makedirs", "open", "path")),
        (TextFormat, ("args", "kwargs", "pipe_writer", "wrapper_cls")),
        (TextWrapper, stream + wrapper),
        (atomic_file, stream + atomic),
        (io.FileIO, stream),
        (io.BufferedWriter, stream),
        (io.TextIOWrapper, stream + wrapper),
    )
    for kind, names in looked_up:
        for name in names:
            getattr(kind, name, None)


def _is_first_file(stream: Any) -> bool:
    try:
        return bool(stream.fileno() == 0)
    except (AttributeError, OSError, ValueError):  # Something else was put there.
        return False


def _reads_nothing() -> bool:
    """Whether the first file is the system's empty one."""
    try:
        return os.path.samestat(os.fstat(0), os.stat(os.devnull))
    except OSError:
        return False


_shared: _Shared | None = None


def _shared_from_here(task_process: Any) -> _Shared:
    global _shared
    if _shared is None or _shared.pid != task_process._parent_pid:
        _shared = _Shared(task_process)
    return _shared


class Fork(popen_fork.Popen):
    """What a ``multiprocessing.Process`` knows of the operating system's process."""

    def __init__(self, process_obj: Any) -> None:
        # What was printed before would be printed again. Nothing ends because nobody reads it.
        with contextlib.suppress(OSError):
            _util._flush_std_streams()
        self.returncode = None
        self.finalizer = None
        self._launch(process_obj)

    def _launch(self, process_obj: Any) -> None:
        _engine.undisturbed(self._fork, process_obj)

    def _fork(self, process_obj: Any) -> None:
        shared = _shared_from_here(process_obj)
        known = _IS_KNOWN and _function(process_obj._bootstrap) is _BOOTSTRAP
        plain = _function(process_obj._after_fork) is shared.plain_after_fork
        if known:
            self.pid = _engine.fork_run(process_obj, shared, plain)
        else:
            self.pid = _engine.fork()
            if self.pid == 0:
                code = 1
                try:
                    _engine.heed_signals()
                    code = _run_otherwise(process_obj, shared)
                finally:
                    os._exit(code)
        try:
            self.sentinel = os.pidfd_open(self.pid)
            self.file = _engine.OwnedFile(self.sentinel)
        except OSError:
            # No more files may be opened. The process would run on, and nobody would know of it.
            self.kill()
            self.wait()
            raise
        _note(process_obj, self)

    def close(self) -> None:
        """Closes the file that tells when the process has ended."""
        self.file.close()


def _function(method: Any) -> Any:
    return getattr(method, "__func__", None)


# What this module does in the place of ``BaseProcess._bootstrap`` is what that did up to these versions.
_IS_KNOWN = sys.version_info < (3, 14)
_BOOTSTRAP = _process.BaseProcess._bootstrap
_OF_PROCESS = _process.__dict__
_OF_UTIL = _util.__dict__


def _run_otherwise(own: Any, shared: _Shared) -> int:
    """Runs a process that has its own way to begin and to end. Returns the exit code."""
    kept = _OF_PROCESS["_current_process"], _OF_PROCESS["_children"], _OF_UTIL["_finalizer_registry"].copy()
    try:
        return int(own._bootstrap(parent_sentinel=shared.parent_sentinel))
    finally:
        del kept
