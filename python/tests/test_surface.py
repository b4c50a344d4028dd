"""What other projects take from Luigi, found under Luigi's names: also what is private and used all the same."""

import importlib
import inspect
from pathlib import Path

import pytest

import luigi
import luigi.configuration
import luigi.db_task_history
import luigi.format
import luigi.rpc
import luigi.worker
from luigi.scheduler import Scheduler
from luigi.task_register import Register

SURFACE = [line.split(" ") for line in (Path(__file__).parent / "data" / "surface.txt").read_text().splitlines()]


def find(path):
    """What ``luigi.module.Class.attribute`` names."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for name in parts[length:]:
            found = getattr(found, name)
        return found
    raise ImportError(path)


def kind(thing):
    if inspect.isclass(thing):
        return "class"
    if inspect.ismodule(thing):
        return "module"
    return "function" if callable(thing) else "value"


def test_every_name_is_there_and_of_its_kind():
    assert len(SURFACE) > 300
    assert [(path, kind(find(path))) for _, path in SURFACE] == [(path, expected) for expected, path in SURFACE]


class Wait(luigi.Task):
    pass


def a_worker():
    return luigi.worker.Worker(scheduler=Scheduler())


def a_run():
    return luigi.worker.TaskProcess(Wait(), "w", None, luigi.worker.TaskStatusReporter(None, "t", "w", None))


# Of what objects projects read, call or override what.
PRIVATE = [
    (
        a_worker,
        "_add _add_task _add_task_batcher _add_task_history _add_worker _announce_scheduling_failure _assistant"
        " _batch_families_sent _batch_running_tasks _check_complete_value _config _create_task_process"
        " _email_complete_error _email_dependency_error _email_error _email_task_failure _email_unexpected_error"
        " _first_task _generate_worker_id _generate_worker_info _get_work _get_work_response_history"
        " _get_work_task_id _handle_next_task _handle_rpc_message _handle_task_load_error _id _idle_since"
        " _keep_alive _log_complete_error _log_dependency_error _log_remote_tasks _log_unexpected_error"
        " _purge_children _run_task _running_tasks _scheduled_tasks _scheduler _sleeper _start_phasing_out"
        " _stop_requesting_work _suspended_tasks _task_completion_cache _task_result_queue _validate_dependency"
        " _validate_task _worker_info",
    ),
    (lambda: a_worker().__enter__(), "_keep_alive_thread"),
    (a_run, "_forward_attributes _handle_run_exception _recursive_terminate _run_get_new_deps"),
    (lambda: a_run().status_reporter, "_scheduler _task_id _worker_id"),
    (Wait, "_get_param_visibilities _namespace_at_class_time _owner_list"),
    (
        luigi.Parameter,
        "_batch_method _default _parse_or_no_value _parser_kwargs _warn_on_wrong_param_type",
    ),
    (lambda: luigi.ChoiceListParameter(choices=["a"]), "_choices _sep"),
    (lambda: Register, "_get_namespace _get_reg _reg _set_reg"),
    (lambda: luigi.cmdline_parser.CmdlineParser(["Wait"]), "_build_parser _get_task_cls _get_task_kwargs _instance"),
    (luigi.configuration.get_config, "_config_paths _instance"),
    (luigi.rpc.RemoteScheduler, "_url"),
    (lambda: Scheduler()._state, "_tasks"),
    (lambda: luigi.format.InputPipeProcessWrapper(["true"]), "_process"),
    (lambda: luigi.db_task_history.DbTaskHistory, "_session"),
    (lambda: luigi.LocalTarget("x"), "_trailing_slash"),
]


@pytest.mark.parametrize(("make", "names"), PRIVATE)
def test_private_members_are_there(make, names, configure):
    configure({"task_history": {"db_connection": "sqlite://"}})
    made = make()
    try:
        assert [name for name in names.split() if not hasattr(made, name)] == []
    finally:
        if isinstance(made, luigi.worker.Worker) and hasattr(made, "_keep_alive_thread"):
            made.__exit__(None, None, None)
