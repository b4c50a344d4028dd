"""Run MapReduce jobs with Hadoop Streaming.

Derive from :py:class:`JobTask` and write ``mapper`` and ``reducer``. If the task's output is on HDFS, Hadoop runs
them (the section ``[hadoop]`` says how); any other output is made here, which is what tests want.
"""

from __future__ import annotations

import abc
import datetime
import hashlib
import importlib
import logging
import os
import random
import shutil
import subprocess
import tempfile
import warnings
from io import StringIO
from types import ModuleType
from typing import Any, Callable, Iterable

import luigi
import luigi.contrib.hdfs
from luigi import configuration
from luigi.contrib import mrrunner
from luigi.contrib._hadoop_streaming import DataInterchange, StreamingSteps, flatten, json
from luigi.contrib._hadoop_tracking import TRACKING_RE, JobReport, fetch_task_failures
from luigi.contrib._job_archive import create_packages_archive, dereference, get_extra_files, luigi_packages
from luigi.contrib._job_pickle import dump_task
from luigi.contrib._program_error import ProgramError
from luigi.contrib._run_context import RunContext, kill_process_tree
from luigi.task import Config

__all__ = [
    "BaseHadoopJobTask",
    "DataInterchange",
    "DefaultHadoopJobRunner",
    "HadoopJobError",
    "HadoopJobRunner",
    "HadoopRunContext",
    "JobRunner",
    "JobTask",
    "LocalJobRunner",
    "TRACKING_RE",
    "attach",
    "create_packages_archive",
    "dereference",
    "fetch_task_failures",
    "flatten",
    "get_extra_files",
    "hadoop",
    "run_and_track_hadoop_job",
]

logger = logging.getLogger("luigi-interface")

_attached_packages: list[ModuleType] = []


class hadoop(Config):
    """The section ``[hadoop]``."""

    pool = luigi.OptionalParameter(
        default=None,
        description="pool or queue in which Hadoop runs tasks that do not name one with their parameter pool",
    )


def attach(*packages: ModuleType) -> None:
    """Send ``packages`` along with every streaming job."""
    _attached_packages.extend(packages)


class HadoopRunContext(RunContext):
    """Kills the job on the cluster, not only the client that waits for it, if the wait is cut short."""

    def __init__(self) -> None:
        self.job_id: str | None = None
        self.application_id: str | None = None
        self._client: Any = None

    def watch(self, report: JobReport, client: Any) -> None:
        """Note the ids that the client process has told so far."""
        self.job_id, self.application_id, self._client = report.job_id, report.application_id, client

    def _stop_job(self) -> None:
        for program, kind, known_id in (("yarn", "application", self.application_id), ("mapred", "job", self.job_id)):
            if known_id:
                logger.info("Job interrupted, killing %s %s", kind, known_id)
                subprocess.call([program, kind, "-kill", known_id])
                break
        if isinstance(getattr(self._client, "pid", None), int):
            kill_process_tree(self._client)


class HadoopJobError(ProgramError):
    """A job failed; carries what its client wrote."""

    def __str__(self) -> str:
        return self.message


def run_and_track_hadoop_job(
    arglist: list[str],
    tracking_url_callback: Callable[[str], Any] | None = None,
    env: dict[str, str] | None = None,
) -> tuple[str, str]:
    """Run a client of Hadoop, log what it says, and return what it wrote to its two streams.

    Each tracking URL goes to ``tracking_url_callback``.

    :raises HadoopJobError: if the client fails; with what the job tracker's pages say about failed tasks.
    """
    logger.info("%s", subprocess.list2cmdline(arglist))
    report = JobReport(tracking_url_callback)
    with tempfile.TemporaryFile("w+t", errors="backslashreplace") as stdout_file:
        with HadoopRunContext() as context:
            process: Any = subprocess.Popen(
                arglist,
                stdout=stdout_file,
                stderr=subprocess.PIPE,
                env=env,
                close_fds=True,
                universal_newlines=True,
                errors="backslashreplace",
            )
            context.watch(report, process)
            for line in process.stderr:
                report.add(line)
                context.watch(report, process)
            # The client closed its stream, which is not yet its end.
            if process.poll() is None:
                process.wait()
        stdout_file.seek(0)
        out, err = stdout_file.read(), "".join(report.lines)

    if process.returncode != 0:
        message = "Streaming job failed with exit code %d. " % process.returncode
        raise HadoopJobError(message + _what_failed(report.tracking_url), out, err)
    _write_luigi_history(arglist, {"job_id": report.job_id})
    return out, err


def _what_failed(tracking_url: str | None) -> str:
    """What can be learnt about a failed job from its pages."""
    if not tracking_url:
        return "Also, no tracking url found."
    try:
        task_failures = fetch_task_failures(tracking_url)
    except Exception as error:
        return "Additionally, an error occurred when fetching data from %s: %s" % (tracking_url, error)
    if not task_failures:
        return "Also, could not fetch output from tasks."
    return "Output from tasks below:\n%s" % task_failures


def _write_luigi_history(arglist: list[str], history: dict[str, Any]) -> None:
    """Leave the job's id in its output folder, if ``history-filename`` in ``[core]`` names a file for it."""
    history_filename = configuration.get_config().get("core", "history-filename", "")
    if history_filename and "-output" in arglist:
        output_dir = arglist[arglist.index("-output") + 1]
        with luigi.contrib.hdfs.HdfsTarget(os.path.join(output_dir, history_filename)).open("w") as file:
            file.write(json.dumps(history))


class JobRunner:
    """What runs a task's job: has a method ``run_job`` that takes the task."""

    run_job: Any = NotImplemented


class HadoopJobRunner(JobRunner):
    """Runs a job with Hadoop Streaming.

    :param streaming_jar: path of the jar that comes with Hadoop.
    :param modules: packages to send along.
    :param streaming_args: further arguments of the command.
    :param libjars: local jars for the class path, and ``libjars_in_hdfs`` such that are fetched from HDFS first.
    :param jobconfs: properties of the job, by name.
    :param input_format: Hadoop's input format, and ``output_format`` its output format.
    :param end_job_with_atomic_move_dir: whether the job writes to a temporary folder that is renamed at the end.
    :param archives: paths of archives that are unpacked on the nodes.
    """

    def __init__(
        self,
        streaming_jar: str,
        modules: list[ModuleType] | None = None,
        streaming_args: list[str] | None = None,
        libjars: list[str] | None = None,
        libjars_in_hdfs: list[str] | None = None,
        jobconfs: dict[str, Any] | None = None,
        input_format: str | None = None,
        output_format: str | None = None,
        end_job_with_atomic_move_dir: bool = True,
        archives: list[str] | None = None,
    ) -> None:
        self.streaming_jar = streaming_jar
        self.modules = modules or []
        self.streaming_args = streaming_args or []
        self.libjars = libjars or []
        self.libjars_in_hdfs = libjars_in_hdfs or []
        self.archives = archives or []
        self.jobconfs = jobconfs or {}
        self.input_format = input_format
        self.output_format = output_format
        self.end_job_with_atomic_move_dir = end_job_with_atomic_move_dir
        self.tmp_dir: Any = False

    def run_job(self, job: JobTask, tracking_url_callback: Any = None) -> None:
        """Send the task to the cluster, run it there, and put its output in place.

        :raises HadoopJobError: if the job fails.
        :raises TypeError: for inputs and outputs that Hadoop cannot reach.
        """
        warn_of_tracking_url_callback(tracking_url_callback)
        self._make_tmp_dir()
        try:
            output_final = job.output().path
            output_hadoop = self._output_of_hadoop(job)
            arglist = self._command(job, output_hadoop)
            self._write_job_files(job)
            run_and_track_hadoop_job(arglist, tracking_url_callback=job.set_tracking_url)
            if self.end_job_with_atomic_move_dir:
                luigi.contrib.hdfs.HdfsTarget(output_hadoop).move_dir(output_final)
        finally:
            self.finish()

    def _make_tmp_dir(self) -> None:
        folder = ""
        base_tmp_dir = configuration.get_config().get("core", "tmp-dir", None)
        if base_tmp_dir:
            warnings.warn(
                "The core.tmp-dir configuration item is"
                " deprecated, please use the TMPDIR"
                " environment variable if you wish"
                " to control where luigi.contrib.hadoop may"
                " create temporary files and directories.",
                stacklevel=3,
            )
            folder = os.path.join(base_tmp_dir, f"hadoop_job_{random.getrandbits(64):016x}")
            os.makedirs(folder)
        self.tmp_dir = folder or tempfile.mkdtemp()
        logger.debug("Tmp dir: %s", self.tmp_dir)

    def _output_of_hadoop(self, job: JobTask) -> str:
        """Where the job writes: beside the output until it is whole, unless that is not wanted."""
        output = job.output()
        if not self.end_job_with_atomic_move_dir:
            return output.path
        if not isinstance(output, luigi.contrib.hdfs.HdfsTarget):
            flags = _flag_targets()
            if isinstance(output, flags):
                raise TypeError("end_job_with_atomic_move_dir is not supported for {}".format(flags))
        now = datetime.datetime.now().isoformat().replace(":", "-")
        return "{output}-temp-{time}".format(output=output.path, time=now)

    def _command(self, job: JobTask, output_hadoop: str) -> list[str]:
        arglist = luigi.contrib.hdfs.load_hadoop_cmd() + ["jar", self.streaming_jar]
        arglist += self._generic_options(job)
        arglist += self.streaming_args
        for name, value in job.extra_streaming_arguments():
            arglist += [name if name.startswith("-") else "-" + name, value]

        python_executable = configuration.get_config().get("hadoop", "python-executable", "python")
        runner = "mrrunner.py" if job.package_binary is None else "mrrunner.pex"
        step = "{0} {1} {2}".format
        arglist += ["-mapper", step(python_executable, runner, "map")]
        if job.combiner is not NotImplemented:
            arglist += ["-combiner", step(python_executable, runner, "combiner")]
        if job.reducer is not NotImplemented:
            arglist += ["-reducer", step(python_executable, runner, "reduce")]
        for file in self._job_files(job):
            arglist += ["-file", file]

        if self.output_format:
            arglist += ["-outputformat", self.output_format]
        if self.input_format:
            arglist += ["-inputformat", self.input_format]
        for target in luigi.task.flatten(job.input_hadoop()):
            _check_target(target, "target must one of: {}", _storage_targets)
            arglist += ["-input", target.path]
        _check_target(job.output(), "output must be one of: {}", _flag_targets)
        return arglist + ["-output", output_hadoop]

    def _generic_options(self, job: JobTask) -> list[str]:
        """The options that Hadoop wants before all others: jars, archives, files and properties."""
        options: list[str] = []
        libjars = self.libjars + [self._fetch(libjar) for libjar in self.libjars_in_hdfs]
        if libjars:
            options += ["-libjars", ",".join(libjars)]
        archives = self.archives + list(job.extra_archives() or ())
        if archives:
            options += ["-archives", ",".join(archives)]
        files = []
        for source, destination in get_extra_files(job.extra_files()):
            # Hadoop puts all files into one folder, from where they are linked to the places they are wanted in.
            link = "%s_%09d" % (destination.replace("/", "_"), random.randint(0, 999999999))
            files.append("%s#%s" % (source, link))
            job.add_link(link, destination)
        if files:
            options += ["-files", ",".join(files)]
        for jobconf in [*job.jobconfs(), *("%s=%s" % item for item in self.jobconfs.items())]:
            options += ["-D", jobconf]
        return options

    def _fetch(self, libjar: str) -> str:
        command = luigi.contrib.hdfs.load_hadoop_cmd() + ["fs", "-get", libjar, self.tmp_dir]
        logger.debug(subprocess.list2cmdline(command))
        subprocess.call(command)
        return os.path.join(self.tmp_dir, os.path.basename(libjar))

    def _job_files(self, job: JobTask) -> list[str]:
        """The files that make the task work on a node: the runner, the packages and the task."""
        instance = os.path.join(self.tmp_dir, "job-instance.pickle")
        if job.package_binary is not None:
            return [os.path.join(self.tmp_dir, "mrrunner.pex"), instance]
        runner_path = mrrunner.__file__
        if runner_path.endswith("pyc"):
            runner_path = runner_path[:-1]
        return [runner_path, os.path.join(self.tmp_dir, "packages.tar"), instance]

    def _write_job_files(self, job: JobTask) -> None:
        if job.package_binary is not None:
            shutil.copy(job.package_binary, os.path.join(self.tmp_dir, "mrrunner.pex"))
        else:
            packages = luigi_packages() + self.modules + job.extra_modules() + _attached_packages
            packages.append(importlib.import_module(job.__module__))
            create_packages_archive(packages, os.path.join(self.tmp_dir, "packages.tar"))
        job.dump(self.tmp_dir)

    def finish(self) -> None:
        """Remove the temporary folder."""
        if not self.tmp_dir or not os.path.exists(self.tmp_dir):
            return
        logger.debug("Removing directory %s", self.tmp_dir)
        shutil.rmtree(self.tmp_dir)

    def __del__(self) -> None:
        self.finish()


def warn_of_tracking_url_callback(tracking_url_callback: Any) -> None:
    """Say that a runner's argument ``tracking_url_callback`` has no effect any more."""
    if tracking_url_callback is not None:
        warnings.warn(
            "tracking_url_callback argument is deprecated, task.set_tracking_url is used instead.",
            DeprecationWarning,
            stacklevel=3,
        )


def _check_target(target: Any, message: str, allowed: Callable[[], tuple[type, ...]]) -> None:
    # The other stores' modules bring their client libraries, so they are loaded only when one of them is meant.
    if not isinstance(target, luigi.contrib.hdfs.HdfsTarget) and not isinstance(target, allowed()):
        raise TypeError(message.format(allowed()))


def _storage_targets() -> tuple[type, ...]:
    import luigi.contrib.gcs
    import luigi.contrib.s3

    return luigi.contrib.hdfs.HdfsTarget, luigi.contrib.s3.S3Target, luigi.contrib.gcs.GCSTarget


def _flag_targets() -> tuple[type, ...]:
    import luigi.contrib.gcs
    import luigi.contrib.s3

    return luigi.contrib.hdfs.HdfsTarget, luigi.contrib.s3.S3FlagTarget, luigi.contrib.gcs.GCSFlagTarget


class DefaultHadoopJobRunner(HadoopJobRunner):
    """Runs a job with the jar that ``streaming-jar`` in ``[hadoop]`` names."""

    def __init__(self) -> None:
        super().__init__(streaming_jar=configuration.get_config().get("hadoop", "streaming-jar"))


class LocalJobRunner(JobRunner):
    """Runs a job's steps here, one after the other and in memory.

    :param samplelines: how many lines of each input to take; all of them by default.
    """

    def __init__(self, samplelines: int | None = None) -> None:
        self.samplelines = samplelines

    def sample(self, input_stream: Iterable[str], n: int | None, output: Any) -> None:
        """Copy the first ``n`` lines, or all of them."""
        for number, line in enumerate(input_stream):
            if n is not None and number >= n:
                break
            output.write(line)

    def group(self, input_stream: Iterable[str]) -> StringIO:
        """Bring lines with equal keys together, as Hadoop does: the lines of one key are in no useful order."""

        def place(numbered: tuple[int, str]) -> tuple[list[str], str, str]:
            number, line = numbered
            scattered = hashlib.new("md5", str(number).encode("ascii"), usedforsecurity=False).hexdigest()
            return line.rstrip("\n").split("\t")[:-1], scattered, line

        return StringIO("".join(line for _, line in sorted(enumerate(input_stream), key=place)))

    def run_job(self, job: JobTask) -> None:
        """Run the task's mapper, combiner and reducer, and write its output."""
        map_input = StringIO()
        for target in luigi.task.flatten(job.input_hadoop()):
            with target.open("r") as lines:
                self.sample(lines, self.samplelines, map_input)
        map_input.seek(0)

        if job.reducer is NotImplemented:
            with job.output().open("w") as output:
                job.run_mapper(map_input, output)
            return

        records = self._step(job.run_mapper, map_input)
        if job.combiner is not NotImplemented:
            records = self._step(job.run_combiner, self.group(records))
        with job.output().open("w") as output:
            job.run_reducer(self.group(records), output)

    def _step(self, step: Callable[[Any, Any], None], lines: StringIO) -> StringIO:
        output = StringIO()
        step(lines, output)
        output.seek(0)
        return output


class BaseHadoopJobTask(luigi.Task):
    """What all tasks have in common whose job runs on Hadoop; :py:meth:`job_runner` says what runs it."""

    pool = luigi.OptionalParameter(default=None, significant=False, positional=False)

    #: How much a counter gathers before Hadoop is told.
    batch_counter_default = 1

    # Called after a step's last record, to yield more of them.
    final_mapper: Any = NotImplemented
    final_combiner: Any = NotImplemented
    final_reducer: Any = NotImplemented

    #: A method that returns the job's priority in Hadoop's words.
    mr_priority: Any = NotImplemented
    #: A program with all that the task needs, to be sent in place of packages.
    package_binary: Any = None
    #: The way values are written between the steps: ``python`` or ``json``.
    data_interchange_format = "python"

    _counter_dict: dict[Any, Any] = {}
    task_id: Any = None

    def _get_pool(self) -> str | None:
        return self.pool or hadoop().pool or None

    @abc.abstractmethod
    def job_runner(self) -> Any:
        """The runner to use."""

    def jobconfs(self) -> list[str]:
        """The job's properties, as ``name=value``."""
        properties = ["mapred.job.name=%s" % self]
        if self.mr_priority is not NotImplemented:
            properties.append("mapred.job.priority=%s" % self.mr_priority())
        pool = self._get_pool()
        if pool is not None:
            # The two schedulers that Hadoop has for sharing a cluster name the same thing differently.
            scheduler = configuration.get_config().get("hadoop", "scheduler", "fair")
            name = {"fair": "mapred.fairscheduler.pool", "capacity": "mapred.job.queue.name"}.get(scheduler)
            if name:
                properties.append("%s=%s" % (name, pool))
        return properties

    def init_local(self) -> None:
        """Called here before the job starts. What it sets on the task goes to the nodes with the task."""

    def init_hadoop(self) -> None:
        """Called on the node before any step starts."""

    def run(self) -> None:
        """Prepare the task here, then let the runner run its job."""
        for name, function in DataInterchange[self.data_interchange_format].items():
            setattr(self, name, function)
        self.init_local()
        self.job_runner().run_job(self)

    def requires_local(self) -> Any:
        """Tasks whose output :py:meth:`init_local` reads."""
        return []

    def requires_hadoop(self) -> Any:
        """Tasks whose output is the job's input; by default all that the task requires."""
        return self.requires()

    def input_local(self) -> Any:
        """The outputs of :py:meth:`requires_local`."""
        return luigi.task.getpaths(self.requires_local())

    def input_hadoop(self) -> Any:
        """The outputs of :py:meth:`requires_hadoop`."""
        return luigi.task.getpaths(self.requires_hadoop())

    def deps(self) -> list[Any]:
        """Both kinds of required tasks."""
        return luigi.task.flatten(self.requires_hadoop()) + luigi.task.flatten(self.requires_local())

    def on_failure(self, exception: BaseException) -> str:
        """The text for the error mail; for a failed job with all that its client wrote."""
        if not isinstance(exception, HadoopJobError):
            return super().on_failure(exception)
        return "Hadoop job failed with message: {}\n\n    stdout:\n    {}\n\n\n    stderr:\n    {}\n      ".format(
            exception.message, exception.out, exception.err
        )


class JobTask(StreamingSteps, BaseHadoopJobTask):
    """A streaming job: ``mapper``, and ``reducer`` and ``combiner`` where they are wanted."""

    #: How many characters of a property streaming hands on as an environment variable; negative for no limit.
    jobconf_truncate = 20000
    #: How many reducers run side by side.
    n_reduce_tasks = 25

    def jobconfs(self) -> list[str]:
        """The job's properties, those about reducers among them."""
        properties = super().jobconfs()
        reducers = 0 if self.reducer is NotImplemented else self.n_reduce_tasks
        properties.append("mapred.reduce.tasks=%s" % reducers)
        if self.jobconf_truncate >= 0:
            properties.append("stream.jobconf.truncate.limit=%i" % self.jobconf_truncate)
        return properties

    def job_runner(self) -> JobRunner:
        """Hadoop if all outputs are on HDFS, else this machine; override it to set up a runner of your own."""
        if all(isinstance(output, luigi.contrib.hdfs.HdfsTarget) for output in luigi.task.flatten(self.output())):
            return DefaultHadoopJobRunner()
        warnings.warn("Job is using one or more non-HdfsTarget outputs so it will be run in local mode", stacklevel=2)
        return LocalJobRunner()

    def extra_modules(self) -> list[ModuleType]:
        """Packages to send along."""
        return []

    def extra_files(self) -> list[Any]:
        """Files and folders to send along: paths, or pairs of a path and the name to have on the node."""
        return []

    def extra_streaming_arguments(self) -> list[tuple[str, str]]:
        """Further arguments of the command, as pairs of name and value."""
        return []

    def extra_archives(self) -> list[str]:
        """Paths of archives that are unpacked on the nodes."""
        return []

    def _setup_remote(self) -> None:
        self._setup_links()

    def _setup_links(self) -> None:
        missing = self._make_links()
        if missing:
            raise HadoopJobError("Missing files for distributed cache: " + ", ".join(missing))

    def dump(self, directory: str = "") -> None:
        """Write the task into ``directory``, for the runner on the node."""
        with open(os.path.join(directory, "job-instance.pickle"), "wb") as file:
            dump_task(self, file)
