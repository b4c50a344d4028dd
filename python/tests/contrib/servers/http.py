"""What the HTTP servers of the tests share: an address on loopback, and answers."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class Handler(BaseHTTPRequestHandler):
    """Hands every request to ``answer``, which subclasses write, and logs nothing."""

    protocol_version = "HTTP/1.1"
    # Without this the kernel waits before it sends the second part of an answer.
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""

    def handle_request(self) -> None:
        """Take the request apart and answer it."""
        parts = urlsplit(self.path)
        self.route = unquote(parts.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.body = self._read_body()
        self.answer()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

    def answer(self) -> None:
        """Answer the request."""
        raise NotImplementedError

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, status: int, body: Any = b"", length: int | None = None, **headers: Any) -> None:
        """Send ``body`` (JSON unless bytes); underscores in the names of headers are hyphens."""
        if not isinstance(body, bytes):
            headers.setdefault("Content_Type", "application/json")
            body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextlib.contextmanager
def serve(handler: type[Handler], **attributes: Any) -> Iterator[str]:
    """Answer requests by ``handler`` as long as the ``with`` lasts, and give the server's address.

    ``attributes`` are set on the handler's class.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (handler,), attributes))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield "http://127.0.0.1:%d" % server.server_port
    finally:
        server.shutdown()
        thread.join(timeout=20)
        server.server_close()
