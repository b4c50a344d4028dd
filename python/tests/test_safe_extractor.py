"""Archives that would write outside their folder are refused."""

import io
import os
import tarfile
import warnings

import pytest

from luigi.safe_extractor import SafeExtractor


def archive(path, *members):
    """Writes an archive of files; a pair is a symbolic link and where it points to."""
    with tarfile.open(path, "w") as tar:
        for member in members:
            name, link = member if isinstance(member, tuple) else (member, None)
            info = tarfile.TarInfo(name)
            if link is None:
                info.size = len(b"content")
                tar.addfile(info, io.BytesIO(b"content"))
            else:
                info.type, info.linkname = tarfile.SYMTYPE, link
                tar.addfile(info)
    return str(path)


@pytest.fixture(autouse=True)
def ignore_the_missing_filter():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def test_an_honest_archive_is_unpacked(tmp_path):
    path = archive(tmp_path / "x.tar", "a", "d/b", ("d/link", "../a"))
    SafeExtractor(str(tmp_path / "out")).safe_extract(path)
    assert (tmp_path / "out" / "d" / "b").read_bytes() == b"content"
    assert (tmp_path / "out" / "d" / "link").read_bytes() == b"content"


def test_only_some_members_can_be_unpacked(tmp_path):
    path = archive(tmp_path / "x.tar", "a", "b")
    with tarfile.open(path) as tar:
        wanted = [tar.getmember("b")]
    SafeExtractor(str(tmp_path / "out")).safe_extract(path, members=wanted)
    assert os.listdir(tmp_path / "out") == ["b"]


@pytest.mark.parametrize(
    "member", ["../a", "d/../../a", "/tmp/a", "../out-beside/a", ("link", "../.."), ("d/link", "/etc")]
)
def test_an_archive_that_leaves_its_folder_is_refused_as_a_whole(member, tmp_path):
    path = archive(tmp_path / "x.tar", "good", member)
    with pytest.raises(RuntimeError, match="Attempted Path Traversal in Tar File"):
        SafeExtractor(str(tmp_path / "out")).safe_extract(path)
    assert os.listdir(tmp_path) == ["x.tar"]


def test_a_folder_whose_name_begins_alike_is_outside():
    assert SafeExtractor._is_within_directory("/data/out", "/data/out/a")
    assert SafeExtractor._is_within_directory("/data/out", "/data/out")
    assert not SafeExtractor._is_within_directory("/data/out", "/data/outside/a")
