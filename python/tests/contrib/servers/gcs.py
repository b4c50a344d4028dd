"""Google Cloud Storage in memory: the part of its JSON interface that the client uses, over HTTP."""

from __future__ import annotations

import json
import re
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import googleapiclient

from .http import Handler


class Store:
    """What the server keeps."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.types: dict[tuple[str, str], str] = {}
        self.buckets = {"store"}
        self.sessions: dict[str, dict[str, Any]] = {}
        # Status codes with which the next requests fail.
        self.failures: list[int] = []
        # Names that cannot be deleted.
        self.kept: set[str] = set()
        self.page_size = 1000

    def resource(self, bucket: str, name: str) -> dict[str, Any]:
        """Return what the interface says of an object."""
        content = self.objects[bucket, name]
        return {
            "kind": "storage#object",
            "bucket": bucket,
            "name": name,
            "size": str(len(content)),
            "contentType": self.types.get((bucket, name), ""),
        }


def descriptor(address: str) -> str:
    """Return the description of the interface that comes with the client, with this server's address."""
    bundled = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "storage.v1.json"
    document = json.loads(bundled.read_text())
    document.update(rootUrl=address + "/", baseUrl=address + "/storage/v1/", batchPath="batch/storage/v1")
    document.pop("mtlsRootUrl", None)
    return json.dumps(document)


class GcsHandler(Handler):
    """Answers from ``store``."""

    store: Store

    def answer(self) -> None:
        """Find the operation by the path, in which a name's own slashes are still encoded."""
        if self.store.failures:
            self.reply(self.store.failures.pop(0), {"error": {"message": "try again"}})
            return
        path = urlsplit(self.path).path
        if path == "/batch/storage/v1":
            self.batch()
        elif path.startswith("/upload/storage/v1/b/"):
            self.upload(unquote(path.split("/")[5]))
        else:
            self.reply(*self.operate(self.command, path, self.query))

    def operate(self, method: str, path: str, query: dict[str, str]) -> tuple[Any, ...]:
        """Carry out an operation and return status and body."""
        store = self.store
        missing = (404, {"error": {"message": "Not Found"}})
        if method == "POST" and path == "/storage/v1/b":
            name = json.loads(self.body)["name"]
            if name in store.buckets:
                return 409, {"error": {"message": "conflict"}}
            store.buckets.add(name)
            return 200, {"name": name}
        found = re.fullmatch(r"/storage/v1/b/([^/]+)(?:/o(?:/([^/]+))?)?(?:/copyTo/b/([^/]+)/o/([^/]+))?", path)
        bucket, name, to_bucket, to_name = (unquote(part) if part else part for part in found.groups())
        if bucket not in store.buckets:
            return missing
        if path.endswith("/o"):
            return 200, self.listing(bucket, query)
        if name is None:
            return 200, {"name": bucket}
        if (bucket, name) not in store.objects:
            return missing
        if to_name:
            store.objects[to_bucket, to_name] = store.objects[bucket, name]
            return 200, store.resource(to_bucket, to_name)
        if method == "DELETE":
            if name in store.kept:
                return 403, {"error": {"message": "Forbidden"}}
            del store.objects[bucket, name]
            return 204, b""
        if query.get("alt") == "media":
            return self.media(store.objects[bucket, name])
        return 200, store.resource(bucket, name)

    def listing(self, bucket: str, query: dict[str, str]) -> dict[str, Any]:
        """Return one page of the objects with a prefix."""
        prefix = query.get("prefix", "")
        names = sorted(name for where, name in self.store.objects if where == bucket and name.startswith(prefix))
        start = int(query.get("pageToken", 0))
        end = start + min(int(query.get("maxResults", self.store.page_size)), self.store.page_size)
        page: dict[str, Any] = {"kind": "storage#objects"}
        if names[start:end]:
            page["items"] = [self.store.resource(bucket, name) for name in names[start:end]]
        if end < len(names):
            page["nextPageToken"] = str(end)
        return page

    def media(self, content: bytes) -> tuple[Any, ...]:
        """Return the part of ``content`` that was asked for."""
        first, last = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["range"]).groups()
        piece = content[int(first) : int(last) + 1]
        self.extra = {"Content_Range": "bytes %s-%d/%d" % (first, int(first) + len(piece) - 1, len(content))}
        return 206, piece

    def reply(self, status: int, body: Any = b"", length: int | None = None, **headers: Any) -> None:
        """Send also what ``media`` has to say of its piece."""
        super().reply(status, body, length, **headers, **self.__dict__.pop("extra", {}))

    def upload(self, bucket: str) -> None:
        """Take an object in one piece, or in several if the client starts a session."""
        if bucket not in self.store.buckets:
            self.reply(404, {"error": {"message": "Not Found"}})
            return
        if self.command == "POST" and self.query["uploadType"] == "media":
            self.keep(bucket, self.query["name"], self.body, self.headers["Content-Type"])
        elif self.command == "POST":
            number = str(len(self.store.sessions))
            kind = self.headers["X-Upload-Content-Type"]
            self.store.sessions[number] = {"name": self.query["name"], "content": b"", "type": kind}
            address = "http://%s%s&upload_id=%s" % (self.headers["Host"], self.path, number)
            self.reply(200, {}, Location=address)
        else:
            session = self.store.sessions[self.query["upload_id"]]
            session["content"] += self.body
            total = int(self.headers["Content-Range"].split("/")[1])
            if len(session["content"]) < total:
                self.reply(308, b"", Range="bytes=0-%d" % (len(session["content"]) - 1))
            else:
                self.keep(bucket, session["name"], session["content"], session["type"])

    def keep(self, bucket: str, name: str, content: bytes, kind: str) -> None:
        """Store an object and say so."""
        self.store.objects[bucket, name] = content
        self.store.types[bucket, name] = kind
        self.reply(200, self.store.resource(bucket, name))

    def batch(self) -> None:
        """Carry out several requests that came as one."""
        header = "Content-Type: %s\r\n\r\n" % self.headers["Content-Type"]
        parts = BytesParser().parsebytes(header.encode() + self.body).get_payload()
        if len(parts) > 100:
            self.reply(400, {"error": {"message": "too many"}})
            return
        answers = []
        for part in parts:
            method, target, _ = part.get_payload().split("\n", 1)[0].split(" ")
            pieces = urlsplit(target)
            status, body = self.operate(method, pieces.path, dict(parse_qsl(pieces.query)))[:2]
            text = body.decode() if isinstance(body, bytes) else json.dumps(body)
            number = part["Content-ID"].replace("<", "<response-", 1)
            answers.append(
                "--answers\r\nContent-Type: application/http\r\nContent-ID: %s\r\n\r\n"
                "HTTP/1.1 %d Done\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s\r\n"
                % (number, status, len(text), text)
            )
        whole = "".join(answers) + "--answers--\r\n"
        self.reply(200, whole.encode(), Content_Type="multipart/mixed; boundary=answers")
