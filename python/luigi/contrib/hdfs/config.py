"""Settings of ``[hdfs]`` and ``[hadoop]``, and names for temporary files in HDFS."""

from __future__ import annotations

import getpass
import os
import random
from urllib.parse import urlparse, urlunparse

import luigi

_DEFAULT_TMP_DIR = "/tmp"


class hdfs(luigi.Config):
    """The section ``[hdfs]``."""

    client_version = luigi.IntParameter(default=None)
    namenode_host = luigi.OptionalParameter(default=None)
    namenode_port = luigi.IntParameter(default=None)
    client = luigi.Parameter(default="hadoopcli", description="How HDFS is reached: hadoopcli or webhdfs.")
    tmp_dir = luigi.OptionalParameter(default=None, config_path={"section": "core", "name": "hdfs-tmp-dir"})


class hadoopcli(luigi.Config):
    """The part of ``[hadoop]`` that concerns files."""

    command = luigi.Parameter(
        default="hadoop",
        config_path={"section": "hadoop", "name": "command"},
        description="The program hadoop. Options may follow it, separated by blanks.",
    )
    version = luigi.Parameter(
        default="cdh4",
        config_path={"section": "hadoop", "name": "version"},
        description="The dialect of the command: cdh4 (all of Hadoop 2 and later), cdh3 or apache1.",
    )


def load_hadoop_cmd() -> list[str]:
    """Return the program ``hadoop`` and the options that are always given to it."""
    return hadoopcli().command.split()


def get_configured_hadoop_version() -> str:
    """Return the dialect of the command, in lower case."""
    return hadoopcli().version.lower()


def get_configured_hdfs_client() -> str:
    """Return the name of the client that ``[hdfs]`` asks for."""
    return hdfs().client


def tmppath(path: str | None = None, include_unix_username: bool = True) -> str:
    """Return a new name for a temporary file, on the same file system as ``path`` if that is given.

    It lies in ``hdfs-tmp-dir`` of ``[core]``, or else in ``/tmp``, below a directory of the user's own unless
    ``include_unix_username`` is false.
    """
    base = hdfs().tmp_dir
    if base is None:
        base = _DEFAULT_TMP_DIR
        if path is not None:
            scheme, netloc = urlparse(path)[:2]
            base = urlunparse((scheme, netloc, base, "", "", ""))

    stem = ""
    if path is not None:
        # What is in /tmp already is not to end up in /tmp/tmp.
        inside_tmp = path.startswith(_DEFAULT_TMP_DIR + "/")
        plain = path[len(_DEFAULT_TMP_DIR) :] if inside_tmp else urlparse(path).path
        stem = plain.lstrip("/") + "-"
    name = stem + "luigitemp-%09d" % random.randrange(0, 10_000_000_000)
    if include_unix_username:
        name = os.path.join(getpass.getuser(), name)
    return os.path.join(base, name)
