"""The example ``weather`` in Python: five tasks fetch, dump, join, hand to an old program and load into a database.

``python examples/python/weather.py`` runs all of it and prints the wettest months; it needs SQLAlchemy. With
``--filter-with spark`` the filter is an application of Spark, as section ``[spark]`` of the configuration says. With
``--Weather-database-url postgresql://…`` there is a PostgreSQL at both ends, and with ``--storage s3://bucket/weather``
(or ``sftp://user@host/srv/weather``, ``ftp://user:password@host/weather``) that store keeps what is in between.

The task and its options are those of the example in Rust, and so is each digit of the result.
"""

from __future__ import annotations

import csv
import functools
import http.server
import os
import posixpath
import subprocess
import tempfile
import threading
import urllib.parse
import urllib.request
from collections import defaultdict
from pathlib import Path

import sqlalchemy

import luigi
from luigi.contrib.external_program import ExternalProgramRunContext, ExternalProgramTask
from luigi.contrib.spark import SparkSubmitTask
from luigi.contrib.sqla import CopyToTable
from luigi.parameter import ParameterVisibility
from luigi.util import requires

ROOT = Path(__file__).resolve().parent.parent.parent
#: The folder with the real data.
DATA = ROOT / "data"
#: The filter for Spark.
FILTER = ROOT / "examples" / "weather" / "filter.py"


class Weather(luigi.Config):
    """Settings: section ``[Weather]`` of the configuration, or flags such as ``--Weather-folder``."""

    folder = luigi.Parameter(default="target/weather", description="Where the databases are, and the outputs")
    database_url = luigi.OptionalParameter(
        default=None,
        visibility=ParameterVisibility.PRIVATE,
        description="The database that is read from and loaded into, in place of two files in the folder",
    )


def database(file: str) -> str:
    """The address of the database of the settings, or of a file of this name in the folder."""
    settings = Weather()
    os.makedirs(settings.folder, exist_ok=True)
    return settings.database_url or f"sqlite:///{settings.folder}/{file}"


def stored(storage: str | None, name: str) -> luigi.target.FileSystemTarget:
    """An output in the storage, or in the folder."""
    if not storage:
        return luigi.LocalTarget(os.path.join(Weather().folder, name))
    url = urllib.parse.urlsplit(posixpath.join(storage, name))
    path = urllib.parse.unquote(url.path)
    if url.scheme == "s3":
        from luigi.contrib.s3 import S3Target

        return S3Target(url.geturl())
    if url.scheme == "sftp":
        from luigi.contrib import ssh

        return ssh.RemoteTarget(path, url.hostname, username=url.username, port=url.port)
    if url.scheme == "ftp":
        from luigi.contrib import ftp

        password = urllib.parse.unquote(url.password or "")
        return ftp.RemoteTarget(path, url.hostname, username=url.username, password=password, port=url.port or 21)
    raise ValueError(f"storage is {storage!r}: there are s3://, sftp:// and ftp://")


# The world outside of the pipeline, so that the example needs nothing else. Real pipelines are given an address and a
# database's name.


class Files(http.server.SimpleHTTPRequestHandler):
    """A small file server for the data, on this machine only."""

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@functools.cache
def report_server() -> str:
    """The address of the report, on a server that starts when it is first asked for."""
    handler = functools.partial(Files, directory=str(DATA))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/seattle-weather.csv"


def fill_database(engine: sqlalchemy.Engine) -> None:
    """Fills the table ``hourly_temperature``, if it is not there yet, with degrees Fahrenheit."""
    metadata = sqlalchemy.MetaData()
    table = sqlalchemy.Table(
        "hourly_temperature",
        metadata,
        sqlalchemy.Column("measured_at", sqlalchemy.String(16), primary_key=True),
        sqlalchemy.Column("fahrenheit", sqlalchemy.Double),
    )
    with engine.begin() as connection:
        if connection.dialect.has_table(connection, table.name):
            return
        metadata.create_all(connection)
        with open(DATA / "seattle-temps.csv", newline="") as file:
            hours = [{"measured_at": row["date"], "fahrenheit": float(row["temp"])} for row in csv.DictReader(file)]
        connection.execute(table.insert(), hours)


class Stored:
    """What tasks have that keep something in the storage."""

    storage = luigi.OptionalParameter(
        default=None,
        significant=False,
        visibility=ParameterVisibility.PRIVATE,
        description="Where the outputs between the databases are, such as s3://bucket/weather",
    )


class WgetWeatherReport(Stored, luigi.Task):
    """Extract: downloads the daily weather report into the storage."""

    report_url = luigi.OptionalParameter(
        default=None,
        significant=False,
        description="Where the report is; by default on a file server that this program starts",
    )

    def output(self):
        return stored(self.storage, "report.csv")

    def run(self):
        url = self.report_url or report_server()
        self.set_tracking_url(url)
        with urllib.request.urlopen(url) as response, self.output().open("w") as out:
            out.write(response.read().decode())


class GetTemperatureSnapshot(Stored, luigi.Task):
    """Extract: dumps the table of hourly temperatures into the storage."""

    def output(self):
        return stored(self.storage, "temperatures.csv")

    def run(self):
        engine = sqlalchemy.create_engine(database("source.sqlite"))
        fill_database(engine)
        query = "SELECT measured_at, fahrenheit FROM hourly_temperature ORDER BY measured_at"
        with engine.connect() as connection, self.output().open("w") as out:
            lines = csv.writer(out, lineterminator="\n")
            lines.writerow(["measured_at", "fahrenheit"])
            lines.writerows(connection.execute(sqlalchemy.text(query)))
        engine.dispose()


def by_month(report, temperatures):
    """Joins the days of the report, by month, with what is usual in that month of the year.

    Yields month, days of rain, millimetres of rain, highest, lowest and usual temperature, in degrees Celsius.
    """
    sums = defaultdict(lambda: [0.0, 0])
    for row in csv.DictReader(temperatures):
        of_year = sums[row["measured_at"][5:7]]
        of_year[0] += (float(row["fahrenheit"]) - 32.0) * 5.0 / 9.0
        of_year[1] += 1
    months = {}
    for date, precipitation, highest, lowest, *_ in list(csv.reader(report))[1:]:
        name = date[:7].replace("/", "-")
        highest, lowest, precipitation = float(highest), float(lowest), float(precipitation)
        days, rain, most, least = months.get(name, (0, 0.0, highest, lowest))
        months[name] = (days + (precipitation > 0), rain + precipitation, max(most, highest), min(least, lowest))
    for name, month in sorted(months.items()):
        total, count = sums[name[5:7]]
        yield (name, *month, total / count)


class SparkFilter(SparkSubmitTask):
    """The same on Spark; it reads two files and prints."""

    report = luigi.Parameter()
    temperatures = luigi.Parameter()
    app = str(FILTER)
    name = "FilterWeatherData"

    def app_options(self):
        return [self.report, self.temperatures]

    def run_into(self, file) -> None:
        """Runs it, and writes what it prints into a file."""
        arguments = [str(argument) for argument in self.program_args()]
        process = subprocess.Popen(arguments, stdout=file, env=self.program_environment())
        with ExternalProgramRunContext(process):
            if process.wait() != 0:
                raise RuntimeError(f"spark-submit failed with exit code {process.returncode}")


def fetch(target, path: Path) -> None:
    """Copies an input to a local path, for programs that know nothing of targets."""
    with target.open() as source:
        path.write_text(source.read())


@requires(WgetWeatherReport, GetTemperatureSnapshot)
class FilterWeatherData(luigi.Task):
    """Transform: counts each month's days of rain, finds its extremes and adds what is usual."""

    filter_with = luigi.ChoiceParameter(
        choices=["python", "spark"], default="python", significant=False, description="What does the work"
    )

    def output(self):
        return stored(self.storage, "monthly.csv")

    def run(self):
        report, temperatures = self.input()
        if self.filter_with == "spark":
            self.run_on_spark(report, temperatures)
            return
        with report.open() as days, temperatures.open() as hours:
            months = list(by_month(days, hours))
        self.set_status_message(f"{len(months)} months")
        with self.output().open("w") as out:
            csv.writer(out, lineterminator="\n").writerows(months)

    def run_on_spark(self, report, temperatures):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            fetch(report, folder / "report.csv")
            fetch(temperatures, folder / "temperatures.csv")
            with open(folder / "monthly.csv", "wb") as file:
                SparkFilter(str(folder / "report.csv"), str(folder / "temperatures.csv")).run_into(file)
            with self.output().open("w") as out:
                out.write((folder / "monthly.csv").read_text())


@requires(FilterWeatherData)
class PreprocessWithLegacyTool(ExternalProgramTask):
    """Transform: orders the months by their days of rain, the wettest first, with the system's ``sort``."""

    def output(self):
        return stored(self.storage, "ranked.csv")

    def program_args(self):
        keys = ["-t", ",", "-k", "2,2nr", "-k", "3,3nr", "-k", "1,1"]
        return ["sort", *keys, "-o", self.ranked, self.months]

    def program_environment(self):
        return super().program_environment() | {"LC_ALL": "C"}

    def run(self):
        # The tool knows nothing of targets: it reads a file, and writes another one.
        with tempfile.TemporaryDirectory() as folder:
            self.months, self.ranked = Path(folder) / "monthly.csv", Path(folder) / "ranked.csv"
            fetch(self.input(), self.months)
            super().run()
            with self.output().open("w") as out:
                out.write(self.ranked.read_text())


@requires(PreprocessWithLegacyTool)
class IngestToDatabase(CopyToTable):
    """Load: puts the ranked months into the table ``monthly_weather``. Rows and marker are one transaction."""

    table = "monthly_weather"
    # All of them at once: what was there before goes first.
    chunk_size = 100_000
    columns = [
        (["rank", sqlalchemy.Integer], {}),
        (["month", sqlalchemy.Text], {}),
        (["rain_days", sqlalchemy.Integer], {}),
        (["precipitation", sqlalchemy.Double], {}),
        (["highest", sqlalchemy.Double], {}),
        (["lowest", sqlalchemy.Double], {}),
        (["normal", sqlalchemy.Double], {}),
    ]

    @property
    def connection_string(self):
        return database("warehouse.sqlite")

    def rows(self):
        with self.input().open() as months:
            for rank, (month, rain_days, *numbers) in enumerate(csv.reader(months), start=1):
                yield (rank, month, int(rain_days), *map(float, numbers))

    def copy(self, conn, ins_rows, table_bound):
        conn.execute(table_bound.delete())
        super().copy(conn, ins_rows, table_bound)


def wettest(limit: int = 12) -> str:
    """The wettest months as a table for people."""
    query = sqlalchemy.text(
        "SELECT rank, month, rain_days, precipitation, highest, lowest, normal "
        "FROM monthly_weather ORDER BY rank LIMIT :limit"
    )
    lines = ["rank  month    rain days  rain mm  highest  lowest  usual mean"]
    with sqlalchemy.create_engine(database("warehouse.sqlite")).connect() as connection:
        for rank, month, days, rain, highest, lowest, normal in connection.execute(query, {"limit": limit}):
            line = f"{rank:>4}  {month}  {days:>9}  {rain:>7.1f}  {highest:>6.1f}°  {lowest:>5.1f}°  {normal:>9.1f}°"
            lines.append(line)
    return "\n".join(lines)


@luigi.Task.event_handler(luigi.Event.SUCCESS)
def show(task: luigi.Task) -> None:
    """Prints the wettest months when they have been loaded."""
    if isinstance(task, IngestToDatabase):
        print(f"\n{wettest()}")


if __name__ == "__main__":
    luigi.run(main_task_cls=IngestToDatabase, local_scheduler=True)
