"""What all targets on a file system share, and the local file that becomes one."""

import os
import warnings

import pytest

from luigi.target import AtomicLocalFile, FileAlreadyExists, FileSystem, FileSystemTarget, Target


class Names(FileSystem):
    """A file system that knows only which names there are."""

    def __init__(self):
        self.names = set()
        self.folders = []

    def exists(self, path):
        return path in self.names

    def remove(self, path, recursive=True, skip_trash=True):
        self.names.remove(path)

    def mkdir(self, path, parents=True, raise_if_exists=False):
        self.folders.append(path)

    def move(self, path, dest):
        self.names.remove(path)
        self.names.add(dest)


class NamedTarget(FileSystemTarget):
    fs = None

    def __init__(self, path, fs):
        super().__init__(path)
        self.fs = fs

    def open(self, mode):
        raise NotImplementedError


def test_a_target_must_say_whether_it_exists():
    with pytest.raises(TypeError, match="abstract"):
        Target()


def test_an_operation_that_a_file_system_lacks_names_itself_and_the_class():
    class Bare(FileSystem):
        def exists(self, path):
            return False

        def remove(self, path, recursive=True, skip_trash=True):
            pass

    calls = {"mkdir": ("a",), "isdir": ("a",), "listdir": ("a",), "move": ("a", "b"), "copy": ("a", "b")}
    for operation, arguments in calls.items():
        with pytest.raises(NotImplementedError) as failure:
            getattr(Bare(), operation)(*arguments)
        assert str(failure.value) == operation + "() not implemented on Bare"
    with pytest.raises(NotImplementedError, match=r"move\(\)"):
        Bare().rename("a", "b")


def test_renaming_without_support_warns_and_does_not_replace():
    fs = Names()
    fs.names = {"a", "b"}
    with pytest.warns(UserWarning, match="File system Names client doesn't support atomic mv"):
        with pytest.raises(FileAlreadyExists):
            fs.rename_dont_move("a", "b")
        fs.rename_dont_move("a", "c")
    assert fs.names == {"b", "c"}


def test_a_path_object_becomes_a_string(tmp_path):
    target = NamedTarget(tmp_path / "x", Names())
    assert target.path == str(target) == str(tmp_path / "x")


def test_existence_and_removal_are_the_file_systems_matter(caplog):
    fs = Names()
    fs.names = {"here"}
    assert NamedTarget("here", fs).exists() is True
    assert NamedTarget("there", fs).exists() is False
    assert caplog.text == ""
    NamedTarget("here", fs).remove()
    assert fs.names == set()


@pytest.mark.parametrize("path", ["a*", "a?", "a[0-9]", "a{b,c}"])
def test_a_pattern_in_a_path_is_warned_of(path, caplog):
    NamedTarget(path, Names()).exists()
    assert f"Using wildcards in path {path} might lead to processing of an incomplete dataset" in caplog.text


@pytest.mark.parametrize(
    ("path", "folder", "end"), [("/d/x.txt", "/d", ""), ("x", None, ""), ("/d/x/", "/d", "/"), ("C:\\d\\", None, "\\")]
)
def test_a_temporary_path_is_renamed_on_a_clean_exit(path, folder, end):
    fs = Names()
    target = NamedTarget(path, fs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with target.temporary_path() as temporary:
            stem, digits = temporary[: len(temporary) - len(end)].split("-luigi-tmp-")
            assert stem == path.rstrip("/\\")
            assert len(digits) == 10 and digits.isdigit()
            assert temporary.endswith(end)
            fs.names.add(temporary)
    assert fs.names == {path}
    assert fs.folders == ([folder] if folder else [])


def test_a_temporary_path_stays_after_an_exception():
    fs = Names()
    with pytest.raises(ValueError, match="broken"):
        with NamedTarget("x", fs).temporary_path() as temporary:
            fs.names.add(temporary)
            raise ValueError("broken")
    assert fs.names == {temporary}


class Uploaded(AtomicLocalFile):
    """Hands the finished file to a list, and leaves the temporary one to the base class."""

    def __init__(self, path, uploads):
        self.uploads = uploads
        super().__init__(path)

    def move_to_final_destination(self):
        with open(self.tmp_path, "rb") as file:
            self.uploads.append((self.path, file.read()))


def test_a_finished_file_is_handed_over_once_and_its_temporary_goes():
    uploads = []
    file = Uploaded("far/away", uploads)
    assert os.path.exists(file.tmp_path)
    with file:
        file.write(b"content")
    file.close()
    assert uploads == [("far/away", b"content")]
    assert not os.path.exists(file.tmp_path)


def test_a_failed_upload_is_raised_and_leaves_no_temporary():
    class Refused(Uploaded):
        def move_to_final_destination(self):
            raise ConnectionError("refused")

    file = Refused("far/away", [])
    file.write(b"content")
    with pytest.raises(ConnectionError):
        file.close()
    assert file.closed
    assert not os.path.exists(file.tmp_path)


def test_an_aborted_file_is_not_handed_over():
    uploads = []
    file = Uploaded("far/away", uploads)
    file.write(b"content")
    file.abort()
    file.close()
    assert uploads == []
    assert not os.path.exists(file.tmp_path)
