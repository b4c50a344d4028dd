"""Compile and run Scalding jobs.

The section ``[scalding]`` says where things are: ``scala-home`` (with Scala's jars in ``lib``), ``scalding-home`` (with
the jars of a Scalding build in ``lib``), ``scalding-provided`` (jars that are needed to compile only) and
``scalding-libjars`` (jars that are needed to run too). The variables ``SCALA_HOME`` and ``SCALDING_HOME`` are the
defaults.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import luigi.configuration
import luigi.contrib.hadoop
import luigi.contrib.hadoop_jar
import luigi.contrib.hdfs
from luigi import LocalTarget
from luigi.task import flatten

logger = logging.getLogger("luigi-interface")


class ScaldingJobRunner(luigi.contrib.hadoop.JobRunner):
    """Compiles a :py:class:`ScaldingJobTask` if it is given as source, and runs it."""

    def __init__(self) -> None:
        setting = functools.partial(luigi.configuration.get_config().get, "scalding")
        usual_home = os.environ.get("SCALDING_HOME", "/usr/share/scalding")
        self.scala_home = setting("scala-home", os.environ.get("SCALA_HOME", "/usr/share/scala"))
        self.scalding_home = setting("scalding-home", usual_home)
        self.provided_dir = setting("scalding-provided", os.path.join(usual_home, "provided"))
        self.libjars_dir = setting("scalding-libjars", os.path.join(usual_home, "libjars"))
        self.tmp_dir = LocalTarget(is_tmp=True)

    def _get_jars(self, path: str) -> list[str]:
        return [os.path.join(path, name) for name in os.listdir(path) if name.endswith(".jar")]

    def get_scala_jars(self, include_compiler: bool = False) -> list[str]:
        """Scala's own jars; that for reflection is there since Scala 2.10."""
        lib_dir = os.path.join(self.scala_home, "lib")
        library, reflect, compiler = (
            os.path.join(lib_dir, "scala-%s.jar" % part) for part in ("library", "reflect", "compiler")
        )
        return [library] + [reflect] * os.path.exists(reflect) + [compiler] * include_compiler

    def get_scalding_jars(self) -> list[str]:
        """The jars of the Scalding build."""
        return self._get_jars(os.path.join(self.scalding_home, "lib"))

    def get_scalding_core(self) -> str:
        """The jar that starts a job."""
        lib_dir = os.path.join(self.scalding_home, "lib")
        name = next((name for name in os.listdir(lib_dir) if name.startswith("scalding-core-")), None)
        if name is None:
            raise luigi.contrib.hadoop.HadoopJobError("Could not find scalding-core.")
        path = os.path.join(lib_dir, name)
        logger.debug("Found scalding-core: %s", path)
        return path

    def get_provided_jars(self) -> list[str]:
        """Jars that are needed to compile only."""
        return self._get_jars(self.provided_dir)

    def get_libjars(self) -> list[str]:
        """Jars that are needed to compile and to run."""
        return self._get_jars(self.libjars_dir)

    def get_tmp_job_jar(self, source: str) -> str:
        """Where the jar made of ``source`` goes."""
        return os.path.join(self.tmp_dir.path, Path(source).stem + ".jar")

    def get_build_dir(self, source: str) -> str:
        """Where the classes made of ``source`` go."""
        return os.path.join(self.tmp_dir.path, "build")

    def get_job_class(self, source: str) -> str:
        """Find the job's class in ``source``: the one that is named like the file, else the last that is a job.

        :raises luigi.contrib.hadoop.HadoopJobError: if no class is a job.
        """
        wanted = os.path.splitext(os.path.basename(source))[0]
        package = job_class = None
        with open(source) as lines:
            for line in lines:
                if found := re.search(r"package\s+([^\s\(]+)", line):
                    package = found[1]
                if found := re.search(r"class\s+([^\s\(]+).*extends\s+.*Job", line):
                    job_class = found[1]
                    if job_class == wanted:
                        break
        if not job_class:
            raise luigi.contrib.hadoop.HadoopJobError("Coudl not find scalding job class.")
        full_name = "%s.%s" % (package, job_class) if package else job_class
        logger.debug("Found scalding job class: %s", full_name)
        return full_name

    def build_job_jar(self, job: ScaldingJobTask) -> str:
        """The task's jar, compiled from its source if the task has no jar."""
        job_jar = job.jar()
        if not job_jar:
            return self._compile(job)
        if not os.path.exists(job_jar):
            logger.error("Can't find jar: %s, full path %s", job_jar, os.path.abspath(job_jar))
            raise Exception("job jar does not exist")
        if not job.job_class():
            _refuse("Undefined job_class()")
        return job_jar

    def _compile(self, job: ScaldingJobTask) -> str:
        source: Any = job.source()
        if not source:
            _refuse("Both source() and jar() undefined")
        if not os.path.exists(source):
            logger.error("Can't find source: %s, full path %s", source, os.path.abspath(source))
            raise Exception("job source does not exist")
        build_dir, job_jar = self.get_build_dir(source), self.get_tmp_job_jar(source)
        os.makedirs(build_dir, exist_ok=True)

        jars = self.get_scalding_jars() + self.get_provided_jars() + self.get_libjars() + job.extra_jars()
        compiler = ["java", "-cp", ":".join(self.get_scala_jars(include_compiler=True)), "scala.tools.nsc.Main"]
        compiler += ["-classpath", ":".join(filter(None, jars)), "-d", build_dir, source]
        logger.info("Compiling scala source: %s", subprocess.list2cmdline(compiler))
        subprocess.check_call(compiler)

        pack = ["jar", "cf", job_jar, "-C", build_dir, "."]
        logger.info("Building job jar: %s", subprocess.list2cmdline(pack))
        subprocess.check_call(pack)
        return job_jar

    def run_job(self, job: ScaldingJobTask, tracking_url_callback: Any = None) -> None:
        """Run the job, then move its outputs to where they belong.

        :raises luigi.contrib.hadoop.HadoopJobError: if the job fails.
        """
        luigi.contrib.hadoop.warn_of_tracking_url_callback(tracking_url_callback)
        jars = [self.build_job_jar(job), *self.get_libjars(), *job.extra_jars()]
        scalding_core = self.get_scalding_core()
        command = luigi.contrib.hdfs.load_hadoop_cmd() + ["jar", scalding_core]
        command += ["-libjars", ",".join(filter(None, jars))]
        command += ["-D%s" % jobconf for jobconf in job.jobconfs()]
        command += [job.job_class() or self.get_job_class(str(job.source())), "--hdfs"]
        # Scalding takes an argument apart at "=".
        command += ["--name", job.task_id.replace("=", ":")]
        moves, arguments = luigi.contrib.hadoop_jar.fix_paths(job)
        command += arguments

        class_path = ":".join(filter(None, [*jars, scalding_core]))
        logger.info("Submitting Hadoop job: HADOOP_CLASSPATH=%s %s", class_path, subprocess.list2cmdline(command))
        env = {**os.environ, "HADOOP_CLASSPATH": class_path}
        luigi.contrib.hadoop.run_and_track_hadoop_job(command, job.set_tracking_url, env=env)
        for temporary, final in moves:
            temporary.move(final)


def _refuse(reason: str) -> NoReturn:
    logger.error(reason)
    raise Exception(reason)


class ScaldingJobTask(luigi.contrib.hadoop.BaseHadoopJobTask):
    """A Scalding job, given as source or as a jar.

    ``requires()`` returns a dictionary: each key becomes an argument of the job, followed by the output paths of the
    tasks that belong to it, so ``{"input": [A(), B()]}`` gives ``--input <path of A> <path of B>``.
    """

    def relpath(self, current_file: str, rel_path: str) -> str:
        """The absolute path of ``rel_path``, seen from the folder that ``current_file`` is in."""
        return os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(current_file)), rel_path))

    def source(self) -> str | None:
        """Path of the Scala source; this or :py:meth:`jar` is needed."""
        return None

    def jar(self) -> str | None:
        """Path of the job's jar; with it, :py:meth:`job_class` is needed."""
        return None

    def extra_jars(self) -> list[str]:
        """Further jars, to compile and to run with."""
        return []

    def job_class(self) -> str | None:
        """The class to start; looked for in the source if it is not given."""
        return None

    def job_runner(self) -> Any:
        """The runner to use."""
        return ScaldingJobRunner()

    def atomic_output(self) -> bool:
        """Whether outputs are written to temporary paths and moved when the job is done."""
        return True

    def requires(self) -> dict[str, Any]:
        """The tasks whose outputs are arguments of the job, by the argument's name."""
        return {}

    def job_args(self) -> list[Any]:
        """The job's further arguments."""
        return []

    def args(self) -> list[Any]:
        """All arguments of the job."""
        arguments: list[Any] = []
        for name, tasks in self.requires_hadoop().items():
            arguments += ["--" + name, *(task.output().path for task in flatten(tasks))]
        return [*arguments, "--output", self.output(), *self.job_args()]
