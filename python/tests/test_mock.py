"""Targets in memory."""

import multiprocessing

import pytest

import luigi.format
from luigi.mock import MockFileSystem, MockTarget


@pytest.fixture(autouse=True)
def nothing_in_memory():
    MockFileSystem().clear()
    yield
    MockFileSystem().clear()


def write(path, content="x"):
    with MockTarget(path).open("w") as file:
        file.write(content)


def test_what_is_written_can_be_read():
    target = MockTarget("a")
    with target.open("w") as file:
        file.write("é\n")
        assert not target.exists()
    assert target.exists()
    with target.open() as file:
        assert list(file) == ["é\n"]
    assert target.fs.get_data("a") == "é\n".encode()


def test_a_format_decides_what_goes_through():
    target = MockTarget("a", format=luigi.format.Nop)
    with target.open("wb") as file:
        file.write(b"\xff")
    with target.open("rb") as file:
        assert file.read() == b"\xff"


def test_an_exception_leaves_nothing():
    with pytest.raises(ZeroDivisionError):
        with MockTarget("a").open("w") as file:
            file.write("x")
            1 / 0
    assert not MockTarget("a").exists()
    del file
    assert not MockTarget("a").exists()


def test_a_mode_must_be_given_as_text():
    with pytest.raises(TypeError):
        MockTarget("a").open(None)
    with pytest.raises(KeyError):
        MockTarget("a").open("r")


def test_what_is_written_can_be_shown(capsys):
    with MockTarget("a", mirror_on_stderr=True).open("w") as file:
        file.write("one\ntwo\n")
    assert capsys.readouterr().err == "a: one\ntwo\n"


def test_all_file_systems_share_one_content():
    write("a")
    assert MockFileSystem().exists("a")
    assert MockTarget("a").exists()


def test_the_content_of_a_forked_process_is_seen():
    MockFileSystem().get_all_data()
    child = multiprocessing.get_context("fork").Process(target=write, args=("from the child",))
    child.start()
    child.join(30)
    assert MockTarget("from the child").exists()


def test_a_folder_is_a_prefix():
    for path in ("d/a", "d/b", "e"):
        write(path)
    fs = MockFileSystem()
    assert sorted(fs.listdir("d")) == ["d/a", "d/b"]
    assert fs.isdir("d") and not fs.isdir("f")
    fs.remove("d")
    assert fs.listdir("") == ["e"]
    fs.remove("e", recursive=False)
    with pytest.raises(KeyError):
        fs.remove("e", recursive=False)
    fs.mkdir("any")
    assert fs.listdir("") == []


def test_copies_and_moves():
    write("a", "content")
    fs = MockFileSystem()
    fs.copy("a", "b")
    MockTarget("a").move("c")
    assert sorted(fs.listdir("")) == ["b", "c"]
    MockTarget("c").rename("a")
    assert fs.get_data("a") == fs.get_data("b") == b"content"
    for operation in (fs.copy, fs.move):
        with pytest.raises(RuntimeError, match="Destination exists: a"):
            operation("a", "b", raise_if_exists=True)
        with pytest.raises(KeyError):
            operation("missing", "b")
    fs.move("a", "a")
    assert fs.get_data("a") == b"content"
