"""Azure Blob Storage in memory: the part of its REST interface that the client uses, over HTTP."""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote, urlsplit

from .http import Handler


class Account:
    """What the server keeps."""

    def __init__(self) -> None:
        self.containers: set[str] = set()
        self.blobs: dict[str, bytes] = {}
        self.blocks: dict[tuple[str, str], bytes] = {}
        # The lease on a container or blob, by path.
        self.leases: dict[str, str] = {}
        self.authorizations: set[str] = set()
        self.requests: list[str] = []


class AzureHandler(Handler):
    """Answers from ``account``. The first part of every path is the account's name."""

    account: Account

    def answer(self) -> None:
        """Find the operation."""
        _, container, blob = self.route.lstrip("/").partition("/")[0], *self._split()
        self.path_key = container if blob is None else "%s/%s" % (container, blob)
        self.account.requests.append("%s %s" % (self.command, self.path_key))
        self.account.authorizations.add((self.headers.get("Authorization") or "").split(" ")[0])
        if self.query.get("comp") == "lease":
            self.lease()
        elif self.query.get("restype") == "container":
            self.container(container)
        elif container not in self.account.containers:
            self.refuse(404, "ContainerNotFound")
        else:
            self.blob()

    def _split(self) -> tuple[str, str | None]:
        parts = self.route.lstrip("/").split("/", 2)
        return parts[1], parts[2] if len(parts) > 2 else None

    def refuse(self, status: int, code: str) -> None:
        """Say what is wrong, as Azure does."""
        self.reply(status, b"", x_ms_error_code=code)

    def done(self, status: int, body: bytes = b"", length: int | None = None, **headers: Any) -> None:
        """Answer with what every success carries."""
        common = {"ETag": '"1"', "Last_Modified": formatdate(usegmt=True), "x_ms_version": "2021-12-02"}
        self.reply(status, body, length, Content_Type="application/octet-stream", **common, **headers)

    def there(self) -> bool:
        """Return whether the container or blob of the request is there."""
        return self.path_key in (self.account.blobs if "/" in self.path_key else self.account.containers)

    def lease(self) -> None:
        leases = self.account.leases
        if not self.there():
            self.refuse(404, "BlobNotFound")
        elif self.headers["x-ms-lease-action"] == "acquire":
            if self.path_key in leases:
                self.refuse(409, "LeaseAlreadyPresent")
                return
            leases[self.path_key] = self.headers["x-ms-proposed-lease-id"]
            self.done(201, x_ms_lease_id=leases[self.path_key])
        else:
            del leases[self.path_key]
            self.done(200)

    def lease_is_right(self) -> bool:
        """Refuse to change what somebody else has leased."""
        if self.account.leases.get(self.path_key) == self.headers.get("x-ms-lease-id"):
            return True
        self.refuse(412, "LeaseIdMissing")
        return False

    def container(self, name: str) -> None:
        containers = self.account.containers
        if self.command == "PUT":
            if name in containers:
                self.refuse(409, "ContainerAlreadyExists")
                return
            containers.add(name)
            self.done(201)
        elif name not in containers:
            self.refuse(404, "ContainerNotFound")
        elif self.command == "DELETE":
            if self.lease_is_right():
                containers.remove(name)
                for key in [key for key in self.account.blobs if key.startswith(name + "/")]:
                    del self.account.blobs[key]
                self.account.leases.pop(name, None)
                self.done(202)
        else:
            self.done(200)

    def blob(self) -> None:
        if self.command == "PUT":
            if self.lease_is_right():
                self.put()
        elif not self.there():
            self.refuse(404, "BlobNotFound")
        elif self.command == "DELETE":
            if self.lease_is_right():
                del self.account.blobs[self.path_key]
                self.account.leases.pop(self.path_key, None)
                self.done(202)
        else:
            self.get(self.account.blobs[self.path_key])

    def put(self) -> None:
        account, key = self.account, self.path_key
        if self.query.get("comp") == "block":
            account.blocks[key, self.query["blockid"]] = self.body
            self.done(201)
        elif self.query.get("comp") == "blocklist":
            names = re.findall(r"<Latest>(.*?)</Latest>", self.body.decode())
            account.blobs[key] = b"".join(account.blocks.pop((key, name)) for name in names)
            self.done(201)
        elif "x-ms-copy-source" in self.headers:
            source = unquote(urlsplit(self.headers["x-ms-copy-source"]).path).lstrip("/").split("/", 1)[1]
            account.blobs[key] = account.blobs[source]
            self.done(202, x_ms_copy_id="1", x_ms_copy_status="success")
        else:
            account.blobs[key] = self.body
            self.done(201)

    def get(self, content: bytes) -> None:
        kind = {"x_ms_blob_type": "BlockBlob", "Accept_Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("x-ms-range") or "")
        if self.command == "HEAD" or not asked:
            self.done(200, content, **kind)
            return
        first, last = int(asked[1]), int(asked[2] or len(content) - 1)
        if first >= len(content):
            self.refuse(416, "InvalidRange")
            return
        piece = content[first : last + 1]
        span = "bytes %d-%d/%d" % (first, first + len(piece) - 1, len(content))
        self.done(206, piece, Content_Range=span, **kind)
