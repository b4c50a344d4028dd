"""All public names of stock Luigi are ours, with the same parameters, signatures and plain values."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from processes import ENVIRONMENT

PROGRAM = Path(__file__).parent / "programs" / "names.py"
STOCK = os.environ.get("CONDOTTA_STOCK_LUIGI", "")

# What there is not, or is otherwise.
DIFFERENT = {
    # The scheduler's tasks and workers are the engine's.
    "luigi.scheduler.SimpleTaskState": "fail_dead_worker_task get_state get_task inactivate_tasks inactivate_workers"
    " may_prune re_enable set_batch_running set_state set_status update_metrics update_status",
    # A call that says nothing of messages changes nothing.
    "luigi.scheduler.Scheduler": "add_task",
    "luigi.rpc.RemoteScheduler": "add_task",
    # A prefix in place of an object's text, which no other process finds.
    "luigi.contrib.redis_store.RedisTarget": "marker_prefix",
    # Sockets need no further package.
    "luigi.rpc": "HAS_UNIX_SOCKET method_name",
    # Only Luigi's own code uses them.
    "luigi": "warning_message",
    "luigi.contrib.postgres": "update_error_codes",
    "luigi.lock": "PIPE",
    "luigi.scheduler": "TASK_FAMILY_RE",
}


def names(python: str, asked: Any) -> Any:
    env = ENVIRONMENT if python == sys.executable else {**os.environ, "PYTHONPATH": ""}
    command = [python, str(PROGRAM)]
    done = subprocess.run(command, input=json.dumps(asked), env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def takes_all(stock: list[list[str]] | None, ours: list[list[str]] | None) -> bool:
    """Whether whoever calls the one may call the other so: ours may take more, and demand less."""
    if stock is None or ours is None:
        return True
    stock, ours = ([each for each in takes if each[0] not in ("self", "cls", "mcs")] for takes in (stock, ours))
    defaults = {name: default for name, kind, default in ours if not kind.startswith("VAR_")}
    positions = [name for name, kind, _ in ours if kind.startswith("POSITIONAL")]
    starred = {kind for _, kind, _ in ours if kind.startswith("VAR_")}
    for position, (name, kind, default) in enumerate(stock):
        if kind.startswith("VAR_"):
            fits = kind in starred
        elif name not in defaults:
            return False
        else:
            in_place = kind == "KEYWORD_ONLY" or positions[position : position + 1] == [name]
            # What is an object is mostly a list that all calls would share.
            fits = in_place and default in ("required", "an object", defaults[name])
        if not fits:
            return False
    known = {name for name, _, _ in stock}
    return all(default != "required" for name, default in defaults.items() if name not in known)


def fits(stock: dict[str, Any], ours: dict[str, Any] | None) -> bool:
    if ours is None:
        return False
    if "parameter" in stock:
        return stock["parameter"] == ours.get("parameter") and set(stock["types"]) <= set(ours["types"])
    if "takes" in stock:
        return takes_all(stock["takes"], ours.get("takes"))
    # Nothing is mostly a package that is not there.
    return stock.get("value", "None") in ("None", ours.get("value"))


@pytest.mark.skipif(not STOCK, reason="CONDOTTA_STOCK_LUIGI does not name a Python with stock Luigi")
def test_every_public_name_of_stock_luigi_is_here():
    stock = names(STOCK, {})
    ours = names(sys.executable, {module: list(things) for module, things in stock.items()})
    assert set(stock) <= set(ours) and len(stock) > 70
    # Only whether an optional library is installed, which need not be so for both.
    of_toml = stock["luigi.configuration.toml_parser"]
    of_parser = of_toml["LuigiTomlParser"]["members"]
    for flag in (stock["luigi.rpc"]["HAS_REQUESTS"], of_toml["toml_enabled"], of_parser["enabled"]):
        del flag["value"]
    different: dict[str, set[str]] = {}
    for module, things in stock.items():
        for name, thing in things.items():
            # The pages of a server are not Luigi's.
            if not thing["is_own"] or name.endswith("Handler"):
                continue
            found = ours[module].get(name, {})
            if "members" not in thing:
                if not found or not fits(thing, found):
                    different.setdefault(module, set()).add(name)
                continue
            members = found.get("members", {})
            missing = {each for each, member in thing["members"].items() if not fits(member, members.get(each))}
            different[f"{module}.{name}"] = missing | set(thing["types"]) - set(found.get("types", ()))
    allowed = {where: set(what.split()) for where, what in DIFFERENT.items()}
    unexpected = {where: what - allowed.get(where, set()) for where, what in different.items()}
    assert {where: what for where, what in unexpected.items() if what} == {}
