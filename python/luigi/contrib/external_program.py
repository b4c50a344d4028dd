"""Tasks whose work is one run of an external program.

Override :py:meth:`ExternalProgramTask.program_args` with the command. The task fails if the program's exit code is
not zero; the program's output goes to the log, and a line of it may give the task's tracking URL.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import tempfile
from contextlib import contextmanager
from typing import IO, Any, Iterator

import luigi
from luigi.contrib._program_group import ProgramGroup, end_program, program_group
from luigi.contrib._run_context import RunContext
from luigi.contrib._stream_watcher import StreamWatcher
from luigi.parameter import ParameterVisibility

logger = logging.getLogger("luigi-interface")


class ExternalProgramTask(luigi.Task):
    """Runs the program that :py:meth:`program_args` names and waits for it.

    The arguments go to the system as a list, without a shell. Both output streams are kept and logged when the
    program has ended; with ``--capture-output False`` they go where Luigi's own output goes.
    """

    capture_output = luigi.BoolParameter(default=True, significant=False, positional=False)

    #: Which stream is looked through for a tracking URL while the program runs: ``stdout``, ``stderr`` or ``none``.
    stream_for_searching_tracking_url = luigi.parameter.ChoiceParameter(
        var_type=str,
        choices=["none", "stdout", "stderr"],
        default="none",
        significant=False,
        positional=False,
        visibility=ParameterVisibility.HIDDEN,
        description="Output stream in which a tracking URL is looked for",
    )

    #: Where a line matches, the expression's first group becomes the tracking URL, as in ``Job UI is here: (https?://.*)``.
    tracking_url_pattern = luigi.OptionalParameter(
        default=None,
        significant=False,
        positional=False,
        visibility=ParameterVisibility.HIDDEN,
        description="Regular expression whose first group is the tracking URL in a line of the program's output",
    )

    def program_args(self) -> list[Any]:
        """The command as a list, the program first; every element is turned into a string. To be overridden."""
        raise NotImplementedError

    def program_environment(self) -> dict[str, str]:
        """The program's environment variables; by default those of this process."""
        return os.environ.copy()

    @property
    def always_log_stderr(self) -> bool:
        """Whether the error stream is logged after a success too, and not only after a failure."""
        return True

    def build_tracking_url(self, logs_output: str) -> str:
        """Make the tracking URL of what the pattern's first group matched; by default it is the URL."""
        return logs_output

    def run(self) -> None:
        """Run the program.

        :raises ExternalProgramRunError: if its exit code is not zero.
        """
        args = [str(arg) for arg in self.program_args()]
        stdout: str | None = None
        stderr: str | None = None
        logger.info("Running command: %s", " ".join(args))
        env = self.program_environment()
        if self.capture_output:
            with tempfile.TemporaryFile() as stdout_file, tempfile.TemporaryFile() as stderr_file:
                returncode = self._run_program(args, {"env": env, "stdout": stdout_file, "stderr": stderr_file})
                stdout, stderr = self._clean_output_file(stdout_file), self._clean_output_file(stderr_file)
        else:
            returncode = self._run_program(args, {"env": env})

        if stdout:
            logger.info("Program stdout:\n{}".format(stdout))
        if stderr and (returncode != 0 or self.always_log_stderr):
            logger.info("Program stderr:\n{}".format(stderr))
        if returncode != 0:
            message = "Program failed with return code={}:".format(returncode)
            raise ExternalProgramRunError(message, args, env=env, stdout=stdout, stderr=stderr)

    def _run_program(self, args: list[str], popen_kwargs: dict[str, Any]) -> int:
        if self._looks_for_tracking_url():
            with self._proc_with_tracking_url_context(proc_args=args, proc_kwargs=popen_kwargs) as process:
                process.wait()
        else:
            with program_group() as group:
                process = subprocess.Popen(args, **{**group.options, **popen_kwargs})
                with _run_context(process, group):
                    process.wait()
        return process.returncode

    def _looks_for_tracking_url(self) -> bool:
        return self.stream_for_searching_tracking_url != "none" and self.tracking_url_pattern is not None

    def _clean_output_file(self, file_object: IO[bytes]) -> str:
        """The whole of a captured stream; bytes that are not UTF-8 are shown as escapes."""
        file_object.seek(0)
        return file_object.read().decode("utf-8", errors="backslashreplace")

    @contextmanager
    def _proc_with_tracking_url_context(
        self, proc_args: list[str], proc_kwargs: dict[str, Any]
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start the program with one stream looked through for the tracking URL."""
        stream = self.stream_for_searching_tracking_url
        pattern = re.compile(self.tracking_url_pattern or "")

        def look_for_url(line: str) -> None:
            match = pattern.search(line)
            # A task that is run without a worker has nobody to tell.
            if match and self.set_tracking_url is not None:
                self.set_tracking_url(self.build_tracking_url(match.group(1)))

        with program_group() as group:
            process = subprocess.Popen(proc_args, **{**group.options, **proc_kwargs, stream: subprocess.PIPE})
            watcher = StreamWatcher(getattr(process, stream), look_for_url, copy_to=proc_kwargs.get(stream))
            watcher.start()
            try:
                with _run_context(process, group):
                    yield process
            finally:
                watcher.finish()


class ExternalProgramRunContext(RunContext):
    """Ends the program and what it started if the wait for it is cut short: SIGTERM first, SIGKILL a little later."""

    #: The group that the program was started in, if somebody watches over one.
    program_group: ProgramGroup | None = None

    def __init__(self, proc: subprocess.Popen[bytes]) -> None:
        self.proc = proc

    def _stop_job(self) -> None:
        end_program(self.proc, self.program_group)


def _run_context(process: subprocess.Popen[bytes], group: ProgramGroup) -> ExternalProgramRunContext:
    context = ExternalProgramRunContext(process)
    context.program_group = group
    return context


class ExternalProgramRunError(RuntimeError):
    """A program ended with an exit code other than zero; carries its command, environment and captured output."""

    def __init__(
        self,
        message: str,
        args: list[str],
        env: dict[str, str] | None = None,
        stdout: str | None = None,
        stderr: str | None = None,
    ) -> None:
        super().__init__(message, args, env, stdout, stderr)
        self.message = message
        self.args = args  # type: ignore[assignment]  # Luigi keeps the command here, in place of Python's tuple.
        self.env = env
        self.out = stdout
        self.err = stderr

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, list(self.args), self.env, self.out, self.err)

    def __str__(self) -> str:
        variables = " ".join("{}='{}'".format(name, value) for name, value in (self.env or {}).items())
        lines = [
            self.message,
            "COMMAND: " + " ".join(self.args),
            "STDOUT: " + (self.out or "[empty]"),
            "STDERR: " + (self.err or "[empty]"),
            "ENVIRONMENT: " + (variables or "[empty]"),
        ]
        # A variable may hold a colour sequence (a prompt does); the last sequence sets the terminal back.
        return "\n".join(lines) + "\033[m"


class ExternalPythonProgramTask(ExternalProgramTask):
    """Runs a Python program, in a virtual environment or with further module folders if asked to."""

    virtualenv = luigi.OptionalParameter(
        default=None,
        positional=False,
        description="folder of the virtual environment to run in, the one that holds bin/activate",
    )
    extra_pythonpath = luigi.OptionalParameter(
        default=None, positional=False, description="folder to search for modules before those of PYTHONPATH"
    )

    def program_environment(self) -> dict[str, str]:
        """The environment variables, changed as activating the virtual environment would change them."""
        env = super().program_environment()
        if self.extra_pythonpath:
            env["PYTHONPATH"] = ":".join([self.extra_pythonpath, env.get("PYTHONPATH", "")])
        if self.virtualenv:
            env["PATH"] = ":".join(["{}/bin".format(self.virtualenv), env.get("PATH", "")])
            env["VIRTUAL_ENV"] = self.virtualenv
            env.pop("PYTHONHOME", None)
        return env
