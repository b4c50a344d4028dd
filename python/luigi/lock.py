"""Keeps one command line from running twice at the same time on a machine.

A file per command line, in a folder that the runs share, lists the process ids of the runs.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

try:
    from _md5 import md5  # OpenSSL's would be in the memory of all that is forked from here
except ImportError:
    from hashlib import md5

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def getpcmd(pid: int) -> str:
    """The command line of a process, or `[PROCESS_WITH_PID=<pid>]` where it cannot be read."""
    if os.name == "nt":
        command = _command_on_windows(pid)
    elif sys.platform == "darwin":
        command = _command_on_macos(pid)
    else:
        command = _command_from_proc(pid)
    return f"[PROCESS_WITH_PID={pid}]" if command is None else command


def _command_from_proc(pid: int) -> str | None:
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read().replace("\0", " ").rstrip()
    except OSError:
        return None  # No such process, or one that this user may not look at.


def _command_on_windows(pid: int) -> str | None:
    with os.popen("wmic path win32_process where ProcessID=%s get Commandline 2> nul" % pid) as pipe:
        lines = [line for line in pipe if line.strip()]
    return lines[1] if len(lines) > 1 else None


def _command_on_macos(pid: int) -> str | None:
    import subprocess

    answer = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], stdout=subprocess.PIPE, text=True)
    return answer.stdout.strip() or None


def get_info(pid_dir: str, my_pid: int | None = None) -> tuple[int, str, str]:
    """The id of a process (this one by default), its command line, and the file that lists its runs."""
    if my_pid is None:
        my_pid = os.getpid()
    command = getpcmd(my_pid)
    digest = md5(command.encode("utf8"), usedforsecurity=False).hexdigest()
    return my_pid, command, os.path.join(pid_dir, digest + ".pid")


def acquire_for(pid_dir: str, num_available: int = 1, kill_signal: int | None = None) -> bool:
    """Enters this process into the list of its command line; false if `num_available` runs are there.

    With `kill_signal`, the other runs are sent that signal first and one run more is let in, so that
    it can start while they end. Other arguments make another command line, which is not held up.
    """
    my_pid, my_command, pid_file = get_info(pid_dir)
    _make_private_folder(pid_dir)
    with _exclusive(pid_file):
        # A listed process that runs something else has only got the id of one that ended.
        running = {pid for pid in _read_pids_file(pid_file) if getpcmd(pid) == my_command}
        if kill_signal is not None:
            for pid in running:
                os.kill(pid, kill_signal)
            print(f"Sent kill signal to Pids: {running}")
            num_available += 1
        if len(running) >= num_available:
            print(f"Pid(s) {running} already running")
            if kill_signal is not None:
                print(
                    'Note: There have (probably) been 1 other "--take-lock" process which continued to run! '
                    "Probably no need to run this one as well."
                )
            return False
        _write_pids_file(pid_file, running | {my_pid})
    return True


def _make_private_folder(path: str) -> None:
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    os.chmod(path, 0o700)


@contextlib.contextmanager
def _exclusive(pid_file: str) -> Iterator[None]:
    """Keeps other runs from reading the list until this one has written it, where the system can."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(pid_file, "a") as file:
        with contextlib.suppress(OSError):  # Some network file systems have no locks.
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read_pids_file(pid_file: str) -> set[int]:
    try:
        with open(pid_file) as file:
            return {int(line) for line in file if line.strip()}
    except FileNotFoundError:
        return set()


def _write_pids_file(pid_file: str, pids_set: Iterable[int]) -> None:
    with open(pid_file, "w") as file:
        file.writelines(f"{pid}\n" for pid in pids_set)
    if os.name != "nt":
        # Whoever may enter the folder may also take part in the lock.
        status = os.stat(pid_file)
        if status.st_uid == os.getuid():
            os.chmod(pid_file, status.st_mode | 0o777)
