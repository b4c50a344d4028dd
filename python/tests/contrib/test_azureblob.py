"""Azure Blob Storage: Microsoft's own client library against a server in memory."""

import base64
import gc

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

import luigi
from luigi.contrib.azureblob import AzureBlobClient, AzureBlobTarget
from luigi.target import FileAlreadyExists

from .servers.azure import Account, AzureHandler
from .servers.http import serve

KEY = base64.b64encode(b"secret").decode()


@pytest.fixture
def account():
    return Account()


@pytest.fixture
def host(account):
    with serve(AzureHandler, account=account) as address:
        yield address.removeprefix("http://")


@pytest.fixture
def client(host):
    # The client's own retries would only make failing tests slow.
    return AzureBlobClient("acc", KEY, custom_domain=host, protocol="http", retry_total=0)


@pytest.mark.parametrize("download", [True, False])
def test_a_written_blob_appears_when_it_is_whole(client, account, download, leftovers):
    target = AzureBlobTarget("box", "dir/a.txt", client, download_when_reading=download)
    assert not target.exists()
    with target.open("w") as out:
        out.write("one\ntwo\n")
        assert not target.exists()
    assert account.blobs == {"box/dir/a.txt": b"one\ntwo\n"}
    with target.open("r") as back:
        assert list(back) == ["one\n", "two\n"]
    with target.open("r") as back:
        assert back.read() == "one\ntwo\n"
    back.close()
    assert leftovers() == []
    assert account.leases == {}


def test_a_failing_with_leaves_nothing(client, account, leftovers):
    with pytest.raises(ZeroDivisionError), AzureBlobTarget("box", "a", client).open("w") as out:
        out.write(str(1 // 0))
    assert account.blobs == {}
    assert leftovers() == []


def test_writing_again_replaces_and_gives_the_lease_back(client, account):
    for text in ("first", "second"):
        with AzureBlobTarget("box", "a", client).open("w") as out:
            out.write(text)
    assert account.blobs == {"box/a": b"second"}
    assert account.leases == {}


def test_a_blob_that_others_hold_is_not_replaced(client, account):
    with AzureBlobTarget("box", "a", client).open("w") as out:
        out.write("mine")
    account.leases["box/a"] = "somebody's"
    with pytest.raises(HttpResponseError), AzureBlobTarget("box", "a", client).open("w") as out:
        out.write("other")
    assert account.blobs == {"box/a": b"mine"}
    assert account.leases == {"box/a": "somebody's"}


@pytest.mark.parametrize("file_format", [luigi.format.Nop, luigi.format.Gzip], ids=["nop", "gzip"])
@pytest.mark.parametrize("download", [True, False])
@pytest.mark.parametrize("content", [b"", bytes(range(256)) * 1000], ids=["empty", "full"])
def test_bytes_and_formats(client, file_format, download, content):
    target = AzureBlobTarget("box", "a", client, format=file_format, download_when_reading=download)
    with target.open("w") as out:
        out.write(content)
    with target.open("r") as back:
        assert back.read() == content


@pytest.mark.parametrize("download", [True, False])
def test_pieces_and_lines(client, account, download):
    account.containers.add("box")
    account.blobs["box/a"] = b"one\ntwo\nlast"
    target = AzureBlobTarget("box", "a", client, format=luigi.format.Nop, download_when_reading=download)
    with target.open("r") as back:
        pieces = [back.read(5), back.read(5), back.read(5), back.read(5)]
    assert pieces == [b"one\nt", b"wo\nla", b"st", b""]
    with target.open("r") as back:
        assert list(back) == [b"one\n", b"two\n", b"last"]
    unread = target.open("r")
    del unread
    gc.collect()
    assert client.download_as_bytes("box", "a", 3) == b"one"


def test_reading_what_is_not_there(client, account, leftovers):
    account.containers.add("box")
    with pytest.raises(ResourceNotFoundError), AzureBlobTarget("box", "none", client).open("r") as back:
        back.read()
    assert leftovers() == []
    with pytest.raises(ValueError, match="Unsupported open mode 'a'"):
        AzureBlobTarget("box", "none", client).open("a")


def test_progress_of_an_upload_in_blocks(host, account):
    client = AzureBlobClient(
        "acc", KEY, custom_domain=host, protocol="http", max_single_put_size=1000, max_block_size=1000
    )
    seen = []
    target = AzureBlobTarget("box", "a", client, progress_callback=lambda *step: seen.append(step))
    with target.open("w") as out:
        out.write("x" * 2500)
    assert account.blobs == {"box/a": b"x" * 2500}
    assert seen == [(1000, 2500), (2000, 2500), (2500, 2500)]


def test_containers(client, account):
    assert not client.exists("box")
    assert client.create_container("box")
    assert client.create_container("box") is None
    assert client.exists("box")
    client.delete_container("box")
    assert account.containers == set()
    assert account.leases == {}


def test_copying_moving_and_removing(client, account, tmp_path):
    (tmp_path / "local").write_text("content")
    client.upload(str(tmp_path / "local"), "box", "a")
    assert client.copy("box/a", "box/b")["copy_status"] == "success"
    assert client.copy("box/a", "box/b")["copy_status"] == "success"
    assert client.move("box/a", "box/dir/c") is True
    client.rename_dont_move("box/b", "box/d")
    assert account.blobs == {"box/dir/c": b"content", "box/d": b"content"}
    with pytest.raises(Exception, match="within container"):
        client.copy("box/d", "other/d")
    assert client.remove("box/d") is True
    assert client.remove("box/d") is False
    assert account.leases == {}
    client.download_as_file("box", "dir/c", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "content"


def test_there_are_no_directories(client, account):
    account.containers.add("box")
    account.blobs["box/a"] = b""
    client.mkdir("box/a")
    client.mkdir("box/new", raise_if_exists=True)
    with pytest.raises(FileAlreadyExists, match="'a' already exists under container 'box'"):
        client.mkdir("box/a", raise_if_exists=True)
    assert client.isdir("box/a") is False
    assert client.splitfilepath("box") == ("box", None)
    assert client.splitfilepath("box/a/b") == ("box", "a/b")


def test_ways_to_log_in(host, account):
    AzureBlobClient("acc", KEY, custom_domain=host, protocol="http").exists("box")
    assert account.authorizations == {"SharedKey"}
    account.authorizations.clear()
    AzureBlobClient("acc", sas_token="sv=1&sig=x", custom_domain=host, protocol="http").exists("box")
    AzureBlobClient("acc", custom_domain=host, protocol="http").exists("box")
    assert account.authorizations == {""}
    account.authorizations.clear()
    text = "DefaultEndpointsProtocol=http;AccountName=acc;AccountKey=%s;BlobEndpoint=http://%s/acc;" % (KEY, host)
    client = AzureBlobClient(connection_string=text)
    assert client.connection.primary_hostname == host + "/acc" or host in client.connection.url
    assert client.exists("box") is False
    assert account.authorizations == {"SharedKey"}


def test_addresses():
    assert AzureBlobClient("acc").options["account_url"] == "https://acc.blob.core.windows.net"
    china = AzureBlobClient("acc", endpoint_suffix="core.chinacloudapi.cn", protocol="http")
    assert china.options["account_url"] == "http://acc.blob.core.chinacloudapi.cn"

    class Tokens:
        def get_token(self, *scopes, **kwargs):
            raise AssertionError("nothing is sent here")

    tokens = Tokens()
    assert AzureBlobClient("acc", token_credential=tokens).connection.credential is tokens
