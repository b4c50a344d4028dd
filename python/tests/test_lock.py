"""The lock on a command line."""

import hashlib
import os
import signal
import subprocess
import sys

import pytest

from luigi import lock


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Gives out the folder of the lock, and a way to say which processes run which command."""
    commands = {os.getpid(): "this command"}
    monkeypatch.setattr(lock, "getpcmd", lambda pid: commands.get(pid, "another command"))
    folder = str(tmp_path / "pids")

    def listed(*pids):
        os.makedirs(folder, exist_ok=True)
        commands.update(dict.fromkeys(pids, "this command"))
        lock._write_pids_file(lock.get_info(folder)[2], pids)
        return folder

    return listed


def test_the_command_line_of_a_process_is_read():
    process = subprocess.Popen([sys.executable, "-c", "input()", "à"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        # Until the new program has taken the place of the fork, the command line is this test's own.
        for _ in range(10_000):
            command = lock.getpcmd(process.pid)
            if command.endswith("à"):
                break
        assert command == f"{sys.executable} -c input() à"
    finally:
        process.communicate(b"\n", timeout=30)


def test_a_process_that_is_not_there_is_named_by_its_id():
    assert lock.getpcmd(2**22 + 1) == f"[PROCESS_WITH_PID={2**22 + 1}]"


def test_equal_command_lines_share_a_file(runs):
    folder = runs()
    pid, command, path = lock.get_info(folder)
    assert (pid, command) == (os.getpid(), "this command")
    assert path == os.path.join(folder, hashlib.md5(b"this command").hexdigest() + ".pid")
    assert lock.get_info(folder, my_pid=1)[2] != path


def test_a_free_lock_is_taken_in_a_private_folder(tmp_path):
    folder = str(tmp_path / "pids")
    assert lock.acquire_for(folder)
    assert os.stat(folder).st_mode & 0o777 == 0o700
    [name] = os.listdir(folder)
    assert lock._read_pids_file(os.path.join(folder, name)) == {os.getpid()}
    assert os.stat(os.path.join(folder, name)).st_mode & 0o777 == 0o777


def test_a_taken_lock_is_refused(runs, capsys):
    folder = runs(7)
    assert not lock.acquire_for(folder)
    assert capsys.readouterr().out == "Pid(s) {7} already running\n"
    assert lock._read_pids_file(lock.get_info(folder)[2]) == {7}


def test_a_lock_of_several_has_room(runs):
    assert lock.acquire_for(runs(7), num_available=2)
    assert not lock.acquire_for(runs(7, 8), num_available=2)


def test_processes_that_ended_or_do_something_else_are_forgotten(runs, monkeypatch):
    folder = runs(7)
    path = lock.get_info(folder)[2]
    with open(path, "a") as file:
        file.write("\n99\n")
    assert lock.acquire_for(folder, num_available=2)
    assert lock._read_pids_file(path) == {7, os.getpid()}


def test_taking_the_lock_signals_the_others_and_lets_one_more_in(runs, monkeypatch, capsys):
    signals = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    assert lock.acquire_for(runs(7), kill_signal=signal.SIGUSR1)
    assert signals == [(7, signal.SIGUSR1)]
    assert capsys.readouterr().out == "Sent kill signal to Pids: {7}\n"

    assert not lock.acquire_for(runs(7, 8), kill_signal=signal.SIGUSR1)
    assert 'There have (probably) been 1 other "--take-lock" process' in capsys.readouterr().out


def test_runs_that_start_together_do_not_all_get_the_lock(tmp_path):
    program = (
        "import sys; from luigi import lock; lock.getpcmd = lambda pid: 'one'; sys.stdin.read();"
        "print(lock.acquire_for(sys.argv[1]))"
    )
    command = [sys.executable, "-W", "ignore", "-c", program, str(tmp_path / "pids")]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    # They wait for the end of their input, and so begin at nearly the same time.
    for process in processes:
        process.stdin.close()
    answers = [process.stdout.read().splitlines()[-1] for process in processes]
    for process in processes:
        process.stdout.close()
        assert process.wait(30) == 0
    assert sorted(answers) == ["False", "False", "False", "True"]
