"""Workers of ours, in Python and Rust, on a scheduler that wants tokens and encrypts connections."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from processes import ENVIRONMENT, free_port, wait_until

import luigi.rpc
from luigi.rpc import RemoteScheduler, RPCError
from luigi.worker import Worker

EXAMPLES = os.environ.get("CONDOTTA_EXAMPLES")
CONDOTTA = [sys.executable, "-c", "import sys; from condotta._engine import main; sys.exit(main())"]
WAIT_SECS = 60

needs_examples = pytest.mark.skipif(
    not EXAMPLES, reason="CONDOTTA_EXAMPLES does not name the folder of Rust's example programs"
)


class Secured:
    """A scheduler's server, and what its callers need."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.certificate = folder / "scheduler.pem"
        self.log = folder / "server.log"
        self._make_certificate()
        self.token = self._make_token("worker")

    def _make_certificate(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "scheduler")])
        names: list[x509.GeneralName] = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.certificate.write_bytes(certificate.public_bytes(pem))
        (self.folder / "scheduler.key").write_bytes(private)

    def _make_token(self, role: str) -> str:
        command = [*CONDOTTA, "token", "create", role, "--role", role, "--state-dir", "state"]
        made = subprocess.run(command, cwd=self.folder, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True)
        return made.stdout.strip()

    def url(self, user: str = "") -> str:
        return f"https://{user}127.0.0.1:{self.port}/"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        command = [*CONDOTTA, "scheduler", "--address", "127.0.0.1", "--port", str(self.port), "--state-dir", "state"]
        command += ["--tls-certificate", "scheduler.pem", "--tls-key", "scheduler.key"]
        with open(self.log, "wb") as log:
            server = subprocess.Popen(command, cwd=self.folder, env=ENVIRONMENT, stdout=log, stderr=log)
        try:
            wait_until(lambda: server.poll() is not None or "State in" in self.log.read_text(), WAIT_SECS)
            assert server.poll() is None, self.log.read_text()
            yield
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(WAIT_SECS)


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    server = Secured(tmp_path_factory.mktemp("secured"))
    with server.running():
        yield server


class Answer(luigi.Task):
    folder = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(os.path.join(self.folder, "answer"))

    def run(self):
        with self.output().open("w") as out:
            out.write("42")


def run(scheduler: RemoteScheduler, folder: Path) -> bool:
    with Worker(scheduler=scheduler, worker_id=f"worker-{folder.name}-{threading.get_ident()}") as worker:
        return worker.add(Answer(str(folder))) and worker.run()


def test_a_token_in_the_url_will_do(secured, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secured.certificate))
    assert run(RemoteScheduler(secured.url(f"me:{secured.token}@")), tmp_path)
    assert (tmp_path / "answer").read_text() == "42"


def test_token_and_certificates_may_be_configured(secured, tmp_path):
    config = luigi.configuration.get_config()
    config.set("core", "rpc_token", secured.token)
    config.set("core", "rpc_ca_file", str(secured.certificate))
    try:
        assert run(RemoteScheduler(secured.url()), tmp_path)
    finally:
        config.remove_option("core", "rpc_token")
        config.remove_option("core", "rpc_ca_file")


def test_a_token_may_be_in_the_environment(secured, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secured.certificate))
    monkeypatch.setenv("CONDOTTA_TOKEN", secured.token)
    assert run(RemoteScheduler(secured.url()), tmp_path)


def test_who_has_no_token_is_refused_at_once(secured, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secured.certificate))
    with pytest.raises(RPCError, match=r"Errors \(1 attempts\)") as caught:
        RemoteScheduler(secured.url()).ping(worker="w")
    assert "wants a token" in str(caught.value.sub_exception)


def test_a_password_is_shown_nowhere(secured, caplog):
    """Neither where the certificate is not trusted, nor where nobody is."""
    dead = f"https://me:{secured.token}@127.0.0.1:{free_port()}/"
    for url in (secured.url(f"me:{secured.token}@"), dead):
        client = RemoteScheduler(url)
        client._rpc_retry_attempts, client._rpc_retry_wait = 2, 0
        with pytest.raises(RPCError) as caught:
            client.ping(worker="w")
        assert "https://me@127.0.0.1" in str(caught.value)
        assert secured.token not in f"{caught.value} {caught.value.sub_exception} {caught.value.__cause__!r}"
    assert "Failed connecting to remote scheduler 'https://me@127.0.0.1" in caplog.text
    assert secured.token not in caplog.text
    assert secured.token not in secured.log.read_text()


def test_a_mail_of_a_failure_has_no_password(secured):
    argv = ["luigi", "--scheduler-url", f"https://me:{secured.token}@host:8082/", "Fails"]
    with mock.patch.object(sys, "argv", argv), mock.patch("luigi.notifications.send_error_email") as send:
        with Worker() as worker:
            worker._email_error(Answer("x"), "traceback", "subject", "headline")
    text = str(send.call_args)
    assert "https://me@host:8082/" in text and secured.token not in text


@needs_examples
def test_a_worker_in_rust_has_its_token_from_the_environment(secured, tmp_path):
    command = [
        str(Path(EXAMPLES or "") / "hello_world"),
        "HelloWorldTask",
        "--scheduler-url",
        secured.url(),
        "--no-lock",
    ]
    environment = {**os.environ, "REQUESTS_CA_BUNDLE": str(secured.certificate), "CONDOTTA_TOKEN": secured.token}
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, timeout=WAIT_SECS, capture_output=True, text=True, check=False
    )
    assert "This progress looks :)" in ended.stdout + ended.stderr, ended
    assert secured.token not in ended.stdout + ended.stderr
    refused = subprocess.run(
        [*command, "--log-level", "WARNING"],
        cwd=tmp_path,
        env={**environment, "CONDOTTA_TOKEN": ""},
        timeout=WAIT_SECS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 4 and "wants a token" in refused.stderr, refused
