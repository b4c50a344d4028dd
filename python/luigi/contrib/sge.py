"""Run tasks as jobs of Sun Grid Engine, with ``qsub`` and ``qstat``.

Derive from :py:class:`SGEJobTask` and write ``work()`` in place of ``run()``. The task is pickled into a folder that
all nodes see (``shared_tmp_dir``), from where the node rebuilds it; Luigi has to be installed on the nodes. Run Luigi
with several workers to have several jobs at a time.
"""

from __future__ import annotations

import logging
import os
import random
import shlex
import shutil
import subprocess
import time
from typing import Any

import luigi
from luigi.contrib import sge_runner
from luigi.contrib._cluster_job import ClusterJobContext, as_text, lines_of, make_job_folder, pack_for
from luigi.contrib._compute_node import TASK_FILE, outcome_of
from luigi.contrib._job_pickle import dump_task

logger = logging.getLogger("luigi-interface")

#: Seconds between two looks at the queue.
POLL_TIME = 5

_RANDOM_DIGITS = 16


def _parse_qstat_state(qstat_out: Any, job_id: Any) -> str:
    """The state of a job in what ``qstat`` wrote, or ``u`` if the job is not there any more."""
    rows = iter(as_text(qstat_out).splitlines())
    for row in rows:
        # The table begins below a line of dashes.
        if row.startswith("---"):
            break
    for row in rows:
        columns = row.split()
        if columns and int(columns[0]) == int(job_id):
            return columns[4]
    return "u"


def _parse_qsub_job_id(qsub_out: Any) -> int:
    """The job's number in ``Your job <number> ("<name>") has been submitted``."""
    return int(as_text(qsub_out).split()[2])


def _build_qsub_command(cmd: str, job_name: str, outfile: str, errfile: str, pe: str, n_cpu: int) -> str:
    """The shell command that submits the command line ``cmd``, which ``qsub`` reads from its input."""
    submit = ["qsub", "-o", ":" + outfile, "-e", ":" + errfile, "-V", "-r", "y", "-pe", pe, n_cpu, "-N", job_name]
    return "echo {} | {}".format(shlex.quote(cmd), shlex.join(map(str, submit)))


class SGEJobTask(luigi.Task):
    """A task whose :py:meth:`work` runs on a node of the cluster."""

    n_cpu = luigi.IntParameter(default=2, significant=False, description="number of slots to ask for")
    shared_tmp_dir = luigi.Parameter(
        default="/home", significant=False, description="folder that all nodes see, for the jobs' own folders"
    )
    parallel_env = luigi.Parameter(
        default="orte", significant=False, description="parallel environment in which the slots are asked for"
    )
    job_name_format = luigi.OptionalParameter(
        significant=False,
        default=None,
        description="pattern for the job's name, with the task's family and parameters in braces",
    )
    job_name = luigi.OptionalParameter(significant=False, default=None, description="name of the job")
    run_locally = luigi.BoolParameter(significant=False, description="work here and not on the cluster")
    poll_time = luigi.IntParameter(
        significant=False, default=POLL_TIME, description="seconds between two looks at the queue"
    )
    dont_remove_tmp_dir = luigi.BoolParameter(significant=False, description="keep the job's folder, to look into it")
    no_tarball = luigi.BoolParameter(
        significant=False, description="do not pack the packages, because the nodes see them anyway"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.job_name:
            pattern = self.job_name_format or "{task_family}"
            self.job_name = pattern.format(**{**self.__dict__, "task_family": self.task_family})

    def _fetch_task_failures(self) -> list[str]:
        """The lines of the job's error stream."""
        if not os.path.exists(self.errfile):
            logger.info("No error file")
        errors = lines_of(self.errfile)
        # Grid Engine says this of every job that comes through a pipe.
        return errors[1:] if errors and errors[0].strip() == "stdin: is not a tty" else errors

    def _init_local(self) -> None:
        """Put what the node needs into the job's folder."""
        digits = "%0*x" % (_RANDOM_DIGITS, random.getrandbits(4 * _RANDOM_DIGITS))
        # Should the name be too long, the task's parameters are cut rather than what makes it unique.
        longest = os.pathconf("/", "PC_NAME_MAX") - _RANDOM_DIGITS - 1
        self.tmp_dir = make_job_folder(self.shared_tmp_dir, self.task_id[:longest] + "-" + digits)
        logger.info("Tmp dir: %s", self.tmp_dir)
        logger.debug("Dumping pickled class")
        self._dump(self.tmp_dir)
        if not self.no_tarball:
            logger.debug("Tarballing dependencies")
            pack_for(self, self.tmp_dir)

    def run(self) -> None:
        """Work on the cluster, or here if so asked.

        :raises RuntimeError: if the job fails.
        """
        if self.run_locally:
            self.work()
        else:
            self._init_local()
            try:
                self._run_job()
            finally:
                self._remove_folder()

    def work(self) -> None:
        """The task's work, done on a node. To be overridden."""

    def _dump(self, out_dir: str = "") -> None:
        self.job_file = os.path.join(out_dir, TASK_FILE)
        with open(self.job_file, "wb") as file:
            dump_task(self, file)

    def _run_job(self) -> None:
        """Submit the job and wait for its end."""
        runner_path = sge_runner.__file__
        if runner_path.endswith("pyc"):
            runner_path = runner_path[:-1]
        command = "python {0} {1} {2}".format(*map(shlex.quote, (runner_path, self.tmp_dir, os.getcwd())))
        if self.no_tarball:
            command += " --no-tarball"

        self.outfile = os.path.join(self.tmp_dir, "job.out")
        self.errfile = os.path.join(self.tmp_dir, "job.err")
        submit = _build_qsub_command(
            command, str(self.job_name), self.outfile, self.errfile, self.parallel_env, self.n_cpu
        )
        logger.debug("qsub command: \n%s", submit)
        output = as_text(subprocess.check_output(submit, shell=True))
        self.job_id = _parse_qsub_job_id(output)
        logger.debug("Submitted job to qsub with response:\n%s", output)

        with ClusterJobContext(lambda: subprocess.call(["qdel", str(self.job_id)])):
            self._track_job()
        self._check_outcome()

    def _track_job(self) -> None:
        """Return when the job has left the queue.

        :raises Exception: if the queue names a state that Grid Engine does not have.
        """
        while True:
            time.sleep(self.poll_time)
            state = _parse_qstat_state(subprocess.check_output(["qstat"]), self.job_id)
            if state == "u":
                return
            if "E" in state:
                raise RuntimeError("Job %s is in the error state %s" % (self.job_id, state))
            if not set(state) <= set("dhqrRsStTw"):
                logger.info("Job status is UNKNOWN!")
                logger.info("Status is : %s", state)
                raise Exception("job status isn't one of ['r', 'qw', 'E*', 't', 'u']: %s" % state)
            logger.info("Job is pending..." if "w" in state or state == "t" else "Job is running...")

    def _check_outcome(self) -> None:
        """Look at what the job left.

        A job that worked may have written warnings; one that left nothing worked unless it wrote errors.
        """
        worked, traceback = outcome_of(self.tmp_dir)
        errors = self._fetch_task_failures()
        if worked or (worked is None and not errors):
            logger.info("Job is done")
            if errors:
                logger.warning("Job wrote to its error stream:\n%s", "".join(errors))
            return
        reason = traceback or "".join(errors)
        logger.error("Job has FAILED:\n%s", reason)
        raise RuntimeError("Job %s has failed:\n%s" % (self.job_id, reason))

    def _remove_folder(self) -> None:
        if self.tmp_dir and os.path.exists(self.tmp_dir) and not self.dont_remove_tmp_dir:
            logger.info("Removing temporary directory %s", self.tmp_dir)
            shutil.rmtree(self.tmp_dir, ignore_errors=True)


class LocalSGEJobTask(SGEJobTask):
    """The same without a cluster, for tests: works here."""

    def run(self) -> None:
        """Work here."""
        self.work()
