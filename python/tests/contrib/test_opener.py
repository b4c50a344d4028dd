"""Targets from URIs."""

import pytest

import luigi
from luigi.contrib.opener import InvalidQuery, NoOpenerError, Opener, OpenerRegistry, OpenerTarget
from luigi.contrib.s3 import S3Target
from luigi.mock import MockTarget
from luigi.target import FileSystemException


@pytest.mark.parametrize(
    ("uri", "target_class", "path"),
    [
        ("/data/a.txt", luigi.LocalTarget, "/data/a.txt"),
        ("data/a.txt", luigi.LocalTarget, "data/a.txt"),
        ("file:///data/a.txt", luigi.LocalTarget, "/data/a.txt"),
        ("file://data/a.txt", luigi.LocalTarget, "data/a.txt"),
        ("mock://data/a.txt", MockTarget, "data/a.txt"),
        ("mock:///data/a.txt", MockTarget, "/data/a.txt"),
        ("s3://bucket/data/a.txt", S3Target, "s3://bucket/data/a.txt"),
        ("s3n://bucket/data/a.txt", S3Target, "s3n://bucket/data/a.txt"),
    ],
)
def test_scheme_decides_the_target(uri, target_class, path):
    target = OpenerTarget(uri)
    assert type(target) is target_class
    assert target.path == path
    assert target.opener_path == uri


def test_query_and_keywords_become_arguments(tmp_path):
    path = str(tmp_path / "a.txt")
    target = OpenerTarget("file://%s?is_tmp&unknown=1" % path, format=luigi.format.Nop)
    assert target.is_tmp is True
    assert target.format is luigi.format.Nop
    assert OpenerTarget("mock://a?mirror_on_stderr=false")._mirror_on_stderr is False


def test_s3_passes_every_argument_on():
    target = OpenerTarget("s3://bucket/a?ServerSideEncryption=AES256&Tagging=", StorageClass="GLACIER")
    assert target.s3_options == {"ServerSideEncryption": "AES256", "Tagging": "true", "StorageClass": "GLACIER"}


def test_written_text_is_read_back(tmp_path):
    for uri in ("mock://written.txt", str(tmp_path / "written.txt")):
        with OpenerTarget(uri).open("w") as out:
            out.write("line\n")
        with OpenerTarget(uri).open("r") as back:
            assert back.read() == "line\n"


def test_a_scheme_nobody_answers_to():
    with pytest.raises(NoOpenerError, match="No opener for gopher"):
        OpenerTarget("gopher://host/a")
    assert issubclass(InvalidQuery, FileSystemException)


def test_a_registry_of_ones_own():
    class Upper(Opener):
        names = ["upper"]

        @classmethod
        def get_target(cls, scheme, path, fragment, username, password, hostname, port, query, **kwargs):
            return MockTarget(path.upper())

    registry = OpenerRegistry([Upper])
    assert registry.open("upper:///a").path == "/A"
    with pytest.raises(NoOpenerError):
        registry.open("mock://a")
    with pytest.raises(NotImplementedError):
        OpenerRegistry([type("Bare", (Opener,), {"names": ["bare"]})]).open("bare://a")
