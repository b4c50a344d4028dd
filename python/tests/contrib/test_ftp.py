"""Files on an FTP server, with and without TLS, and on a real sshd by SFTP."""

import datetime
import ftplib
import gc
import os

import paramiko
import pysftp
import pytest
from processes import free_port

import luigi
from luigi.contrib.ftp import RemoteFileSystem, RemoteTarget
from luigi.target import FileAlreadyExists, MissingParentDirectory, NotADirectory

from .servers.ftp import PASSWORD, USER, ftp_server
from .servers.ssh import sshd

NOT_THERE = (OSError, ftplib.Error, paramiko.SSHException)


class Place:
    """A server: its files as this machine sees them, and how to make file systems and targets."""

    def __init__(self, folder, prefix, **arguments):
        self.folder = folder
        self.prefix = prefix
        self.arguments = arguments

    def path(self, name):
        return "%s/%s" % (self.prefix.rstrip("/"), name)

    def fs(self):
        return RemoteFileSystem("127.0.0.1", **self.arguments)

    def target(self, name, **kwargs):
        return RemoteTarget(self.path(name), "127.0.0.1", **self.arguments, **kwargs)


@pytest.fixture(scope="module")
def login(tmp_path_factory):
    with sshd(tmp_path_factory.mktemp("sshd")) as login:
        yield login


@pytest.fixture(params=["ftp", "ftps", "sftp"])
def place(request, tmp_path, tmp_path_factory):
    if request.param == "sftp":
        login = request.getfixturevalue("login")
        options = pysftp.CnOpts()
        options.hostkeys = None
        more = {"private_key": login.key_file, "cnopts": options}
        yield Place(
            tmp_path, str(tmp_path), sftp=True, port=login.port, username=login.username, pysftp_conn_kwargs=more
        )
        return
    tls = request.param == "ftps"
    with ftp_server(tmp_path, tmp_path_factory.mktemp("tls") if tls else None) as port:
        yield Place(tmp_path, "/", username=USER, password=PASSWORD, port=port, tls=tls)


@pytest.fixture
def ftp_place(tmp_path):
    with ftp_server(tmp_path) as port:
        yield Place(tmp_path, "/", username=USER, password=PASSWORD, port=port)


def names(folder):
    return sorted(
        os.path.relpath(os.path.join(top, name), folder) for top, _, found in os.walk(folder) for name in found
    )


def test_a_written_file_appears_when_it_is_whole(place, leftovers):
    target = place.target("new/folder/a.txt")
    assert not target.exists()
    with target.open("w") as out:
        out.write("one\ntwo\n")
        assert not target.exists()
    assert names(place.folder) == ["new/folder/a.txt"]
    assert (place.folder / "new/folder/a.txt").read_text() == "one\ntwo\n"
    with target.open("r") as back:
        assert list(back) == ["one\n", "two\n"]
    assert target.exists()
    del target, out, back
    gc.collect()
    assert leftovers() == []


def test_a_failing_with_leaves_nothing(place, leftovers):
    target = place.target("a.txt")
    with pytest.raises(ZeroDivisionError), target.open("w") as out:
        out.write("half")
        out.write(str(1 // 0))
    assert names(place.folder) == []
    assert leftovers() == []


def test_writing_again_replaces(place):
    target = place.target("a.txt")
    for text in ("first", "second"):
        with target.open("w") as out:
            out.write(text)
    assert (place.folder / "a.txt").read_text() == "second"
    assert names(place.folder) == ["a.txt"]


@pytest.mark.parametrize("file_format", [luigi.format.Nop, luigi.format.Gzip], ids=["nop", "gzip"])
def test_bytes_and_formats(place, file_format):
    content = bytes(range(256)) * 500
    target = place.target("a", format=file_format)
    with target.open("w") as out:
        out.write(content)
    with target.open("r") as back:
        assert back.read() == content


def test_local_files_go_and_come(place, tmp_path_factory):
    here = tmp_path_factory.mktemp("here")
    (here / "a").write_text("content")
    target = place.target("far/a")
    target.put(str(here / "a"))
    place.fs().put(str(here / "a"), place.path("far/direct"), atomic=False)
    assert names(place.folder) == ["far/a", "far/direct"]
    target.get(str(here / "new/back"))
    assert (here / "new/back").read_text() == "content"
    listed = {os.path.basename(name) for name in place.fs().listdir(place.path("far"))}
    assert listed == {"a", "direct"}


def test_failing_copies_leave_nothing(place, tmp_path_factory):
    here = tmp_path_factory.mktemp("here")
    target = place.target("far/a")
    with pytest.raises(OSError):
        target.put(str(here / "none"))
    with pytest.raises(NOT_THERE):
        target.get(str(here / "back"))
    assert names(place.folder) == []
    assert os.listdir(here) == []


def test_removing_files_and_trees(place):
    for name in ("a/b/one", "a/b/two", "a/three", "other"):
        (place.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (place.folder / name).write_text("x")
    (place.folder / "a/empty").mkdir()
    fs = place.fs()
    with pytest.raises((ftplib.Error, RuntimeError)):
        fs.remove(place.path("a"), recursive=False)
    fs.remove(place.path("a/three"), recursive=False)
    assert names(place.folder) == ["a/b/one", "a/b/two", "other"]
    fs.remove(place.path("a"))
    assert names(place.folder) == ["other"]
    assert not (place.folder / "a").exists()
    fs.remove(place.path("other"))
    with pytest.raises(NOT_THERE):
        fs.remove(place.path("other"))


def test_age_counts_if_asked_for(place):
    (place.folder / "a").write_text("x")
    noon = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.timezone.utc)
    os.utime(place.folder / "a", (noon.timestamp(), noon.timestamp()))
    hour = datetime.timedelta(hours=1)
    for older, newer in (
        (noon - hour, noon + hour),
        ((noon - hour).replace(tzinfo=None), (noon + hour).replace(tzinfo=None)),
    ):
        assert place.target("a", mtime=older).exists()
        assert not place.target("a", mtime=newer).exists()
    assert not place.target("none", mtime=noon).exists()
    if place.arguments.get("sftp"):
        assert place.target("a", mtime=noon.timestamp() - 1).exists()


def test_what_exists(place):
    (place.folder / "dir").mkdir()
    (place.folder / "dir/a").write_text("x")
    fs = place.fs()
    for name in ("dir", "dir/", "dir/a"):
        assert fs.exists(place.path(name)), name
    for name in ("none", "none/below/deep", "dir/b"):
        assert not fs.exists(place.path(name)), name
    assert fs.isdir(place.path("dir"))
    assert not fs.isdir(place.path("dir/a"))


def test_making_directories_and_moving(place):
    fs = place.fs()
    with pytest.raises(MissingParentDirectory):
        fs.mkdir(place.path("a/b"), parents=False)
    fs.mkdir(place.path("a/b"))
    fs.mkdir(place.path("a/b"))
    assert (place.folder / "a/b").is_dir()
    with pytest.raises(FileAlreadyExists):
        fs.mkdir(place.path("a/b"), raise_if_exists=True)
    (place.folder / "file").write_text("x")
    with pytest.raises(NotADirectory):
        fs.mkdir(place.path("file"))
    fs.move(place.path("file"), place.path("c/d/moved"))
    assert names(place.folder) == ["c/d/moved"]


def test_a_temporary_path_is_renamed(place, tmp_path_factory):
    here = tmp_path_factory.mktemp("here")
    (here / "a").write_text("content")
    target = place.target("out/a")
    with pytest.warns(UserWarning, match="atomic mv"), target.temporary_path() as path:
        target.fs.put(str(here / "a"), path)
        assert not target.exists()
    assert names(place.folder) == ["out/a"]


def test_a_relative_path_starts_where_the_login_does(ftp_place):
    with RemoteTarget("rel/a.txt", "127.0.0.1", **ftp_place.arguments).open("w") as out:
        out.write("x")
    with RemoteTarget("top.txt", "127.0.0.1", **ftp_place.arguments).open("w") as out:
        out.write("x")
    assert names(ftp_place.folder) == ["rel/a.txt", "top.txt"]
    assert RemoteTarget("rel/a.txt", "127.0.0.1", **ftp_place.arguments).exists()


def test_a_wrong_password_and_a_closed_port(ftp_place):
    with pytest.raises(ftplib.error_perm):
        RemoteTarget("/a", "127.0.0.1", **{**ftp_place.arguments, "password": "wrong"}).exists()
    with pytest.raises(OSError):
        RemoteTarget("/a", "127.0.0.1", **{**ftp_place.arguments, "port": free_port()}).exists()


def test_ports_and_modes():
    assert RemoteFileSystem("host").port == 21
    assert RemoteFileSystem("host", sftp=True).port == 22
    with pytest.raises(Exception, match="mode must be 'r' or 'w'"):
        RemoteTarget("/a", "host").open("a")
