"""The S3 module against moto's server, over HTTP."""

import datetime
import gc
import os
import pickle
import threading

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

import luigi
from luigi import configuration
from luigi.contrib import s3
from luigi.contrib.s3 import InvalidDeleteException, S3Client, S3FlagTarget, S3FlagTask, S3PathTask, S3Target
from luigi.target import FileAlreadyExists, MissingParentDirectory


@pytest.fixture(scope="module")
def endpoint():
    """The address of a server that answers as S3 and STS do."""
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield "http://127.0.0.1:%d" % server.server_port
    server.shutdown()
    thread.join(timeout=30)
    server.server_close()


@pytest.fixture
def client(endpoint, monkeypatch):
    """A client with an empty bucket named ``store``."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # Checksums as trailers are a matter between boto3 and the server; moto 4 does not understand them.
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    client = S3Client("key", "secret", endpoint_url=endpoint)
    bucket = client.s3.create_bucket(Bucket="store")
    yield client
    bucket.objects.all().delete()
    bucket.delete()


def settings(monkeypatch, **options):
    """Let ``[s3]`` hold ``options`` for the rest of the test."""
    parser = configuration.LuigiConfigParser()
    parser.add_section("s3")
    for name, value in options.items():
        parser.set("s3", name, value)
    monkeypatch.setattr(configuration.LuigiConfigParser, "_instance", parser)


def test_written_object_is_whole_and_nothing_stays_behind(client, leftovers):
    target = S3Target("s3://store/dir/a.txt", client=client)
    with target.open("w") as out:
        out.write("one\ntwo\n")
        assert not target.exists()
    assert target.exists()
    assert client.get_as_string(target.path) == "one\ntwo\n"
    with target.open() as back:
        assert list(back) == ["one\n", "two\n"]
    assert leftovers() == []


def test_a_failing_with_leaves_no_object(client, leftovers):
    target = S3Target("s3://store/a.txt", client=client)
    with pytest.raises(ZeroDivisionError), target.open("w") as out:
        out.write("half")
        out.write(str(1 // 0))
    assert not target.exists()
    assert leftovers() == []
    abandoned = target.open("w")
    abandoned.write("half")
    del abandoned, out
    gc.collect()
    assert not target.exists()
    assert leftovers() == []


def test_a_failing_upload_is_said_and_cleans_up(client, leftovers):
    target = S3Target("s3://no-such-bucket/a.txt", client=client)
    with pytest.raises(ClientError), target.open("w") as out:
        out.write("text")
    assert leftovers() == []


def test_closing_twice_uploads_once(client, monkeypatch):
    uploads = []
    monkeypatch.setattr(client, "put_multipart", lambda *args, **kwargs: uploads.append(args[1]))
    out = s3.AtomicS3File("s3://store/a", client)
    out.write(b"x")
    out.close()
    out.close()
    assert uploads == ["s3://store/a"]


def test_bytes_are_read_in_pieces_and_in_lines(client):
    content = b"first\r\n" + b"x" * 3000 + b"\nlast"
    client.put_string(content, "s3://store/a")
    target = S3Target("s3://store/a", client=client, format=luigi.format.Nop)
    with target.open() as back:
        assert back.read(5) == b"first"
        assert back.read() == content[5:]
    assert list(target.open()) == [b"first\r\n", b"x" * 3000 + b"\n", b"last"]


def test_gzip_passes_through_the_target(client):
    target = S3Target("s3://store/a.gz", client=client, format=luigi.format.Gzip)
    with target.open("w") as out:
        out.write(b"squeezed")
    assert client.get_as_bytes(target.path)[:2] == b"\x1f\x8b"
    with target.open() as back:
        assert back.read() == b"squeezed"


def test_reading_what_is_not_there(client):
    with pytest.raises(s3.FileNotFoundException, match="nothing"):
        S3Target("s3://store/nothing", client=client).open()
    with pytest.raises(ValueError, match="Unsupported open mode 'a'"):
        S3Target("s3://store/nothing", client=client).open("a")
    with pytest.raises(s3.FileNotFoundException):
        client.copy("s3://store/nothing", "s3://store/copy")
    assert client.get_key("s3://store/nothing") is None


def test_options_of_a_target_reach_the_object(client):
    target = S3Target("s3://store/a", client=client, Metadata={"made-by": "test"})
    with target.open("w"):
        pass
    assert client.s3.Object("store", "a").metadata == {"made-by": "test"}


def test_directories_are_keys_below_or_markers(client):
    client.put_string("", "s3://store/plain/a")
    client.put_string("", "s3://store/hadoop_$folder$")
    client.mkdir("s3://store/made")
    client.put_string("", "s3://store/file")
    for name in ("plain", "plain/", "hadoop", "made", "made/", ""):
        assert client.isdir("s3://store/" + name), name
        assert client.exists("s3://store/" + name), name
    for name in ("file", "pla", "none", "none/"):
        assert not client.isdir("s3://store/" + name), name
    assert not client.exists("s3://store/pla")
    assert client.is_dir("s3://store/plain")


def test_mkdir_says_what_is_in_the_way(client):
    client.mkdir("s3://store/made")
    with pytest.raises(FileAlreadyExists):
        client.mkdir("s3://store/made", raise_if_exists=True)
    with pytest.raises(MissingParentDirectory):
        client.mkdir("s3://store/none/below", parents=False)
    client.mkdir("s3://store/made/below/", parents=False)
    assert client.isdir("s3://store/made/below")


def test_listing_by_name_and_time(client):
    for name in ("a", "b/c"):
        client.put_string("x", "s3://store/dir/" + name)
    assert list(client.listdir("s3://store/dir")) == ["s3://store/dir/a", "s3://store/dir/b/c"]
    assert list(client.list("s3://store/dir/")) == ["a", "b/c"]
    assert [item.size for item in client.list("s3://store/dir", return_key=True)] == [1, 1]
    now = datetime.datetime.now(datetime.timezone.utc)
    hour = datetime.timedelta(hours=1)
    assert len(list(client.list("s3://store/dir", start_time=now - hour, end_time=now + hour))) == 2
    assert list(client.list("s3://store/dir", start_time=now + hour)) == []
    assert list(client.list("s3://store/dir", end_time=now - hour)) == []


def test_removing(client):
    for number in range(3):
        client.put_string("x", "s3://store/dir/%d" % number)
    client.put_string("", "s3://store/dir_$folder$")
    client.put_string("x", "s3://store/dir-other")
    assert client.remove("s3://store/nothing") is False
    for root in ("s3://store", "s3://store/"):
        with pytest.raises(InvalidDeleteException, match="root of bucket"):
            client.remove(root)
    with pytest.raises(InvalidDeleteException, match="recursive"):
        client.remove("s3://store/dir", recursive=False)
    assert client.remove("s3://store/dir/0") is True
    assert client.remove("s3://store/dir") is True
    assert [item.key for item in client.s3.Bucket("store").objects.all()] == ["dir-other"]


def test_a_refused_delete_is_no_success(client, monkeypatch):
    client.put_string("x", "s3://store/dir/a")
    refusal = {"Errors": [{"Key": "dir/a", "Code": "AccessDenied"}]}
    with monkeypatch.context() as patch:
        patch.setattr(client.s3.meta.client, "delete_objects", lambda **kwargs: refusal)
        with pytest.raises(InvalidDeleteException, match="AccessDenied"):
            client.remove("s3://store/dir")


def test_copy_and_move_of_objects_and_directories(client):
    for name in ("a", "b/c"):
        client.put_string("12345", "s3://store/from/" + name)
    client.mkdir("s3://store/from")
    assert client.copy("s3://store/from", "s3://store/to") == (2, 10)
    assert client.copy("s3://store/from/a", "s3://store/single", threads=1) == (1, 5)
    client.move("s3://store/from/", "s3://store/moved/")
    assert not client.exists("s3://store/from")
    keys = [item.key for item in client.s3.Bucket("store").objects.all()]
    assert keys == ["moved/a", "moved/b/c", "single", "to/a", "to/b/c"]


def test_large_files_go_up_in_parts_and_come_back(client, tmp_path):
    local, back = tmp_path / "local", tmp_path / "back"
    # boto3 sends everything above 8 MiB in parts.
    content = os.urandom(1024) * (9 * 1024) + b"end"
    local.write_bytes(content)
    client.put_multipart(str(local), "s3://store/big", part_size=5 * 1024 * 1024)
    assert "-" in client.s3.Object("store", "big").e_tag, "the object was not put together from parts"
    client.get("s3://store/big", str(back))
    assert back.read_bytes() == content


def test_keys_may_hold_a_question_mark_and_a_hash(client):
    client.put_string("x", "s3://store/what?is#this")
    assert [item.key for item in client.s3.Bucket("store").objects.all()] == ["what?is#this"]
    assert client.get_as_bytes("s3://store/what?is#this") == b"x"


def test_flag_targets_and_tasks(client, monkeypatch):
    target = S3FlagTarget("s3://store/job/", client=client)
    client.put_string("x", "s3://store/job/part-0")
    assert not target.exists()
    client.put_string("", "s3://store/job/_SUCCESS")
    assert target.exists()
    assert not S3FlagTarget("s3://store/job/", client=client, flag="_DONE").exists()
    with pytest.raises(ValueError, match="slash"):
        S3FlagTarget("s3://store/job")
    with pytest.warns(UserWarning, match="S3EmrTarget is deprecated"):
        s3.S3EmrTarget("s3://store/job/", client=client)

    endpoint = client.s3.meta.client.meta.endpoint_url
    settings(monkeypatch, aws_access_key_id="k", aws_secret_access_key="s", endpoint_url=endpoint)
    assert S3FlagTask(path="s3://store/job/").complete()
    assert not S3FlagTask(path="s3://store/job/", flag="_DONE").complete()
    assert S3PathTask(path="s3://store/job/part-0").complete()
    with pytest.warns(UserWarning, match="S3EmrTarget is deprecated"):
        assert s3.S3EmrTask(path="s3://store/job/").complete()


def test_settings_are_merged_and_typed(monkeypatch):
    settings(
        monkeypatch, aws_access_key_id="0012", aws_secret_access_key="s", max_attempts="5", use_ssl="False", verify="x"
    )
    expected = {
        "aws_access_key_id": "0012",
        "aws_secret_access_key": "given",
        "max_attempts": 5,
        "use_ssl": False,
        "verify": "x",
        "region_name": "r",
    }
    assert S3Client(aws_secret_access_key="given", region_name="r")._options == expected
    assert S3Client._get_s3_config("max_attempts") == 5


def test_a_role_is_assumed(endpoint, client, monkeypatch):
    asked = {}

    def resource(name, **kwargs):
        asked.update(kwargs)
        return name

    real_client = boto3.client
    monkeypatch.setattr(boto3, "resource", resource)
    monkeypatch.setattr(
        boto3,
        "client",
        lambda name: real_client(name, endpoint_url=endpoint, aws_access_key_id="k", aws_secret_access_key="s"),
    )
    role = "arn:aws:iam::123456789012:role/writer"
    assert S3Client("own", "own", aws_role_arn=role, aws_role_session_name="night").s3 == "s3"
    assert set(asked) == {"aws_access_key_id", "aws_secret_access_key", "aws_session_token"}
    assert asked["aws_access_key_id"].startswith("ASIA")
    assert asked["aws_session_token"]


def test_arguments_of_the_old_library_are_refused(client):
    for arguments in ({"encrypt_key": True}, {"host": "eu"}):
        for call in (client.put, client.put_string, client.put_multipart):
            with pytest.raises(s3.DeprecatedBotoClientException):
                call("x", "s3://store/a", **arguments)
    with pytest.raises(s3.DeprecatedBotoClientException):
        S3Client("k", "s", host="eu").exists("s3://store/a")


def test_an_unused_target_survives_pickling():
    target = S3Target("s3://store/a", client=S3Client("k", "s"))
    assert pickle.loads(pickle.dumps(target)).path == "s3://store/a"
