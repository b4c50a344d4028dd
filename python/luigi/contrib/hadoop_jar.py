"""Run a jar of one's own with ``hadoop jar``, here or through SSH on another machine."""

from __future__ import annotations

import logging
import os
import random
import shlex
from typing import Any

import luigi.contrib.hadoop
import luigi.contrib.hdfs

logger = logging.getLogger("luigi-interface")


def fix_paths(job: Any) -> tuple[list[tuple[Any, str]], list[str]]:
    """Turn the arguments of ``job`` into strings, with temporary paths in the place of outputs.

    An HDFS target that does not exist is taken for an output, if the job wants its output to appear at once.
    Returns pairs of temporary target and final path, and the arguments.
    """
    moves: list[tuple[Any, str]] = []
    arguments: list[str] = []
    for argument in job.args():
        if not isinstance(argument, luigi.contrib.hdfs.HdfsTarget):
            # Other targets are named by their path too; what has no path stands for itself.
            arguments.append(argument.path if hasattr(argument, "path") else str(argument))
        elif argument.exists() or not job.atomic_output():
            arguments.append(argument.path)
        else:
            final = argument.path[:-1] if argument.path[-1] == "/" else argument.path
            suffix = "-luigi-tmp-%09d" % random.randrange(0, 10_000_000_000)
            temporary = luigi.contrib.hdfs.HdfsTarget(final + suffix)
            logger.info("Using temp path: %s for path %s", temporary.path, argument.path)
            moves.append((temporary, final))
            arguments.append(temporary.path)
    return moves, arguments


class HadoopJarJobError(Exception):
    """The jar or what is needed to reach the other machine is missing."""


class HadoopJarJobRunner(luigi.contrib.hadoop.JobRunner):
    """Runs a :py:class:`HadoopJarJobTask`."""

    def run_job(self, job: Any, tracking_url_callback: Any = None) -> None:
        """Run the jar, then move its outputs to where they belong.

        :raises HadoopJarJobError: if the jar is missing or the SSH settings are not complete.
        :raises luigi.contrib.hadoop.HadoopJobError: if the job fails.
        """
        luigi.contrib.hadoop.warn_of_tracking_url_callback(tracking_url_callback)
        if not job.jar():
            raise HadoopJarJobError("Jar not defined")

        command = luigi.contrib.hdfs.load_hadoop_cmd() + ["jar", job.jar()]
        if job.main():
            command.append(job.main())
        command += ["-D" + jobconf for jobconf in job.jobconfs()]
        moves, arguments = fix_paths(job)
        command += arguments

        ssh_config = job.ssh()
        if ssh_config:
            command = _over_ssh(ssh_config, command)
        elif not os.path.exists(job.jar()):
            logger.error("Can't find jar: %s, full path %s", job.jar(), os.path.abspath(job.jar()))
            raise HadoopJarJobError("job jar does not exist")

        luigi.contrib.hadoop.run_and_track_hadoop_job(command, job.set_tracking_url)
        for temporary, final in moves:
            temporary.move(final)


def _over_ssh(ssh_config: dict[str, Any], command: list[str]) -> list[str]:
    """The command that runs ``command`` on another machine, whose shell sees every argument as one word."""
    host, key_file, username = (ssh_config.get(key) for key in ("host", "key_file", "username"))
    if not host or not key_file or not username:
        raise HadoopJarJobError("missing some config for HadoopRemoteJarJobRunner")
    ssh = ["ssh", "-i", key_file, "-o", "BatchMode=yes"]
    if ssh_config.get("no_host_key_check", False):
        ssh += ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no"]
    return [*ssh, "{}@{}".format(username, host), shlex.join(command)]


class HadoopJarJobTask(luigi.contrib.hadoop.BaseHadoopJobTask):
    """A job that is a jar; override :py:meth:`jar` and :py:meth:`args`."""

    def jar(self) -> str | None:
        """Path of the jar."""
        return None

    def main(self) -> str | None:
        """The class to start, for a jar that does not say it."""
        return None

    def job_runner(self) -> Any:
        """The runner to use."""
        return HadoopJarJobRunner()

    def atomic_output(self) -> bool:
        """Whether outputs are written to temporary paths and moved when the job is done."""
        return True

    def ssh(self) -> dict[str, Any] | None:
        """To run on another machine: ``host``, ``key_file``, ``username`` and, if wished, ``no_host_key_check``."""
        return None

    def args(self) -> list[Any]:
        """The jar's arguments; HDFS targets among them stand for their paths."""
        return []
