"""OpenSSH's server on a free port, with a key that may log in."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from processes import free_port


@dataclass
class Login:
    """How to get in."""

    port: int
    username: str
    key_file: str

    def arguments(self) -> dict[str, object]:
        """Return the arguments of ``luigi.contrib.ssh.RemoteContext``."""
        return {
            "username": self.username,
            "port": self.port,
            "key_file": self.key_file,
            "no_host_key_check": True,
            "connect_timeout": 10,
        }


def wait_for_port(port: int, seconds: float = 20) -> None:
    """Return when somebody listens on ``port``; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "nobody listens on port %d" % port
            time.sleep(0.02)


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[Login]:
    """Run a server, with its files in ``folder``, as long as the ``with`` lasts."""
    # sshd insists on an absolute path to itself.
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    for key in ("host_key", "user_key"):
        # pysftp reads RSA keys in the old format only.
        command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", str(folder / key)]
        subprocess.run(command, check=True, timeout=60)
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
    port = free_port()
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host_key",
        "AuthorizedKeysFile": folder / "authorized_keys",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "PasswordAuthentication": "no",
        "MaxStartups": "100",
        "Subsystem": "sftp internal-sftp",
    }
    (folder / "sshd_config").write_text("".join("%s %s\n" % each for each in settings.items()))
    with open(folder / "sshd.log", "wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
    try:
        wait_for_port(port)
        yield Login(port, getpass.getuser(), str(folder / "user_key"))
    finally:
        process.terminate()
        process.wait(timeout=20)
