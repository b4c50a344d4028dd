"""Processes that are forked for the run of one task each.

They are ``multiprocessing``'s, with less done around them: after a fork, each page of memory that the worker
or the process writes to has to be copied, and most of what a process of its own costs a task is that.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import multiprocessing
import os
import sys
import threading
import traceback
from multiprocessing import popen_fork, process, util
from typing import Any

_process: Any = process
_util: Any = util


def start(task_process: Any) -> Any:
    """Starts a process in the way that ``multiprocessing`` is set to."""
    if multiprocessing.get_start_method() == "fork" and _tells_of_ends():
        return Fork(task_process)
    return multiprocessing.Process._Popen(task_process)


@functools.cache
def _tells_of_ends() -> bool:
    """Whether the system has files that tell when a process has ended."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


class _Shared:
    """What all processes that are forked from here use, and none has to make."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.parent_sentinel = os.pidfd_open(self.pid)
        self.nothing = os.open(os.devnull, os.O_RDONLY)
        try:
            self.stdin: Any = open(0, encoding="utf-8", closefd=False)
        except OSError:
            self.stdin = None


_shared: _Shared | None = None


def _shared_from_here() -> _Shared:
    global _shared
    if _shared is None or _shared.pid != os.getpid():
        _shared = _Shared()
    return _shared


class Fork(popen_fork.Popen):
    """What a ``multiprocessing.Process`` knows of the operating system's process."""

    sentinel = -1

    def _launch(self, process_obj: Any) -> None:
        shared = _shared_from_here()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                code = _run(process_obj, shared)
            finally:
                os._exit(code)
        try:
            self.sentinel = os.pidfd_open(self.pid)
        except OSError:
            # No more files may be opened. The process would run on, and nobody would know of it.
            self.kill()
            self.wait()
            raise

    def close(self) -> None:
        """Closes the file that tells when the process has ended."""
        if self.sentinel >= 0:
            os.close(self.sentinel)
            self.sentinel = -1

    def __del__(self) -> None:
        self.close()


def _run(own: Any, shared: _Shared) -> int:
    """Runs the process to its end. Returns the exit code."""
    # They are of no use here, but to free them would be to write all over the memory.
    kept = _process._current_process, _process._children, _util._finalizer_registry.copy()
    plain = sys.version_info < (3, 14) and type(own)._bootstrap.__module__ == _process.__name__
    try:
        return _bootstrap(own, shared) if plain else own._bootstrap(parent_sentinel=shared.parent_sentinel)
    finally:
        del kept


def _bootstrap(own: Any, shared: _Shared) -> int:
    """Does what ``BaseProcess._bootstrap`` does, in its order."""
    try:
        _process._process_counter = itertools.count(1)
        _process._children = set()
        _leave_stdin(shared)
        _process._current_process = own
        _process._parent_process = _process._ParentProcess(own._parent_name, own._parent_pid, shared.parent_sentinel)
        if sys.version_info >= (3, 13):
            atexit._clear()
            atexit.register(_util._exit_function)
        threading.main_thread()._set_native_id()  # type: ignore[attr-defined]
        own._after_fork()
        try:
            own.run()
            code = 0
        finally:
            # Nothing is left to do for a task that neither started processes nor used multiprocessing's files.
            if sys.version_info < (3, 13) and (_process._children or _util._finalizer_registry):
                _util._exit_function()
    except SystemExit as left:
        if left.code is None or isinstance(left.code, int):
            code = left.code or 0
        else:
            sys.stderr.write(f"{left.code}\n")
            code = 1
    except BaseException:
        code = 1
        sys.stderr.write(f"Process {own.name}:\n")
        traceback.print_exc()
    finally:
        if sys.version_info >= (3, 13):
            atexit._run_exitfuncs()
        threading._shutdown()  # type: ignore[attr-defined]
        _util._flush_std_streams()
    return code


def _leave_stdin(shared: _Shared) -> None:
    """Leaves the terminal to the worker."""
    try:
        is_shared = shared.stdin is not None and sys.stdin.fileno() == 0
    except (AttributeError, OSError, ValueError):  # Something else was put there.
        is_shared = False
    if is_shared:
        os.dup2(shared.nothing, 0)
        sys.stdin = shared.stdin
    else:
        _util._close_stdin()
