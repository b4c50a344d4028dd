"""The client that the configuration asks for, and its most used operations as functions."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from luigi.contrib.hdfs import config as hdfs_config
from luigi.contrib.hdfs import hadoopcli_clients as hdfs_hadoopcli_clients
from luigi.contrib.hdfs import webhdfs_client as hdfs_webhdfs_client

logger = logging.getLogger("luigi-interface")

# Each thread has a client of its own.
_AUTOCONFIG_CLIENT = threading.local()


def get_autoconfig_client(client_cache: Any = _AUTOCONFIG_CLIENT) -> Any:
    """Return the client that ``client`` of ``[hdfs]`` names, made once per thread.

    Raises an exception if there is no client of that name.
    """
    client = getattr(client_cache, "client", None)
    if client is None:
        client = client_cache.client = _make_client(hdfs_config.get_configured_hdfs_client())
    return client


def _make_client(name: str) -> Any:
    if name == "webhdfs":
        return hdfs_webhdfs_client.WebHdfsClient()
    if name == "hadoopcli":
        return hdfs_hadoopcli_clients.create_hadoopcli_client()
    raise Exception("Unknown hdfs client " + name)


def _with_ac(method_name: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(get_autoconfig_client(), method_name)(*args, **kwargs)

    call.__name__ = method_name
    call.__doc__ = "Call ``%s`` of the configured client." % method_name
    return call


exists = _with_ac("exists")
rename = _with_ac("rename")
remove = _with_ac("remove")
mkdir = _with_ac("mkdir")
listdir = _with_ac("listdir")
