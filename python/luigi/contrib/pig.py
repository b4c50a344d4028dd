"""Run Pig scripts. The key ``home`` of the section ``[pig]`` says where Pig is installed."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import tempfile
from contextlib import contextmanager
from typing import IO, Any, Iterator

import luigi
from luigi import configuration
from luigi.contrib._pipes import read_both
from luigi.contrib._program_error import ProgramError
from luigi.contrib._run_context import RunContext, kill_process_tree

logger = logging.getLogger("luigi-interface")

_JOB_RE = re.compile(r"HadoopJobId: (\S+)")
_URL_RE = re.compile(r"More information at: (\S+)", re.IGNORECASE)


class PigJobTask(luigi.Task):
    """Runs the script that :py:meth:`pig_script_path` names."""

    def pig_home(self) -> str:
        """The folder where Pig is installed."""
        return configuration.get_config().get("pig", "home", "/usr/share/pig")

    def pig_command_path(self) -> str:
        """The command that runs Pig."""
        return os.path.join(self.pig_home(), "bin/pig")

    def pig_env_vars(self) -> dict[str, str]:
        """Environment variables for Pig, such as ``PIG_CLASSPATH``."""
        return {}

    def pig_properties(self) -> dict[str, Any]:
        """Properties for Pig, such as ``pig.additional.jars``."""
        return {}

    def pig_parameters(self) -> dict[str, Any]:
        """Values for the parameters of the script."""
        return {}

    def pig_options(self) -> list[str]:
        """Further options of the command, such as ``["-x", "local"]``."""
        return []

    def output(self) -> Any:
        """The script's output. To be overridden."""
        raise NotImplementedError("subclass should define output path")

    def pig_script_path(self) -> str:
        """Path of the script. To be overridden."""
        raise NotImplementedError("subclass should define pig_script_path")

    @contextmanager
    def _build_pig_cmd(self) -> Iterator[list[str]]:
        """Give the command, whose parameters and properties are in files that are there while it runs."""
        with tempfile.NamedTemporaryFile() as param_file, tempfile.NamedTemporaryFile() as prop_file:
            command = [self.pig_command_path(), *self.pig_options()]
            command += _option_in_file("-param_file", param_file, self.pig_parameters())
            command += _option_in_file("-propertyFile", prop_file, self.pig_properties())
            command += ["-f", self.pig_script_path()]
            logger.info(subprocess.list2cmdline(command))
            yield command

    def run(self) -> None:
        """Run the script.

        :raises PigJobError: if Pig fails.
        """
        with self._build_pig_cmd() as command:
            self.track_and_progress(command)

    def track_and_progress(self, cmd: list[str]) -> None:
        """Run the command and log what it says of its progress."""
        env = {**os.environ, "PIG_HOME": self.pig_home(), **self.pig_env_vars()}
        process: Any = subprocess.Popen(cmd, shell=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        err_lines: list[str] = []
        with PigRunContext() as context:
            context.process = process
            for from_stderr, line in read_both(process.stdout, process.stderr):
                if from_stderr:
                    err_lines.append(line)
                self._follow(line, context)
            if process.poll() is None:
                process.wait()

        if process.returncode != 0:
            err = "".join(err_lines)
            logger.error("Error when running script:\n%s", self.pig_script_path())
            logger.error(err)
            raise PigJobError("Pig script failed with return value: %s" % process.returncode, err=err)
        logger.info("Job completed successfully!")

    def _follow(self, line: str, context: PigRunContext) -> None:
        """Log the message in a line of Pig's log, and note the job's id and the address of its page."""
        message = line.split(" - ")[-1].strip()
        if message:
            # Luigi shows these messages in small letters.
            logger.info(message.lower())
        if found := _JOB_RE.search(message):
            context.job_id = found[1]
        elif (found := _URL_RE.search(message)) and self.set_tracking_url is not None:
            self.set_tracking_url(found[1])


def _option_in_file(option: str, file: IO[bytes], values: dict[str, Any]) -> list[str]:
    """Write the values as ``name=value`` lines; without values there is neither file nor option."""
    if not values:
        return []
    file.writelines(("%s=%s%s" % (name, value, os.linesep)).encode("utf-8") for name, value in values.items())
    file.flush()
    return [option, file.name]


class PigRunContext(RunContext):
    """Kills the job, if its id is known, and the program Pig, if the wait for it is cut short."""

    def __init__(self) -> None:
        self.job_id: str | None = None
        self.process: Any = None

    def _stop_job(self) -> None:
        if self.job_id:
            logger.info("Job interrupted, killing job %s", self.job_id)
            subprocess.call(["pig", "-e", "kill %s" % self.job_id])
        if isinstance(getattr(self.process, "pid", None), int):
            kill_process_tree(self.process)


class PigJobError(ProgramError):
    """A script failed; carries what Pig wrote."""

    def __str__(self) -> str:
        text = self.message
        if self.out:
            text += "\nSTDOUT: " + str(self.out)
        if self.err:
            text += "\nSTDERR: " + str(self.err)
        return text
