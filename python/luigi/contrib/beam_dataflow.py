"""Run Apache Beam jobs, here or on Google Dataflow.

For each SDK of Beam there is a class to be derived from :py:class:`BeamDataflowJobTask`, which knows the command of the
SDK and how it names its options.
"""

from __future__ import annotations

import abc
import json
import logging
import os
import subprocess
from typing import Any

import luigi
from luigi.contrib.external_program import ExternalProgramRunContext
from luigi.task import MixinNaiveBulkComplete

logger = logging.getLogger("luigi-interface")


def _option_name(meaning: str) -> Any:
    """A property that a subclass has to give: how the SDK names one option."""

    def name(self: Any) -> str:
        raise NotImplementedError

    name.__doc__ = "The option for %s." % meaning
    return property(abc.abstractmethod(name))


class DataflowParamKeys(metaclass=abc.ABCMeta):
    """How an SDK names its options: Java's in camel case, Python's with underscores."""

    runner = _option_name("what runs the job")
    project = _option_name("the project at Google")
    zone = _option_name("the zone in which workers run")
    region = _option_name("the region in which the job runs")
    staging_location = _option_name("the place of the job's own files")
    temp_location = _option_name("the place of temporary files")
    gcp_temp_location = _option_name("the place of Dataflow's temporary files")
    num_workers = _option_name("the number of workers at the start")
    autoscaling_algorithm = _option_name("the way the number of workers changes")
    max_num_workers = _option_name("the largest number of workers")
    disk_size_gb = _option_name("the size of a worker's disk")
    worker_machine_type = _option_name("the kind of machine of a worker")
    worker_disk_type = _option_name("the kind of disk of a worker")
    job_name = _option_name("the job's name")
    service_account = _option_name("the account that workers use")
    network = _option_name("the network of the workers")
    subnetwork = _option_name("the subnetwork of the workers")
    labels = _option_name("the job's labels")


# The task's settings that become options, in the order they have in the command.
_OPTIONS = (
    "project",
    "zone",
    "region",
    "staging_location",
    "temp_location",
    "gcp_temp_location",
    "num_workers",
    "autoscaling_algorithm",
    "max_num_workers",
    "disk_size_gb",
    "worker_machine_type",
    "worker_disk_type",
    "network",
    "subnetwork",
    "job_name",
    "service_account",
)


class _CmdLineRunner:
    """Runs a command and logs what it writes. A task may name another class in ``cmd_line_runner``."""

    @staticmethod
    def run(cmd: list[str], task: Any = None) -> None:
        """Run ``cmd`` for ``task``.

        :raises subprocess.CalledProcessError: if its exit code is not zero.
        """
        process: Any = subprocess.Popen(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, close_fds=True)
        lines = []
        with ExternalProgramRunContext(process), process.stdout as stream:
            for raw_line in stream:
                lines.append(raw_line.decode("utf-8", errors="backslashreplace"))
                logger.info(lines[-1].rstrip("\n"))
            exit_code = process.wait()
        if exit_code:
            raise subprocess.CalledProcessError(exit_code, cmd, output="".join(lines))


class BeamDataflowJobTask(MixinNaiveBulkComplete, luigi.Task, metaclass=abc.ABCMeta):
    """Runs a Beam job. Override :py:meth:`dataflow_executable` and set :py:attr:`dataflow_params`.

    Dataflow needs ``project`` and ``temp_location``; it chooses by itself what is left ``None`` of the other settings.

    :raises ValueError: if ``dataflow_params`` is not a :py:class:`DataflowParamKeys`.
    """

    #: ``DirectRunner`` (here) or ``DataflowRunner``.
    runner: str | None = None
    #: The project at Google.
    project: str | None = None
    #: Places in Cloud Storage.
    temp_location: str | None = None
    staging_location: str | None = None
    gcp_temp_location: str | None = None
    #: How many workers there are at the start, at most, and by which rule (``THROUGHPUT_BASED`` or ``NONE``).
    num_workers: int | None = None
    max_num_workers: int | None = None
    autoscaling_algorithm: str | None = None
    #: What a worker is: its kind of machine, and its disk (in GB, at least 30; the kind as an address).
    worker_machine_type: str | None = None
    disk_size_gb: int | None = None
    worker_disk_type: str | None = None
    #: Where workers run, on which network, and as whom.
    region: str | None = None
    zone: str | None = None
    network: str | None = None
    subnetwork: str | None = None
    service_account: str | None = None
    #: The job's name, which no other active job of the project may have, and its labels.
    job_name: str | None = None
    labels: dict[str, str] = {}

    cmd_line_runner: Any = _CmdLineRunner
    dataflow_params: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not isinstance(self.dataflow_params, DataflowParamKeys):
            raise ValueError("dataflow_params must be of type DataflowParamKeys")
        super().__init__(*args, **kwargs)

    @abc.abstractmethod
    def dataflow_executable(self) -> list[str]:
        """The command that starts the job, without options; such as ``["java", "org.example.Job"]``."""

    def args(self) -> list[str]:
        """The job's further arguments."""
        return []

    def before_run(self) -> None:
        """Called before the job starts."""

    def on_successful_run(self) -> None:
        """Called when the job has succeeded, before its output is looked at."""

    def validate_output(self) -> bool:
        """Whether the output is as it should be; if not, the task fails."""
        return True

    def file_pattern(self) -> dict[str, str]:
        """Which files of an input are meant, by the input's name; ``part-*`` for all others."""
        return {}

    def on_successful_output_validation(self) -> None:
        """Called when the output is as it should be; the place to publish it."""

    def cleanup_on_error(self, error: BaseException) -> None:
        """Called when the job has failed or its output is not as it should be."""

    def run(self) -> None:
        """Run the job. If its command fails, this process ends with the command's exit code.

        :raises ValueError: if the output is not as it should be.
        """
        command = self._mk_cmd_line()
        logger.info(" ".join(command))
        self.before_run()
        self._run_or_exit(command)
        self.on_successful_run()
        if self.validate_output():
            self.on_successful_output_validation()
            return
        refusal = ValueError("Output validation failed")
        self.cleanup_on_error(refusal)
        raise refusal

    def _run_or_exit(self, command: list[str]) -> None:
        try:
            self.cmd_line_runner.run(command, self)
        except subprocess.CalledProcessError as failure:
            logger.error(failure, exc_info=True)
            self.cleanup_on_error(failure)
            os._exit(failure.returncode)

    def _mk_cmd_line(self) -> list[str]:
        return [
            *self.dataflow_executable(),
            *self._get_dataflow_args(),
            *self.args(),
            *self._format_input_args(),
            *self._format_output_args(),
        ]

    def _get_runner(self) -> str:
        if not self.runner:
            logger.warning("Runner not supplied to BeamDataflowJobTask. Defaulting to DirectRunner.")
            return "DirectRunner"
        if self.runner not in ("DataflowRunner", "DirectRunner"):
            raise ValueError("Runner %s is unsupported." % self.runner)
        return self.runner

    def _get_dataflow_args(self) -> list[str]:
        options: list[tuple[str, Any]] = [("runner", self._get_runner())]
        options += [(option, getattr(self, option)) for option in _OPTIONS]
        options.append(("labels", json.dumps(self.labels) if self.labels else None))
        return ["--{}={}".format(getattr(self.dataflow_params, option), value) for option, value in options if value]

    def _format_input_args(self) -> list[str]:
        """The inputs as options: ``--<name>=<path>/<pattern>,…``.

        ``input()`` may give a target or a list of targets, which are named ``input``; a pair of name and target; a list
        of such pairs; or a dictionary.
        """
        if not isinstance(self.file_pattern(), dict):
            raise ValueError("file_pattern() must return a dict type")
        paths: dict[str, list[str]] = {}
        for name, targets in self._named_inputs().items():
            pattern = self.file_pattern().get(name, "part-*")
            # A task with several named outputs has the names of both in the option.
            parts = {"%s-%s" % (name, key): part for key, part in targets.items()} if isinstance(targets, dict) else {}
            for option, part in (parts or {name: targets}).items():
                found = [
                    self.get_target_path(target).rstrip("/") + "/" + pattern for target in luigi.task.flatten(part)
                ]
                paths.setdefault(option, []).extend(found)
        return ["--%s=%s" % (option, ",".join(found)) for option, found in paths.items() if found]

    def _named_inputs(self) -> dict[str, Any]:
        job_input = self.input()
        if isinstance(job_input, luigi.Target):
            return {"input": job_input}
        if isinstance(job_input, tuple):
            return {job_input[0]: job_input[1]}
        if isinstance(job_input, list):
            pairs = all(isinstance(item, tuple) for item in job_input)
            return dict(job_input) if pairs else {"input": job_input}
        if isinstance(job_input, dict):
            return job_input
        raise ValueError(
            "Invalid job input requires(). "
            "Supported types: [Target, tuple of (name, Target), dict of (name: Target), list of Targets]"
        )

    def _format_output_args(self) -> list[str]:
        """The outputs as options; a target without a name is named ``output``."""
        job_output = self.output()
        if isinstance(job_output, luigi.Target):
            job_output = {"output": job_output}
        elif not isinstance(job_output, dict):
            raise ValueError("Task output must be a Target or a dict from String to Target")
        return ["--%s=%s" % (name, self.get_target_path(target)) for name, target in job_output.items()]

    @staticmethod
    def get_target_path(target: Any) -> str:
        """How Beam names what ``target`` stands for: a path, or a table as ``project:dataset.table``.

        :raises ValueError: for targets that Beam cannot reach.
        """
        if isinstance(target, luigi.LocalTarget):
            return target.path
        # These bring Google's client libraries, which a job on local files does not need.
        from luigi.contrib import bigquery, gcs

        if isinstance(target, gcs.GCSTarget):
            return target.path
        if isinstance(target, bigquery.BigQueryTarget):
            return "{}:{}.{}".format(target.table.project_id, target.table.dataset_id, target.table.table_id)
        raise ValueError("Target %s not supported" % target)
