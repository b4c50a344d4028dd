"""Process groups for programs, so that each can be ended with all that it started.

Whoever runs a program may be killed without a word. So a little shell leads the group and watches over it: its
input is a pipe of the process that runs the program, which the system closes when that process goes, however it
goes. The program is in the group before it is anything else, so there is no moment in which nobody watches.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from typing import Any, Iterator

#: So long a program may clean up after SIGTERM. Whoever cancels the run waits five seconds.
GRACE_SECONDS = 3.0
_LOOK_SECONDS = 0.02

# Tests of pipelines put something else there, to see which program a task starts.
_POPEN = subprocess.Popen

# It outlives the signals that end the others, and goes when it is told that the program has ended. Where there is
# no /proc it cannot see whether it is alone, and leaves the others all the time that they may have.
_LEADER = """trap '' HUP INT QUIT TERM
others() {
    [ -r /proc/self/stat ] || return 0
    for stat in /proc/[0-9]*/stat; do
        read -r line < "$stat" || continue
        id=${line%% *}
        set -- ${line##*) }
        [ "$3" = $$ ] && [ "$id" != $$ ] && [ "$1" != Z ] && return 0
    done
    return 1
}
echo ready
read -r word && exit 0
kill -s TERM 0
for tenths in 1 1 1 2 2 4 4 5 10; do
    others || break
    sleep $((tenths / 10)).$((tenths % 10))
done
kill -s KILL 0"""


class ProgramGroup:
    """The group of one program."""

    def __init__(self, number: int) -> None:
        #: The number of the group, and of the process that leads it, which is none of the program's.
        self.number = number

    @property
    def options(self) -> dict[str, Any]:
        """What ``subprocess.Popen`` is told for a program that belongs to it."""
        return _joining(self.number)


@contextlib.contextmanager
def program_group() -> Iterator[ProgramGroup]:
    """A group that ends when this process goes while it is inside, or when an exception leaves it.

    Otherwise what the program has left behind goes on.
    """
    leader = _POPEN(
        ["/bin/sh", "-c", _LEADER, "luigi-watch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **_joining(0),
    )
    assert leader.stdin is not None and leader.stdout is not None
    try:
        # Before that word a signal would end it.
        with leader.stdout as said:
            if said.readline() != b"ready\n":
                raise OSError("/bin/sh does not watch over a program")
        yield ProgramGroup(leader.pid)
        with contextlib.suppress(OSError):
            leader.stdin.write(b"ended\n")
            leader.stdin.flush()
    finally:
        with contextlib.suppress(OSError):
            leader.stdin.close()
        leader.wait()


def _joining(group: int) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        return {"process_group": group}
    # The only way there was. A function of C: no code of Python's runs between fork and exec.
    return {"preexec_fn": functools.partial(os.setpgid, 0, group)}


def end_program(process: Any, watched: ProgramGroup | None = None) -> None:
    """Ends a running ``subprocess.Popen`` with all that it started: SIGTERM, and SIGKILL three seconds later.

    It may be called while the process is waited for, as a handler of signals is. Where there is no ``/proc`` what
    it started is found by its group alone.
    """
    pid = getattr(process, "pid", None)
    if not isinstance(pid, int) or process.poll() is not None:
        process.kill()
        return
    group, leader = (watched.number, {watched.number}) if watched else (pid if _is_leader(pid) else None, set())
    members = _members(pid, group) - leader
    _send(members, group, signal.SIGTERM)
    until = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < until:
        # What is started meanwhile belongs to it, too.
        members = {each for each in (members | _members(pid, group)) - leader if _is_running(each)}
        if not members:
            return
        time.sleep(_LOOK_SECONDS)
    _send(members, group, signal.SIGKILL)
    process.kill()


def _is_leader(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except OSError:
        return False


def _send(members: set[int], group: int | None, sent: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if group is not None:
            os.killpg(group, sent)
    for pid in members:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if group is None or os.getpgid(pid) != group:
                os.kill(pid, sent)


def _members(pid: int, group: int | None) -> set[int]:
    """The process, what it started, and all of its group, as far as they run."""
    table = _table()
    found = {each for each, (_, of_group, _) in table.items() if of_group == group}
    waiting = [pid, *found]
    found.add(pid)
    while waiting:
        parent = waiting.pop()
        below = [each for each, (of, _, _) in table.items() if of == parent and each not in found]
        found.update(below)
        waiting += below
    return found


def _is_running(pid: int) -> bool:
    """Whether it has not ended; one that nobody has waited for yet has."""
    entry = _read(pid)
    if entry is not None:
        return entry[2] not in "ZX"
    if os.path.isdir("/proc/self"):
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _table() -> dict[int, tuple[int, int, str]]:
    try:
        names = os.listdir("/proc")
    except OSError:
        return {}
    read = {int(name): _read(int(name)) for name in names if name.isdigit()}
    return {pid: entry for pid, entry in read.items() if entry is not None}


def _read(pid: int) -> tuple[int, int, str] | None:
    """Parent, group and state."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            # The program's name stands in brackets and may hold anything, brackets and blanks included.
            state, parent, group = stat.read().rpartition(b")")[2].split()[:3]
    except (OSError, ValueError):
        return None
    return int(parent), int(group), state.decode()
