"""Real database servers for the tests, each on a spare port of the loopback interface, with its data in a folder of
its own that goes away afterwards. They run as an unprivileged user, as PostgreSQL and MariaDB demand.
"""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

HOST = "127.0.0.1"
_START_SECS = 60


@dataclass(frozen=True)
class Server:
    """Where a server answers, and a database on it that may be written to."""

    port: int
    database: str = ""
    user: str = ""
    password: str = ""

    @property
    def address(self) -> str:
        """`host:port`, as targets take it."""
        return f"{HOST}:{self.port}"


def _program(name: str, *folders: str) -> str:
    """The path of a program, or a skip that names what is missing."""
    found = shutil.which(name) or next((path for f in folders for path in sorted(glob.glob(f"{f}/{name}"))), None)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def _spare_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


@contextmanager
def _folder() -> Iterator[tuple[str, dict]]:
    """A folder for a server's data, and how to start processes as the user that it belongs to."""
    path = tempfile.mkdtemp(prefix="luigi-tests-")
    as_user: dict = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
        as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    try:
        yield path, as_user
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _running(command: list[str], folder: str, as_user: dict, ready: Callable[[], object]) -> Iterator[None]:
    """Runs a server until the end of the block; the block starts when `ready` no longer raises."""
    log_path = os.path.join(folder, "server.log")
    with open(log_path, "wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **as_user)
    try:
        give_up = time.monotonic() + _START_SECS
        while True:
            try:
                ready()
                break
            except Exception as reason:
                if process.poll() is not None or time.monotonic() > give_up:
                    with open(log_path, errors="replace") as log:
                        pytest.fail(f"{command[0]} did not start: {reason}\n{log.read()}")
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=30)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL server with an empty database."""
    psycopg2 = pytest.importorskip("psycopg2")
    initdb = _program("initdb", "/usr/lib/postgresql/*/bin", "/usr/local/bin")
    postgres = _program("postgres", os.path.dirname(os.path.realpath(initdb)), "/usr/lib/postgresql/*/bin")
    server = Server(_spare_port(), "pipelines", "luigi", "secret")
    with _folder() as (folder, as_user):
        data = os.path.join(folder, "data")
        subprocess.run(
            [initdb, "-D", data, "-U", server.user, "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"],
            check=True,
            cwd=folder,
            capture_output=True,
            timeout=_START_SECS,
            **as_user,
        )
        command = [postgres, "-D", data, "-p", str(server.port), "-k", folder, "-h", HOST, "-F"]

        def create_database() -> None:
            connection = psycopg2.connect(host=HOST, port=server.port, user=server.user, dbname="postgres")
            connection.autocommit = True
            connection.cursor().execute(f"CREATE DATABASE {server.database}")
            connection.close()

        with _running(command, folder, as_user, create_database):
            yield server


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[Server]:
    """A MariaDB server with an empty database."""
    connector = pytest.importorskip("mysql.connector")
    install = _program("mariadb-install-db")
    daemon = _program("mariadbd", "/usr/sbin")
    server = Server(_spare_port(), "pipelines", "root", "")
    with _folder() as (folder, as_user):
        data = f"--datadir={folder}/data"
        subprocess.run(
            [install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True,
            cwd=folder,
            capture_output=True,
            timeout=_START_SECS,
            **as_user,
        )
        command = [
            daemon,
            "--no-defaults",
            data,
            f"--port={server.port}",
            f"--bind-address={HOST}",
            f"--socket={folder}/mysql.sock",
            f"--pid-file={folder}/mysql.pid",
            "--innodb-flush-log-at-trx-commit=0",
        ]

        def create_database() -> None:
            connection = connector.connect(host=HOST, port=server.port, user=server.user, autocommit=True)
            connection.cursor().execute(f"CREATE DATABASE {server.database} CHARACTER SET utf8mb4")
            connection.close()

        with _running(command, folder, as_user, create_database):
            yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Server]:
    """A Redis server that asks for a password and keeps nothing on disk."""
    redis = pytest.importorskip("redis")
    program = _program("redis-server")
    server = Server(_spare_port(), password="secret")
    with _folder() as (folder, as_user):
        command = [program, "--port", str(server.port), "--bind", HOST, "--save", "", "--dir", folder]
        client = redis.Redis(host=HOST, port=server.port, password=server.password)
        with _running([*command, "--requirepass", server.password], folder, as_user, client.ping):
            yield server
