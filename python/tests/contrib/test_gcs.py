"""Google Cloud Storage: Google's own client library against a server in memory."""

import gc
import os

import googleapiclient.errors
import httplib2
import pytest
from google.auth.credentials import AnonymousCredentials

import luigi
from luigi.contrib import gcs
from luigi.contrib.gcs import GCSClient, GCSFlagTarget, GCSTarget, InvalidDeleteException
from luigi.target import FileAlreadyExists, NotADirectory

from .servers.gcs import GcsHandler, Store, descriptor
from .servers.http import serve


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def client(store, monkeypatch):
    with serve(GcsHandler, store=store) as address:
        monkeypatch.setattr(gcs, "GCS_BATCH_URI", address + "/batch/storage/v1")
        yield GCSClient(AnonymousCredentials(), descriptor(address))


@pytest.fixture
def naps(monkeypatch):
    """The seconds that would have been slept between attempts."""
    taken = []
    monkeypatch.setattr(gcs.time, "sleep", taken.append)
    return taken


def names(store):
    return sorted(name for _, name in store.objects)


def test_a_written_object_appears_when_it_is_whole(client, store, leftovers):
    target = GCSTarget("gs://store/dir/a.txt", client=client)
    with target.open("w") as out:
        out.write("one\ntwo\n")
        assert not target.exists()
    assert store.objects == {("store", "dir/a.txt"): b"one\ntwo\n"}
    assert store.types == {("store", "dir/a.txt"): "text/plain"}
    with target.open() as back:
        assert list(back) == ["one\n", "two\n"]
    with target.open() as back:
        assert back.read() == "one\ntwo\n"
    back.close()
    assert leftovers() == []


def test_a_failing_with_leaves_nothing(client, store, leftovers):
    with pytest.raises(ZeroDivisionError), GCSTarget("gs://store/a", client=client).open("w") as out:
        out.write(str(1 // 0))
    out = GCSTarget("gs://store/a", client=client).open("w")
    out.write("half")
    del out
    gc.collect()
    assert names(store) == []
    assert leftovers() == []


def test_a_failing_upload_is_said(client, leftovers):
    with pytest.raises(googleapiclient.errors.HttpError), GCSTarget("gs://none/a", client=client).open("w") as out:
        out.write("text")
    assert leftovers() == []


@pytest.mark.parametrize("file_format", [luigi.format.Nop, luigi.format.Gzip], ids=["nop", "gzip"])
@pytest.mark.parametrize("content", [b"", bytes(range(256)) * 3000], ids=["empty", "full"])
def test_bytes_and_formats(client, file_format, content):
    target = GCSTarget("gs://store/a", client=client, format=file_format)
    with target.open("w") as out:
        out.write(content)
    with target.open() as back:
        assert back.read() == content


def test_large_files_go_in_chunks(store, client, tmp_path):
    content = os.urandom(1024) * 1024 + b"end"
    (tmp_path / "local").write_bytes(content)
    client.put(str(tmp_path / "local"), "gs://store/big", chunksize=256 * 1024)
    assert store.objects["store", "big"] == content
    assert store.types["store", "big"] == gcs.DEFAULT_MIMETYPE
    with client.download("gs://store/big", chunksize=100_000) as back:
        assert back.read() == content
    seen = []

    def stop(copy):
        seen.append(copy.tell())
        return len(seen) == 2

    with client.download("gs://store/big", chunksize=100_000, chunk_callback=stop) as back:
        assert len(back.read()) == 200_000
    assert seen == [100_000, 200_000]


def test_what_cannot_be_read_leaves_no_copy(client, leftovers):
    with pytest.raises(googleapiclient.errors.HttpError):
        GCSTarget("gs://store/none", client=client).open()
    with pytest.raises(ValueError, match="Unsupported open mode 'a'"):
        GCSTarget("gs://store/none", client=client).open("a")
    assert leftovers() == []


def test_several_files_at_once(client, store, tmp_path):
    paths = []
    for number in range(3):
        path = tmp_path / ("file-%d" % number)
        path.write_text("content %d" % number)
        paths.append(str(path))
    client.put_multiple(paths, "gs://store/one-by-one")
    client.put_multiple(paths, "gs://store/together", num_process=2)
    assert names(store) == [
        "%s/file-%d" % (where, number) for where in ("one-by-one", "together") for number in range(3)
    ]
    assert store.objects["store", "together/file-1"] == b"content 1"
    with pytest.raises(ValueError, match="one string"):
        client.put_multiple(paths[0], "gs://store/x")


def test_what_exists(client):
    client.put_string("x", "gs://store/dir/a")
    client.mkdir("gs://store/made")
    for name in ("", "dir", "dir/", "made", "made/"):
        assert client.exists("gs://store/" + name), name
        assert client.isdir("gs://store/" + name), name
    assert client.exists("gs://store") and client.exists("gs://store/dir/a")
    assert not client.isdir("gs://store/dir/a")
    for path in ("gs://store/di", "gs://store/none/", "gs://none"):
        assert not client.exists(path), path
    with pytest.raises(googleapiclient.errors.HttpError):
        client.exists("gs://none/a")
    with pytest.raises(AssertionError, match="gs://"):
        client.exists("s3://store/a")


def test_making_directories(client):
    client.mkdir("gs://store/made")
    client.mkdir("gs://store/made/")
    with pytest.raises(FileAlreadyExists):
        client.mkdir("gs://store/made", raise_if_exists=True)
    client.put_string("x", "gs://store/file")
    with pytest.raises(NotADirectory):
        client.mkdir("gs://store/file")


def test_listing_in_pages_and_by_pattern(client, store):
    store.page_size = 2
    for name in ("part-0.txt", "part-1.txt", "part-2.csv", "other"):
        client.put_string("", "gs://store/dir/" + name)
    everything = ["gs://store/dir/" + name for name in ("other", "part-0.txt", "part-1.txt", "part-2.csv")]
    assert list(client.listdir("gs://store/dir")) == everything
    assert list(client.listdir("gs://store/dir/")) == everything
    assert list(client.listdir("gs://store")) == everything
    assert list(client.list_wildcard("gs://store/dir/part-*.txt")) == everything[1:3]
    assert list(client.list_wildcard("gs://store/dir/part-0.t*.txt")) == []
    with pytest.raises(AssertionError):
        list(client.list_wildcard("gs://store/*/a"))


def test_removing(client, store):
    for number in range(230):
        store.objects["store", "dir/%03d" % number] = b""
    client.mkdir("gs://store/dir")
    client.put_string("x", "gs://store/dir-other")
    with pytest.raises(InvalidDeleteException, match="root"):
        client.remove("gs://store/")
    with pytest.raises(InvalidDeleteException, match="recursive"):
        client.remove("gs://store/dir", recursive=False)
    assert client.remove("gs://store/none") is False
    assert client.remove("gs://store/dir/000") is True
    # With a slash at its end the path is also the name of the marker, which is not all that has to go.
    assert client.remove("gs://store/dir/") is True
    assert names(store) == ["dir-other"]


def test_what_cannot_be_deleted_is_an_error(client, store):
    for name in ("dir/a", "dir/b"):
        client.put_string("", "gs://store/" + name)
    store.kept.add("dir/a")
    with pytest.raises(googleapiclient.errors.HttpError, match="Forbidden"):
        client.remove("gs://store/dir")


def test_copying_and_moving(client, store):
    for name in ("from/a", "from/b/c"):
        client.put_string(name, "gs://store/" + name)
    client.copy("gs://store/from/a", "gs://store/single")
    client.copy("gs://store/from", "gs://store/to")
    client.move("gs://store/from/", "gs://store/moved/")
    assert names(store) == ["moved/a", "moved/b/c", "single", "to/a", "to/b/c"]
    client.rename("gs://store/single", "gs://store/renamed")
    assert store.objects["store", "renamed"] == b"from/a"
    with pytest.raises(FileAlreadyExists), pytest.warns(UserWarning, match="atomic mv"):
        client.rename_dont_move("gs://store/renamed", "gs://store/to")


def test_names_may_hold_a_question_mark_and_a_hash(client, store):
    client.put_string("x", "gs://store/what?is#this")
    assert names(store) == ["what?is#this"]
    assert client.exists("gs://store/what?is#this")


def test_flags(client):
    target = GCSFlagTarget("gs://store/job/", client=client)
    client.put_string("x", "gs://store/job/part-0")
    assert not target.exists()
    client.put_string("", "gs://store/job/_SUCCESS")
    assert target.exists()
    assert not GCSFlagTarget("gs://store/job/", client=client, flag="_DONE").exists()
    with pytest.raises(ValueError, match="slash"):
        GCSFlagTarget("gs://store/job", client=client)


def test_the_servers_faults_are_outlived(client, store, naps):
    client.put_string("x", "gs://store/a")
    store.failures = [503, 500]
    assert client.exists("gs://store/a")
    assert naps == [1, 2]


def test_patience_ends(client, store, naps):
    store.failures = [503] * 5
    with pytest.raises(googleapiclient.errors.HttpError):
        client.exists("gs://store/a")
    assert naps == [1, 2, 4, 8]
    store.failures = [403]
    naps.clear()
    with pytest.raises(googleapiclient.errors.HttpError):
        client.exists("gs://store/a")
    assert naps == []


@pytest.mark.parametrize("error", [OSError("reset"), httplib2.HttpLib2Error("odd")])
def test_the_networks_faults_are_outlived(naps, error):
    outcomes = [error, error, "done"]

    @gcs.gcs_retry
    def call(argument, keyword=None):
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return argument, keyword, outcome

    assert call(1, keyword=2) == (1, 2, "done")
    assert naps == [1, 2]
    assert call.__name__ == "call"


def test_waiting_for_a_change_is_bounded(naps, caplog):
    gcs._wait_for_consistency(lambda: False)
    assert len(naps) == gcs.EVENTUAL_CONSISTENCY_MAX_SLEEPS
    assert "cannot be seen yet" in caplog.text
