"""Running tasks from a program (:py:func:`build`) or from a command line (:py:func:`run`)."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from luigi import _warnings, lock, parameter, rpc, scheduler, task, worker
from luigi.cmdline_parser import CmdlineParser
from luigi.execution_summary import LuigiRunResult
from luigi.setup_logging import InterfaceLogging

if TYPE_CHECKING:
    from luigi.parameter import ConfigPath


def _formerly(name: str) -> ConfigPath:
    return {"section": "core", "name": name}


def _temporary_folder() -> str:
    """What ``tempfile`` would say: that module loads six libraries, and each fork has to copy where they lie."""
    named = next(filter(None, map(os.environ.get, ("TMPDIR", "TEMP", "TMP"))), "/tmp")
    if "tempfile" not in sys.modules and os.path.isdir(named) and os.access(named, os.W_OK | os.X_OK):
        return os.path.abspath(named)
    import tempfile

    return tempfile.gettempdir()


class core(task.Config):
    """Section ``[core]`` of the configuration: how a program runs its tasks. Its flags have no prefix."""

    use_cmdline_section = False
    # Others read these. A warning would show the token.
    ignore_unconsumed = {
        "autoload_range",
        "no_configure_logging",
        "rpc_ca_file",
        "rpc_connect_timeout",
        "rpc_log_retries",
        "rpc_retry_attempts",
        "rpc_retry_wait",
        "rpc_token",
    }

    local_scheduler = parameter.BoolParameter(
        default=False, description="Schedule in this process, without a server", always_in_help=True
    )
    scheduler_host = parameter.Parameter(
        default="localhost",
        description="Host that the scheduler runs on",
        config_path=_formerly("default-scheduler-host"),
    )
    scheduler_port = parameter.IntParameter(
        default=8082, description="Port that the scheduler listens to", config_path=_formerly("default-scheduler-port")
    )
    scheduler_url = parameter.Parameter(
        default="",
        description="Where the scheduler is, in place of host and port",
        config_path=_formerly("default-scheduler-url"),
    )
    lock_size = parameter.IntParameter(default=1, description="How many processes may run one command at a time")
    no_lock = parameter.BoolParameter(default=False, description="Run even if the same command runs already")
    lock_pid_dir = parameter.Parameter(
        default=os.path.join(_temporary_folder(), "luigi"),
        description="Folder of the files that say what runs already",
    )
    take_lock = parameter.BoolParameter(
        default=False, description="Tell processes that run the same command to ask for no more work"
    )
    workers = parameter.IntParameter(default=1, description="How many tasks may run at a time")
    logging_conf_file = parameter.Parameter(default="", description="Configuration file of the logging")
    log_level = parameter.ChoiceParameter(
        default="DEBUG",
        choices=["NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        description="What is logged where no configuration file of the logging says it",
    )
    module = parameter.Parameter(default="", description="Module to import for its tasks", always_in_help=True)
    parallel_scheduling = parameter.BoolParameter(
        default=False, description="Check in several processes which tasks are complete"
    )
    parallel_scheduling_processes = parameter.IntParameter(
        default=0, description="In how many processes to check; 0 is one for each CPU"
    )
    assistant = parameter.BoolParameter(
        default=False, description="Run whatever the scheduler has to run, also for others"
    )
    help = parameter.BoolParameter(
        default=False, description="Show the most common flags and those of the task", always_in_help=True
    )
    help_all = parameter.BoolParameter(default=False, description="Show all flags", always_in_help=True)


class _WorkerSchedulerFactory:
    """Makes the parts of a run. Programs pass one of their own to change them."""

    def create_local_scheduler(self) -> Any:
        return scheduler.Scheduler(prune_on_get_work=True, record_task_history=False)

    def create_remote_scheduler(self, url: str) -> Any:
        return rpc.RemoteScheduler(url)

    def create_worker(self, scheduler: Any, worker_processes: int, assistant: bool = False) -> worker.Worker:
        return worker.Worker(scheduler=scheduler, worker_processes=worker_processes, assistant=assistant)


def _schedule_and_run(
    tasks: Iterable[task.Task], worker_scheduler_factory: Any = None, override_defaults: dict[str, Any] | None = None
) -> LuigiRunResult:
    """Plans and runs the tasks.

    Raises PidLockAlreadyTakenExit if the same command runs already.
    """
    factory = worker_scheduler_factory or _WorkerSchedulerFactory()
    settings = core(**(override_defaults or {}))
    InterfaceLogging.setup(settings)
    if not settings.no_lock:
        kill_signal = signal.SIGUSR1 if settings.take_lock else None
        if not lock.acquire_for(settings.lock_pid_dir, settings.lock_size, kill_signal):
            raise PidLockAlreadyTakenExit()
    if settings.local_scheduler:
        sch = factory.create_local_scheduler()
    else:
        sch = factory.create_remote_scheduler(
            url=settings.scheduler_url or f"http://{settings.scheduler_host}:{settings.scheduler_port:d}/"
        )
    runner = factory.create_worker(scheduler=sch, worker_processes=settings.workers, assistant=settings.assistant)
    logger = logging.getLogger("luigi-interface")
    success = True
    with runner:
        for each in tasks:
            success &= runner.add(each, settings.parallel_scheduling, settings.parallel_scheduling_processes)
        logger.info("Done scheduling tasks")
        success &= runner.run()
    result = LuigiRunResult(runner, success)
    logger.info(result.summary_text)
    if hasattr(sch, "close"):
        sch.close()
    return result


class PidLockAlreadyTakenExit(SystemExit):
    """The same command runs already as often as it may."""


def run(*args: Any, **kwargs: Any) -> Any:
    """Runs what a command line asks for, by default that of the program. Takes the arguments of :py:func:`_run`.

    Returns whether everything could be scheduled, or with ``detailed_summary`` a LuigiRunResult.
    """
    result = _run(*args, **kwargs)
    return result if kwargs.get("detailed_summary") else result.scheduling_succeeded


def _run(
    cmdline_args: Sequence[str] | None = None,
    main_task_cls: type[task.Task] | None = None,
    worker_scheduler_factory: Any = None,
    use_dynamic_argparse: bool | None = None,
    local_scheduler: bool = False,
    detailed_summary: bool = False,
) -> LuigiRunResult:
    if use_dynamic_argparse is not None:
        _warnings.warn("use_dynamic_argparse is deprecated, don't set it.", DeprecationWarning)
    if cmdline_args is not None and not isinstance(cmdline_args, (list, tuple)):
        kind = type(cmdline_args).__name__
        raise TypeError(
            f"cmdline_args must be a list or tuple of command-line arguments, got {kind!r}. "
            "Example: ['MyTask', '--param', 'value']"
        )
    arguments = list(sys.argv[1:] if cmdline_args is None else cmdline_args)
    if main_task_cls:
        arguments.insert(0, main_task_cls.task_family)
    if local_scheduler:
        arguments.append("--local-scheduler")
    with CmdlineParser.global_instance(arguments) as parser:
        return _schedule_and_run([parser.get_task_obj()], worker_scheduler_factory)


def build(
    tasks: Iterable[task.Task], worker_scheduler_factory: Any = None, detailed_summary: bool = False, **env_params: Any
) -> Any:
    """Runs tasks from a program: ``luigi.build([Report(date)], local_scheduler=True)``.

    Keywords are parameters of :py:class:`core`. Other than on the command line, equal calls do not exclude
    each other unless ``no_lock=False`` is given.

    Returns whether everything could be scheduled and ran well, or with ``detailed_summary`` a LuigiRunResult.
    """
    env_params.setdefault("no_lock", True)
    result = _schedule_and_run(tasks, worker_scheduler_factory, override_defaults=env_params)
    return result if detailed_summary else result.scheduling_succeeded
