"""Scalding jobs with stand-ins for ``java``, ``jar`` and ``hadoop``."""

import os

import pytest

import luigi
from luigi.contrib.hadoop import HadoopJobError
from luigi.contrib.hdfs import HdfsTarget
from luigi.contrib.scalding import ScaldingJobRunner, ScaldingJobTask


class Input(luigi.ExternalTask):
    name = luigi.Parameter()

    def output(self):
        return HdfsTarget("/in/" + self.name)


class Job(ScaldingJobTask):
    scala = luigi.OptionalParameter(default=None)
    made = luigi.OptionalParameter(default=None)
    class_name = luigi.OptionalParameter(default=None)

    def source(self):
        return self.scala

    def jar(self):
        return self.made

    def job_class(self):
        return self.class_name

    def requires(self):
        return {"left": [Input("a"), Input("b")], "right": Input("c")}

    def job_args(self):
        return ["--more", "x=y"]

    def extra_jars(self):
        return ["/extra.jar"]

    def output(self):
        return HdfsTarget("/out")


SOURCE = """package org.example

class Helper
class Other(args: Args) extends Job(args)
class my_job(args: Args) extends Job(args)
class Last(args: Args) extends Job(args)
"""


@pytest.fixture
def scalding(tmp_path, hadoop, programs, monkeypatch):
    """The folders of Scala and Scalding, and a compiler that notes what it was asked."""
    for name in ("scalding/lib/scalding-core-1.jar", "scalding/provided/p.jar", "scalding/libjars/l.jar"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        # Hadoop's stand-in runs the jar of Scalding as a script: the job writes to the path behind "--output".
        (tmp_path / name).write_text(
            'echo "$HADOOP_CLASSPATH" > "$HDFS_ROOT/classpath"\n'
            'while [ "$1" != --output ]; do shift; done; mkdir -p "$HDFS_ROOT$2"; echo ok > "$HDFS_ROOT$2/part"\n'
        )
    (tmp_path / "scala" / "lib").mkdir(parents=True)
    (tmp_path / "scala" / "lib" / "scala-reflect.jar").touch()
    (tmp_path / "my_job.scala").write_text(SOURCE)
    monkeypatch.setenv("SCALA_HOME", str(tmp_path / "scala"))
    monkeypatch.setenv("SCALDING_HOME", str(tmp_path / "scalding"))
    programs.add("java", "")
    programs.add("jar", 'touch "$2"')
    return tmp_path


def test_source_is_compiled_and_run(scalding, hadoop, programs):
    task = Job(scala=str(scalding / "my_job.scala"))
    task.run()
    assert hadoop.read("/out/part") == "ok\n"

    lib = str(scalding / "scala" / "lib")
    core, provided, own = (
        str(scalding / "scalding" / name) for name in ("lib/scalding-core-1.jar", "provided/p.jar", "libjars/l.jar")
    )
    (java,) = programs.calls("java")
    scala = ":".join("%s/scala-%s.jar" % (lib, part) for part in ("library", "reflect", "compiler"))
    assert java[:4] == ["-cp", scala, "scala.tools.nsc.Main", "-classpath"]
    assert java[4] == ":".join([core, provided, own, "/extra.jar"])
    assert java[5] == "-d" and java[7:] == [task.source()]
    (jar,) = programs.calls("jar")
    assert jar == ["cf", jar[1], "-C", java[6], "."] and jar[1].endswith("/my_job.jar")

    (call,) = hadoop.jar_calls()
    assert call[:4] == ["jar", core, "-libjars", ",".join([jar[1], own, "/extra.jar"])]
    assert call[4:8] == ["-Dmapred.job.name=%s" % task, "org.example.my_job", "--hdfs", "--name"]
    assert call[8] == task.task_id
    # Inputs that are not there yet are taken for outputs, so only the order is looked at.
    assert [word for word in call[9:] if not word.startswith("/")] == ["--left", "--right", "--output", "--more", "x=y"]
    assert [path for path in call[9:] if path.startswith("/in/")] == ["/in/a", "/in/b", "/in/c"]
    assert hadoop.read("/classpath").strip() == ":".join([jar[1], own, "/extra.jar", core])


def test_a_jar_is_run_as_it_is(scalding, hadoop, programs):
    made = scalding / "made.jar"
    made.touch()
    Job(made=str(made), class_name="org.Given").run()
    assert programs.calls("java") == []
    assert hadoop.jar_calls()[0][5] == "org.Given"


def test_job_class_is_the_one_named_like_the_file_else_the_last(scalding):
    runner = ScaldingJobRunner()
    assert runner.get_job_class(str(scalding / "my_job.scala")) == "org.example.my_job"
    (scalding / "other.scala").write_text(SOURCE.replace("package org.example", ""))
    assert runner.get_job_class(str(scalding / "other.scala")) == "Last"
    (scalding / "none.scala").write_text("object Nothing")
    with pytest.raises(HadoopJobError, match="Coudl not find scalding job class"):
        runner.get_job_class(str(scalding / "none.scala"))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, r"Both source\(\) and jar\(\) undefined"),
        ({"scala": "/absent.scala"}, "job source does not exist"),
        ({"made": "/absent.jar"}, "job jar does not exist"),
        ({"made": __file__}, r"Undefined job_class\(\)"),
    ],
)
def test_what_is_missing_is_said(scalding, arguments, message):
    with pytest.raises(Exception, match=message):
        Job(**arguments).run()


def test_scalding_itself_may_be_missing(scalding):
    os.remove(scalding / "scalding" / "lib" / "scalding-core-1.jar")
    with pytest.raises(HadoopJobError, match="Could not find scalding-core."):
        ScaldingJobRunner().get_scalding_core()


def test_relpath_is_seen_from_a_file():
    assert Job().relpath("/jobs/python/job.py", "../scala/job.scala") == "/jobs/scala/job.scala"
