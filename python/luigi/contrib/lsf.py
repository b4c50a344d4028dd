"""Run tasks as jobs of IBM's LSF, with ``bsub`` and ``bjobs``.

Derive from :py:class:`LSFJobTask` and write ``work()`` in place of ``run()``. The task is pickled into a folder that
all nodes see (``shared_tmp_dir``), from where the node rebuilds it; this Python and Luigi have to be there on the
nodes. The package ``dill`` is used to pickle if it is installed.
"""

from __future__ import annotations

import logging
import os
import random
import re
import shutil
import subprocess
import sys
import time
from typing import Any

try:
    import dill as pickle
except ImportError:
    import pickle

import luigi
import luigi.configuration
from luigi.contrib import lsf_runner
from luigi.contrib._cluster_job import ClusterJobContext, as_text, lines_of, make_job_folder, pack_for
from luigi.contrib._compute_node import TASK_FILE, outcome_of
from luigi.contrib._job_pickle import dump_task
from luigi.task_status import DONE, FAILED, PENDING, RUNNING, UNKNOWN

LOGGER = logging.getLogger("luigi-interface")

# What LSF says of a job that has not ended: Luigi's status, and what is logged of it.
_STATUSES = {
    "RUN": (RUNNING, "Job is running..."),
    "PEND": (PENDING, "Job is pending..."),
    "WAIT": (PENDING, "Job is pending..."),
    "PSUSP": (PENDING, "Job is suspended (basically, pending)..."),
    "USUSP": (PENDING, "Job is suspended (basically, pending)..."),
    "SSUSP": (PENDING, "Job is suspended (basically, pending)..."),
    # LSF has lost sight of the node and goes on to look for it.
    "UNKWN": (UNKNOWN, "Job status is UNKNOWN!"),
}


def track_job(job_id: Any) -> str:
    """The status of a job in LSF's words, such as ``RUN``, ``PEND``, ``DONE`` or ``EXIT``."""
    command = ["bjobs", "-noheader", "-o", "stat", str(job_id)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, shell=False)
    return as_text(process.communicate()[0]).strip()


def kill_job(job_id: Any) -> None:
    """End a job."""
    subprocess.call(["bkill", str(job_id)])


class LSFJobTask(luigi.Task):
    """A task whose :py:meth:`work` runs on a node of the cluster."""

    n_cpu_flag = luigi.IntParameter(default=2, significant=False)
    shared_tmp_dir = luigi.Parameter(default="/tmp", significant=False)
    resource_flag = luigi.Parameter(default="mem=8192", significant=False)
    memory_flag = luigi.Parameter(default="8192", significant=False)
    queue_flag = luigi.Parameter(default="queue_name", significant=False)
    runtime_flag = luigi.IntParameter(default=60)
    job_name_flag = luigi.Parameter(default="")
    poll_time = luigi.FloatParameter(
        significant=False, default=5, description="seconds between two looks at the job's status"
    )
    save_job_info = luigi.BoolParameter(default=False)
    output: Any = luigi.Parameter(default="")
    extra_bsub_args = luigi.Parameter(default="")

    #: The last status that was seen, one of Luigi's.
    job_status: str | None = None

    def fetch_task_failures(self) -> list[str]:
        """The lines of the job's error stream."""
        return lines_of(self._log_path("job.err"))

    def fetch_task_output(self) -> list[str]:
        """The lines of the job's output stream."""
        return lines_of(self._log_path("job.out"))

    def _log_path(self, name: str) -> str:
        """Where LSF writes a stream; a relative path is seen from the job's folder, where it is submitted."""
        return os.path.join(self.tmp_dir, self._output_folder(), name)

    def _output_folder(self) -> str:
        output = self.output()
        return os.path.dirname((output[0] if isinstance(output, list) else output).path)

    def _init_local(self) -> None:
        """Put what the node needs into the job's folder."""
        name = ("%016x" % random.getrandbits(64)) + self.task_id
        # A parameter may be a path.
        self.tmp_dir = make_job_folder(self.shared_tmp_dir, name.replace("/", "::"))
        LOGGER.info("Tmp dir: %s", self.tmp_dir)
        LOGGER.debug("Dumping pickled class")
        self._dump(self.tmp_dir)
        LOGGER.debug("Tarballing dependencies")
        pack_for(self, self.tmp_dir)
        self.init_local()

    def init_local(self) -> None:
        """Called here before the job is submitted."""

    def run(self) -> None:
        """Work on the cluster.

        :raises RuntimeError: if the job fails or gets lost.
        """
        self._init_local()
        self._run_job()

    def work(self) -> None:
        """The task's work, done on a node. To be overridden."""

    def _dump(self, out_dir: str = "") -> None:
        self.job_file = os.path.join(out_dir, TASK_FILE)
        with open(self.job_file, "wb") as file:
            if pickle.__name__ == "dill":
                with self.no_unpicklable_properties():
                    pickle.dump(self, file)
            else:
                dump_task(self, file)

    def _run_job(self) -> None:
        """Submit the job, wait for its end, and clear up."""
        try:
            self._submit()
            with ClusterJobContext(lambda: kill_job(self.job_id)):
                self._track_job()
            if self.job_status != DONE:
                raise RuntimeError("Job %s has failed:\n%s" % (self.job_id, "".join(self._failure)))
        finally:
            if self.save_job_info:
                LOGGER.info("Saving up temporary bits")
                shutil.move(self.tmp_dir, self._output_folder() or os.curdir)
            self._finish()

    def _submit(self) -> None:
        args = self._bsub_args()
        LOGGER.info("### LSF SUBMISSION ARGS: %s", " ".join(args))
        process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.tmp_dir)
        output = as_text(process.communicate()[0])
        LOGGER.info("### JOB SUBMISSION OUTPUT: %s", output)
        # LSF answers "Job <number> is submitted to queue <name>."
        number = re.search(r"<(\d+)>", output)
        if number is None:
            raise RuntimeError("bsub did not tell the number of a job: %r" % output)
        self.job_id = int(number[1])
        LOGGER.info("Job %ssubmitted as job %s", self.job_name_flag + " ", self.job_id)

    def _bsub_args(self) -> list[str]:
        args = ["bsub", "-q", self.queue_flag, "-n", self.n_cpu_flag, "-M", self.memory_flag]
        args += ["-R", "rusage[%s]" % self.resource_flag, "-W", self.runtime_flag]
        if self.job_name_flag:
            args += ["-J", self.job_name_flag]
        folder = self._output_folder()
        args += ["-o", os.path.join(folder, "job.out"), "-e", os.path.join(folder, "job.err")]
        args += self.extra_bsub_args.split()
        return [str(arg) for arg in [*args, sys.executable, os.path.abspath(lsf_runner.__file__), self.tmp_dir]]

    def _track_job(self) -> None:
        """Return when the job has ended; :py:attr:`job_status` then says how."""
        started_at = None
        while True:
            time.sleep(self.poll_time)
            lsf_status = track_job(self.job_id)
            if lsf_status not in _STATUSES:
                break
            self.job_status, message = _STATUSES[lsf_status]
            LOGGER.info(message)
            if self.job_status == RUNNING and started_at is None:
                started_at = time.time()

        worked, traceback = outcome_of(self.tmp_dir)
        # LSF forgets a job some time after its end; then only the job itself can say how it ended.
        if lsf_status == "DONE" or (lsf_status == "" and worked):
            self.job_status = DONE
            LOGGER.info("Job is done")
            seconds = round(time.time() - started_at) if started_at is not None else 0
            job_name = "%s %s" % (self.job_name_flag, self.job_id) if self.job_name_flag else str(self.job_id)
            LOGGER.info("### JOB COMPLETED: %s in %s seconds", job_name, seconds)
            return
        self.job_status = FAILED if lsf_status == "EXIT" or worked is False else UNKNOWN
        self._failure = [traceback] if traceback else self.fetch_task_failures()
        if self.job_status == UNKNOWN:
            LOGGER.info("Job status is UNKNOWN!")
            LOGGER.info("Status is : %s", lsf_status)
            self._failure = ["LSF tells the status %r" % lsf_status]
            return
        LOGGER.error("Job has FAILED")
        LOGGER.error("\n\n")
        LOGGER.error("Traceback: ")
        for line in self._failure:
            LOGGER.error(line)

    def _finish(self) -> None:
        LOGGER.info("Cleaning up temporary bits")
        if not self.tmp_dir or not os.path.exists(self.tmp_dir):
            return
        LOGGER.info("Removing directory %s", self.tmp_dir)
        shutil.rmtree(self.tmp_dir)


class LocalLSFJobTask(LSFJobTask):
    """The same without a cluster, for tests: works here."""

    def run(self) -> None:
        """Work here."""
        self.init_local()
        self.work()
