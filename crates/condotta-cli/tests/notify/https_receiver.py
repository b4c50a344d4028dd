"""A receiver of webhooks over TLS, with the certificate in the folder that it is called with.

It writes each message to `messages.jsonl`, and its port to `https-port` once it listens.
"""

import http.server
import pathlib
import ssl
import sys

folder = pathlib.Path(sys.argv[1])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(folder / "messages.jsonl", "ab") as messages:
            messages.write(body + b"\n")
        self.send_response(204)
        self.end_headers()


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
(folder / "https-port.new").write_text(str(server.server_address[1]))
(folder / "https-port.new").rename(folder / "https-port")
server.serve_forever()
