"""A small HTTP server on loopback that notes what it is asked and answers as a test says."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Request:
    """What was asked: method, path, query (of lists), headers and body (from JSON if it is that)."""

    def __init__(self, method, target, headers, body):
        parts = urlsplit(target)
        self.method, self.path, self.query, self.headers = method, parts.path, parse_qs(parts.query), headers
        try:
            self.body = json.loads(body) if body else None
        except ValueError:
            self.body = body

    def __repr__(self):
        return "%s %s" % (self.method, self.path)


@contextlib.contextmanager
def http_service(answer):
    """Serve while the context lasts; gives the port and the list of requests.

    ``answer`` gets a :py:class:`Request` and returns a status and a body: bytes, or what becomes JSON.
    """
    requests = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self):
            body = self._body()
            request = Request(self.command, self.path, self.headers, body)
            requests.append(request)
            status, content = answer(request)
            plain = isinstance(content, bytes)
            data = content if plain else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if plain else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _body(self):
            if self.headers.get("Transfer-Encoding") == "chunked":
                chunks = []
                while size := int(self.rfile.readline(), 16):
                    chunks.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(chunks)
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, requests
    finally:
        server.shutdown()
        thread.join(timeout=30)
        server.server_close()
