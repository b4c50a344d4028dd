"""The exit codes of the command `luigi`: why a run did not do all of its work."""

from __future__ import annotations

import logging
import sys
from typing import Any, NoReturn

from luigi import execution_summary, interface
from luigi.cmdline_parser import CmdlineParser
from luigi.parameter import IntParameter
from luigi.setup_logging import InterfaceLogging
from luigi.task import Config


class retcode(Config):
    """The section `[retcode]`: the code for each outcome. The highest that applies is the exit code.

    All but the first are 0 by default, so that a failed task does not show unless asked for.
    """

    unhandled_exception = IntParameter(default=4, description="An error inside luigi itself.")
    missing_data = IntParameter(default=0, description="An ExternalTask was needed that is not complete.")
    task_failed = IntParameter(default=0, description="The run() of a task failed.")
    already_running = IntParameter(
        default=0, description="The lock was taken, or another worker was running a task of this run."
    )
    scheduling_error = IntParameter(
        default=0, description="A complete() or requires() failed, or the task limit was reached."
    )
    not_run = IntParameter(default=0, description="The scheduler did not let a task be run.")


def run_with_retcodes(argv: list[str]) -> NoReturn:
    """Runs the command line `argv` (without the program's name) and exits with the code of the outcome."""
    with CmdlineParser.global_instance(argv):
        codes = retcode()
    try:
        worker = interface._run(argv).worker
    except interface.PidLockAlreadyTakenExit:
        sys.exit(codes.already_running)
    except Exception:
        # The error may have come before logging was set up, and must be seen.
        InterfaceLogging.setup(interface.core())
        logging.getLogger("luigi-interface").exception("Uncaught exception in luigi")
        sys.exit(codes.unhandled_exception)

    with CmdlineParser.global_instance(argv):
        outcome = execution_summary._summary_dict(worker)
        root_task = execution_summary._root_task(worker)
    sys.exit(_exit_code(codes, outcome, root_task))


def _exit_code(codes: retcode, outcome: dict[str, Any], root_task: Any) -> int:
    """The highest code among the categories of the execution summary that hold a task."""
    code_of = {
        "still_pending_ext": codes.missing_data,
        "failed": codes.task_failed,
        "run_by_other_worker": codes.already_running,
        "scheduling_error": codes.scheduling_error,
        "not_run": codes.not_run,
    }
    code = max((code for category, code in code_of.items() if outcome.get(category)), default=0)
    if code == 0 and root_task not in outcome["completed"] and root_task not in outcome["already_done"]:
        return codes.not_run
    return code
