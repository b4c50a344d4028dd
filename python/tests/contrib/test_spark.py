"""Spark tasks: commands seen by a stand-in for spark-submit. Real ones are in the folder ``spark`` beside this one."""

import os
import pickle
import subprocess
import sys
import textwrap

import pytest

import luigi
from luigi import configuration
from luigi.contrib.external_program import ExternalProgramRunError
from luigi.contrib.spark import PySparkTask, SparkSubmitTask


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


class FullTask(SparkSubmitTask):
    app = "app.jar"
    name = "Counting words"
    entry_class = "com.example.CountWords"
    # What goes along.
    jars = ["a.jar", "b.jar"]
    packages = ("org:thing:1",)
    py_files = ["one.py", "two.py"]
    files = ["f1", "f2"]
    archives = ["z1", "z2"]
    # The application's settings.
    conf = {"spark.ui.showConsole": "not now"}
    properties_file = "spark.conf"
    queue = "nightly"
    supervise = True
    # The driver.
    driver_cores = 3
    driver_memory = "700m"
    driver_java_options = "-Dfirst=1 -Dsecond=2"
    driver_library_path = "/native"
    driver_class_path = "/classes"
    # The executors.
    num_executors = 6
    executor_cores = 4
    total_executor_cores = 24
    executor_memory = "2g"
    pyspark_python = "/py"
    pyspark_driver_python = "/driver/py"
    hadoop_user_name = "someone"

    def app_options(self):
        return ["first", 2]


def test_every_option_reaches_spark_submit(programs, spark_config):
    programs.add("spark-submit", 'echo "$HADOOP_USER_NAME $HADOOP_CONF_DIR" > "$0.env"')
    spark_config(master="yarn", deploy_mode="client", hadoop_conf_dir="/conf")
    FullTask().run()
    assert programs.calls("spark-submit") == [
        ["--master", "yarn", "--deploy-mode", "client"]
        + ["--name", "Counting words", "--class", "com.example.CountWords"]
        + ["--jars", "a.jar,b.jar", "--packages", "org:thing:1", "--py-files", "one.py,two.py"]
        + ["--files", "f1,f2", "--archives", "z1,z2", "--conf", "spark.ui.showConsole=not now"]
        + ["--conf", "spark.pyspark.python=/py", "--conf", "spark.pyspark.driver.python=/driver/py"]
        + ["--properties-file", "spark.conf", "--driver-memory", "700m"]
        + ["--driver-java-options", "-Dfirst=1 -Dsecond=2", "--driver-library-path", "/native"]
        + ["--driver-class-path", "/classes", "--executor-memory", "2g", "--driver-cores", "3", "--supervise"]
        + ["--total-executor-cores", "24", "--executor-cores", "4", "--queue", "nightly", "--num-executors", "6"]
        + ["app.jar", "first", "2"]
    ]
    assert (programs.folder / "spark-submit.env").read_text() == "someone /conf\n"


class PlainTask(SparkSubmitTask):
    app = "app.py"


def test_options_come_from_the_configuration(programs, spark_config):
    submit = programs.add("other-submit", "")
    spark_config(
        spark_submit=str(submit),
        jars="a.jar, b.jar",
        conf="one=1|two=2=2",
        py_files="x.py",
        archives="z",
        queue="fast",
        supervise="true",
    )
    PlainTask().run()
    assert programs.calls("other-submit") == [
        ["--jars", "a.jar,b.jar", "--py-files", "x.py", "--archives", "z", "--conf", "one=1", "--conf", "two=2=2"]
        + ["--supervise", "--queue", "fast", "app.py"]
    ]


def test_another_section_can_be_named_and_false_means_no(programs, spark_config):
    class OldSpark(PlainTask):
        spark_version = "spark-old"

    spark_config(section="spark-old", master="old-master", supervise="false")
    spark_config(master="new-master")
    assert OldSpark().program_args() == ["spark-submit", "--master", "old-master", "app.py"]


@pytest.mark.parametrize(
    "mode, line, url",
    [
        ("client", "INFO Utils: Bound SparkUI to 10.1.2.3, and started at http://h:4040", "http://h:4040"),
        ("client", "INFO Utils: Successfully started service 'SparkUI' on port 4041.", "http://spark.example.com:4041"),
        ("cluster", "  tracking URL: https://rm:8088/proxy/application_1/", "https://rm:8088/proxy/application_1/"),
    ],
)
def test_tracking_url_is_found(programs, spark_config, monkeypatch, mode, line, url):
    monkeypatch.setenv("SPARK_PUBLIC_DNS", "spark.example.com")
    programs.add("spark-submit", 'echo "%s" >&2' % line)
    spark_config(deploy_mode=mode)
    task, urls = PlainTask(), []
    task.set_tracking_url = urls.append
    task.run()
    assert urls == [url]


def test_failure_tells_what_spark_said(programs):
    programs.add("spark-submit", "echo 'no executors' >&2; exit 4")
    with pytest.raises(ExternalProgramRunError) as caught:
        PlainTask().run()
    assert caught.value.err == "no executors\n"


def test_an_application_is_needed():
    with pytest.raises(NotImplementedError, match="subclass should define an app"):
        SparkSubmitTask().run()


class Messy(PySparkTask):
    name = "Name(a,b:1/2)"
    word = luigi.Parameter(default="w")

    def app_options(self):
        return ["x"]

    def main(self, sc, *args):
        raise AssertionError("runs in the driver only")


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_task_is_pickled_beside_its_module(programs, spark_config, mode):
    # The stand-in keeps what would be sent, since the folder goes away afterwards.
    programs.add(
        "spark-submit", 'for a in "$@"; do case "$a" in */*.pickle) cp -r "$(dirname $a)" "$0.kept";; esac; done'
    )
    spark_config(deploy_mode=mode)
    task = Messy(word="ü")
    task.run()
    (call,) = programs.calls("spark-submit")
    pickle_name = "Name_a_b_1_2_.pickle"
    assert call[:4] == ["--deploy-mode", mode, "--name", "Name(a,b:1/2)"]
    assert os.path.basename(call[-3]) == "pyspark_runner.py" and os.path.isfile(call[-3])
    if mode == "cluster":
        assert call[4] == "--files" and call[5].endswith("/" + pickle_name)
        assert call[-2:] == [pickle_name, "x"]
    else:
        assert call[-2].endswith("/" + pickle_name) and call[-1] == "x"
    assert sorted(os.listdir(programs.folder / "spark-submit.kept")) == [pickle_name, "test_spark.py"]
    assert pickle.loads((programs.folder / "spark-submit.kept" / pickle_name).read_bytes()) == task
    assert not os.path.exists(task.run_path)


def test_task_of_a_script_is_found_again(programs, tmp_path):
    """A class of ``__main__`` is known to the driver by the name of its file."""
    stub = tmp_path / "stub" / "pyspark"
    stub.mkdir(parents=True)
    stub.joinpath("__init__.py").write_text(
        "class SparkConf(dict): pass\n"
        "class SparkContext:\n"
        "    def __init__(self, conf): self.conf = conf\n"
        "    def stop(self): open('stopped', 'w').close()\n"
    )
    programs.add("spark-submit", 'shift 2; PYTHONPATH="%s:$PYTHONPATH" exec "%s" "$@"' % (stub.parent, sys.executable))
    (tmp_path / "my_script.py").write_text(
        textwrap.dedent("""
        import luigi
        from luigi.contrib.spark import PySparkTask

        class Scripted(PySparkTask):
            word = luigi.Parameter()
            def setup(self, conf):
                conf['set'] = 'up'
            def main(self, sc, *args):
                with open('result', 'w') as file:
                    print(__name__, self.word, sc.conf, args, file=file)
            def app_options(self):
                return ['one', 'two']

        if __name__ == '__main__':
            Scripted('w').run()
        """)
    )
    subprocess.run([sys.executable, "my_script.py"], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "result").read_text() == "my_script w {'set': 'up'} ('one', 'two')\n"
    assert (tmp_path / "stopped").exists()


@pytest.mark.parametrize("word, wanted", [("true", True), ("false", False), ("", False), ("1", True)])
def test_session_is_a_switch(spark_config, word, wanted):
    from luigi.contrib import pyspark_runner

    spark_config(section="pyspark_runner", use_spark_session=word)
    runner = pyspark_runner._get_runner_class()
    assert runner is (pyspark_runner.PySparkSessionRunner if wanted else pyspark_runner.PySparkRunner)


def test_importing_the_runner_leaves_the_search_path_alone():
    code = "import sys; path = list(sys.path); import luigi.contrib.pyspark_runner; assert sys.path == path"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_spark_before_sessions_is_refused(monkeypatch):
    from luigi.contrib.pyspark_runner import SparkSessionEntryPoint

    class OldSpark:
        __version__ = "1.6.3"

    monkeypatch.setitem(sys.modules, "pyspark", OldSpark)
    with pytest.raises(RuntimeError, match="Apache Spark 1.6.3 does not support SparkSession entrypoint"):
        SparkSessionEntryPoint(conf=None).__enter__()
