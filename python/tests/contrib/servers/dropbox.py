"""Dropbox in memory, as an adapter for the sessions of requests: the client's own code runs up to the wire."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter


class Refusal(Exception):
    """An error that Dropbox describes by nested tags, such as ``path/not_found``."""


class Dropbox(BaseAdapter):
    """The files of one user. A folder is a path whose content is ``None``."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes | None] = {}
        self.sessions: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.headers: list[Any] = []
        self.page_size = 1000

    def session(self, *_args: Any, **_kwargs: Any) -> requests.Session:
        """Return a session that leads here."""
        session = requests.Session()
        session.mount("https://", self)
        return session

    def close(self) -> None:
        """Keep the files: there is nothing to close."""

    def send(self, request: Any, **_kwargs: Any) -> requests.Response:
        """Answer a request."""
        route = urlsplit(request.url).path.removeprefix("/2/files/")
        self.requests.append(route)
        self.headers.append(request.headers)
        in_header = "Dropbox-API-Arg" in request.headers
        argument = json.loads(request.headers["Dropbox-API-Arg"] if in_header else request.body)
        content = b""
        if in_header and request.body is not None:
            content = request.body if isinstance(request.body, bytes) else request.body.read()
        response = requests.Response()
        response.status_code = 200
        response.request = request
        response.url = request.url
        body = b""
        try:
            result = getattr(self, "do_" + route.replace("/", "_"))(argument, content)
            if isinstance(result, bytes):
                body = result
                response.headers["Dropbox-API-Result"] = json.dumps(self.metadata(argument["path"]))
            else:
                body = json.dumps(result).encode()
        except Refusal as refusal:
            response.status_code = 409
            tags = str(refusal).split("/")
            error: Any = {".tag": tags[-1]}
            for tag in reversed(tags[:-1]):
                error = {".tag": tag, tag: error}
            body = json.dumps({"error_summary": "%s/." % refusal, "error": error}).encode()
        response.headers.update({"Content-Type": "application/json", "X-Dropbox-Request-Id": "1"})
        response.raw = io.BytesIO(body)
        return response

    def metadata(self, path: str) -> dict[str, Any]:
        """Return what Dropbox knows of a path."""
        common = {
            "name": path.rsplit("/", 1)[1],
            "path_lower": path.lower(),
            "path_display": path,
            "id": "id:%s" % path,
        }
        content = self.files[path]
        if content is None:
            return {".tag": "folder", **common}
        time = "2024-05-01T12:00:00Z"
        return {
            ".tag": "file",
            **common,
            "client_modified": time,
            "server_modified": time,
            "rev": "0123456789",
            "size": len(content),
        }

    def look_up(self, path: str, prefix: str = "path/") -> str:
        """Return ``path``, or refuse if there is nothing."""
        if path.endswith("/"):
            raise Refusal(prefix + "malformed_path")
        if path not in self.files:
            raise Refusal(prefix + "not_found")
        return path

    def below(self, path: str) -> list[str]:
        """Return ``path`` and everything in it."""
        return sorted(each for each in self.files if each == path or each.startswith(path + "/"))

    def store(self, path: str, content: bytes | None) -> dict[str, Any]:
        """Write a file or make a folder, with the folders above it."""
        if path.endswith("/"):
            raise Refusal("path/malformed_path")
        above = path.rsplit("/", 1)[0]
        while above:
            self.files.setdefault(above, None)
            above = above.rsplit("/", 1)[0]
        self.files[path] = content
        return self.metadata(path)

    def do_get_metadata(self, argument: Any, _content: bytes) -> Any:
        return self.metadata(self.look_up(argument["path"]))

    def do_create_folder_v2(self, argument: Any, _content: bytes) -> Any:
        return {"metadata": {**self.store(argument["path"], None), ".tag": "folder"}}

    def do_delete_v2(self, argument: Any, _content: bytes) -> Any:
        path = self.look_up(argument["path"], "path_lookup/")
        result = {"metadata": self.metadata(path)}
        for each in self.below(path):
            del self.files[each]
        return result

    def do_list_folder(self, argument: Any, _content: bytes) -> Any:
        limit = argument.get("limit") or self.page_size
        return self.page("0:%d:%s" % (limit, self.look_up(argument["path"])))

    def do_list_folder_continue(self, argument: Any, _content: bytes) -> Any:
        return self.page(argument["cursor"])

    def page(self, cursor: str) -> Any:
        """Return a part of a folder's listing."""
        start, limit, path = cursor.split(":", 2)
        names = self.below(path)
        end = int(start) + int(limit)
        entries = [self.metadata(name) for name in names[int(start) : end]]
        return {"entries": entries, "cursor": "%d:%s:%s" % (end, limit, path), "has_more": end < len(names)}

    def relocate(self, argument: Any, keep: bool) -> Any:
        """Copy or move everything below a path."""
        source, to = self.look_up(argument["from_path"], "from_lookup/"), argument["to_path"]
        for each in self.below(source):
            self.store(to + each[len(source) :], self.files[each])
            if not keep:
                del self.files[each]
        return {"metadata": self.metadata(to)}

    def do_move_v2(self, argument: Any, _content: bytes) -> Any:
        return self.relocate(argument, keep=False)

    def do_copy_v2(self, argument: Any, _content: bytes) -> Any:
        return self.relocate(argument, keep=True)

    def do_download(self, argument: Any, _content: bytes) -> Any:
        return self.files[self.look_up(argument["path"])]

    def do_upload(self, argument: Any, content: bytes) -> Any:
        return self.store(argument["path"], content)

    def do_upload_session_start(self, _argument: Any, content: bytes) -> Any:
        number = str(len(self.sessions))
        self.sessions[number] = content
        return {"session_id": number}

    def do_upload_session_append_v2(self, argument: Any, content: bytes) -> Any:
        self.append(argument["cursor"], content)

    def append(self, cursor: Any, content: bytes) -> str:
        """Add to what a session has sent."""
        number = cursor["session_id"]
        assert cursor["offset"] == len(self.sessions[number])
        self.sessions[number] += content
        return number

    def do_upload_session_finish(self, argument: Any, content: bytes) -> Any:
        number = self.append(argument["cursor"], content)
        path, whole = argument["commit"]["path"], self.sessions.pop(number)
        if self.files.get(path, whole) != whole:
            raise Refusal("path/conflict/file")
        result = self.store(path, whole)
        del result[".tag"]
        return result
