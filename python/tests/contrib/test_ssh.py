"""Commands, files and tunnels through a real sshd."""

import contextlib
import gc
import getpass
import os
import socket
import subprocess
import sys
import threading

import pytest
from processes import free_port

import luigi
from luigi.contrib.ssh import RemoteCalledProcessError, RemoteContext, RemoteFileSystem, RemoteTarget
from luigi.target import FileAlreadyExists, MissingParentDirectory, NotADirectory

from .servers.ssh import sshd


@pytest.fixture(scope="module")
def login(tmp_path_factory):
    with sshd(tmp_path_factory.mktemp("sshd")) as login:
        yield login


@pytest.fixture
def context(login):
    return RemoteContext("127.0.0.1", **login.arguments())


@pytest.fixture
def fs(login):
    return RemoteFileSystem("127.0.0.1", **login.arguments())


@pytest.fixture
def target_at(login):
    def make(path, **kwargs):
        return RemoteTarget(str(path), "127.0.0.1", **login.arguments(), **kwargs)

    return make


def test_output_of_a_command(context):
    assert context.check_output(["echo", "-n", "a", "b"]) == b"a b"
    # The other machine's shell reads the words.
    assert context.check_output(["echo one; echo two | tr a-z A-Z"]) == b"one\nTWO\n"


def test_a_failing_command_says_where(context):
    with pytest.raises(RemoteCalledProcessError) as caught:
        context.check_output(["echo", "partly;", "exit", "3"])
    assert (caught.value.returncode, caught.value.host, caught.value.output) == (3, "127.0.0.1", b"partly\n")
    assert "on host 127.0.0.1 returned non-zero exit status 3" in str(caught.value)


def test_a_host_that_is_not_there():
    context = RemoteContext("127.0.0.1", port=free_port(), connect_timeout=5)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        context.check_output(["true"])
    assert caught.value.returncode == 255


def test_the_local_command_carries_every_option():
    plain = RemoteContext("host")
    assert plain._prepare_cmd(["ls"]) == ["ssh", "host", "-o", "ControlMaster=no", "-o", "BatchMode=yes", "ls"]
    full = RemoteContext(
        "host",
        username="me",
        key_file="/key",
        connect_timeout=7,
        port=2222,
        no_host_key_check=True,
        sshpass=True,
        tty=True,
    )
    command = full._prepare_cmd(["ls", "-l"])
    assert command[:4] == ["sshpass", "-e", "ssh", "me@host"]
    assert command[-2:] == ["ls", "-l"]
    for pair in (["-p", "2222"], ["-i", "/key"], ["-o", "ConnectTimeout=7"], ["-o", "StrictHostKeyChecking=no"]):
        assert pair[1] in command and command[command.index(pair[1]) - 1] == pair[0]
    assert "-t" in command
    assert "BatchMode=yes" not in command


def test_contexts_with_equal_settings_are_equal():
    first, same, other = (RemoteContext("host", port=port) for port in (1, 1, 2))
    assert first == same and hash(first) == hash(same)
    assert first != other
    assert repr(first) == "RemoteContext('host', None, None, None, 1)"


def test_a_tunnel_leads_to_the_other_side(context):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)

        def greet():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"hello")

        thread = threading.Thread(target=greet)
        thread.start()
        local_port = free_port()
        with context.tunnel(local_port, listener.getsockname()[1], "127.0.0.1"):
            with socket.create_connection(("127.0.0.1", local_port), timeout=20) as connection:
                assert connection.recv(5) == b"hello"
        thread.join(timeout=20)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", local_port), timeout=2)


def test_a_tunnel_ends_with_an_error_inside(context):
    local_port = free_port()
    with pytest.raises(ZeroDivisionError), context.tunnel(local_port, 9, "127.0.0.1"):
        1 // 0  # noqa: B018
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", local_port), timeout=2)


def test_a_written_file_appears_when_it_is_whole(target_at, tmp_path):
    target = target_at(tmp_path / "new" / "folder" / "a.txt")
    with target.open("w") as out:
        out.write("one\ntwo\n")
        out.flush()
        assert not target.exists()
        assert target.fs.exists(out.tmp_path)
    assert (tmp_path / "new" / "folder" / "a.txt").read_text() == "one\ntwo\n"
    assert os.listdir(tmp_path / "new" / "folder") == ["a.txt"]
    with target.open("r") as back:
        assert list(back) == ["one\n", "two\n"]


def test_a_failing_with_leaves_nothing(target_at, tmp_path):
    target = target_at(tmp_path / "a.txt")
    with pytest.raises(ZeroDivisionError), target.open("w") as out:
        out.write("half")
        out.write(str(1 // 0))
    assert os.listdir(tmp_path) == []
    out = target.open("w")
    out.write("half")
    del out
    gc.collect()
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_written_is_an_error(target_at, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotADirectory):
        target_at(tmp_path / "file" / "a.txt").open("w")
    (tmp_path / "folder").mkdir()
    target = target_at(tmp_path / "folder" / "a.txt")
    out = target.open("w")
    (tmp_path / "folder").rename(tmp_path / "gone")
    with pytest.raises((RuntimeError, RemoteCalledProcessError)):
        out.close()
    assert not target.exists()


@pytest.mark.parametrize("file_format", [luigi.format.Nop, luigi.format.Gzip], ids=["nop", "gzip"])
def test_bytes_and_formats(target_at, tmp_path, file_format):
    target = target_at(tmp_path / "a", format=file_format)
    content = bytes(range(256)) * 1000
    with target.open("w") as out:
        out.write(content)
    with target.open("r") as back:
        assert back.read() == content


def test_reading_what_is_not_there(target_at, tmp_path):
    with pytest.raises(RuntimeError, match="non-zero exit status"), target_at(tmp_path / "none").open("r") as back:
        assert back.read() == ""
    with pytest.raises(Exception, match="mode must be 'r' or 'w'"):
        target_at(tmp_path / "none").open("a")


def test_a_name_that_a_shell_would_take_apart(target_at, tmp_path):
    name = "two words; touch b & (c) > d `e`"
    target = target_at(tmp_path / name)
    with target.open("w") as out:
        out.write(name)
    assert (tmp_path / name).read_text() == name
    assert target.exists()
    with target.open("r") as back:
        assert back.read() == name
    target.remove()
    assert os.listdir(tmp_path) == []


def test_the_shell_still_expands_a_tilde_and_escapes(fs, tmp_path):
    assert fs.isdir("~")
    (tmp_path / "two words").mkdir()
    assert fs.isdir(str(tmp_path / r"two\ words"))
    assert fs.isdir("'%s'" % (tmp_path / "two words"))


def test_directories(fs, tmp_path):
    path = str(tmp_path / "a" / "b")
    assert not fs.isdir(path)
    with pytest.raises(MissingParentDirectory):
        fs.mkdir(path, parents=False)
    fs.mkdir(path)
    fs.mkdir(path)
    assert fs.isdir(path) and fs.exists(path)
    with pytest.raises(FileAlreadyExists):
        fs.mkdir(path, raise_if_exists=True)
    for name in ("a/one", "a/b/two"):
        (tmp_path / name).write_text("x")
    files = [str(tmp_path / "a" / "b" / "two"), str(tmp_path / "a" / "one")]
    assert sorted(fs.listdir(str(tmp_path / "a") + "/")) == files
    with pytest.raises(RemoteCalledProcessError):
        fs.remove(path, recursive=False)
    fs.remove(path)
    assert not fs.exists(path)


def test_moving(fs, target_at, tmp_path):
    (tmp_path / "a").write_text("x")
    fs.move(str(tmp_path / "a"), str(tmp_path / "new" / "b"))
    assert (tmp_path / "new" / "b").read_text() == "x"
    (tmp_path / "a").write_text("y")
    with pytest.raises(FileAlreadyExists):
        fs.rename_dont_move(str(tmp_path / "a"), str(tmp_path / "new"))
    with target_at(tmp_path / "t" / "c").temporary_path() as path:
        fs.remote_context.check_output(["echo", "-n", "z", ">", path])
    assert (tmp_path / "t" / "c").read_text() == "z"


def test_whole_files_and_folders_are_copied(target_at, fs, tmp_path):
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "a").write_text("content")
    target = target_at(tmp_path / "far" / "a")
    target.put(str(tmp_path / "local" / "a"))
    assert os.listdir(tmp_path / "far") == ["a"]
    target.get(str(tmp_path / "back" / "a"))
    assert (tmp_path / "back" / "a").read_text() == "content"
    fs.put(str(tmp_path / "local"), str(tmp_path / "folder"))
    assert (tmp_path / "folder" / "a").read_text() == "content"


def test_failing_copies_leave_nothing(target_at, tmp_path):
    target = target_at(tmp_path / "a")
    for copy in (target.put, target.get):
        with pytest.raises(subprocess.CalledProcessError):
            copy(str(tmp_path / "none"))
    assert os.listdir(tmp_path) == []


def test_a_pipeline_over_ssh(target_at, tmp_path):
    class Far(luigi.Task):
        def output(self):
            return target_at(tmp_path / "out" / "far.txt")

        def run(self):
            with self.output().open("w") as out:
                out.write("done by %s" % getpass.getuser())

    assert luigi.build([Far()], local_scheduler=True)
    assert (tmp_path / "out" / "far.txt").read_text() == "done by %s" % getpass.getuser()


def test_a_killed_writer_leaves_no_output(login, tmp_path):
    program = (
        "import os, sys\n"
        "from luigi.contrib.ssh import RemoteTarget\n"
        "out = RemoteTarget(sys.argv[1], '127.0.0.1', **eval(sys.argv[2])).open('w')\n"
        "out.write('half'); out.flush(); os.kill(os.getpid(), 9)\n"
    )
    path = tmp_path / "a.txt"
    with contextlib.closing(open(os.devnull, "wb")) as nowhere:
        done = subprocess.run(
            [sys.executable, "-c", program, str(path), repr(login.arguments())], stderr=nowhere, timeout=60
        )
    assert done.returncode == -9
    assert not path.exists()
