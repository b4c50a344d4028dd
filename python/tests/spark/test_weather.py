"""The example ``weather`` in Python with a real Spark for its filter: to the last digit the same as without."""

import os
import subprocess
import sys
from pathlib import Path

import pyspark
from processes import ENVIRONMENT

HOME = os.path.dirname(pyspark.__file__)
WEATHER = Path(__file__).resolve().parents[3] / "examples" / "python" / "weather.py"


def run(folder, *arguments):
    folder.mkdir()
    submit = os.path.join(HOME, "bin", "spark-submit")
    settings = (
        f"spark_submit = {submit}\nmaster = local[2]\nconf = spark.ui.port=0\npyspark_python = {sys.executable}\n"
    )
    (folder / "luigi.cfg").write_text(f"[spark]\n{settings}")
    more = {"SPARK_HOME": HOME, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    command = [sys.executable, str(WEATHER), "--no-lock", *arguments]
    environment = {**ENVIRONMENT, **more, "PYTHONWARNINGS": "ignore"}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)
    assert ran.returncode == 0 and "This progress looks :)" in ran.stderr, ran.stderr
    return folder / "target" / "weather", ran


def test_spark_makes_what_python_makes(tmp_path):
    on_spark, ran = run(tmp_path / "spark", "--filter-with", "spark")
    here, plain = run(tmp_path / "here")
    assert "FilterWeatherData" in ran.stderr
    months = (on_spark / "monthly.csv").read_text()
    assert len(months.splitlines()) == 48
    assert months == (here / "monthly.csv").read_text()
    assert (on_spark / "ranked.csv").read_text() == (here / "ranked.csv").read_text()
    assert ran.stdout == plain.stdout
