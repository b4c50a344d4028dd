"""The settings of a worker."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from luigi.parameter import (
    BoolParameter,
    FloatParameter,
    IntParameter,
    OptionalParameter,
    Parameter,
    TimeDeltaParameter,
)
from luigi.task import Config

if TYPE_CHECKING:
    from luigi.parameter import ConfigPath


def _formerly(name: str) -> ConfigPath:
    return {"section": "core", "name": name}


class worker(Config):
    """Section ``[worker]`` of the configuration. Times are in seconds."""

    id = Parameter(default="", description="The worker's id, in place of a generated one")
    ping_interval = FloatParameter(default=1.0, config_path=_formerly("worker-ping-interval"))
    keep_alive = BoolParameter(default=False, config_path=_formerly("worker-keep-alive"))
    count_uniques = BoolParameter(
        default=False,
        config_path=_formerly("worker-count-uniques"),
        description="Stay alive only for pending tasks that no other worker can run; needs keep-alive",
    )
    count_last_scheduled = BoolParameter(
        default=False, description="Stay alive only for pending tasks that this worker was the last to schedule"
    )
    wait_interval = FloatParameter(default=1.0, config_path=_formerly("worker-wait-interval"))
    wait_jitter = FloatParameter(default=5.0)
    max_keep_alive_idle_duration = TimeDeltaParameter(default=datetime.timedelta(0))
    max_reschedules = IntParameter(default=1, config_path=_formerly("worker-max-reschedules"))
    timeout = IntParameter(default=0, config_path=_formerly("worker-timeout"))
    task_limit = IntParameter(default=None, config_path=_formerly("worker-task-limit"))
    retry_external_tasks = BoolParameter(
        default=False,
        config_path=_formerly("retry-external-tasks"),
        description="Look for missing external tasks again while the worker runs",
    )
    send_failure_email = BoolParameter(
        default=True, description="Send an e-mail for each failure from the worker itself"
    )
    no_install_shutdown_handler = BoolParameter(
        default=False, description="Leave SIGUSR1 alone, which stops the worker from asking for more work"
    )
    check_unfulfilled_deps = BoolParameter(
        default=True, description="Look before each run whether what the task requires is there"
    )
    check_complete_on_run = BoolParameter(
        default=False,
        description="Report a task as done only if it is complete after its run; external tasks in any case",
    )
    force_multiprocessing = BoolParameter(
        default=False, description="Run each task in a process of its own with one worker, too"
    )
    reuse_processes = BoolParameter(
        default=False,
        description="With several workers, run one task after another in the same process: "
        "they share its modules, caches, connections and memory",
    )
    task_process_context = OptionalParameter(
        default=None,
        description="Full name of a class that, called with a TaskProcess, gives a context manager for its run, "
        "for monitoring or logging",
    )
    cache_task_completion = BoolParameter(
        default=False,
        description="Never check again what was complete once: for dynamic dependencies whose outputs stay",
    )
    send_logs = BoolParameter(
        default=True,
        parsing=BoolParameter.EXPLICIT_PARSING,
        description="Send what runs print to a scheduler that keeps it, for whoever operates it",
    )


worker.__module__ = "luigi.worker"
