"""WebHDFS, client and targets, against a server that keeps files in a local directory."""

import datetime
import gc
import os

import hdfs as hdfs_package
import pytest

import luigi
from luigi import configuration
from luigi.contrib import hdfs
from luigi.contrib.hdfs.webhdfs_client import WebHdfsClient
from luigi.contrib.webhdfs import WebHdfsTarget
from luigi.target import FileAlreadyExists, MissingParentDirectory

from .servers.http import serve
from .servers.webhdfs import WebHdfsHandler


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "hdfs"
    folder.mkdir()
    return folder


@pytest.fixture
def owners():
    return {}


@pytest.fixture
def port(root, owners):
    with serve(WebHdfsHandler, root=root, owners=owners) as address:
        yield int(address.rsplit(":", 1)[1])


@pytest.fixture
def client(port):
    return WebHdfsClient(host="127.0.0.1", port=port, user="me")


def test_a_written_file_appears_when_it_is_whole(client, root):
    target = WebHdfsTarget("/new/folder/a.txt", client=client)
    with target.open("w") as out:
        out.write("one\ntwo\n")
        assert not target.exists()
    assert (root / "new/folder/a.txt").read_text() == "one\ntwo\n"
    assert os.listdir(root / "new/folder") == ["a.txt"]
    with target.open() as back:
        assert back.read() == "one\ntwo\n"
    with target.open() as back:
        assert list(back) == ["one\n", "two\n"]
    target.remove()
    assert not target.exists()


def test_a_failing_with_leaves_nothing(client, root, leftovers):
    with pytest.raises(ZeroDivisionError), WebHdfsTarget("/a", client=client).open("w") as out:
        out.write(str(1 // 0))
    assert os.listdir(root) == []
    assert leftovers() == []


def test_writing_again_replaces(client, root):
    for text in ("first", "second"):
        with WebHdfsTarget("/a", client=client).open("w") as out:
            out.write(text)
    assert (root / "a").read_text() == "second"
    assert os.listdir(root) == ["a"]


def test_a_failing_upload_keeps_what_was_there(client, root, monkeypatch):
    (root / "a").write_text("old")

    def fail(path, dest):
        raise OSError("the name node is gone")

    monkeypatch.setattr(client, "move", fail)
    with pytest.raises(OSError, match="name node"), WebHdfsTarget("/b", client=client).open("w") as out:
        out.write("new")
    assert os.listdir(root) == ["a"]


@pytest.mark.parametrize("file_format", [luigi.format.Nop, luigi.format.Gzip], ids=["nop", "gzip"])
def test_bytes_and_formats(client, file_format):
    content = bytes(range(256)) * 1000
    target = WebHdfsTarget("/a", client=client, format=file_format)
    with target.open("w") as out:
        out.write(content)
    with target.open() as back:
        assert back.read() == content


def test_lines_and_pieces(client, root):
    (root / "a").write_text("one\ntwo\nlast")
    plain = WebHdfsTarget("/a", client=client, format=luigi.format.Nop)
    assert list(plain.open()) == [b"one", b"two", b"last"]
    assert list(plain.open().readlines("w")) == [b"one\nt", b"o\nlast"]
    with plain.open() as back:
        assert (back.read(3), back.read()) == (b"one", b"\ntwo\nlast")
    with client.read("/a", buffer_char="\n") as lines:
        assert list(lines) == ["one", "two", "last"]
    with client.read("/a", offset=4, length=5, chunk_size=2) as pieces:
        assert list(pieces) == [b"tw", b"o\n", b"l"]


def test_an_unread_file_is_closed_quietly(client):
    back = WebHdfsTarget("/none", client=client, format=luigi.format.Nop).open()
    with pytest.raises(hdfs_package.HdfsError):
        back.read()
    back.close()
    del back
    gc.collect()


def test_modes():
    target = WebHdfsTarget("/a", client=WebHdfsClient(host="127.0.0.1", user="me"))
    with pytest.raises(ValueError, match="Unsupported open mode 'a'"):
        target.open("a")


def test_moving_and_removing(client, root):
    client.put(__file__, "/from/a")
    client.move("/from/a", "/to/deep/b")
    assert (root / "to/deep/b").exists()
    client.rename("/to/deep/b", "/b")
    with pytest.raises(FileAlreadyExists), pytest.warns(UserWarning, match="atomic mv"):
        client.rename_dont_move("/b", "/to")
    with pytest.raises(AssertionError, match="skip_trash"):
        client.remove("/b")
    with pytest.raises(hdfs_package.HdfsError):
        client.remove("/to", recursive=False, skip_trash=True)
    assert client.remove("/to", skip_trash=True) is True
    assert client.remove("/to", skip_trash=True) is False
    assert os.listdir(root) == ["b", "from"] or os.listdir(root) == ["from", "b"]


def test_directories(client, root):
    client.mkdir("/a/b", mode=0o700)
    assert (root / "a/b").stat().st_mode & 0o777 == 0o700
    client.mkdir("/a/b")
    with pytest.raises(FileAlreadyExists):
        client.mkdir("/a/b", raise_if_exists=True)
    with pytest.raises(MissingParentDirectory):
        client.mkdir("/none/b", parents=False)
    assert client.isdir("/a") and client.exists("/a/b")
    assert not client.isdir("/none") and not client.exists("/none")


def test_listing(client, root):
    (root / "d/e").mkdir(parents=True)
    (root / "d/e/deep").write_text("123")
    (root / "d/a").write_text("12")
    changed = datetime.datetime(2024, 5, 1, 12)
    os.utime(root / "d/a", (changed.timestamp(), changed.timestamp()))
    assert client.listdir("/d") == ["a", "e"]
    assert client.listdir("/d", ignore_directories=True, include_size=True) == [("a", 2)]
    assert client.listdir("/d", ignore_files=True, include_type=True) == [("e", "d")]
    assert client.listdir("/d", recursive=True, include_type=True) == [("a", "-"), ("e", "d"), ("e/deep", "-")]
    assert client.listdir("/d", ignore_directories=True, include_time=True) == [("a", changed)]
    assert [top for top, _, _ in client.walk("/d", depth=0)] == ["/d", "/d/e"]
    assert client.count("/d") == {"content_size": 5, "dir_count": 2, "file_count": 2}


def test_permissions_and_owners(client, root, owners):
    (root / "d").mkdir()
    (root / "d/a").write_text("x")
    client.chmod("/d", "750")
    client.chmod("/d", "700", recursive=True)
    assert (root / "d/a").stat().st_mode & 0o777 == 0o700
    client.chown("/d", "you", None, recursive=True)
    assert {name: owner for name, (owner, _) in owners.items()} == {"/d": "you", "/d/a": "you"}
    with pytest.raises(NotImplementedError, match="cannot copy"):
        client.copy("/d/a", "/b")


def test_files_go_and_come(client, root, tmp_path):
    (tmp_path / "local").write_text("content")
    client.put(str(tmp_path / "local"), "/far/a")
    assert (root / "far/a").read_text() == "content"
    client.get("/far/a", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "content"
    client.touchz("/far/empty")
    assert (root / "far/empty").read_bytes() == b""
    with pytest.raises(hdfs_package.HdfsError):
        client.touchz("/far/a")
    assert (root / "far/a").read_text() == "content"


def test_settings(port, monkeypatch):
    parser = configuration.LuigiConfigParser()
    for section, options in {
        "hdfs": {"client": "webhdfs", "namenode_host": "127.0.0.1", "user": "her"},
        "webhdfs": {"port": str(port)},
    }.items():
        parser.add_section(section)
        for name, value in options.items():
            parser.set(section, name, value)
    monkeypatch.setattr(configuration.LuigiConfigParser, "_instance", parser)
    cache = type("Cache", (), {})()
    client = hdfs.get_autoconfig_client(cache)
    assert type(client) is WebHdfsClient
    assert (client.user, client.client_type) == ("her", "insecure")
    assert client.url == "http://127.0.0.1:%d" % port
    assert isinstance(client.client, hdfs_package.InsecureClient)
    assert not client.exists("/none")
    target = hdfs.HdfsTarget("/none", fs=client)
    assert not target.exists()
    assert WebHdfsClient(host="a;b", port=1, user="me").url == "http://a:1;http://b:1"


def test_a_missing_host_is_said(monkeypatch):
    monkeypatch.setattr(configuration.LuigiConfigParser, "_instance", configuration.LuigiConfigParser())
    with pytest.raises(ValueError, match="namenode_host"):
        WebHdfsClient(user="me").exists("/a")
