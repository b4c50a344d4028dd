"""pyftpdlib's FTP server on a free port, plain or with TLS."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

USER, PASSWORD = "luigi", "some password"


def _tls_handler(folder: Path) -> type[FTPHandler]:
    certificate = folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run(
        [*command, "-keyout", str(certificate), "-out", str(folder / "public.pem")],
        check=True,
        capture_output=True,
        timeout=60,
    )
    with open(certificate, "a") as whole:
        whole.write((folder / "public.pem").read_text())
    required = {"certfile": str(certificate), "tls_control_required": True, "tls_data_required": True}
    return type("Handler", (TLS_FTPHandler,), required)


@contextlib.contextmanager
def ftp_server(root: Path, tls_folder: Path | None = None) -> Iterator[int]:
    """Serve the directory ``root`` as long as the ``with`` lasts, and give the port.

    With ``tls_folder``, where the certificate is put, control and data have to be encrypted.
    """
    handler = _tls_handler(tls_folder) if tls_folder else type("Handler", (FTPHandler,), {})
    handler.authorizer = DummyAuthorizer()
    handler.authorizer.add_user(USER, PASSWORD, str(root), perm="elradfmwMT")
    loop = IOLoop()
    server = FTPServer(("127.0.0.1", 0), handler, ioloop=loop)
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            server.serve_forever(timeout=0.05, blocking=False)
        server.close_all()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.address[1]
    finally:
        stopping.set()
        thread.join(timeout=20)
