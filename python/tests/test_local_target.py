"""Local files as targets: whole or not at all, whatever happens while they are written."""

import errno
import gc
import io
import os

import pytest

import luigi.format
from luigi.local_target import LocalFileSystem, LocalTarget, atomic_file
from luigi.target import FileAlreadyExists, MissingParentDirectory, NotADirectory

FORMATS = {
    "text": (luigi.format.Text, "zeile\n"),
    "utf8": (luigi.format.UTF8, "我é\n"),
    "bytes": (luigi.format.Nop, b"\x00\xff"),
    "gzip": (luigi.format.Gzip, b"packed"),
    "text in bzip2": (luigi.format.UTF8 >> luigi.format.Bzip2, "ф"),
}


@pytest.fixture(params=FORMATS.values(), ids=FORMATS)
def written(request, tmp_path):
    """A target in a folder that is not there yet, and something to write to it."""
    format, content = request.param
    return LocalTarget(tmp_path / "new" / "folder" / "file", format=format), content


def left_behind(target):
    """The names in the target's folder."""
    return os.listdir(os.path.dirname(target.path))


def test_what_is_written_can_be_read(written):
    target, content = written
    assert not target.exists()
    with target.open("w") as file:
        file.write(content)
        assert not target.exists()
    assert target.exists()
    assert left_behind(target) == ["file"]
    with target.open("r") as file:
        assert file.read() == content
    with target.open() as file:
        assert list(file) == [content]


def test_an_exception_leaves_neither_output_nor_temporary_file(written):
    target, content = written
    with pytest.raises(ZeroDivisionError):
        with target.open("w") as file:
            file.write(content)
            1 / 0
    # The file object is still alive here: nothing waits for the garbage collector.
    assert file is not None
    assert left_behind(target) == []


def test_an_exception_keeps_the_older_output(written):
    target, content = written
    with target.open("w") as file:
        file.write(content)
    with pytest.raises(ZeroDivisionError):
        with target.open("w") as file:
            file.write(content * 2)
            1 / 0
    assert left_behind(target) == ["file"]
    with target.open() as file:
        assert file.read() == content


def test_a_forgotten_close_is_not_an_output(written):
    target, content = written
    file = target.open("w")
    file.write(content)
    del file
    gc.collect()
    assert left_behind(target) == []


def test_closing_twice_is_closing_once(written):
    target, content = written
    with target.open("w") as file:
        file.write(content)
        file.close()
    file.close()
    assert left_behind(target) == ["file"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no device that is always full")
@pytest.mark.parametrize("format", [luigi.format.Text, luigi.format.Nop], ids=["text", "bytes"])
def test_a_full_disk_is_an_error_and_not_an_output(format, tmp_path, monkeypatch):
    # The temporary file is a link to the device, so that writing to it fails as on a full disk.
    temporary = str(tmp_path / "temporary")
    os.symlink("/dev/full", temporary)
    monkeypatch.setattr(atomic_file, "generate_tmp_path", lambda self, path: temporary)
    target = LocalTarget(tmp_path / "out", format=format)
    with pytest.raises(OSError, match="No space left"):
        with target.open("w") as file:
            file.write("x" if format is luigi.format.Text else b"x")
    assert os.listdir(tmp_path) == []


def test_a_destination_that_can_not_be_replaced_leaves_no_temporary_file(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(OSError):
        with LocalTarget(tmp_path / "out").open("w") as file:
            file.write("x")
    assert os.listdir(tmp_path) == ["out"]


def test_the_temporary_file_stands_beside_the_target(tmp_path):
    target = LocalTarget(tmp_path / "out")
    with target.open("w") as file:
        assert file.tmp_path.startswith(target.path + "-luigi-tmp-")
        assert os.listdir(tmp_path) == [os.path.basename(file.tmp_path)]


def test_writers_of_one_target_do_not_share_a_temporary_file(tmp_path):
    target = LocalTarget(tmp_path / "out")
    first, second = target.open("w"), target.open("w")
    first.write("first")
    second.write("second")
    first.close()
    assert target.open().read() == "first"
    second.close()
    assert target.open().read() == "second"


def test_a_missing_folder_is_made_by_the_targets_own_method(tmp_path):
    class Private(LocalTarget):
        def makedirs(self):
            os.makedirs(os.path.dirname(self.path), mode=0o700)

    target = Private(tmp_path / "kept" / "out")
    target.open("w").close()
    assert os.stat(tmp_path / "kept").st_mode & 0o777 == 0o700


def test_a_folder_that_can_not_be_made_shows_when_the_file_is_opened(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        LocalTarget(tmp_path / "file" / "out").open("w")


@pytest.mark.parametrize("mode", ["r", "rb", "br", "rt"])
def test_bytes_or_text_is_not_the_modes_choice_in_reading(mode, tmp_path):
    (tmp_path / "x").write_text("text")
    with LocalTarget(tmp_path / "x").open(mode) as file:
        assert file.read() == "text"


@pytest.mark.parametrize("mode", ["w", "wb", "bw", "wt"])
def test_bytes_or_text_is_not_the_modes_choice_in_writing(mode, tmp_path):
    with LocalTarget(tmp_path / "x").open(mode) as file:
        file.write("text")
    assert (tmp_path / "x").read_text() == "text"


@pytest.mark.parametrize("mode", ["a", "r+", "w+", "x", ""])
def test_other_modes_are_refused(mode, tmp_path):
    with pytest.raises(Exception, match="mode must be 'r' or 'w'") as failure:
        LocalTarget(tmp_path / "x").open(mode)
    assert str(failure.value) == f"mode must be 'r' or 'w' (got: {mode})"


def test_reading_what_is_not_there_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        LocalTarget(tmp_path / "x").open("r")


def test_a_format_can_add_to_the_streams_it_is_given(tmp_path):
    class Marked(luigi.format.Format):
        def pipe_reader(self, input_pipe):
            input_pipe.mark = "read"
            return input_pipe

        def pipe_writer(self, output_pipe):
            output_pipe.mark = "written"
            return output_pipe

    target = LocalTarget(tmp_path / "x", format=Marked())
    with target.open("w") as file:
        assert file.mark == "written"
    with target.open("r") as file:
        assert file.mark == "read"


def test_a_temporary_target_goes_with_its_object():
    target = LocalTarget(is_tmp=True)
    target.open("w").close()
    path = target.path
    assert os.path.exists(path)
    del target
    gc.collect()
    assert not os.path.exists(path)


def test_a_target_needs_a_path_or_is_temporary():
    with pytest.raises(Exception, match="path or is_tmp must be set"):
        LocalTarget()


def test_the_old_name_of_the_path_is_deprecated():
    with pytest.warns(DeprecationWarning, match="Use LocalTarget.path"):
        assert LocalTarget("x").fn == "x"


def test_move_copy_and_remove(tmp_path):
    target = LocalTarget(tmp_path / "x")
    target.open("w").close()
    target.copy(str(tmp_path / "a" / "copy"))
    target.move(str(tmp_path / "b" / "moved"))
    assert sorted(LocalFileSystem().listdir(str(tmp_path))) == [str(tmp_path / "a/copy"), str(tmp_path / "b/moved")]
    LocalTarget(tmp_path / "a").remove()
    assert not (tmp_path / "a").exists()


def test_an_existing_destination_is_replaced_unless_that_is_forbidden(tmp_path):
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    target = LocalTarget(tmp_path / "new")
    with pytest.raises(RuntimeError, match="Destination exists"):
        target.copy(str(tmp_path / "old"), raise_if_exists=True)
    with pytest.raises(FileAlreadyExists, match="Destination exists"):
        target.move(str(tmp_path / "old"), raise_if_exists=True)
    with pytest.raises(FileAlreadyExists):
        target.fs.rename_dont_move(target.path, str(tmp_path / "old"))
    assert (tmp_path / "old").read_text() == "old"
    target.move(str(tmp_path / "old"))
    assert os.listdir(tmp_path) == ["old"]
    assert (tmp_path / "old").read_text() == "new"


def test_a_move_between_disks_copies_and_then_removes(tmp_path, monkeypatch):
    replace = os.replace

    def between_disks(source, dest):
        if source == str(tmp_path / "x"):
            raise OSError(errno.EXDEV, "other disk")
        replace(source, dest)

    monkeypatch.setattr(os, "replace", between_disks)
    (tmp_path / "x").write_text("content")
    LocalTarget(tmp_path / "x").move(str(tmp_path / "y"))
    assert os.listdir(tmp_path) == ["y"]
    assert (tmp_path / "y").read_text() == "content"


def test_a_copy_that_fails_leaves_the_destination_alone(tmp_path, monkeypatch):
    import shutil

    def half(source, dest):
        with open(dest, "w") as file:
            file.write("half")
        raise OSError("disk gone")

    monkeypatch.setattr(shutil, "copy", half)
    (tmp_path / "x").write_text("content")
    (tmp_path / "y").write_text("before")
    with pytest.raises(OSError, match="disk gone"):
        LocalTarget(tmp_path / "x").copy(str(tmp_path / "y"))
    assert sorted(os.listdir(tmp_path)) == ["x", "y"]
    assert (tmp_path / "y").read_text() == "before"


def test_a_copy_into_a_folder_keeps_the_name(tmp_path):
    (tmp_path / "x").write_text("content")
    (tmp_path / "folder").mkdir()
    LocalTarget(tmp_path / "x").copy(str(tmp_path / "folder"))
    assert (tmp_path / "folder" / "x").read_text() == "content"


def test_folders_are_made_and_told_apart_from_files(tmp_path):
    fs = LocalFileSystem()
    with pytest.raises(MissingParentDirectory):
        fs.mkdir(str(tmp_path / "a" / "b"), parents=False)
    fs.mkdir(str(tmp_path / "a" / "b"))
    fs.mkdir(str(tmp_path / "a" / "b"))
    assert fs.isdir(str(tmp_path / "a" / "b"))
    with pytest.raises(FileAlreadyExists):
        fs.mkdir(str(tmp_path / "a" / "b"), raise_if_exists=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectory):
        fs.mkdir(str(tmp_path / "file"))


def test_only_a_recursive_removal_takes_a_folder(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(OSError):
        LocalFileSystem().remove(str(tmp_path / "a"), recursive=False)
    LocalFileSystem().remove(str(tmp_path / "a"))
    assert os.listdir(tmp_path) == []


def test_bytes_may_be_written_below_the_text(tmp_path):
    with LocalTarget(tmp_path / "x").open("w") as file:
        assert isinstance(file, io.TextIOWrapper)
        file.buffer.write(b"bytes")
    assert (tmp_path / "x").read_bytes() == b"bytes"
