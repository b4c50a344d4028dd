"""The state that a scheduler of Luigi itself left in its file, for the engine to go on with.

Luigi pickles its objects. Reading them runs nothing: only the few classes that such a file may hold are known, and they
are stood for by ones that just keep what is said of them.
"""

from __future__ import annotations

import collections
import io
import json
import math
import pickle
from collections.abc import Iterator
from typing import Any

#: What the export format of the engine is, in its first line.
EXPORT = b'{"condotta":"export"'

_VISIBILITIES = {1: ["hidden"], 2: ["private"]}


class _Kept:
    """An object of Luigi: whatever attributes it had."""


class _Visibility(int):
    """Who may see a parameter."""


_CLASSES: dict[tuple[str, str], Any] = {
    ("luigi.scheduler", "Task"): _Kept,
    ("luigi.scheduler", "Worker"): _Kept,
    ("luigi.scheduler", "OrderedSet"): _Kept,
    ("luigi.scheduler", "RetryPolicy"): collections.namedtuple(
        "RetryPolicy", ["retry_count", "disable_hard_timeout", "disable_window"]
    ),
    ("luigi.parameter", "ParameterVisibility"): _Visibility,
    ("collections", "deque"): collections.deque,
    ("builtins", "set"): set,
}


class _Reader(pickle.Unpickler):
    """Reads nothing but what Luigi writes."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _CLASSES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"a state of Luigi holds no {module}.{name}") from None


def export_of(content: bytes, at: float) -> bytes:
    """The state in the engine's export format. `at` is when the file was written, in seconds since the epoch.

    ``ValueError`` for anything else than a state of Luigi.
    """
    try:
        tasks, workers, *rest = _Reader(io.BytesIO(content)).load()
        lines = list(_records(tasks, workers, rest[0] if rest else {}, at))
    except Exception as error:  # the bytes may say anything
        raise ValueError(f"this is neither a state of condotta nor one of Luigi: {error}") from error
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _records(tasks: Any, workers: Any, batchers: Any, at: float) -> Iterator[dict[str, Any]]:
    yield {"condotta": "export", "format": 1, "at": at, "wall": at}
    serials = {worker: serial for serial, worker in enumerate(workers, start=1)}
    for worker, known in workers.items():
        yield {"worker": _worker(worker, serials[worker], known)}
    for worker, families in batchers.items():
        for family, (names, size) in families.items():
            batcher = {"worker": worker, "family": family, "batched_args": list(names)}
            yield {"batcher": batcher if math.isinf(size) else {**batcher, "max_size": int(size)}}
    in_order = sorted(tasks.values(), key=lambda task: task.time)
    for age, task in enumerate(in_order, start=1):
        yield {"task": _task(task, age, serials)}


def _worker(worker: str, serial: int, known: Any) -> dict[str, Any]:
    """A worker; the oldest files say of it only when it was last heard from."""
    told = known if isinstance(known, _Kept) else _Kept()
    info = getattr(told, "info", {})
    reference = getattr(told, "reference", None) or {}
    processes = info.get("workers", 1)
    return {
        "serial": serial,
        "team_serial": serial,
        "id": worker,
        "host": reference.get("host"),
        "started": getattr(told, "started", known),
        "info": [[name, _info(value)] for name, value in info.items()],
        "assistant": bool(info.get("assistant", False)),
        "processes": processes if isinstance(processes, int) else 1,
        "disabled": bool(getattr(told, "disabled", False)),
        "connected": True,
        "messages": [{message["name"]: message["kwargs"]} for message in getattr(told, "rpc_messages", [])],
    }


def _info(value: Any) -> Any:
    return {"json": json.dumps(value)} if isinstance(value, (dict, list, tuple)) else value


def _task(task: Any, age: int, serials: dict[str, int]) -> dict[str, Any]:
    params = [
        [name, str(value), *_VISIBILITIES.get(int(task.param_visibilities.get(name, 0)), [])]
        for name, value in sorted(task.params.items())
    ]
    identity = {"family": task.family, "module": task.module, "params": params, "age": age, "created": task.time}
    links = {
        "deps": sorted(task.deps),
        "workers": [serials[worker] for worker in task.workers.map if worker in serials],
        "stakeholders": sorted(serials[worker] for worker in task.stakeholders if worker in serials),
    }
    return {"id": task.id, "identity": identity, "links": links, "state": _state(task)}


def _state(task: Any) -> dict[str, Any]:
    said = vars(task).get
    status = "PENDING" if task.status == "SUSPENDED" else task.status
    state = {
        "status": status,
        "updated": said("updated", task.time),
        "updated_monotonic": said("updated", task.time),
        "announced": bool(task.family) or status != "UNKNOWN",
        "runnable": bool(said("runnable")),
        "batchable": bool(said("batchable")),
        "accepts_messages": bool(said("accepts_messages")),
        "priority": _priority(task.priority),
        "resources": _amounts(task.resources),
        "resources_running": _amounts(said("resources_running")),
        "worker_running": said("worker_running"),
        "time_running": said("time_running"),
        "retry_policy": {name: value for name, value in task.retry_policy._asdict().items() if value is not None},
        "expl": None if said("expl") is None else str(said("expl")),
        "tracking_url": said("tracking_url"),
        "status_message": said("status_message"),
        "progress_percentage": said("progress_percentage"),
        "batch_id": said("batch_id"),
        "responses": {name: str(value) for name, value in said("scheduler_message_responses", {}).items()},
        "failures": list(task.failures),
        "first_failure": said("first_failure_time"),
        "scheduler_disabled": said("scheduler_disable_time"),
        "retry": said("retry"),
        "remove": said("remove"),
    }
    return {name: value for name, value in state.items() if value is not None}


def _priority(priority: Any) -> float:
    """Luigi lets a priority be anything; JSON has no infinite ones."""
    number = float(priority) if isinstance(priority, (int, float)) else 0.0
    return 0.0 if math.isnan(number) else max(-1e308, min(1e308, number))


def _amounts(resources: Any) -> dict[str, int] | None:
    if resources is None:
        return None
    return {name: max(0, math.ceil(amount)) for name, amount in resources.items()}
