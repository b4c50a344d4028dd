"""HDFS through the command ``hadoop``: a stand-in for the program works on a local directory."""

import datetime
import gc
import os
import pickle
import re
import threading

import pytest

import luigi
from luigi import configuration
from luigi.contrib import hdfs
from luigi.contrib.hdfs.format import HdfsAtomicWriteError
from luigi.target import FileAlreadyExists

from .servers import hadoop


def configure(monkeypatch, **sections):
    parser = configuration.LuigiConfigParser()
    for section, options in sections.items():
        parser.add_section(section)
        for name, value in options.items():
            parser.set(section, name, value)
    monkeypatch.setattr(configuration.LuigiConfigParser, "_instance", parser)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """HDFS, reached by the dialect cdh4."""
    folder = tmp_path / "hdfs"
    (folder / "user/me").mkdir(parents=True)
    (folder / "tmp").mkdir()
    configure(monkeypatch, hadoop={"command": hadoop.install(tmp_path, folder), "version": "cdh4"})
    return folder


@pytest.fixture(params=["cdh4", "cdh3", "apache1"])
def any_client(request, tmp_path, monkeypatch, root):
    command = hadoop.install(tmp_path, root, request.param)
    configure(monkeypatch, hadoop={"command": command, "version": request.param.upper()})
    return hdfs.create_hadoopcli_client()


@pytest.fixture
def client(root):
    return hdfs.HdfsClient()


def files(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_a_written_file_appears_when_it_is_whole(root):
    target = hdfs.HdfsTarget("/new/folder/a.txt")
    assert not target.exists()
    with target.open("w") as out:
        out.write("one\ntwo\n")
        assert not target.exists()
    assert files(root) == ["new/folder/a.txt"]
    with target.open() as back:
        assert list(back) == ["one\n", "two\n"]


def test_a_failing_with_leaves_nothing(root):
    with pytest.raises(ZeroDivisionError), hdfs.HdfsTarget("/a").open("w") as out:
        out.write("half")
        out.write(str(1 // 0))
    out = hdfs.HdfsTarget("/a").open("w")
    out.write("half")
    del out
    gc.collect()
    assert files(root) == []


def test_writing_again_replaces(root):
    for text in ("first", "second"):
        with hdfs.HdfsTarget("/a").open("w") as out:
            out.write(text)
    assert (root / "a").read_text() == "second"
    assert files(root) == ["a"]


def test_a_rename_that_is_refused_is_an_error(root, monkeypatch):
    monkeypatch.setattr("luigi.contrib.hdfs.format.rename", lambda *paths: [{"result": False}])
    with pytest.raises(HdfsAtomicWriteError, match="Atomic write to /a failed"), hdfs.HdfsTarget("/a").open("w") as out:
        out.write("text")
    assert not (root / "a").exists()


def test_a_failing_upload_is_an_error(root):
    out = hdfs.HdfsTarget("/a").open("w")
    # Something else takes the temporary name, so the upload is refused.
    (root / out.tmppath.lstrip("/")).mkdir()
    (root / out.tmppath.lstrip("/") / "-").mkdir()
    out.write("text")
    with pytest.raises(RuntimeError, match="Error when executing command"):
        out.close()
    assert not (root / "a").exists()


@pytest.mark.parametrize("file_format", [luigi.format.Nop, luigi.format.Gzip], ids=["nop", "gzip"])
def test_bytes_and_formats(root, file_format):
    content = bytes(range(256)) * 1000
    target = hdfs.HdfsTarget("/a", format=file_format)
    with target.open("w") as out:
        out.write(content)
    with target.open() as back:
        assert back.read() == content


def test_directories_are_written_and_read(root):
    target = hdfs.HdfsTarget("/job", format=hdfs.PlainDir)
    with target.open("w") as out:
        out.write(b"text")
    assert files(root) == ["job/data"]
    (root / "job/_SUCCESS").write_text("not to be read")
    with target.open() as back:
        assert back.read() == b"text"
    with pytest.raises(ZeroDivisionError), hdfs.HdfsTarget("/other", format=hdfs.PlainDir).open("w") as out:
        out.write(b"%d" % (1 // 0))
    assert files(root) == ["job/_SUCCESS", "job/data"]
    named = hdfs.HdfsAtomicWriteDirPipe("/named", ".txt")
    named.close()
    assert "named/data.txt" in files(root)


def test_reading_what_is_not_there(root):
    with pytest.raises(RuntimeError, match="non-zero exit status"), hdfs.HdfsTarget("/none").open() as back:
        back.read()
    with pytest.raises(ValueError, match="Unsupported open mode 'a'"):
        hdfs.HdfsTarget("/none").open("a")


def test_temporary_targets_go_with_their_object(root):
    target = hdfs.HdfsTarget(is_tmp=True)
    with target.open("w") as out:
        out.write("x")
    assert target.exists()
    del target, out
    gc.collect()
    assert files(root) == []
    with pytest.raises(AssertionError):
        hdfs.HdfsTarget()


def test_a_flag_target_uses_its_client_and_deletes_nothing(root, client):
    (root / "job").mkdir()
    (root / "job/part-0").write_text("x")
    target = hdfs.HdfsFlagTarget("/job/", client=client)
    assert target.fs is client
    assert not target.exists()
    client.touchz("/job/_SUCCESS")
    assert target.exists()
    assert not hdfs.HdfsFlagTarget("/job/", flag="_DONE").exists()
    del target
    gc.collect()
    assert files(root) == ["job/_SUCCESS", "job/part-0"]
    with pytest.raises(ValueError, match="slash"):
        hdfs.HdfsFlagTarget("/job")


def test_moving_and_copying_targets(root):
    target = hdfs.HdfsTarget("/a")
    with target.open("w") as out:
        out.write("x")
    target.copy("/copy")
    with pytest.raises(RuntimeError, match="Destination exists: /copy"):
        target.move("/copy", raise_if_exists=True)
    with pytest.raises(FileAlreadyExists), pytest.warns(UserWarning, match="atomic mv"):
        target.move_dir("/copy")
    target.rename(hdfs.HdfsTarget("/deep/er/b"))
    assert files(root) == ["copy", "deep/er/b"]
    with hdfs.HdfsTarget("/tp/a").temporary_path() as path:
        hdfs.HdfsClient().touchz(path)
    assert files(root) == ["copy", "deep/er/b", "tp/a"]
    hdfs.HdfsTarget("/tp/a").remove(skip_trash=True)
    assert files(root) == ["copy", "deep/er/b"]


def test_patterns(root):
    (root / "d").mkdir()
    for name in ("part-0", "part-1", "other"):
        (root / "d" / name).write_text("x")
    target = hdfs.HdfsTarget("/d/part-*")
    assert target.glob_exists(2)
    assert not target.glob_exists(3)


def test_where_one_may_write(root):
    (root / "open").mkdir()
    (root / "closed").mkdir()
    (root / "closed").chmod(0o555)
    assert hdfs.HdfsTarget("/open/a/b").is_writable()
    assert not hdfs.HdfsTarget("/closed/a").is_writable()
    assert files(root) == []


def test_names_with_a_colon_are_refused(root):
    with pytest.raises(ValueError, match="colon"):
        hdfs.HdfsTarget("/a:b")
    assert hdfs.HdfsTarget("hdfs:///a").path == "hdfs:///a"


def test_targets_can_be_pickled(root):
    (root / "a").write_text("text")
    target = pickle.loads(pickle.dumps(hdfs.HdfsTarget("/a")))
    with target.open() as back:
        assert back.read() == "text"


def test_formats_of_the_old_kind(root):
    class Old:
        def hdfs_writer(self, path):
            return luigi.format.UTF8.pipe_writer(hdfs.Plain.hdfs_writer(path))

        def hdfs_reader(self, path):
            return luigi.format.UTF8.pipe_reader(hdfs.Plain.hdfs_reader(path))

    with pytest.warns(DeprecationWarning, match="hdfs_writer and hdfs_reader"):
        target = hdfs.HdfsTarget("/a", format=Old())
    with target.open("w") as out:
        out.write("text")
    with target.open() as back:
        assert back.read() == "text"


def test_every_dialect_does_the_same(any_client, root, tmp_path):
    assert not any_client.exists("/d")
    any_client.mkdir("/d/e")
    any_client.mkdir("/d/e")
    with pytest.raises(FileAlreadyExists):
        any_client.mkdir("/d/e", raise_if_exists=True)
    assert any_client.exists("/d/e")
    any_client.touchz("/d/a")
    (root / "d/e/deep").write_text("123")
    assert list(any_client.listdir("/d")) == ["/d/a", "/d/e"]
    assert list(any_client.listdir("/d", recursive=True)) == ["/d/a", "/d/e", "/d/e/deep"]
    any_client.move("/d/a", "/new/b")
    any_client.remove("/new/b", recursive=False, skip_trash=True)
    with pytest.raises(hdfs.HDFSCliError):
        any_client.remove("/d", recursive=False)
    any_client.remove("/d", skip_trash=True)
    assert files(root) == []


def test_the_dialect_decides_the_words(any_client, tmp_path, root):
    any_client.mkdir("/d")
    any_client.exists("/d")
    any_client.remove("/d")
    said = (tmp_path / "commands.log").read_text().split("\n")[:-1]
    expected = {
        hdfs.HdfsClient: ["-mkdir -p /d", "-stat /d", "-rm -r /d"],
        hdfs.HdfsClientCdh3: ["-mkdir /d", "-stat /d", "-rmr /d"],
        hdfs.HdfsClientApache1: ["-mkdir /d", "-test -e /d", "-rmr /d"],
    }
    assert said == expected[type(any_client)]


def test_listing_with_everything(client, root):
    (root / "d/two words").mkdir(parents=True)
    (root / "d/a").write_text("123")
    changed = datetime.datetime(2024, 5, 1, 12, 30)
    for name in ("d/a", "d/two words"):
        os.utime(root / name, (changed.timestamp(), changed.timestamp()))
    everything = client.listdir("/d", include_size=True, include_type=True, include_time=True)
    assert list(everything) == [("/d/a", 3, "-", changed), ("/d/two words", 0, "d", changed)]
    assert list(client.listdir("/d", ignore_directories=True)) == ["/d/a"]
    assert list(client.listdir("/d", ignore_files=True, include_type=True)) == [("/d/two words", "d")]
    assert list(client.listdir("")) == []


def test_counting_files_and_bytes(client, root):
    (root / "d/e").mkdir(parents=True)
    (root / "d/a").write_text("123")
    assert client.count("/d") == {"content_size": "3", "dir_count": "2", "file_count": "1"}
    with pytest.raises(hdfs.HDFSCliError, match="No such file") as caught:
        client.count("/none")
    assert caught.value.returncode == 1
    assert "---stderr---" in str(caught.value)


def test_files_go_and_come(client, root, tmp_path):
    (tmp_path / "local").write_text("content")
    client.put(str(tmp_path / "local"), "/a")
    client.copy("/a", "/b")
    client.get("/b", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "content"
    client.mkdir("/d", parents=False)
    with pytest.raises(hdfs.HDFSCliError):
        client.mkdir("/none/d", parents=False)
    with pytest.warns(UserWarning, match="not atomic"):
        client.move(["/a", "/b"], "/d")
    client.getmerge("/d", str(tmp_path / "merged"))
    assert (tmp_path / "merged").read_text() == "contentcontent"
    client.getmerge("/d", str(tmp_path / "lines"), new_line=True)
    assert (tmp_path / "lines").read_text() == "content\ncontent\n"


def test_permissions_and_owners(client, root, tmp_path):
    (root / "d").mkdir()
    (root / "d/a").write_text("x")
    client.chmod("/d", "755")
    client.chmod("/d", "700", recursive=True)
    assert (root / "d/a").stat().st_mode & 0o777 == 0o700
    client.chown("/d", "me", None)
    client.chown("/d", None, "staff", recursive=True)
    assert (tmp_path / "commands.log").read_text().split("\n")[-3:-1] == ["-chown me: /d", "-chown -R :staff /d"]


def test_an_answer_is_needed_to_say_that_a_file_is_missing(client):
    with pytest.raises(hdfs.HDFSCliError, match="UnknownHostException"):
        client.exists("hdfs://nowhere/a")


def test_the_functions_use_the_configured_client(root):
    hdfs.mkdir("/d")
    (root / "d/a").write_text("x")
    assert hdfs.exists("/d/a")
    hdfs.rename("/d/a", "/d/b")
    assert list(hdfs.listdir("/d")) == ["/d/b"]
    hdfs.remove("/d")
    assert not hdfs.exists("/d")


def test_each_thread_has_its_own_client(root):
    assert hdfs.get_autoconfig_client() is hdfs.get_autoconfig_client()
    found = []
    thread = threading.Thread(target=lambda: found.append(hdfs.get_autoconfig_client()))
    thread.start()
    thread.join(timeout=20)
    assert type(found[0]) is hdfs.HdfsClient
    assert found[0] is not hdfs.get_autoconfig_client()


def test_unknown_names_are_refused(monkeypatch):
    configure(monkeypatch, hdfs={"client": "snakebite"}, hadoop={"version": "cdh9"})
    with pytest.raises(Exception, match="Unknown hdfs client snakebite"):
        hdfs.get_autoconfig_client(type("Cache", (), {})())
    with pytest.raises(ValueError, match="Unknown version"):
        hdfs.create_hadoopcli_client()


def test_settings_and_their_defaults(monkeypatch):
    configure(monkeypatch)
    assert hdfs.load_hadoop_cmd() == ["hadoop"]
    assert hdfs.get_configured_hadoop_version() == "cdh4"
    assert hdfs.get_configured_hdfs_client() == "hadoopcli"
    configure(monkeypatch, hadoop={"command": "/usr/local/bin/hadoop --config /etc/h", "version": "CDH3"})
    assert hdfs.load_hadoop_cmd() == ["/usr/local/bin/hadoop", "--config", "/etc/h"]
    assert hdfs.get_configured_hadoop_version() == "cdh3"


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/dir/file", r"/tmp/dir/file-luigitemp-\d+"),
        ("hdfs://host/dir/file", r"hdfs://host/tmp/dir/file-luigitemp-\d+"),
        ("/tmp/dir/file", r"/tmp/dir/file-luigitemp-\d+"),
        ("/tmpdir/file", r"/tmp/tmpdir/file-luigitemp-\d+"),
        (None, r"/tmp/luigitemp-\d+"),
    ],
)
def test_temporary_names(monkeypatch, path, pattern):
    configure(monkeypatch)
    assert re.fullmatch(pattern, hdfs.tmppath(path, include_unix_username=False))
    with_user = pattern.replace("/tmp/", "/tmp/[^/]+/", 1)
    assert re.fullmatch(with_user, hdfs.tmppath(path))
    configure(monkeypatch, core={"hdfs-tmp-dir": "/scratch"})
    assert re.fullmatch(
        pattern.replace("hdfs://host", "").replace("/tmp/", "/scratch/", 1),
        hdfs.tmppath(path, include_unix_username=False),
    )
