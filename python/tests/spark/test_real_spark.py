"""Spark tasks on a real Spark: in one process, and on a master with a worker, both on loopback.

These run by themselves (``cargo xtask test spark``), since Spark is several hundred megabytes and wants Java.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pyspark
import pytest

import luigi
from luigi import configuration
from luigi.contrib.spark import PySparkTask

HOME = os.path.dirname(pyspark.__file__)
# A Java machine takes long to start where many want the processor.
PATIENCE = 280


@pytest.fixture
def spark_config():
    """Sets options in ``[spark]`` and takes them back."""
    config = configuration.get_config()
    options = []

    def set_options(section="spark", **values):
        for key, value in values.items():
            options.append((section, key))
            config.set(section, key, value)

    yield set_options
    for section, key in options:
        config.remove_option(section, key)


@pytest.fixture
def real_spark(spark_config, tmp_path, monkeypatch):
    """A Spark that runs in one process on this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("SPARK_HOME", HOME)
    # The driver imports this module by the name it has here.
    tests = os.path.dirname(os.path.dirname(__file__))
    monkeypatch.setenv("PYTHONPATH", "%s:%s" % (tests, os.environ.get("PYTHONPATH", "")))
    submit = os.path.join(HOME, "bin", "spark-submit")
    spark_config(spark_submit=submit, master="local[1]", conf="spark.ui.port=0")


class CountWords(PySparkTask):
    """Counts words with Spark; the executors use a package that was sent to them."""

    folder = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(os.path.join(self.folder, "counts"))

    def setup(self, conf):
        conf.set("spark.app.note", "noted")

    def app_options(self):
        return [os.path.join(self.folder, "words")]

    def main(self, sc, words):
        def loud(word):
            import sent_package.inner

            return sent_package.inner.shout(word), 1

        counts = sc.textFile(words).flatMap(str.split).map(loud).reduceByKey(lambda a, b: a + b).collect()
        with self.output().open("w") as file:
            file.write("%s %s" % (sc.getConf().get("spark.app.note"), sorted(counts)))


def test_real_spark_runs_the_task(real_spark, spark_config, tmp_path, monkeypatch):
    package = tmp_path / "modules" / "sent_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "inner.py").write_text("def shout(word):\n    return word.upper()\n")
    monkeypatch.setenv("PYTHONPATH", "%s:%s" % (package.parent, os.environ.get("PYTHONPATH", "")))
    spark_config(py_packages="sent_package")
    (tmp_path / "words").write_text("a b a\nb a\n")
    assert luigi.build([CountWords(str(tmp_path))], local_scheduler=True)
    assert (tmp_path / "counts").read_text() == "noted [('A', 3), ('B', 2)]"


class CountRows(PySparkTask):
    """Asks a session."""

    folder = luigi.Parameter()

    def main(self, spark, *args):
        with open(os.path.join(self.folder, "rows"), "w") as file:
            file.write("%s %s" % (type(spark).__name__, spark.range(7).count()))


def test_real_spark_gives_a_session(real_spark, tmp_path, monkeypatch):
    (tmp_path / "session.cfg").write_text("[pyspark_runner]\nuse_spark_session: true\n")
    monkeypatch.setenv("LUIGI_CONFIG_PATH", str(tmp_path / "session.cfg"))
    CountRows(str(tmp_path)).run()
    assert (tmp_path / "rows").read_text() == "SparkSession 7"


class Cluster:
    """A master and a worker."""

    def __init__(self):
        self.port, self.page = free_port(), free_port()
        self.url = "spark://127.0.0.1:%d" % self.port
        self.daemons = []
        self.start("master.Master", "--port", str(self.port), "--webui-port", str(self.page))
        wait_until("the master answers", self.answers)
        self.start("worker.Worker", "--cores", "2", "--memory", "1g", self.url)
        wait_until("it has a worker", lambda: self.ask()["aliveworkers"] == 1)

    def start(self, name, *arguments):
        """Starts a daemon."""
        command = [os.path.join(HOME, "bin", "spark-class"), "org.apache.spark.deploy." + name, "--host", "127.0.0.1"]
        self.daemons.append(subprocess.Popen([*command, *arguments], stderr=subprocess.DEVNULL))

    def ask(self):
        """What the master knows."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open("http://127.0.0.1:%d/json/" % self.page, timeout=60) as answer:
            return json.load(answer)

    def answers(self):
        """Whether the master does."""
        try:
            return self.ask()["status"] == "ALIVE"
        except OSError:
            return False

    def stop(self):
        """Ends the daemons, the worker first: it ends its executors."""
        for daemon in reversed(self.daemons):
            daemon.terminate()
            daemon.wait(PATIENCE)


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(what, is_so):
    """Waits until something is so; much longer than it takes."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain until " + what
        time.sleep(0.1)


@pytest.fixture
def cluster(real_spark, spark_config):
    """A cluster, which the tasks then use."""
    cluster = Cluster()
    try:
        spark_config(master=cluster.url, executor_memory="512m")
        yield cluster
    finally:
        cluster.stop()


@pytest.mark.timeout(900)
def test_a_cluster_runs_the_task_and_its_page_is_tracked(cluster, tmp_path):
    task, urls = CountRows(str(tmp_path)), []
    task.set_tracking_url = urls.append
    task.run()
    assert (tmp_path / "rows").read_text() == "SparkContext 7"
    assert len(urls) == 1 and urls[0].startswith("http://"), urls
    assert [app["state"] for app in cluster.ask()["completedapps"]] == ["FINISHED"]


class Hang(PySparkTask):
    """Never ends."""

    def main(self, sc, *args):
        sc.parallelize([1]).foreach(lambda _: time.sleep(10_000))


@pytest.mark.timeout(900)
def test_sigterm_ends_the_application(cluster, tmp_path):
    """As a worker ends a task whose time is over, or which was cancelled."""
    submit = os.path.join(HOME, "bin", "spark-submit")
    settings = {"spark-submit": submit, "master": cluster.url, "executor-memory": "512m", "conf": "spark.ui.port=0"}
    lines = ["%s = %s\n" % setting for setting in settings.items()]
    (tmp_path / "spark.cfg").write_text("[spark]\n" + "".join(lines))
    task = subprocess.Popen(
        [sys.executable, "-c", "from spark.test_real_spark import Hang; Hang().run()"],
        env={**os.environ, "LUIGI_CONFIG_PATH": str(tmp_path / "spark.cfg")},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until("the application is there", lambda: cluster.ask()["activeapps"])
        task.terminate()
        assert task.wait(PATIENCE) == 128 + signal.SIGTERM
    finally:
        task.kill()
    wait_until("the cluster has ended it", lambda: not cluster.ask()["activeapps"])
    assert len(cluster.ask()["completedapps"]) == 1
