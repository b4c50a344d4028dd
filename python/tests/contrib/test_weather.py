"""The example ``weather`` in Python makes what the one in Rust makes, to the last digit."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import psycopg2
import pytest
from processes import ENVIRONMENT

from .servers.ftp import PASSWORD, USER, ftp_server
from .servers.ssh import sshd

EXAMPLES = os.environ.get("CONDOTTA_EXAMPLES")
WEATHER = Path(__file__).resolve().parents[3] / "examples" / "python" / "weather.py"
FILES = ("report.csv", "temperatures.csv", "monthly.csv", "ranked.csv")
QUERY = "SELECT rank, month, rain_days, precipitation, highest, lowest, normal FROM monthly_weather ORDER BY rank"


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the example in a folder of its own."""
    command = [sys.executable, str(WEATHER), "--no-lock", *arguments]
    environment = {**ENVIRONMENT, "PYTHONWARNINGS": "ignore", **more}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=200)
    assert ran.returncode == 0, ran.stderr
    assert "This progress looks :)" in ran.stderr, ran.stderr
    return ran


def loaded(path: Path) -> list[tuple]:
    with sqlite3.connect(path / "warehouse.sqlite") as database:
        return database.execute(QUERY).fetchall()


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """What the example makes where nothing is said: its folder, and what it printed."""
    folder = tmp_path_factory.mktemp("here")
    ran = run(folder)
    return folder / "target" / "weather", ran


@pytest.mark.skipif(not EXAMPLES, reason="CONDOTTA_EXAMPLES does not name the folder of Rust's example programs")
def test_both_languages_make_the_same(here, tmp_path):
    folder, ran = here
    rust = subprocess.run([Path(EXAMPLES or "") / "weather"], cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert rust.returncode == 0, rust.stderr
    of_rust = tmp_path / "target" / "weather"
    for name in FILES:
        assert (folder / name).read_bytes() == (of_rust / name).read_bytes(), name
    assert len(loaded(folder)) == 48
    assert loaded(folder) == loaded(of_rust)
    # The same table for people.
    table = rust.stdout[rust.stdout.index("rank  month") :].rstrip()
    assert table in ran.stdout
    assert "* 5 ran successfully:" in ran.stderr and "Scheduled 5 tasks of which:" in rust.stderr


def test_a_second_run_does_nothing(here):
    folder, _ = here
    again = run(folder.parent.parent)
    assert "* 1 complete ones were encountered:" in again.stderr
    assert "Did not run any tasks" in again.stderr


def test_on_two_workers_it_makes_the_same(here, tmp_path):
    folder, _ = here
    run(tmp_path, "--workers", "2")
    assert loaded(tmp_path / "target" / "weather") == loaded(folder)


def test_a_postgresql_is_read_and_loaded(here, postgres_server, tmp_path):
    folder, _ = here
    server = postgres_server
    place = f"{server.user}@{server.address}/{server.database}"
    url = f"postgresql+psycopg2://{place}"
    ran = run(tmp_path, "--Weather-database-url", url)
    with psycopg2.connect(f"postgresql://{place}") as connection, connection.cursor() as cursor:
        cursor.execute(QUERY)
        assert cursor.fetchall() == loaded(folder)
        cursor.execute("SELECT count(*) FROM hourly_temperature")
        assert cursor.fetchone()[0] > 8000
        cursor.execute("SELECT count(*) FROM table_updates WHERE target_table = 'monthly_weather'")
        assert cursor.fetchone() == (1,)
    connection.close()
    assert url not in ran.stderr
    assert "Did not run any tasks" in run(tmp_path, "--Weather-database-url", url).stderr


def test_ftp_keeps_what_is_in_between(here, tmp_path):
    folder, _ = here
    root, place = tmp_path / "root", tmp_path / "place"
    root.mkdir()
    place.mkdir()
    with ftp_server(root) as port:
        password = PASSWORD.replace(" ", "%20")
        run(place, "--storage", f"ftp://{USER}:{password}@127.0.0.1:{port}/weather")
    _compare(folder, place, root / "weather")


def test_a_machine_behind_ssh_keeps_what_is_in_between(here, tmp_path):
    folder, _ = here
    root, place, programs = (tmp_path / name for name in ("root", "place", "programs"))
    for path in (root, place, programs):
        path.mkdir()
    with sshd(programs) as login:
        # The user's own configuration would say as much.
        options = f"-i {login.key_file} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        for name in ("ssh", "scp"):
            script = programs / name
            script.write_text(f'#!/bin/sh\nexec {shutil.which(name)} {options} "$@"\n')
            script.chmod(0o755)
        url = f"sftp://{login.username}@127.0.0.1:{login.port}{root}/weather"
        run(place, "--storage", url, PATH=f"{programs}:{os.environ['PATH']}")
    _compare(folder, place, root / "weather")


def test_s3_keeps_what_is_in_between(here, tmp_path):
    import boto3
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    folder, _ = here
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        login = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
        s3 = boto3.resource("s3", endpoint_url=f"http://127.0.0.1:{server.server_port}", **login)
        bucket = s3.create_bucket(Bucket="store")
        keys = "aws_access_key_id = key\naws_secret_access_key = secret\n"
        (tmp_path / "luigi.cfg").write_text(f"[s3]\n{keys}endpoint_url = http://127.0.0.1:{server.server_port}\n")
        more = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required"}
        run(tmp_path, "--storage", "s3://store/weather", **more)
        for name in FILES:
            kept = bucket.Object(f"weather/{name}").get()["Body"].read()
            assert kept == (folder / name).read_bytes(), name
    finally:
        server.shutdown()
        thread.join(timeout=30)
        server.server_close()
    assert loaded(tmp_path / "target" / "weather") == loaded(folder)


def _compare(folder, place, kept):
    for name in FILES:
        assert (kept / name).read_bytes() == (folder / name).read_bytes(), name
    assert loaded(place / "target" / "weather") == loaded(folder)
    assert not (place / "target" / "weather" / "report.csv").exists()
