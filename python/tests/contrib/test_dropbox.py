"""Dropbox: its own client library against files in memory."""

import os

import dropbox
import pytest

import luigi
from luigi.contrib.dropbox import DropboxClient, DropboxTarget
from luigi.target import FileAlreadyExists, NotADirectory

from .servers.dropbox import Dropbox


@pytest.fixture
def box(monkeypatch):
    """The user's files."""
    box = Dropbox()
    monkeypatch.setattr(dropbox.dropbox_client, "create_session", box.session)
    return box


@pytest.fixture
def client(box):
    return DropboxClient("token")


def test_a_written_file_appears_when_it_is_whole(box, leftovers):
    target = DropboxTarget("/dir/a.txt", "token")
    assert str(target) == "/dir/a.txt"
    with target.open("w") as out:
        out.write("one\ntwo\n")
        assert not target.exists()
    assert box.files == {"/dir": None, "/dir/a.txt": b"one\ntwo\n"}
    with target.open("r") as back:
        assert list(back) == ["one\n", "two\n"]
    with target.open("r") as back:
        assert back.read() == "one\ntwo\n"
    back.close()
    assert leftovers() == []


def test_a_failing_with_leaves_nothing(box, leftovers):
    target = DropboxTarget("/a", "token")
    with pytest.raises(ZeroDivisionError), target.open("w") as out:
        out.write(str(1 // 0))
    with pytest.raises(ZeroDivisionError), target.temporary_path() as path:
        with open(path, "w") as out:
            out.write(str(1 // 0))
    assert box.files == {}
    assert leftovers() == []


@pytest.mark.parametrize("file_format", [luigi.format.Nop, luigi.format.Gzip], ids=["nop", "gzip"])
def test_bytes_and_formats(box, file_format):
    content = bytes(range(256)) * 100
    target = DropboxTarget("/a", "token", format=file_format)
    with target.open("w") as out:
        out.write(content)
    with target.open("r") as back:
        assert back.read() == content


def test_bytes_in_pieces_and_lines(box):
    box.files["/a"] = b"one\ntwo"
    target = DropboxTarget("/a", "token", format=luigi.format.Nop)
    with target.open("r") as back:
        assert (back.read(2), back.read()) == (b"on", b"e\ntwo")
    assert list(target.open("r")) == [b"one\n", b"two"]


@pytest.mark.parametrize(
    ("size", "appended"), [(0, 0), (3_999_999, 0), (4_000_000, 0), (8_000_000, 0), (8_000_001, 1), (13_000_000, 2)]
)
def test_uploads_in_chunks(client, box, tmp_path, size, appended):
    content = os.urandom(1000) * (size // 1000) + b"x" * (size % 1000)
    (tmp_path / "local").write_bytes(content)
    client.upload(str(tmp_path / "local"), "/a")
    assert box.files["/a"] == content
    assert box.requests.count("upload_session/append_v2") == appended
    assert client.download_as_bytes("/a") == content


def test_other_content_is_not_overwritten(box):
    box.files["/a"] = b"old"
    with pytest.raises(dropbox.exceptions.ApiError), DropboxTarget("/a", "token").open("w") as out:
        out.write("new")
    assert box.files["/a"] == b"old"


def test_a_temporary_path_is_uploaded(box, leftovers):
    with DropboxTarget("/dir/a.txt", "token").temporary_path() as path:
        assert path.endswith("a.txt")
        with open(path, "wb") as out:
            out.write(b"bytes")
    assert box.files["/dir/a.txt"] == b"bytes"
    assert leftovers() == []


def test_what_exists(client, box):
    box.files.update({"/dir": None, "/dir/a": b""})
    for path in ("/", "/dir", "/dir/", "/dir/a"):
        assert client.exists(path), path
    for path in ("/dir/a/", "/none", "/none/"):
        assert not client.exists(path), path
    assert client.isdir("/") and client.isdir("/dir") and client.isdir("/dir/")
    assert not client.isdir("/dir/a") and not client.isdir("/none") and not client.isdir("/none/")


def test_making_folders(client, box):
    client.mkdir("/a/b/")
    assert box.files == {"/a": None, "/a/b": None}
    client.mkdir("/a/b")
    with pytest.raises(FileAlreadyExists):
        client.mkdir("/a/b/", raise_if_exists=True)
    box.files["/file"] = b""
    for strict in (True, False):
        with pytest.raises(NotADirectory):
            client.mkdir("/file", raise_if_exists=strict)
    with pytest.raises(dropbox.exceptions.ApiError):
        client.mkdir("/new//")


def test_removing_moving_and_copying(client, box):
    box.files.update({"/dir": None, "/dir/a": b"1", "/dir/b": b"2"})
    assert client.remove("/dir/a") is True
    assert client.remove("/dir/a") is False
    client.copy("/dir/", "/copy")
    client.move("/dir", "/moved")
    assert box.files == {"/copy": None, "/copy/b": b"2", "/moved": None, "/moved/b": b"2"}
    assert client.remove("/copy/") is True
    assert sorted(box.files) == ["/moved", "/moved/b"]


def test_listing_in_pages(client, box, caplog):
    box.files.update({"/dir": None, "/dir/a": b"1", "/dir/b": None, "/dir/b/c": b"2"})
    everything = ["/dir", "/dir/a", "/dir/b", "/dir/b/c"]
    assert client.listdir("/dir") == everything
    assert "slash" not in caplog.text
    assert client.listdir("/dir/", limit=1) == everything
    assert "listdir() got the Dropbox path /dir/: leave out the slash" in caplog.text
    assert box.requests.count("list_folder/continue") == 3
    with pytest.raises(dropbox.exceptions.ApiError):
        client.listdir("/none")


def test_logging_in(box):
    for make in (DropboxClient, lambda token: DropboxTarget("/a", token)):
        with pytest.raises(ValueError, match="token"):
            make("")
    DropboxClient("the token", "Agent", root_namespace_id="77").exists("/a")
    headers = box.headers[-1]
    assert headers["Authorization"] == "Bearer the token"
    assert headers["User-Agent"].startswith("Agent/")
    assert '"77"' in headers["Dropbox-API-Path-Root"]
    with pytest.raises(ValueError, match="Unsupported open mode 'a'"):
        DropboxTarget("/a", "token").open("a")
